"""Training data out of SUSTAIN evaluations: the constrained prompt, and the output that the model gave without it.

What the model wrote meets the constraint already and is right, so cloning it teaches to follow the constraint without
letting go of the task. The share of its answers to the bare request that were right comes along for the reward
`invariance`. That share includes the output by which an item got in: of R others and a true share s, it is too high by
(1 - s) / (1 + R) on average.
"""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple, get_args

from data_gen.pipeline import SCHEMA
from data_gen.pool import tally_of
from data_gen.self_evident.training import Solved, instruction_of
from data_gen.self_evident.wordings import wordings
from data_gen.shards import DATA, MANIFEST, NOTES, NewFile, Shard, ShardFolder, Tally, nested, write_file, write_json
from raif.evaluation.runner import held_by_others
from raif.sustain.records import FIRST, RETEST, Demand, SustainItem, SustainRollout
from raif.sustain.runner import load_sustain, settings_of
from raif.versions import versions
from rewards.errors import RaifError, unknown_name
from rewards.instruction import Instruction, Split
from rewards.schemas import schema

HELD_OUT_SPLIT: Split = "test_families"


class DataSettings(NamedTuple):
    """What is made of an evaluation.

    Fields:
        constraints: how many constraints of an item stand in its prompt, the first ones of the run's own order.
        split: where the instructions go.
        held_out_families: items with a constraint of these families go to the split `test_families` instead.
        bare: whether each item that is not held out also gives its task without any constraint, with the same output.
    """

    constraints: int = 1
    split: Split = "train"
    held_out_families: frozenset[str] = frozenset()
    bare: bool = False


class Made(NamedTuple):
    """Instructions in the order of the items, and how many items gave none, by reason."""

    tasks: list[Instruction]
    left_out: Counter[str]


def parse_families(text: str) -> frozenset[str]:
    """Return the families that a list separated by commas names.

    Example:
        >>> sorted(parse_families("first_word, at_most_words"))
        ['at_most_words', 'first_word']
    """
    names = frozenset(name.strip() for name in text.split(",") if name.strip())
    for name in sorted(names - set(wordings())):
        raise unknown_name("family of constraints", name, wordings(), "See data_gen/self_evident/wordings.yaml.")
    return names


def make_training_data(folders: Sequence[Path], out: Path, settings: DataSettings) -> tuple[dict[str, Any], Made]:
    """Write the instructions of finished SUSTAIN folders to a data folder; return its manifest and what was made.

    Raises:
        RaifError: if a folder is no finished SUSTAIN evaluation, `out` holds something, or no item can be used.
    """
    _check(settings)
    if held := held_by_others(out):
        raise RaifError(f"{out} holds something already ({held}); choose another --out.")
    made = _merged([training_instructions(folder, settings) for folder in folders])
    if not made.tasks:
        advice = "lower --constraints" if made.left_out["too_few"] else "evaluate with more tasks or a larger --cap"
        named = ", ".join(map(str, folders))
        raise RaifError(f"no item of {named} can be used: {counted(made.left_out)}; {advice}.")
    try:
        return _write(made, out, {"folders": list(map(str, folders)), **_plain(settings)}), made
    except BaseException:  # a full disk, or Ctrl-C: half of a data set would stand in the way of the next try
        for name in (DATA, NOTES):
            shutil.rmtree(out / name, ignore_errors=True)
        (out / SCHEMA).unlink(missing_ok=True)
        raise


def training_instructions(folder: Path, settings: DataSettings) -> Made:
    """Return the instructions of one finished SUSTAIN folder."""
    metrics, items, rollouts = load_sustain(folder)
    placement = settings_of(metrics).placement
    model = model_of(metrics)
    drawn: dict[str, list[SustainRollout]] = {}
    for rollout in rollouts:
        if rollout.arm in (FIRST, RETEST):
            drawn.setdefault(rollout.instruction_id, []).append(rollout)
    tasks: list[Instruction] = []
    left_out: Counter[str] = Counter()
    for item in items:
        demands = item.demands[: settings.constraints]
        if reason := _reason(item, demands, settings):
            left_out[reason] += 1
            continue
        held_out = any(demand.family in settings.held_out_families for demand in demands)
        split = HELD_OUT_SPLIT if held_out else settings.split
        row = _solved(item, drawn[item.id], model)
        asked = [(demand.constraint, demand.text) for demand in demands]
        tasks.append(instruction_of(row, asked, split, placement))
        if settings.bare and not held_out:
            tasks.append(instruction_of(row, (), split))
    return Made(tasks, left_out)


