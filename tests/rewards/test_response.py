"""The division of raw text into thinking and answer."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewards import Response

CASES: tuple[tuple[str, dict[str, Any], Response], ...] = (
    ("a</think>b", {}, Response("a", "b")),
    ("a</think>\n\n b \n", {}, Response("a", "\n\n b \n")),
    ("<think>a</think>b", {}, Response("a", "b")),
    ("\n<think>a</think>b", {"prefilled": False}, Response("a", "b")),
    ("a</think>b", {"prefilled": False}, Response("a", "b", well_formed=False)),
    ("a", {}, Response("a", "", well_formed=False)),
    ("<think>a", {"prefilled": False}, Response("a", "", well_formed=False)),
    ("b", {"prefilled": False}, Response(None, "b", well_formed=False)),
    ("a", {"truncated": True}, Response("a", "", truncated=True, well_formed=False)),
    ("a</think>b", {"truncated": True}, Response("a", "b", truncated=True)),
    ("a</think>b</think>c", {}, Response("a", "b</think>c", well_formed=False)),
    ("a</think><think>b</think>c", {}, Response("a", "<think>b</think>c", well_formed=False)),
    ("<think><think>a</think>b", {}, Response("<think>a", "b", well_formed=False)),
    (" \n</think>b", {}, Response(" \n", "b", well_formed=False)),
    ("a</think> \n", {}, Response("a", " \n", well_formed=False)),
    ("", {}, Response("", "", well_formed=False)),
    ("b", {"style": "none"}, Response(None, "b")),
    (" b\n", {"style": "none", "prefilled": False}, Response(None, " b\n")),
    (" ", {"style": "none"}, Response(None, " ", well_formed=False)),
    ("<think>a</think>b", {"style": "none"}, Response(None, "<think>a</think>b", well_formed=False)),
)


@pytest.mark.parametrize(("text", "options", "expected"), CASES)
def test_split(text: str, options: dict[str, Any], expected: Response) -> None:
    assert Response.split(text, **options) == expected


@settings(max_examples=60, deadline=None, derandomize=True)
@given(thinking=st.text(max_size=20), answer=st.text(max_size=20))
def test_the_answer_is_byte_exact(thinking: str, answer: str) -> None:
    if "think>" not in thinking + answer:
        response = Response.split(f"<think>{thinking}</think>{answer}", prefilled=False)
        assert (response.thinking, response.answer) == (thinking, answer)
        assert response.well_formed == bool(thinking.strip() and answer.strip())


def test_views() -> None:
    response = Response("a", "b c")
    assert [response.view(scope).raw for scope in ("answer", "thinking", "whole")] == [
        "b c",
        "a",
        "<think>a</think>b c",
    ]
    assert [Response(None, "b").view(scope).raw for scope in ("thinking", "whole")] == ["", "b"]
    assert response.view("answer") is response.view("answer")
