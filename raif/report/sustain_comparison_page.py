"""What the report says of models compared by SUSTAIN: over their own solved items, and over those that all solve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from raif.plots.sustain import DOMAINS, comparison_figures
from raif.report.document import Block, Cell, Note, Record, Run, Section, Table, count, name, p_value, share
from raif.report.facts import settings_facts, shown
from raif.report.figures import picture
from raif.report.runs import Folder, read_json
from raif.report.sustain_page import COLUMNS, SIGNED, STATEMENT, score_cells

SETS = {"common": "Items that all solve", "own": "Each model's own solved items"}
ALL_TASKS = ("accuracy", "delta_acc")  # of all tasks: over items that all solve they say nothing new
PAIRS = (
    "The second model less the first, in points. Own items differ between models, so that their scores mix the model "
    "with how hard its items are: read the common items. p (Holm) is adjusted for the pairs of one set and score."
)


def sustain_comparison_run(folder: Folder) -> Run:
    """Return the parts of a comparison of models."""
    found = read_json(folder.path / "comparison.json")
    sections = []
    for number, (key, figure) in enumerate(zip(found["domains"], comparison_figures(found), strict=True)):
        said = [] if number else [Note(STATEMENT), Note(f"Rule: {found.get('rule', 'not stated.')}")]
        blocks = [*said, picture(figure), *domain_tables(key, found["domains"][key])]
        sections.append(Section(key, DOMAINS.get(key, key), blocks))
    if found.get("held_out"):
        sections.append(Section("held-out", "Held-out families", held_out(found["held_out"])))
    facts = settings_facts(found, {"Models": shown(found["models"])})
    return Run("comparison of models", folder.label, "SUSTAIN, models compared", lede(found), facts, sections)


def comparison_blocks(found: Record) -> list[Block]:
    """Return the tables and charts of a comparison (the content of `comparison.json`) for a page of several runs."""
    figures = [picture(figure) for figure in comparison_figures(found)]
    tables = [table for key, record in found["domains"].items() for table in domain_tables(key, record, True)]
    return [*figures, *tables]


def domain_tables(key: str, record: Record, named: bool = False) -> list[Block]:
    """Return both sets, the ranking and the pairs of one domain; `named` puts its name into the titles."""
    prefix = f"{DOMAINS.get(key, key)}: " if named else ""
    n = record.get("n_common")
    blocks: list[Block] = []
    for where, said in SETS.items():
        scores = record.get(where) or {}
        columns = {key: label for key, label in COLUMNS.items() if where == "own" or key not in ALL_TASKS}
        rows = [[name(model), *score_cells(scores[model], columns), count(scores[model].get("n"))] for model in scores]
        blocks.append(Table(f"{prefix}{said if not named else said.lower()}", ("Model", *columns.values(), "n"), rows))
    blocks.append(Note(f"{prefix}{_ranked(record.get('ranking') or (), n)}"))
    if record.get("pairs"):
        blocks.append(_pairs(record["pairs"], prefix))
    if record.get("seeds"):
        blocks.append(_seeds(record["seeds"], prefix))
    return blocks


def held_out(found: Record) -> list[Block]:
    """Return the scores under families of constraints that were kept out of training."""
    blocks: list[Block] = [Note(f"Families kept out of training: {shown(found['families'])}.")]
    if found.get("absent"):
        blocks.append(Note("Of these no item has a constraint:", found["absent"]))
    for where, said in SETS.items():
        rows = [
            [name(model), share(record.get("net"), signed=True), share(record.get("sustain")),
             share(record.get("comply")), count(record.get("n"))]
            for model, record in (found.get(where) or {}).items()
        ]  # fmt: skip
        if rows:
            blocks.append(Table(said, ("Model", "NET, points", "SUSTAIN, %", "COMPLY, %", "n"), rows))
    return blocks


def lede(found: Record) -> str:
    """Say which model loses least."""
    key = "all" if "all" in found["domains"] else next(iter(found["domains"]))
    return _ranked(found["domains"][key].get("ranking") or (), found["domains"][key].get("n_common"))


def _ranked(ranking: Sequence[str], n: int | None) -> str:
    items = f"the {n or 0:,} items that all models solve"
    if not ranking:
        return f"No ranking: too little is known over {items}."
    return f"By NET over {items}, smallest loss first: {', '.join(ranking)}."


def _pairs(pairs: Sequence[Record], prefix: str) -> Table:
    rows = [
        [name(f"{pair['first']} → {pair['second']}"), name(SETS.get(pair["set"], pair["set"])),
         name(pair["metric"].upper()), *_test(pair)]
        for pair in pairs
    ]  # fmt: skip
    columns = ("Models", "Over", "Of", "Difference, points", "p", "p (Holm)", "n")
    return Table(
        f"{prefix}pairs of models" if prefix else "Pairs of models", columns, rows, PAIRS, folded=len(rows) > 12
    )


def _seeds(seeds: Mapping[str, Record], prefix: str) -> Table:
    """Return the spread of the seeds of every recipe, over own items."""
    rows = [
        [name(model), *(share(found.get(metric), signed=metric in SIGNED) for metric in COLUMNS),
         count(max((found[metric]["n"] for metric in COLUMNS if metric in found), default=None))]
        for model, found in seeds.items()
    ]  # fmt: skip
    note = "Means over seeds, each on its own items, with 95 % intervals by Student's t; n is the number of seeds."
    return Table(f"{prefix}seeds" if prefix else "Seeds", ("Recipe", *COLUMNS.values(), "seeds"), rows, note)


def _test(pair: Record) -> list[Cell]:
    estimate = pair.get("estimate") or {}
    tests = [p_value(pair.get("p")), p_value(pair.get("p_holm"))]
    return [share(estimate, signed=True), *tests, count(estimate.get("n"))]
