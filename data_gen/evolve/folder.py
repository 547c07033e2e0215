"""Evolve the instructions of a folder into another one: streamed, resumable, with a record of what was done."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from data_gen import __version__
from data_gen.evolve.config import EvolveConfig
from data_gen.evolve.evolution import Tally, run_evolution
from data_gen.evolve.recovery import Recover
from data_gen.quality.files import instruction_files, instructions
from data_gen.served import ServedModel
from data_gen.shards import INSTRUCTIONS
from rewards.errors import RaifError

RECORD, CACHE = "evolution.json", "replies"
Progress = Callable[[int], None]


def evolve_folder(
    folder: str | Path,
    config: EvolveConfig,
    out: str | Path,
    overwrite: bool = False,
    progress: Progress | None = None,
    recover: Recover | None = None,
) -> dict[str, Any]:
    """Write `instructions.jsonl` and `evolution.json`; a run that was killed goes on where it was when started again.

    Args:
        folder: a complete data set, or a file of instructions.
        config: without a cache of its own, replies are remembered in `out`.
        out: another folder, which then is a data set. One that holds this very evolution, every request answered, is
            left as it is; one that holds another evolution is an error.
        progress: called with the number of instructions done.
        recover: see `run_evolution`.

    Returns:
        The record that `evolution.json` holds.
    """
    files, target = instruction_files(folder), Path(out)
    if target.resolve() in {Path(folder).resolve(), *(path.parent.resolve() for path in files)}:
        raise RaifError(f"the evolved instructions would overwrite those in {target}; choose another folder.")
    digest = _digest(files, config)
    existing = _existing(target / RECORD, digest, overwrite)
    if existing is not None:
        return existing
    cache = config.server.cache or target / CACHE
    model = ServedModel(config.server.model_copy(update={"cache": cache}))
    target.mkdir(parents=True, exist_ok=True)
    (target / RECORD).unlink(missing_ok=True)
    tally, reasons, written = Tally(), Counter[str](), Counter[str]()
    content, partial = hashlib.sha256(), target / f"{INSTRUCTIONS}.partial"
    with partial.open("wb") as file:
        results = run_evolution(instructions(folder), config, model, tally, recover)
        for done, (instruction, reason) in enumerate(results, 1):
            reasons[reason] += 1
            if instruction is not None:
                line = instruction.model_dump_json().encode() + b"\n"
                content.update(line)
                file.write(line)
            written["dropped" if instruction is None else "kept_template" if reason else "evolved"] += 1
            if progress is not None:
                progress(done)
    partial.rename(target / INSTRUCTIONS)
    record = _record(config, digest, model, tally, reasons, written) | {"files": {INSTRUCTIONS: content.hexdigest()}}
    partial = target / f"{RECORD}.partial"
    partial.write_text(json.dumps(record, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.rename(target / RECORD)
    return record


def _digest(files: list[Path], config: EvolveConfig) -> str:
    """Return the hash of the input and of all settings that decide the result; not where the server is."""
    digest = hashlib.sha256(json.dumps([__version__, _settings(config)], sort_keys=True).encode())
    for path in files:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _settings(config: EvolveConfig) -> dict[str, Any]:
    elsewhere = {"base_url", "api_key_env", "timeout", "retries", "backoff", "concurrency", "cache"}
    elsewhere |= {"budget_requests", "budget_tokens"}
    content = config.model_dump(mode="json", exclude={"server", "batch"})
    return content | {"server": config.server.model_dump(mode="json", exclude=elsewhere)}


def _existing(path: Path, digest: str, overwrite: bool) -> dict[str, Any] | None:
    if overwrite or not path.is_file():
        return None
    record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if record.get("sha256") != digest:
        raise RaifError(f"{path.parent} holds an evolution of other data or settings; choose another folder.")
    return record if record["unanswered"] == 0 else None


def _record(
    config: EvolveConfig, digest: str, model: ServedModel, tally: Tally, reasons: Counter[str], written: Counter[str]
) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "sha256": digest,
        "model": config.server.model,
        "settings": _settings(config),
        "counts": {name: written[name] for name in ("evolved", "kept_template", "dropped")},
        "failed": {reason: count for reason, count in reasons.most_common() if reason},
        "kept_wordings": dict(tally.kept_wordings.most_common()),
        "unadded": dict(tally.unadded.most_common()),
        "asked_again": dict(tally.asked_again.most_common()),
        "checks": dict(tally.checks.most_common()),
        "replies": tally.replies,
        "unanswered": tally.unanswered,
        "completion_tokens": tally.completion_tokens,
        "this_run": {"requests": model.counts, "tokens": model.tokens},
        "versions": {"data_gen": __version__},
    }
