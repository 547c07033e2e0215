"""The parts of the evaluator of questions: dependencies, rounds of calls, figures and their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raif.benchmarks import BENCHMARKS, benchmark
from raif.benchmarks.figures import Figure, ScoreRow, differences, estimates, value_of
from raif.benchmarks.items import Question, QuestionVerdict, resolve
from raif.benchmarks.judging import Call, drive, readable, together, user_call
from raif.commands.questions import BENCHMARKS as COMMANDS
from rewards.judge.replies import read_word


def test_every_benchmark_has_an_adapter_and_a_place_in_the_command() -> None:
    assert tuple(COMMANDS) == BENCHMARKS
    for name in BENCHMARKS:
        made = benchmark(name)
        assert made.name == name
        assert made.figures
        assert made.title
        assert made.where
        assert made.citation
        assert len({figure.name for figure in made.figures}) == len(made.figures)


@given(
    st.lists(st.sampled_from([None, 0.0, 0.5, 1.0]), min_size=1, max_size=7),
    st.data(),
)
@settings(max_examples=150, deadline=None)
def test_dependencies_hold_through_any_graph_without_circles(values: list[float | None], data: st.DataObject) -> None:
    needs = [data.draw(st.sets(st.integers(0, n - 1), max_size=3)) if n else set() for n in range(len(values))]
    questions = [Question(id=str(n), text="", depends_on=tuple(map(str, sorted(need)))) for n, need in enumerate(needs)]
    statuses = resolve(questions, [QuestionVerdict(id=str(n), value=value) for n, value in enumerate(values)])

    def ancestors(n: int) -> set[int]:
        return needs[n] | {up for need in needs[n] for up in ancestors(need)}

    for n, status in enumerate(statuses):
        above = [values[a] for a in ancestors(n)]
        everything = all(value == 1.0 for value in [*above, values[n]])
        assert (status.value == "satisfied") == everything
        if any(value in (0.0, 0.5) for value in above):
            assert status.value == "blocked"


def test_a_circle_of_dependencies_ends() -> None:
    questions = [Question(id="a", text="", depends_on=("b",)), Question(id="b", text="", depends_on=("a",))]
    verdicts = [QuestionVerdict(id="a", value=1.0), QuestionVerdict(id="b", value=0.0)]
    assert [status.value for status in resolve(questions, verdicts)] == ["blocked", "violated"]


def test_calls_of_all_answers_go_out_round_by_round() -> None:
    rounds: list[list[str]] = []

    def answering(asked: Sequence[tuple[str, Call]]) -> list[str]:
        rounds.append([f"{key}/{call.name}" for key, call in asked])
        return ["<think>hm NO</think> " + ("YES" if "again" in call.name or key == "x" else "?") for key, call in asked]

    def judging(names: list[str]) -> Any:
        heard = yield from together([readable(user_call(n, n), read_word, "say it") for n in names])
        return [QuestionVerdict(id=n, value=float(h.value)) for n, h in zip(names, heard, strict=True)]

    found = drive({"x": judging(["1", "2"]), "y": judging(["1"])}, answering)
    assert rounds == [["x/1", "x/2", "y/1"], ["y/1|again"]]
    assert [verdict.value for verdict in found["x"].verdicts] == [1.0, 1.0]
    assert found["y"].replies == {"1": "?", "1|again": "YES"}
    assert [m["role"] for m in found["y"].asked[1][0].messages] == ["user", "assistant", "user"]


# ---- figures ------------------------------------------------------------------------------------------------------

CELLS = Figure("cells", "", "v", nest=("a", "b"))
POOLED = Figure("pooled", "", "v")
BOTH = Figure("both", "", mean_of=(CELLS, POOLED))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.floats(0, 1)), min_size=1, max_size=30))
@settings(max_examples=100, deadline=None)
def test_nested_means_are_means_of_cell_means(drawn: list[tuple[int, int, float]]) -> None:
    rows = [ScoreRow(str(n), {"v": (v, 1)}, {"a": str(a), "b": str(b)}) for n, (a, b, v) in enumerate(drawn)]
    cells: dict[int, dict[int, list[float]]] = {}
    for a, b, v in drawn:
        cells.setdefault(a, {}).setdefault(b, []).append(v)
    wanted = np.mean([np.mean([np.mean(values) for values in inner.values()]) for inner in cells.values()])
    pooled = np.mean([v for _, _, v in drawn])
    assert value_of(CELLS, rows) == pytest.approx(wanted)
    assert value_of(POOLED, rows) == pytest.approx(pooled)
    assert value_of(BOTH, rows) == pytest.approx((wanted + pooled) / 2)


def test_intervals_are_of_the_size_that_theory_says() -> None:
    rng = np.random.default_rng(1)
    values = (rng.random(400) < 0.3).astype(float)
    rows = [ScoreRow(str(n), {"v": (float(v), 1.0)}) for n, v in enumerate(values)]
    found = estimates((POOLED,), rows)["pooled"]
    half = 1.96 * math.sqrt(values.mean() * (1 - values.mean()) / 400)
    assert found.value == pytest.approx(values.mean())
    assert found.n == 400
    assert found.high - found.low == pytest.approx(2 * half, rel=0.08)
    few = estimates((POOLED,), rows[:19])["pooled"]
    assert few.low is None
    assert few.n == 19
    alike = estimates((POOLED,), [ScoreRow(str(n), {"v": (1.0, 1.0)}) for n in range(50)])["pooled"]
    assert alike.low == pytest.approx(50 / (50 + 1.96**2), abs=1e-3)
    assert alike.high == 1.0
    assert estimates((POOLED,), [])["pooled"].value is None


def test_units_and_not_rows_are_resampled_and_strata_stay_as_large_as_they_are() -> None:
    rng = np.random.default_rng(2)
    draws = rng.random(60) < 0.5
    once = [ScoreRow(str(n), {"v": (float(v), 1.0)}) for n, v in enumerate(draws)]
    narrow, wide = (
        estimates((POOLED,), rows)["pooled"]
        for rows in ([row._replace(unit=f"{row.unit}/{k}") for row in once for k in range(9)], once * 9)
    )
    assert wide.high - wide.low == pytest.approx(3 * (narrow.high - narrow.low), rel=0.2)
    constant = [ScoreRow(str(n), {"v": (float(n % 2), 1.0)}, {"a": str(n % 2)}, stratum=str(n % 2)) for n in range(60)]
    fixed = estimates((Figure("cells", "", "v", nest=("a",)),), constant)["cells"]
    assert fixed.value == 0.5
    assert fixed.high - fixed.low < 0.1


def test_intervals_cover_where_strata_are_small() -> None:
    rng = np.random.default_rng(4)
    cells = Figure("cells", "", "v", nest=("a",))
    hits = 0
    for _ in range(120):
        rows = [
            ScoreRow(f"{a}/{n}", {"v": (float(rng.normal(a)), 1.0)}, {"a": str(a)}, str(a))
            for a in range(15)
            for n in range(2)
        ]
        found = estimates((cells._replace(percent=False),), rows)["cells"]
        hits += found.low <= 7.0 <= found.high
    assert hits >= 105  # of 600 draws 557 are covered; without rescaling 502
    alone = [row._replace(stratum=row.unit) for row in rows]
    found = estimates((cells._replace(percent=False),), alone)["cells"]
    assert found.high - found.low > 0.3


def test_differences_are_paired() -> None:
    rng = np.random.default_rng(3)
    base = rng.random(80)
    first = [ScoreRow(str(n), {"v": (float(v), 1.0)}) for n, v in enumerate(base)]
    second = [ScoreRow(str(n), {"v": (float(v) + 0.01 + 0.001 * (n % 2), 1.0)}) for n, v in enumerate(base)]
    found = differences((POOLED,), first, second[:70])["pooled"]
    assert found.value == pytest.approx(0.0105)
    assert found.n == 70
    assert found.high - found.low < 1e-3
    same = differences((POOLED,), first, first)["pooled"]
    assert same.value == 0
    assert same.low == -same.high < 0  # room for items unlike these
