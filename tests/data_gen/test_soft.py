"""The bank of soft demands: what is in it, how it is drawn from, and what a broken file says."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from random import Random
from typing import Any

import pytest

from data_gen.soft import SoftBank, parse_bank, soft_bank
from data_gen.taxonomy import schemes
from rewards import Context, RaifError, Response, Status
from rewards.judge import Opinion
from rewards.text import han_share

LANGUAGES = ("en", "zh")
RENDERED = [(entry, lang, judged) for entry in soft_bank().entries for lang in LANGUAGES for judged in entry.all(lang)]


def entry(**changes: Any) -> dict[str, Any]:
    content = {
        "id": "tone_manner",
        "en": {"demand": "Be {tone}.", "question": "Is it {tone}?"},
        "zh": {"demand": "要{tone}。", "question": "是否{tone}？"},
        "values": {"tone": [["calm", "平静"], ["warm", "温暖"]]},
    }
    return {"tone": {"en": "Tone.", "zh": "语气。", "entries": [{**content, **changes}]}}


def test_the_bank_is_large_and_every_entry_varies() -> None:
    entries = soft_bank().entries
    assert len(entries) >= 60
    assert all(each.variants >= 2 for each in entries)
    assert sum(each.variants >= 3 for each in entries) > 0.85 * len(entries)
    assert sum(each.fits == "any" for each in entries) >= 15


@pytest.mark.parametrize("scheme", ["cfbench", "complexbench"])
def test_every_soft_dimension_has_its_place_in_a_taxonomy(scheme: str) -> None:
    placed = {name for dimension in schemes()[scheme].dimensions for name in dimension.soft}
    assert placed == set(soft_bank().dimensions)


def test_every_wording_is_whole_and_in_its_language() -> None:
    for _, language, judged in RENDERED:
        for text in (judged.demand, judged.question):
            assert not re.search(
                r"[{}]|\s\s|[。？！，.?!,]{2}", text.replace("..., ", "").replace("...", "").replace('."?', "?")
            ), text
            assert (han_share(text) > 0.9) == (language == "zh"), text
        ending = "？" if language == "zh" else "?"
        assert judged.question.endswith(ending)
        assert judged.question.count(ending) == 1
        if language == "zh":
            assert not re.search(r"[,.;:?!]", judged.demand + judged.question), judged
        else:
            assert judged.demand[0].isupper()
            assert judged.question[0].isupper()


def test_demands_and_questions_are_all_different() -> None:
    for part in ("demand", "question"):
        seen = Counter(getattr(judged, part) for _, _, judged in RENDERED)
        assert not [text for text, times in seen.items() if times > 1]


def test_a_question_leads_back_to_its_entry() -> None:
    bank = soft_bank()
    assert all(bank.entry_of(judged.question) == each.id for each, _, judged in RENDERED)
    assert bank.dimension_of("Is it polite?") is None


def test_a_drawn_demand_is_decided_by_a_judge() -> None:
    judged = soft_bank().draw(Random("a"), "zh", ["tone"])
    opinions = {judged.question: Opinion(True, 0.9)}
    assert judged.check(Response(None, "你好。"), Context(opinions=opinions)).status is Status.SATISFIED
    assert judged.check(Response(None, "你好。"), Context()).status is Status.UNSCORED


def test_draws_depend_on_the_seed_alone() -> None:
    program = (
        "from random import Random; from data_gen.soft import soft_bank; rng = Random('s');"
        "import json; names = {'tone', 'role', 'rule', 'avoid'};"
        "print(json.dumps([soft_bank().draw(rng, 'en', names).question for _ in range(30)]))"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in (1, 2)
    }
    assert len(runs) == 1
    assert len(set(json.loads(runs.pop()))) > 15


def test_closed_tasks_get_only_what_suits_them() -> None:
    bank = soft_bank()
    suits = {each.id for each in bank.entries if each.fits == "any"}
    rng = Random("closed")
    drawn = {bank.entry_of(bank.draw(rng, "en", open_ended=False).question) for _ in range(600)}
    assert drawn == suits
    with pytest.raises(RaifError, match="suits this task; name other dimensions"):
        bank.draw(rng, "en", ["author_voice"], open_ended=False)


def test_several_demands_have_different_dimensions() -> None:
    bank = soft_bank()
    drawn = bank.draw_several(Random("three"), "en", 5)
    assert len({bank.dimension_of(each.question) for each in drawn}) == 5
    assert len(bank.draw_several(Random("three"), "en", 5, ["tone", "role"])) == 2


def test_unknown_names_are_refused() -> None:
    with pytest.raises(RaifError, match="did you mean 'tone'"):
        soft_bank().draw(Random(0), "en", ["tune"])
    with pytest.raises(RaifError, match="unknown language of the soft bank 'de'"):
        soft_bank().draw(Random(0), "de")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "expected a mapping of dimensions; got list"),
        (entry(id="Tone Manner"), "String should match pattern"),
        (entry(values={"tone": [["calm", "平静"]]}), "needs at least two values"),
        (entry(zh={"demand": "要平静。", "question": "是否{tone}？"}), "must have exactly the slots"),
        (entry(fits="maths"), "'any' or 'open'"),
        (entry(weight=2), "Extra inputs"),
    ],
)
def test_a_broken_file_says_where(content: object, message: str) -> None:
    with pytest.raises(RaifError, match=message) as caught:
        parse_bank(content, "mine.yaml")
    assert str(caught.value).startswith("mine.yaml")


def test_a_bank_of_ones_own() -> None:
    bank = SoftBank(parse_bank(entry(), "mine.yaml"))
    assert {bank.draw(Random(seed), "en").demand for seed in range(20)} == {"Be calm.", "Be warm."}
