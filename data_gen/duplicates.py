"""Find rows whose id an earlier row has, among millions, and make them again until their ids are new."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from data_gen.pool import Chunk, Job, Makers, cut, tally_of
from data_gen.shards import NewFile, Shard, ShardFolder, Tally
from rewards.errors import RaifError
from rewards.instruction import parse_line

MAX_SALT = 100
_DIGITS = 16  # of an id
_NOWHERE = 1 << 62


class Duplicates:
    """Rows that must be made again, taken in row order, so that every row depends on those before it alone.

    Args:
        ids: the ids of all rows, as unsigned 64-bit numbers.

    Example:
        >>> rows = Duplicates(np.array([7, 8, 7, 9], dtype=np.uint64))
        >>> rows.pop(3), rows.is_taken(8, 2), rows.is_taken(9, 2)
        (2, True, False)
        >>> rows.replace(2, 9)
        >>> rows.pop(4)
        3
    """

    def __init__(self, ids: NDArray[np.uint64]) -> None:
        self._values, self._first = np.unique(ids, return_index=True)
        again = np.ones(len(ids), dtype=bool)
        again[self._first] = False
        self._known = np.flatnonzero(again)
        self._taken_out = 0
        self._displaced: list[int] = []  # rows whose id a replaced row before them now has; a heap
        self._replaced: set[int] = set()

    def known(self, begin: int, end: int) -> list[int]:
        """Return the rows from `begin` to before `end` that were duplicates from the start."""
        low, high = np.searchsorted(self._known, [begin, end])
        rows: list[int] = self._known[low:high].tolist()
        return rows

    def pop(self, end: int) -> int | None:
        """Take out the first duplicate before row `end`, if there is one."""
        known = int(self._known[self._taken_out]) if self._taken_out < len(self._known) else _NOWHERE
        displaced = self._displaced[0] if self._displaced else _NOWHERE
        if min(known, displaced) >= end:
            return None
        if displaced < known:
            return heappop(self._displaced)
        self._taken_out += 1
        return known

    def is_taken(self, number: int, row: int) -> bool:
        """Tell whether a row before `row` has an id."""
        return number in self._replaced or self._first_row(number) < row

    def replace(self, row: int, number: int) -> None:
        """Give a row another id; a later row that had it becomes a duplicate."""
        self._replaced.add(number)
        later = self._first_row(number)
        if row < later < _NOWHERE:
            heappush(self._displaced, later)

    def _first_row(self, number: int) -> int:
        place = int(np.searchsorted(self._values, np.uint64(number)))
        is_there = place < len(self._values) and int(self._values[place]) == number
        return int(self._first[place]) if is_there else _NOWHERE


class _Row(NamedTuple):
    line: bytes
    id: str


class Renewal:
    """Makes duplicates again, in row order.

    A row depends on those before it alone. So the outcome is the same wherever a run is killed, and whichever shards
    have to be made a second time.

    Args:
        folder: what holds the shards.
        shards: all of them, complete, in row order.
        makers: what makes rows.
        progress: called with the number of rows replaced so far.
    """

    def __init__(
        self, folder: ShardFolder, shards: Sequence[Shard], makers: Makers, progress: Callable[[int], None]
    ) -> None:
        self._folder, self._shards, self._makers, self._progress = folder, shards, makers, progress
        ids = [np.frombuffer(bytes.fromhex(folder.sure_note(shard).ids), dtype=">u8") for shard in shards]
        self._duplicates = Duplicates(np.concatenate(ids).astype(np.uint64) if ids else np.zeros(0, np.uint64))
        self._renewed = 0

    def run(self) -> None:
        """Rewrite the shards that hold duplicates.

        Raises:
            RaifError: if a row stays a duplicate.
        """
        begin = 0
        for shard in self._shards:
            row = self._duplicates.pop(begin + len(shard.rows))
            if row is not None:
                self._rewrite(shard, begin, row)
            begin += len(shard.rows)

    def _rewrite(self, shard: Shard, begin: int, row: int | None) -> None:
        """Write a shard again; `begin` is its first row in the whole set, `row` its first duplicate."""
        note, path, end = self._folder.sure_note(shard), self._folder.path / shard.file, begin + len(shard.rows)
        tally, ids = note.counts, [note.ids[place : place + _DIGITS] for place in range(0, len(note.ids), _DIGITS)]
        known = dict.fromkeys(self._duplicates.known(begin, end))
        first_tries = self._first_tries(shard, [shard.rows[number - begin] for number in known], tally)
        with NewFile(path) as file, path.open("rb") as lines:
            for number, line in enumerate(lines, begin):
                if number != row:
                    file.write(line)
                    continue
                first = next(first_tries) if number in known else None
                new = self._new_row(shard, number, begin, first, tally)
                tally.update(tally_of(parse_line(new.line.decode(), str(path))))
                tally.subtract(tally_of(parse_line(line.decode(), str(path))))
                ids[number - begin] = new.id
                file.write(new.line)
                row = self._duplicates.pop(end)
            self._folder.drop_note(shard)  # after a kill here it is made from the start, as its note may not fit it
        self._folder.write_note(shard, file, tally, "".join(ids))

    def _first_tries(self, shard: Shard, rows: list[int], tally: Tally) -> Iterator[_Row]:
        for chunk in self._makers.make(cut(shard.stage, rows, salt=1)):
            _count_rejected(chunk, tally)
            yield from map(_Row, chunk.lines, chunk.ids)

    def _new_row(self, shard: Shard, number: int, begin: int, first: _Row | None, tally: Tally) -> _Row:
        row = shard.rows[number - begin]
        for salt in range(1, MAX_SALT + 1):
            tally["rejected", "drawn before"] += 1
            found = first if first is not None and salt == 1 else self._try(Job(shard.stage, [row], salt), tally)
            if not self._duplicates.is_taken(int(found.id, 16), number):
                self._duplicates.replace(number, int(found.id, 16))
                self._renewed += 1
                self._progress(self._renewed)
                return found
        raise RaifError(
            f"the recipe allows too few different instructions: row {row} of {shard.stage} became one that is there "
            f"already {MAX_SALT} times. Lower `counts`, or add seeds and constraints."
        )

    def _try(self, job: Job, tally: Tally) -> _Row:
        chunk = self._makers.here(job)
        _count_rejected(chunk, tally)
        return _Row(chunk.lines[0], chunk.ids[0])


def _count_rejected(chunk: Chunk, tally: Tally) -> None:
    tally.update({key: count for key, count in chunk.tally.items() if key[0] == "rejected"})
