"""Data rows whose constraints are read off the seeds' own solutions."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest

from data_gen.arguments import belongs_to
from data_gen.config import DataConfig, parse_config
from data_gen.experts import WarmStartRow
from data_gen.pipeline import make_dataset
from data_gen.seeds import Seed, SeedSource, Solution, open_seed_set
from data_gen.self_evident.composing import SelfEvidentComposer, write_solution
from data_gen.self_evident.families import parse
from data_gen.self_evident.placement import PLACEBO
from data_gen.self_evident.wordings import wordings
from data_gen.shards import read_data
from rewards import CodeAnswer, Instruction, RaifError, Response
from rewards.code_answer import CodeVerifier, extract_code
from rewards.task_answer import MathAnswer, QaAnswer

RECIPE: dict[str, Any] = {
    "seed": 3,
    "counts": {"train": 90, "test": 30, "test_families": 30},
    "rows_per_shard": 50,
    "seeds": [
        {"type": "arithmetic"},
        {"type": "multi_hop", "hops": [2, 2], "distractors": [1, 1]},
        {"type": "programs", "operations": [1, 2]},
    ],
    "languages": {"en": 0.7, "zh": 0.3},
    "self_evident": {"constraints": [1, 3], "bare": 0.3, "held_out": ["position", "code_uses_for"]},
    "warm_start": {"count": 150, "careless": 0.5, "direct": 0.2},
}


def recipe(**changes: Any) -> DataConfig:
    return parse_config({**RECIPE, **changes}, "test")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("rows")
    make_dataset(recipe(), out)
    return out


def warm(folder: Path) -> list[WarmStartRow]:
    lines = (folder / "warm_start.jsonl").read_text(encoding="utf-8").splitlines()
    return [WarmStartRow.model_validate_json(line) for line in lines]


def families(task: Instruction) -> set[str]:
    said = [parse(each.text, task.language) for each in task.sub_instructions]
    return {each.family for each in said if each is not None}


def test_witnesses_meet_their_constraints_and_solve_their_tasks(folder: Path) -> None:
    tasks = read_data(folder)
    assert len(tasks) == 150
    for task in tasks:
        assert task.witness is not None
        assert task.expert is not None
        assert task.expert.answer == task.witness
        assert len(task.constraints) <= 3
        assert not task.constraints or task.evaluate(Response(None, task.witness)).hard is True
        assert all(each.text in task.prompt_text for each in task.sub_instructions)
        assert len(families(task)) == len(task.constraints)
        assert Instruction.model_validate_json(task.model_dump_json()) == task
    programs = [task for task in tasks if isinstance(task.answer, CodeAnswer)][:6]
    pairs = [(task.answer, task.witness) for task in programs]
    assert CodeVerifier(workers=2, seconds=60, deadline=600).judge(pairs) == [True] * 6  # type: ignore[arg-type]
    kinds = Counter(type(task.answer) for task in tasks)
    assert min(kinds[kind] for kind in (MathAnswer, QaAnswer, CodeAnswer)) > 25


def test_bare_rows_have_the_share_that_is_asked_for(folder: Path) -> None:
    train = read_data(folder, "train")
    bare = [task for task in train if not task.constraints]
    assert 0.18 < len(bare) / len(train) < 0.42
    assert all(task.prompt_text == task.request for task in bare)
    assert all(task.constraints for task in read_data(folder, "test_families"))


def test_splits_share_no_seed_and_what_is_held_out_stays_out(folder: Path) -> None:
    positions = {name for name, each in wordings().items() if each.group == "position"} | {"code_uses_for"}
    for split in ("train", "test", "test_families"):
        for task in read_data(folder, split):
            assert belongs_to(task.split, f"seed={task.source.seed_set}/{task.source.seed_id}")
            assert (families(task) <= positions) if split == "test_families" else not (families(task) & positions)


def test_same_bytes_whatever_the_workers_and_shards(tmp_path: Path) -> None:
    few = {"counts": {"train": 40, "test_families": 6}, "warm_start": {"count": 20, "careless": 0.5}}
    one = make_dataset(recipe(**few), tmp_path / "one")
    two = make_dataset(recipe(**few), tmp_path / "two", workers=2)
    assert one["files"] == two["files"]
    make_dataset(recipe(**few, rows_per_shard=15), tmp_path / "small")
    assert read_data(tmp_path / "small") == read_data(tmp_path / "one")


def test_demonstrations_are_right_and_the_careless_ones_break_constraints(folder: Path) -> None:
    rows = warm(folder)
    careless = [row for row in rows if row.hard is False]
    assert 15 < len(careless) < 75
    assert 10 < sum(row.thinking is None for row in rows) < 55
    asked = [row for row in rows if row.hard and "\n\n" in row.prompt and row.thinking]
    assert asked
    for row in careless:
        assert row.answer not in (None, "")
        if row.thinking:  # it lists what the answer then forgets
            assert row.prompt.rpartition("\n\n")[2].startswith(row.thinking[:10])


def test_solutions_are_written_in_many_ways() -> None:
    for name, least in (("arithmetic", 8), ("multi_hop", 8), ("programs", 6)):
        seeds = open_seed_set(SeedSource(type=name))  # type: ignore[arg-type]
        seed = seeds.draw(Random(4), "en")
        written = {write_solution(seed, Random(number)) for number in range(200)}
        assert len(written) >= least, name
        if isinstance(seed.answer, CodeAnswer):
            assert all(extract_code(each, seed.answer.entry_point) for each in written)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"constraints": {"min": 1}, "trees": {}}, "so that constraints, trees would have no effect"),
        ({"expert": {"style": "plan"}}, "the expert's style is `notes` or `none`"),
        ({"counts": {"test_arguments": 3}}, "the split test_arguments would be empty"),
        ({"self_evident": {}}, "the split test_families needs `self_evident.held_out`"),
        ({"self_evident": {"held_out": ["positions"]}}, "did you mean 'position'"),
        ({"self_evident": {"constraints": [3, 1]}}, "3 exceeds 1"),
        ({"self_evident": {"bar": 0.1}}, "self_evident.bar"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RaifError, match=re.escape(message)):
        recipe(**changes)


def test_seeds_without_enough_to_read_are_counted_and_named() -> None:
    class Silent:
        name, languages = "silent", ("en",)

        def draw(self, rng: Random, language: str) -> Seed:
            wrong = {"en": Solution("", ("I do not know.",), ())}
            return Seed("silent", str(rng.random()), "en", "How many?", MathAnswer(value="3"), wrong)

    composer = SelfEvidentComposer(recipe(seeds=[{"type": "arithmetic"}]), "train", [Silent()])
    with pytest.raises(RaifError, match="the solution does not answer the task"):
        composer.compose(Random(0))


def test_benchmark_tasks_are_left_out(tmp_path: Path) -> None:
    settings: dict[str, Any] = {"seeds": [{"type": "arithmetic"}], "languages": {"en": 1}}
    seeds = [open_seed_set(SeedSource(type="arithmetic"))]
    first = SelfEvidentComposer(recipe(**settings), "train", seeds).compose(Random(1)).seed
    path = tmp_path / "known.jsonl"
    path.write_text(json.dumps({"question": first.request}) + "\n", encoding="utf-8")
    benchmark = {"name": "known", "suite": "jsonl", "path": str(path), "fields": ["question"]}
    composer = SelfEvidentComposer(recipe(**settings, decontaminate=[benchmark]), "train", seeds)
    assert composer.compose(Random(1)).seed.request != first.request
    assert any(reason.startswith("seed: ") for reason in composer.rejected)


def test_programs_survive_drawn_constraints_too(tmp_path: Path) -> None:
    config = parse_config({"counts": {"train": 12}, "seeds": [{"type": "programs"}]}, "test")
    make_dataset(config, tmp_path)
    tasks = read_data(tmp_path)
    pairs = [(task.answer, task.witness) for task in tasks[:5]]
    assert CodeVerifier(workers=2, seconds=60, deadline=600).judge(pairs) == [True] * 5  # type: ignore[arg-type]


def test_a_neutral_sentence_demands_nothing() -> None:
    config = recipe(self_evident={"bare": 1.0, "neutral": 0.5}, counts={"train": 60})
    composer = SelfEvidentComposer(config, "train", [open_seed_set(source) for source in config.seeds])
    tasks = [composer.compose(Random(f"{number}")).instruction for number in range(60)]
    added = [(task, task.prompt_text.removeprefix(task.request).strip()) for task in tasks]
    spoken = [(task.language, text) for task, text in added if text]
    assert 15 < len(spoken) < 45
    assert all(any(text.startswith(each) for each in PLACEBO[language]) for language, text in spoken)
    assert not any(task.constraints for task in tasks)
