"""Self-evident constraints on real outputs: published GSM8K solutions and the reference programs of HumanEval."""

from __future__ import annotations

import gzip
import json
import re
from collections import Counter
from pathlib import Path
from random import Random
from statistics import mean
from typing import NamedTuple

import pytest

from data_gen.self_evident import (
    CODE_GROUPS,
    TEXT_GROUPS,
    Candidate,
    Solved,
    assign_groups,
    base_rate,
    choose,
    doses,
    extract,
    instructions_from_outputs,
)
from data_gen.self_evident.families import Said
from data_gen.self_evident.gates import gold_tokens, leaks
from rewards import CodeAnswer, Context, MathAnswer, Response, Status


class Read(NamedTuple):
    solved: list[Solved]
    candidates: list[list[Candidate]]
    rejected: Counter[str]


@pytest.fixture(scope="module")
def gsm8k(shared_dir: Path) -> Read:
    """Return what is read off the correct solutions of the largest model, without calculator marks."""
    path = shared_dir / "data" / "gsm8k" / "example_model_solutions.jsonl"
    if not path.is_file():
        pytest.skip(f"no GSM8K solutions at {path}")
    solved = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        row = json.loads(line)
        if row["175b_verification"]["is_correct"]:
            output = re.sub(r"<<[^>]*>>", "", row["175b_verification"]["solution"])
            gold = MathAnswer(value=row["ground_truth"].rsplit("A: ", 1)[1].strip())
            solved.append(Solved(str(number), row["question"], output, gold, "en", "gsm8k", "MIT"))
    rejected: Counter[str] = Counter()
    candidates = [extract(one.request, one.output, one.answer, "en", rejected=rejected) for one in solved]
    return Read(solved, candidates, rejected)


def test_every_solution_yields_many_constraints_and_they_hold(gsm8k: Read) -> None:
    assert len(gsm8k.solved) == 742
    sizes = [len(each) for each in gsm8k.candidates]
    assert min(sizes) >= 14
    assert 18 <= mean(sizes) <= 28
    for one, candidates in zip(gsm8k.solved[::5], gsm8k.candidates[::5], strict=True):
        context, response = Context(one.request), Response(None, one.output)
        assert all(each.constraint.check(response, context).status is Status.SATISFIED for each in candidates)


def test_few_candidates_leak_and_none_that_is_kept(gsm8k: Read) -> None:
    total = sum(map(len, gsm8k.candidates)) + sum(gsm8k.rejected.values())
    assert 0.001 < gsm8k.rejected["leak"] / total < 0.01
    for one, candidates in zip(gsm8k.solved, gsm8k.candidates, strict=True):
        gold = gold_tokens(one.answer)
        assert not [each for each in candidates if leaks(Said(each.family, each.slots), gold)]


def test_keywords_and_base_rates_are_those_of_the_reference_measurement(gsm8k: Read) -> None:
    """Measured there on the same solutions: at least 4 keywords in 96 %, 5 in 87 %, 8 in 56 %; rates within 0.08."""
    keywords = [sum(each.family == "contains" for each in candidates) for candidates in gsm8k.candidates]
    for least, share in ((4, 0.96), (5, 0.87), (8, 0.56)):
        assert mean(number >= least for number in keywords) == pytest.approx(share, abs=0.04)
    outputs = [Response(None, one.output) for one in gsm8k.solved]
    rates: dict[str, list[float]] = {}
    rng = Random("rates")
    for index in range(0, len(outputs), 8):
        others = rng.sample(outputs[:index] + outputs[index + 1 :], 40)
        for each in gsm8k.candidates[index]:
            rate = base_rate(each.constraint, others, Context())
            assert rate is not None
            rates.setdefault(each.family, []).append(rate)
    known = {
        "words_between": 0.34, "at_most_words": 0.66, "exact_sentences": 0.26, "exact_lines": 0.27,
        "exact_paragraphs": 1.0, "no_list": 1.0, "no_bold": 1.0, "contains": 0.03, "avoids": 0.99,
        "first_word": 0.06, "last_line": 1.0, "no_capital_words": 0.99,
    }  # fmt: skip
    for family, rate in known.items():
        assert mean(rates[family]) == pytest.approx(rate, abs=0.08), family


def test_main_constraints_are_spread_evenly_and_doses_nest(gsm8k: Read) -> None:
    available = {
        one.id: {each.group for each in candidates}
        for one, candidates in zip(gsm8k.solved, gsm8k.candidates, strict=True)
    }
    assigned = assign_groups(available, seed=1)
    counts = Counter(assigned.values())
    assert counts.keys() == set(TEXT_GROUPS)
    assert max(counts.values()) - min(counts.values()) <= 1
    reached: Counter[int] = Counter()
    for one, candidates in zip(gsm8k.solved[::7], gsm8k.candidates[::7], strict=True):
        sets = doses(candidates, one.id, 1, assigned[one.id])
        assert sets[1] == (choose(candidates, one.id, 1, assigned[one.id]),)
        assert sets[3] == sets[5][:3]
        reached.update(sets.keys())
    assert min(reached[size] for size in (1, 2, 3, 5, 8)) == max(reached.values())


def test_solutions_become_training_instructions(gsm8k: Read) -> None:
    rejected: Counter[str] = Counter()
    made = list(instructions_from_outputs(gsm8k.solved[:150], constraints=3, rejected=rejected))
    assert len(made) == 150
    assert rejected["unmet"] == rejected["too_few"] == 0
    assert all(one.evaluate(Response(None, one.witness or "")).hard for one in made)
    assert len({each.type for one in made for each in one.constraints}) >= 12


def test_reference_programs_have_the_measured_properties(shared_dir: Path) -> None:
    """Measured elsewhere on the same programs: the shares below, within 0.05."""
    path = shared_dir / "data" / "humaneval" / "HumanEval.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"no HumanEval at {path}")
    seen: Counter[str] = Counter()
    groups: Counter[str] = Counter()
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).decode().splitlines()]
    for row in rows:
        task = CodeAnswer(tests=row["test"], entry_point=row["entry_point"], prelude=row["prompt"])
        body = extract(row["prompt"], row["canonical_solution"], task, "en")
        whole = f"Sure:\n```python\n{row['prompt']}{row['canonical_solution']}\n```"
        again = extract(row["prompt"], whole, task, "en")
        assert [(each.family, each.slots) for each in again] == [(each.family, each.slots) for each in body]
        for each in body:
            met = each.constraint.check(Response(None, row["canonical_solution"]), Context(row["prompt"]))
            assert met.status is Status.SATISFIED
        seen.update({each.family for each in body})
        groups.update({each.group for each in body})
    known = {
        "code_no_while": 0.91, "code_uses_while": 0.09, "code_single_function": 0.91, "code_helper_function": 0.09,
        "code_one_return": 0.63, "code_uses_for": 0.45, "code_comprehension": 0.27, "code_lines": 1.0,
    }  # fmt: skip
    for family, share in known.items():
        assert seen[family] / len(rows) == pytest.approx(share, abs=0.05), family
    assert groups.keys() == set(CODE_GROUPS)
