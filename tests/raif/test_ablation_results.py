"""Collecting: metrics of runs, cells over seeds and paired contrasts, from evaluations of stored responses."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from raif.ablation.collecting import collect
from raif.ablation.contrasts import pooled
from raif.ablation.folder import Paths, claim
from raif.ablation.plan import Plan, load_plan
from raif.ablation.planning import plan_table, remaining
from raif.ablation.training import check_trainings
from raif.ablation.writing import markdown, write_tables
from raif.evaluation.records import Item
from raif.evaluation.runner import replay
from raif.generation.replay import read_responses
from raif.suites import suite
from rewards.errors import RaifError

INSTRUCTIONS = suite("instructions")
CAPS = (48, 64, 80)
#: How many of the forty items each cell answers with the witness; the others with a full stop.
MET = {"before": 4, 48: 10, 64: 30, 80: 30}


@pytest.fixture(scope="module")
def plan(smoke_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Plan:
    content = {
        "name": "caps",
        "instructions": str(smoke_data),
        "policy": "a/model",
        "train": "smoke/cpu",
        "set": {"contrast": "off", "cloning_coefficient": 0.0},
        "axes": {"max_completion_length": list(CAPS)},
        "seeds": [0, 1],
        "evaluate": {"cap": 80},
    }
    path = tmp_path_factory.mktemp("plan") / "plan.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return load_plan(path)


@pytest.fixture(scope="module")
def items(smoke_data: Path) -> list[Item]:
    return INSTRUCTIONS.load(str(smoke_data))


def finish(paths: Paths, items: Sequence[Item], met: int) -> None:
    """Leave what a training and an evaluation leave: `met` of the items answered as asked."""
    responses = paths.folder / "responses.jsonl"
    responses.parent.mkdir(parents=True)
    rows = []
    for number, item in enumerate(items):
        assert item.instruction is not None
        answer = item.instruction.witness if number < met else "."
        row = {"id": item.id, "response": f"so</think>{answer}", "tokens": 10 + number, "finish_reason": "stop"}
        rows.append(row | ({"finish_reason": "length"} if number == 39 else {}))
    responses.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    replay(INSTRUCTIONS, items, {"constrained": read_responses(responses, items)}, paths.evaluation)
    if not paths.run.axes:
        return
    paths.train.mkdir()
    (paths.train / "done.json").write_text('{"steps": 20, "ranks": 1}', encoding="utf-8")
    training = {"per_device_train_batch_size": 16, "gradient_accumulation_steps": 1, "num_iterations": 1}
    config = {"training": {**training, "num_generations": 4}}
    (paths.train / "config.json").write_text(json.dumps(config), encoding="utf-8")
    cut = [1.0] * 18 + [0.2, 0.4]
    logged = [{"step": n + 1, "completions/clipped_ratio": cut[n], "rollout_tokens": 100 * (n + 1)} for n in range(20)]
    metrics = "".join(json.dumps(row) + "\n" for row in logged)
    (paths.train / "metrics.jsonl").write_text(metrics, encoding="utf-8")


@pytest.fixture(scope="module")
def results(plan: Plan, items: list[Item], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("ablation")
    claim(plan, out)
    with pytest.raises(RaifError, match=r"no run in .* is finished"):
        collect(plan, out)
    for run in plan.runs():
        if run.id != "seed-1/max_completion_length=80":
            met = MET[run.axes.get("max_completion_length", "before")] + (2 * run.seed if run.axes else 0)
            finish(Paths(out, plan, run), items, met)
    found = collect(plan, out)
    assert json.loads((out / "results.json").read_text(encoding="utf-8")) == found
    return out, found


def test_runs_have_the_metrics_of_their_evaluation_and_training(results: tuple[Path, dict[str, Any]]) -> None:
    out, found = results
    assert [run["id"] for run in found["runs"]] == [
        f"seed-{seed}/max_completion_length={cap}" for seed in (0, 1) for cap in CAPS if (seed, cap) != (1, 80)
    ]
    assert found["missing"] == ["seed-1/max_completion_length=80"]
    first = found["runs"][0]
    evaluated = json.loads((out / first["folder"] / "evaluation" / "metrics.json").read_text(encoding="utf-8"))
    metrics, estimates = first["metrics"], first["estimates"]
    assert 10 <= round(40 * metrics["hacc"]) < 30
    assert metrics["hacc"] == evaluated["strict"]["hacc"] == estimates["hacc"]["value"]
    assert [estimates["hacc"]["low"], estimates["hacc"]["high"]] == pytest.approx(evaluated["strict"]["hacc_ci"])
    assert metrics["sacc"] == pytest.approx(evaluated["strict"]["sacc"])
    assert metrics["correct"] == evaluated["correct"]["value"]
    assert metrics["truncated"] == 1 / 40
    assert metrics["completion_tokens"] == pytest.approx(29.5)
    assert metrics["training_truncated"] == pytest.approx(0.3)  # of the last two of twenty steps
    assert (metrics["steps"], metrics["rollout_tokens"], metrics["prompts"]) == (20, 2000, 80)
    assert [run["metrics"]["steps"] for run in found["before"]] == [None, None]


def test_cells_are_means_over_seeds_with_their_own_interval(results: tuple[Path, dict[str, Any]]) -> None:
    _, found = results
    before, small, _, large = found["cells"]
    assert (before["axes"], small["axes"]) == ({}, {"max_completion_length": 48})
    values = [run["metrics"]["hacc"] for run in found["runs"] if run["axes"] == small["axes"]]
    hacc = small["metrics"]["hacc"]
    assert hacc["value"] == pytest.approx(sum(values) / 2)
    assert hacc["low"] < min(values) < max(values) < hacc["high"]  # 12.7 standard errors for two seeds
    assert (large["seeds"], large["metrics"]["hacc"]["low"]) == ([0], None)


def test_contrasts_pair_items_of_the_seeds_that_both_cells_have(results: tuple[Path, dict[str, Any]]) -> None:
    _, found = results
    rows = {(row["from"], row["to"], row["metric"]): row for row in found["contrasts"]}
    cells = [f"max_completion_length={cap}" for cap in CAPS]
    pairs = [(cells[0], cells[1]), (cells[1], cells[2]), (cells[0], cells[2]), *(("before", cell) for cell in cells)]
    assert list(rows) == [(*pair, metric) for pair in pairs for metric in ("hacc", "sacc", "correct")]
    rise = rows[cells[0], cells[1], "hacc"]
    assert rise["estimate"]["n"] <= 40  # the forty items are shared by the seeds: they are no eighty
    assert rise["estimate"]["low"] > 0.2
    assert rise["p"] < rise["p_holm"] < 0.05
    flat = rows[cells[1], cells[2], "hacc"]
    assert (flat["seeds"], flat["estimate"]["value"], flat["p_holm"]) == ([0], 0.0, 1.0)


def test_tables_show_every_cell_and_run(results: tuple[Path, dict[str, Any]]) -> None:
    out, found = results
    text = write_tables(found, out)
    assert text == markdown(found) == (out / "results.md").read_text(encoding="utf-8")
    lines = [line for line in text.split("\n") if line.startswith("|")]
    assert len({line.count("|") for line in lines[:6]}) == 1
    assert lines[2].startswith("| before | 2 | ")
    assert lines[3].startswith(f"| 48 | 2 | {100 * found['cells'][1]['metrics']['hacc']['value']:.1f} [")
    assert "Not finished: seed-1/max_completion_length=80." in text
    with (out / "results.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [run["id"] for run in (*found["before"], *found["runs"])]
    assert float(rows[2]["hacc"]) == found["runs"][0]["metrics"]["hacc"]


def test_the_plan_says_what_is_done_and_what_is_left(plan: Plan, results: tuple[Path, dict[str, Any]]) -> None:
    out, _ = results
    works, runs = check_trainings(plan), plan.runs()
    table = plan_table(plan, out, runs, works)
    states = dict(zip(table.columns[0].cells, table.columns[1].cells, strict=True))
    assert states.pop("seed-1/max_completion_length=80") == "to do"
    assert set(states.values()) == {"finished"}
    assert list(table.columns[4].cells)[1] == f"{10 * 16 * 48:,}"
    assert remaining(plan, out, runs, works, 1).startswith(
        "1 of 8 runs are left; with at most 12,800 completion tokens to sample in training; each evaluated on all items"
    )


def test_items_that_seeds_share_are_averaged_and_those_of_one_seed_stand_alone() -> None:
    assert pooled([({"a": 0.0}, {"a": 1.0}), ({"a": 0.0, "b": 1.0}, {"a": 0.0, "b": 0.0, "c": 1.0})]) == [0.5, -1.0]
