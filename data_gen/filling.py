"""Put constraints into the slots of a shape, so that what counts in any of its worlds has a witness."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from itertools import accumulate
from random import Random
from typing import NamedTuple

from data_gen.arguments import ArgumentSampler, Wanted
from data_gen.bounds import contradiction
from data_gen.correctness import is_right
from data_gen.pairs import ANSWER, not_with
from data_gen.planning import Plan, World, worlds
from data_gen.seeds import Seed
from data_gen.shapes import Shape
from data_gen.witness import Attempt, solve
from rewards.constraint import Constraint, Context, parse_constraint

_TRIES = 20
_DRAWS = 5
_INSTEAD = 0.2  # share of open tasks whose demands may take the place of an answer, as a text to repeat does
REDRAWS = 8  # constraints drawn again before a candidate is given up
#: What makes parts, with the scope of one of them and the argument that says how many there are.
PARTS: Mapping[str, tuple[str, str]] = {
    "length:paragraphs": ("paragraph({})", "count"),
    "length:lines": ("line({})", "count"),
    "layout:sections": ("section({})", "count"),
}
#: What can be asked of one part; whether it can be met there is up to the witness.
ABOUT_PARTS = ("keywords:existence", "keywords:forbidden", "punctuation:*", "case:*", "length:*_words", "letters:*")
_NOT_ABOUT_PARTS = ("length:max_paragraph_words", "punctuation:full_width_only")
#: What speaks of Chinese text, and reads as a mistake where the answer is English.
ABOUT_CHINESE = frozenset(
    ("language:no_latin", "language:simplified", "language:traditional", "punctuation:full_width_only")
)
_ENGLISH = frozenset(("case:english_upper", "case:english_lower"))


class Filled(NamedTuple):
    """The constraints of every slot in document order, those that count, and a response that satisfies these."""

    constraints: tuple[Constraint, ...]
    counted: tuple[Constraint, ...]
    language: str
    witness: str


class Filler:
    """Draws the constraints of one instruction after the other; counts in `rejected` what had to be drawn again.

    Args:
        weights: the weight of every type that may be drawn.
        parts: the share of chains whose first step makes parts that the later steps speak about.
    """

    def __init__(
        self, sampler: ArgumentSampler, weights: Mapping[str, float], parts: float, rejected: Counter[str]
    ) -> None:
        self.sampler, self.weights, self.parts, self.rejected = sampler, dict(weights), parts, rejected
        self._makers = [name for name in PARTS if name in weights]
        self._about = [name for name in weights if _is_about_parts(name)]
        self._names, self._bounds = list(self.weights), list(accumulate(self.weights.values()))

    def fill(self, plan: Plan, seed: Seed, tightness: float, conditioned: float, rng: Random) -> Filled | None:
        """Return constraints for every slot with a witness, or None if none was found."""
        slots = self._slots(plan.shape, seed, rng)
        if len(slots) < plan.shape.size:
            self.rejected["fewer types than slots"] += 1
            return None
        language = _language_of(slots, seed, rng)
        if language not in seed.solutions:
            self.rejected[f"no solution in {language}"] += 1
            return None
        one = _Filling(self, plan, slots, Wanted(seed, language, rng, tightness, conditioned))
        return one.solve() if one.draw() else None

    def draw_type(self, blocked: set[str], rng: Random) -> str | None:
        """Return a type that is not blocked, or None if every one is."""
        for _ in range(_TRIES):
            name = rng.choices(self._names, cum_weights=self._bounds)[0]
            if name not in blocked:
                return name
        names = [name for name in self._names if name not in blocked]
        return rng.choices(names, [self.weights[name] for name in names])[0] if names else None

    def _slots(self, shape: Shape, seed: Seed, rng: Random) -> list[_Slot]:
        """Return the types of the slots in document order."""
        beside = {ANSWER} if seed.answer is not None or rng.random() >= _INSTEAD else set()
        return list(self._draw_slots(shape, set(), beside, seed.language, rng))

    def _draw_slots(
        self, shape: Shape, used: set[str], beside: set[str], language: str, rng: Random
    ) -> Iterator[_Slot]:
        """Yield a type for every slot; `used` are those so far, `beside` those of them that count together with it."""
        makers = [name for name in self._makers if name not in used] if shape.kind == "chain" and self._about else []
        if makers and all(not child.children for child in shape.children) and rng.random() < self.parts:
            yield from self._slots_about_parts(rng.choice(makers), len(shape.children) - 1, used, language, rng)
        elif shape.children:
            after = set(beside)
            for child in shape.children:
                own = set(beside) if shape.kind == "selection" else after
                yield from self._draw_slots(child, used, own, language, rng)
                after |= own
            beside |= after
        elif name := self.draw_type(used | not_with(beside, language) | _out_of_place(language, used), rng):
            used.add(name)
            beside.add(name)
            yield _Slot(name)

    def _slots_about_parts(self, maker: str, count: int, used: set[str], language: str, rng: Random) -> Iterator[_Slot]:
        used.add(maker)
        yield _Slot(maker)
        for _ in range(count):
            name = self.draw_about(language, used, rng)
            used.add(name)
            yield _Slot(name, maker)

    def draw_about(self, language: str, used: set[str], rng: Random) -> str:
        """Return a type that can be asked of one part of an answer."""
        out_of_place = _out_of_place(language, used)
        names = [name for name in self._about if name not in out_of_place] or self._about
        return rng.choices(names, [self.weights[name] for name in names])[0]


class _Slot(NamedTuple):
    """What is wanted in a slot: a type, and the type that makes the parts it speaks about."""

    name: str
    maker: str = ""


class _Filling:
    """The filling of one plan: constraints that stand in each other's way are drawn again."""

    def __init__(self, filler: Filler, plan: Plan, slots: list[_Slot], wanted: Wanted) -> None:
        self.filler, self.plan, self.slots, self.wanted = filler, plan, slots, wanted
        self.constraints: list[Constraint] = []
        self.context = Context(wanted.seed.request, wanted.seed.language)
        self.redraws = REDRAWS
        self.worlds = list(worlds(plan))

    def draw(self) -> bool:
        """Draw a constraint for every slot."""
        for number, slot in enumerate(self.slots):
            constraint = self._draw(slot, number)
            if constraint is None:
                self.filler.rejected[f"no arguments for {slot.name}"] += 1
                constraint = self._another(number)
            if constraint is None:
                return False
            self.constraints.append(constraint)
        return True

    def solve(self) -> Filled | None:
        """Solve the world that is intended, then those of the branches that are not taken."""
        intended, *others = self.worlds
        witness = self._solve_world(intended, keep_answer=True)
        if witness is None or any(self._solve_world(world, keep_answer=False) is None for world in others):
            return None
        counted = tuple(self.constraints[leaf] for leaf in intended.leaves)
        return Filled(tuple(self.constraints), counted, self.wanted.language, witness)

    def _solve_world(self, world: World, keep_answer: bool) -> str | None:
        """Return a witness of a world; constraints in its way, or in that of the task's answer, are drawn again."""
        while True:
            attempt = self._attempt(world)
            lost = keep_answer and not attempt.refused and not is_right(self.wanted.seed.answer, attempt.text)
            if not attempt.refused and not lost:
                return attempt.text
            number = self._culprit(attempt, world)
            if number is None or not self._replace(number, "no answer left" if lost else "no witness"):
                return None

    def _attempt(self, world: World) -> Attempt:
        seed, rng, language = self.wanted.seed, self.wanted.rng, self.wanted.language
        wanted = [*world.demands, *(self.constraints[leaf] for leaf in world.leaves)]
        return solve(seed.solutions[language], language, wanted, self.context, rng)

    def _culprit(self, attempt: Attempt, world: World) -> int | None:
        """Return the slot to draw again: one that is refused, and counts in no world that is solved already."""
        refused = [leaf for leaf in world.own if any(self.constraints[leaf] is each for each in attempt.refused)]
        options = sorted(refused or world.own)
        return self.wanted.rng.choice(options) if options else None

    def _replace(self, number: int, reason: str) -> bool:
        self.filler.rejected[f"{reason} with {self.constraints[number].type}"] += 1
        constraint = self._another(number)
        if constraint is not None:
            self.constraints[number] = constraint
        return constraint is not None

    def _another(self, number: int) -> Constraint | None:
        """Draw another constraint for a slot, of a type that leaves the language of the answer as it is."""
        while self.redraws > 0:
            self.redraws -= 1
            slot = self._another_slot(self.slots[number])
            if slot is not None and not _decides_language(slot.name):
                self.slots[number] = slot
                constraint = self._draw(slot, number)
                if constraint is not None:
                    return constraint
        return None

    def _another_slot(self, slot: _Slot) -> _Slot | None:
        used = {each.name for each in self.slots}
        if slot.maker:
            return slot._replace(name=self.filler.draw_about(self.wanted.language, used - {slot.name}, self.wanted.rng))
        if any(each.maker == slot.name for each in self.slots):
            return None  # the later steps speak about the parts that this one makes
        beside = used - {slot.name} | {ANSWER}
        blocked = used | not_with(beside, self.wanted.language) | _out_of_place(self.wanted.language, used)
        name = self.filler.draw_type(blocked, self.wanted.rng)
        return None if name is None else _Slot(name)

    def _draw(self, slot: _Slot, number: int) -> Constraint | None:
        """Draw a constraint, again if there is no room for its size beside those that count together with it."""
        for _ in range(_DRAWS):
            constraint = self._draw_once(slot, number)
            if constraint is None or self._has_room(constraint, number):
                return constraint
        return None

    def _has_room(self, constraint: Constraint, number: int) -> bool:
        for world in self.worlds:
            if number in world.leaves:
                beside = [
                    self.constraints[leaf] for leaf in world.leaves if leaf != number and leaf < len(self.constraints)
                ]
                if contradiction([constraint, *world.demands, *beside]):
                    return False
        return True

    def _draw_once(self, slot: _Slot, number: int) -> Constraint | None:
        arguments = self.filler.sampler.draw(slot.name, self.wanted)
        part = self._part(slot, number) if slot.maker else "answer"
        return None if arguments is None or part is None else parse_constraint({**arguments, "scope": part})

    def _part(self, slot: _Slot, number: int) -> str | None:
        """Draw a part of which nothing of the same family is asked yet: nobody says two lengths of one paragraph."""
        made = next((each for each in self.constraints if each.type == slot.maker), None)
        pattern, argument = PARTS[slot.maker]
        others = [each for place, each in enumerate(self.constraints) if place != number]
        taken = {each.scope for each in others if _family(each.type) == _family(slot.name)}
        parts = [pattern.format(part) for part in range(1, getattr(made, argument, 1) + 1)]
        free = [part for part in parts if part not in taken]
        return self.wanted.rng.choice(free) if free else None


def _out_of_place(language: str, used: set[str]) -> frozenset[str]:
    """Return the types that read as a mistake in an instruction, though an answer could be made to meet them."""
    if language != "zh" or not _ENGLISH.isdisjoint(used):
        return ABOUT_CHINESE
    return frozenset() if ABOUT_CHINESE.isdisjoint(used) else _ENGLISH


def _is_about_parts(name: str) -> bool:
    return name not in _NOT_ABOUT_PARTS and any(fnmatchcase(name, pattern) for pattern in ABOUT_PARTS)


def _family(name: str) -> str:
    return name.partition(":")[0]


def _decides_language(name: str) -> bool:
    return name == "language:response" or name.startswith("case:english")


def _language_of(slots: list[_Slot], seed: Seed, rng: Random) -> str:
    names = [slot.name for slot in slots if not slot.maker]
    if any(name.startswith("case:english") for name in names):
        return "en"
    if "language:response" in names and ABOUT_CHINESE.isdisjoint(names):
        return rng.choice(sorted(seed.solutions))
    return seed.language
