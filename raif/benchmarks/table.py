"""The table of a combined run, in the layout of the RAIF paper (arXiv 2506.01413, table 1), and comparisons of models.

Of each benchmark it shows the number that the paper reports; the average is over the paper's seven.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from raif.benchmarks.figures import Figure, ScoreRow, differences, score_row
from raif.benchmarks.protocol import Benchmark
from raif.benchmarks.suite import PROFILES, SCORES, QuestionSuite
from raif.evaluation.comparison import estimate_of, with_interval
from raif.evaluation.records import EvaluatedRollout
from raif.evaluation.runner import load_evaluation
from raif.evaluation.stats import Estimate
from raif.json_files import read_record, write_whole
from raif.rollouts import read_jsonl
from raif.suites.protocol import Suite
from raif.sustain.estimates import macro
from raif.versions import commit, versions
from rewards.errors import RaifError

TABLE, MARKDOWN = "table.json", "table.md"
SCHEMA_VERSION = 1
OF_RAIF = {
    "ifeval": "IFEval",
    "cello": "CELLO",
    "cfbench": "CFBench",
    "complexbench": "ComplexBench",
    "fbbench": "FB-Bench",
    "followbench": "FollowBench",
    "infobench": "InfoBench",
}
BEYOND = {"ifbench": "IFBench", "mathif": "MathIF"}
TITLES = {**OF_RAIF, **BEYOND}
ALL = tuple(TITLES)
#: What is shown of benchmarks whose checks are rules: the figure, in words, and what an item's record calls it.
_CHECKED = {
    "ifeval": ("prompt_loose", "prompt level, loose", "prompt_loose"),
    "ifbench": ("prompt_loose", "prompt level, loose", "prompt_loose"),
    "mathif": ("hacc", "HAcc", "hard"),
}
_OF_PAPER = {"followbench": "raif_22"}  # where it is not the benchmark's own headline
AVERAGE = "Avg."
Record = Mapping[str, Any]


class Shown(NamedTuple):
    """The figure of a benchmark that the table shows: its name, in words, and how it is made of rows."""

    name: str
    title: str
    figure: Figure


def shown_of(name: str) -> Shown:
    """Return the figure that the table shows of a benchmark."""
    if name in _CHECKED:
        key, title, _ = _CHECKED[name]
        return Shown(key, title, Figure(key, title, key))
    from raif.benchmarks import benchmark

    figure = _of_paper(benchmark(name))
    return Shown(figure.name, figure.title, figure)


def row_of(name: str, suite: Suite, folder: Path) -> dict[str, Any]:
    """Return the row of a finished benchmark: its figure in both profiles, truncation, and what it cost."""
    metrics, rollouts = load_evaluation(folder)
    shown, judge = shown_of(name), metrics.get("judge") or {}
    first = (metrics.get("headline") or {}).get("profile", "strict")
    profiles = {profile: _estimate(metrics, shown.name, profile) for profile in PROFILES}
    return {
        "name": name,
        "title": TITLES[name],
        "metric": shown.title,
        "profile": first,
        **profiles[first],
        "profiles": profiles,
        "truncated": metrics["truncated"],
        "policy_tokens": _sum(rollout.completion_tokens for rollout in rollouts),
        "judge": judge.get("name"),
        "judge_calls": judge.get("calls"),
        "judge_tokens": judge.get("completion_tokens"),
        "verdicts": judge.get("verdicts"),
        "unreadable": judge.get("unreadable"),
        "warning": judge.get("warning") or "",
        "edition": metrics.get("edition") or f"{metrics['n']} items",
        "items": metrics["settings"]["items"],
        "note": suite.benchmark.note(metrics) if isinstance(suite, QuestionSuite) else "",
    }


def scores_of(name: str, suite: Suite, folder: Path) -> list[tuple[str, ScoreRow]]:
    """Return what the figure of a finished benchmark is made of, with the profile of each row."""
    if isinstance(suite, QuestionSuite):
        return [(line["profile"], score_row(line)) for line in read_jsonl(folder / SCORES)]
    key, _, field = _CHECKED[name]
    rollouts: list[EvaluatedRollout] = load_evaluation(folder)[1]
    found = [(rollout.instruction_id, suite.item_record(rollout)) for rollout in rollouts]
    return [
        (profile, ScoreRow(unit, {key: (float(record[profile][field]), 1.0)}))
        for profile in PROFILES
        for unit, record in found
        if record[profile][field] is not None
    ]


def make_table(
    out: Path,
    finished: Sequence[tuple[str, Suite]],
    settings: Record,
    absent: Mapping[str, str],
    failed: Mapping[str, str],
) -> dict[str, Any]:
    """Write the table of a run, as JSON and Markdown, and what its figures are made of; return it.

    Args:
        finished: name and suite of each benchmark of this start whose folder is complete; what the table holds
            of others, from an earlier start, stays.
        absent, failed: why others are not there, by name.
    """
    now = {name for name, _ in finished}
    before = [
        row for row in (read_record(out / TABLE)["rows"] if (out / TABLE).is_file() else []) if row["name"] not in now
    ]
    rows = [*(row_of(name, suite, out / name) for name, suite in finished), *before]
    rows.sort(key=lambda row: ALL.index(row["name"]))
    kept = {row["name"] for row in before}
    lines = [line for line in read_jsonl(out / SCORES) if line["benchmark"] in kept] + [
        {"benchmark": name, "profile": profile, **row._asdict()}
        for name, suite in finished
        for profile, row in scores_of(name, suite, out / name)
    ]
    table = {
        "schema_version": SCHEMA_VERSION,
        "suite": "suite",
        "model": settings["generator"].get("model"),
        "judge": (settings.get("judge") or {}).get("model"),
        "rows": rows,
        "average": average(rows, bool(settings.get("limit"))),
        "absent": dict(absent),
        "failed": dict(failed),
        "warning": next((row["warning"] for row in rows if row["warning"]), ""),
        "settings": dict(settings),
        "versions": versions(),
        "commit": commit(),
    }
    write_whole(out / SCORES, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    write_whole(out / TABLE, json.dumps(table, ensure_ascii=False, indent=1) + "\n")
    write_whole(out / MARKDOWN, markdown(table))
    return table


def average(rows: Sequence[Record], limited: bool = False) -> dict[str, Any]:
    """Return the mean over the paper's benchmarks that are there, with the interval joined from theirs.

    It is called `Avg.`, and can stand beside the paper's, only if all seven are there, with all their items.

    Returns: title, n (of benchmarks), of (seven), the names, and an estimate for each profile.
    """
    there = [row for row in rows if row["name"] in OF_RAIF and row["value"] is not None]
    whole = len(there) == len(OF_RAIF) and not limited
    title = AVERAGE if whole else f"Mean of {len(there)} of {len(OF_RAIF)}"
    found = {profile: joined([row["profiles"][profile] for row in there]) for profile in PROFILES}
    names = [row["name"] for row in there]
    return {"title": title, "n": len(there), "of": len(OF_RAIF), "names": names, "profiles": found}


def joined(estimates: Sequence[Record]) -> dict[str, Any]:
    """Return the plain mean of independent estimates, with its interval joined from theirs (see `macro`).

    Example:
        >>> one = {"value": 0.9, "low": 0.8, "high": 0.95, "n": 50}
        >>> [round(x, 3) for x in joined([one, {**one, "value": 0.7, "low": 0.6, "high": 0.8}]).values()]
        [0.8, 0.729, 0.856, 100]
    """
    known = [each for each in estimates if each["value"] is not None]
    found = macro(known)
    value = sum(each["value"] for each in known) / len(known) if known else None
    return {"value": value, "low": found["low"], "high": found["high"], "n": found["n"]}


def load_table(folder: Path) -> dict[str, Any]:
    """Return the table of a run.

    Raises:
        RaifError: if there is none.
    """
    if not (folder / TABLE).is_file():
        raise RaifError(f"no combined run in {folder}; `raif evaluate suite` makes one.")
    return read_record(folder / TABLE)


# ---- several models -----------------------------------------------------------------------------------------------


def changes(before: Path, after: Path, profile: str = "strict") -> dict[str, dict[str, Any]]:
    """Return the paired change of every benchmark that two runs share, by name, and that of their mean (`mean`).

    Items are drawn in pairs. A benchmark of which the two runs have other items has a reason in place of a value.
    """
    tables = [load_table(folder) for folder in (before, after)]
    rows = [{row["name"]: row for row in table["rows"]} for table in tables]
    scores = [_read_scores(folder / SCORES, profile) for folder in (before, after)]
    found: dict[str, dict[str, Any]] = {}
    for name in ALL:
        if name not in rows[0] or name not in rows[1]:
            continue
        if rows[0][name]["items"] != rows[1][name]["items"]:
            found[name] = {"value": None, "low": None, "high": None, "n": 0, "reason": "of other items"}
            continue
        figure = shown_of(name).figure
        first, second = (side.get(name, []) for side in scores)
        found[name] = differences([figure], first, second)[figure.name]._asdict()
    of_raif = [each for name, each in found.items() if name in OF_RAIF and each["value"] is not None]
    if len(of_raif) > 1:
        found["mean"] = {**joined(of_raif), "over": len(of_raif)}
    return found


# ---- as text ------------------------------------------------------------------------------------------------------


def markdown(table: Record) -> str:
    """Return the table as Markdown: the layout of the paper, then a line for each benchmark."""
    columns = [row["title"] for row in table["rows"]]
    split = sum(row["name"] in OF_RAIF for row in table["rows"])
    head = ["Model", *columns[:split], table["average"]["title"], *columns[split:]]
    lines = [f"# {table['model']}", "", *_grid(head, [_paper_row(table, profile) for profile in PROFILES]), ""]
    lines += [*_grid(DETAILS, [details(row) for row in table["rows"]]), "", *_remarks(table)]
    return "\n".join(lines).rstrip() + "\n"


DETAILS = (
    *("Benchmark", "Number", "Strict [95 %]", "Official [95 %]", "n", "Truncated, %", "Policy tokens"),
    *("Judge calls", "Judge tokens", "Unreadable", "Edition"),
)


def _paper_row(table: Record, profile: str) -> list[str]:
    cells = [_percent(row["profiles"][profile]) for row in table["rows"]]
    split = sum(row["name"] in OF_RAIF for row in table["rows"])
    name = f"{table['model']}, {'official' if profile == 'parity' else 'strict'}"
    return [name, *cells[:split], _percent(table["average"]["profiles"][profile]), *cells[split:]]


def details(row: Record) -> list[str]:
    """Return the line of a benchmark, under DETAILS."""
    same = same_figures(row)
    return [
        row["title"], row["metric"], _interval(row["profiles"]["strict"]),
        ("same" if row["n"] else "") if same else _interval(row["profiles"]["parity"]), f"{row['n']}",
        _percent(row["truncated"] or {}),
        *(_count(row[key]) for key in ("policy_tokens", "judge_calls", "judge_tokens", "unreadable")), row["edition"],
    ]  # fmt: skip


def mean_cells(mean: Record) -> list[str]:
    """Return the mean as a line under the first of DETAILS."""
    strict, parity = (_interval(mean["profiles"][profile]) for profile in PROFILES)
    return [mean["title"], "", strict, "same" if strict == parity else parity, "", ""]


def same_figures(row: Record) -> bool:
    """Tell whether both profiles read alike."""
    strict, parity = (row["profiles"][profile] for profile in PROFILES)
    return _interval(strict) == _interval(parity)


def _remarks(table: Record) -> list[str]:
    """Return what a reader must know of the numbers, as lines of a list."""
    return [f"- {text}" for text in remarks(table)]


def remarks(table: Record) -> list[str]:
    """Say what is not there, what cannot be compared, and who judged."""
    found = [f"{TITLES[name]} is absent: {_one_line(why)}" for name, why in table["absent"].items()]
    found += [f"{TITLES[name]} has failed: {_one_line(why)}" for name, why in table["failed"].items()]
    unknown = [row for row in table["rows"] if row["value"] is None]
    found += [f"{row['title']} has no {row['metric']} over so few items." for row in unknown]
    mean = table["average"]
    left_out = [TITLES[name] for name in OF_RAIF if name not in mean["names"]]
    if left_out and mean["names"]:
        found.append(f"The mean is not the paper's average: it lacks {', '.join(left_out)}.")
    if limit := table["settings"].get("limit"):
        found.append(f"At most {limit} items of each benchmark: no number can stand beside published ones.")
    if table["warning"]:
        found.append(table["warning"])
    return found


# ---- parts --------------------------------------------------------------------------------------------------------


def _of_paper(adapter: Benchmark) -> Figure:
    """Return the figure that the paper reports: the headline, where it is no other."""
    name = _OF_PAPER.get(adapter.name, adapter.figures[0].name)
    return next(figure for figure in adapter.figures if figure.name == name)


def _estimate(metrics: Record, name: str, profile: str) -> dict[str, Any]:
    found = estimate_of(metrics, name, profile)
    return {key: found[key] for key in Estimate._fields}


def _sum(tokens: Iterable[int | None]) -> int | None:
    known = list(tokens)
    return None if any(count is None for count in known) else sum(count or 0 for count in known)


def _read_scores(path: Path, profile: str) -> dict[str, list[ScoreRow]]:
    found: dict[str, list[ScoreRow]] = {}
    for line in read_jsonl(path):
        if line["profile"] == profile:
            found.setdefault(line["benchmark"], []).append(score_row(line))
    return found


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines]


def _percent(estimate: Record) -> str:
    value = estimate.get("value")
    return "" if value is None else f"{100 * value:.2f}"


def _interval(estimate: Record) -> str:
    ends = None if estimate.get("low") is None else [estimate["low"], estimate["high"]]
    return with_interval(estimate.get("value"), ends)


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
