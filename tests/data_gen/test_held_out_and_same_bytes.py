"""What training never sees, what conditions may ask, and the same rows in every process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any, get_args

import pytest

from data_gen.arguments import RANGES, ArgumentSampler, belongs_to
from data_gen.composition import Composer, open_seed_sets
from data_gen.conditions import against, draw_conditions
from data_gen.config import load_yaml, parse_config
from data_gen.filling import ABOUT_CHINESE
from data_gen.phrasing import Layout, phrase
from data_gen.seeds import Seed
from data_gen.seeds.table import LICENCE
from rewards import And, Instruction, Leaf, RaifError, parse_constraint
from rewards.conditions import RequestCondition, ResponseCondition
from rewards.instruction import Split
from rewards.task_answer import MathAnswer

ROOT = Path(__file__).resolve().parents[2]
DEFAULT = load_yaml(ROOT / "recipes" / "data" / "default.yaml")


def composed(split: Split, count: int, **changes: Any) -> list[Instruction]:
    config = parse_config({**DEFAULT, **changes}, "test")
    composer = Composer(config, split, open_seed_sets(config.seeds))
    return [composer.compose(Random(f"held out/{row}")).instruction for row in range(count)]


SELECTIONS = {"trees": {"mix": {"selection": 1}}, "seeds": [{"type": "tasks"}, {"type": "word_problems"}]}


def test_conditions_of_training_ask_for_nothing_held_out() -> None:
    held_out = {"types": ["length:min_sentences"], "arguments": 0.25}
    rows = composed("train", 150, **SELECTIONS, held_out=held_out, languages={"en": 1})
    asked = [c.constraint for row in rows for c in row.tree.conditions() if getattr(c, "constraint", None)]
    words = [word for each in asked if each.type == "keywords:existence" for word in each.keywords]
    limits = [each.limit for each in asked if each.type == "length:min_words"]
    assert words
    assert all(belongs_to("train", f"keyword.en={word}") for word in words)
    assert limits
    assert max(limits) <= 120 - round(101 * 0.25)
    assert all(belongs_to("train", f"length:min_words.limit={limit}") for limit in limits)
    assert not any(each.type == "length:min_sentences" for each in asked)


def test_every_constraint_of_the_held_out_range_asks_for_a_number_in_it() -> None:
    sampler = ArgumentSampler("test_arguments", held_out=0.25)
    drawable = sampler.drawable({"length:max_words": 1.0, "keywords:existence": 1.0, "language:response": 1.0})
    assert list(drawable) == ["length:max_words"]
    low, high = RANGES["length:max_words"]["limit"]
    for row in composed("test_arguments", 30, constraints={"weights": {"length:max_words": 1, "affix:end_phrase": 1}},
                        difficulty={"easy": 1}, levels={"easy": {"min": 1, "max": 1}}):  # fmt: skip
        assert all(each.limit > high - 0.25 * (high - low + 1) - 1 for each in row.constraints)
    with pytest.raises(RaifError, match="needs a type that draws a number"):
        sampler.drawable({"punctuation:no_comma": 1.0})


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_length_of_a_request_is_asked_well_away_from_it(language: str) -> None:
    request = "One two three four five, six seven eight 9 ten?" if language == "en" else "小明有3个苹果和5个梨。"
    seed = Seed("tasks", "0", language, request, MathAnswer(value="8"), {}, LICENCE)
    size = len(request.split()) if language == "en" else len(request)
    limits = [
        condition.constraint.limit
        for number in range(300)
        for condition in draw_conditions(seed, 6, Random(number))
        if isinstance(condition, RequestCondition)
        and condition.constraint is not None
        and condition.constraint.type == "length:min_words"
    ]
    assert limits
    assert not any(0.8 * size < limit < size + 8 for limit in limits)  # whether or not the answer's format is counted


def test_nobody_says_of_a_task_from_a_file_whether_it_is_a_calculation() -> None:
    request = "Compute three times four, please, and tell me."
    ours, foreign = (Seed("tasks", "0", "en", request, None, {}, licence) for licence in (LICENCE, ""))
    for seed, expected in ((ours, True), (foreign, False)):
        drawn = [each for number in range(100) for each in draw_conditions(seed, 6, Random(number))]
        assert any(getattr(each, "holds", None) is not None for each in drawn) == expected


def test_answers_that_are_no_plain_number_are_never_compared() -> None:
    for value in ("inf", "nan", "1e400", "\\frac{1}{2}", "-7", "2.5"):
        seed = Seed("x", "0", "en", "What is it?", MathAnswer(value=value), {})
        for number in range(40):
            draw_conditions(seed, 6, Random(number))


def test_a_branch_is_kept_clear_of_by_the_opposite() -> None:
    condition = ResponseCondition(constraint=parse_constraint({"type": "length:min_words", "limit": 40}))
    opposite = against(condition)
    assert opposite is not None
    assert (opposite.type, opposite.model_dump()["limit"]) == ("length:max_words", 39)
    assert against(RequestCondition(holds=True)) is None


def test_english_answers_are_not_asked_for_chinese_punctuation_or_characters() -> None:
    weights = {
        **dict.fromkeys(sorted(ABOUT_CHINESE), 5),
        "length:*": 1,
        "language:response": 3,
        "case:english_lower": 1,
    }
    for row in composed("train", 80, constraints={"weights": weights}):
        types = {each.type for each in row.constraints}
        if types & ABOUT_CHINESE:
            asked = [each.language for each in row.constraints if each.type == "language:response"]
            assert (asked or [row.language]) == ["zh"], row.prompt_text
            assert "case:english_lower" not in types


def test_of_one_part_nothing_is_asked_twice() -> None:
    parts = {"mix": {"chain": 1}, "parts": 1.0}
    for row in composed("train", 120, trees=parts, difficulty={"hard": 1}):
        scoped = [(each.scope, each.family) for each in row.constraints if each.scope != "answer"]
        assert len(scoped) == len(set(scoped)), row.prompt_text
        if scoped:  # what makes the parts is still there
            assert {each.type for each in row.constraints} & {"length:paragraphs", "length:lines", "layout:sections"}
        assert not any(
            t == "length:max_paragraph_words" for t, s in ((c.type, c.scope) for c in row.constraints) if s != "answer"
        )


@pytest.mark.parametrize("layout", get_args(Layout))
@pytest.mark.parametrize("language", ["en", "zh"])
def test_one_demand_is_not_announced_as_several(layout: Layout, language: str) -> None:
    tree = And(parts=(Leaf(constraint={"type": "length:max_words", "limit": 9}),))
    plural = ("A few", "rules", "notes", "conditions.", "- ", "1. ", "几点", "几个")
    for number in range(40):
        prompt = phrase("Name a river.", tree, language, layout, False, Random(number)).prompt
        said = prompt if isinstance(prompt, str) else "\n".join(message.content for message in prompt)
        assert not any(word in said.replace("Ground rules", "") for word in plural), said


def test_a_request_that_asks_for_the_box_is_not_told_twice() -> None:
    tree = Leaf(constraint={"type": "length:max_words", "limit": 9})
    prompt = phrase("What is 1 + 1? Use \\boxed{}.", tree, "en", "inline", True, Random(0)).prompt
    assert str(prompt).count("\\boxed") == 1


def test_rows_do_not_depend_on_the_order_of_hashes() -> None:
    program = (
        "import hashlib, sys\nfrom random import Random\nfrom data_gen.composition import Composer, open_seed_sets\n"
        "from data_gen.config import load_yaml, parse_config\n"
        "config = parse_config(load_yaml(sys.argv[1]), 'test')\nseeds = open_seed_sets(config.seeds)\n"
        "for split in ('train', 'test_families', 'test_arguments'):\n"
        "    composer = Composer(config, split, seeds)\n"
        "    rows = [composer.compose(Random(row)).instruction.model_dump_json() for row in range(25)]\n"
        "    print(hashlib.sha256(''.join(rows).encode()).hexdigest(), dict(composer.rejected))\n"
    )
    command = [sys.executable, "-c", program, str(ROOT / "recipes" / "data" / "default.yaml")]
    outputs = [
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1]
    assert outputs[0].count("\n") == 3
