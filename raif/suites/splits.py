"""Which part of a raw text is judged: the official harnesses' own rules, and the one split of the strict profile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, get_args

from raif.evaluation.records import Output
from rewards.errors import unknown_name
from rewards.response import Response
from rewards.think_styles import CLOSE, CLOSE_ANSWER, OPEN, OPEN_ANSWER

Protocol = Literal["google", "lm-eval", "open-instruct"]


class Divided(NamedTuple):
    """A response of the strict profile; `unclosed` thinking has no answer."""

    response: Response
    prefilled: bool
    unclosed: bool


def divide(output: Output) -> Divided:
    """Divide an output into thinking and answer.

    Where nobody says whether the prompt had opened the thinking, the text decides: what closes thinking that it did
    not open was prefilled, and a text without any tag is all answer.

    Example:
        >>> from raif.evaluation.records import Item
        >>> item = Item(id="a", prompt="Hi")
        >>> divide(Output(item, "constrained", 0, "hm</think>Yes.")).response.answer
        'Yes.'
        >>> divide(Output(item, "constrained", 0, "<think>hm")).unclosed
        True
    """
    prefilled = _speaks_of_thinking(output.text) if output.prefilled is None else output.prefilled
    cut = output.ended is False
    response = Response.split(output.text, style=output.style, prefilled=prefilled, truncated=cut)
    ends_thinking = output.text.rstrip().endswith((CLOSE, CLOSE_ANSWER))
    unclosed = response.thinking is not None and not response.answer and not ends_thinking
    return Divided(response, prefilled, unclosed)


def _speaks_of_thinking(text: str) -> bool:
    """Tell whether a text opens or closes thinking anywhere; quoted tags do not count."""
    if Response.split(text, prefilled=False).thinking is not None:
        return True
    # Style `none` allows no opening tag that is not quoted: what else would make a text malformed is that it is blank.
    return bool(text.strip()) and not Response.split(text, style="none").well_formed


def mathif_text(text: str) -> str:
    """Return what the MathIF harness judges, bug for bug: of unfinished thinking, the thinking.

    Example:
        >>> mathif_text("<think>a</think>t <answer>X</answer> u"), mathif_text("<think>a"), mathif_text("A<think>")
        ('X', 'a', '')
    """
    for tag in (OPEN, CLOSE, OPEN_ANSWER):
        if tag in text:
            text = text.split(tag)[1]
    return text.split(CLOSE_ANSWER)[0]


class Harness(NamedTuple):
    """How a harness of IFEval prepares a row: what of the response is judged, and which arguments are kept."""

    text: Callable[[str], str]
    keeps: Callable[[Any], bool]


def _after_thinking(text: str) -> str:
    return text.split(CLOSE)[-1].lstrip() if CLOSE in text else text


def _open_instruct(text: str) -> str:
    answer = text.replace("<|assistant|>", "").strip().split(CLOSE)[-1]
    return answer.replace(OPEN_ANSWER, "").replace(CLOSE_ANSWER, "").strip()


def _is_given(value: Any) -> bool:
    return value is not None


_HARNESSES: Mapping[Protocol, Harness] = {
    "google": Harness(str, _is_given),  # thinking is not removed
    "lm-eval": Harness(_after_thinking, bool),  # 0, "" and [] vanish
    "open-instruct": Harness(_open_instruct, _is_given),
}


def harness(protocol: str) -> Harness:
    """Return what a protocol of IFEval does with a response and with arguments.

    Example:
        >>> harness("open-instruct").text("hm</think> <answer>Yes.</answer>")
        'Yes.'
    """
    if protocol not in _HARNESSES:
        raise unknown_name("protocol", protocol, get_args(Protocol), "See `raif evaluate ifeval --help`.")
    return _HARNESSES[protocol]  # type: ignore[index]
