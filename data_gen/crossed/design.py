"""Which constraints a problem gets: three in a certain order, of which the levels take the first none, one, two, three.

So the same problem stands at every level, and what a level adds is the only difference. The three are drawn by seeded
sampling without replacement: the ids used least come first, with chance among equals. Their order is the one that
lets every id occur equally often at every position. The mix of ids is then the same at every level and in every
source, and neither is confounded with the number of constraints. Where the problems of a source are too few for that,
what is used least among all sources comes first.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import permutations
from random import Random
from typing import NamedTuple

from data_gen.crossed.kinds import KEYWORDS, LEAST, LESS, Drawing, Kind, at_odds
from data_gen.crossed.problems import Problem
from data_gen.crossed.verdicts import Demand, Task
from data_gen.crossed.witnesses import find_witness

DEPTH = 3
REDRAWS = 3  # of the arguments of an id, before another takes its place
MOST_TRIES = 400  # for one problem


class Demanded(NamedTuple):
    """A demand and the kind it is of."""

    kind: Kind
    demand: Demand


class Crossed(NamedTuple):
    """A problem with its demands, in order, and a witness for each level: of none of them, the first, and so on."""

    problem: Problem
    demanded: tuple[Demanded, ...]
    witnesses: tuple[str, ...]

    def task(self, number: int) -> Task:
        """Return the problem under its first demands."""
        return Task(self.problem.question, self.problem.answer, tuple(each.demand for each in self.demanded[:number]))


class Design:
    """Draws the constraints of one source's problems.

    Args:
        kinds: the ids to draw.
        seed: with the id of a problem it decides every draw for it.
        drop_silent: whether to leave out what a response without words satisfies.
        others: the designs of the sources before.
    """

    def __init__(
        self, kinds: Sequence[Kind], seed: int, drop_silent: bool = False, others: Sequence[Design] = ()
    ) -> None:
        self.kinds = [kind for kind in kinds if not (drop_silent and kind.silent)]
        self.relations = (LEAST,) if drop_silent else (LEAST, LESS)
        self.seed = seed
        self.before: list[list[Counter[str]]] = [other.used for other in others]
        self.used: list[Counter[str]] = [Counter() for _ in range(DEPTH)]
        self.refused = Counter[str]()

    def cross(self, problem: Problem) -> Crossed | None:
        """Return a problem crossed with constraints, or None where no three of them have a witness together."""
        rng = Random(f"{self.seed} {problem.id}")
        found = _Search(self, problem, rng).extend((), "")
        if found is None:
            return None
        demanded = self._ordered(found[0], rng)
        crossed = Crossed(problem, demanded, ())
        levels = [_best(problem, crossed.task(number), found[1]) for number in range(DEPTH)]
        for position, each in enumerate(demanded):
            self.used[position][each.kind.id] += 1
        return crossed._replace(witnesses=(*levels, found[1]))

    def candidates(self, taken: Sequence[Demanded], rng: Random) -> list[Kind]:
        """Return the kinds that may be added to those taken, the ones least used first."""
        here = sum(self.used, Counter[str]())
        elsewhere = sum((used for positions in self.before for used in positions), Counter[str]())
        free = [kind for kind in self.kinds if not any(at_odds(kind.id, each.kind.id) for each in taken)]
        rng.shuffle(free)
        return sorted(free, key=lambda kind: (here[kind.id], elsewhere[kind.id]))

    def _ordered(self, demanded: Sequence[Demanded], rng: Random) -> tuple[Demanded, ...]:
        """Return the order whose ids stood least often where it puts them."""
        orders = list(permutations(demanded))
        rng.shuffle(orders)
        return min(orders, key=lambda order: (_crowding(order, [self.used]), _crowding(order, self.before)))


def _crowding(order: Sequence[Demanded], designs: Sequence[Sequence[Counter[str]]]) -> int:
    """Return how often the ids stood where an order puts them, the most frequent ones weighing most."""
    return sum(sum(used[i][each.kind.id] for used in designs) ** 2 for i, each in enumerate(order))


def _best(problem: Problem, task: Task, strongest: str) -> str:
    """Return a witness of some of the demands: one made for them alone, or that of all."""
    found = find_witness(task, problem.solutions)
    return found.text if found.verdicts.perfect else strongest


class _Search:
    """The search for one problem: a constraint is kept only with a witness of it and those before."""

    def __init__(self, design: Design, problem: Problem, rng: Random) -> None:
        self.design, self.problem, self.rng = design, problem, rng
        self._tries = MOST_TRIES

    def extend(self, taken: tuple[Demanded, ...], witness: str) -> tuple[tuple[Demanded, ...], str] | None:
        """Return as many demands as there are to be, those taken first, with a witness of them all."""
        if len(taken) == DEPTH:
            return taken, witness
        for kind in self.design.candidates(taken, self.rng):
            for _ in range(REDRAWS):
                if self._tries <= 0:
                    return None
                longer = (*taken, Demanded(kind, kind.demand(self._drawing(taken))))
                proved = self._witness(longer)
                found = self.extend(longer, proved) if proved else None
                if found:
                    return found
        return None

    def _drawing(self, taken: Sequence[Demanded]) -> Drawing:
        used = {word for each in taken for word in _words_of(each.demand)}
        words = [word for word in KEYWORDS if word not in used]
        self.rng.shuffle(words)
        return Drawing(self.rng, iter(words), self.problem.question, self.design.relations)

    def _witness(self, demanded: Sequence[Demanded]) -> str:
        """Return a witness, or nothing, which is counted."""
        self._tries -= 1
        demands = tuple(each.demand for each in demanded)
        found = find_witness(Task(self.problem.question, self.problem.answer, demands), self.problem.solutions)
        if found.verdicts.perfect:
            return found.text
        self.design.refused[" + ".join(sorted(demand.id for demand in demands))] += 1
        return ""


def _words_of(demand: Demand) -> list[str]:
    arguments = demand.arguments
    return [*arguments.get("keywords", ()), *arguments.get("forbidden_words", ()), arguments.get("keyword", "")]
