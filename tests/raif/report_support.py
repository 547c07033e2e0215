"""Small runs of every kind, made with the writers of real ones, and texts that try to get out of the page."""

from __future__ import annotations

import gzip
import json
import re
from base64 import b64decode
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from typing import Any

from data_gen.config import load_yaml, parse_config
from data_gen.pipeline import make_dataset
from data_gen.shards import read_data
from raif.chat import ThinkFormat
from raif.evaluation.runner import replay
from raif.evaluation.stats import Estimate, over_seeds, record
from raif.experiments.length_bins import length_bins
from raif.experiments.results import write as write_experiment
from raif.generation import Arrived, Completion, Request, Sampling
from raif.generation.replay import Given, Responses
from raif.resources import find_recipe
from raif.rollouts import Rollout, append_jsonl
from raif.suites import suite
from raif.suites.instructions import items_of
from raif.summary import summarize_run
from raif.sustain.records import Task
from raif.sustain.settings import SustainSettings
from rewards.caps import LengthCap
from rewards.entries import parse_rewards
from rewards.instruction import Instruction
from rewards.response import Response
from rewards.reward import ScoredResponse, Scorer
from tests.raif.sustain_support import make_tasks as make_sustain_tasks
from tests.raif.sustain_support import text_of

CAP, STEPS = 64, 8
HOSTILE = (
    "</script><script>window.hacked=1</script><img src=x onerror='window.hacked=1'><svg onload=window.hacked=1><!--"
    "\u202eright to left\u202c שלום \u2028\u2029 \x00\x07\x1b[31m & &lt; <a href='javascript:window.hacked=1'>"
    + "w"
    * 600
)
SURROGATE = "lone \ud800 surrogate"
SCORER = Scorer(parse_rewards([{"type": "constraints"}, {"type": "math_answer"}]), LengthCap(limit=CAP))


def make_rollout(task: Instruction, text: str, tokens: int = 20, direct: bool = False, **fields: Any) -> Rollout:
    response = Response.split(text, style="none" if direct else "think", truncated=tokens >= CAP)
    (reward,) = SCORER.score([ScoredResponse(task, response, tokens)])
    reason = "length" if tokens >= CAP else "stop"
    defaults = {"group": 0, "sample": 0, "direct": direct, "completion": text, "completion_tokens": tokens}
    return Rollout.build(reward, instruction_id=task.id, finish_reason=reason, **{**defaults, **fields})


def write_evaluation(folder: Path, tasks: Sequence[Instruction], texts: Sequence[str]) -> Path:
    """Write the evaluation of stored responses; every seventh is cut off."""
    items = items_of(tasks)
    given = {
        (item.id, 0): Given(text, 5 + i, ended=i % 7 > 0)
        for i, (item, text) in enumerate(zip(items, texts, strict=True))
    }
    responses = {"constrained": Responses(given, [], [], "id")}
    metrics, _ = replay(suite("instructions"), items, responses, folder)
    sampling = {"cap": CAP, "temperature": 1.0, "top_p": 1.0, "seed": 0, "batch_size": 8}
    metrics["settings"] = {**metrics["settings"], "sampling": sampling}
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    return folder


def write_training(folder: Path, tasks: Sequence[Instruction]) -> Path:
    rollouts = []
    for step in range(1, STEPS + 1):
        for group, task in enumerate(tasks[:2]):
            texts = (f"plan</think>{task.witness}", "no answer", "blank</think>")
            for sample, text in enumerate(texts):
                place = {"step": step, "group": group, "sample": sample, "tokens": CAP if sample == 1 else 9}
                rollouts.append(make_rollout(task, text, advantage=0.5 - sample, kept=sample != 2, **place))
            rollouts.append(make_rollout(task, "direct words", direct=True, step=step, group=group))
    append_jsonl(folder / "rollouts" / "rank0.jsonl", rollouts)
    logs = [{"step": step, "reward": step / STEPS, "hacc": None, "sacc": 0.5} for step in range(1, STEPS + 1)]
    append_jsonl(folder / "metrics.jsonl", [*logs, {"step": STEPS, "contrast/keep_ratio": float("nan")}])
    config = {"training": {"on_truncation": "zero", "contrast": "off", "max_completion_length": CAP}, "model": {}}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "done.json").write_text(json.dumps({"steps": STEPS, "ranks": 1}), encoding="utf-8")
    return folder


