"""How model families mark thinking and answer in a completion.

- `think` (Qwen3, DeepSeek-R1, QwQ): `<think>...</think>answer`.
- `think_answer` (RAIF, Open-Reasoner): `<think>...</think><answer>answer</answer>`.
- `answer`: `<answer>answer</answer>` alone, the direct form of the former.
- `channels` (gpt-oss): `<|channel|>analysis<|message|>...<|end|>...<|channel|>final<|message|>answer<|return|>`,
  also as it reads with the special tokens removed (`analysis...assistantfinal...`).
- `none`: all of it is the answer.

A tag that stands in quotes or backticks by itself is spoken about, and marks nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

ThinkStyle = Literal["think", "think_answer", "answer", "channels", "none"]
OPEN, CLOSE = "<think>", "</think>"
OPEN_ANSWER, CLOSE_ANSWER = "<answer>", "</answer>"
_QUOTES = {"`": "`", '"': '"', "'": "'", "“": "”", "‘": "’", "「": "」", "《": "》"}
_STRAIGHT = "`\"'"  # opening and closing look alike
_CHANNEL = "<|channel|>{}<|message|>"
_MESSAGE = re.compile(
    r"(?:<\|start\|>assistant)?<\|channel\|>(?P<channel>\w+)[^<]*<\|message\|>"
    r"(?P<text>.*?)(?P<end><\|end\|>|<\|return\|>|<\|call\|>|\Z)",
    re.DOTALL,
)
_STRIPPED = re.compile(r"analysis(?P<thinking>.*?)assistant(?:commentary.*?assistant)?final(?P<answer>.*)", re.DOTALL)
_SECOND_FINAL = "assistantfinal"


class Parts(NamedTuple):
    """Thinking (None where it was never opened), answer, and whether the completion keeps to its style."""

    thinking: str | None
    answer: str
    well_formed: bool


def divide(text: str, style: ThinkStyle, prefilled: bool) -> Parts:
    """Divide a completion; the answer is byte-exact and unclosed thinking leaves none.

    Example:
        >>> divide("I end with `</think>`.</think>Yes.", "think", True)
        Parts(thinking='I end with `</think>`.', answer='Yes.', well_formed=True)
        >>> divide("<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>",
        ...        "channels", False)
        Parts(thinking='hm', answer='Yes.', well_formed=True)
    """
    return _STYLES[style](text, prefilled)


def join(thinking: str, answer: str, style: ThinkStyle, prefilled: bool) -> str:
    """Write a completion in a style: what `divide` takes apart again.

    Example:
        >>> join("hm", "Yes.", "think_answer", prefilled=True)
        'hm</think><answer>Yes.</answer>'
    """
    if style == "channels":
        return f"{_CHANNEL.format('analysis')}{thinking}<|end|><|start|>assistant{_CHANNEL.format('final')}{answer}"
    opening = "" if prefilled else OPEN
    thoughts = f"{opening}{thinking}{CLOSE}" if style in ("think", "think_answer") else ""
    return thoughts + (f"{OPEN_ANSWER}{answer}{CLOSE_ANSWER}" if style in ("think_answer", "answer") else answer)


def _marks(text: str, tag: str) -> Iterator[int]:
    """Yield where a tag stands that is not quoted."""
    place = text.find(tag)
    while place >= 0:
        if not _is_quoted(text, place, place + len(tag)):
            yield place
        place = text.find(tag, place + len(tag))


def _is_quoted(text: str, begin: int, end: int) -> bool:
    """Tell whether a quotation mark opens right before a tag and closes right after it."""
    mark = text[begin - 1 : begin]
    if not mark or _QUOTES.get(mark) != text[end : end + 1]:
        return False
    before = text[begin - 2 : begin - 1] if begin > 1 else " "
    return mark not in _STRAIGHT or before.isspace() or before in "([{（>"  # else the mark closes what stands before it


def _has(text: str, *tags: str) -> bool:
    return any(next(_marks(text, tag), None) is not None for tag in tags)


def _think(text: str, prefilled: bool) -> Parts:
    body, opened = _without_opening(text, prefilled)
    end = next(_marks(body, CLOSE), None)
    if end is None:
        return Parts(body if opened else None, "" if opened else text, False)
    thinking, answer = body[:end], body[end + len(CLOSE) :]
    single = not _has(answer, CLOSE, OPEN) and not _has(thinking, OPEN)
    return Parts(thinking, answer, opened and single and bool(thinking.strip()) and bool(answer.strip()))


def _without_opening(text: str, prefilled: bool) -> tuple[str, bool]:
    """Drop the opening tag; tell whether the thinking was opened at all (by the template or by the text)."""
    stripped = text.lstrip()
    if stripped.startswith(OPEN):
        return stripped[len(OPEN) :], True
    return text, prefilled


def _think_answer(text: str, prefilled: bool) -> Parts:
    thinking, rest, well_formed = _think(text, prefilled)
    if _has(thinking or "", OPEN_ANSWER, CLOSE_ANSWER):
        well_formed = False
    answer, tagged = _tagged(rest)
    return Parts(thinking, answer, well_formed and tagged)


def _tagged(text: str) -> tuple[str, bool]:
    """Return what the last pair of answer tags holds, else the text; and whether there is one pair and no more."""
    begins, ends = list(_marks(text, OPEN_ANSWER)), list(_marks(text, CLOSE_ANSWER))
    if not begins:
        return text, False
    begin = begins[-1] + len(OPEN_ANSWER)
    end = next((place for place in ends if place >= begin), None)
    answer = text[begin:end]
    outside = text[: begins[0]] + (text[end + len(CLOSE_ANSWER) :] if end is not None else "")
    single = len(begins) == len(ends) == 1 and end is not None
    return answer, single and not outside.strip() and bool(answer.strip())


def _answer(text: str, prefilled: bool) -> Parts:
    answer, tagged = _tagged(text)
    return Parts(None, answer, tagged and not _has(text, OPEN, CLOSE))


def _channels(text: str, prefilled: bool) -> Parts:
    messages = list(_MESSAGE.finditer(text))
    if not messages:
        return _stripped_channels(text)
    thinking = "".join(message["text"] for message in messages if message["channel"] == "analysis")
    finals = [message for message in messages if message["channel"] == "final"]
    answer = finals[-1]["text"] if finals else ""
    in_order = len(finals) == 1 and messages[-1] is finals[0] and not text[messages[-1].end() :].strip()
    return Parts(thinking or None, answer, in_order and bool(thinking.strip()) and bool(answer.strip()))


def _stripped_channels(text: str) -> Parts:
    if not text.startswith("analysis"):
        return Parts(None, text.removeprefix("final"), False)
    found = _STRIPPED.match(text)
    if found is None:
        return Parts(text.removeprefix("analysis"), "", False)
    thinking, answer = found["thinking"], found["answer"]
    single = _SECOND_FINAL not in answer
    return Parts(thinking, answer, single and bool(thinking.strip()) and bool(answer.strip()))


def _none(text: str, prefilled: bool) -> Parts:
    return Parts(None, text, bool(text.strip()) and not _has(text, OPEN))


_STYLES: dict[ThinkStyle, Callable[[str, bool], Parts]] = {
    "think": _think,
    "think_answer": _think_answer,
    "answer": _answer,
    "channels": _channels,
    "none": _none,
}
#: The style of a direct completion, where thinking is marked so.
DIRECT: dict[ThinkStyle, ThinkStyle] = {
    "think": "none",
    "think_answer": "answer",
    "answer": "answer",
    "channels": "none",
    "none": "none",
}
