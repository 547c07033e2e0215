"""Draw a seed and a tree of constraints, and build an instruction whose witness the verifiers accept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple, TypeVar

from data_gen import __version__
from data_gen.arguments import ArgumentSampler, belongs_to
from data_gen.config import DataConfig
from data_gen.correctness import answers
from data_gen.difficulty import Dial, Level
from data_gen.experts import demonstrate
from data_gen.filling import Filled, Filler
from data_gen.phrasing import phrase
from data_gen.planning import Plan, build_tree, draw_plan
from data_gen.pools import expand
from data_gen.quality.contradictions import redundancies
from data_gen.quality.decontamination import Decontaminator
from data_gen.seeds import Seed, SeedSet, SeedSource, open_seed_set
from data_gen.shapes import SMALLEST, Kind, Shape, draw_shape
from data_gen.soft import soft_bank
from data_gen.witness import SharedAnswer
from rewards.code_answer import extract_code
from rewards.constraint import Constraint, Status
from rewards.errors import RaifError
from rewards.instruction import Demonstration, Instruction, Provenance, Split
from rewards.task_answer import CodeAnswer, MathAnswer
from rewards.tree import And, Leaf, Node

__all__ = ["Composer", "Drawn", "Split", "open_seed_sets"]
MAX_ATTEMPTS = 200
K = TypeVar("K")


class Drawn(NamedTuple):
    """An accepted instruction with the seed it was made from."""

    instruction: Instruction
    seed: Seed


def open_seed_sets(sources: Sequence[SeedSource]) -> list[SeedSet]:
    """Open every seed source of a recipe; files are read and checked here, before anything is written."""
    return [open_seed_set(source) for source in sources]


class SeedDrawer:
    """Draws the seeds of one split from all sources of a recipe, but none that a benchmark has."""

    def __init__(self, config: DataConfig, split: Split, seed_sets: Sequence[SeedSet], rejected: Counter[str]) -> None:
        self.config, self.split, self.seed_sets, self.rejected = config, split, seed_sets, rejected
        self.benchmarks = Decontaminator.from_files(config.decontaminate) if config.decontaminate else None

    def draw(self, rng: Random) -> Seed | None:
        """Return a seed, or None, counted, where a benchmark has it."""
        seed = self._draw(rng)
        if self.benchmarks and (leak := self.benchmarks.text_reason(seed.request)):
            self.rejected[f"seed: {leak}"] += 1
            return None
        return seed

    def leak(self, instruction: Instruction) -> str:
        """Say what an instruction has in common with a benchmark; empty where it has nothing."""
        return self.benchmarks.reason(instruction) if self.benchmarks else ""

    def _draw(self, rng: Random) -> Seed:
        source = _choose({i: s.weight for i, s in enumerate(self.config.seeds)}, rng)
        seeds = self.seed_sets[source]
        shares = {code: share for code, share in self.config.languages.items() if code in seeds.languages}
        language = _choose(shares, rng) if shares else seeds.languages[0]
        for _ in range(1000):
            seed = seeds.draw(rng, language)
            if belongs_to(self.split, f"seed={seed.set}/{seed.id}"):
                return seed
        raise RaifError(f"seed set {seeds.name!r} has too few {language} rows for a {self.split} split; add seeds.")


class Composer:
    """Draws instructions of one split; counts in `rejected` why candidates were turned down."""

    def __init__(self, config: DataConfig, split: Split, seed_sets: Sequence[SeedSet]) -> None:
        self.config, self.split, self.seed_sets = config, split, seed_sets
        self.rejected: Counter[str] = Counter()
        self._seeds = SeedDrawer(config, split, seed_sets, self.rejected)
        self._sampler = ArgumentSampler(split, config.arguments, config.held_out.arguments)
        self._held_out = frozenset(expand(config.held_out.types))
        weights = self._sampler.drawable(config.constraint_weights(split))
        self._filler = Filler(self._sampler, weights, config.trees.parts, self.rejected)

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
        seed = self._seeds.draw(rng)
        if seed is None:
            return None
        level = self._draw_level(rng)
        dial = self.config.dial(level)
        plan = draw_plan(self._draw_shape(dial, rng), seed, rng, self._may_ask)
        if plan is None:
            self.rejected["too few conditions"] += 1
            return None
        filled = self._filler.fill(plan, seed, dial.tightness, self.config.conditioned, rng)
        return None if filled is None else self._accept(seed, plan, filled, level or "", rng)

    def _may_ask(self, constraint: Constraint) -> bool:
        """Tell whether a condition may be about a constraint: in training, about nothing that is held out."""
        return self.split != "train" or (constraint.type not in self._held_out and self._sampler.owns(constraint))

    def _accept(self, seed: Seed, plan: Plan, filled: Filled, level: str, rng: Random) -> Drawn | None:
        tree = self._with_soft(build_tree(plan, filled.constraints), seed.language, seed.answer is None, rng)
        layout = _choose(self.config.layouts, rng)
        boxed = isinstance(seed.answer, MathAnswer)
        phrased = phrase(seed.request, tree, seed.language, layout, boxed, rng, self.config.phrasing.wordings)
        instruction = Instruction.build(
            request=seed.request,
            prompt=phrased.prompt,
            language=seed.language,
            split=self.split,
            difficulty=level,
            tree=tree,
            sub_instructions=phrased.sub_instructions,
            answer=seed.answer,
            source=Provenance(
                seed_set=seed.set, seed_id=seed.id, licence=seed.licence, generator=f"data_gen {__version__}"
            ),
            witness=filled.witness,
            expert=self._demonstration(seed, filled, tree, rng),
        )
        reason = (
            _refusal(instruction, filled.witness) if plan.taken else ""
        )  # without branches the solver has judged all
        if not keeps_program(seed, filled.language, filled.witness):
            reason = reason or "the program is lost"
        if redundancies(tree):
            reason = reason or "a demand is implied by another"
        reason = reason or self._seeds.leak(instruction)
        if reason:
            self.rejected[reason] += 1
            return None
        return Drawn(instruction, seed)

    def _demonstration(self, seed: Seed, filled: Filled, tree: Node, rng: Random) -> Demonstration | None:
        """Return the expert's demonstration, unless the witness has lost what answers the task."""
        style = self.config.expert.style
        if style == "none" or not answers(seed, filled.language, filled.witness):
            return None
        return demonstrate(seed, filled.counted, filled.language, filled.witness, style, tree=tree, rng=rng)

    def _with_soft(self, tree: Node, language: str, open_ended: bool, rng: Random) -> Node:
        """Add soft constraints beside the tree, as often as the recipe asks."""
        soft = self.config.soft
        if not soft.share or rng.random() >= soft.share:
            return tree
        dimensions = soft.dimensions or None
        drawn = soft_bank().draw_several(rng, language, rng.randint(1, soft.max), dimensions, open_ended=open_ended)
        leaves = tuple(Leaf(constraint=constraint) for constraint in drawn)
        return And(parts=(*(tree.parts if isinstance(tree, And) else (tree,)), *leaves))

    def _draw_level(self, rng: Random) -> Level | None:
        if not self.config.difficulty:
            return None
        level: Level = _choose(self.config.difficulty, rng)
        return level

    def _draw_shape(self, dial: Dial, rng: Random) -> Shape:
        leaves = rng.randint(dial.min, dial.max)
        mix: dict[Kind, float] = {
            kind: share * (1 if kind == "and" else dial.composite)
            for kind, share in self.config.trees.mix.items()
            if SMALLEST[kind] <= dial.max and (kind != "nested" or dial.depth > 1)
        }
        kind: Kind = _choose(mix, rng) if mix else "and"
        return draw_shape(kind, leaves, dial.depth, self.config.trees.width, rng)


def _refusal(instruction: Instruction, witness: str) -> str:
    """Say why the verifiers refuse a witness; empty when they accept it. Soft demands are not its business."""
    counted = 0
    for leaf in instruction.evaluate(SharedAnswer(None, witness)).leaves:
        if leaf.type == "judge:question" or leaf.verdict.status is Status.SKIPPED:
            continue
        if leaf.verdict.status is not Status.SATISFIED:
            return f"{leaf.verdict.status} {leaf.type}"
        counted += 1
    return "" if counted else "no demand applies"


def keeps_program(seed: Seed, language: str, text: str) -> bool:
    """Tell whether a text still holds the program that solves a programming task; true of every other task."""
    if not isinstance(seed.answer, CodeAnswer):
        return True
    entry_point = seed.answer.entry_point
    wanted = extract_code("\n".join(seed.solutions[language].core), entry_point)
    return wanted is not None and extract_code(text, entry_point) == wanted


def _choose(weights: Mapping[K, float], rng: Random) -> K:
    options = list(weights)
    return rng.choices(options, [weights[option] for option in options])[0]
