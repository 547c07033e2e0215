"""What a parser of prompts makes of an evolved one: it need not recognise every demand, but must not disagree."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from data_gen.evolve.replies import Problem
from rewards.constraint import Constraint
from rewards.instruction import Instruction

#: Prompt and language -> the constraints that are found in it.
Recover = Callable[[str, str], Iterable[Constraint]]


def contradiction(instruction: Instruction, prompt: str, recover: Recover) -> Problem | None:
    """Return where a prompt makes a demand of a type that the instruction has, with other arguments.

    Example:
        >>> from rewards.constraint import parse_constraint
        >>> from rewards.instruction import Provenance
        >>> from rewards.tree import Leaf
        >>> rule, other = ({"type": "length:max_words", "limit": limit} for limit in (60, 80))
        >>> task = Instruction.build(request="Name a river.", prompt="Name a river.", language="en", split="train",
        ...     tree=Leaf(constraint=rule), source=Provenance(seed_set="example", seed_id="0"))
        >>> contradiction(task, "Name a river in at most 80 words.", lambda text, language: [parse_constraint(other)])
        Problem(reason='read as another demand', detail='it reads as: Use at most 80 words.')
    """
    known = {_content(constraint) for constraint in _said(instruction)}
    types = {kind for kind, _ in known}
    for found in recover(prompt, instruction.language):
        if found.type in types and _content(found) not in known:
            return Problem("read as another demand", f"it reads as: {found.describe(instruction.language)}")
    return None


def _said(instruction: Instruction) -> Iterable[Constraint]:
    yield from instruction.constraints
    for condition in instruction.tree.conditions():
        constraint = getattr(condition, "constraint", None)
        if isinstance(constraint, Constraint):
            yield constraint


def _content(constraint: Constraint) -> tuple[str, str]:
    return constraint.type, constraint.model_dump_json(exclude={"scope"})
