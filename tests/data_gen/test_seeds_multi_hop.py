"""Multi-hop questions: read back from their text and solved by symbols, they need every fact of the chain alone."""

from __future__ import annotations

import re
from collections import Counter
from random import Random

import pytest

from data_gen.config import parse_config
from data_gen.seeds import MultiHopSeeds, Seed, SeedSource, open_seed_set
from data_gen.seeds.multi_hop_facts import STEMS, Fact, Thing, draw_puzzle, kinds, relation_table, solve
from data_gen.seeds.table import LANGUAGES
from rewards import QaAnswer, RaifError
from rewards.qa_answer import qa_correct
from rewards.sentences import split_sentences

Told = tuple[str, str, str]


def read_passage(request: str, language: str) -> list[Told]:
    """Return the facts of a request as (subject, relation, object), by the tables' wordings alone."""
    found = []
    for sentence in split_sentences(request.replace("\n", " ")):
        for name, entry in relation_table().items():
            for wording in entry[language]["facts"]:
                pattern = re.escape(wording).replace(r"\{a\}", "(?P<a>.+)").replace(r"\{b\}", "(?P<b>.+)")
                opening = "(?:Facts: |Read this: |事实：|请阅读：)?"
                if match := re.fullmatch(opening + pattern, sentence):
                    found.append((match["a"], name, match["b"]))
    return found


def follow(start: str, relations: list[str], facts: list[Told]) -> str | None:
    """Solve a question about facts, or return None where a step is missing or ambiguous."""
    place: str | None = start
    for relation in relations:
        ends = {end for subject, name, end in facts if (subject, name) == (place, relation)}
        place = ends.pop() if len(ends) == 1 else None
    return place


def start_of(seed: Seed, facts: list[Told], relations: list[str]) -> str:
    """Return the thing that the question names: the only one of the passage that it does."""
    question = re.split(r"Question: |问题：|\n\n(?:Now tell me: |请回答：)?", seed.request)[-1]
    named = {subject for subject, name, _ in facts if name == relations[0] and subject in question}
    assert len(named) == 1, (seed.request, named)
    return named.pop()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("hops", [2, 3, 4])
def test_every_hop_is_needed_and_no_distractor_answers(hops: int, language: str) -> None:
    seeds, rng = MultiHopSeeds(hops=(hops, hops)), Random(f"{hops} {language}")
    for _ in range(60):
        seed = seeds.draw(rng, language)
        relations = seed.id.rpartition("-")[0].split(".")
        facts = read_passage(seed.request, language)
        assert len(relations) == hops
        assert len(facts) >= 2 * hops
        start = start_of(seed, facts, relations)
        answer = follow(start, relations, facts)
        assert isinstance(seed.answer, QaAnswer)
        assert answer is not None
        assert qa_correct(seed.answer.values, answer)
        needed = [fact for fact in facts if follow(start, relations, [f for f in facts if f != fact]) is None]
        assert len(needed) == hops
        assert follow(start, relations, needed) == answer
        others = [fact for fact in facts if fact not in needed]
        assert follow(start, relations, others) is None
        assert all(answer not in (subject, end) for subject, _, end in others)
        assert Counter(name for _, name, _ in others).keys() == set(relations)  # of the same kinds


def test_solver_refuses_what_is_missing_or_ambiguous() -> None:
    puzzle = draw_puzzle(3, 2, STEMS, Random(1))
    facts = [*puzzle.chain, *puzzle.distractors]
    assert solve(puzzle.start, puzzle.relations, facts) == puzzle.chain[-1].b
    for fact in puzzle.chain:
        assert solve(puzzle.start, puzzle.relations, [each for each in facts if each != fact]) is None
    first = puzzle.chain[0]
    second = Fact(first.a, first.relation, Thing(first.b.kind, first.b.stem + 1))
    assert solve(puzzle.start, puzzle.relations, [*facts, second]) is None


@pytest.mark.parametrize("language", LANGUAGES)
def test_solutions_chain_the_hops_and_vary(language: str) -> None:
    seeds, rng = MultiHopSeeds(), Random(language)
    outputs = set()
    for _ in range(300):
        seed = seeds.draw(rng, language)
        assert isinstance(seed.answer, QaAnswer)
        solution = seed.solutions[language]
        places = [solution.thinking.find(each) for each in solution.optional]
        assert places == sorted(places)
        assert places[0] > 0
        joint = " " if language == "en" else ""
        for sentences in (solution.core, (*solution.optional, *solution.core)):
            assert qa_correct(seed.answer.values, joint.join(sentences)), solution
            assert split_sentences(joint.join(sentences)) == list(sentences)
        assert not qa_correct(seed.answer.values, joint.join(solution.optional[:-1]))
        outputs.add(solution.core[0].replace(seed.answer.values[0], "X"))
    assert len(outputs) == 3


def test_one_task_has_one_id_in_both_languages_and_few_tasks_are_the_same() -> None:
    seeds = MultiHopSeeds()
    drawn = [[seeds.draw(Random(number), code) for number in range(2000)] for code in LANGUAGES]
    assert [seed.id for seed in drawn[0]] == [seed.id for seed in drawn[1]]
    assert drawn[0][0].request != drawn[1][0].request
    assert len({seed.id for seed in drawn[0]}) == 2000
    assert drawn[0] == [seeds.draw(Random(number), "en") for number in range(2000)]


def test_names_are_distinct_in_both_languages() -> None:
    for code in LANGUAGES:
        assert len({Thing("person", number).name(code) for number in range(STEMS)}) == STEMS
    limited = MultiHopSeeds(hops=(2, 2), distractors=(1, 1), names=12, wordings=1)
    people = set()
    rng = Random(0)
    for _ in range(400):
        puzzle = draw_puzzle(2, 1, limited.names, rng)
        people |= {fact.a.stem for fact in puzzle.chain if fact.a.kind == "person"}
    assert len(people) == 12
    assert len(kinds()) * 12 < STEMS


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hops": [1, 2]}, "hops is 1 to 2; it must lie, in order, between 2 and 4"),
        ({"hops": [4, 2]}, "hops is 4 to 2"),
        ({"distractors": [0, 1]}, "distractors is 0 to 1"),
        ({"names": 5}, "names is 5; it must lie, in order, between 12 and"),
        ({"wordings": 3}, "wordings is 3"),
    ],
)
def test_bad_options_are_named(options: dict[str, object], message: str) -> None:
    with pytest.raises(RaifError, match=re.escape(message)):
        open_seed_set(SeedSource(type="multi_hop", **options))  # type: ignore[arg-type]


def test_options_of_another_set_are_refused() -> None:
    with pytest.raises(RaifError, match=r"seeds\.0: a seed source of type arithmetic does not take hops"):
        parse_config({"counts": {"train": 1}, "seeds": [{"type": "arithmetic", "hops": [2, 3]}]}, "test")
