"""How the model families mark thinking and answer."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rewards import Response
from rewards.think_styles import DIRECT, Parts, ThinkStyle, divide, join

A, F, END = "<|channel|>analysis<|message|>", "<|start|>assistant<|channel|>final<|message|>", "<|end|>"
CASES: tuple[tuple[str, ThinkStyle, Parts], ...] = (
    # a quoted tag is spoken about
    ("close `</think>` last</think>b", "think", Parts("close `</think>` last", "b", True)),
    ('the tag "</think>" ends</think>b', "think", Parts('the tag "</think>" ends', "b", True)),
    ("“</think>”</think>b", "think", Parts("“</think>”", "b", True)),
    ("('</think>')</think>b", "think", Parts("('</think>')", "b", True)),
    ("a</think>Write `<think>` and `</think>`.", "think", Parts("a", "Write `<think>` and `</think>`.", True)),
    ("so `</think>` it is", "think", Parts("so `</think>` it is", "", False)),
    # a quotation that ends where the thinking does is no quoted tag
    ('he said "hi"</think>"hello"', "think", Parts('he said "hi"', '"hello"', True)),
    ("`x`</think>`y`", "think", Parts("`x`", "`y`", True)),
    ('"</think>b', "think", Parts('"', "b", True)),
    ("a</think>b</think>", "think", Parts("a", "b</think>", False)),
    ("a</think>\n<answer> 7 </answer>\n", "think_answer", Parts("a", " 7 ", True)),
    ("a</think><answer>7</answer><answer>8</answer>", "think_answer", Parts("a", "8", False)),
    ("a</think><answer>7</answer> so there", "think_answer", Parts("a", "7", False)),
    ("a</think>so <answer>7</answer>", "think_answer", Parts("a", "7", False)),
    ("a</think><answer>7", "think_answer", Parts("a", "7", False)),
    ("a</think>7", "think_answer", Parts("a", "7", False)),
    ("a</think><answer> </answer>", "think_answer", Parts("a", " ", False)),
    ("<answer>6</answer></think><answer>7</answer>", "think_answer", Parts("<answer>6</answer>", "7", False)),
    ("a <answer>7</answer>", "think_answer", Parts("a <answer>7</answer>", "", False)),
    ("a</think><answer>`</answer>` ends it</answer>", "think_answer", Parts("a", "`</answer>` ends it", True)),
    ("<answer>7</answer>", "answer", Parts(None, "7", True)),
    ("<think>a</think><answer>7</answer>", "answer", Parts(None, "7", False)),
    ("7", "answer", Parts(None, "7", False)),
    (f"{A}a{END}{F}7<|return|>", "channels", Parts("a", "7", True)),
    (f"{A}a{END}<|start|>assistant{A}b{END}{F}7", "channels", Parts("ab", "7", True)),
    (
        f"{A}a{END}<|start|>assistant<|channel|>commentary to=x <|constrain|>json<|message|>{{}}<|call|>{F}7",
        "channels",
        Parts("a", "7", True),
    ),
    (f"{A}a", "channels", Parts("a", "", False)),
    (f"{A}a{END}{F}7{END}{F}8", "channels", Parts("a", "8", False)),
    (f"{A}a{END}{F}7{END}{A}b{END}", "channels", Parts("ab", "7", False)),
    (F + "7", "channels", Parts(None, "7", False)),
    ("analysisaassistantfinal7", "channels", Parts("a", "7", True)),
    ("analysisaassistantcommentarybassistantfinal7", "channels", Parts("a", "7", True)),
    ("analysisa", "channels", Parts("a", "", False)),
    ("analysisaassistantfinal7assistantfinal8", "channels", Parts("a", "7assistantfinal8", False)),
    ("final7", "channels", Parts(None, "7", False)),
    ("Use `<think>`.", "none", Parts(None, "Use `<think>`.", True)),
)


@pytest.mark.parametrize(("text", "style", "expected"), CASES)
def test_divide(text: str, style: ThinkStyle, expected: Parts) -> None:
    assert divide(text, style, prefilled=True) == expected


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.sampled_from(get_args(ThinkStyle)), st.booleans(), st.text(max_size=20), st.text(max_size=20))
def test_join_is_the_inverse_of_divide(style: ThinkStyle, prefilled: bool, thinking: str, answer: str) -> None:
    has_thinking = DIRECT[style] != style
    found = divide(join(thinking, answer, style, prefilled), style, prefilled)
    assert found.answer == answer
    assert (found.thinking or "") == (thinking if has_thinking else "")
    assert found.well_formed == bool(answer.strip() and (thinking.strip() or not has_thinking))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.sampled_from(get_args(ThinkStyle)),
    st.booleans(),
    st.lists(st.sampled_from(["<think>", "</think>", "<answer>", "</answer>", "`", '"', A, F, END, "a", " ", "\n"])),
)
def test_any_text_is_divided_into_parts_of_itself(style: ThinkStyle, prefilled: bool, pieces: list[str]) -> None:
    text = "".join(pieces)
    response = Response.split(text, style=style, prefilled=prefilled)
    assert response.answer in text
    assert not response.well_formed or response.answer.strip()
    if response.well_formed and DIRECT[style] != style:
        assert (response.thinking or "").strip()


def test_long_hostile_texts_are_divided_fast() -> None:
    for piece in ("</think>", "`</think>`", "<answer>", "<|channel|>final<|message|>", "assistantfinal", "<|end|>"):
        for style in get_args(ThinkStyle):
            divide(piece * (100_000 // len(piece)), style, prefilled=True)
