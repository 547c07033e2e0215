"""The tables of one domain of a SUSTAIN evaluation, made of its record in `metrics.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from raif.report.document import (
    Block,
    Cell,
    Note,
    Record,
    Table,
    amount,
    count,
    item_links,
    name,
    p_value,
    reasons_once,
    share,
)

SCORES = {
    "net": "NET, points",
    "sustain": "SUSTAIN",
    "retest": "RETEST",
    "placebo": "PLACEBO",
    "relative": "RELATIVE",
    "comply": "COMPLY",
    "comply_unasked": "COMPLY unasked",
    "accuracy": "Accuracy, first pass",
    "delta_acc": "DELTA_ACC, points",
    "delta_placebo": "DELTA placebo, points",
    "delta_net": "DELTA net, points",
}
MEANINGS = (
    "RELATIVE = SUSTAIN / PLACEBO. COMPLY unasked: the same constraints in the RETEST outputs, which were not asked "
    "for them. DELTA placebo is DELTA_ACC with the neutral sentence, DELTA net the difference of the two. p: McNemar's "
    "exact test for one output an item, else by flipping signs."
)
GATES = {
    "soundness": "soundness: its own output breaks it",
    "leak": "leak: it reveals the answer",
    "demanded": "demanded: the task says it already",
    "scorer": "scorer: it may forbid the form of an answer",
    "stability": "stability: trivial edits turn it",
}
METHODS = {"wilson": "Wilson"}
SIGNED = ("net", "delta_acc", "delta_placebo", "delta_net")
LEFT_OUT = {
    "unsolved": "left out: not solved at first",
    "truncated": "left out: cut off at first",
    "undecided": "left out: score undecided",
    "no_constraint": "left out: solved, but without an admissible constraint",
}
ARMS = {
    "first": "first pass",
    "retest": "RETEST",
    "placebo": "PLACEBO",
    "constrained": "constrained",
}
KINDS = {
    "by_group": ("Groups of constraints", "Group", "groups"),
    "by_family": ("Families of constraints", "Family", ""),
    "by_tightness": ("Tightness of the constraint", "Tightness", "tightness"),
    "by_source": ("Sources and labels of the tasks", "Source", ""),
}
TIGHTNESS = (
    "inert: at least 95 % of other solved outputs meet the constraint unasked; tight: at most 25 %; unknown: too few "
    "other outputs to tell."
)


def scores(record: Record) -> Table:
    """Return every score with its interval, test and meaning."""
    rows = [_score(key, record.get(key)) for key in SCORES if record.get(key) is not None]
    for key, found in (record.get("graded") or {}).items():
        rows.append([name(f"{SCORES.get(key, key)} graded"), share(found), p_value(None), *_size(found)])
    note = f"{MEANINGS} Control of NET: {record['net'].get('control') or 'none'}."
    gained, lost = (record["net"].get(key) for key in ("gained", "lost"))
    if gained is not None and lost is not None:
        note += f" Against it {lost} items were lost and {gained} gained."
    if record.get("graded"):
        note += " Graded: token F1, as the ratio of its sum to that of the first outputs."
    if record.get("delta_without"):
        note += f" {record['delta_without']} tasks without a constraint enter DELTA with their RETEST output."
    return Table("Scores", ("Score, %", "Value", "p", "n", "Interval by"), rows, note)


def coverage(record: Record) -> Table:
    """Return how tasks became items of D+, and why the others did not."""
    rows = [
        [name("tasks"), count(record.get("n")), share(None)],
        [name("solved at first, % of the tasks"), count(record.get("n_solved")), share(_ratio(record))],
        [name("in D+, % of the solved (coverage)"), count(record.get("n_dplus")), share(record.get("coverage"))],
    ]
    for reason, found in (record.get("left_out") or {}).items():
        rows.append([name(LEFT_OUT.get(reason, f"left out: {reason}")), count(found), share(None)])
    if record.get("undecided"):
        rows.append([name("in D+, but undecided in an arm; in no score"), count(record["undecided"]), share(None)])
    rows.append([name("failed: scorer or checker raised; in no number"), count(record.get("failed")), share(None)])
    return Table("From tasks to D+", ("Items", "n", "%"), rows)


def refused(record: Record) -> Table:
    """Return how many candidate constraints each gate refused."""
    found = record.get("rejects") or {}
    rows = [[name(GATES.get(gate, gate)), count(found.get(gate, 0))] for gate in dict.fromkeys([*GATES, *found])]
    mean = record.get("candidates")
    note = "" if mean is None else f"{mean:.1f} candidates passed the gates, in the mean over the first outputs read."
    return Table("Constraints refused by a gate", ("Gate", "n"), rows, note)


def table(found: Record) -> Table:
    """Return the four cells of right answers and met constraints, in outputs under one constraint."""
    whole = sum(found.get(f"{row}_{column}") or 0 for row in ("right", "wrong") for column in ("met", "broken"))
    rows = [
        [name(row), *(_part(found.get(f"{row}_{column}"), whole) for column in ("met", "broken"))]
        for row in ("right", "wrong")
    ]
    note = "Outputs of D+ under one constraint. Wrong and met is the signature of interference."
    if found.get("undecided"):
        note += f" Undecided: {found['undecided']:,}."
    return Table("Right answer and met constraint", ("Answer", "met", "broken"), rows, note)


def association(found: Record) -> str:
    """Return the test of independence of the four cells as a sentence."""
    test = found.get("association")
    if not test or test.get("p") is None:
        return ""
    p = "below 0.001" if test["p"] < 0.001 else f"{test['p']:.3f}"
    phi = "" if test.get("phi") is None else f"phi {test['phi']:+.2f}, "
    n = sum(test[cell] for cell in ("both", "first_only", "second_only", "neither"))
    return f"Whether right answers and met constraints are independent, over {n} items: {phi}Fisher's exact p {p}."


def doses(record: Record) -> list[Block]:
    """Return the scores by number of constraints in the prompt."""
    titles = {"doses": "By number of constraints", "doses_common": "By number of constraints, common items"}
    notes = {
        "doses": "Each dose over the items of D+ that have it.",
        "doses_common": "Over the items that have every dose of the run.",
    }
    columns = ("Constraints", "SUSTAIN, %", "PLACEBO, %", "NET, points", "each met, %", "all met, %", "n")
    found: list[Block] = []
    if len({row["n"] for row in record.get("doses") or ()}) < 2:  # the common items are all
        titles.pop("doses_common")
        notes["doses"] = "Every item of D+ that was compared has every dose."
    for key, title in titles.items():
        rows = [_dose(row) for row in record.get(key) or ()]
        found.append(Table(title, columns, rows, notes[key]) if rows else Note(f"{title}: no item has every dose."))
    return found


def breakdowns(record: Record) -> list[Block]:
    """Return the scores by kind of constraint and by source, with Holm's correction within each table."""
    found: list[Block] = []
    for key, (title, column, counts) in KINDS.items():
        kinds, sizes = record.get(key) or {}, (record.get(counts) or {}) if counts else {}
        rows = [_kind(label, kinds.get(label) or {}, sizes.get(label)) for label in dict.fromkeys([*sizes, *kinds])]
        note = "p (Holm) is adjusted for the rows of this table."
        note += f" {TIGHTNESS}" if key == "by_tightness" else ""
        columns = (column, "NET, points", "p", "p (Holm)", "SUSTAIN, %", "PLACEBO, %", "COMPLY, %", "n")
        if rows:
            found.append(Table(title, columns, rows, note, folded=len(rows) > 12))
    return found


