"""What a folder holds: which kind of run it is, and where its rollouts and prompts are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from raif.json_files import read_record
from raif.rollouts import read_jsonl
from rewards.errors import RaifError

EXPECTED = (
    "a pipeline run (summary.json, of `raif run`), an evaluation (metrics.json and rollouts.jsonl, of "
    "`raif evaluate`), an experiment (experiment.json), an ablation (results.json with runs and cells, of "
    "`raif ablate`), an attention analysis (attention.json, of `raif analyze attention`), a comparison of models "
    "(comparison.json), a run of several benchmarks (table.json, of `raif evaluate suite`), or a training (config.json "
    "and metrics.jsonl)"
)


class Folder(NamedTuple):
    """A recognised run folder; `label` tells it from the other runs of the page."""

    kind: str  # one of raif.report.page.KINDS
    path: Path
    label: str


class Source(NamedTuple):
    """A file of rollouts: which run it belongs to (by number) and what its rows are called where they do not say.

    `within` is the benchmark of a run of several: their items have ids that may be the same.
    """

    run: int
    name: str
    path: Path
    training: bool = False
    within: str = ""


def recognise(paths: Sequence[Path]) -> list[Folder]:
    """Return what each folder is, in order.

    Raises:
        RaifError: if a folder is missing, is named twice or holds no run.
    """
    resolved = [path.resolve() for path in paths]
    if not resolved:
        raise RaifError("no run to report; name one or several folders: `raif report RUN...`.")
    twice = next((path for path in resolved if resolved.count(path) > 1), None)
    if twice is not None:
        raise RaifError(f"{twice} is named twice; name every run once.")
    labels = _labels(resolved)
    return [Folder(_kind(path), path, label) for path, label in zip(resolved, labels, strict=True)]


def _kind(path: Path) -> str:
    if not path.is_dir():
        what = f"{path} is a file, not the folder of a run" if path.exists() else f"no folder at {path}"
        raise RaifError(f"{what}; expected {EXPECTED}.")
    if (path / "summary.json").is_file():
        return "pipeline"
    if (path / "experiment.json").is_file():
        return "experiment"
    if (path / "table.json").is_file() and read_json(path / "table.json").get("suite") == "suite":
        return "suite"
    if (path / "results.json").is_file() and {"runs", "cells"} <= set(read_json(path / "results.json")):
        return "ablation"
    if (path / "metrics.json").is_file() and (path / "rollouts.jsonl").is_file():
        return "sustain" if read_json(path / "metrics.json").get("suite") == "sustain" else "evaluation"
    if (path / "attention.json").is_file():
        return "attention"
    if (path / "comparison.json").is_file():
        return "sustain-comparison"
    if (path / "config.json").is_file() and (path / "metrics.jsonl").is_file():
        return "training"
    held = ", ".join(sorted(entry.name for entry in path.iterdir())[:6]) or "nothing"
    raise RaifError(f"{path} is no run that can be reported: it holds {held}. Expected {EXPECTED}.")


def _labels(paths: Sequence[Path]) -> list[str]:
    """Return as few last parts of each path as tell them apart.

    Example:
        >>> _labels([Path("/a/x/eval"), Path("/a/y/eval")])
        ['x/eval', 'y/eval']
    """
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        labels = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(labels)) == len(labels):
            return labels
    return [str(path) for path in paths]


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object; a file that is not there is an empty one."""
    return read_record(path) if path.is_file() else {}


# ---- rollouts and prompts -----------------------------------------------------------------------------------------


def sources(number: int, folder: Folder) -> list[Source]:
    """Return the rollout files of a run, those of evaluations first."""
    several = folder.kind == "suite"
    found = [Source(number, name, path, within=name if several else "") for name, path in _evaluated(folder)]
    training = folder.path / "train" if folder.kind == "pipeline" else folder.path
    ranks = sorted((training / "rollouts").glob("rank*.jsonl")) if folder.kind in ("pipeline", "training") else []
    return [*found, *(Source(number, "training", path, True) for path in ranks)]


