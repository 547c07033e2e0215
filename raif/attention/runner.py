"""Analyse a SUSTAIN folder: attention of each rollout, then the comparison of outputs that differ.

The result folder holds `settings.json` (what it is bound to), `attention.jsonl` (one rollout a line, written as it is
measured: a killed analysis goes on where it stopped) and `attention.json`.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from pydantic import ValidationError

from raif.attention.labels import NAMES, STATEMENT, controls, label_record
from raif.attention.records import ARMS, DECILES, PARTS, AttentionRow, AttentionSettings, Evaluation
from raif.evaluation.runner import held_by_others
from raif.generation.store import bound_identity
from raif.json_files import read_record, write_whole
from raif.sustain.records import CONSTRAINED, SustainRollout
from raif.versions import versions
from rewards.errors import RaifError, unknown_name

SETTINGS, ROWS, RESULT = "settings.json", "attention.jsonl", "attention.json"
SCHEMA_VERSION = 1
ANALYSIS = "attention"
Progress = Callable[[int, int], None]  # rollouts so far, and their output tokens
Say = Callable[[str], None]
_ANEW = "run the same command again"


def analyze(
    evaluation: Evaluation,
    model: str | None,
    out: Path,
    settings: AttentionSettings,
    *,
    device: str | None = None,
    memory: int | None = None,
    progress: Progress | None = None,
    say: Say = lambda text: None,
) -> dict[str, Any]:
    """Measure the attention of the rollouts of an evaluation, compare them, and return the record.

    Args:
        model: folder or hub name with weights; by default the one that the evaluation drew from.
        device: such as `cuda:1`; by default the first accelerator, or the CPU.
        memory: bytes that the attention weights of a layer may take at once.
        say: takes what the user should know, such as that the model is another one.

    Raises:
        RaifError: if the model has no weights here, a prompt does not hold its constraint, or the folder is another's.
    """
    from raif.attention.reading import Reading

    chosen = select(evaluation, settings)
    reading = Reading(evaluation, model, settings, device, memory)
    bound = {**reading.identity(), "rollouts": _digest(chosen), **settings.model_dump(mode="json")}
    notes = reading.notes()
    for note in notes:
        say(note)
    with _claimed(out, bound) as journal:
        rows = _first_rows(out / ROWS, chosen)
        todo = chosen[len(rows) :]
        prepared = reading.locate(todo)
        tokens = sum(row.output_tokens for row in rows)
        for rollout, spans in zip(todo, prepared, strict=True):
            if progress is not None:
                progress(len(rows), tokens)
            rows.append(reading.measure(rollout, spans))
            _keep(journal, rows[-1])
            tokens += rows[-1].output_tokens
        if progress is not None:
            progress(len(rows), tokens)
        record = summarize(rows, bound, notes)
        write_whole(out / RESULT, json.dumps(record, ensure_ascii=False, indent=1) + "\n")
    return record


def check(settings: AttentionSettings) -> None:
    """Refuse arms and parts that there are not."""
    for arm in settings.arms:
        if arm not in ARMS:
            raise unknown_name("arm", arm, ARMS, "Those with a text of their own in the prompt are analysed.")
    if CONSTRAINED not in settings.arms:
        raise RaifError(f"--arm {','.join(settings.arms)} leaves out {CONSTRAINED}, which is what is compared; add it.")
    if settings.part not in PARTS:
        raise unknown_name("part", settings.part, PARTS, "Choose one of them.")


def select(evaluation: Evaluation, settings: AttentionSettings) -> list[SustainRollout]:
    """Return the rollouts of D+ items that are analysed, in the order of the evaluation.

    Raises:
        RaifError: if there is none, or an arm or part is unknown.
    """
    check(settings)
    inside = {item.id for item in evaluation.items if item.in_dplus}
    having = [
        rollout
        for rollout in evaluation.rollouts
        if rollout.instruction_id in inside and rollout.dose == settings.dose and rollout.arm in settings.arms
    ]
    ids = list(dict.fromkeys(rollout.instruction_id for rollout in having))
    if not ids:
        doses = sorted({rollout.dose for rollout in evaluation.rollouts if rollout.arm == CONSTRAINED})
        raise RaifError(
            f"no solved item has a constrained rollout at dose {settings.dose}; the evaluation has doses "
            f"{', '.join(map(str, doses)) or 'none'} and {len(inside)} solved items with a constraint."
        )
    if 0 < settings.limit < len(ids):
        ids = [ids[i * len(ids) // settings.limit] for i in range(settings.limit)]
    kept = set(ids)
    return [rollout for rollout in having if rollout.instruction_id in kept]


def summarize(rows: Sequence[AttentionRow], bound: Mapping[str, Any], notes: Sequence[str] = ()) -> dict[str, Any]:
    """Return the content of `attention.json`."""
    measured = [row for row in rows if not row.left_out]
    seed = int(bound["seed"])
    left_out = Counter(row.left_out for row in rows if row.left_out)
    return {
        "schema_version": SCHEMA_VERSION,
        "analysis": ANALYSIS,
        "model": bound["model"],
        "n": len({row.id for row in measured}),
        "rollouts": len(measured),
        "left_out": dict(sorted(left_out.items())),
        "layers": max((len(row.grid) for row in measured), default=0),
        "deciles": DECILES,
        "labels": {label: label_record(measured, label, seed) for label in NAMES},
        "controls": controls(measured, seed),
        "settings": dict(bound),
        "versions": versions(),
        "notes": list(notes),
        "statement": STATEMENT,
    }


def read_rows(path: Path) -> list[AttentionRow]:
    """Read the rows of an analysis; a last line that a kill has cut off does not count.

    Raises:
        RaifError: naming the first line that is no row.
    """
    if not path.is_file():
        return []
    rows = []
    for number, line in enumerate(path.read_bytes().rpartition(b"\n")[0].splitlines(), 1):
        try:
            rows.append(AttentionRow.model_validate_json(line))
        except ValidationError as error:
            raise RaifError(f"{path}:{number} is no row of an analysis; remove the file and {_ANEW}.") from error
    return rows


# ---- parts --------------------------------------------------------------------------------------------------------


def _first_rows(path: Path, chosen: Sequence[SustainRollout]) -> list[AttentionRow]:
    """Read what is measured already: the first of the chosen rollouts."""
    rows = read_rows(path)
    found = [(row.id, row.arm, row.dose, row.place, row.sample) for row in rows]
    if found != [(each.instruction_id, each.arm, each.dose, each.place, each.sample) for each in chosen[: len(rows)]]:
        raise RaifError(f"{path} does not hold the rollouts of this analysis in their order; remove it and {_ANEW}.")
    return rows


@contextmanager
def _claimed(out: Path, bound: Mapping[str, Any]) -> Iterator[BinaryIO]:
    """Bind a folder to an analysis and open its rows for more; one process at a time."""
    plain = json.loads(json.dumps(bound))
    begun = (out / ROWS).is_file() and (out / ROWS).stat().st_size > 0  # an error before the first row binds nothing
    if begun and (out / SETTINGS).is_file():
        before, now = bound_identity(_settings_of(out)), bound_identity(plain)
        if differ := sorted(key for key in {**before, **now} if before.get(key) != now.get(key)):
            told = "; ".join(f"{key} is {now.get(key)!r}, was {before.get(key)!r}" for key in differ)
            raise RaifError(f"{out} holds another analysis ({told}); choose another --out.")
    elif held := held_by_others(out, own=(SETTINGS, *([] if begun else [ROWS]), RESULT, "plots")):
        raise RaifError(f"{out} holds something else than an analysis ({held}); choose another --out.")
    out.mkdir(parents=True, exist_ok=True)
    with (out / ROWS).open("ab", buffering=0) as journal:
        try:
            fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RaifError(f"another process writes to {out}; wait for it, or choose another --out.") from error
        write_whole(out / SETTINGS, json.dumps(plain, indent=1) + "\n")
        whole = (out / ROWS).read_bytes().rpartition(b"\n")
        journal.truncate(len(whole[0]) + len(whole[1]))
        yield journal


def _keep(journal: BinaryIO, row: AttentionRow) -> None:
    line = row.model_dump_json().encode() + b"\n"
    if journal.write(line) < len(line):  # a full disk takes the beginning of a line without an error
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), journal.name)


def _settings_of(out: Path) -> dict[str, Any]:
    try:
        return read_record(out / SETTINGS)
    except RaifError as error:  # without the settings nobody knows what the rows are of
        raise RaifError(f"{out / SETTINGS} is damaged; remove it and {out / ROWS}, and {_ANEW}.") from error


def _digest(rollouts: Sequence[SustainRollout]) -> str:
    found = hashlib.sha256()
    for rollout in rollouts:
        found.update(rollout.model_dump_json().encode() + b"\n")
    return f"{len(rollouts)}:{found.hexdigest()[:16]}"
