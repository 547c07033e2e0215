"""Draw a seed and a set of constraints, and build an instruction whose witness the verifiers accept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import Literal, NamedTuple, TypeVar

from data_gen import __version__
from data_gen.arguments import ArgumentSampler, belongs_to
from data_gen.config import DataConfig, SeedSource
from data_gen.experts import demonstrate
from data_gen.phrasing import phrase
from data_gen.seeds import ArithmeticSeeds, FileSeeds, Seed, SeedSet, WritingSeeds
from data_gen.witness import answer_language, write
from rewards.constraint import Constraint, Status, parse_constraint
from rewards.errors import RaifError
from rewards.instruction import Instruction, Provenance
from rewards.math_answer import MathVerifier
from rewards.response import Response
from rewards.task_answer import MathAnswer
from rewards.tree import And, Leaf

MAX_ATTEMPTS = 200
Split = Literal["train", "test"]
K = TypeVar("K")


class Drawn(NamedTuple):
    """An accepted instruction with the seed it was made from."""

    instruction: Instruction
    seed: Seed


def open_seed_sets(sources: Sequence[SeedSource]) -> list[SeedSet]:
    """Open every seed source of a recipe; files are read and checked here, before anything is written."""
    return [_open(source) for source in sources]


def _open(source: SeedSource) -> SeedSet:
    if source.type == "jsonl":
        if source.path is None:
            raise RaifError("a seed source of type jsonl needs a `path`.")
        return FileSeeds(source.path, source.fields)
    return ArithmeticSeeds() if source.type == "arithmetic" else WritingSeeds()


class Composer:
    """Draws instructions of one split; counts in `rejected` why candidates were turned down."""

    def __init__(self, config: DataConfig, split: Split, seed_sets: Sequence[SeedSet]) -> None:
        self.config, self.split, self.seed_sets = config, split, seed_sets
        self.sampler = ArgumentSampler(split, config.arguments)
        self.weights = config.constraint_weights()
        self.rejected: Counter[str] = Counter()
        self._verifier = MathVerifier()

    def compose(self, rng: Random) -> Drawn:
        """Return one instruction; candidates without a witness are drawn again."""
        for _ in range(MAX_ATTEMPTS):
            candidate = self._candidate(rng)
            if candidate is not None:
                return candidate
        reasons = ", ".join(f"{reason} ({count})" for reason, count in self.rejected.most_common(3))
        raise RaifError(
            f"no satisfiable instruction found in {MAX_ATTEMPTS} attempts; most frequent reasons: {reasons}. "
            "Widen the ranges under `arguments` or draw other constraint types."
        )

    def _candidate(self, rng: Random) -> Drawn | None:
        seed = self._draw_seed(rng)
        names = self._draw_types(rng)
        language = _language_of(names, seed, rng)
        if language not in seed.solutions:
            self.rejected[f"no solution in {language}"] += 1
            return None
        drawn = [self.sampler.draw(name, seed, language, rng) for name in names]
        if None in drawn:
            self.rejected[f"no arguments for {names[drawn.index(None)]}"] += 1
            return None
        constraints = [parse_constraint(arguments) for arguments in drawn if arguments is not None]
        return self._build(seed, constraints, rng)

    def _build(self, seed: Seed, constraints: list[Constraint], rng: Random) -> Drawn | None:
        language = answer_language(constraints, seed.language)
        answer = write(seed.solutions[language], language, constraints, rng)
        layout = _choose(self.config.layouts, rng)
        instruction = Instruction.build(
            request=seed.request,
            prompt=phrase(seed.request, constraints, seed.language, layout, seed.answer is not None, rng),
            language=seed.language,
            split=self.split,
            tree=And(parts=tuple(Leaf(constraint=constraint) for constraint in constraints)),
            answer=seed.answer,
            source=Provenance(seed_set=seed.set, seed_id=seed.id, generator=f"data_gen {__version__}"),
            witness=answer,
            expert=demonstrate(seed, constraints, language, answer),
        )
        reason = self._refusal(instruction, answer)
        if reason:
            self.rejected[reason] += 1
            return None
        return Drawn(instruction, seed)

    def _refusal(self, instruction: Instruction, answer: str) -> str:
        """Say why the verifiers refuse a witness; empty when they accept it."""
        judgement = instruction.evaluate(Response(None, answer))
        for leaf in judgement.leaves:
            if leaf.verdict.status is not Status.SATISFIED:
                return f"{leaf.verdict.status} {leaf.type}"
        if isinstance(instruction.answer, MathAnswer) and self._verifier.judge(
            [(instruction.answer.value, answer)]
        ) != [True]:
            return "witness answer is wrong"
        return ""

    def _draw_seed(self, rng: Random) -> Seed:
        source = _choose({i: s.weight for i, s in enumerate(self.config.seeds)}, rng)
        seeds = self.seed_sets[source]
        shares = {code: share for code, share in self.config.languages.items() if code in seeds.languages}
        language = _choose(shares, rng) if shares else seeds.languages[0]
        for _ in range(1000):
            seed = seeds.draw(rng, language)
            if belongs_to(self.split, f"seed={seed.set}/{seed.id}"):
                return seed
        raise RaifError(f"seed set {seeds.name!r} has too few {language} rows for a {self.split} split; add seeds.")

    def _draw_types(self, rng: Random) -> list[str]:
        count = rng.randint(self.config.constraints.min, self.config.constraints.max)
        left = dict(self.weights)
        names = []
        for _ in range(min(count, len(left))):
            names.append(_choose(left, rng))
            del left[names[-1]]
        return names


def _choose(weights: Mapping[K, float], rng: Random) -> K:
    options = list(weights)
    return rng.choices(options, [weights[option] for option in options])[0]


def _language_of(names: Sequence[str], seed: Seed, rng: Random) -> str:
    if "language:response" in names:
        return rng.choice(sorted(seed.solutions))
    return "en" if any(name.startswith("case:english") for name in names) else seed.language