def _evaluated(folder: Folder) -> Iterator[tuple[str, Path]]:
    """Yield (name, file) of the evaluations of a run, each found below its folder."""
    root = folder.path
    if folder.kind == "pipeline":
        wanted = [(name, root / "evaluation" / name / "rollouts.jsonl") for name in ("before", "after")]
    elif folder.kind in ("evaluation", "sustain"):
        wanted = [("evaluation", root / "rollouts.jsonl")]
    elif folder.kind in ("training", "attention", "sustain-comparison"):
        wanted = []
    else:
        files = [path for path in root.glob("**/rollouts.jsonl") if "train" not in path.relative_to(root).parts]
        named = [("/".join(path.parent.relative_to(root).parts) or "evaluation", path) for path in files]
        wanted = sorted(((name.removesuffix("/evaluation"), path) for name, path in named), key=_natural)
        if folder.kind == "experiment" and not wanted:  # of a finished evaluation, in whose folder it stands
            wanted = [("evaluation", root.parent / "rollouts.jsonl")]
    yield from ((name, path) for name, path in wanted if path.is_file())


def _natural(named: tuple[str, Path]) -> list[tuple[int, str]]:
    """Order names by the numbers in them: a cap of 24 comes before one of 112."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", named[0])]


def item_id(key: str, within: str) -> str:
    """Return how an item is known on a page; within a run of several benchmarks, with the benchmark's name."""
    return f"{within}/{key}" if within else key


def prompt_files(folder: Folder) -> list[tuple[Path, str]]:
    """Return the files that may hold the prompts of a run, and of which benchmark of the run they are, if of any."""
    if folder.kind == "suite":
        return [(path, path.parent.name) for path in sorted(folder.path.glob("*/items.jsonl"))]
    return [(path, "") for path in _prompt_files(folder)]


def _prompt_files(folder: Folder) -> list[Path]:
    """Return the prompts of a run: its own, or those of the data set it names or stands by."""
    root = folder.path
    own = [path for path in (*sorted(root.glob("**/items.jsonl")), root.parent / "items.jsonl") if path.is_file()]
    named = read_json(root / "config.json").get("training", {}).get("instructions")
    settings = read_json(root / "settings.json")
    places = [root / "data", root.parent / "data", root.parent.parent / "data"]
    places += [Path(place) for place in (named, settings.get("data")) if isinstance(place, str)]
    return [*dict.fromkeys(own), *(file for place in places for file in _instruction_files(place))]


def _instruction_files(place: Path) -> list[Path]:
    from data_gen.shards import instruction_files

    if place.is_file():
        return [place] if place.suffix == ".jsonl" else []
    made = (place / "manifest.json").is_file() or (place / "instructions.jsonl").is_file()
    return list(instruction_files(place)) if made else []


def read_prompts(files: Sequence[tuple[Path, str]], wanted: Mapping[str, int]) -> dict[str, dict[str, Any]]:
    """Return prompt, expected answer and witness of the wanted ids; the first file that has one counts.

    Args:
        files: see `prompt_files`.
    """
    found: dict[str, dict[str, Any]] = {}
    for file, within in dict.fromkeys(files):
        if len(found) == len(wanted):
            break
        with file.open("rb") as lines:
            for line in lines:
                row = _row(line)
                if row is not None and (key := item_id(row["id"], within)) in wanted:
                    found.setdefault(key, _prompt(row))
    return found


def read_demands(rollouts: Path) -> dict[str, list[str]]:
    """Return how the constraints of every item of a SUSTAIN evaluation are said, in their order, by id."""
    items = rollouts.with_name("items.jsonl")
    rows = read_jsonl(items) if items.is_file() else []
    return {row["id"]: [demand["text"] for demand in row["demands"]] for row in rows}


def _row(line: bytes) -> dict[str, Any] | None:
    """Return a row that has an id and a prompt; a file of another sort has none."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    if not (isinstance(row, dict) and isinstance(row.get("id"), str)):
        return None
    prompt = row.get("prompt")
    turns = isinstance(prompt, list) and all(isinstance(turn, dict) and "content" in turn for turn in prompt)
    return row if prompt and (turns or isinstance(prompt, str)) else None


def _prompt(row: Mapping[str, Any]) -> dict[str, Any]:
    own = "demands" in row  # of SUSTAIN: every rollout has its own prompt, and the first output is shown as a rollout
    prompt = row["bare_prompt"] if own else row["prompt"]
    turns = [{"content": prompt}] if isinstance(prompt, str) else prompt
    answer = row.get("answer")
    instruction = row.get("instruction") or {}
    return {
        "prompt": "\n\n".join(str(turn["content"]) for turn in turns),
        "bare": row.get("bare_prompt"),
        "expected": answer.get("value") if isinstance(answer, Mapping) else answer,
        "witness": None if own else row.get("witness") or instruction.get("witness"),
    }
