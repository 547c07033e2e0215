"""Thinking made from a witness: every demand sorted and planned, the branch that applies, counts that are true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Any

import pytest

from data_gen.experts import demonstrate, think, warm_start_row
from data_gen.experts.branches import Facts, active
from data_gen.experts.grouping import GROUPS, group_of, mention
from data_gen.seeds import ArithmeticSeeds, Seed, WritingSeeds
from data_gen.witness import answer_language, solve
from rewards import (
    And,
    AnswerCondition,
    Branch,
    Chain,
    Constraint,
    Context,
    Instruction,
    Leaf,
    MathAnswer,
    MathVerifier,
    Provenance,
    RequestCondition,
    Response,
    ResponseCondition,
    Selection,
    Status,
    constraint_class,
    known_constraints,
    parse_constraint,
)
from rewards.conditions import Condition
from rewards.text import han_share
from rewards.tree import Node

#: Types whose witness keeps the sentences it is given, so that the answer of a task survives.
GENTLE = (
    "affix:end_phrase", "affix:quotation", "affix:start_phrase", "case:min_capital_words", "counting:min_numbers",
    "keywords:existence", "keywords:forbidden", "keywords:min_frequency", "layout:bullets", "layout:min_bold",
    "length:max_words", "length:min_sentences", "length:min_words", "punctuation:no_comma", "punctuation:no_question",
)  # fmt: skip


def task_of(seed: Seed, tree: Node, **changes: Any) -> Instruction:
    """Return an instruction that states its demands one below the other."""
    demands = "\n".join(constraint.describe(seed.language) for _, constraint in tree.constraints())
    fields: dict[str, Any] = {
        "request": seed.request,
        "prompt": f"{seed.request}\n{demands}",
        "language": seed.language,
        "split": "train",
        "tree": tree,
        "answer": seed.answer,
        "source": Provenance(seed_set=seed.set, seed_id=seed.id),
    }
    return Instruction.build(**fields | changes)


def condition_of(seed: Seed, rng: Random) -> Condition:
    text = {"en": "the request asks for code", "zh": "题目要求写代码"}[seed.language]
    kinds: list[Condition] = [
        RequestCondition(text=text, holds=rng.random() < 0.5),
        RequestCondition(constraint=parse_constraint({"type": "counting:min_numbers", "count": 2})),
        ResponseCondition(constraint=parse_constraint({"type": "length:min_words", "limit": 12})),
    ]
    relation = rng.choice(("even", "odd"))
    return AnswerCondition(relation=relation) if seed.answer and rng.random() < 0.5 else rng.choice(kinds)


def tree_of(constraints: list[Constraint], seed: Seed, rng: Random) -> Node:
    """Return the constraints in a tree of a kind that is drawn."""
    leaves = tuple(Leaf(constraint=constraint) for constraint in constraints)
    kind = rng.choice(("and", "chain", "selection", "nested")) if len(leaves) > 2 else "and"
    if kind == "and":
        return And(parts=leaves)
    if kind == "chain":
        return Chain(steps=(leaves[0], And(parts=leaves[1:])))
    branch = Branch(when=condition_of(seed, rng), then=leaves[1])
    fork = Selection(branches=(branch,), otherwise=Chain(steps=leaves[2:]) if rng.random() < 0.7 else None)
    return And(parts=(leaves[0], fork)) if kind == "selection" else Chain(steps=(leaves[0], fork))


def drawn_tasks(count: int, types: tuple[str, ...]) -> Iterator[tuple[Instruction, Seed, str]]:
    """Yield instructions with a witness that the verifiers accept, their seeds and the language of the answer."""
    number = 0
    while count:
        number += 1
        rng = Random(f"task {number}")
        seed = rng.choice((ArithmeticSeeds(), WritingSeeds())).draw(rng, rng.choice(("en", "zh")))
        names = rng.sample(types, rng.randint(1, 4))
        constraints = [parse_constraint({"type": n, **constraint_class(n).draw(rng, seed.language)}) for n in names]
        language = answer_language(constraints, seed.language)
        if language not in seed.solutions:
            continue
        attempt = solve(seed.solutions[language], language, constraints, Context(seed.request, seed.language), rng)
        if not attempt.refused and _keeps_the_answer(seed, attempt.text):
            yield task_of(seed, tree_of(constraints, seed, rng), witness=attempt.text), seed, language
            count -= 1


def _keeps_the_answer(seed: Seed, text: str) -> bool:
    return not isinstance(seed.answer, MathAnswer) or MathVerifier(deadline=600).judge([(seed.answer.value, text)]) == [
        True
    ]


@lru_cache(maxsize=1)
def gentle_tasks() -> tuple[tuple[Instruction, Seed, str], ...]:
    return tuple(drawn_tasks(150, GENTLE))


@lru_cache(maxsize=1)
def wild_tasks() -> tuple[tuple[Instruction, Seed, str], ...]:
    """Return tasks over all types that can be drawn alone."""
    names = tuple(name for name in known_constraints() if not name.startswith("copying:"))
    return tuple(drawn_tasks(100, names))


def facts_of(task: Instruction) -> Facts:
    return Facts(Response(None, task.witness or ""), task.context(), task.answer)


def planned(task: Instruction, seed: Seed, language: str, number: int = 0) -> str:
    constraints = task.constraints
    return think(seed, constraints, language, "plan", tree=task.tree, rng=Random(number), answer=task.witness or "")


EN_SEED = ArithmeticSeeds().draw(Random(0), "en")
ZH_SEED = ArithmeticSeeds().draw(Random(0), "zh")
SHORT = parse_constraint({"type": "length:max_words", "limit": 9})
PLAIN = parse_constraint({"type": "punctuation:no_comma"})
BULLETS = parse_constraint({"type": "layout:bullets", "count": 3})


def test_notes_are_the_demands_and_the_working() -> None:
    assert think(EN_SEED, [SHORT, PLAIN], "en") == "at most 9 words; no commas. 4 * 5 = 20."
    assert think(ZH_SEED, [SHORT, PLAIN], "zh") == "最多9个字；不用逗号。4 * 5 = 20."
    writing = WritingSeeds().draw(Random(1), "en")
    assert think(writing, [PLAIN], "en") == "no commas."
    assert think(EN_SEED, [PLAIN], "fr") == "no commas."
    assert demonstrate(EN_SEED, [PLAIN], "en", "It is 20.").thinking == "no commas. 4 * 5 = 20."


def test_every_demand_that_counts_is_mentioned() -> None:
    for task, seed, language in gentle_tasks() + wild_tasks():
        thinking = planned(task, seed, language)
        for constraint in active(task.tree, facts_of(task)):
            assert mention(constraint, seed.language) in thinking, (constraint, thinking)


def test_thinking_does_not_copy_the_prompt() -> None:
    for task, seed, language in wild_tasks():
        thinking = planned(task, seed, language)
        long = [text for c in task.constraints if len(text := c.describe(seed.language)) > 25]
        assert [text for text in long if text.rstrip(".。") in thinking] == []


def test_thinking_and_answer_split_again() -> None:
    for task, seed, language in wild_tasks():
        made = demonstrate(seed, task.constraints, language, task.witness or "", "plan", tree=task.tree)
        response = Response.split(made.completion)
        assert response.well_formed
        assert (response.thinking, response.answer) == (made.thinking, task.witness)
        assert made.thinking not in made.answer


def test_thinking_is_in_the_language_of_the_instruction() -> None:
    for task, seed, language in gentle_tasks():
        share = han_share(planned(task, seed, language))
        assert share > 0.5 if seed.language == "zh" else share < 0.1


def test_the_branch_told_is_the_one_the_verifiers_take() -> None:
    told = {"first": 0, "other": 0}
    words = {"en": ("the first branch", "the other case"), "zh": ("第一支", "另一种情况")}
    for task, seed, language in gentle_tasks():
        forks = [part for part in getattr(task.tree, "parts", ()) if isinstance(part, Selection)]
        if not forks:
            continue
        thinking, (first, other) = planned(task, seed, language), words[seed.language]
        judged = task.evaluate(Response(None, task.witness or ""))
        taken = next(leaf.verdict.status for leaf in judged.leaves if "selection.0" in leaf.path)
        if taken is Status.SKIPPED:
            assert first not in thinking
            told["other"] += other in thinking
        else:
            assert first in thinking
            assert other not in thinking
            told["first"] += 1
    assert min(told.values()) > 3


def fork_thinking(when: Condition, seed: Seed, answer: str = "It is 20.") -> str:
    fork = Selection(branches=(Branch(when=when, then=Leaf(constraint=PLAIN)),), otherwise=Leaf(constraint=BULLETS))
    return think(seed, [PLAIN, BULLETS], seed.language, "plan", tree=fork, rng=Random(1), answer=answer)


@pytest.mark.parametrize(
    ("when", "english", "chinese"),
    [
        (AnswerCondition(relation="even"), "It does: the result is 20", "结果是20，条件成立"),
        (AnswerCondition(relation="odd"), "It does not: the result is 20", "结果是20，条件不成立"),
        (
            RequestCondition(constraint=parse_constraint({"type": "counting:min_numbers", "count": 1})),
            "is the case (2 numbers (",
            "确实如此（2个数字）",
        ),
        (
            ResponseCondition(constraint=parse_constraint({"type": "length:max_words", "limit": 9})),
            "I will write it that way (3 words)",
            "我打算这样写（2个字）",
        ),
    ],
)
def test_why_a_branch_is_taken(when: Condition, english: str, chinese: str) -> None:
    assert english in (said := fork_thinking(when, EN_SEED)), said
    assert chinese in (said := fork_thinking(when, ZH_SEED, "是20。")), said


def test_a_branch_that_waits_for_the_answer_is_left_open() -> None:
    when = ResponseCondition(constraint=SHORT)
    for seed, words in ((EN_SEED, "cannot be told before the answer"), (ZH_SEED, "要等回答写出来才知道")):
        said = fork_thinking(when, seed, answer="")
        assert words in said
        assert mention(PLAIN, seed.language) in said
        assert mention(BULLETS, seed.language) in said


def test_the_result_comes_before_a_branch_that_waits_for_it() -> None:
    said = fork_thinking(AnswerCondition(relation="even"), EN_SEED)
    assert said.index("4 * 5 = 20") < said.index("the first branch")


def test_what_the_prompt_calls_you_is_me_in_thinking() -> None:
    when = RequestCondition(text="My request shows that you like your garden.", holds=True)
    assert "the request shows that I like my garden" in fork_thinking(when, EN_SEED)


def test_a_branch_that_is_not_taken_is_not_planned() -> None:
    said = fork_thinking(AnswerCondition(relation="even"), EN_SEED)
    assert mention(BULLETS, "en") not in said
    assert "no commas" in said


def test_a_chain_is_told_in_order() -> None:
    chain = Chain(steps=(Leaf(constraint=BULLETS), Leaf(constraint=PLAIN), Leaf(constraint=SHORT)))
    said = think(EN_SEED, [], "en", "plan", tree=chain, rng=Random(0))
    assert "first 3 bullets, then no commas, at last at most 9 words" in said
    said = think(ZH_SEED, [], "zh", "plan", tree=chain, rng=Random(0))
    assert "先是3个要点，接着是不用逗号，最后是最多9个字" in said


def test_named_needs_are_told() -> None:
    tree = And(parts=(Leaf(constraint=BULLETS, name="list"), Leaf(constraint=PLAIN, needs=("list",))))
    said = think(EN_SEED, [], "en", "plan", tree=tree, rng=Random(0))
    assert re.search(r"‘no commas’ only counts once ‘3 bullets’|Without ‘3 bullets’, ‘no commas’", said)


def test_groups_come_in_the_order_of_the_work() -> None:
    end = parse_constraint({"type": "affix:end_phrase", "phrase": "That is all."})
    word = parse_constraint({"type": "keywords:existence", "keywords": ["river"]})
    spoken = parse_constraint({"type": "language:response", "language": "en"})
    demands = [PLAIN, end, word, SHORT, BULLETS, spoken]
    for number in range(20):
        said = think(EN_SEED, demands, "en", "plan", rng=Random(number))
        in_order = sorted(demands, key=lambda demand: GROUPS.index(group_of(demand)))
        listed = [said.index(mention(demand, "en")) for demand in in_order]
        assert listed == sorted(listed)


def test_the_counts_are_those_of_the_verifier() -> None:
    seen = 0
    for task, seed, language in gentle_tasks():
        thinking = planned(task, seed, language)
        for leaf in task.evaluate(Response(None, task.witness or "")).leaves:
            if leaf.type in ("length:min_words", "length:max_words") and leaf.verdict.status is Status.SATISFIED:
                found = re.match(r"\d+", leaf.verdict.evidence)
                said = re.findall(r"\((\d+) words?\)|（(\d+)个字）", thinking)
                assert found is not None
                if said:
                    seen += found[0] in {number for pair in said for number in pair}
                    assert found[0] in {number for pair in said for number in pair}
    assert seen > 20


def test_an_answer_that_fails_is_not_praised() -> None:
    said = think(EN_SEED, [BULLETS], "en", "plan", rng=Random(0), answer="No list here.")
    assert "(" not in said


@pytest.mark.parametrize("language", ["en", "zh"])
def test_wordings_vary_and_can_be_repeated(language: str) -> None:
    seed = {"en": EN_SEED, "zh": ZH_SEED}[language]

    def plan(number: int) -> str:
        demands = [SHORT, PLAIN, BULLETS]
        return think(seed, demands, language, "plan", rng=Random(number), answer="- 1\n- 2\n- 20")

    said = [plan(number) for number in range(200)]
    assert len(set(said)) > 190
    assert len({text.split("\n")[0] for text in said}) >= 5
    assert said[7] == plan(7)
    once = think(seed, [SHORT], language, "plan")
    assert once == think(seed, [SHORT], language, "plan")


def test_a_warm_start_row_can_plan() -> None:
    tree = And(parts=(Leaf(constraint=SHORT), Leaf(constraint=PLAIN)))
    task = task_of(EN_SEED, tree)
    notes = warm_start_row(task, EN_SEED, Random(4), careless=0.0, direct=0.0)
    plan = warm_start_row(task, EN_SEED, Random(4), careless=0.0, direct=0.0, style="plan")
    assert notes.thinking == "at most 9 words; no commas. 4 * 5 = 20."
    assert plan.thinking is not None
    assert len(plan.thinking.split("\n")) > 3
    assert (notes.answer, notes.hard) == (plan.answer, True)


def test_a_warm_start_row_obeys_the_branch_that_applies() -> None:
    fork = Selection(
        branches=(Branch(when=AnswerCondition(relation="odd"), then=Leaf(constraint=BULLETS)),),
        otherwise=Leaf(constraint=PLAIN),
    )
    row = warm_start_row(task_of(EN_SEED, fork), EN_SEED, Random(0), careless=0.0, direct=0.0)
    assert row.hard
    assert "- " not in row.answer
