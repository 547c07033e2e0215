"""`taxonomy`: which dimensions of the taxonomies the constraint types, or the demands of a data set, cover."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from data_gen.commands.console import console, rows_of, say
from data_gen.progress import progress_bars
from rewards.errors import unknown_name

if TYPE_CHECKING:
    from data_gen.taxonomy import Report


def taxonomy(
    folder: Annotated[
        Path | None, typer.Argument(help="A data folder or a file of instructions; by default all types there are.")
    ] = None,
    scheme: Annotated[str | None, typer.Option(help="Only this taxonomy, such as cfbench.")] = None,
) -> None:
    """Print how the taxonomies are covered, as markdown; demands are counted, a soft one by its dimension."""
    from data_gen.taxonomy import coverage, render_coverage, schemes

    if scheme is not None and scheme not in schemes():
        raise unknown_name("taxonomy", scheme, schemes(), "Choose one of them, or leave --scheme out for all.")
    counts = demand_counts(folder) if folder is not None else _all_types()
    report = coverage(counts.types, counts.soft)
    if scheme is not None:
        report = only(report, scheme)
    sys.stdout.write(render_coverage(report) + "\n")
    sys.stdout.flush()
    covered = len(report.dimensions) - len(report.uncovered)
    other = f"; {counts.other:,} soft demands of other origin belong to no dimension" if counts.other else ""
    subject = "the constraint types" if folder is None else str(folder)
    say(f"{subject}: {covered} of {len(report.dimensions)} dimensions are covered{other}")


class DemandCounts(NamedTuple):
    """How many demands there are by constraint type and by soft dimension, and soft ones of no known dimension."""

    types: Mapping[str, int]
    soft: Mapping[str, int]
    other: int = 0


def demand_counts(folder: Path) -> DemandCounts:
    """Count the demands of a data set in one pass."""
    from data_gen.quality.files import instructions
    from data_gen.soft import soft_bank
    from rewards.judged import Judged

    types, soft, other = Counter[str](), Counter[str](), 0
    with progress_bars(console) as bars:
        for task in bars.track(instructions(folder), rows_of(folder), description="count"):
            for constraint in task.constraints:
                if not isinstance(constraint, Judged):
                    types[constraint.type] += 1
                elif (dimension := soft_bank().dimension_of(constraint.question)) is not None:
                    soft[dimension] += 1
                else:
                    other += 1
    return DemandCounts(types, soft, other)


def _all_types() -> DemandCounts:
    from data_gen.soft import soft_bank
    from rewards.constraint import known_constraints

    return DemandCounts(dict.fromkeys(known_constraints(), 1), dict.fromkeys(soft_bank().dimensions, 1))


def only(report: Report, scheme: str) -> Report:
    """Return the part of a report that is about one taxonomy."""
    from data_gen.taxonomy import Report

    return Report(
        tuple(each for each in report.schemes if each.path == scheme),
        tuple(each for each in report.groups if each.path.startswith(f"{scheme}/")),
        tuple(each for each in report.dimensions if each.path.startswith(f"{scheme}/")),
    )
