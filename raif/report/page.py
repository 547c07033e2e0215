"""report.html: what a run did to the policy, in one file that opens from disk without a network."""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from data_gen.shards import instruction_files
from raif.report.charts import Interval, before_after_chart, training_panels
from raif.rollouts import Rollout, read_jsonl, read_rollouts
from rewards.errors import RaifError
from rewards.response import Response, ThinkStyle

Record = dict[str, Any]
SOURCES = ("before", "after", "training")
EVALUATED, TRAINED = 800, 600  # rollouts shown at most: of both evaluations together, and of training
BYTES = 2_000_000  # text shown at most, of either; keeps the page below 6 MB
METRICS = {  # label in the summary's table -> key in metrics.json
    "HAcc": "hacc",
    "SAcc": "sacc",
    "answer correct": "correct",
    "truncated": "truncated",
    "well-formed": "well_formed",
}
TRUNCATION = {
    "zero": "a truncated rollout earns 0",
    "penalty": "a truncated rollout earns a penalty",
    "mask": "a truncated rollout is left out of the loss",
    "score": "a truncated rollout is scored as it stands",
}


def write_page(run_folder: Path) -> Path:
    """Write `report.html` into a run folder and return its path."""
    summary = _summary(run_folder)
    before, after = (_read_json(run_folder / "evaluation" / name / "metrics.json") for name in ("before", "after"))
    config = _read_json(run_folder / "train" / "config.json")
    shown, totals = _rollouts(run_folder)
    context = {
        "summary": summary,
        "lede": _lede(summary),
        "facts": _facts(summary, config),
        "headline": _headline(summary, before, after),
        "chart": _chart(before, after),
        "panels": training_panels(read_jsonl(run_folder / "train" / "metrics.jsonl"), _cap(summary, config)),
        "constraints": _constraints(before, after),
        "sources": _source_counts(shown, totals),
        "data": embed({"rollouts": shown, "instructions": _instructions(run_folder, shown)}),
    }
    page, partial = run_folder / "report.html", run_folder / "report.html.partial"
    partial.write_text(_render(context), encoding="utf-8", newline="\n")
    return partial.replace(page)


def embed(content: Any) -> Markup:
    r"""Return JSON that no HTML parser can take for markup, whatever the text in it.

    Example:
        >>> print(embed({"answer": "</script>"}))
        {"answer":"\u003c/script\u003e"}
    """
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    for char in "<>&\u2028\u2029":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return Markup(text)


def _render(context: Mapping[str, Any]) -> str:
    """Fill the template; its content policy lets no script run but ours, and nothing load."""
    loader = PackageLoader("raif.report")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style, script = (loader.get_source(environment, name)[0] for name in ("style.css", "app.js"))
    digest = b64encode(sha256(script.encode()).digest()).decode()
    assets = {"style": Markup(style), "script": Markup(script), "script_hash": f"sha256-{digest}"}
    return environment.get_template("report.html.j2").render(**context, **assets) + "\n"


# ---- reading ----------------------------------------------------------------------------------------------------


def _summary(run_folder: Path) -> Record:
    path = run_folder / "summary.json"
    if not path.is_file():
        raise RaifError(f"no summary at {path}; make the run first: `raif run recipes/demo.yaml --out {run_folder}`.")
    return _read_json(path)


def _read_json(path: Path) -> Record:
    """Read a JSON object; a file that is not there is an empty one."""
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise RaifError(f"{path} is not JSON: {error}. Remove it and run the stage that writes it again.") from error
    if not isinstance(content, dict):
        raise RaifError(f"{path} holds no JSON object. Remove it and run the stage that writes it again.")
    return content


def _instructions(run_folder: Path, shown: Sequence[Record]) -> dict[str, Record]:
    """Return prompt, expected answer and witness of every instruction that is shown."""
    wanted = {entry["id"] for entry in shown}
    folder = run_folder / "data"
    files = instruction_files(folder) if folder.is_dir() else []
    return {row["id"]: _shown_instruction(row) for file in files for row in read_jsonl(file) if row["id"] in wanted}


