"""Our own instructions: how stored answers are divided, and what is said where nothing is judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from raif.evaluation.records import Item, Output
from raif.suites import suite
from raif.suites.instructions import floor_and_ceiling
from rewards import And


@pytest.fixture(scope="module")
def items(smoke_data: Path) -> list[Item]:
    return suite("instructions").load(str(smoke_data))


def test_where_nobody_says_whether_thinking_was_opened_the_text_decides(items: list[Item]) -> None:
    item = items[0]
    assert item.instruction is not None
    witness = item.instruction.witness
    texts = [witness, f"so</think>{witness}", f"<think>so</think>{witness}", f"<think>so {witness}"]
    rollouts = suite("instructions").judge([Output(item, "constrained", 0, str(text)) for text in texts])
    assert [rollout.hard for rollout in rollouts] == [True, True, True, False]
    assert [rollout.unclosed for rollout in rollouts] == [False, False, False, True]
    assert [rollout.truncated for rollout in rollouts] == [None, None, None, True]
    (opened,) = suite("instructions").judge([Output(item, "constrained", 0, str(witness), prefilled=True)])
    assert (opened.hard, opened.unclosed) == (False, True)  # the generator knows: this is all thinking


def test_what_nothing_is_known_of_is_no_zero(items: list[Item]) -> None:
    assert items[0].instruction is not None
    assert items[1].instruction is not None
    bare = items[0].instruction.model_copy(update={"tree": And(parts=())})
    scores = floor_and_ceiling([bare])
    assert scores["floor"] == {"strict": {"hacc": None, "sacc": None}}
    unproved = items[1].instruction.model_copy(update={"witness": None})
    assert floor_and_ceiling([unproved])["ceiling"] is None
    half = floor_and_ceiling([unproved, items[0].instruction])["ceiling"]
    assert half == {"strict": {"hacc": 1.0, "sacc": 1.0}, "n": 1}
