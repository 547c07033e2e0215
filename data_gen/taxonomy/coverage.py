"""How well a data set covers the taxonomies: which types and soft demands of each dimension occur, and how often."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from data_gen.soft import soft_bank
from data_gen.taxonomy.schemes import Dimension, schemes
from rewards.constraint import known_constraints, read_off_constraints
from rewards.errors import unknown_name


class Covered(NamedTuple):
    """What is covered of a scheme, a group or a dimension.

    Fields:
        path: as in `types_of`.
        types: how many constraint types belong to it.
        types_seen: how many of them occur.
        soft: how many soft dimensions belong to it.
        soft_seen: how many of them occur.
        demands: how many demands fall under it; one that fits several places of a scheme is counted once in each of
            them and once in what holds them.
        missing: the types and soft dimensions that never occur, types first.
    """

    path: str
    types: int
    types_seen: int
    soft: int
    soft_seen: int
    demands: int
    missing: tuple[str, ...]

    @property
    def covered(self) -> bool:
        """Whether anything of it occurs."""
        return self.types_seen + self.soft_seen > 0


class Report(NamedTuple):
    """The coverage of every scheme: `schemes`, `groups` and `dimensions` in the order of the data files."""

    schemes: tuple[Covered, ...]
    groups: tuple[Covered, ...]
    dimensions: tuple[Covered, ...]

    @property
    def uncovered(self) -> tuple[str, ...]:
        """The dimensions of which nothing occurs."""
        return tuple(each.path for each in self.dimensions if not each.covered)


def coverage(counts_by_type: Mapping[str, int], counts_by_soft: Mapping[str, int] | None = None) -> Report:
    """Report what a data set covers.

    Args:
        counts_by_type: how many demands there are of each registered constraint type; those that are only read off
            outputs belong to no taxonomy.
        counts_by_soft: how many there are of each dimension of the soft bank (`SoftBank.dimension_of` tells which).

    Raises:
        RaifError: if a type or soft dimension is unknown.

    Example:
        >>> report = coverage({"punctuation:no_comma": 3}, {"tone": 2})
        >>> [(each.path, each.demands) for each in report.schemes if each.path in ("mathif", "complexbench")]
        [('complexbench', 5), ('mathif', 3)]
    """
    soft = counts_by_soft or {}
    _known("constraint type", counts_by_type, {**known_constraints(), **read_off_constraints()})
    _known("soft dimension", soft, soft_bank().dimensions)
    whole, groups, dimensions = [], [], []
    for scheme in schemes().values():
        whole.append(_covered(scheme.name, scheme.dimensions, counts_by_type, soft))
        for group in scheme.groups:
            members = [each for each in scheme.dimensions if each.group == group]
            groups.append(_covered(f"{scheme.name}/{group}", members, counts_by_type, soft))
        dimensions += [_covered(each.path, [each], counts_by_type, soft) for each in scheme.dimensions]
    return Report(tuple(whole), tuple(groups), tuple(dimensions))


def _known(kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    choices = set(known)
    for name in names:
        if name not in choices:
            raise unknown_name(kind, name, choices, "Counts are by registered type and by soft dimension.")


def _covered(
    path: str, members: Iterable[Dimension], by_type: Mapping[str, int], by_soft: Mapping[str, int]
) -> Covered:
    held = list(members)
    types = sorted({name for each in held for name in each.types})
    soft = sorted({name for each in held for name in each.soft})
    missing_types = [name for name in types if not by_type.get(name)]
    missing_soft = [name for name in soft if not by_soft.get(name)]
    count = sum(by_type.get(name, 0) for name in types) + sum(by_soft.get(name, 0) for name in soft)
    seen = (len(types) - len(missing_types), len(soft) - len(missing_soft))
    return Covered(path, len(types), seen[0], len(soft), seen[1], count, (*missing_types, *missing_soft))


_HEAD = "| dimension | types | soft | demands | missing |\n|---|---|---|---|---|"
_NAMED = 6  # missing names in a cell; the report itself holds all


def render_coverage(report: Report) -> str:
    """Return a report as markdown: one table per scheme, its dimensions as rows, its sum in the heading.

    Example:
        >>> print(render_coverage(coverage({"affix:quotation": 7})).split("### mathif")[1].splitlines()[0])
        : 1 of 18 types, 0 of 0 soft, 7 demands
    """
    return "\n\n".join(_table(scheme, report) for scheme in report.schemes)


def _table(scheme: Covered, report: Report) -> str:
    rows = [each for each in report.dimensions if each.path.startswith(f"{scheme.path}/")]
    heading = (
        f"### {scheme.path}: {scheme.types_seen} of {scheme.types} types, "
        f"{scheme.soft_seen} of {scheme.soft} soft, {scheme.demands} demands"
    )
    return "\n".join([heading, "", _HEAD, *(_row(each, scheme.path) for each in rows)])


def _row(each: Covered, scheme: str) -> str:
    named = ", ".join(each.missing[:_NAMED])
    more = len(each.missing) - _NAMED
    missing = f"{named} and {more} more" if more > 0 else named
    place = each.path.removeprefix(f"{scheme}/") + ("" if each.covered else " (uncovered)")
    return f"| {place} | {each.types_seen}/{each.types} | {each.soft_seen}/{each.soft} | {each.demands} | {missing} |"
