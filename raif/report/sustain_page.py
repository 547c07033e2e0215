"""What the report says of a SUSTAIN evaluation: what a constraint costs, in words, in one table, and by domain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from raif.plots.sustain import DOMAINS, arms_figure, domain_figures
from raif.report.attention_page import attention_sections
from raif.report.document import Block, Cell, Note, Record, Run, Section, Table, count, name, reasons_once, share
from raif.report.facts import evaluation_facts
from raif.report.figures import picture
from raif.report.runs import Folder, read_json
from raif.report.sustain_tables import (
    arms,
    association,
    breakdowns,
    coverage,
    doses,
    failures,
    refused,
    scores,
    table,
)
from raif.sustain.runner import load_sustain

STATEMENT = (
    "Our score follows the idea of SUSTAINSCORE (arXiv 2601.22047). Extraction, verification, placement, controls and "
    "intervals are our own, because the paper's text and code were not available to us. Scores are not comparable with "
    "the paper's table."
)
WORDS = (
    "D+ are the tasks whose first output was right and has a constraint that it meets already. SUSTAIN is the share of "
    "them solved again when that constraint is asked for, RETEST when the same prompt is asked again, PLACEBO when a "
    "neutral sentence of the constraint's length is added. NET = PLACEBO - SUSTAIN is what the constraint costs. "
    "COMPLY is how often the constraint is met. DELTA_ACC is the change of accuracy by a constraint over all tasks, "
    "solved or not. Brackets are 95 % intervals over items; below 20 items there is no value."
)
COLUMNS = {
    "net": "NET, points",
    "sustain": "SUSTAIN, %",
    "retest": "RETEST, %",
    "placebo": "PLACEBO, %",
    "comply": "COMPLY, %",
    "accuracy": "Accuracy, %",
    "delta_acc": "DELTA_ACC, points",
}
SIGNED = ("net", "delta_acc")


def sustain_run(folder: Folder) -> Run:
    """Return the parts of a SUSTAIN evaluation, and of an attention analysis that stands in it."""
    metrics = read_json(folder.path / "metrics.json")
    if (folder.path / "items.jsonl").is_file():
        load_sustain(folder.path)  # files that do not go together are no result
    domains: Mapping[str, Record] = metrics["domains"]
    blocks: list[Block] = [Note(STATEMENT), _overview(metrics), Note(WORDS), picture(arms_figure(metrics))]
    if metrics.get("unsound"):
        blocks.append(
            Note("Constraints that their own first outputs break, by the checkers of now:", metrics["unsound"])
        )
    sections = [Section("result", "Result", blocks)]
    sections += [Section(key, DOMAINS.get(key, key), _domain(key, record)) for key, record in domains.items()]
    if analysis := read_json(folder.path / "attention" / "attention.json"):
        sections += attention_sections(analysis)
    facts = evaluation_facts(metrics)
    return Run("sustain", folder.label, "SUSTAIN evaluation", lede(metrics), facts, sections, results(metrics))


def lede(metrics: Record) -> str:
    """Say what a constraint costs, in plain words."""
    domains = metrics["domains"]
    if len(domains) == 1:
        net = next(iter(domains.values()))["net"]
        return f"NET {said(net['estimate'])}. {reading(net)}"
    net = {"estimate": metrics["mean"]["net"], "control": _control(domains)}
    return f"NET {said(net['estimate'])}, mean of the domains. {reading(net)}"


def reading(net: Record) -> str:
    """Return NET as a sentence.

    Example:
        >>> net = {"estimate": {"value": 0.042, "low": 0.011, "high": 0.073, "n": 300}, "control": "placebo"}
        >>> reading(net).partition(", the model ")[2]
        'loses 4.2 points [1.1, 7.3] more than with a neutral sentence.'
    """
    estimate, control = net["estimate"], net.get("control")
    if estimate.get("value") is None:
        why = estimate.get("reason") or "too few tasks were solved at first"
        return f"What a constraint costs cannot be said: {why}."
    than = "when the same prompt is asked again" if control == "retest" else "with a neutral sentence"
    less = estimate["value"] < 0
    text = f"Given a constraint that its own output met, the model loses {_points(estimate, -1 if less else 1)} "
    text += f"{'less' if less else 'more'} than {than}."
    low, high = estimate.get("low"), estimate.get("high")
    if low is None or high is None:
        return f"{text} There are too few items for an interval."
    return text if low > 0 or high < 0 else f"{text} That interval includes no difference."


def said(estimate: Record) -> str:
    """Write a difference with its interval, in points.

    Example:
        >>> said({"value": 0.042, "low": 0.011, "high": 0.073, "n": 300})
        '+4.2 points [+1.1, +7.3]'
    """
    if estimate.get("value") is None:
        return "unknown"
    text = f"{100 * estimate['value']:+.1f} points"
    if estimate.get("low") is None:
        return text
    return f"{text} [{100 * estimate['low']:+.1f}, {100 * estimate['high']:+.1f}]"


def results(metrics: Record) -> dict[str, Record]:
    """Return the main estimates by label, for comparisons."""
    return {
        f"{column.partition(',')[0]}, {DOMAINS.get(key, key)}": found
        for key, record in metrics["domains"].items()
        for metric, column in COLUMNS.items()
        if (found := estimate_of(record, metric)) is not None
    }


def estimate_of(record: Record, metric: str) -> Any:
    """Return an estimate of a record; that of NET stands beside its test."""
    found = record.get(metric)
    return found.get("estimate") if isinstance(found, Mapping) and "estimate" in found else found


def score_cells(record: Record, metrics: Iterable[str] = COLUMNS) -> list[Cell]:
    """Return the cells of the columns."""
    return reasons_once([share(estimate_of(record, metric), signed=metric in SIGNED) for metric in metrics])


def _overview(metrics: Record) -> Table:
    domains = metrics["domains"]
    rows = [
        [name(DOMAINS.get(key, key)), *score_cells(record), count(record.get("n_dplus")), count(record.get("n"))]
        for key, record in domains.items()
    ]
    if len(domains) > 1 and metrics.get("mean"):
        rows.append([name("Mean of the domains"), *score_cells(metrics["mean"]), count(None), count(metrics.get("n"))])
    return Table("Scores by domain", ("Domain", *COLUMNS.values(), "in D+", "tasks"), rows)


def _domain(key: str, record: Record) -> list[Block]:
    tests = association(record.get("table") or {})
    return [
        Note(reading(record["net"])),
        scores(record),
        *([Note(power)] if (power := record["net"].get("power")) else []),
        *map(picture, domain_figures(key, record)),
        coverage(record),
        refused(record),
        table(record.get("table") or {}),
        *([Note(tests)] if tests else []),
        *doses(record),
        *breakdowns(record),
        failures(record),
        arms(record),
    ]


def _control(domains: Mapping[str, Record]) -> str:
    controls = {record["net"].get("control") for record in domains.values()}
    return "retest" if controls == {"retest"} else "placebo"


def _points(estimate: Record, sign: int) -> str:
    """Write the size of a difference with its interval, turned round for a negative one."""
    text = f"{100 * sign * estimate['value']:.1f} points"
    low, high = estimate.get("low"), estimate.get("high")
    if low is None or high is None:
        return text
    ends = sorted(100 * sign * end for end in (low, high))
    return f"{text} [{ends[0]:.1f}, {ends[1]:.1f}]"
