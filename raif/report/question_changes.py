"""Paired changes of a question benchmark's own figures between evaluations of the same items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from raif.benchmarks import BENCHMARKS, benchmark
from raif.benchmarks.figures import Figure, ScoreRow, differences, score_row
from raif.benchmarks.suite import PROFILES, SCORES
from raif.evaluation.stats import Estimate, power_note
from raif.report.document import Block, Cell, Note, Record, Table, count, name, ratio, share
from raif.report.question_facts import judges_differ
from raif.report.runs import Folder, read_json
from raif.rollouts import read_jsonl

WORDS = (
    "Changes of the benchmark's own figures against the first run, over the units (items, or groups of items that "
    "belong together) of which both have answers, drawn in pairs; n counts them. Each interval is a 95 % interval by "
    "itself, not adjusted for how many there are; below 20 there is none."
)


def question_folders(folders: Sequence[Folder]) -> dict[str, dict[str, Any]]:
    """Return the metrics of the evaluations of question benchmarks, by label."""
    found = {each.label: read_json(each.path / "metrics.json") for each in folders if each.kind == "evaluation"}
    return {label: metrics for label, metrics in found.items() if metrics.get("kind") == "questions"}


def question_changes(folders: Sequence[Folder]) -> list[Block]:
    """Return a table for each benchmark that several folders evaluate; where there is none, say why."""
    paths = {each.label: each.path for each in folders}
    by_suite: dict[str, dict[str, Record]] = {}
    for label, metrics in question_folders(folders).items():
        by_suite.setdefault(metrics["suite"], {})[label] = metrics
    blocks: list[Block] = []
    for found in by_suite.values():
        blocks += _benchmark(found, paths)
    return blocks


def _benchmark(found: Mapping[str, Record], paths: Mapping[str, Path]) -> list[Block]:
    """Compare the evaluations of one benchmark with the first of them."""
    first, *others = found
    title = found[first]["title"]
    if not others:
        return [Note(f"{title}: {first} is its only run here, so that there is no paired comparison.")]
    reasons = {
        label: why for label in others if (why := _unlike(found[first], found[label], paths[first], paths[label]))
    }
    blocks: list[Block] = [
        Note(f"{title}: {label} is not compared with {first}: {why}.") for label, why in reasons.items()
    ]
    compared = [label for label in others if label not in reasons]
    if compared:
        same = {label: metrics for label, metrics in found.items() if label not in reasons}
        blocks += [*filter(None, [judges_differ(same)]), *_table(title, first, compared, found[first]["suite"], paths)]
    return blocks


def _unlike(first: Record, other: Record, *paths: Path) -> str:
    """Say why two evaluations of a benchmark cannot be compared in pairs."""
    digests = [metrics["settings"]["items"] for metrics in (first, other)]
    if digests[0] != digests[1]:
        return f"it is of other items ({digests[1]}, not {digests[0]})"
    if first["suite"] not in BENCHMARKS:
        return "the figures of a benchmark of one's own are known to its module alone"
    if missing := [path for path in paths if not (path / SCORES).is_file()]:
        return (
            f"{missing[0]} keeps no {SCORES}; `raif evaluate {first['suite']} --data DATA --replay-verdicts "
            f"{missing[0]} --out OUT` makes it, and asks no judge"
        )
    return ""


def _table(title: str, first: str, others: Sequence[str], suite: str, paths: Mapping[str, Path]) -> list[Block]:
    figures = benchmark(suite).figures
    before = read_scores(paths[first] / SCORES)
    rows: dict[str, list[list[Cell]]] = {figure.name: [] for figure in figures}
    sizes = [0]
    for label in others:
        after = read_scores(paths[label] / SCORES)
        found = {profile: differences(figures, before[profile], after[profile]) for profile in PROFILES}
        for figure in figures:
            pair = [found[profile][figure.name] for profile in PROFILES]
            if any(each.value is not None for each in pair):
                rows[figure.name].append(_row(label, figure, pair))
                sizes.append(pair[0].n)
    absent = [figure.title for figure in figures if not rows[figure.name]]
    if len(absent) == len(figures):
        return [
            Note(f"{title}: no item is answered in {first} and in another run, so that there is no paired comparison.")
        ]
    note = f"{WORDS} {power_note(max(sizes))}" + (f" Without a value: {', '.join(absent)}." if absent else "")
    columns = ("Run", "Of", "Strict", "Parity", "n")
    return [Table(f"{title}: changes against {first}", columns, [row for each in rows.values() for row in each], note)]


def _row(label: str, figure: Figure, pair: Sequence[Estimate]) -> list[Cell]:
    of = f"{figure.title}, points" if figure.percent else figure.title
    cells = [(share if figure.percent else ratio)(each._asdict(), signed=True) for each in pair]
    sizes = list(dict.fromkeys(each.n for each in pair))
    n = count(sizes[0]) if len(sizes) == 1 else Cell(" / ".join(map(str, sizes)), value=sizes, quiet=True)
    return [name(label), name(of), *cells, n]


def read_scores(path: Path) -> dict[str, list[ScoreRow]]:
    """Return the score rows of an evaluation folder by profile."""
    found: dict[str, list[ScoreRow]] = {profile: [] for profile in PROFILES}
    for line in read_jsonl(path):
        found[line["profile"]].append(score_row(line))
    return found
