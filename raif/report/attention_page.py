"""What the report says of an attention analysis: how much of it goes to the constraint, and where."""

from __future__ import annotations

from raif.plots.attention import LABELS, attention_figures
from raif.report.document import NOTHING, Block, Cell, Note, Record, Run, Section, Table, count, name, p_value, ratio
from raif.report.facts import settings_facts
from raif.report.figures import picture
from raif.report.runs import Folder, read_json

WORDS = (
    "Enrichment is the share of the prompt's attention that goes to the constraint's tokens, divided by their share of "
    "the prompt's tokens: 1 is as much as an average token gets. The sink is left out; means over heads, layers and "
    "steps of the output. Brackets are 95 % intervals over items."
)
CONTROLS = {
    "constraint": "the constraint",
    "random_span": "a random span of the same length in the same prompt",
    "placebo": "the neutral sentence of the placebo arm",
}
MATCHED = {
    "length": "output length (fifths)",
    "family": "family of the constraint",
    "constraint_tokens": "tokens of the constraint",
    "all": "all of these",
}


def attention_run(folder: Folder) -> Run:
    """Return the parts of an attention analysis."""
    analysis = read_json(folder.path / "attention.json")
    facts = settings_facts(analysis, {"Model": analysis.get("model"), "Outputs": f"{analysis['n']:,}"})
    return Run("attention", folder.label, "Attention analysis", lede(analysis), facts, attention_sections(analysis))


def attention_sections(analysis: Record) -> list[Section]:
    """Return the sections of an attention analysis (the content of its `attention.json`)."""
    blocks: list[Block] = [
        Note(str(analysis["statement"])),
        groups_table(analysis),
        Note(WORDS),
        differences_table(analysis),
        controls_table(analysis),
        *map(picture, attention_figures(analysis)),
    ]
    if analysis.get("left_out"):
        left_out = [f"{why.replace('_', ' ')}: {n}" for why, n in analysis["left_out"].items()]
        blocks.append(Note("Rollouts left out and counted:", left_out))
    if analysis.get("notes"):
        blocks.append(Note("To be known:", analysis["notes"]))
    return [Section("attention", "Attention", blocks)]


def lede(analysis: Record) -> str:
    """Say in a sentence how the attention of failed and sustained outputs differs."""
    label = analysis["labels"]["solved"]
    good, bad = label["names"]
    difference = label["difference"]
    if difference.get("value") is None:
        why = label.get("reason") or "too little is known"
        return f"Whether {bad} outputs look at the constraint more cannot be said: {why}."
    text = f"The enrichment of the constraint's tokens in {bad} outputs, less that in {good} ones, is "
    text += f"{difference['value']:+.2f}"
    if difference.get("low") is not None:
        text += f" [{difference['low']:+.2f}, {difference['high']:+.2f}]"
    return f"{text}. This is correlational."


def groups_table(analysis: Record) -> Table:
    """Return the mean enrichment of every group."""
    rows = [
        [name(LABELS.get(key, key)), name(group), ratio(mean), count(n)]
        for key, label in analysis["labels"].items()
        for group, mean, n in zip(label["names"], label["means"], label["n"], strict=True)
    ]
    unscored = [f"{label['unscored']} ({LABELS.get(key, key)})" for key, label in analysis["labels"].items()]
    note = (
        f"n: items; one with outputs of both kinds is in both. Outputs of which nobody can say: {', '.join(unscored)}."
    )
    return Table("Enrichment of the constraint", ("Label", "Outputs", "Enrichment", "n"), rows, note)


def differences_table(analysis: Record) -> Table:
    """Return the differences between the groups: as they are, and within strata of what else may explain them."""
    rows = []
    for label in analysis["labels"].values():
        said = f"{label['names'][1]} less {label['names'][0]}"
        reason = label.get("reason", "")
        rows.append(_difference(said, "nothing", label, reason))
        for by, found in label["matched"].items():
            rows.append(_difference(said, MATCHED.get(by, by), found, reason))
        rows.append(_difference(f"{said}, random spans", "nothing", label["random_span"], reason))
    columns = ("Difference", "Matched on", "Enrichment", "p", "AUC", "strata", "n")
    note = (
        "p: permutation over items, within strata where there are any. AUC: how often one of the former has more than "
        "one of the latter. The random spans of the same prompts are the control: they should not differ."
    )
    return Table("Differences between the groups", columns, rows, note)


def controls_table(analysis: Record) -> Table:
    """Return the enrichment of the constraint beside that of its controls."""
    controls = analysis.get("controls") or {}
    absent = {"value": None, "reason": "not analysed"}
    rows = [
        [name(said), ratio(controls.get(key) or absent), _size(controls.get(key))] for key, said in CONTROLS.items()
    ]
    return Table("Controls", ("Tokens of", "Enrichment", "n"), rows, "A random span should lie at 1.")


def _difference(said: str, by: str, found: Record, reason: str) -> list[Cell]:
    difference = dict(found["difference"])
    if difference["value"] is None:
        difference["reason"] = reason or "no stratum has enough of both groups"
    cells = [ratio(difference, signed=True), p_value(found.get("p")), _auc(found.get("auc"))]
    return [name(said), name(by), *cells, count(found.get("strata")), count(difference["n"])]


def _auc(auc: float | None) -> Cell:
    return Cell(NOTHING) if auc is None else Cell(f"{auc:.2f}", value=auc)


def _size(estimate: Record | None) -> Cell:
    return count((estimate or {}).get("n"))
