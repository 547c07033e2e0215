"""Banks of wordings: well-formed, enough of them, and each constraint can be told from what any of them says."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from pathlib import Path
from random import Random
from string import Formatter
from typing import NamedTuple

import pytest

import data_gen.phrasing_banks as phrasing_banks
from data_gen.phrasing_banks import STOPS, bank, banks, load_bank, rendered, suited, wordings
from rewards import Constraint, parse_constraint
from rewards.constraint import known_constraints
from rewards.errors import RaifError

FOLDER = Path(phrasing_banks.__file__).parent
FAMILIES = sorted({path.stem.partition("_")[0] for path in FOLDER.glob("*.yaml")})
LANGUAGES = ("en", "zh")
KNOWN = known_constraints()
DRAWS = 20
PLURALS = {"s", "r", "c"}


@cache
def drawn(kind: str, language: str) -> tuple[Constraint, ...]:
    """Draw constraints of a type, the same ones every time."""
    rng = Random(f"{kind} {language}")
    return tuple(KNOWN[kind].model_validate(KNOWN[kind].draw(rng, language)) for _ in range(DRAWS))


class Form(NamedTuple):
    """A wording, and what every text of that wording looks like."""

    kind: str
    wording: str
    opening: str
    pattern: re.Pattern[str]

    def arguments(self, text: str) -> dict[str, str] | None:
        match = self.pattern.fullmatch(text) if text.startswith(self.opening) else None
        return match.groupdict() if match else None


def value_pattern(values: list[object]) -> str:
    """Return a pattern for the values of a slot, as far as those drawn tell: digits, quoted, or without a blank."""
    if all(isinstance(value, int) for value in values):
        return r"\d+"
    said = [str(value) for value in values]
    if all(value[:1] in ('"', "“") for value in said):
        return '["“].*["”]'
    return ".*?" if any(re.search(r"\s", value) for value in said) or "" in said else r"\S+"


def form(kind: str, wording: str, language: str) -> Form:
    slots = [one.slots(language) for one in drawn(kind, language)]
    parts, seen = [], set()
    for text, name, _, _ in Formatter().parse(wording):
        parts.append(re.escape(text))
        if name in PLURALS:
            parts.append("s?")
        elif name is not None:
            parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>{value_pattern([s[name] for s in slots])})")
            seen.add(name)
    return Form(kind, wording, wording.partition("{")[0], re.compile("".join(parts), re.DOTALL))


@cache
def forms(language: str) -> dict[str, list[Form]]:
    """Return the forms of all wordings by their first letter."""
    found = defaultdict(list)
    for kind in KNOWN:
        for wording in bank(kind, language):
            found[wording[:1]].append(form(kind, wording, language))
    return found


def values(constraint: Constraint, language: str) -> dict[str, str]:
    return {name: str(value) for name, value in constraint.slots(language).items()}


def test_the_banks_are_read_from_every_file() -> None:
    assert {kind.partition(":")[0] for kind in banks()} == set(FAMILIES)
    assert len(FAMILIES) >= 7


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("family", FAMILIES)
def test_every_type_of_a_family_has_four_wordings_more(family: str, language: str) -> None:
    of_family = [kind for kind in KNOWN if kind.startswith(f"{family}:")]
    more = {kind: len(bank(kind, language)) - len(KNOWN[kind].phrases[language]) for kind in of_family}
    assert {kind: number for kind, number in more.items() if number < 4} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_constraints_are_said_alike(language: str) -> None:
    said: dict[str, Constraint] = {}
    clashes = []
    for kind in KNOWN:
        for constraint in drawn(kind, language):
            # What the canonical phrase leaves open, such as the request to repeat, no wording can tell.
            alike = {constraint.describe(language)}
            for text in wordings(constraint, language):
                other = said.setdefault(text, constraint)
                if other != constraint and {other.describe(language)} != alike:
                    clashes.append((other, constraint, text))
    assert not clashes


@pytest.mark.parametrize("language", LANGUAGES)
def test_type_and_arguments_can_be_told_from_every_text(language: str) -> None:
    wrong = []
    for kind in banks():
        for constraint in drawn(kind, language)[:2]:
            own = values(constraint, language)
            for text in wordings(constraint, language)[len(KNOWN[kind].phrases[language]) :]:
                for one in [*forms(language)[text[:1]], *forms(language)["{"]]:
                    found = one.arguments(text)
                    if found is not None and (one.kind != kind or any(own[name] != found[name] for name in found)):
                        wrong.append((text, one.kind, one.wording))
    assert not wrong


@pytest.mark.parametrize("language", LANGUAGES)
def test_wordings_of_the_banks_fit_into_a_longer_sentence(language: str) -> None:
    for kind, languages in banks().items():
        for constraint in drawn(kind, language)[:2]:
            inside = suited(constraint, language, inside=True)
            if not constraint.slots(language).get("extra"):  # sentences of their own
                assert set(languages[language]) <= set(inside), kind
            for wording in inside:
                said = rendered(constraint, wording, language, inside=True)
                assert not said.endswith(STOPS[language]) or wording.endswith(f"}}{STOPS[language]}"), said
                first = re.match(r"[A-Za-z']+", said)
                assert language == "zh" or (first and (first[0][0].islower() or first[0][0] == "I")), said


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_clean(language: str) -> None:
    odd = re.compile(
        r"(?<!\n) {2}| [.,]\s|[{}](?![^{}]*[\"}])|(?<![\d.,:-])1 (?:words|sentences|lines|items|paragraphs)"
    )
    for kind in banks():
        for constraint in drawn(kind, language):
            if kind == "format:json_schema":
                continue
            for text in wordings(constraint, language)[len(KNOWN[kind].phrases[language]) :]:
                assert not odd.search(text), text


def test_english_is_ascii_and_chinese_uses_its_own_marks() -> None:
    for languages in banks().values():
        for wording in languages["en"]:
            assert not re.search(r"[\u3000-\u9fff\uff00-\uffef]", wording), wording
        for wording in languages["zh"]:
            assert re.search(r"[\u4e00-\u9fff]", wording), wording
            assert not re.search(r"[\u4e00-\u9fff][,.:;?!]", wording), wording


def test_a_numbered_scope_leaves_out_wordings_about_the_answer() -> None:
    part = parse_constraint({"type": "length:max_words", "limit": 9, "scope": "paragraph(2)"})
    said = wordings(part, "en")
    assert "In paragraph 2: No more than 9 words." in said
    assert not [text for text in said if "reply" in text or "answer" in text]
    assert "in paragraph 2, cap the length at 9 words" in wordings(part, "en", inside=True)
    assert "在第2段中，字数上限为9个字" in wordings(part, "zh", inside=True)


def test_sentences_of_a_slot_keep_a_wording_out_of_longer_sentences() -> None:
    plain = parse_constraint({"type": "format:csv", "columns": ["id", "fruit"], "rows": 2})
    quoted = parse_constraint({"type": "format:csv", "columns": ["id", "fruit"], "rows": 2, "quoted": True})
    assert len(wordings(plain, "en", inside=True)) >= 4
    assert wordings(quoted, "en", inside=True) == ()
    assert all(text.endswith("Enclose every field in double quotes.") for text in wordings(quoted, "en"))


def test_a_bank_of_the_users_comes_last(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("length:max_words:\n  en:\n    - Be brief, {limit} word{s} tops.\n", encoding="utf-8")
    mine = load_bank(path)
    limit = parse_constraint({"type": "length:max_words", "limit": 1})
    assert wordings(limit, "en", mine)[-1] == "Be brief, 1 word tops."
    assert wordings(limit, "zh", mine) == wordings(limit, "zh")
    assert wordings(limit, "en") == wordings(limit, "en", mine)[:-1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("length:max_word: {en: ['Use {limit}.']}", "did you mean 'length:max_words'"),
        ("length:max_words: {fr: ['Utilise {limit} mots.']}", "unknown language 'fr'"),
        ("length:max_words: {en: ['Use {count} word{s}.']}", "unknown slot 'count'; known: limit, s"),
        ("length:max_words: {en: ['Be brief.']}", "must name the slots limit"),
        ("length:max_words: {en: ['Up to {limit} word{s}']}", "must be one sentence that ends with '.'"),
        ("length:max_words: {zh: ['最多{limit}个字.']}", "must be one sentence that ends with '。'"),
        ("length:max_words: {en: ['Be brief. Use {limit} word{s}.']}", "no other stop"),
        ("length:max_words: {en: ['Use {limit} word{s}; be brief.']}", "no other stop or semicolon"),
        ("length:max_words: {en: ['{limit} word{s} at most.']}", "must begin with a word"),
        ("length:words_range: {en: ['Use {low}{high} words.']}", "two slots stand side by side"),
        ("length:max_words: {en: ['Use at most {limit} word{s}.']}", "it is there twice"),
        ("length:max_words: {en: ['Use {limit:3} word{s}.']}", "slots take no format"),
        ("length:max_words: {en: ['Use {limit word{s}.']}", "cannot be used"),
        ("length:max_words: {en: 'Use {limit} word{s}.'}", "not a list of sentences"),
        ("length:max_words: {en: []}\nlength:max_words: {zh: []}", "has the key 'length:max_words' twice"),
        ("- length:max_words", "holds no mapping"),
        ("length: [", "is not YAML"),
    ],
)
def test_bad_banks_are_refused_with_the_reason(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(RaifError, match=re.escape(message)) as error:
        load_bank(path)
    assert "bad.yaml" in str(error.value)


def test_unknown_names_and_missing_files_are_refused() -> None:
    with pytest.raises(RaifError, match="unknown constraint"):
        bank("length:most_words", "en")
    with pytest.raises(RaifError, match="unknown language"):
        bank("length:max_words", "fr")
    with pytest.raises(RaifError, match="no bank of wordings at nowhere"):
        load_bank("nowhere/at/all.yaml")
