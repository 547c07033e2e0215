"""Multi-hop questions about short passages of typed facts on invented things, so that nothing can be known by heart."""

from __future__ import annotations

import hashlib
from random import Random

from data_gen.seeds.multi_hop_facts import STEMS, Fact, Puzzle, draw_puzzle, kinds, relation_table
from data_gen.seeds.seed import Seed, Solution
from data_gen.seeds.table import LANGUAGES, LICENCE
from rewards.errors import RaifError
from rewards.task_answer import QaAnswer

MAX_HOPS, MAX_DISTRACTORS = 4, 5
MIN_NAMES = 2 * (MAX_DISTRACTORS + 1)  # people and their teachers in every chain
_REQUESTS = {
    "en": (
        "Facts: {facts}\nQuestion: {question}",
        "{facts}\n\n{question}",
        "Read this: {facts}\n\nNow tell me: {question}",
    ),
    "zh": ("事实：{facts}\n问题：{question}", "{facts}\n\n{question}", "请阅读：{facts}\n\n请回答：{question}"),
}
_CORE = {
    "en": ("The answer is {}.", "So the answer is {}.", "In short, the answer is {}."),
    "zh": ("答案是{}。", "所以答案是{}。", "简单地说，答案是{}。"),
}
_THINKING = {"en": "Step by step: {facts} So it is {answer}.", "zh": "一步一步看：{facts}所以是{answer}。"}
_JOIN = {"en": " ", "zh": ""}


class MultiHopSeeds:
    """Questions that take 2 to 4 facts of a passage, each of which is needed, among distractors of the same kinds.

    The passage holds the chain of facts that answers the question, and other chains along the same relations from other
    starts to other ends, all shuffled; no thing is in two chains.

    Args:
        hops: the least and the most facts that a question takes.
        distractors: the least and the most other chains in the passage.
        names: how many names each kind of thing has; by default all that can be made.
        wordings: 1 for one wording of facts and questions, 2 for all of them.

    Example:
        >>> seed = MultiHopSeeds(hops=(2, 2), distractors=(1, 1), wordings=1).draw(Random(5), "en")
        >>> seed.tags, seed.answer.values[0] in seed.solutions["en"].core[0]
        (('multi-hop', 'hops=2'), True)
    """

    name = "multi_hop"
    languages = LANGUAGES

    def __init__(
        self,
        hops: tuple[int, int] = (2, 4),
        distractors: tuple[int, int] = (1, 3),
        names: int | None = None,
        wordings: int = 2,
    ) -> None:
        _check("hops", hops, 2, MAX_HOPS)
        _check("distractors", distractors, 1, MAX_DISTRACTORS)
        _check("names", (STEMS if names is None else names,) * 2, MIN_NAMES, STEMS)
        _check("wordings", (wordings, wordings), 1, 2)
        self.hops, self.distractors, self.wordings = hops, distractors, wordings
        self.names = STEMS if names is None else names

    def draw(self, rng: Random, language: str) -> Seed:
        puzzle = draw_puzzle(rng.randint(*self.hops), rng.randint(*self.distractors), self.names, rng)
        facts = rng.sample([*puzzle.chain, *puzzle.distractors], len(puzzle.chain) + len(puzzle.distractors))
        wording = {fact: rng.randrange(self.wordings) for fact in facts}
        told = {code: {fact: _tell(fact, code, wording[fact]) for fact in facts} for code in LANGUAGES}
        form, core = rng.randrange(len(_REQUESTS["en"]) if self.wordings > 1 else 1), rng.randrange(len(_CORE["en"]))
        passage = _JOIN[language].join(told[language].values())
        return Seed(
            set=self.name,
            id=f"{'.'.join(puzzle.relations)}-{_digest(puzzle)}",
            language=language,
            request=_REQUESTS[language][form].format(facts=passage, question=_question(puzzle, language)),
            answer=QaAnswer(values=_accepted(puzzle, language)),
            solutions={code: _solution(puzzle, code, told[code], core) for code in LANGUAGES},
            licence=LICENCE,
            topic="Reading",
            tags=("multi-hop", f"hops={len(puzzle.chain)}"),
        )


def _check(name: str, bounds: tuple[int, int], least: int, most: int) -> None:
    low, high = bounds
    if not least <= low <= high <= most:
        given = low if low == high else f"{low} to {high}"
        raise RaifError(f"multi_hop: {name} is {given}; it must lie, in order, between {least} and {most}.")


def _tell(fact: Fact, language: str, wording: int) -> str:
    sentence = relation_table()[fact.relation][language]["facts"][wording]
    return str(sentence.format(a=fact.a.name(language), b=fact.b.name(language)))


def _question(puzzle: Puzzle, language: str) -> str:
    what = puzzle.start.name(language)
    for relation in puzzle.relations:
        what = relation_table()[relation][language]["what"].format(a=what)
    asked: str = kinds()[puzzle.chain[-1].b.kind][language]["ask"].format(what=what)
    return asked


def _accepted(puzzle: Puzzle, language: str) -> tuple[str, ...]:
    """Return the answer by its names, the one in the language of the request first."""
    return tuple(puzzle.chain[-1].b.name(code) for code in sorted(LANGUAGES, key=lambda code: code != language))


def _solution(puzzle: Puzzle, language: str, told: dict[Fact, str], core: int) -> Solution:
    answer = puzzle.chain[-1].b.name(language)
    hops = tuple(told[fact] for fact in puzzle.chain)
    thinking = _THINKING[language].format(facts=_JOIN[language].join(hops), answer=answer)
    return Solution(thinking, (_CORE[language][core].format(answer),), hops)


def _digest(puzzle: Puzzle) -> str:
    """Return a hash of what is asked and told, whatever the order and the wordings."""
    content = repr((puzzle.start, puzzle.relations, sorted((*puzzle.chain, *puzzle.distractors))))
    return hashlib.sha256(content.encode()).hexdigest()[:12]
