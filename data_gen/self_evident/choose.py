"""Which of the extracted constraints an item gets: by hash, so that the same inputs give the same constraints."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from data_gen.self_evident.extract import CODE_GROUPS, TEXT_GROUPS, Candidate
from data_gen.self_evident.families import WORDING_COUNT
from rewards.errors import RaifError, unknown_name

DOSES = (1, 2, 3, 5, 8)
_GROUPS = tuple(dict.fromkeys((*TEXT_GROUPS, *CODE_GROUPS)))


def _hash(*parts: object) -> bytes:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).digest()


def assign_groups(available: Mapping[str, Collection[str]], seed: int | str) -> dict[str, str]:
    """Give every item one of its groups, such that the groups are about equally frequent.

    They are exactly so, give or take one, where every item has a candidate in every group.

    Args:
        available: the groups of which each item, by id, has a candidate; items without any are left out.
        seed: another seed gives another assignment.

    Example:
        >>> assigned = assign_groups({str(n): ("length", "keyword") for n in range(10)}, seed=0)
        >>> sorted(Counter(assigned.values()).values())
        [5, 5]
    """
    used: Counter[str] = Counter()
    assigned = {}
    # Items with few groups first: they cannot make up for what the others take.
    order = sorted(available, key=lambda item: (len(set(available[item])), _hash(seed, item)))
    for item in order:
        groups = sorted(set(available[item]))
        if not groups:
            continue
        group = min(groups, key=lambda name: (used[name], _hash(seed, item, name)))
        used[group] += 1
        assigned[item] = group
    return {item: assigned[item] for item in available if item in assigned}


def choose(
    candidates: Sequence[Candidate], item_id: str, seed: int | str, group: str | None = None
) -> Candidate | None:
    """Return the one constraint of an item, or None where it has none.

    Args:
        candidates: what `extract` returned, in any order.
        item_id: the item, whose id decides together with `seed`.
        group: the group to choose from, as `assign_groups` gave it; by hash where none is named.

    Raises:
        RaifError: if there is no such group, or the item has no candidate in it.
    """
    if group is not None and group not in _GROUPS:
        raise unknown_name("group of self-evident constraints", group, _GROUPS, "See `TEXT_GROUPS` and `CODE_GROUPS`.")
    groups = sorted({each.group for each in candidates})
    if not groups:
        return None
    chosen = group or min(groups, key=lambda name: _hash(seed, item_id, name))
    members = [each for each in candidates if each.group == chosen]
    if not members:
        raise RaifError(f"item {item_id!r} has no candidate in group {chosen!r}; it has: {', '.join(groups)}.")
    return min(members, key=lambda each: _rank(each, item_id, seed))


def _rank(candidate: Candidate, item_id: str, seed: int | str) -> bytes:
    return _hash(seed, item_id, candidate.group, candidate.family, sorted(candidate.slots.items()))


def ordered(
    candidates: Sequence[Candidate], item_id: str, seed: int | str, group: str | None = None
) -> list[Candidate]:
    """Return the constraints of an item in the order in which doses take them.

    The first is the one of `choose`; then the groups take turns, its own first. Of constraints on the same thing
    only the first is kept, for one of them may imply the other.
    """
    first = choose(candidates, item_id, seed, group)
    if first is None:
        return []
    names = sorted(
        {each.group for each in candidates}, key=lambda name: (name != first.group, _hash(seed, item_id, name))
    )
    columns = [
        sorted((each for each in candidates if each.group == name), key=lambda each: _rank(each, item_id, seed))
        for name in names
    ]
    taken: dict[str, Candidate] = {}
    while any(columns):
        for column in columns:
            column[:] = [each for each in column if each.key not in taken]
            if column:
                taken[column[0].key] = column[0]
    return list(taken.values())


def doses(
    candidates: Sequence[Candidate],
    item_id: str,
    seed: int | str,
    group: str | None = None,
    sizes: Iterable[int] = DOSES,
) -> dict[int, tuple[Candidate, ...]]:
    """Return nested sets of constraints by size; a size for which there are too few is left out.

    Example:
        >>> from data_gen.self_evident.extract import extract
        >>> found = extract("Name a river.", "The Nile is a long river in Africa.", None, "en")
        >>> sets = doses(found, "item-1", seed=0)
        >>> list(sets), sets[1] == sets[3][:1], sets[3] == sets[8][:3]
        ([1, 2, 3, 5, 8], True, True)
    """
    order = ordered(candidates, item_id, seed, group)
    return {size: tuple(order[:size]) for size in sizes if size <= len(order)}


def wording_of(candidate: Candidate, item_id: str, seed: int | str) -> int:
    """Return which of the three wordings of its family a constraint gets in an item."""
    return _hash("wording", seed, item_id, candidate.family)[0] % WORDING_COUNT
