"""The quality of a demonstration beyond its verdicts: each thing that is wrong with it has a name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from data_gen.experts.patterns import LEAKS, REFUSALS
from rewards.constraint import Constraint
from rewards.detector import closest
from rewards.instruction import Instruction
from rewards.language import LANGUAGES, script_allows
from rewards.repetition import repeated_share
from rewards.response import Response
from rewards.text import Text, han_share

_SAME_SCRIPT = frozenset(code for code in LANGUAGES if code in "en es pt fr de it vi sw fi nl pl".split())
_CLEARLY = 0.9  # probability below which two languages of one script are not told apart
_ENOUGH_LETTERS = 120
_SOME_LETTERS = 20
_LEAST_HAN = 0.2  # share of the letters of Chinese text; names, formulas and words of English take the rest
_OPENING = 300  # characters in which a refusal shows
_WORDING_LENGTH = {"en": 24, "zh": 10}  # characters from which on a demand found in the answer was copied


class Finding(NamedTuple):
    """One thing that is wrong with a demonstration: a name that is counted, and what was seen."""

    reason: str
    seen: str = ""


class ExpertChecks(BaseModel):
    """What is asked of a demonstration besides correctness; every threshold can be moved.

    Fields:
        thinking_language: whether thinking must be in the language of the instruction.
        answer_language: whether the answer must be in the language that is demanded, else in the instruction's; not
            asked of answers made from a witness, whose fixed words may be of another.
        leakage: whether the answer may not talk about the demands (`requirement 2`, `I have used no commas`).
        refusals: whether the answer may not decline.
        min_thinking_words, max_thinking_words: the least does not bind thinking made from a witness, which may be as
            short as the notes that were asked for.
        min_answer_share, max_answer_share: of the words of both together; binding as above.
        max_repeated_share: of the runs of `loop_size` words, those that occurred before. Of answers only where the
            prompt does not ask for copies, and not of answers made from a witness.
        allow_unjudged: whether a demonstration is good whose soft demands nobody has judged.

    Example:
        >>> ExpertChecks(max_thinking_words=4000).loop_size
        8
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    thinking_language: bool = True
    answer_language: bool = True
    leakage: bool = True
    refusals: bool = True
    min_thinking_words: int = Field(default=8, ge=0)
    max_thinking_words: int = Field(default=8000, ge=1)
    min_answer_share: float = Field(default=0.0, ge=0, le=1)
    max_answer_share: float = Field(default=0.98, ge=0, le=1)
    max_repeated_share: float = Field(default=0.4, ge=0, le=1)
    loop_size: int = Field(default=8, ge=2)
    allow_unjudged: bool = True

    def review(
        self, instruction: Instruction, response: Response, active: Sequence[Constraint], origin: str = ""
    ) -> list[Finding]:
        """Return what is wrong with a response as a demonstration.

        Args:
            instruction: the task.
            response: the parsed demonstration.
            active: the demands that count for this response.
            origin: `witness` where it was made by construction.
        """
        if broken := _broken(response):
            return broken
        made = origin == "witness"
        thinking, answer = Text(response.thinking or ""), Text(response.answer)
        found = [
            *_length(self, thinking, answer, made),
            *_loops(self, thinking, answer, made or _copies(active)),
        ]
        if self.thinking_language:
            found += _language(thinking, instruction.language, "thinking in another language")
        if self.answer_language and not made and not any(_sets_script(constraint) for constraint in active):
            found += _language(answer, _demanded(active, instruction.language), "answer in another language")
        if self.leakage:
            found += _leakage(instruction, response.answer)
        if self.refusals:
            found += _refusal(response.answer)
        return found


def _broken(response: Response) -> list[Finding]:
    """Return why there is nothing to look at."""
    if response.truncated:
        return [Finding("truncated")]
    found = [] if (response.thinking or "").strip() else [Finding("empty thinking")]
    found += [] if response.answer.strip() else [Finding("empty answer")]
    whole = Response.split(f"{response.thinking}</think>{response.answer}")
    same = whole.well_formed and (whole.thinking, whole.answer) == (response.thinking, response.answer)
    return found or ([] if same else [Finding("malformed", "think tags inside thinking or answer")])


