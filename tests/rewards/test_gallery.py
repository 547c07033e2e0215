"""The gallery shows what the verifiers do."""

from __future__ import annotations

from pathlib import Path

import pytest

import rewards
from rewards import RaifError, known_constraints
from rewards.constraint import read_off_constraints
from rewards.gallery import entries, markdown


def test_the_page_in_the_repository_is_the_generated_one() -> None:
    page = Path(rewards.__file__).with_name("README.md")
    assert page.read_text(encoding="utf-8") == markdown(), "run: raif constraints --markdown > rewards/README.md"


def test_every_type_has_an_entry_with_an_example() -> None:
    found = entries()
    assert [entry["type"] for entry in found] == [*known_constraints(), *read_off_constraints()]
    assert [entry["type"] for entry in found if entry["read_off"]] == list(read_off_constraints())
    assert [entry["type"] for entry in entries("code")] == [n for n in read_off_constraints() if n.startswith("code:")]
    for entry in found:
        assert entry["meaning"]
        assert entry["description"]["en"] != entry["description"]["zh"]
        assert entry["passes"] != entry["fails"]
        assert set(entry["example"]) - {"type"} <= set(entry["arguments"])


def test_an_unknown_family_is_named() -> None:
    with pytest.raises(RaifError, match="did you mean 'length'"):
        entries("lenght")
