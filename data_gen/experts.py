"""Expert demonstrations: thinking that lists the demands and works the task out, then a witness-built answer."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from pydantic import BaseModel, ConfigDict

from data_gen.seeds import Seed
from data_gen.witness import answer_language, write
from rewards.constraint import Constraint
from rewards.instruction import Demonstration, Instruction, Prompt
from rewards.response import Response

_SEPARATOR = {"en": "; ", "zh": "；"}
_STOP = {"en": ". ", "zh": "。"}


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


def think(seed: Seed, constraints: Sequence[Constraint], language: str) -> str:
    """Return expert thinking: the demands in a few words each, then the working of the task."""
    notes = _SEPARATOR[seed.language].join(constraint.note(seed.language) for constraint in constraints)
    solution = seed.solutions.get(language)
    return f"{notes}{_STOP[seed.language]}{solution.thinking if solution else ''}".strip()


def warm_start_row(instruction: Instruction, seed: Seed, rng: Random, careless: float, direct: float) -> WarmStartRow:
    """Demonstrate an instruction, leaving each demand out with probability `careless`.

    Without thinking (probability `direct`) demands are left out half as often again, up to 0.9: what was not
    listed first is forgotten more easily.
    """
    thinks = rng.random() >= direct
    rate = careless if thinks else min(0.9, 1.5 * careless)
    kept = [constraint for constraint in instruction.constraints if rng.random() >= rate]
    language = answer_language(instruction.constraints, seed.language)
    answer = write(seed.solutions[language], language, kept, rng)
    verdict = instruction.evaluate(Response(None, answer)).hard
    thinking = think(seed, instruction.constraints, language) if thinks else None
    return WarmStartRow(
        instruction_id=instruction.id, prompt=instruction.prompt, thinking=thinking, answer=answer, hard=verdict
    )


def demonstrate(seed: Seed, constraints: Sequence[Constraint], language: str, answer: str) -> Demonstration:
    """Return the expert's demonstration for a verified witness."""
    return Demonstration(thinking=think(seed, constraints, language), answer=answer)
