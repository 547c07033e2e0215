"""A policy that ignores instructions shows no effect: intervals cover 0 and p values are as rare as they say."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binom

from raif.evaluation import stats
from raif.evaluation.records import UNCONSTRAINED
from raif.experiments.difficulty import difficulty
from raif.experiments.errors import errors
from raif.experiments.length_bins import length_bins
from raif.experiments.repeat import run_repeat
from raif.experiments.stages import Stage, stages
from raif.experiments.wait import run_wait
from raif.generation import Sampling
from tests.raif.experiment_support import CachedSuite, ScriptedGenerator, crossed_items, draw_evaluation, make_items

REPEATS, ITEMS = 200, 40
# Of 200 intervals that cover in 95 % of cases, fewer than these do so once in a thousand such counts.
FEWEST = binom.ppf(0.001, REPEATS, 0.95) / REPEATS
MOST_SMALL_P = binom.ppf(0.999, REPEATS, 0.05) / REPEATS
Run = Callable[[int, Path], dict[str, Any]]
SUITE, PLAIN, CROSSED = CachedSuite(), make_items(ITEMS), crossed_items(28)


def _length_bins(seed: int, _: Path) -> dict[str, Any]:
    return length_bins({}, draw_evaluation(SUITE, PLAIN, random.Random(f"length_bins/{seed}"), samples=4), bins=2)


def _errors(seed: int, _: Path) -> dict[str, Any]:
    return errors({}, draw_evaluation(SUITE, PLAIN, random.Random(f"errors/{seed}")))


def _errors_of_samples(seed: int, _: Path) -> dict[str, Any]:
    return errors({}, draw_evaluation(SUITE, PLAIN, random.Random(f"errors_of_samples/{seed}"), samples=3))


def _stages(seed: int, _: Path) -> dict[str, Any]:
    rng = random.Random(f"stages/{seed}")
    return stages([Stage(name, {}, draw_evaluation(SUITE, PLAIN, rng)) for name in ("base", "sft", "rl")])


def _difficulty(seed: int, _: Path) -> dict[str, Any]:
    rng = random.Random(f"difficulty/{seed}")
    bare = [r.model_copy(update={"arm": UNCONSTRAINED}) for r in draw_evaluation(SUITE, CROSSED, rng)]
    return difficulty({}, [*draw_evaluation(SUITE, CROSSED, rng), *bare])


def _wait(seed: int, out: Path) -> dict[str, Any]:
    return run_wait(SUITE, PLAIN, ScriptedGenerator(seed), Sampling(100_000), out, counts=(1,))


def _repeat(seed: int, out: Path) -> dict[str, Any]:
    return run_repeat(SUITE, PLAIN, ScriptedGenerator(seed), Sampling(100_000), out)


RUNS: tuple[Run, ...] = (
    _length_bins, _errors, _errors_of_samples, _stages, _difficulty, _wait, _repeat,
)  # fmt: skip


@pytest.fixture(autouse=True)
def _few_resamples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stats, "RESAMPLES", 400)
    monkeypatch.setattr(stats, "FLIPS", 399)


@pytest.mark.parametrize("run", RUNS)
def test_no_effect_is_found_where_there_is_none(run: Run, tmp_path: Path) -> None:
    covered, small, alarms = defaultdict(list), defaultdict(list), []
    for seed in range(REPEATS):
        effects = run(seed, tmp_path / str(seed))["effects"]
        alarms.append(any(effect["p_holm"] is not None and effect["p_holm"] <= 0.05 for effect in effects))
        for name, covers, p in _outcomes(effects):
            covered[name].append(covers)
            small[name].append(p <= 0.05)
    assert covered
    for name, found in covered.items():
        assert len(found) > 0.9 * REPEATS, name
        assert sum(found) / len(found) >= FEWEST, (name, sum(found) / len(found))
        assert sum(small[name]) / len(found) <= MOST_SMALL_P, (name, sum(small[name]) / len(found))
    every = [covers for found in covered.values() for covers in found]
    assert 0.93 <= sum(every) / len(every) <= 0.985  # the effects of one experiment are no independent evidence
    assert sum(alarms) / REPEATS <= MOST_SMALL_P


def _outcomes(effects: list[dict[str, Any]]) -> Iterator[tuple[tuple[str, str], bool, float]]:
    for effect in effects:
        low, high = effect["estimate"]["low"], effect["estimate"]["high"]
        if low is not None:
            yield (effect["name"], effect["metric"]), low <= 0 <= high, effect["p"]
