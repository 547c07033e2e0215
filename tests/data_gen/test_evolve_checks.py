"""What the checks of evolution notice, over every type of rule, and what they let pass."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_gen.evolve.bounds import Bound, bounds_in
from data_gen.evolve.checks import check_rewritten
from data_gen.evolve.demands import Demand
from data_gen.evolve.keeping import kept_of
from data_gen.evolve.numbers import values_in
from data_gen.evolve.replies import Merging, Problem, RewrittenDemand, read_reply
from rewards.constraint import Constraint, known_constraints, parse_constraint

LANGUAGES = ("en", "zh")


def wordings(language: str) -> list[tuple[Constraint, str]]:
    found = []
    for name, cls in known_constraints().items():
        constraint = parse_constraint({"type": name, **cls.draw(Random(f"{name}/checks"), language)})
        found += [(constraint, constraint.describe(language, number)) for number in range(len(cls.phrases[language]))]
    return found


def problem(constraint: Constraint, before: str, after: str, language: str) -> Problem | None:
    demand = Demand(before, kept=kept_of(constraint, before, language))
    return check_rewritten(demand, RewrittenDemand(id=1, text=after), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_wording_of_a_rule_says_what_it_must(language: str) -> None:
    for constraint, text in wordings(language):
        assert problem(constraint, text, text, language) is None, text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_paraphrase_of_a_rule_passes(language: str) -> None:
    by_type: dict[str, list[tuple[Constraint, str]]] = {}
    for constraint, text in wordings(language):
        by_type.setdefault(constraint.type, []).append((constraint, text))
    pairs = [(c, before, after) for group in by_type.values() for c, before in group for _, after in group]
    refused = [(before, after) for c, before, after in pairs if _is_refused(c, before, after, language)]
    assert len(refused) <= len(pairs) / 200, refused


def _is_refused(constraint: Constraint, before: str, after: str, language: str) -> bool:
    found = problem(constraint, before, after, language)
    return found is not None and found.reason not in ("too long", "added a number")  # these two are no paraphrase's


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_argument_in_digits_must_stay(language: str) -> None:
    tried = 0
    for constraint, text in wordings(language):
        for value in sorted(kept_of(constraint, text, language).numbers):
            digits = f"{value:g}"
            changed = re.sub(rf"(?<![\d.]){re.escape(digits)}(?![\d.])", f"{value + 1000:g}", text)
            if changed != text:
                tried += 1
                assert problem(constraint, text, changed, language) is not None, changed
    assert tried > 80


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_quoted_argument_must_stay(language: str) -> None:
    tried = 0
    for constraint, text in wordings(language):
        for literal in kept_of(constraint, text, language).literals:
            tried += 1
            changed = re.sub(re.escape(literal), "□" if language == "zh" else "something", text, flags=re.IGNORECASE)
            assert problem(constraint, text, changed, language) is not None, changed
    assert tried > 60


FLIPS = {
    "en": (
        ("at most", "at least"),
        ("at least", "at most"),
        ("no more than", "no fewer than"),
        ("or more", "or fewer"),
    ),
    "zh": (("最多", "至少"), ("至少", "最多"), ("不超过", "不少于"), ("不少于", "不超过")),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_bound_that_is_turned_round_is_noticed(language: str) -> None:
    tried = noticed = 0
    missed = []
    for constraint, text in wordings(language):
        name = constraint.type.partition(":")[2]
        for old, new in FLIPS[language]:
            if name.startswith(("min_", "max_")) and old in text.lower():
                tried += 1
                changed = text.lower().replace(old, new)
                if problem(constraint, text, changed, language) is None:
                    missed.append((text, changed))
                else:
                    noticed += 1
    assert tried > 30
    assert noticed >= 0.95 * tried, missed


MOSS, GRASS, FRENCH = {"keywords": ["moss"]}, {"keywords": ["草地"]}, {"language": "fr"}
SIXTY, THREE, TWO = {"limit": 60}, {"count": 3}, {"mark": "!", "count": 2}


@pytest.mark.parametrize(
    ("language", "kind", "arguments", "before", "after", "reason"),
    [
        ("en", "punctuation:no_comma", {}, "Do not use commas.", "Tell the story with commas.", "lost a prohibition"),
        ("en", "punctuation:no_comma", {}, "Do not use commas.", "Leave out every comma in the tale.", None),
        ("en", "punctuation:no_comma", {}, "Do not use commas.", "Keep the tale free of any comma.", None),
        ("en", "keywords:existence", MOSS, 'Use "moss".', 'Never say "moss".', "became a prohibition"),
        ("en", "keywords:existence", MOSS, 'Use "moss".', 'Don\'t forget to bring in "moss".', None),
        ("en", "keywords:existence", MOSS, 'Use "moss".', "Bring in mosses.", "lost a quoted text"),
        ("en", "length:max_words", SIXTY, "Use at most 60 words.", "Sixty words is the maximum.", None),
        ("en", "length:max_words", SIXTY, "Use at most 60 words.", "Stop at no more than sixty words.", None),
        ("en", "length:max_words", SIXTY, "Use at most 60 words.", "Use 60 words.", "changed a bound"),
        ("en", "length:max_words", SIXTY, "Use at most 60 words.", "Use at most 60 lines.", "lost its subject"),
        ("en", "layout:bullets", THREE, "Use exactly 3 bullet points.", "List three bullet points.", None),
        ("en", "layout:bullets", THREE, "Use exactly 3 bullet points.", "List at least 3 points.", "changed a bound"),
        ("en", "affix:final_question", {}, "End with a question.", "Begin with a question.", "turned round"),
        ("en", "language:response", FRENCH, "Answer in French.", "Say it in Spanish.", "lost a quoted text"),
        ("en", "punctuation:max_marks", TWO, 'Use "!" at most 2 times.', "At most 2 times!", "lost a quoted text"),
        ("zh", "length:max_words", SIXTY, "最多写60个字。", "故事控制在六十个字以内。", None),
        ("zh", "length:max_words", SIXTY, "最多写60个字。", "故事至少写60个字。", "changed a bound"),
        ("zh", "punctuation:no_comma", {}, "不要使用逗号。", "讲故事时避免出现逗号。", None),
        ("zh", "punctuation:no_comma", {}, "不要使用逗号。", "讲故事时多用逗号。", "lost a prohibition"),
        ("zh", "keywords:existence", GRASS, "必须出现“草地”。", "别忘了写到“草地”。", None),
        ("zh", "keywords:existence", GRASS, "必须出现“草地”。", "不要写“草地”。", "became a prohibition"),
        ("zh", "affix:final_question", {}, "最后一句话必须是问句。", "开头第一句话必须是问句。", "turned round"),
    ],
)  # fmt: skip
def test_rewordings(
    language: str, kind: str, arguments: dict[str, Any], before: str, after: str, reason: str | None
) -> None:
    found = problem(parse_constraint({"type": kind, **arguments}), before, after, language)
    assert (found and found.reason) == reason


@given(st.integers(0, 9999))
def test_numbers_in_words(number: int) -> None:
    assert values_in(f"Write {_english(number)} words.") == {float(number)}
    assert values_in(f"写{_chinese(number)}个字。") == {float(number)}
    assert bounds_in(f"Write at most {_english(number)} words.", "en") == {Bound("upper", float(number))}
    assert bounds_in(f"至少写{_chinese(number)}个字。", "zh") == {Bound("lower", float(number))}


ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def _english(number: int) -> str:
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10 - 2] + (f"-{ONES[number % 10]}" if number % 10 else "")
    scale, name = (1000, "thousand") if number >= 1000 else (100, "hundred")
    rest = number % scale
    joint = " and " if rest and rest < 100 else " "
    return f"{_english(number // scale)} {name}{joint}{_english(rest) if rest else ''}".strip()


def _chinese(number: int) -> str:
    if number < 10:
        return "零一二三四五六七八九"[number]
    for unit, name in ((1000, "千"), (100, "百"), (10, "十")):
        if number >= unit:
            rest = number % unit
            zero = "零" if rest and rest < unit // 10 else ""
            return f"{_chinese(number // unit)}{name}{zero}{_chinese(rest) if rest else ''}"
    raise AssertionError


@given(st.text(max_size=200))
def test_any_reply_is_read_or_refused(text: str) -> None:
    for reply in (text, f'{text}{{"prompt": "x"', f"```json\n{text}\n```"):
        assert isinstance(read_reply(reply, Merging), (Merging, Problem))
    assert read_reply(f'<think>{text}</think>{{"prompt": "x"}}', Merging) == Merging(prompt="x")
