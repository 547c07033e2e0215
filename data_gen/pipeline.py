"""Make a data set: seeded rows, written at once or not at all, with a manifest that says how."""

from __future__ import annotations

import hashlib
import json
import platform
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from random import Random
from typing import Any

from data_gen import __version__
from data_gen.composition import Composer, Drawn, Split, open_seed_sets
from data_gen.config import DataConfig
from data_gen.experts import WarmStartRow, warm_start_row
from data_gen.seeds import SeedSet
from rewards.errors import RaifError
from rewards.instruction import Instruction
from rewards.schemas import schema

INSTRUCTIONS, WARM_START, MANIFEST = "instructions.jsonl", "warm_start.jsonl", "manifest.json"
SCHEMA = "instruction.schema.json"
Progress = Callable[[str, int], None]


def row_rng(seed: int, stage: str, row: int) -> Random:
    """Return the generator of one row: rows are independent, and neighbouring seeds share nothing."""
    return Random(f"{seed}/{stage}/{row}")


def make_dataset(
    config: DataConfig, out: str | Path, overwrite: bool = False, progress: Progress | None = None
) -> dict[str, Any]:
    """Write `instructions.jsonl`, `warm_start.jsonl` (if asked for) and `manifest.json` to a folder.

    A folder that already holds this very data set is left as it is; one that holds another is an error.

    Returns:
        The manifest.
    """
    folder = Path(out)
    digest = _digest(config)
    existing = _existing(folder, digest, overwrite)
    if existing is not None:
        return existing
    seed_sets = open_seed_sets(config.seeds)
    composers = {split: Composer(config, split, seed_sets) for split in config.counts}
    files = {INSTRUCTIONS: _instruction_lines(config, composers, progress or _silent)}
    if config.warm_start is not None:
        files[WARM_START] = _warm_start_lines(config, seed_sets, progress or _silent)
    lines = {name: list(rows) for name, rows in files.items()}
    manifest = _manifest(config, digest, composers, lines)
    _write(folder, lines, manifest)
    return manifest


def _digest(config: DataConfig) -> str:
    """Return the hash of a recipe and of the seed files it names: an edited file makes another data set."""
    files = [Path(source.path) for source in config.seeds if source.path is not None]
    contents = [hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()]
    return hashlib.sha256("\n".join([config.model_dump_json(), *contents]).encode()).hexdigest()


def _silent(stage: str, done: int) -> None:
    """Ignore progress."""


def _existing(folder: Path, digest: str, overwrite: bool) -> dict[str, Any] | None:
    manifest_file = folder / MANIFEST
    if overwrite or not manifest_file.is_file():
        return None
    manifest: dict[str, Any] = json.loads(manifest_file.read_text(encoding="utf-8"))
    if manifest.get("config_sha256") != digest or manifest["versions"]["data_gen"] != __version__:
        raise RaifError(f"{folder} holds data made from another recipe; choose another --out or add --overwrite.")
    return manifest


def _instruction_lines(config: DataConfig, composers: dict[Split, Composer], progress: Progress) -> Iterator[str]:
    seen: set[str] = set()
    for split, composer in composers.items():
        for row in range(config.counts[split]):
            rng = row_rng(config.seed, split, row)
            instruction = _new_instruction(composer, rng, seen)
            seen.add(instruction.id)
            yield instruction.model_dump_json()
            progress(split, row + 1)


def _new_instruction(composer: Composer, rng: Random, seen: set[str]) -> Instruction:
    """Draw until the instruction is not one of those already written, since records join by id."""
    for _ in range(100):
        instruction = composer.compose(rng).instruction
        if instruction.id not in seen:
            return instruction
        composer.rejected["drawn before"] += 1
    raise RaifError("the recipe allows too few different instructions; lower `counts` or add seeds and constraints.")


def _warm_start_lines(config: DataConfig, seed_sets: list[SeedSet], progress: Progress) -> Iterator[str]:
    """Yield demonstrations of instructions of their own, drawn from the training split."""
    assert config.warm_start is not None
    composer = Composer(config, "train", seed_sets)
    for row in range(config.warm_start.count):
        rng = row_rng(config.seed, "warm_start", row)
        drawn: Drawn = composer.compose(rng)
        demonstration = warm_start_row(
            drawn.instruction, drawn.seed, rng, config.warm_start.careless, config.warm_start.direct
        )
        yield demonstration.model_dump_json()
        progress("warm start", row + 1)


def _manifest(
    config: DataConfig, digest: str, composers: dict[Split, Composer], lines: dict[str, list[str]]
) -> dict[str, Any]:
    instructions = [Instruction.model_validate_json(line) for line in lines[INSTRUCTIONS]]
    types = Counter(constraint.type for task in instructions for constraint in task.constraints)
    demonstrations = [WarmStartRow.model_validate_json(line) for line in lines.get(WARM_START, [])]
    return {
        "schema_version": 1,
        "seed": config.seed,
        "config": config.model_dump(mode="json"),
        "config_sha256": digest,
        "counts": dict(Counter(task.split for task in instructions)),
        "languages": dict(Counter(task.language for task in instructions)),
        "constraints": dict(sorted(types.items())),
        "rejected": {split: dict(composer.rejected.most_common()) for split, composer in composers.items()},
        "warm_start": {
            "rows": len(demonstrations),
            "careless": sum(row.hard is not True for row in demonstrations),
            "direct": sum(row.thinking is None for row in demonstrations),
        },
        "files": {name: hashlib.sha256(_join(rows)).hexdigest() for name, rows in lines.items()},
        "versions": {
            "data_gen": __version__,
            "python": platform.python_version(),
            **{name: version(name) for name in ("pydantic", "langdetect", "math-verify")},
        },
    }


def _join(rows: list[str]) -> bytes:
    return "".join(f"{row}\n" for row in rows).encode()


def _write(folder: Path, lines: dict[str, list[str]], manifest: dict[str, Any]) -> None:
    """Write every file under a temporary name, then rename; the manifest comes last and marks the set complete."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    contents = {name: _join(rows) for name, rows in lines.items()}
    contents[SCHEMA] = (json.dumps(schema("instruction")) + "\n").encode()
    contents[MANIFEST] = (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode()
    for name, content in contents.items():
        partial = folder / f"{name}.partial"
        partial.write_bytes(content)
        partial.rename(folder / name)
