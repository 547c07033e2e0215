"""What the report says of an evaluation: both profiles side by side, every breakdown, and the items nobody can meet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from raif.evaluation.stats import power_note
from raif.report.document import (
    Block,
    Cell,
    Note,
    Record,
    Run,
    Section,
    Table,
    amount,
    count,
    name,
    p_value,
    share,
)
from raif.report.facts import evaluation_facts, shown
from raif.report.questions_page import questions_run
from raif.report.runs import Folder, read_json
from raif.report.scores import (
    ACCURACIES,
    AMOUNTS,
    PROFILES,
    SHARES,
    bound,
    constraint_rates,
    estimate,
    has_profile,
    names,
    within,
)

PROFILE = {"strict": "strict profile", "parity": "parity profile"}
WORDS = (
    "Brackets are 95 % intervals over items; below 20 items there are none. The strict profile is the corrected, "
    "language-aware reading that training rewards; the parity profile repeats the official code, faults included. "
    "The floor is what a lone full stop earns, the ceiling what the best known answers earn."
)
_GROUPS = {"constraint": "Constraints", "family": "Families of constraints", "count": "Number of constraints"}


def evaluation_run(folder: Folder) -> Run:
    """Return the parts of an evaluation folder."""
    metrics = read_json(folder.path / "metrics.json")
    if metrics.get("kind") == "questions":
        return questions_run(folder, metrics)
    sections = [Section("result", "Result", _result(metrics))]
    if constraints := _constraints(metrics):
        sections.append(Section("constraints", "Constraints", constraints))
    if groups := [
        _group(label, values) for label, values in (metrics.get("groups") or {}).items() if label != "constraint"
    ]:
        sections.append(Section("groups", "Breakdowns", groups))
    title = f"{metrics.get('suite', 'instructions')} evaluation"
    return Run("evaluation", folder.label, title, _lede(metrics), evaluation_facts(metrics), sections, results(metrics))


def results(metrics: Record) -> dict[str, Record]:
    """Return the main estimates by label, for comparisons."""
    found = {}
    for profile in PROFILES:
        for key, label in ACCURACIES.items():
            if (record := estimate(metrics, key, profile)) is not None and has_profile(metrics, profile):
                found[label if not has_profile(metrics, "parity") else f"{label} ({profile})"] = record
    for key, label in SHARES.items():
        if (record := estimate(metrics, key)) is not None:
            found[label] = record
    return found


def _lede(metrics: Record) -> str:
    said = []
    for profile in PROFILES:
        for key in ("hacc", "prompt_strict"):
            record = estimate(metrics, key, profile) if has_profile(metrics, profile) else None
            if record is not None and record["value"] is not None:
                what = "satisfied every constraint" if key == "hacc" else "followed every instruction"
                said.append(f"{100 * record['value']:.1f} % of the items {what} ({PROFILE[profile]})")
    return f"{'; '.join(said)}." if said else "No item could be decided."


def _baselines(baselines: Record, profiles: list[str]) -> Table:
    columns = [(profile, key) for profile in profiles for key in ("hacc", "sacc")]
    rows = [
        [name(label), *(share(found[profile][key]) for profile, key in columns)] for label, found in baselines.items()
    ]
    titles = [f"{ACCURACIES[key]}, {profile}" for profile, key in columns]
    return Table("Responses that follow nothing, %", ("Response", *titles), rows)


def _result(metrics: Record) -> list[Block]:
    profiles = [profile for profile in PROFILES if has_profile(metrics, profile)]
    accuracies = [key for key in ACCURACIES if any(estimate(metrics, key, profile) for profile in profiles)]
    several = len(profiles) > 1
    columns = ["Accuracy, %"]
    for profile in profiles:
        columns += [f"{side}, {profile}" if several else side for side in ("Floor", "Result", "Ceiling")]
    rows = [[name(ACCURACIES[key]), *_sides(metrics, key, profiles), _n(metrics, key, profiles)] for key in accuracies]
    blocks: list[Block] = [Table("Constraints followed", [*columns, "n"], rows, WORDS)]
    if measured := _measured(metrics):
        blocks.append(measured)
    if metrics.get("baselines"):
        blocks.append(_baselines(metrics["baselines"], profiles))
    blocks += [Note(metrics.get("power") or power_note(metrics.get("n", 0)))]
    if metrics.get("independence"):
        blocks.append(_independence(metrics))
    return [*blocks, *_unsatisfiable(metrics), *_counted(metrics)]


def _sides(metrics: Record, key: str, profiles: list[str]) -> list[Cell]:
    cells = []
    for profile in profiles:
        cells += [
            share(bound(metrics, "floor", key, profile), quiet=True),
            share(estimate(metrics, key, profile)),
            share(bound(metrics, "ceiling", key, profile), quiet=True),
        ]
    return cells


def _n(metrics: Record, key: str, profiles: list[str]) -> Cell:
    return count(next((record["n"] for profile in profiles if (record := estimate(metrics, key, profile))), None))


def _measured(metrics: Record) -> Table | None:
    rows = []
    for key, label in {**SHARES, **AMOUNTS}.items():
        record = estimate(metrics, key)
        if record is not None:
            cell = amount(record) if key in AMOUNTS else share(record, signed=key == "correct_change")
            unit = "tokens" if key in AMOUNTS else "points" if key == "correct_change" else "%"
            rows.append([name(label), cell, name(unit), count(record.get("n"))])
    note = "Correctness with and without the constraints is of the same problems; its change is paired."
    if metrics.get("truncated", {}) is None:
        note += " Truncation is unknown: the responses do not say."
    return Table("Answers and lengths", ("Quantity", "Value", "Unit", "n"), rows, note) if rows else None


def _independence(metrics: Record) -> Table:
    rows = []
    for profile, key in (("strict", "independence"), ("parity", "independence_parity")):
        found = metrics.get(key)
        if found:
            cells = [count(found.get(cell)) for cell in ("both", "first_only", "second_only", "neither")]
            cells += [share(found.get("expected")), amount(found.get("phi")), p_value(found.get("p"))]
            rows.append([name(PROFILE[profile]), *cells])
    columns = ("", "both", "correct only", "followed only", "neither", "both if independent, %", "phi", "p (Fisher)")
    return Table("Correct and followed, items", columns, rows)


def _unsatisfiable(metrics: Record) -> list[Block]:
    if "unsatisfiable" not in metrics:
        return []
    found = metrics["unsatisfiable"] or []
    reasons = metrics.get("unsatisfiable_reasons") or {}
    items = [f"{key}: {reasons[key]}" if reasons.get(key) else str(key) for key in found]
    text = f"{len(items)} items cannot be met, whatever is answered:" if items else "No item contradicts itself."
    return [Note(text, items), *_refused(metrics)]


def _refused(metrics: Record) -> list[Block]:
    """Name the items whose best known answer a profile refuses."""
    unmet = (metrics.get("ceiling") or {}).get("unmet") or {}
    return [
        Note(f"The {PROFILE[profile]} refuses the best known answer of {len(ids)} items:", list(map(str, ids)))
        for profile, ids in unmet.items()
        if ids
    ]


def _counted(metrics: Record) -> list[Block]:
    counts = [
        f"{what.replace('_', ' ')}: {shown(metrics[what])}"
        for what in ("unscored", "undecided", "parity_bounds", "missing", "left_out")
        if metrics.get(what)
    ]
    return [Note("What could not be decided:", counts)] if counts else []


def _constraints(metrics: Record) -> list[Block]:
    rates = {profile: constraint_rates(metrics, profile) for profile in PROFILES}
    shown = {profile: found for profile, found in rates.items() if found}
    if not shown:
        return []
    first = next(iter(shown.values()))
    keys = sorted({key for found in shown.values() for key in found}, key=lambda key: (_value(first.get(key)), key))
    rows = [
        [name(key, True), *(share(found.get(key), bar=True) for found in shown.values()),
         count(next(found[key]["n"] for found in shown.values() if key in found))]
        for key in keys
    ]  # fmt: skip
    table = Table("Pass rates, %", ("Constraint", *(PROFILE[p].capitalize() for p in shown), "n"), rows,
                  "Weakest first; the thin line is the 95 % interval. A name shows its violations.")  # fmt: skip
    return [table]


def _value(record: Record | None) -> float:
    value = (record or {}).get("value")
    return 2.0 if value is None else float(value)


def _group(label: str, values: Mapping[str, Record]) -> Table:
    """Return a breakdown: one row for each value of a label."""
    columns: dict[tuple[str, str], str] = {}
    for group in values.values():
        for profile in PROFILES:
            for key in names(group.get(profile) or {}):
                columns[profile, key] = f"{ACCURACIES.get(key, key.replace('_', ' '))}, {profile}"
        for key in ("correct", "correct_unconstrained", "correct_and_followed", "truncated"):
            if isinstance(group.get(key), Mapping):
                columns["", key] = key.replace("_", " ")
    rows = [
        [name(value), *(_grouped(group, *place) for place in columns), count(group.get("n"))]
        for value, group in values.items()
    ]
    title = _GROUPS.get(label, label.replace("_", " ").capitalize())
    return Table(f"{title}, %", (label.replace("_", " "), *columns.values(), "n"), rows, folded=len(rows) > 12)


def _grouped(group: Record, profile: str, key: str) -> Cell:
    scores: Any = group.get(profile) or {} if profile else group
    return share(within(scores, key, group.get("n")))
