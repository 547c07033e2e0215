"""What the report says of an experiment: its rule, every arm with its control, and the effects with their tests."""

from __future__ import annotations

from collections.abc import Mapping

from raif.report.document import Block, Cell, Note, Record, Run, Section, Table, amount, count, name, p_value, share
from raif.report.facts import settings_facts, shown
from raif.report.figures import experiment_pictures
from raif.report.runs import Folder, read_json

ARMS = {"treatment": "treatment", "control": "control", "baseline": "baseline"}
MEASURES = {
    "hacc": "HAcc",
    "sacc": "SAcc",
    "correct": "answer correct",
    "truncated": "truncated",
    "relative_drop": "relative drop of correctness",
}
CELLS = {
    "correct_followed": "both",
    "correct_unfollowed": "correct only",
    "wrong_followed": "followed only",
    "wrong_unfollowed": "neither",
    "truncated": "truncated",
}
CELL_SHARES = {
    "share_correct_followed": "both",
    "expected": "both if independent",
    "followed_if_correct": "followed if correct",
    "followed_if_wrong": "followed if wrong",
}
TOKENS = ("tokens", "thinking_tokens", "completion_tokens")
EFFECTS = (
    "Differences with 95 % intervals. p is of a two-sided test, p (Holm) adjusted for the number of effects here. An "
    "effect counts for something where it stands above its control's."
)


def experiment_run(folder: Folder) -> Run:
    """Return the parts of an experiment folder."""
    found = read_json(folder.path / "experiment.json")
    title = str(found.get("experiment", "experiment")).replace("_", " ")
    blocks: list[Block] = [*experiment_pictures(found)]
    if found.get("left_out"):
        blocks.append(Note("Left out and counted:", [f"{why}: {shown(n)}" for why, n in found["left_out"].items()]))
    blocks.append(rows_table(found.get("rows") or []))
    if found.get("effects"):
        blocks.append(effects_table(found["effects"]))
    sections = [Section("result", "Result", [Note(f"Rule: {found.get('rule', 'not stated.')}"), *blocks])]
    if found.get("cells"):
        sections.append(Section("cells", "Correct and followed", [_cells(found["cells"])]))
    facts = settings_facts(found, {"Experiment": title})
    return Run("experiment", folder.label, f"Experiment: {title}", _lede(found), facts, sections)


def rows_table(rows: list[Record]) -> Table:
    """Return the arms of an experiment, or its bins."""
    bins = any(row.get("low") is not None for row in rows)
    tokens = next((key for key in TOKENS if any(key in row for row in rows)), None)
    measured = [key for key in MEASURES if any(row.get(key) is not None for row in rows)]
    head = ["Condition", "Arm", *(["From", "To"] if bins else []), *(f"{MEASURES[key]}, %" for key in measured)]
    cells = []
    for row in rows:
        line = [name(row.get("label")), name(ARMS.get(row.get("arm", ""), row.get("arm")))]
        if bins:
            line += [amount(row.get("low")), amount(row.get("high"))]
        line += [share(row.get(key)) for key in measured]
        cells.append([*line, *([amount(row.get(tokens))] if tokens else []), count(row.get("n"))])
    return Table("Conditions", [*head, *(["Tokens"] if tokens else []), "n"], cells)


def effects_table(effects: list[Record]) -> Table:
    """Return effects with their intervals and p values."""
    rows = [
        [name(effect.get("name")), name(MEASURES.get(effect.get("metric", ""), effect.get("metric"))), _effect(effect),
         p_value(effect.get("p")), p_value(effect.get("p_holm")), count((effect.get("estimate") or {}).get("n"))]
        for effect in effects
    ]  # fmt: skip
    return Table("Effects", ("Effect", "Of", "Difference", "p", "p (Holm)", "n"), rows, EFFECTS)


def _effect(effect: Record) -> Cell:
    shares = effect.get("metric") in MEASURES or effect.get("metric") in ("hard", "soft")
    return (share if shares else amount)(effect.get("estimate"), signed=True)


def _lede(found: Record) -> str:
    effects = [
        effect for effect in found.get("effects") or () if (effect.get("estimate") or {}).get("value") is not None
    ]
    clear = [effect for effect in effects if effect.get("p_holm") is not None and effect["p_holm"] < 0.05]
    if not effects:
        return "No effect could be estimated."
    return f"{len(clear)} of {len(effects)} effects differ from 0 at the 5 % level after Holm's correction."


def _cells(groups: Mapping[str, Record]) -> Table:
    """Return the four cells of correct against followed, by source, with the tests of independence."""
    rows = []
    for label, cell in groups.items():
        counts = [count(cell.get(key)) for key in CELLS]
        shares = [share(cell.get(key)) for key in CELL_SHARES]
        tests = [amount(cell.get("phi")), amount(cell.get("odds_ratio")), p_value(cell.get("fisher_p"))]
        rows.append([name(label), *counts, *shares, *tests])
    heads = [*CELLS.values(), *(f"{head}, %" for head in CELL_SHARES.values()), "phi", "odds ratio", "p (Fisher)"]
    return Table("Correct and followed", ["Items", *heads], rows)