def _shown_instruction(row: Record) -> Record:
    turns = [{"content": row["prompt"]}] if isinstance(row["prompt"], str) else row["prompt"]
    return {
        "prompt": "\n\n".join(turn["content"] for turn in turns),
        "expected": (row["answer"] or {}).get("value"),
        "witness": row["witness"],
    }


# ---- head -------------------------------------------------------------------------------------------------------


def _lede(summary: Record) -> str:
    """Say in a sentence or two what happened to HAcc."""
    first, last, gain = (summary.get(f"hacc_{name}") for name in ("before", "after", "gain"))
    if first is None or last is None or gain is None:
        return "HAcc could not be compared before and after training."
    head = f"On {summary['n_eval']} held-out instructions, the share with every constraint satisfied (HAcc) went from "
    head += f"{100 * first:.1f} % to {100 * last:.1f} %"
    low, high = summary.get("hacc_gain_ci") or (None, None)
    if low is None or high is None:
        return f"{head}. There are too few instructions for an interval."
    head += f": {100 * gain:+.1f} points, 95 % interval {100 * low:+.1f} to {100 * high:+.1f}."
    return head if low > 0 or high < 0 else f"{head} That interval includes no change."


def _facts(summary: Record, config: Record) -> list[tuple[str, str]]:
    """Return what one needs to know to run it again, as labels and values; unknown ones are left out."""
    training, sampling = config.get("training", {}), summary.get("sampling") or {}
    policy = training.get("on_truncation")
    cap = _cap(summary, config)
    facts = {
        "Policy": config.get("model", {}).get("model_name_or_path"),
        "Training": _text(summary.get("training_steps"), "{} steps"),
        "Seed": _text(summary.get("seed")),
        "Commit": summary.get("commit"),
        "Time": _duration(summary.get("seconds")),
        "Cap": _text(cap, "{} tokens"),
        "At the cap": policy and f"on_truncation: {policy} ({TRUNCATION.get(policy, 'see the recipe')})",
        "Sampling": ", ".join(f"{key} {sampling[key]}" for key in ("temperature", "top_p", "seed") if key in sampling),
        "Contrast": _mechanic(training, "contrast", ("level", "statistic", "margin")),
        "Cloning": _mechanic(training, "cloning", ("coefficient", "schedule", "gate")),
        "Versions": ", ".join(f"{name} {version}" for name, version in (summary.get("versions") or {}).items()),
    }
    return [(label, str(value)) for label, value in facts.items() if value]


def _cap(summary: Record, config: Record) -> Any:
    return config.get("training", {}).get("max_completion_length") or (summary.get("sampling") or {}).get("cap")


def _mechanic(training: Record, name: str, details: Sequence[str]) -> str:
    """Describe contrast or cloning by its settings; nothing if the configuration is not known."""
    switch = training.get(name, training.get(f"{name}_{details[0]}"))
    if switch is None:
        return ""
    if switch in ("off", 0):
        return "off"
    head = [str(training[name])] if name in training else []
    return ", ".join([*head, *(f"{key} {training.get(f'{name}_{key}')}" for key in details)])


def _text(value: Any, pattern: str = "{}") -> str:
    return "" if value is None else pattern.format(value)


def _duration(seconds: float | None) -> str:
    """Write a number of seconds for reading.

    Example:
        >>> _duration(3723.4)
        '1 h 2 min 3 s'
    """
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{hours} h" if hours else "", f"{minutes} min" if hours or minutes else "", f"{rest} s"]
    return " ".join(part for part in parts if part)


# ---- metrics ----------------------------------------------------------------------------------------------------


def _headline(summary: Record, before: Record, after: Record) -> list[Record]:
    """Return the summary's table with values and intervals apart, and n."""
    rows = []
    for row in summary["table"]:
        key = METRICS.get(row["metric"], "")
        counts = [str(metrics[key]["n"]) for metrics in (before, after) if key in metrics]
        cells = {name: row[name].partition(" ")[::2] for name in ("floor", "before", "after", "gain", "ceiling")}
        rows.append({"metric": row["metric"], "n": " / ".join(dict.fromkeys(counts)), **cells})
    return rows


def _chart(before: Record, after: Record) -> Markup | None:
    rows = [
        Interval(label, before[key], after[key], before["floor"].get(key), before["ceiling"].get(key))
        for label, key in METRICS.items()
        if key in before and key in after
    ]
    return before_after_chart(rows) if rows else None


