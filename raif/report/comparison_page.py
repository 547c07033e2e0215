"""Several runs beside each other: how they differ, their results, and paired changes over the items they share."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from raif.evaluation.stats import Estimate, holm, item_means, mcnemar, paired_gain, power_note
from raif.report.document import Block, Cell, Note, Run, Section, Table, count, name, p_value, share
from raif.report.figures import comparison_pictures, heatmap
from raif.report.question_changes import question_changes, question_folders
from raif.report.runs import Folder
from raif.report.suite_page import suite_comparison
from raif.report.survey import Slot, Survey
from raif.report.sustain_comparison_page import comparison_blocks
from rewards.errors import RaifError

FIELDS = {
    "hard": "HAcc",
    "soft": "SAcc",
    "official_hard": "HAcc (parity)",
    "official_soft": "SAcc (parity)",
    "correct": "answer correct",
}
SIGNED = ("change", "NET", "DELTA")  # differences, of which the sign is shown
FIRST_LABEL = (
    " A question about an answer counts under its first label, and only with a readable verdict: the benchmark's own "
    "breakdowns may differ."
)
PAIRED = (
    "Changes against the first run over the items that both have decided, with 95 % bootstrap intervals over items. p "
    "is McNemar's exact test, where there is one sample an item; p (Holm) is adjusted for the whole table."
)


def comparison(runs: Sequence[Run], folders: Sequence[Folder], found: Survey) -> Section | None:
    """Return the comparison of several runs; None for a single one."""
    if len(runs) < 2:
        return None
    blocks: list[Block] = [_settings(runs)]
    if results := _results(runs):
        blocks.append(results)
    evaluations = {folder.label: folder.path for folder in folders if folder.kind == "evaluation"}
    blocks += _sustained({folder.label: folder.path for folder in folders if folder.kind == "sustain"})
    blocks += suite_comparison({folder.label: folder.path for folder in folders if folder.kind == "suite"})
    slots, asked = _main_slots(found), question_folders(folders)
    checked = [slot for slot in slots if runs[found.slots[slot].run].label not in asked]
    blocks += [*question_changes(folders), *_changes(runs, found, checked), *comparison_pictures(evaluations)]
    if len(slots) > 1:
        blocks += constraint_heatmap(runs, found, slots, FIRST_LABEL if asked else "")
    return Section("comparison", "Comparison", blocks)


def constraint_heatmap(runs: Sequence[Run], found: Survey, slots: Sequence[int], more: str = "") -> list[Block]:
    """Return pass rates by constraint and slot, as a picture and as a table; the seeds of an ablation are pooled.

    Args:
        more: a sentence for the note of the table.
    """
    columns: dict[str, list[int]] = {}
    for slot in slots:
        place = found.slots[slot]
        if runs[place.run].kind == "ablation":
            setting = re.sub(r"^seed-\d+/", "", place.name)
            place = place._replace(name=re.sub(r"^[^=,]+=([^=,]+)$", r"\1", setting))  # of one axis: its value
        columns.setdefault(slot_label(runs, place), []).append(slot)
    rates = {label: found.constraint_rates(members) for label, members in columns.items()}
    rates = {label: by_constraint for label, by_constraint in rates.items() if by_constraint}
    if not rates:
        return []
    keys = sorted({key for by_constraint in rates.values() for key in by_constraint})
    rows = [[name(key, True), *(_rate(by_constraint.get(key)) for by_constraint in rates.values())] for key in keys]
    note = f"Share of verdicts of the strict profile that are satisfied; a blocked constraint counts as failed.{more}"
    table = Table("Pass rates by constraint, %", ("Constraint", *rates), rows, note, folded=True)
    return [heatmap({label: _records(by_constraint) for label, by_constraint in rates.items()}), table]


def slot_label(runs: Sequence[Run], slot: Slot) -> str:
    """Return how a slot is called beside those of other runs."""
    if len(runs) == 1:
        return slot.name
    label = runs[slot.run].label
    return label if slot.name in ("constrained", "evaluation", "after", "training") else f"{label}, {slot.name}"


def _records(rates: Mapping[str, Estimate]) -> dict[str, dict[str, Any]]:
    return {name: estimate._asdict() for name, estimate in rates.items()}


def _rate(estimate: Estimate | None) -> Cell:
    return share(estimate._asdict() if estimate else None)


def _settings(runs: Sequence[Run]) -> Table | Note:
    """Return every fact that is not the same in all runs."""
    facts = [dict(run.facts) for run in runs]
    keys = dict.fromkeys(key for found in facts for key in found)
    differing = [key for key in keys if len({found.get(key) for found in facts}) > 1]
    rows = [[name("kind"), *(name(run.kind) for run in runs)]] if len({run.kind for run in runs}) > 1 else []
    rows += [[name(key), *(name(found.get(key)) for found in facts)] for key in differing]
    if not rows:
        return Note("All that is known of the settings is the same in all runs.")
    note = "What else is known of the settings is the same in all."
    return Table("Where the runs differ", ("Setting", *(run.label for run in runs)), rows, note)


def _results(runs: Sequence[Run]) -> Table | None:
    runs = [run for run in runs if run.results]
    if len(runs) < 2:
        return None
    keys = dict.fromkeys(key for run in runs for key in run.results)
    rows = [[name(key), *(share(run.results.get(key), signed=key.startswith(SIGNED)) for run in runs)] for key in keys]
    rows.append(
        [name("items"), *(count(max((e.get("n") or 0 for e in run.results.values()), default=None)) for run in runs)]
    )
    return Table("Results, %", ("Metric", *(run.label for run in runs)), rows)


def _sustained(folders: Mapping[str, Path]) -> list[Block]:
    """Return SUSTAIN evaluations of the same tasks beside each other, over own and common items."""
    if len(folders) < 2:
        return []
    from raif.sustain.comparing import Evaluation, compare
    from raif.sustain.runner import load_sustain

    try:
        found = compare([Evaluation(label, *load_sustain(path)) for label, path in folders.items()])
    except RaifError as error:
        return [Note(f"The SUSTAIN evaluations stand beside each other only by their own items: {error}")]
    return comparison_blocks(found)


def _main_slots(found: Survey) -> list[int]:
    """Return the evaluated slot of each run: that of the main arm, or the last one (after training)."""
    slots: dict[int, int] = {}
    for number, slot in enumerate(found.slots):
        if number in found.apart:
            continue
        main = slot.name == "constrained"
        if found.outcomes[number].fields["hard"] and (
            main or found.slots[slots.get(slot.run, number)].name != "constrained"
        ):
            slots[slot.run] = number
    return [slots[run] for run in sorted(slots)]


def _changes(runs: Sequence[Run], found: Survey, slots: Sequence[int]) -> list[Block]:
    if len(slots) < 2:
        return []
    drawn = []
    for other in slots[1:]:
        for field, label in FIELDS.items():
            first, second = (found.outcomes[slot].fields[field] for slot in (slots[0], other))
            gain, p = _change(first, second, field)
            if gain.n:
                drawn.append((slot_label(runs, found.slots[other]), label, gain, p))
    if not drawn:
        return [Note("The runs share no items, so that there is no paired comparison.")]
    known = {str(i): p for i, (_, _, _, p) in enumerate(drawn) if p is not None}
    adjusted = holm(known)
    rows = [
        [
            name(label),
            name(what),
            share(gain._asdict(), signed=True),
            p_value(p),
            p_value(adjusted.get(str(i))),
            count(gain.n),
        ]
        for i, (label, what, gain, p) in enumerate(drawn)
    ]
    title = f"Changes against {slot_label(runs, found.slots[slots[0]])}, points"
    columns = ("Run", "Of", "Change", "p", "p (Holm)", "n")
    return [Table(title, columns, rows, f"{PAIRED} {power_note(max(row[2].n for row in drawn))}")]


def _change(
    first: Sequence[tuple[str, float]], second: Sequence[tuple[str, float]], field: str
) -> tuple[Estimate, float | None]:
    """Return the paired change of item means, and McNemar's p of a yes or no over one sample an item."""
    before, after = (item_means([key for key, _ in side], [value for _, value in side]) for side in (first, second))
    shared = [key for key in before if key in after]
    pairs = [(before[key], after[key]) for key in shared]
    gain = paired_gain([a for a, _ in pairs], [b for _, b in pairs])
    single = len(before) == len(first) and len(after) == len(second)
    if "soft" in field or not single or not pairs:
        return gain, None
    return gain, mcnemar([bool(a) for a, _ in pairs], [bool(b) for _, b in pairs]).p