def failures(record: Record) -> Table:
    """Return how solved items were lost, with examples that open in the rollout browser."""
    rows = [
        [name(label.replace("_", " ")), count(found.get("n")), share(found.get("share")), count(found.get("met")),
         count(found.get("broken")), item_links([example["id"] for example in found.get("examples") or ()])]
        for label, found in (record.get("failures") or {}).items()
    ]  # fmt: skip
    note = (
        "Outputs of D+ that turned wrong under one constraint, by the first class that fits. An example opens its item."
    )
    columns = ("Class", "n", "%", "met", "broken", "Examples")
    return Table("How solved tasks were lost", columns, rows, note)


def arms(record: Record) -> Table:
    """Return truncation and length of every arm."""
    cut, tokens = record.get("truncation") or {}, record.get("tokens") or {}
    rows = [[name(ARMS.get(arm, arm)), share(cut.get(arm)), amount(tokens.get(arm)), *_size(cut.get(arm))[:1]]
            for arm in dict.fromkeys([*cut, *tokens])]  # fmt: skip
    return Table("Truncation and length by arm", ("Arm", "truncated, %", "tokens", "n"), rows)


# ---- parts --------------------------------------------------------------------------------------------------------


def _score(key: str, found: Any) -> list[Cell]:
    estimate = found.get("estimate", found)
    return [name(SCORES[key]), share(estimate, signed=key in SIGNED), p_value(found.get("p")), *_size(estimate)]


def _size(estimate: Record | None) -> list[Cell]:
    """Return n and the method of the interval."""
    found = estimate or {}
    method = found.get("method") or ("bootstrap" if found.get("low") is not None else "")
    return [
        count(found.get("n")),
        Cell(METHODS.get(method, method) or "–", value=method or None, quiet=True, left=True),
    ]


def _part(found: int | None, whole: int) -> Cell:
    if found is None:
        return count(None)
    return Cell(f"{found:,}", f"{100 * found / whole:.1f} %" if whole else "", found)


def _dose(row: Record) -> list[Cell]:
    shares = [share(row.get("sustain")), share(row.get("placebo")), share(row.get("net"), signed=True)]
    met = [share(row.get(key)) for key in ("comply_each", "comply_all")]
    return [name(str(row["dose"])), *reasons_once([*shares, *met]), count(row.get("n"))]


def _kind(label: str, found: Record, size: int | None) -> list[Cell]:
    net: Mapping[str, Any] = found.get("net") or {}
    tests = [p_value(net.get("p")), p_value(net.get("p_holm"))]
    shares = [share(found.get(key)) for key in ("sustain", "placebo", "comply")]
    n, loss = count(found.get("n", size)), share(net.get("estimate"), signed=True)
    return [name(label.replace("_", " ")), *reasons_once([loss, *tests, *shares]), n]


def _ratio(record: Record) -> float | None:
    n, solved = record.get("n"), record.get("n_solved")
    return solved / n if n and solved is not None else None