def _constraints(before: Record, after: Record) -> list[Record]:
    """Return pass rates per constraint type, the weakest after training first."""
    first, last = (metrics.get("per_constraint", {}) for metrics in (before, after))
    rows = [{"type": name, "before": first.get(name), "after": last.get(name)} for name in {**first, **last}]
    for row in rows:
        old, new = ((row[side] or {}).get("value") for side in ("before", "after"))
        row["gain"] = None if old is None or new is None else 100 * (new - old)
        row["n"] = " / ".join(dict.fromkeys(str(row[side]["n"]) for side in ("before", "after") if row[side]))
    return sorted(rows, key=lambda row: (row["after"] is None, (row["after"] or {}).get("value") or 0.0, row["type"]))


# ---- rollouts ---------------------------------------------------------------------------------------------------


def _rollouts(run_folder: Path) -> tuple[list[Record], Counter[str]]:
    """Return the rollouts to show and how many there are of each source."""
    evaluated: dict[str, list[tuple[str, Rollout]]] = {}
    trained: dict[tuple[int, str, int], list[tuple[str, Rollout]]] = {}
    for name in ("before", "after"):
        for rollout in _read(run_folder / "evaluation" / name / "rollouts.jsonl"):
            evaluated.setdefault(rollout.instruction_id, []).append((name, rollout))
    for path in sorted((run_folder / "train" / "rollouts").glob("rank*.jsonl")):
        for rollout in _read(path):
            trained.setdefault((rollout.step, path.name, rollout.group), []).append(("training", rollout))
    groups = [*spread(list(evaluated.values()), EVALUATED), *spread([trained[key] for key in sorted(trained)], TRAINED)]
    totals = Counter(name for part in (evaluated, trained) for group in part.values() for name, _ in group)
    entries = [_entry(name, rollout) for group in groups for name, rollout in group]
    return sorted(entries, key=lambda entry: SOURCES.index(entry["source"])), totals


def _read(path: Path) -> Iterable[Rollout]:
    return read_rollouts(path) if path.is_file() else ()


def spread(groups: Sequence[list[tuple[str, Rollout]]], limit: int) -> list[list[tuple[str, Rollout]]]:
    """Return evenly spaced whole groups with about `limit` rollouts and `BYTES` of text at most.

    Groups stay whole because a rollout is read beside those it was compared with.
    """
    rollouts = [rollout for group in groups for _, rollout in group]
    size = sum(map(_size, rollouts))
    share = min(1.0, limit / max(1, len(rollouts)), BYTES / max(1, size))
    count = max(1, int(len(groups) * share)) if groups else 0
    return [groups[round(i * (len(groups) - 1) / max(1, count - 1))] for i in range(count)]


def _size(rollout: Rollout) -> int:
    """Estimate the bytes of a rollout on the page, where `embed` makes six of every <, > and &."""
    return len(rollout.completion.encode()) + 5 * sum(map(rollout.completion.count, "<>&")) + 600


def _entry(source: str, rollout: Rollout) -> Record:
    """Return what the page shows of a rollout."""
    truncated = rollout.finish_reason == "length"
    style: ThinkStyle = "none" if rollout.direct else "think"
    response = Response.split(rollout.completion, style=style, prefilled=True, truncated=truncated)
    fields = (
        "step",
        "group",
        "sample",
        "direct",
        "well_formed",
        "reward",
        "correct",
        "hard",
        "soft",
        "advantage",
        "kept",
    )
    return {
        "source": source,
        "id": rollout.instruction_id,
        "thinking": response.thinking,
        "answer": response.answer,
        "tokens": rollout.completion_tokens,
        "truncated": truncated,
        "parts": {name: value for name, value in rollout.parts.items() if value is not None},
        "verdicts": [[leaf.type, leaf.status, leaf.evidence] for leaf in rollout.verdicts],
        **{name: getattr(rollout, name) for name in fields},
    }


def _source_counts(shown: Sequence[Record], totals: Mapping[str, int]) -> list[Record]:
    counts = Counter(entry["source"] for entry in shown)
    return [{"name": name, "shown": counts[name], "total": totals[name]} for name in SOURCES if totals[name]]
