"""Data rows out of seeds and their own solutions: the constraints are those that the written solution meets already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

from data_gen import __version__
from data_gen.composition import MAX_ATTEMPTS, Drawn, SeedDrawer
from data_gen.config import DataConfig, SelfEvident
from data_gen.correctness import is_right
from data_gen.experts import WarmStartRow
from data_gen.seeds import Seed, SeedSet
from data_gen.seeds.programs import ProgramSeeds, references
from data_gen.self_evident.choose import ordered, wording_of
from data_gen.self_evident.extract import Candidate, extract
from data_gen.self_evident.placement import place, placebo
from rewards.constraint import Context, Status, checked
from rewards.errors import RaifError
from rewards.instruction import Demonstration, Instruction, Provenance, Split, SubInstruction
from rewards.response import Response
from rewards.task_answer import CodeAnswer
from rewards.tree import And, Leaf

_JOIN = {"en": " ", "zh": ""}
_NEUTRAL_LENGTHS = {"en": (3, 12), "zh": (6, 24)}  # words, characters
_LAYOUTS = ("inline", "inline", "inline", "lines", "paragraphs")
_BREAKS = {"lines": "\n", "paragraphs": "\n\n"}
_VARIANTS = 12  # other ways to write a solution, before one that breaks the constraints is given up


class _Row(NamedTuple):
    """A seed with a solution of it, and the constraints of its prompt, which the solution meets."""

    seed: Seed
    solution: str
    demands: tuple[Candidate, ...]
    texts: tuple[str, ...]
    prompt: str


def write_solution(seed: Seed, rng: Random) -> str:
    """Write a seed's solution in one of its ways: which optional sentences it has, and how it is laid out.

    Of a program, any of its references is taken.
    """
    solution = seed.solutions[seed.language]
    if isinstance(seed.answer, CodeAnswer):
        written = references(seed.id) if seed.set == ProgramSeeds.name else ("\n".join(solution.core),)
        return rng.choice(written).strip("\n")
    count = rng.randint(0, len(solution.optional))
    chosen = sorted(rng.sample(range(len(solution.optional)), count))
    sentences = [*(solution.optional[place] for place in chosen), *solution.core]
    return _BREAKS.get(rng.choice(_LAYOUTS), _JOIN.get(seed.language, " ")).join(sentences)


class SelfEvidentComposer:
    """Draws instructions of one split; counts in `rejected` why candidates were turned down."""

    def __init__(self, config: DataConfig, split: Split, seed_sets: Sequence[SeedSet]) -> None:
        if config.self_evident is None:
            raise RaifError("the recipe has no section `self_evident`; add one, or draw constraints by `Composer`.")
        self.config, self.split = config, split
        self.settings: SelfEvident = config.self_evident
        self.rejected: Counter[str] = Counter()
        self._seeds = SeedDrawer(config, split, seed_sets, self.rejected)

    def compose(self, rng: Random) -> Drawn:
        """Return one instruction; candidates that do not fit are drawn again."""
        for _ in range(MAX_ATTEMPTS):
            row = self._row(rng)
            drawn = None if row is None else self._accept(row)
            if drawn is not None:
                return drawn
        raise self._given_up()

    def demonstrate(self, rng: Random, careless: float, direct: float) -> WarmStartRow:
        """Return a demonstration of an instruction of its own.

        Args:
            rng: draws the task, its solution and its constraints.
            careless: how often the solution is written in another way, which breaks a constraint.
            direct: how often there is no thinking.
        """
        for _ in range(MAX_ATTEMPTS):
            row = self._row(rng)
            if row is not None:
                return self._demonstrated(row, rng, careless, direct)
        raise self._given_up()

    def _given_up(self) -> RaifError:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in self.rejected.most_common(3))
        return RaifError(
            f"no instruction with self-evident constraints found in {MAX_ATTEMPTS} attempts; most frequent reasons: "
            f"{reasons}. Lower `self_evident.constraints`, hold out less, or add seeds with longer solutions."
        )

    def _row(self, rng: Random) -> _Row | None:
        seed = self._seeds.draw(rng)
        if seed is None or not self._has_solution(seed):
            return None
        solution = write_solution(seed, rng)
        if not is_right(seed.answer, solution):
            self.rejected["the solution does not answer the task"] += 1
            return None
        salt = f"{self.config.seed}/{rng.getrandbits(64)}"
        # What is held out is only asked for with constraints, so that its split has no bare rows.
        bare = self.split != "test_families" and rng.random() < self.settings.bare
        low, high = (0, 0) if bare else self.settings.constraints
        count = rng.randint(low, high)
        demands = self._read(seed, solution, salt)[:count] if count else []
        if len(demands) < low:
            self.rejected["too few constraints"] += 1
            return None
        texts = tuple(each.text(seed.language, wording_of(each, seed.id, salt)) for each in demands)
        beside = self._neutral(seed, salt, rng) if bare and self.settings.neutral else texts
        prompt = place(seed.request, beside, seed.language, self.settings.placement)
        return _Row(seed, solution, tuple(demands), texts, prompt)

    def _neutral(self, seed: Seed, salt: str, rng: Random) -> tuple[str, ...]:
        """Return sentences that demand nothing, as long as one constraint, as often as the recipe asks."""
        if rng.random() >= self.settings.neutral:
            return ()
        length = rng.randint(*_NEUTRAL_LENGTHS[seed.language])
        return (placebo(_JOIN[seed.language].join("x" * length), seed.language, salt),)

    def _has_solution(self, seed: Seed) -> bool:
        solved = seed.language in _JOIN and seed.language in seed.solutions
        if not solved:
            self.rejected[f"no solution in {seed.language}"] += 1
        return solved

    def _read(self, seed: Seed, solution: str, salt: str) -> list[Candidate]:
        """Return the constraints that a solution meets and that the split may use, in the order of doses."""
        refused: Counter[str] = Counter()
        found = extract(seed.request, solution, seed.answer, seed.language, rejected=refused)
        self.rejected.update({f"gate:{name}": number for name, number in refused.items()})
        wanted = self.split == "test_families"
        usable = [each for each in found if self.settings.holds_out(each.group, each.family) == wanted]
        return ordered(usable, seed.id, salt)

    def _accept(self, row: _Row) -> Drawn | None:
        seed = row.seed
        instruction = Instruction.build(
            request=seed.request,
            prompt=row.prompt,
            language=seed.language,
            split=self.split,
            tree=And(parts=tuple(Leaf(constraint=each.constraint) for each in row.demands)),
            sub_instructions=tuple(SubInstruction(path=f"and.{n}", text=text) for n, text in enumerate(row.texts)),
            answer=seed.answer,
            source=Provenance(
                seed_set=seed.set, seed_id=seed.id, licence=seed.licence, generator=f"data_gen {__version__}"
            ),
            witness=row.solution,
            expert=self._expert(row),
        )
        met = not row.demands or instruction.evaluate(Response(None, row.solution)).hard is True
        reason = self._seeds.leak(instruction) if met else "a constraint is not met"
        if reason:
            self.rejected[reason] += 1
            return None
        return Drawn(instruction, seed)

    def _expert(self, row: _Row) -> Demonstration | None:
        if self.config.expert.style == "none":
            return None
        return Demonstration(thinking=_thinking(row), answer=row.solution)

    def _demonstrated(self, row: _Row, rng: Random, careless: float, direct: float) -> WarmStartRow:
        answer = row.solution
        if row.demands and rng.random() < careless:
            others = (write_solution(row.seed, rng) for _ in range(_VARIANTS))
            answer = next((other for other in others if not _meets(row, other)), answer)
        thinking = None if rng.random() < direct else _thinking(row)
        return WarmStartRow(
            instruction_id=f"{row.seed.set}/{row.seed.id}",
            prompt=row.prompt,
            thinking=thinking,
            answer=answer,
            hard=_meets(row, answer),
        )


def _meets(row: _Row, answer: str) -> bool:
    context = Context(row.seed.request, row.seed.language)
    response = Response(None, answer)
    return all(checked(each.constraint, response, context).status is Status.SATISFIED for each in row.demands)


def _thinking(row: _Row) -> str:
    """Repeat what is asked for, then work the task out."""
    worked = row.seed.solutions[row.seed.language].thinking
    return _JOIN[row.seed.language].join([*row.texts, *([worked] if worked else [])])
