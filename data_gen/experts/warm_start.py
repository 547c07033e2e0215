"""Demonstrations made from a seed and a verified witness."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from pydantic import BaseModel, ConfigDict

from data_gen.experts.branches import Facts, active
from data_gen.experts.thinking import Style, think
from data_gen.seeds import Seed
from data_gen.witness import answer_language, write
from rewards.constraint import Constraint
from rewards.instruction import Demonstration, Instruction, Prompt
from rewards.response import Response
from rewards.tree import Node


class WarmStartRow(BaseModel):
    """One supervised example: a prompt and a completion, direct when `thinking` is None.

    `hard` is what the verifiers say of the answer; careless rows are those with a demand left out on purpose.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    instruction_id: str
    prompt: Prompt
    thinking: str | None
    answer: str
    hard: bool | None


def warm_start_row(
    instruction: Instruction, seed: Seed, rng: Random, careless: float, direct: float, style: Style = "notes"
) -> WarmStartRow:
    """Demonstrate an instruction, leaving each demand out with probability `careless`.

    Without thinking (probability `direct`) demands are left out half as often again, up to 0.9: what was not
    listed first is forgotten more easily.
    """
    thinks = rng.random() >= direct
    rate = careless if thinks else min(0.9, 1.5 * careless)
    facts = Facts(Response(None, instruction.witness or ""), instruction.context(), instruction.answer)
    demands = list(active(instruction.tree, facts))
    kept = [constraint for constraint in demands if rng.random() >= rate]
    language = answer_language(demands, seed.language)
    answer = write(seed.solutions[language], language, kept, rng)
    verdict = instruction.evaluate(Response(None, answer)).hard
    thinking = None
    if thinks:
        thinking = think(seed, demands, language, style, tree=instruction.tree, rng=rng, answer=answer)
    return WarmStartRow(
        instruction_id=instruction.id, prompt=instruction.prompt, thinking=thinking, answer=answer, hard=verdict
    )


def demonstrate(
    seed: Seed,
    constraints: Sequence[Constraint],
    language: str,
    answer: str,
    style: Style = "notes",
    *,
    tree: Node | None = None,
    rng: Random | None = None,
) -> Demonstration:
    """Return the expert's demonstration for a verified witness; the arguments are those of `think`."""
    thinking = think(seed, constraints, language, style, tree=tree, rng=rng, answer=answer)
    return Demonstration(thinking=thinking, answer=answer)
