"""Strict verdicts against those of the official MathIF checkers, on responses with a known upstream verdict.

Strict departs from upstream on purpose: whole-word keywords, LaTeX commands are no words, a response without a word
satisfies nothing, exact section counts at the start of lines, capital words of two letters or more, one word per Han
character, commas of every script. Each floor below is the agreement measured when strict was written.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from rewards import Context, RaifError, Response, Status, parse_constraint

#: Agreement on rows whose upstream verdict nobody disputes: the least share, and why it is below 1.
FLOORS: dict[str, tuple[float, str]] = {
    "change_case:capital_word_frequency": (0.80, "single letters, and letters next to digits, are no capital words"),
    "change_case:english_capital": (0.83, "a language too short to tell is no violation; text in a code fence is code"),
    "change_case:english_lowercase": (0.95, "text in a code fence is code"),
    "combination:repeat_prompt": (0.88, "the request alone is no answer; blanks are squeezed"),
    "detectable_format:multiple_sections": (0.95, "numbered from 1, at the start of a line"),
    "detectable_format:number_bullet_lists": (1.0, ""),
    "detectable_format:number_highlighted_sections": (1.0, ""),
    "keywords:existence": (1.0, ""),
    "keywords:forbidden_words": (0.89, "an emoji alone is no answer"),
    "keywords:frequency": (1.0, ""),
    "language:response_language": (0.92, "code alone is in no language"),
    "length_constraint_checkers:number_words": (0.94, "an underscore separates words"),
    "punctuation:no_comma": (0.95, "a full stop alone is no answer"),
    "startend:end_checker": (0.84, "markdown and closing quotes after the phrase are tolerated"),
    "startend:quotation": (0.96, "a quoted blank is no answer"),
}
BUG_FLOOR = 0.97  # share of faulty upstream verdicts that strict contradicts
UNSCORED_CEILING = 0.05


def bounded(relation: str, number: int, low: str, high: str, argument: str) -> dict[str, Any]:
    """Return `at least n` as a minimum and `less than n` as a maximum of n - 1."""
    return {"type": low, argument: number} if relation == "at least" else {"type": high, argument: number - 1}


def translate(name: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the strict constraint that says what a MathIF id says."""
    if name == "keywords:frequency":
        strict = bounded(
            kwargs["relation"], kwargs["frequency"], "keywords:min_frequency", "keywords:max_frequency", "count"
        )
        never = {"type": "keywords:forbidden", "keywords": [kwargs["keyword"]]}
        return {**strict, "keyword": kwargs["keyword"]} if strict["count"] else never
    if name == "change_case:capital_word_frequency":
        relation, number = kwargs["capital_relation"], kwargs["capital_frequency"]
        return bounded(relation, number, "case:min_capital_words", "case:max_capital_words", "count")
    if name == "length_constraint_checkers:number_words":
        return bounded(kwargs["relation"], kwargs["num_words"], "length:min_words", "length:max_words", "limit")
    strict_name, arguments = {
        "change_case:english_capital": ("case:english_upper", {}),
        "change_case:english_lowercase": ("case:english_lower", {}),
        "combination:repeat_prompt": ("affix:repeat_request", {"request": "prompt_to_repeat"}),
        "detectable_format:multiple_sections": (
            "layout:sections",
            {"count": "num_sections", "marker": "section_spliter"},
        ),
        "detectable_format:number_bullet_lists": ("layout:bullets", {"count": "num_bullets"}),
        "detectable_format:number_highlighted_sections": ("layout:highlights", {"count": "num_highlights"}),
        "keywords:existence": ("keywords:existence", {"keywords": "keywords"}),
        "keywords:forbidden_words": ("keywords:forbidden", {"keywords": "forbidden_words"}),
        "language:response_language": ("language:response", {"language": "language"}),
        "punctuation:no_comma": ("punctuation:no_comma", {}),
        "startend:end_checker": ("affix:end_phrase", {"phrase": "end_phrase"}),
        "startend:quotation": ("affix:quotation", {}),
    }[name]
    return {"type": strict_name, **{ours: kwargs[theirs] for ours, theirs in arguments.items()}}


class Row(NamedTuple):
    """One row that strict can express: its id, whether upstream is faulty, and whether both verdicts are equal."""

    name: str
    faulty: bool
    decided: bool
    equal: bool


@lru_cache(maxsize=1)
def rows_of(path: Path) -> list[Row]:
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row.get("upstream_error") or row.get("unstable") is not None or row.get("quirk"):
            continue
        try:
            constraint = parse_constraint(translate(row["instruction_id"], row["kwargs"]))
        except RaifError:  # a language or a section marker that strict does not offer
            continue
        status = constraint.check(Response(None, row["response"]), Context(row["prompt"])).status
        equal = (status is Status.SATISFIED) == row["follows"]
        found.append(Row(row["instruction_id"], bool(row.get("upstream_bug")), status is not Status.UNSCORED, equal))
    return found


@pytest.fixture(scope="module")
def rows(shared_dir: Path) -> list[Row]:
    path = shared_dir / "oracle" / "mathif_open.jsonl"
    if not path.is_file():
        pytest.skip(f"no upstream verdicts at {path}")
    return rows_of(path)


@pytest.mark.parametrize("name", FLOORS)
def test_agreement(rows: list[Row], name: str) -> None:
    floor, _ = FLOORS[name]
    equal = [row.equal for row in rows if row.name == name and row.decided and not row.faulty]
    assert len(equal) >= 12
    assert sum(equal) / len(equal) >= floor


def test_every_id_is_covered_and_few_rows_are_unscored(rows: list[Row]) -> None:
    assert {row.name for row in rows} == set(FLOORS)
    sound = [row for row in rows if not row.faulty]
    assert len(sound) > 300
    assert sum(not row.decided for row in sound) / len(sound) < UNSCORED_CEILING
    assert sum(row.equal for row in sound if row.decided) / len(sound) > 0.91


def test_strict_contradicts_faulty_verdicts(rows: list[Row]) -> None:
    faulty = [row for row in rows if row.faulty and row.decided]
    assert len(faulty) > 30
    assert sum(not row.equal for row in faulty) / len(faulty) >= BUG_FLOOR
