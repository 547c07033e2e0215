"""What the report says of a run of several benchmarks: the table of the paper, a chart, and what everything cost."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from raif.benchmarks.table import BEYOND, OF_RAIF, TITLES, changes, load_table, remarks, same_figures
from raif.plots.suite import suite_figure
from raif.report.document import Block, Cell, Note, Record, Run, Section, Table, count, name, share
from raif.report.evaluation_page import evaluation_run
from raif.report.facts import settings_facts
from raif.report.figures import picture
from raif.report.runs import Folder

PROFILES = {"strict": "strict profile", "parity": "official profile"}
WORDS = (
    "The layout is that of the RAIF paper (arXiv 2506.01413, table 1): of each benchmark the number that the paper "
    "reports, greedy decoding, one judge. Brackets are 95 % intervals over items; below 20 items there are none. The "
    "strict profile is ours, corrected; the official profile repeats the published code on the same answers and "
    "replies, and only it can stand beside published numbers. The interval of the mean is joined from those of its "
    "parts (Zou and Donner 2008)."
)
_TOLD = ("data", "limit", "samples", "sampling", "system_prompt", "judge_mode", "official")
CHANGES = (
    "Changes against the first run, strict profile, in points; items are drawn in pairs. Each interval is a 95 % "
    "interval by itself, not adjusted for how many there are; the mean is over the paper's benchmarks that both have."
)


def suite_run(folder: Folder) -> Run:
    """Return the parts of a run of several benchmarks, and a section for each of them."""
    table = load_table(folder.path)
    blocks: list[Block] = [_paper(table), Note(WORDS)]
    if said := remarks(table):
        blocks.append(Note("What is not there, and what cannot be compared:", said))
    blocks += [picture(suite_figure({folder.label: table})), _rows(table), _cost(table)]
    notes = [f"{row['title']}: {row['note']}" for row in table["rows"] if row["note"]]
    if notes:
        blocks.append(Note("Before a number is compared with published ones:", notes))
    sections = [Section("result", "Result", blocks), *(_benchmark(folder, row) for row in table["rows"])]
    told = {key: value for key, value in table["settings"].items() if key in _TOLD and value}
    facts = settings_facts({**table, "settings": told}, {"Policy": table["model"], "Judge": table["judge"]})
    return Run("suite", folder.label, "Benchmarks", lede(table), facts, sections, results(table))


def lede(table: Record) -> str:
    """Say the mean of the paper's benchmarks, and over how many it is."""
    mean = table["average"]
    found = mean["profiles"]["strict"]
    if found["value"] is None:
        return f"{len(table['rows'])} benchmarks, none of the seven of the RAIF paper."
    cell = share(found)
    text = " ".join(filter(None, [f"{cell.text} %", cell.interval]))
    which = "the seven benchmarks" if mean["n"] == mean["of"] else f"{mean['n']} of the {mean['of']} benchmarks"
    return f"{text}: the mean over {which} of the RAIF paper, strict profile."


def results(table: Record) -> dict[str, Record]:
    """Return the figures by benchmark, for comparisons."""
    found = {f"{row['title']}: {row['metric']}": row["profiles"]["strict"] for row in table["rows"]}
    mean = table["average"]
    lacking = [TITLES[key] for key in OF_RAIF if key not in mean["names"]]
    label = f"{mean['title']}, without {', '.join(lacking)}" if lacking else mean["title"]
    return {**found, label: mean["profiles"]["strict"]} if mean["n"] > 1 else found


def suite_comparison(folders: Mapping[str, Path]) -> list[Block]:
    """Return runs of several models beside each other: a chart, and paired changes against the first."""
    if len(folders) < 2:
        return []
    tables = {label: load_table(path) for label, path in folders.items()}
    blocks: list[Block] = [picture(suite_figure(tables))]
    judges = {label: table["judge"] for label, table in tables.items()}
    if len(set(judges.values())) > 1:
        told = ", ".join(f"{label} by {judge}" for label, judge in judges.items())
        blocks.append(Note(f"Judged by different models ({told}): what differs may be the judge."))
    first, *others = folders
    found = {label: changes(folders[first], folders[label]) for label in others}
    names = [key for key in (*OF_RAIF, "mean", *BEYOND) if any(key in each for each in found.values())]
    rows = [[name(label), *(share(each.get(key), signed=True) for key in names)] for label, each in found.items()]
    heads = ["Mean" if key == "mean" else TITLES[key] for key in names]
    return [*blocks, Table(f"Changes against {first}, points", ("Run", *heads), rows, CHANGES)]


# ---- parts --------------------------------------------------------------------------------------------------------


def _paper(table: Record) -> Table:
    """Return the layout of the paper: a column for each benchmark, the mean after the seven."""
    heads, rows = ["Profile"], [[name(label)] for label in PROFILES.values()]
    present = {row["name"]: row for row in table["rows"]}
    for key in TITLES:
        heads.append(TITLES[key])
        for cells, profile in zip(rows, PROFILES, strict=True):
            missing = Cell("failed" if key in table["failed"] else "absent", quiet=True)
            cells.append(share(present[key]["profiles"][profile]) if key in present else missing)
        if key == list(OF_RAIF)[-1]:
            heads.append(table["average"]["title"])
            for cells, profile in zip(rows, PROFILES, strict=True):
                cells.append(share(table["average"]["profiles"][profile]))
    return Table(f"{table['model']}, %", heads, rows)


def _rows(table: Record) -> Table:
    rows = [
        [
            name(row["title"]), name(row["metric"]), share(row["profiles"]["strict"]),
            Cell("same", quiet=True) if same_figures(row) else share(row["profiles"]["parity"]),
            count(row["n"]), share(row["truncated"]), name(row["edition"]),
        ]
        for row in table["rows"]
    ]  # fmt: skip
    columns = ("Benchmark", "Number", "Strict, %", "Official, %", "n", "Truncated, %", "Edition")
    return Table("By benchmark", columns, rows)


def _cost(table: Record) -> Table:
    keys = ("policy_tokens", "judge_calls", "judge_tokens", "verdicts", "unreadable")
    rows = [[name(row["title"]), *(count(row[key]) for key in keys)] for row in table["rows"]]
    totals = [sum(row[key] or 0 for row in table["rows"]) for key in keys]
    rows.append([name("all"), *map(count, totals)])
    columns = ("Benchmark", "Policy tokens", "Judge calls", "Judge tokens", "Verdicts", "Unreadable")
    note = "Tokens are completion tokens, those of second tries too. A benchmark without calls is decided by rules."
    return Table("Cost", columns, rows, note)


def _benchmark(folder: Folder, row: Record) -> Section:
    """Return the report of one benchmark's own evaluation as a single section."""
    own = evaluation_run(Folder("evaluation", folder.path / row["name"], row["title"]))
    blocks = [block for section in own.sections for block in section.blocks]
    return Section(row["name"], row["title"], [Note(own.lede), *blocks])
