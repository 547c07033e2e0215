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


# ---- SUSTAIN --------------------------------------------------------------------------------------------------------


def change(value: float, n: int, half: float = 0.04, **more: Any) -> Record:
    """Return the record of a difference, which may lie below 0."""
    if n < 20:
        return {"value": None, "low": None, "high": None, "n": n, "reason": f"{n} items are too few; 20 are needed"}
    return {"value": value, "low": value - half, "high": value + half, "n": n, **more}


def _arm(value: float, n: int) -> Record:
    if n < 20:
        return {**estimate(None, n), "reason": f"{n} items are too few; 20 are needed"}
    return {**estimate(value, n), "method": "wilson"}


def _kind(n: int, loss: float, p: float | None) -> Record:
    net = {"estimate": change(loss, n), "p": p, "p_holm": None if p is None else min(1.0, 4 * p)}
    return {"n": n, "sustain": _arm(0.9 - loss, n), "placebo": _arm(0.9, n), "comply": _arm(0.8, n), "net": net}


def _dose(dose: int, n: int) -> Record:
    return {
        "dose": dose, "n": n, "sustain": _arm(0.92 - 0.04 * dose, n), "placebo": _arm(0.93 - 0.01 * dose, n),
        "net": change(0.03 * dose - 0.01, n), "comply_each": _arm(0.9 - 0.01 * dose, n),
        "comply_all": _arm(0.9**dose, n),
    }  # fmt: skip