def _length(checks: ExpertChecks, thinking: Text, answer: Text, made: bool) -> Iterable[Finding]:
    thought, said = len(thinking.words), len(answer.words)
    if thought > checks.max_thinking_words:
        yield Finding("thinking too long", f"{thought} words, at most {checks.max_thinking_words} allowed")
    if made:
        return
    if thought < checks.min_thinking_words:
        yield Finding("thinking too short", f"{thought} words, at least {checks.min_thinking_words} wanted")
    share = said / max(1, thought + said)
    if not checks.min_answer_share <= share <= checks.max_answer_share:
        wanted = f"{checks.min_answer_share:g} to {checks.max_answer_share:g} wanted"
        yield Finding("answer share", f"the answer makes up {share:.3f} of the words, {wanted}")


def _loops(checks: ExpertChecks, thinking: Text, answer: Text, may_repeat: bool) -> Iterable[Finding]:
    for name, text in (("thinking", thinking), ("answer", answer)):
        share = 0.0 if name == "answer" and may_repeat else repeated_share(text.words, checks.loop_size)
        if share > checks.max_repeated_share:
            yield Finding(f"{name} goes round in circles", f"{share:.2f} of its runs of words occurred before")


def _copies(active: Iterable[Constraint]) -> bool:
    return any(constraint.family == "copying" for constraint in active)


def _demanded(active: Iterable[Constraint], default: str) -> str:
    """Return the language of the answer: the one demanded, else that of the instruction."""
    for constraint in active:
        if constraint.type == "language:response":
            return str(getattr(constraint, "language", default))
        if constraint.type.startswith("case:english"):
            return "en"
    return default


def _sets_script(constraint: Constraint) -> bool:
    """Tell whether a demand mixes languages or names scripts, so that no single language is expected."""
    return constraint.family == "language" and constraint.type != "language:response"


def _language(text: Text, wanted: str, reason: str) -> list[Finding]:
    """Compare scripts, and languages of one script where there is enough text to be sure."""
    prose = text.prose
    letters, han = sum(map(str.isalpha, prose)), han_share(prose)
    if letters * (1 + 3 * han) < _SOME_LETTERS:  # a Han character says as much as four letters
        return []
    foreign = han < _LEAST_HAN if wanted == "zh" else not script_allows(prose, wanted)
    if foreign:
        return [Finding(reason, f"not the script of {wanted}")]
    if wanted not in _SAME_SCRIPT or letters < _ENOUGH_LETTERS:
        return []
    guess = closest(prose.lower(), _SAME_SCRIPT)
    if guess is None or guess.language == wanted or guess.probability < _CLEARLY:
        return []
    return [Finding(reason, f"{guess.language}, not {wanted}")]


def _leakage(instruction: Instruction, answer: str) -> list[Finding]:
    hits = [match[0] for pattern in LEAKS for match in pattern.finditer(answer)]
    copied = [wording for wording in _wordings(instruction) if wording.casefold() in answer.casefold()]
    if not hits and not copied:
        return []
    dictated = "\n".join(_dictated(instruction)).casefold()  # what the prompt wants to be said is no leak
    leaks = [hit for hit in (*hits, *copied) if hit.casefold() not in dictated]
    return [Finding("checklist in the answer", _one_line(leaks[0]))] if leaks else []


def _wordings(instruction: Instruction) -> Iterable[str]:
    """Yield how the prompt words its demands, where that is long enough not to be said by accident."""
    shortest = _WORDING_LENGTH.get(instruction.language, 24)
    texts = [each.text for each in instruction.sub_instructions]
    texts = texts or [constraint.describe(instruction.language) for constraint in instruction.constraints]
    return (text.strip().rstrip(".。") for text in texts if len(text) >= shortest)


def _dictated(instruction: Instruction) -> Iterable[str]:
    yield instruction.request
    for constraint in instruction.constraints:
        yield from _strings(constraint.model_dump(exclude={"type", "scope", "question", "demand"}))


def _strings(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _strings(each)


def _refusal(answer: str) -> list[Finding]:
    opening = answer.lstrip()[:_OPENING]
    match = next((found for pattern in REFUSALS if (found := pattern.search(opening))), None)
    return [Finding("refusal", _one_line(match[0]))] if match else []


def _one_line(text: str) -> str:
    return " ".join(text.split())[:80]
