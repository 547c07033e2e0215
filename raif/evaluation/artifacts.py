"""Mirror a result folder to Weights & Biases: the same tables and plots, as an artifact of one wandb run.

Nothing is read back from there. `WANDB_MODE=offline` is honoured: the run lies under `WANDB_DIR` until `wandb sync`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from raif.evaluation.redaction import redacted
from raif.evaluation.sustain_sheets import attention_sheets, comparison_sheets, sustain_sheets
from raif.json_files import read_record
from raif.plots.folder import ATTENTION, COMPARISON, EXPERIMENT, LOG, METRICS, PLOTS, RESULTS, plots_in
from raif.plots.style import save
from raif.rollouts import read_jsonl
from rewards.errors import RaifError

Record = Mapping[str, Any]
ESTIMATE = ("value", "low", "high", "n")
ITEM_FIELDS = (
    *("arm", "sample", "hard", "soft", "official_hard", "official_soft", "correct", "finish_reason"),
    *("completion_tokens", "thinking_tokens"),
)
PROFILES = ("parity", "strict")


class Sheet(NamedTuple):
    """A table: its column names and its rows."""

    columns: list[str]
    rows: list[list[Any]]


class Contents(NamedTuple):
    """What a result folder holds for a tracker: its kind, its record, its tables and its main numbers."""

    kind: str
    record: Record
    sheets: dict[str, Sheet]
    summary: dict[str, float]


def log_artifacts(folder: Path, project: str, name: str | None = None, entity: str | None = None) -> str:
    """Log the tables and plots of a result folder to one wandb run; return where it is.

    Images and tables of up to 10,000 rows are logged to the run; the artifact (type evaluation, experiment, ablation,
    attention, comparison or run) holds every table whole, the record as JSON and every plot as PNG and SVG. Settings
    and versions are the run's configuration. What looks like a key, password or token is left out, and neither code,
    environment nor command line is recorded.

    Args:
        folder: the `--out` folder of the command that made the result.
        project: the wandb project.
        name: the name of the wandb run and of the artifact; by default that of the folder.
        entity: the user or team; by default wandb's own.

    Errors: wandb is not installed, or refuses; a folder without a result.
    """
    wandb = _wandb()
    contents, title = contents_of(folder), name or folder.resolve().name
    pictures = [(plot, save(plot, folder / PLOTS / plot.name)) for plot in plots_in(folder) if plot.figure is not None]
    quiet = wandb.Settings(
        disable_git=True, disable_code=True, save_code=False, console="off", silent=True, x_disable_meta=True,
        x_disable_stats=True, x_disable_machine_info=True, x_save_requirements=False,
    )  # fmt: skip
    config = {key: redacted(contents.record.get(key)) for key in ("settings", "versions", "commit", "schema_version")}
    try:
        with wandb.init(
            project=project, entity=entity, name=title, job_type=contents.kind, config=config, settings=quiet
        ) as run:
            tables = {key: wandb.Table(sheet.columns, redacted(sheet.rows)) for key, sheet in contents.sheets.items()}
            fits = {key: table for key, table in tables.items() if len(table.data) <= wandb.Table.MAX_ROWS}
            images = {f"plots/{plot.name}": wandb.Image(str(png), caption=plot.title) for plot, (png, _) in pictures}
            run.log({**fits, **images})
            run.summary.update(contents.summary)
            artifact = wandb.Artifact(_file_name(f"{title}-{contents.kind}"), type=contents.kind, metadata=config)
            _fill(artifact, contents, [path for _, paths in pictures for path in paths])
            run.log_artifact(artifact)
            where = str(run.url or Path(run.dir).parent)
    except wandb.errors.Error as error:
        raise RaifError(
            f"wandb did not take {folder}: {error}. Correct the project's name, log in (`wandb login`), or set "
            "WANDB_MODE=offline; then run the same command again."
        ) from None
    return where


def contents_of(folder: Path) -> Contents:
    """Return what a result folder holds for a tracker."""
    readers = {
        METRICS: _evaluation,
        EXPERIMENT: _experiment,
        RESULTS: _ablation,
        ATTENTION: _attention,
        COMPARISON: _comparison,
    }
    for name, read in readers.items():
        if (folder / name).is_file():
            return read(folder, read_record(folder / name))
    return _run(folder)


def _wandb() -> Any:
    try:
        import wandb
    except ImportError:
        raise RaifError("wandb is not installed: `pip install 'raif[wandb]'`, or leave out --wandb.") from None
    return wandb


def _fill(artifact: Any, contents: Contents, pictures: list[Path]) -> None:
    """Put tables (as JSON lines, whole), record and plots into an artifact."""
    for key, sheet in contents.sheets.items():
        with artifact.new_file(f"tables/{key}.jsonl", encoding="utf-8") as file:
            for row in redacted(sheet.rows):
                file.write(json.dumps(dict(zip(sheet.columns, row, strict=True)), ensure_ascii=False) + "\n")
    with artifact.new_file(f"{contents.kind}.json", encoding="utf-8") as file:
        file.write(json.dumps(redacted(contents.record), ensure_ascii=False, indent=1) + "\n")
    for path in pictures:
        artifact.add_file(str(path), name=f"{PLOTS}/{path.name}")


def _file_name(text: str) -> str:
    return re.sub(r"[^\w.-]+", "-", text, flags=re.ASCII).strip("-") or "result"


# ---- tables -------------------------------------------------------------------------------------------------------


def _evaluation(folder: Path, metrics: Record) -> Contents:
    if metrics.get("suite") == "sustain":
        return _sustain(folder, metrics)
    rows = list(_measured(metrics))
    groups = [
        [label, value, *row]
        for label, values in (metrics.get("groups") or {}).items()
        for value, group in values.items()
        for row in _measured(group)
    ]
    sheets = {
        "metrics": Sheet(["profile", "metric", *ESTIMATE], rows),
        "groups": Sheet(["label", "group", "profile", "metric", *ESTIMATE], groups),
        "items": _items(folder / "rollouts.jsonl"),
    }
    summary = {f"{profile}/{metric}".removeprefix("/"): value for profile, metric, value, *_ in rows}
    return Contents("evaluation", metrics, {key: sheet for key, sheet in sheets.items() if sheet.rows}, summary)


def _sustain(folder: Path, metrics: Record) -> Contents:
    sheets = _sheets(sustain_sheets(folder, metrics))
    summary = {f"{domain}/{metric}": value for domain, metric, value, *_ in sheets["metrics"].rows}
    return Contents("evaluation", metrics, sheets, summary)


def _attention(folder: Path, analysis: Record) -> Contents:
    return Contents("attention", analysis, _sheets(attention_sheets(folder, analysis)), {})


def _comparison(folder: Path, comparison: Record) -> Contents:
    return Contents("comparison", comparison, _sheets(comparison_sheets(comparison)), {})


def _sheets(found: Mapping[str, tuple[tuple[str, ...], list[list[Any]]]]) -> dict[str, Sheet]:
    """Return the tables that have rows."""
    return {name: Sheet(list(columns), rows) for name, (columns, rows) in found.items() if rows}


def _measured(metrics: Record) -> Iterator[list[Any]]:
    """Yield profile (empty for what both share), metric, value, low, high and n of every number with an interval."""
    for profile in PROFILES:
        values = metrics.get(profile) or {}
        for name, value in values.items():
            if isinstance(value, Mapping):
                yield [profile, name, *(value[key] for key in ESTIMATE)]
            elif f"{name}_ci" in values and value is not None:
                n = values.get(f"{name}_n", metrics["n"])
                yield [profile, name, value, *(values[f"{name}_ci"] or (None, None)), n]
    for name, value in metrics.items():
        if isinstance(value, Mapping) and set(ESTIMATE) <= set(value) and value["value"] is not None:
            yield ["", name, *(value[key] for key in ESTIMATE)]


def _items(path: Path) -> Sheet:
    """Return one row a judged completion: its verdicts without its text."""
    rows = [
        [
            row["instruction_id"],
            *(row.get(key) for key in ITEM_FIELDS),
            ", ".join(f"{leaf['type']}: {leaf['status']}" for leaf in row.get("verdicts", ())),
        ]
        for row in read_jsonl(path)
    ]
    return Sheet(["id", *ITEM_FIELDS, "verdicts"], rows)


def _experiment(folder: Path, experiment: Record) -> Contents:
    rows = [
        [row["label"], row["arm"], row.get("x"), metric, *(value[key] for key in ESTIMATE)]
        for row in experiment["rows"]
        for metric, value in row.items()
        if isinstance(value, Mapping)
    ]
    sheets = {
        "rows": Sheet(["label", "arm", "x", "metric", *ESTIMATE], rows),
        "effects": _compared(experiment["effects"], ("name", "metric")),
    }
    return Contents("experiment", experiment, {key: sheet for key, sheet in sheets.items() if sheet.rows}, {})


def _ablation(folder: Path, results: Record) -> Contents:
    axes = list(results["axes"])
    runs = [
        [run["id"], run["seed"], *(_plain((run.get("axes") or {}).get(axis)) for axis in axes), metric, value]
        for run in (*results.get("before", ()), *results["runs"])
        for metric, value in run["metrics"].items()
    ]
    cells = [
        [*(_plain(cell["axes"].get(axis)) for axis in axes), metric, *(value[key] for key in ESTIMATE)]
        for cell in results["cells"]
        for metric, value in cell["metrics"].items()
    ]
    sheets = {
        "runs": Sheet(["id", "seed", *axes, "metric", "value"], runs),
        "cells": Sheet([*axes, "metric", *ESTIMATE], cells),
        "contrasts": _compared(results["contrasts"], ("from", "to", "metric")),
    }
    return Contents("ablation", results, {key: sheet for key, sheet in sheets.items() if sheet.rows}, {})


def _compared(effects: list[Record], keys: tuple[str, ...]) -> Sheet:
    rows = [
        [*(_plain(each[key]) for key in keys), *(each["estimate"][key] for key in ESTIMATE), each["p"], each["p_holm"]]
        for each in effects
    ]
    return Sheet([*keys, *ESTIMATE, "p", "p_holm"], rows)


def _run(folder: Path) -> Contents:
    """Read a run: its training log, and its evaluations before and after."""
    log = next((path for path in (folder / "train" / LOG, folder / LOG) if path.is_file()), None)
    found = {name: folder / "evaluation" / name / METRICS for name in ("before", "after")}
    measured = {name: read_record(path) for name, path in found.items() if path.is_file()}
    sheets = {"metrics": Sheet(["policy", "profile", "metric", *ESTIMATE], [])}
    for name, metrics in measured.items():
        sheets["metrics"].rows.extend([name, *row] for row in _measured(metrics))
    if log is not None:
        rows = read_jsonl(log)
        columns = sorted({key for row in rows for key in row} - {"step"})
        sheets["training"] = Sheet(["step", *columns], [[row.get(key) for key in ("step", *columns)] for row in rows])
    summary = folder / "summary.json"
    record = read_record(summary) if summary.is_file() else measured.get("after", {})
    return Contents("run", record, {key: sheet for key, sheet in sheets.items() if sheet.rows}, {})


def _plain(value: Any) -> Any:
    """Return a value that fits a column of mixed axis values."""
    return value if value is None or isinstance(value, int | float | str) else json.dumps(value)
