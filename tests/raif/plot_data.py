"""Results as the commands write them, made up but of realistic shape and size."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Any

from raif.evaluation.stats import over_seeds, record

Record = dict[str, Any]


def estimate(value: float | None, n: int) -> Record:
    """Return an estimate record; without an interval below 20 items."""
    if value is None or n < 20:
        return {"value": value, "low": None, "high": None, "n": n}
    half = 1.96 * math.sqrt(max(value * (1 - value), 0.001) / n)
    return {"value": value, "low": max(0.0, value - half), "high": min(1.0, value + half), "n": n}


def row(label: str, arm: str, x: float, n: int, level: float, **more: Any) -> Record:
    metrics = {"hacc": level, "sacc": level + 0.2, "correct": 0.9 - level, "truncated": 0.1}
    found = {name: estimate(value, n) for name, value in metrics.items()}
    return {"label": label, "arm": arm, "x": x, "n": n, **found, "tokens": estimate(None, n), **more}


FLOOR = {
    **row("floor: the answer is a full stop", "control", 0, 420, 0.0),
    "hacc": {"value": 0.155, "low": None, "high": None, "n": 420},
    "sacc": {"value": 0.343, "low": None, "high": None, "n": 420},
    "correct": estimate(None, 0),
    "truncated": estimate(None, 0),
}


def experiment(name: str, rows: Sequence[Record], **more: Any) -> Record:
    effects = [{"name": "e", "metric": "hacc", "estimate": estimate(0.1, 420), "p": 0.04, "p_holm": 0.08}]
    return {
        "schema_version": 1, "experiment": name, "rule": "As stated.", "rows": list(rows), "effects": effects,
        "settings": {"profile": "strict"}, "versions": {"raif": "0"}, **more,
    }  # fmt: skip


def length_bins() -> Record:
    sizes = (150, 120, 80, 40, 20, 8)
    rows = [
        row(f"{kind} {i}", "treatment", 100 * i, n, 0.5 - 0.06 * i, kind=kind, low=100.0 * i, high=100.0 * i + 100)
        for kind in ("width", "count")
        for i, n in enumerate(sizes if kind == "width" else [70] * 6)
    ]
    cut = row("cut off or without an answer", "control", 0, 45, 0.1, kind="truncated")
    return experiment("length-bins", [*rows, cut, row("all", "baseline", 0, 420, 0.3, kind="all"), FLOOR])


def wait() -> Record:
    rows = [row("none", "baseline", 0, 420, 0.4, kind="none")]
    for kind, arm, cost in (("wait", "treatment", 0.02), ("filler", "control", 0.005)):
        rows += [row(f"{kind}, N = {n}", arm, n, 420, 0.4 - cost * n, kind=kind) for n in (2, 4, 6, 8)]
    return experiment("wait", rows)


def repeat() -> Record:
    arms = (("none", "baseline"), ("constraints", "treatment"), ("question", "control"), ("wait", "control"))
    return experiment("repeat", [row(name, arm, x, 420, 0.2 + 0.03 * x) for x, (name, arm) in enumerate(arms)])


def stages() -> Record:
    names = ("base", "supervised", "supervised and RL")
    return experiment(
        "stages", [*(row(name, "treatment", x, 420, 0.1 + 0.1 * x) for x, name in enumerate(names)), FLOOR]
    )


def difficulty() -> Record:
    drop = {"value": -0.04, "low": -0.2, "high": 0.1, "n": 90}
    rows = [
        row(name, "treatment", x, 90, 0.3, kind="source", relative_drop=drop)
        for x, name in enumerate(("aime", "gsm8k"))
    ]
    counts = [
        row(f"{count} constraints", "treatment", count, 140, 0.5 - 0.1 * count, kind="count") for count in (1, 2, 3)
    ]
    return experiment("difficulty", [row("all", "baseline", 0, 420, 0.3, kind="all"), *rows, *counts, FLOOR])


def errors() -> Record:
    def cell(a: int, b: int, c: int, d: int, cut: int) -> Record:
        return {
            "correct_followed": a, "correct_unfollowed": b, "wrong_followed": c, "wrong_unfollowed": d,
            "truncated": cut, "phi": 0.04, "fisher_p": 0.0004,
            "followed_if_correct": a / (a + b), "followed_if_wrong": c / (c + d),
        }  # fmt: skip

    return experiment("errors", [], cells={"all": cell(30, 90, 40, 200, 60), "gsm8k": cell(20, 40, 10, 20, 5)})


EXPERIMENTS = {
    "length-bins": length_bins, "wait": wait, "repeat": repeat, "stages": stages, "difficulty": difficulty,
    "errors": errors,
}  # fmt: skip


def ablation(axes: dict[str, list[Any]], seeds: Sequence[int] = (0, 1, 2), before: bool = True) -> Record:
    """Return the results of an ablation whose first axis decides the metrics."""
    rng, runs, cells = random.Random(0), [], []
    first = next(iter(axes))
    combinations: list[Record] = [{}]
    for axis, values in axes.items():
        combinations = [{**each, axis: value} for each in combinations for value in values]
    for cell in combinations:
        i = axes[first].index(cell[first])
        level = {
            "hacc": 0.36 - 0.03 * i, "sacc": 0.55 - 0.02 * i, "correct": 0.4 + 0.08 * i, "truncated": 0.3 * 0.5**i,
            "training_truncated": 0.4 * 0.5**i,
        }  # fmt: skip
        metrics = [{name: value + rng.uniform(-0.02, 0.02) for name, value in level.items()} for _ in seeds]
        where = "-".join(map(str, cell.values()))
        runs += [
            {
                "id": f"seed-{seed}/{where}",
                "axes": cell,
                "seed": seed,
                "folder": f"seed-{seed}/{where}",
                "metrics": each,
            }
            for seed, each in zip(seeds, metrics, strict=True)
        ]
        over = {name: record(over_seeds([each[name] for each in metrics])) for name in level}
        cells.append({"axes": cell, "seeds": list(seeds), "metrics": over})
    untrained = [
        {"id": f"seed-{seed}/before", "axes": {}, "seed": seed, "folder": f"seed-{seed}/before",
         "metrics": {"hacc": 0.17, "sacc": 0.35, "correct": 0.86, "truncated": 0.01, "training_truncated": None}}
        for seed in (seeds if before else ())
    ]  # fmt: skip
    contrast = {"from": "a", "to": "b", "metric": "hacc", "estimate": estimate(0.1, 400), "p": 0.2, "p_holm": 0.4}
    return {
        "schema_version": 1, "name": "cap", "axes": axes, "seeds": list(seeds), "equal": "steps", "profile": "strict",
        "runs": runs, "before": untrained, "cells": cells, "contrasts": [contrast], "settings": {"name": "cap"},
        "versions": {}, "commit": "abc",
    }  # fmt: skip


def evaluation(hacc: float = 0.25, n: int = 420) -> Record:
    """Return the metrics of an evaluation on MathIF."""

    def named(**values: float) -> Record:
        found: Record = {}
        for name, value in values.items():
            each = estimate(value, n)
            found |= {name: value, f"{name}_ci": None if each["low"] is None else [each["low"], each["high"]]}
        return found

    both = {"parity": named(hacc=hacc + 0.02, sacc=hacc + 0.2), "strict": named(hacc=hacc, sacc=hacc + 0.18)}
    constraints = {"punctuation:no_comma": 0.9, "keywords:existence": 0.1, "keywords:forbidden_words": 0.6}
    return {
        "schema_version": 2, "suite": "mathif", "n": n, "samples": 1, **both, "correct": estimate(0.5, n),
        "correct_unconstrained": estimate(0.6, n), "truncated": estimate(0.08, n),
        "groups": {
            "source": {name: {"n": 90, **both, "correct": estimate(0.5, 90)} for name in ("aime", "gsm8k")},
            "constraint": {
                name: {"n": 40, "strict": named(followed=rate), "parity": named(followed=rate / 2)}
                for name, rate in constraints.items()
            },
        },
        "floor": {"parity": {"hacc": 0.155, "sacc": 0.343}, "strict": {"hacc": 0.131, "sacc": 0.31}},
        "ceiling": {"parity": {"hacc": 0.979, "sacc": 0.99}, "strict": {"hacc": 0.97, "sacc": 0.985}},
        "settings": {"suite": "mathif", "sampling": {"seed": 0}}, "versions": {"mathif": "1"}, "commit": "abc",
    }  # fmt: skip


def training_log(steps: int = 40) -> list[Record]:
    return [
        {"step": i, "reward": i / steps, "hacc": 0.2, "sacc": 0.3, "correct": 0.5, "completions/mean_length": 40 + i}
        for i in range(1, steps + 1)
    ]
