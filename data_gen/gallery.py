"""The gallery of prompts: the first rows of a recipe as a page that a person can read."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from data_gen.composition import Composer, open_seed_sets
from data_gen.config import DataConfig
from rewards.instruction import Instruction
from rewards.tree import And, Chain, Leaf, Node

_HEAD = """# Instructions

How `data_gen` makes a complex instruction, and {count} of them to read.

1. **Seed.** A task in English or Chinese: from the embedded sets, a file, or a data set of the Hugging Face hub, with
   near duplicates removed, topics balanced, licence and provenance kept.
2. **Shape.** A tree of And, Chain and Selection in the recipe's mix, as wide, deep and hard as its dial says.
   Selections get conditions on the request, the reference answer or the response.
3. **Constraints.** Types by weight, arguments from wide ranges that belong to one split, many of them read off the seed
   (its words, its language, the length of its answer). Sizes are propagated, so that bounds do not cross.
4. **Witness.** A response is drafted from the seed's own solution and edited until the verifiers accept every demand
   that counts, with the task's answer still right. The branches that are not taken get a witness of their own. What
   has none is drawn again and counted by reason; no table of conflicts decides anything.
5. **Prompt.** The tree in words: several wordings for each constraint, joined by the grammar of the language, in one of
   eight layouts. Each demand keeps its wording, its path in the tree and what it depends on (`sub_instructions`), and
   can be read back from the text alone (`data_gen.recover`).

The prompts below are the first {count} rows of `recipes/data/default.yaml`, unselected. Under each stands its tree; `@`
names the part of the answer that a demand is about, `|` parts the branches of a selection.

This page is generated: `python -m data_gen gallery > data_gen/README.md`.
"""


def gallery(config: DataConfig, count: int = 40) -> str:
    """Return the page of the first `count` training instructions of a recipe."""
    shown = "\n".join(_entry(number, task) for number, task in enumerate(_tasks(config, count), 1))
    return f"{_HEAD.format(count=count)}\n{shown}"


def _tasks(config: DataConfig, count: int) -> Iterator[Instruction]:
    composer = Composer(config, "train", open_seed_sets(config.seeds))
    return (composer.compose(Random(f"{config.seed}/train/{row}")).instruction for row in range(count))


def _entry(number: int, task: Instruction) -> str:
    level = f", {task.difficulty}" if task.difficulty else ""
    return f"## {number}. {task.language}{level}\n\n```text\n{_prompt(task)}\n```\n\n`{signature(task.tree)}`\n"


def _prompt(task: Instruction) -> str:
    if isinstance(task.prompt, str):
        return task.prompt
    return "\n\n".join(f"[{turn.role}]\n{turn.content}" for turn in task.prompt)


def signature(node: Node) -> str:
    """Return a tree in one line.

    Example:
        >>> signature(Leaf(constraint={"type": "case:lower", "scope": "line(1)"}))
        'case:lower@line(1)'
    """
    if isinstance(node, Leaf):
        constraint = node.constraint
        return constraint.type if constraint.scope == "answer" else f"{constraint.type}@{constraint.scope}"
    if isinstance(node, And):
        return f"and({', '.join(map(signature, node.parts))})"
    if isinstance(node, Chain):
        return f"chain({' → '.join(map(signature, node.steps))})"
    branches = [branch.then for branch in node.branches]
    if node.otherwise is not None:
        branches.append(node.otherwise)
    return f"selection({' | '.join(map(signature, branches))})"
