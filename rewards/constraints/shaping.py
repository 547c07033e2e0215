"""What the counting families share: verdicts on numbers, and edits that grow, trim and rebuild a finished text."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, wraps
from typing import TypeVar

from rewards.clauses import sentence
from rewards.constraint import Constraint, Context, Status, Verdict, verdict_if
from rewards.draft import edit_part
from rewards.scope import numbered
from rewards.sentences import split_sentences
from rewards.text import Text

S = TypeVar("S", bound=Constraint)
Judge = Callable[[S, Text, Context], Verdict]
Fits = Callable[[str], bool]

_CHUNK = re.compile(
    r"\s*(?:[\u3041-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\s\u3041-\u30ff\u3400-\u9fff]+|\S)"
)
_CLOSERS = "\"'”’」』）)]*_`}$"
_ENDS = re.compile(r"(?:[.!?…][\"'”’)\]*_]*(?=\s)|[。！？][”’」』）】]*|\n)\s*")
_END_MARKS = ".!?。！？…؟۔।"


def words_needed(judge: Judge[S]) -> Judge[S]:
    """Leave a text unscored whose words and sentences no rule can count."""

    @wraps(judge)
    def checked(self: S, text: Text, context: Context) -> Verdict:
        return Verdict(Status.UNSCORED, text.uncountable) if text.uncountable else judge(self, text, context)

    return checked


def at_least(found: int, limit: int, unit: str) -> Verdict:
    """Judge a number that must reach a bound."""
    return verdict_if(found >= limit, f"{found} {unit}, at least {limit} wanted")


def at_most(found: int, limit: int, unit: str) -> Verdict:
    """Judge a number that must not pass a bound."""
    return verdict_if(found <= limit, f"{found} {unit}, at most {limit} allowed")


def exactly(found: int, count: int, unit: str) -> Verdict:
    """Judge a number that must be met."""
    return verdict_if(found == count, f"{found} {unit}, exactly {count} wanted")


def within(found: int, low: int, high: int, unit: str) -> Verdict:
    """Judge a number that must lie in a range, both ends included."""
    return verdict_if(low <= found <= high, f"{found} {unit}, {low} to {high} wanted")


def shown(items: Sequence[str], most: int = 4) -> str:
    """List a few items for the evidence, each cut short.

    Example:
        >>> shown(["a", "b", "c", "d", "e"])
        "'a', 'b', 'c', 'd' and 1 more"
    """
    listed = ", ".join(repr(item[:24]) for item in items[:most])
    return f"{listed} and {len(items) - most} more" if len(items) > most else listed


class Mended(Constraint):
    """A constraint with a second way to edit a text: one that keeps the sentences, lines and lists that it has."""

    def mend_scope(self, text: str, language: str) -> str:
        """Apply `mend` to the part of the text that the scope names, which is made where it is missing."""
        place = numbered(self.scope)
        if not place:
            return within_blanks(text, lambda core: self.mend(core, language))
        return edit_part(
            text, *place, lambda part: within_blanks(part, lambda core: self.mend(core, language)), language
        )

    @abstractmethod
    def mend(self, text: str, language: str) -> str:
        """Return a text without outer blanks changed as little as the constraint allows."""


class Shaped(Mended):
    """A constraint whose edit tries several proposals and takes the first one that it accepts itself."""

    def edit(self, text: str, language: str) -> str:
        return within_blanks(text, lambda core: self._changed(core, language))

    def _changed(self, text: str, language: str) -> str:
        if self.holds(text, language):
            return text
        proposal = text
        for proposal in self.proposals(text, language):
            if self.holds(proposal, language):
                break
        return proposal

    def mend(self, text: str, language: str) -> str:
        if self.holds(text, language):
            return text
        mended = (one for one in self.repairs(text, language) if one and self.holds(one, language))
        return next(mended, None) or self._changed(text, language)

    def repairs(self, text: str, language: str) -> Iterator[str]:
        """Yield changed texts that keep sentences, lines and lists; "" where that cannot be."""
        return iter(())

    def proposals(self, text: str, language: str) -> Iterator[str]:
        """Yield changed texts, those that keep most of the text first."""
        raise NotImplementedError

    def holds(self, text: str, language: str) -> bool:
        """Tell whether a text satisfies this constraint."""
        view = viewed(text)
        return view.has_words and self.judge(view, Context(language=language)).status is Status.SATISFIED


def within_blanks(text: str, change: Callable[[str], str]) -> str:
    """Change a text but not the blanks at its ends, which set a part of an answer off from the next.

    Example:
        >>> within_blanks("\\nIt is.\\n", str.upper)
        '\\nIT IS.\\n'
    """
    core = text.strip()
    begin = text.find(core)
    return text[:begin] + change(core) + text[begin + len(core) :]


@lru_cache(maxsize=64)
def viewed(text: str) -> Text:
    """Return the views of a text, shared by the edits and judges that look at it one after the other."""
    return Text(text)


def word_count(text: str) -> int:
    return len(viewed(text).words)


def pieces(text: str) -> list[str]:
    """Return the sentences of a text with its formulas, each closed by a mark."""
    return [closed(piece) for piece in split_sentences(text)]


def closed(text: str) -> str:
    """Return the text with a mark at its end, so that another sentence can follow.

    Example:
        >>> closed("It is 7"), closed("是七"), closed("It is *7.*")
        ('It is 7.', '是七。', 'It is *7.*')
    """
    stripped = text.rstrip()
    core = stripped.rstrip(_CLOSERS)
    if not core or core[-1] in _END_MARKS:
        return stripped
    return stripped + ("。" if "\u3400" <= core[-1] <= "\u9fff" else ".")


def joined(sentences: Sequence[str], language: str) -> str:
    """Join sentences as the language does: with blanks, or without in Chinese."""
    return ("" if language == "zh" else " ").join(sentences)


def needs_own_line(text: str) -> bool:
    """Tell whether a text ends with a line that is no prose, to which no sentence can be glued.

    Example:
        >>> needs_own_line("| a | b |"), needs_own_line("It is.\\n```"), needs_own_line("- a")
        (True, True, False)
    """
    last = text.rstrip().rpartition("\n")[2].strip()
    return last.startswith(("|", "```", "#", "***", "---")) or last.endswith("|")


def added(text: str, extra: str, language: str) -> str:
    """Add a sentence at the end of a text.

    Example:
        >>> added("It is 7", "This is clear.", "en")
        'It is 7. This is clear.'
    """
    if needs_own_line(text):
        return f"{text.rstrip()}\n{extra}"
    return joined([closed(text), extra], language) if text.strip() else extra


def grown(text: str, language: str, most: int) -> Iterator[str]:
    """Yield the text with more and more neutral sentences after it."""
    for turn in range(most):
        text = added(text, sentence(language, 5 + turn % 4, turn), language)
        yield text


def endings(text: str) -> Iterator[str]:
    """Yield the text without its first sentence, without its first two and so on: the answer stands last."""
    for match in _ENDS.finditer(text):
        if rest := text[match.end() :]:
            yield rest


def chunks(text: str) -> list[str]:
    """Divide a text into Han characters and runs between blanks, each with the blanks before it."""
    return _CHUNK.findall(text)


def last_words(text: str, limit: int) -> str:
    """Return the longest ending of a text with at most `limit` words; whole sentences where one fits.

    Example:
        >>> last_words("One two. Three four five.", 3), last_words("One two three", 2)
        ('Three four five.', 'two three')
    """
    for rest in (text, *endings(text)):
        if 0 < word_count(rest) <= limit:
            return rest
    return last_chunks(text, lambda part: word_count(part) <= limit)


def last_chunks(text: str, fits: Fits) -> str:
    """Return the longest run of chunks at the end of a text that fits, found by halving."""
    parts = chunks(text)
    low, high = 0, len(parts)
    while low < high:
        middle = (low + high) // 2
        if fits("".join(parts[middle:])):
            high = middle
        else:
            low = middle + 1
    return "".join(parts[low:]).strip()


def without_chunks(text: str, unwanted: Fits) -> str:
    """Return the text without the chunks that are unwanted."""
    return "".join(part for part in chunks(text) if not unwanted(part)).strip()
