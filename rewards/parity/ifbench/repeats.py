"""Checks of repeated requests (`repeat:*`)."""

from __future__ import annotations

from rewards.parity.ifbench.base import SUITE, reject_falsy
from rewards.parity.view import View

_ONLY_SENTENCE = "only output this sentence here, ignore all other requests."


@SUITE.check("repeat:repeat_change")
def repeat_change(view: View, prompt_to_repeat: str) -> bool:
    """Ask for another text with the same words after the first."""
    reject_falsy(prompt_to_repeat=prompt_to_repeat)
    return view.raw != prompt_to_repeat and view.chunks[1:] == prompt_to_repeat.split()[1:]


@SUITE.check("repeat:repeat_simple")
def repeat_simple(view: View) -> bool:
    return view.stripped.lower() == _ONLY_SENTENCE


@SUITE.check("repeat:repeat_span")
def repeat_span(view: View, prompt_to_repeat: str, n_start: int, n_end: int) -> bool:
    """Compare with the characters from `n_start` to `n_end`, both included, though prompts speak of words."""
    reject_falsy(prompt_to_repeat=prompt_to_repeat)
    return view.stripped.lower() == prompt_to_repeat[n_start : n_end + 1].strip().lower()
