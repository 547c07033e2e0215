"""What a prompt says against what its tree demands."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from data_gen.recover.parser import recover
from rewards.constraint import Constraint
from rewards.instruction import Instruction
from rewards.judged import Judged

#: Arguments that no wording says.
UNSAID = {"affix:repeat_request": {"request"}, "layout:sections": {"exact_case"}, "ordering:items": {"optional"}}


class Comparison(NamedTuple):
    """The demands of the tree that the prompt does not say, and those that it says but the tree does not have."""

    missing: tuple[Constraint, ...]
    extra: tuple[Constraint, ...]


def compare(instruction: Instruction) -> Comparison:
    """Compare the rule-verifiable leaves of an instruction with what its prompt says, each as often as it occurs."""
    demanded = [each for each in instruction.constraints if not isinstance(each, Judged)]
    said = [each.constraint for each in recover(instruction.prompt_text, instruction.language, instruction.request)]
    return Comparison(_less(demanded, said), _less(said, demanded))


def recovered_exactly(instruction: Instruction) -> bool:
    """Tell whether a prompt says all rule-verifiable leaves of its tree with their arguments and scopes, and no other.

    Example:
        >>> from rewards import Leaf, Provenance
        >>> known = dict(request="Name a river.", language="en", split="train",
        ...     tree=Leaf(constraint={"type": "length:max_words", "limit": 9}),
        ...     source=Provenance(seed_set="example", seed_id="0"))
        >>> said = (f"Name a river. Use at most {limit} words." for limit in (9, 8))
        >>> [recovered_exactly(Instruction.build(prompt=prompt, **known)) for prompt in said]
        [True, False]
    """
    return compare(instruction) == ((), ())


def _less(some: list[Constraint], others: list[Constraint]) -> tuple[Constraint, ...]:
    left = Counter(map(_key, others))
    kept = []
    for each in some:
        key = _key(each)
        if not left[key]:
            kept.append(each)
        left[key] -= 1 if left[key] else 0
    return tuple(kept)


def _key(constraint: Constraint) -> tuple[str, str]:
    return constraint.type, constraint.model_dump_json(exclude=UNSAID.get(constraint.type))