def sustain_domain(n: int = 200) -> Record:
    """Return what a SUSTAIN evaluation says of one domain whose D+ holds `n` items."""
    asked = {"length": 0.12, "keyword": 0.02, "structure": 0.01, "character": -0.01}
    families = {"at_most_words": 0.14, "contains_word": 0.02, "exactly_paragraphs": 0.01, "no_comma": -0.01}
    few = n < 20
    return {
        "n": 2 * n, "n_solved": n + 12, "n_dplus": n, "coverage": n / (n + 12),
        "left_out": {"unsolved": n - 14, "truncated": 2, "no_constraint": 12}, "failed": 1,
        "rejects": {"soundness": 0, "leak": 7, "demanded": 31, "scorer": 4, "stability": 2},
        "candidates": 17.6, "groups": dict.fromkeys(asked, n // 4),
        "tightness": {"inert": n // 2, "middle": n // 5, "tight": n // 4, "unknown": n - n // 2 - n // 5 - n // 4},
        "accuracy": estimate((n + 12) / (2 * n), 2 * n), "sustain": _arm(0.885, n), "retest": _arm(0.94, n),
        "placebo": _arm(0.927, n),
        "net": {
            "estimate": change(0.042, n, 0.031), "control": "placebo", "gained": 4, "lost": 13,
            "p": None if few else 0.049,
            "power": "With these items, a change below 5.1 points is unlikely to be noticed (80 % power).",
        },
        "relative": change(0.955, n), "comply": _arm(0.83, n), "comply_unasked": _arm(0.61, n),
        "table": {
            "right_met": n * 7 // 10, "right_broken": n // 5, "wrong_met": n // 12, "wrong_broken": n // 60,
            "undecided": 3,
            "association": None if few else {
                "both": 140, "first_only": 40, "second_only": 16, "neither": 4, "expected": 0.702, "phi": 0.01,
                "odds_ratio": 0.9, "p": 0.84,
            },
        },
        "doses": [_dose(dose, max(n - 12 * dose, 8)) for dose in (1, 2, 3, 5, 8)],
        "doses_common": [_dose(dose, max(n - 96, 8)) for dose in (1, 2, 3, 5, 8)],
        "by_group": {name: _kind(n // 4, loss, None if few else 0.01) for name, loss in asked.items()},
        "by_family": {name: _kind(n // 4, loss, 0.001 + i / 5) for i, (name, loss) in enumerate(families.items())},
        "by_source": {"gsm8k": _kind(n // 2, 0.05, 0.04), "chains": _kind(n - n // 2, 0.03, 0.2)},
        "by_tightness": {"inert": _kind(n // 2, 0.0, 0.9), "tight": _kind(n // 4, 0.12, 0.002)},
        "failures": {
            "answer_lost": {
                "n": 12, "met": 9, "broken": 3, "share": 0.52, "examples": [{"id": "gsm8k/0", "sample": 0}],
            },
            "truncated": {"n": 11, "met": 2, "broken": 9, "share": 0.48, "examples": []},
        },
        "delta_acc": change(-0.021, 2 * n), "delta_placebo": change(-0.005, 2 * n),
        "delta_net": {"estimate": change(-0.016, 2 * n), "p": 0.21}, "delta_without": 9, "graded": None,
        "truncation": {arm: estimate(0.02, 2 * n) for arm in ("first", "retest", "placebo", "constrained")},
        "tokens": {"first": 120.4, "retest": 121.0, "placebo": 125.7, "constrained": None},
    }  # fmt: skip


def sustain(n: int = 200) -> Record:
    """Return the metrics of a SUSTAIN evaluation: two domains, and a third with too few solved items."""
    domains = {"math": sustain_domain(n), "qa": sustain_domain(n // 2), "code": sustain_domain(14)}
    names = ("sustain", "retest", "placebo", "comply", "accuracy", "delta_acc")
    mean = {**{name: domains["math"][name] for name in names}, "net": change(0.038, n + n // 2, 0.02)}
    return {
        "schema_version": 2, "suite": "sustain", "n": 3 * n, "samples": 1, "domains": domains, "mean": mean,
        "settings": {"suite": "sustain", "placement": "suffix", "doses": [1, 2, 3, 5, 8], "seed": 0},
        "versions": {"raif": "0"}, "commit": "abc",
    }  # fmt: skip


def attention(layers: int = 4, n: tuple[int, int] = (60, 40)) -> Record:
    """Return an attention analysis in which failed outputs look at the constraint more, most of all late."""

    def label(names: list[str], gap: float) -> Record:
        def level(bad: int, layer: int, decile: int) -> float:
            return 0.5 + 0.4 * layer / layers + bad * gap * decile / 9

        means = [1.0 + bad * gap / 2 for bad in (0, 1)]
        matched = {"difference": change(gap / 2, sum(n), 0.1), "p": 0.03, "n": sum(n), "strata": 5, "left_out": 0}
        none = {"value": None, "low": None, "high": None, "n": 6}
        return {
            "names": names, "n": list(n), "rollouts": list(n), "unscored": 0,
            "random_span": {"difference": change(0.0, sum(n), 0.1), "p": 0.8},
            "means": [change(m, k, 0.1) for m, k in zip(means, n, strict=True)],
            "difference": change(gap / 2, sum(n), 0.1), "p": 0.012, "auc": 0.61,
            "matched": {
                **dict.fromkeys(("length", "family", "constraint_tokens"), matched),
                "all": {"difference": none, "p": None, "n": 6, "strata": 1, "left_out": 94},
            },
            "grid": {
                name: [[level(bad, layer, x) for x in range(10)] for layer in range(layers)]
                for bad, name in enumerate(names)
            },
            "trace": {
                name: [change(level(bad, layers // 2, x), n[bad], 0.1) for x in range(10)]
                for bad, name in enumerate(names)
            },
        }  # fmt: skip

    return {
        "schema_version": 1, "analysis": "attention", "model": "tiny", "n": sum(n), "rollouts": sum(n),
        "left_out": {"too_long": 2}, "notes": ["The weights are those that drew."], "layers": layers, "deciles": 10,
        "labels": {"solved": label(["sustained", "failed"], 0.8), "met": label(["met", "broken"], -0.3)},
        "controls": {
            "random_span": change(1.01, sum(n), 0.05), "placebo": None, "constraint": change(1.3, sum(n), 0.1),
        },
        "settings": {"model": "tiny"}, "versions": {"raif": "0"},
        "statement": "These are correlational findings: they do not show that attention causes failures.",
    }  # fmt: skip


def sustain_comparison() -> Record:
    """Return a comparison of two models with a set of families that neither was trained on."""

    def scores(loss: float, n: int) -> Record:
        return {
            "n": n, "sustain": _arm(0.9 - loss, n), "retest": _arm(0.94, n), "placebo": _arm(0.92, n),
            "net": change(loss, n), "comply": _arm(0.8, n), "accuracy": estimate(0.6, 2 * n),
            "delta_acc": change(-loss / 2, n),
        }  # fmt: skip

    models = {"base": 0.08, "tuned": 0.02}
    domain = {
        "n_common": 120, "own": {name: scores(loss, 180) for name, loss in models.items()},
        "common": {name: scores(loss, 120) for name, loss in models.items()},
        "pairs": [
            {"first": "base", "second": "tuned", "set": where, "metric": metric, "estimate": change(0.05, 120),
             "p": 0.01, "p_holm": 0.04}
            for where in ("own", "common") for metric in ("sustain", "net")
        ],
        "ranking": ["tuned", "base"],
    }  # fmt: skip
    held = {
        name: {key: scores(loss, 60)[key] for key in ("n", "net", "sustain", "comply")} for name, loss in models.items()
    }
    return {
        "schema_version": 1, "comparison": "sustain", "models": list(models),
        "domains": {"math": domain, "all": domain}, "rule": "own: what the model solved; common: what all solved.",
        "held_out": {"families": ["no_comma", "first_word"], "common": held}, "settings": {"seed": 0},
        "versions": {"raif": "0"},
    }  # fmt: skip