def model_of(metrics: Mapping[str, Any]) -> str:
    """Return the name of the model that an evaluation is of; of stored responses what the settings call them."""
    generator = metrics["settings"].get("generator") or {}
    return str(generator.get("model") or generator.get("backend") or "unknown")


def counted(reasons: Mapping[str, int]) -> str:
    """Say how many items were left out, and why.

    Example:
        >>> counted({"unsolved": 3, "too_few": 5})
        '5 too_few, 3 unsolved'
    """
    return ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items(), key=lambda pair: -pair[1]))


# ---- parts --------------------------------------------------------------------------------------------------------


def _check(settings: DataSettings) -> None:
    if settings.constraints < 1:
        raise RaifError(f"constraints is {settings.constraints}; a constrained prompt needs at least 1.")
    if settings.split not in get_args(Split):
        raise unknown_name("split", settings.split, get_args(Split), "Name the split that trainings are to read.")


def _reason(item: SustainItem, demands: Sequence[Demand], settings: DataSettings) -> str:
    """Return why an item cannot be used, empty if it can."""
    if item.failed:
        return "failed"
    if item.left_out:
        return item.left_out
    if len(demands) < settings.constraints:
        return "too_few"
    return ""


def _solved(item: SustainItem, drawn: Sequence[SustainRollout], model: str) -> Solved:
    task = item.task
    first = next(rollout for rollout in drawn if rollout.arm == FIRST)
    thinking = first.response.thinking or ""
    return Solved(
        id=task.id,
        request=task.request,
        output=item.witness,
        answer=task.answer,
        language=task.language,
        seed_set=task.source,
        licence=task.licence,
        # a policy that opens its thinking itself goes on in a new line, which cloning puts there
        thinking=thinking if first.prefilled else thinking.removeprefix("\n"),
        origin=model,
        unconstrained=fmean(bool(rollout.correct) for rollout in drawn if rollout.correct is not None),
    )


def _merged(parts: Iterable[Made]) -> Made:
    """Join the instructions of several folders: each once, and no request both held out and trained on."""
    every = list(parts)
    left_out: Counter[str] = sum((made.left_out for made in every), Counter())
    held_out = {task.request for made in every for task in made.tasks if task.split == HELD_OUT_SPLIT}
    tasks: dict[str, Instruction] = {}
    for task in (task for made in every for task in made.tasks):
        if task.split != HELD_OUT_SPLIT and task.request in held_out:
            left_out["held_out_request"] += 1
        elif task.id in tasks:
            left_out["duplicate"] += 1
        else:
            tasks[task.id] = task
    return Made(list(tasks.values()), left_out)


def _write(made: Made, out: Path, config: dict[str, Any]) -> dict[str, Any]:
    """Write one shard for each split with its note, the schema and, last, the manifest."""
    lines = {task.id: task.model_dump_json().encode() + b"\n" for task in made.tasks}
    content = hashlib.sha256(b"".join(lines.values()))
    content.update(json.dumps(config, sort_keys=True).encode())
    folder = ShardFolder(out, content.hexdigest())
    files: dict[str, str] = {}
    counts: dict[str, int] = {}
    total: Tally = Counter()
    for split in get_args(Split):
        tasks = [task for task in made.tasks if task.split == split]
        if not tasks:
            continue
        shard = Shard(split, f"{split}-00000-of-00001", range(len(tasks)))
        with NewFile(out / shard.file) as file:
            for task in tasks:
                file.write(lines[task.id])
        tally: Tally = sum(map(tally_of, tasks), Counter())
        folder.write_note(shard, file, tally, "".join(task.id for task in tasks))
        files[shard.file], counts[split] = file.sha256, len(tasks)
        total.update(tally)
    kinds = nested(total)
    manifest = {
        "schema_version": 2,
        "generator": "sustain",
        "config": config,
        "recipe_sha256": folder.recipe,
        "counts": counts,
        **{kind: kinds.get(kind, {}) for kind in ("languages", "seed_sets", "difficulties", "constraints")},
        "without_thinking": sum(1 for task in made.tasks if task.expert and not task.expert.thinking.strip()),
        "rejected": {str(config["split"]): dict(made.left_out.most_common())},
        "seeds": [],
        "warm_start": {"rows": 0, "careless": 0, "direct": 0},
        "files": files,
        "versions": {**versions(), "python": platform.python_version()},
    }
    write_file(out / SCHEMA, (json.dumps(schema("instruction")) + "\n").encode())
    write_json(out / MANIFEST, manifest)
    return manifest


def _plain(settings: DataSettings) -> dict[str, Any]:
    return {**settings._asdict(), "held_out_families": sorted(settings.held_out_families)}
