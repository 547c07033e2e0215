"""A reply of a judge on a whole checklist: which entry is about which point; slots of a prompt; stored points."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from raif.benchmarks.items import Question, QuestionRollout, QuestionVerdict
from raif.benchmarks.judging import AGAIN, Call, Heard, Steps, readable
from raif.benchmarks.loading import StoredRow, shown
from rewards.errors import RaifError
from rewards.judge.prompts import defuse, marker_code

CALL = "item"  # the name of the one call about an answer
UNREADABLE = "the judge's reply holds no readable verdict on this"
RESEMBLANCE = 0.6  # below this share of common characters, an entry is not about the point at its place
_SLOT = re.compile(r"\{(\w+)\}")


class Said(NamedTuple):
    """One entry of a reply: the point as the judge repeats it, its verdict (None: unreadable), and the reason."""

    text: str
    value: float | None
    reason: str = ""


def belonging(questions: Sequence[Question], said: Sequence[Said]) -> list[Said | None]:
    """Return the entry on each point, in order; None if there is none, two contradict, or its verdict is unreadable.

    Entries are found by their text, white space aside, in any order. A point that is not found so takes the entry at
    its place if there are as many entries as points, and the entry resembles this point more than any other.

    Example:
        >>> points = [Question(id="0", text="Three lines."), Question(id="1", text="No comma.")]
        >>> [entry and entry.value for entry in belonging(points, [Said("No  comma.", 0), Said("Three lines.", 1)])]
        [1, 0]
        >>> [entry and entry.value for entry in belonging(points, [Said("Three line", 1), Said("Polite.", 1)])]
        [1, None]
    """
    texts = [_plain(question.text) for question in questions]
    named: dict[str, list[Said]] = defaultdict(list)
    for entry in said:
        named[_plain(entry.text)].append(entry)
    found: list[Said | None] = []
    for place, text in enumerate(texts):
        if text in named:
            found.append(_of_several(named[text], texts[:place].count(text), texts.count(text)))
        else:
            found.append(_at_place(place, texts, said, named) if len(said) == len(texts) else None)
    return [entry if entry is not None and entry.value is not None else None for entry in found]


def _of_several(entries: Sequence[Said], number: int, wanted: int) -> Said | None:
    """Return the entry on the `number`-th of `wanted` points with the same text."""
    if len({entry.value for entry in entries}) == 1:
        return entries[0]
    return entries[number] if len(entries) == wanted else None


def _at_place(
    place: int, texts: Sequence[str], said: Sequence[Said], named: Mapping[str, Sequence[Said]]
) -> Said | None:
    text = _plain(said[place].text)
    if text in texts:
        return None
    others = {other for other in texts if other not in named and other != texts[place]}
    own = _alike(text, texts[place])
    return said[place] if own >= RESEMBLANCE and all(_alike(text, other) < own for other in others) else None


def _alike(first: str, second: str) -> float:
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= RESEMBLANCE else 0.0


def _plain(text: str) -> str:
    return "".join(text.split())


def ask_all(call: Call, read: Callable[[str], list[Said | None]], form: str) -> Steps[Heard[list[Said | None]]]:
    """Ask about all points in one call, and once more if a point has no readable verdict.

    A point that only the first of two replies names keeps the verdict of that one.

    Args:
        read: the entries of a reply, one a point.
        form: as in `readable`.
    """

    def complete(reply: str) -> list[Said | None] | None:
        found = read(reply)
        return None if None in found else found

    replies = (yield from readable(call, complete, form)).replies
    latest_first = zip(*(read(reply) for reply in reversed(replies)), strict=True)
    return Heard([next((entry for entry in found if entry is not None), None) for found in latest_first], replies)


def verdict_of(question: Question, entry: Said | None, official: float | None) -> QuestionVerdict:
    """Return what an entry says of a question; without one the verdict is unreadable."""
    if entry is None:
        return QuestionVerdict(id=question.id, value=None, reason=UNREADABLE, official=official)
    return QuestionVerdict(id=question.id, value=entry.value, reason=entry.reason, official=official)


def replies_of(rollout: QuestionRollout) -> list[str]:
    """Return the judge's replies on the whole checklist, in order; none where nothing was asked, or point by point."""
    return [rollout.replies[name] for name in (CALL, CALL + AGAIN) if name in rollout.replies]


def unfenced(reply: str) -> str:
    """Return what is inside a code fence where the whole reply is fenced."""
    reply = reply.strip()
    fenced = reply.startswith("```") and reply.endswith("```")
    return reply[3:-3].partition("\n")[2] if fenced else reply


def filled(template: str, slots: Mapping[str, str]) -> str:
    """Return a prompt with its {slots} filled in one pass, so that slots inside what is filled in stay as they are.

    Example:
        >>> filled("{a} and {b}, {c}", {"a": "{b}", "b": "2"})
        '{b} and 2, {c}'
    """
    return _SLOT.sub(lambda slot: slots.get(slot[1], slot[0]), template)


def material(slots: Mapping[str, str], *, plain: bool) -> dict[str, str]:
    """Return what is to be judged as a prompt shows it, and a slot `tag`: a code for the marker lines around it.

    Args:
        plain: control tokens of chat templates stay as they are, as in the published code; else a space defuses them.

    Example:
        >>> shown = material({"answer": "Fine.<|im_end|>"}, plain=False)
        >>> shown["answer"], len(shown["tag"])
        ('Fine.< |im_end|>', 16)
    """
    shown = dict(slots) if plain else {name: defuse(text) for name, text in slots.items()}
    tag = marker_code(defuse("\0".join(slots.values())), "")  # hangs on all texts: no answer can close its block
    return {**shown, "tag": tag}


def check_points(stored: StoredRow, name: str) -> None:
    """Raise an error if verdicts were given on other points than those of the item.

    Args:
        name: of the column that repeats the points, each a text or a list that begins with one.
    """
    item, row, where = stored
    given = row[name]
    if not isinstance(given, list):
        raise RaifError(f"{where}: {name} is {shown(given)}; expected the list of the item's points.")
    texts = [point[0] if isinstance(point, list) and point else point for point in given]
    if len(texts) != len(item.questions):
        raise RaifError(
            f"{where}: {len(texts)} points in {name} for {len(item.questions)} of the item; the verdicts are of "
            "another edition."
        )
    for question, text in zip(item.questions, texts, strict=True):
        if question.text != text:
            raise RaifError(
                f"{where}: {name} has {shown(text)} in place of {shown(question.text)}; the verdicts are of another "
                "edition."
            )
