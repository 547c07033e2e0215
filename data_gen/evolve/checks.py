"""Check what a model has written against what it was given: nothing lost, nothing turned round, nothing added."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from data_gen.evolve.bounds import bounds_in
from data_gen.evolve.demands import Added, Demand
from data_gen.evolve.keeping import Kept, contains, is_negative, losses, stems, turned
from data_gen.evolve.numbers import values_in
from data_gen.evolve.replies import AddedDemand, Problem, RewrittenDemand
from rewards.language import guess_language
from rewards.numerals import find_values
from rewards.sentences import split_sentences
from rewards.text import Text, han_share

MAX_DEMAND = 3.0  # growth of one demand, besides a few words
_ROOM = {"en": 160, "zh": 60}
_SHARED_WORDS = 0.6  # of a reworded task
_SHARED_SOFT = 0.4  # of what sets a soft demand apart, since a merging may well shorten it
_TALK = {
    "en": re.compile(
        r"```|\"(?:demands?|added|only_if|after|keep|kind|prompt|question)\"\s*:|\bsub-?\s?instructions?\b|"
        r"\bseed (?:task|request)\b|\b(?:demand|id) ?#?\d|\b(?:merged|rewritten|reworded) (?:prompt|instruction|demand|"
        r"task)|\bhere is the\b|\A\s*(?:sure|certainly|of course)[,!.]|\bas an ai\b",
        re.IGNORECASE,
    ),
    "zh": re.compile(
        r"```|[\"“](?:demands?|added|only_if|after|keep|kind|prompt|question)[\"”]\s*[:：]|子指令|种子任务|"
        r"(?:合并|改写|整合)后的|要求\s?\d|编号\s?\d|以下是(?:合并|改写|整合)|\A\s*(?:好的|当然)[，,！!。]|作为一?个?(?:AI|人工智能)"
    ),
}
_IF = {
    "en": re.compile(r"\b(?:if|when|whenever|unless|in case|should|provided|otherwise|where|as long as)\b", re.I),
    "zh": re.compile("如果|若|假如|要是|倘若|的话|否则|只有|只要|当.{1,40}时|不然|的情况下"),
}
_THEN = {
    "en": re.compile(
        r"\b(?:then|after|afterwards|next|first|finally|once|before|last|later|step|lastly|done|and)\b", re.I
    ),
    "zh": re.compile("然后|接着|之后|以后|再|先|最后|接下来|随后|第二步|下一步|完成后|后"),
}
_QUOTED = re.compile(r"[\"“「『](?P<text>[^\"“”「」『』\n]+)[\"”」』]")
_LIST_NUMBER = re.compile(r"^\s*\(?(\d{1,2})[.):、]", re.MULTILINE)


def check_rewritten(before: Demand, after: RewrittenDemand, language: str) -> Problem | None:
    """Return what is wrong with a reworded demand."""
    problem = _check_wording(after.text, language, before.text, _ROOM[language] + MAX_DEMAND * len(before.text))
    if problem is not None:
        return problem
    if before.soft:
        return _check_question(after.question, language)
    for reason, detail in (
        *losses(before.kept, after.text, language),
        *turned(before.text, after.text, before.kept, language),
    ):
        return Problem(reason, detail)
    if extra := values_in_digits(after.text) - values_in(before.text):
        return Problem("added a number", f"the number {min(extra):g} is new")
    return None


def check_added(each: AddedDemand, kinds: Sequence[str], demands: Sequence[str], language: str) -> Problem | None:
    """Return what is wrong with a demand that the model has thought of."""
    if each.kind not in kinds:
        return Problem("added demand of another kind", f"kind {each.kind!r} was not asked for ({', '.join(kinds)})")
    problem = _check_wording(each.text, language, "", 2 * _ROOM[language]) or _check_question(each.question, language)
    if problem is not None:
        return problem
    if values_in_digits(each.text) or _QUOTED.search(each.text):
        return Problem("added demand is no soft one", "it names a number or a particular wording")
    if any(each.text.strip().casefold() == other.strip().casefold() for other in demands):
        return Problem("added demand is not new", "it repeats another demand")
    return None


def _check_question(question: str, language: str) -> Problem | None:
    marks = "？?" if language == "zh" else "?"
    if not question.strip() or question.strip()[-1] not in marks:
        return Problem("no scoring question", "it needs a yes/no question that ends in a question mark")
    if not is_written_in(question, language):
        return Problem("another language", "the question is in another language")
    return None


def _check_wording(text: str, language: str, before: str, limit: float) -> Problem | None:
    if len(text) > limit:
        return Problem("too long", f"it has {len(text)} characters; {limit:.0f} are allowed")
    if not is_written_in(text, language, before):
        return Problem("another language", "it is in another language")
    return check_talk(text, before, language)


def check_talk(text: str, before: str, language: str) -> Problem | None:
    """Return where a text speaks about the work on it."""
    for match in _TALK[language].finditer(text):
        if match[0].casefold().strip() not in before.casefold():
            return Problem("talk about the work", f"{match[0].strip()!r} does not belong in it")
    return None


def is_written_in(text: str, language: str, before: str = "") -> bool:
    """Tell whether a text is in a language, or no less than the text it comes from.

    Example:
        >>> is_written_in("请用中文回答。", "zh"), is_written_in("Please answer in Chinese.", "zh")
        (True, False)
    """
    share, share_before = han_share(text), han_share(before)
    if language == "zh":
        return share >= min(0.3, 0.6 * share_before if before else 0.3)
    guess, old = guess_language(Text(text).prose).language, guess_language(Text(before).prose).language
    return share <= max(0.1, share_before + 0.1) and (len(text) < 60 or guess in ("en", None, old))


def values_in_digits(text: str) -> set[float]:
    """Return the values of the numbers in digits, list numbers aside."""
    return set(find_values(_LIST_NUMBER.sub(" ", text)))


@dataclass(frozen=True, slots=True)
class MergeCheck:
    """What a merged prompt must be.

    Fields:
        request: the task. template: the prompt that the new one replaces.
        demands, added: as they were given to the model. conditions: what must stay of the branches' conditions.
        also_keep: text that must stay besides. verbatim: whether the request must stay word for word.
        limit: characters.
    """

    request: str
    template: str
    demands: Sequence[Demand]
    added: Sequence[Added]
    conditions: Sequence[Kept]
    also_keep: Sequence[str]
    verbatim: bool
    limit: float
    language: str

    def problem(self, prompt: str) -> Problem | None:
        """Return the first thing that is wrong with a merged prompt."""
        return next(self._problems(prompt), None)

    def _problems(self, prompt: str) -> Iterator[Problem]:
        if len(prompt) > self.limit:
            yield Problem("too long", f"it has {len(prompt)} characters; {self.limit:.0f} are allowed")
        if not is_written_in(prompt, self.language, self.template):
            yield Problem("another language", "it is not in the language of the task")
        if talk := check_talk(prompt, " ".join([self.template, *self._given()]), self.language):
            yield talk
        yield from self._task(prompt)
        rest = self._without_request(prompt)
        for kept in (*(demand.kept for demand in self.demands), *self.conditions):
            yield from (Problem(reason, detail) for reason, detail in losses(kept, rest, self.language))
        yield from self._turned(rest)
        yield from self._soft(rest)
        yield from self._structure(rest)
        yield from self._extra(prompt)

    def _given(self) -> list[str]:
        return [
            self.request,
            *(demand.text for demand in self.demands),
            *(each.text for each in self.added),
            *(condition for demand in self.demands for condition in demand.only_if),
            *self.also_keep,
        ]

    def _task(self, prompt: str) -> Iterator[Problem]:
        for text in self.also_keep:
            if text and not _says(prompt, "\\boxed" if "\\boxed" in text else text):
                yield Problem("lost the answer format", f"it must still say: {text}")
        if self.verbatim:
            if not _says(prompt, self.request):
                yield Problem("changed the task", "the task must stand in it word for word")
            return
        if lost := values_in_digits(self.request) - values_in(prompt):
            yield Problem("changed the task", f"the task's number {min(lost):g} is missing")
        words = stems(self.request, self.language)
        share = len(words & stems(prompt, self.language)) / len(words) if words else 1.0
        asks = "?" in self.request or "？" in self.request
        if share < _SHARED_WORDS or (asks and share < 0.8 and not re.search("[?？]", prompt)):
            yield Problem("changed the task", "too little of the task is left; keep its words and its question")

    def _without_request(self, prompt: str) -> str:
        """Leave the request out, whose numbers and words are no demands."""
        return re.sub(_loosely(self.request), " ", prompt, count=1) if _says(prompt, self.request) else prompt

    def _turned(self, prompt: str) -> Iterator[Problem]:
        sentences = split_sentences(prompt)
        for demand in (demand for demand in self.demands if demand.kept.prohibits):
            about = [each for each in sentences if _mentions(each, demand.kept, self.language)]
            if about and not any(is_negative(each, self.language) for each in about):
                yield Problem("lost a prohibition", f"it must still prohibit this: {demand.text}")
        numbers = {number for demand in self.demands for number in demand.kept.numbers}
        known = {bound for text in (self.template, *self._given()) for bound in bounds_in(text, self.language)}
        for bound in sorted(bounds_in(prompt, self.language) - known):
            if bound.value in numbers and bound.kind != "exact":
                yield Problem("changed a bound", f"{bound.value:g} is bounded in another way than the demands say")

    def _soft(self, prompt: str) -> Iterator[Problem]:
        said = stems(prompt, self.language)
        rules = [demand.text for demand in self.demands if not demand.soft]
        soft = [*(demand.text for demand in self.demands if demand.soft), *(each.text for each in self.added)]
        for text in soft:
            others = [self.request, *rules, *(other for other in soft if other != text)]
            words = stems(text, self.language).difference(*(stems(other, self.language) for other in others))
            if words and len(words & said) / len(words) < _SHARED_SOFT:
                yield Problem("lost a soft demand", f"this is missing: {text}")

    def _structure(self, prompt: str) -> Iterator[Problem]:
        if any(demand.only_if for demand in self.demands) and not _IF[self.language].search(prompt):
            yield Problem("lost a condition", "no condition is left of those under only_if")
        if any(demand.after for demand in self.demands) and not self._says_order(prompt):
            yield Problem("lost the order", "nothing says any more what comes after what")

    def _says_order(self, prompt: str) -> bool:
        """Tell whether words of order occur besides those that the demands themselves have ("nothing after it")."""
        words = _THEN[self.language]
        inside = Counter(word.lower() for text in self._given() for word in words.findall(text))
        return bool(Counter(word.lower() for word in words.findall(prompt)) - inside)

    def _extra(self, prompt: str) -> Iterator[Problem]:
        given = " ".join([self.template, *self._given()])
        if extra := values_in_digits(prompt) - values_in(given):
            yield Problem("added a number", f"the number {min(extra):g} is new")
        for match in _QUOTED.finditer(prompt):
            if len(match["text"]) < 60 and not contains(given, match["text"].strip(" .,;，。；")):
                yield Problem("added a quoted text", f"{match[0]} is new")


def _mentions(text: str, kept: Kept, language: str) -> bool:
    said = any(contains(text, literal) for literal in (*kept.literals, *kept.marks))
    return said or bool(kept.subject & stems(text, language))


def _says(text: str, part: str) -> bool:
    return re.search(_loosely(part), text) is not None


def _loosely(part: str) -> str:
    """Return the pattern of a text whose blanks may differ and whose last stop may be missing."""
    return r"\s*".join(re.escape(word) for word in part.strip().rstrip(".。").split())
