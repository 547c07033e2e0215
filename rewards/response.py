"""The one place where raw model text is divided into thinking and answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rewards.lazy import lazy
from rewards.notation import visible
from rewards.scope import numbered
from rewards.text import Text, part_spans

ThinkStyle = Literal["think", "none"]
OPEN, CLOSE = "<think>", "</think>"


@dataclass(frozen=True)
class Response:
    """A parsed completion. `answer` is byte-exact: what follows the closing tag, nothing stripped.

    `well_formed` means: one think block, closed once, neither part blank (style `none`: the answer is not blank).
    Unclosed thinking leaves an empty answer; it is never judged as if it were one.
    """

    thinking: str | None
    answer: str
    truncated: bool = False
    well_formed: bool = True

    @classmethod
    def split(
        cls, text: str, *, style: ThinkStyle = "think", prefilled: bool = True, truncated: bool = False
    ) -> Response:
        """Divide a completion.

        Args:
            text: the completion, special tokens removed.
            style: `think` for `<think>...</think>answer`; `none` for a thinking-free (direct) completion.
            prefilled: whether the chat template already opened `<think>` in the prompt.
            truncated: whether generation stopped at the cap instead of at an end token.

        Example:
            >>> Response.split("3 + 4 = 7</think>It is 7.")
            Response(thinking='3 + 4 = 7', answer='It is 7.', truncated=False, well_formed=True)
            >>> Response.split("3 + 4 = ", truncated=True).answer
            ''
        """
        if style == "none":
            return cls(None, text, truncated, well_formed=bool(text.strip()) and OPEN not in text)
        body, opened = _without_opening(text, prefilled)
        thinking, closed, answer = body.partition(CLOSE)
        if not closed:
            return cls(body if opened else None, "" if opened else text, truncated, well_formed=False)
        single = CLOSE not in answer and OPEN not in body
        well_formed = opened and single and bool(thinking.strip()) and bool(answer.strip())
        return cls(thinking, answer, truncated, well_formed)

    @lazy
    def _views(self) -> dict[str, Text | None]:
        return {}

    def view(self, scope: str) -> Text | None:
        """Return the part of the response that a scope names, with its cached views; None where there is none."""
        views = self._views
        if scope not in views:
            views[scope] = self._view(scope)
        return views[scope]

    def _view(self, scope: str) -> Text | None:
        if scope == "answer":
            return Text(self.answer)
        if scope == "thinking":
            return Text(self.thinking or "")
        if scope == "whole":
            return Text(self.answer if self.thinking is None else f"{OPEN}{self.thinking}{CLOSE}{self.answer}")
        place = numbered(scope)
        return self._part(*place) if place else None

    def _part(self, unit: str, number: int) -> Text | None:
        answer = visible(self.answer)
        spans = part_spans(answer, unit)
        if not 1 <= abs(number) <= len(spans):
            return None
        begin, end = spans[number - 1 if number > 0 else number]
        return Text(answer[begin:end])


def _without_opening(text: str, prefilled: bool) -> tuple[str, bool]:
    """Drop the opening tag; tell whether the thinking was opened at all (by the template or by the text)."""
    stripped = text.lstrip()
    if stripped.startswith(OPEN):
        return stripped[len(OPEN) :], True
    return text, prefilled
