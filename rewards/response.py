"""The one place where raw model text is divided into thinking and answer."""

from __future__ import annotations

from dataclasses import dataclass

from rewards.lazy import lazy
from rewards.notation import visible
from rewards.scope import numbered
from rewards.text import Text, part_spans
from rewards.think_styles import CLOSE as CLOSE
from rewards.think_styles import OPEN as OPEN
from rewards.think_styles import ThinkStyle as ThinkStyle
from rewards.think_styles import divide


@dataclass(frozen=True)
class Response:
    """A parsed completion. `answer` is byte-exact: nothing is stripped.

    `well_formed` means: every part that the style demands, once, in order and not blank.
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
            style: how thinking and answer are marked, see `rewards.think_styles`; `none` for a direct completion.
            prefilled: whether the chat template already opened `<think>` in the prompt.
            truncated: whether generation stopped at the cap instead of at an end token.

        Example:
            >>> Response.split("3 + 4 = 7</think>It is 7.")
            Response(thinking='3 + 4 = 7', answer='It is 7.', truncated=False, well_formed=True)
            >>> Response.split("3 + 4 = ", truncated=True).answer
            ''
        """
        thinking, answer, well_formed = divide(text, style, prefilled)
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
