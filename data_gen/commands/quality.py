"""`quality`: one pass over a data set that says what must not be in it, and how much there is of what."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, get_args

import typer
from rich.console import Console
from rich.table import Table

from data_gen.commands.console import console, counted, rows_of, say
from data_gen.progress import progress_bars
from data_gen.quality.contradictions import Clash, contradictions, redundancies
from data_gen.quality.decontamination import BenchmarkFile, Decontaminator
from data_gen.quality.files import instructions, write_json
from rewards.errors import RaifError
from rewards.instruction import Instruction

SHOWN = 10  # findings of a kind that are told in full; all are counted
SUITES = tuple(name for name in get_args(BenchmarkFile.model_fields["suite"].annotation) if name != "jsonl")


def quality(
    folder: Annotated[Path, typer.Argument(help="A data folder, or a file of instructions.")],
    more: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=PATH", help="Further benchmarks, after --benchmarks.")
    ] = None,
    benchmarks: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PATH",
            help="Items that must not be in the data: a JSONL file or a folder of them. Several may follow, or the "
            f"option is given again. {', '.join(SUITES)} are read with their constraints, others as texts.",
        ),
    ] = None,
    fields: Annotated[str, typer.Option(help="The fields that hold texts in other benchmarks.")] = "prompt",
    out: Annotated[Path | None, typer.Option(dir_okay=False, help="Write all counts, and findings, as JSON.")] = None,
) -> None:
    """Look for contradictions, redundancies and leaks of benchmarks; exit code 1 if any but redundancies are found."""
    given = parse_benchmarks([*(benchmarks or []), *(more or [])], fields)
    found = QualityPass(Decontaminator.from_files(given) if given else None)
    with progress_bars(console) as bars:
        for task in bars.track(instructions(folder), rows_of(folder), description="quality"):
            found.add(task)
    if not found.rows:
        raise RaifError(f"{folder} holds no instructions; make them with `python -m data_gen`.")
    if out is not None:
        write_json(out, {"data": str(folder), **found.record()})
    Console().print(found.table())
    for line in found.told():
        say(line)
    say(f"{folder}: {found.verdict()}")
    if not found.is_clean:
        raise typer.Exit(1)


def parse_benchmarks(texts: list[str], fields: str = "prompt") -> list[BenchmarkFile]:
    """Read what benchmarks are named on the command line.

    Example:
        >>> [each.suite for each in parse_benchmarks(["mathif=data/mathif", "ours=tasks.jsonl"])]
        ['mathif', 'jsonl']
    """
    found = []
    for text in texts:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise RaifError(f"benchmark {text!r} must be NAME=PATH, such as mathif=data/mathif.")
        suite: Any = name if name in SUITES else "jsonl"
        columns = tuple(fields.replace(",", " ").split())
        found.append(BenchmarkFile(name=name, path=path, suite=suite, fields=columns))
    return found


class QualityPass:
    """Counts over the instructions of a data set while they stream by."""

    def __init__(self, benchmarks: Decontaminator | None = None) -> None:
        self.benchmarks = benchmarks
        self.rows = 0
        self.counts: dict[str, Counter[str]] = {name: Counter() for name in ("splits", "languages")}
        self.contradictions, self.redundancies, self.leaks = _Found(), _Found(), _Found()

    def add(self, task: Instruction) -> None:
        """Look at one instruction."""
        self.rows += 1
        self.counts["splits"][task.split] += 1
        self.counts["languages"][task.language] += 1
        self.contradictions.add(task.id, [_clash(clash) for clash in contradictions(task.tree)])
        self.redundancies.add(task.id, [_clash(clash) for clash in redundancies(task.tree)])
        reason = "" if self.benchmarks is None else self.benchmarks.reason(task)
        self.leaks.add(task.id, [(reason, "")] if reason else [])

    @property
    def is_clean(self) -> bool:
        """Whether nothing was found that must not be in the data."""
        return not (self.contradictions.rows or self.leaks.rows)

    def verdict(self) -> str:
        """Return the outcome in a line."""
        found = {"that contradict themselves": self.contradictions.rows, "from a benchmark": self.leaks.rows}
        compared = "compared with no benchmark"
        if self.benchmarks is not None:
            compared = f"compared with {sum(self.benchmarks.items.values()):,} items of benchmarks"
        return f"{self.rows:,} instructions, {compared}; {'clean' if self.is_clean else counted(found)}"

    def record(self) -> dict[str, Any]:
        """Return all counts, and the first findings of each kind, as JSON values."""
        found = {"contradictions": self.contradictions, "redundancies": self.redundancies, "leaks": self.leaks}
        return {
            "rows": self.rows,
            **{name: dict(counts.most_common()) for name, counts in self.counts.items()},
            "clean": self.is_clean,
            **{name: each.record() for name, each in found.items()},
            "decontamination": None if self.benchmarks is None else self.benchmarks.record,
        }

    def table(self) -> Table:
        """Return the counts as a table."""
        table = Table("finding", "rows", "share")
        for column in table.columns[1:]:
            column.justify = "right"
        self._add_row(table, "instructions", self.rows)
        for counts in self.counts.values():
            for name, rows in counts.most_common():
                self._add_row(table, f"  {name}", rows)
        self._add_row(table, "contradictions", self.contradictions.rows)
        for reason, rows in self.contradictions.reasons.most_common(SHOWN):
            self._add_row(table, f"  {reason}", rows)
        self._add_row(table, "redundancies", self.redundancies.rows)
        if self.benchmarks is None:
            table.add_row("leaks", "not checked", "")
            return table
        self._add_row(table, "leaks", self.leaks.rows)
        for reason, rows in self.leaks.reasons.most_common():
            self._add_row(table, f"  {reason}", rows)
        return table

    def told(self) -> list[str]:
        """Return the first contradictions and leaks, a line each."""
        kinds = {"contradiction": self.contradictions, "leak": self.leaks}
        return [
            ": ".join(filter(None, (f"{kind} in {row['id']}", row["reason"], row["detail"])))
            for kind, found in kinds.items()
            for row in found.first
        ]

    def _add_row(self, table: Table, name: str, rows: int) -> None:
        table.add_row(name, f"{rows:,}", f"{100 * rows / self.rows:.1f} %")


class _Found:
    """Findings of one kind: the rows that have any, how often each reason was given, and the first of them."""

    def __init__(self) -> None:
        self.rows = 0
        self.reasons: Counter[str] = Counter()
        self.first: list[dict[str, str]] = []

    def add(self, row_id: str, found: list[tuple[str, str]]) -> None:
        self.rows += bool(found)
        self.reasons.update({reason for reason, _ in found})
        for reason, detail in found[: SHOWN - len(self.first)]:
            self.first.append({"id": row_id, "reason": reason, "detail": detail})

    def record(self) -> dict[str, Any]:
        return {"rows": self.rows, "reasons": dict(self.reasons.most_common()), "first": self.first}


def _clash(clash: Clash) -> tuple[str, str]:
    """Return the types of a clash, by which it is counted, and what is at issue where."""
    return " with ".join(clash.types), f"{clash.paths[0]}, {clash.paths[1]}: {clash.reason}"
