"""Constraint tree -> the prompt a policy sees, in natural English or Chinese, with the wording of every demand."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from data_gen.phrasing import openings
from data_gen.phrasing.layouts import LAYOUTS, Layout, Task, Writer
from data_gen.phrasing.leaves import Wording, Wordings
from data_gen.phrasing.prose import Prose
from data_gen.phrasing.tree import Said, spoken
from rewards.instruction import Prompt, SubInstruction
from rewards.judged import Judged
from rewards.tree import Node

__all__ = ["LAYOUTS", "Layout", "Phrased", "Wordings", "phrase"]


class Phrased(NamedTuple):
    """A prompt and how it words each demand."""

    prompt: Prompt
    sub_instructions: tuple[SubInstruction, ...]


def phrase(
    request: str, tree: Node, language: str, layout: Layout, boxed: bool, rng: Random, wordings: Wordings = "all"
) -> Phrased:
    """Write the prompt: the request, the answer format of tasks with a ground truth, and the demands of the tree.

    Example:
        >>> from rewards import Leaf
        >>> tree = Leaf(constraint={"type": "length:max_words", "limit": 9})
        >>> phrase("Name a river.", tree, "en", "inline", False, Random(0), "own").prompt
        'Name a river. Do not use more than 9 words.'
    """
    said: Said = {}
    prose = Prose(Wording(language, wordings, rng), rng)
    prompt = Writer(prose, rng).write(Task(_task(request, language, boxed, rng, wordings), spoken(tree, said)), layout)
    return Phrased(prompt, _decomposed(tree, said))


def _task(request: str, language: str, boxed: bool, rng: Random, wordings: Wordings) -> str:
    if not boxed or "\\boxed" in request:
        return request
    asked = openings.BOXED[language][0] if wordings == "own" else rng.choice(openings.BOXED[language])
    space = "" if language == "zh" else "\n\n" if "\n" in request else " "
    return f"{request}{space}{asked}"


def _decomposed(tree: Node, said: Said) -> tuple[SubInstruction, ...]:
    paths = [place.path for place in tree.places]
    return tuple(
        SubInstruction(
            path=place.path,
            text=said[place.path],
            question=place.leaf.constraint.question if isinstance(place.leaf.constraint, Judged) else "",
            needs=tuple(paths[number] for number in place.needs),
        )
        for place in tree.places
    )