def make_tasks(data: Path) -> tuple[list[Instruction], list[Instruction]]:
    """Make a data folder and return its training and test instructions."""
    recipe = {**load_yaml(find_recipe("data/smoke")), "counts": {"train": 4, "test": 24}, "warm_start": None}
    make_dataset(parse_config(recipe, "smoke"), data)
    tasks = read_data(data)
    train, test = ([task for task in tasks if task.split == split] for split in ("train", "test"))
    return train, test


def make_pipeline(run: Path) -> Path:
    """Make the folder of a small run; one answer after training is hostile."""
    train, test = make_tasks(run / "data")
    write_evaluation(run / "evaluation" / "before", test, ["hm</think>."] * len(test))
    after = [f"{HOSTILE}</think>{HOSTILE}", *(f"plan</think>{task.witness}" for task in test[1:])]
    write_evaluation(run / "evaluation" / "after", test, after)
    write_training(run / "train", train)
    summary = summarize_run(run, "recipes/<b>demo</b>\u202e.yaml", 0, 75.0)
    (run / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    return run


def write_mathif(folder: Path) -> Path:
    """Write a MathIF evaluation of both arms and both profiles; the two profiles differ on the first item."""
    rows = [
        {
            "id": n, "source": "gsm8k", "question": f"What is {n} + 1?", "answer": str(n + 1),
            "constraint_desc": ["No commas."], "constraint_name": ["punctuation:no_comma"], "constraint_args": [{}],
        }
        for n in range(24)
    ]  # fmt: skip
    data = folder.parent / f"{folder.name}-data"
    append_jsonl(data / "gsm8k_single.jsonl", rows)
    mathif = suite("mathif")
    items = mathif.load(str(data))
    texts = [
        "<think>unfinished thinking",
        *(f"<think>sum</think>It is{',' * (n % 2)} \\boxed{{{n + 1}}}." for n in range(1, 24)),
    ]
    given = {
        (item.id, 0): Given(text, 30, ended=i > 0) for i, (item, text) in enumerate(zip(items, texts, strict=True))
    }
    replay(mathif, items, {arm: Responses(given, [], [], "id") for arm in mathif.arms}, folder)
    return folder


def write_length_bins(evaluation: Path) -> Path:
    """Write the length bins of an evaluation into its folder."""
    from raif.evaluation.runner import load_evaluation

    metrics, rollouts = load_evaluation(evaluation)
    known = [rollout.model_copy(update={"thinking_tokens": 10 + i}) for i, rollout in enumerate(rollouts)]
    write_experiment(evaluation / "length-bins", length_bins(metrics, known))
    return evaluation / "length-bins"


def write_ablation(folder: Path) -> Path:
    """Write the results of an ablation over two caps and two seeds."""
    runs = [_run(cap, seed) for cap in (None, 64, 128) for seed in (0, 1)]
    contrast = {"from": "cap=64", "to": "cap=128", "metric": "hacc", "p": 0.01, "p_holm": 0.02}
    results = {
        "schema_version": 1, "name": "caps", "axes": {"cap": [64, 128]}, "seeds": [0, 1], "equal": "steps",
        "runs": [run for run in runs if run["axes"]], "before": [run for run in runs if not run["axes"]],
        "cells": [_cell(axes, runs) for axes in ({}, {"cap": 64}, {"cap": 128})],
        "contrasts": [{**contrast, "estimate": record(Estimate(0.125, 0.05, 0.2, 40))}],
        "missing": ["seed-2/cap=64"], "rule": "over items", "settings": {}, "versions": {}, "commit": None,
    }  # fmt: skip
    folder.mkdir(parents=True)
    (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
    return folder


def _run(cap: int | None, seed: int) -> dict[str, Any]:
    metrics = {"hacc": 0.25 + (cap or 0) / 512 + seed / 100, "sacc": 0.5, "correct": 0.5, "truncated": 8 / (cap or 16)}
    axes = {} if cap is None else {"cap": cap}
    return {"id": f"seed-{seed}/{cap}", "axes": axes, "seed": seed, "folder": ".", "metrics": metrics, "estimates": {}}


def _cell(axes: dict[str, int], runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    mine = [run for run in runs if run["axes"] == axes]
    metrics = {name: record(over_seeds([run["metrics"][name] for run in mine])) for name in mine[0]["metrics"]}
    return {"axes": axes, "seeds": [run["seed"] for run in mine], "metrics": metrics}


class Page(HTMLParser):
    """The elements of a page, and the data that its script unpacks."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data: dict[str, list[Any]] = {"index": [], "tasks": [], "rollouts": []}
        self.feed(text)
        self.index = self.data["index"][0]
        self.rollouts = [row for chunk in self.data["rollouts"] for row in chunk]
        self.tasks = [row for chunk in self.data["tasks"] for row in chunk]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        tag, attrs = self.tags[-1] if self.tags else ("", {})
        if tag == "script" and attrs.get("type") == "application/json" and data.strip():
            assert re.fullmatch(r'"[A-Za-z0-9+/=]*"', data)  # nothing in it can end the element
            name = attrs.get("data-pack") or attrs.get("id") or ""
            self.data[name].append(json.loads(gzip.decompress(b64decode(json.loads(data)))))

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)

    def slot(self, number: int) -> str:
        """Return the name of the slot of a rollout."""
        return str(self.index["slots"][self.index["slot"][number]]["name"])


# ---- SUSTAIN --------------------------------------------------------------------------------------------------------


class Speaker:
    """A generator whose model solves nine tasks of ten, fewer the more is asked for, and now and then says markup."""

    think = ThinkFormat("none", False)

    def __init__(self, tasks: Sequence[Task], name: str, skill: float) -> None:
        self.tasks, self.name, self.skill = {task.id: task for task in tasks}, name, skill

    def identity(self) -> dict[str, Any]:
        return {"backend": "stub", "model": self.name}

    def generate(self, requests: Sequence[Request], sampling: Sampling, arrived: Arrived) -> None:
        for number, request in enumerate(requests):
            key, arm, dose, *_ = request.key.split("|")
            rng = Random(f"{self.name}/{request.key}")
            asked = int(dose) if arm == "constrained" else 0
            right = rng.random() < 0.9 if arm == "first" else rng.random() < self.skill - 0.12 * asked
            text = text_of(self.tasks[key], right).replace("The city is", "Answer:")
            if asked and rng.random() < 0.2:
                text = f"{HOSTILE}\n{text.split()[-1]}"
            arrived(number, Completion(text, len(text.split()), arm == "first" or rng.random() < 0.97))

    def close(self) -> None:
        pass


def sustain_tasks() -> list[Task]:
    """Return sums and questions; the first sum has markup in its id and its request."""
    first, *rest = make_sustain_tasks(60)
    hostile = first.model_copy(update={"id": "<b>sums</b>/0", "request": f"{first.request} {HOSTILE}"})
    return [hostile, *rest, *make_sustain_tasks(36, "qa")]


def write_sustain(folder: Path, name: str = "tiny", skill: float = 0.97) -> Path:
    """Run a SUSTAIN evaluation of two domains at two doses."""
    from raif.sustain.runner import sustain

    tasks = sustain_tasks()
    settings = SustainSettings(doses=(1, 2))
    sustain(tasks, Speaker(tasks, name, skill), Sampling(64, 0.0), folder, settings)
    return folder


def write_record(folder: Path, file: str, record: Any) -> Path:
    """Write a result of a command as its JSON file."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_text(json.dumps(record), encoding="utf-8")
    return folder
