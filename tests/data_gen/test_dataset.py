"""What a made data set holds: verified witnesses, held-out values, and the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from data_gen.arguments import DEFAULT_TYPES
from data_gen.config import parse_config
from data_gen.pipeline import make_dataset
from data_gen.shards import read_data, read_folder
from rewards import Instruction, MathVerifier, Response, Status

REPOSITORY = Path(__file__).resolve().parents[2]
NUMBERED = ("length:min_words", "length:max_words")


def mixed(train: int = 400, test: int = 150, **changes: Any) -> dict[str, Any]:
    content = {
        "seed": 3,
        "counts": {"train": train, "test": test},
        "seeds": [{"type": "arithmetic", "weight": 2}, {"type": "writing"}],
        "languages": {"en": 0.6, "zh": 0.4},
        "constraints": {"min": 1, "max": 3},
        "layouts": {"inline": 0.5, "list": 0.5},
        "phrasing": {"wordings": "own"},
        "expert": {"style": "notes"},
    }
    return {**content, **changes}


def make(content: dict[str, Any], out: Path) -> dict[str, Any]:
    return make_dataset(parse_config(content, "test"), out)


def files_of(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("mixed")
    make(mixed(), out)
    return out


@pytest.fixture(scope="module")
def tasks(folder: Path) -> list[Instruction]:
    return list(read_folder(folder))


def test_every_witness_and_expert_is_accepted(tasks: list[Instruction]) -> None:
    assert len(tasks) == 550
    for task in tasks:
        assert task.witness is not None
        responses = [Response(None, task.witness)]
        if task.expert is not None:
            expert = Response.split(task.expert.completion)
            assert expert.well_formed
            responses.append(expert)
        for response in responses:
            judgement = task.evaluate(response)
            assert [leaf for leaf in judgement.leaves if leaf.verdict.status is not Status.SATISFIED] == []
            assert judgement.hard is True
    # A witness from which the answer has gone proves satisfiability and is nothing to clone.
    assert sum(task.expert is not None for task in tasks) > 530


def test_every_answer_is_right(tasks: list[Instruction]) -> None:
    asked = [task for task in tasks if task.answer is not None]
    assert len(asked) > 200
    verdicts = MathVerifier(deadline=600).judge(
        [(task.answer.value, task.witness or "") for task in asked if task.answer]
    )
    assert all(verdict is True for verdict in verdicts)
    wrong = MathVerifier(deadline=600).judge(
        [(f"{task.answer.value}1", task.witness or "") for task in asked if task.answer]
    )
    assert not any(wrong)


def test_the_result_in_the_thinking_is_true(tasks: list[Instruction]) -> None:
    for task in tasks:
        if task.answer is not None and task.expert is not None:
            left, sign, right, equals, result = task.expert.thinking.rsplit(maxsplit=5)[-5:]
            a, b = int(left.split("。")[-1]), int(right)
            assert equals == "="
            assert {"+": a + b, "-": a - b, "*": a * b}[sign] == int(result.rstrip(".")) == int(task.answer.value)


def test_ids_are_unique_content_hashes(tasks: list[Instruction]) -> None:
    assert len({task.id for task in tasks}) == len(tasks)
    for task in tasks[:50]:
        assert Instruction.build(**task.model_dump(exclude={"id"})).id == task.id


def test_the_prompt_says_every_demand(tasks: list[Instruction]) -> None:
    for task in tasks:
        prompt = task.prompt_text
        assert prompt.startswith(task.request)
        assert ("\\boxed{}" in prompt) == (task.answer is not None)
        assert len(task.sub_instructions) == len(task.constraints)
        for sub, (path, constraint) in zip(task.sub_instructions, task.tree.constraints(), strict=True):
            assert sub.path == path
            assert sub.text in {constraint.describe(task.language, wording) for wording in range(8)}
            assert sub.text.rstrip(".。")[1:] in prompt
    assert {"\n- " in task.prompt_text or "\n* " in task.prompt_text for task in tasks} == {True, False}


def test_every_type_and_language_occurs(tasks: list[Instruction]) -> None:
    assert {constraint.type for task in tasks for constraint in task.constraints} == set(DEFAULT_TYPES)
    chinese = sum(task.language == "zh" for task in tasks) / len(tasks)
    assert 0.25 < chinese < 0.5
    assert {len(task.constraints) for task in tasks} == {1, 2, 3}
    for task in tasks:
        types = [constraint.type for constraint in task.constraints]
        assert len(set(types)) == len(types)


def test_no_seed_task_is_in_both_splits(tasks: list[Instruction]) -> None:
    splits = defaultdict(set)
    for task in tasks:
        splits[task.split].add((task.source.seed_set, task.source.seed_id))
    assert len(splits["test"]) > 20
    assert splits["train"] & splits["test"] == set()
    requests = {split: {task.request for task in tasks if task.split == split} for split in ("train", "test")}
    assert requests["train"] & requests["test"] == set()


def test_wide_arguments_are_held_out(tasks: list[Instruction]) -> None:
    values: dict[tuple[str, str], set[Any]] = defaultdict(set)
    for task in tasks:
        for constraint in task.constraints:
            arguments = constraint.model_dump(exclude={"type", "scope"})
            if constraint.type in NUMBERED:
                values[constraint.type, task.split].add(arguments["limit"])
            if constraint.type == "affix:end_phrase":
                values["phrase", task.split].add(arguments["phrase"])
            if constraint.family == "keywords":
                kind = "asked for" if constraint.type in ("keywords:existence", "keywords:min_frequency") else "avoided"
                values[kind, task.split].update(arguments.get("keywords", (arguments.get("keyword"),)))
    for kind in (*NUMBERED, "phrase", "asked for", "avoided"):
        assert len(values[kind, "test"]) >= 2, kind
        assert len(values[kind, "train"]) > len(values[kind, "test"]), kind
        assert values[kind, "train"] & values[kind, "test"] == set(), kind


def test_manifest(folder: Path, tasks: list[Instruction]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["schema_version"] == 2
    assert manifest["seed"] == 3
    assert manifest["counts"] == {"train": 400, "test": 150}
    assert sum(manifest["languages"].values()) == 550
    assert sum(manifest["constraints"].values()) == sum(len(task.constraints) for task in tasks)
    assert parse_config(manifest["config"], "manifest") == parse_config(mixed(), "test")
    assert manifest["warm_start"] == {"rows": 0, "careless": 0, "direct": 0}
    assert set(manifest["rejected"]) == {"train", "test"}
    assert set(manifest["versions"]) == {"data_gen", "python", "pydantic", "langdetect", "math-verify"}
    assert manifest["seed_sets"] == Counter(task.source.seed_set for task in tasks)
    assert manifest["constraints"] == Counter(constraint.type for task in tasks for constraint in task.constraints)
    names = ["train-00000-of-00001", "test-00000-of-00001"]
    digests = {
        f"data/{name}.jsonl": hashlib.sha256((folder / "data" / f"{name}.jsonl").read_bytes()).hexdigest()
        for name in names
    }
    assert manifest["files"] == digests
    assert files_of(folder) == {
        "instruction.schema.json",
        "manifest.json",
        *digests,
        *(f"shards/{n}.json" for n in names),
    }


def test_warm_start_rows(smoke_data: Path) -> None:
    manifest = json.loads((smoke_data / "manifest.json").read_text(encoding="utf-8"))
    rows = rows_of(smoke_data / "warm_start.jsonl")
    assert len(rows) == manifest["warm_start"]["rows"] == 400
    direct = [row for row in rows if row["thinking"] is None]
    thoughtful = [row for row in rows if row["thinking"] is not None]
    assert manifest["warm_start"]["direct"] == len(direct)
    assert 0.22 < len(direct) / len(rows) < 0.38
    assert manifest["warm_start"]["careless"] == sum(row["hard"] is not True for row in rows)

    def careless(some: list[dict[str, Any]]) -> float:
        return sum(row["hard"] is not True for row in some) / len(some)

    assert 0.25 < careless(thoughtful) < 0.5
    assert 0.4 < careless(direct) < 0.75
    assert careless(direct) > careless(thoughtful)


def test_careful_demonstrations_obey_everything(tmp_path: Path) -> None:
    make(mixed(10, 1, warm_start={"count": 40, "careless": 0.0, "direct": 0.0}), tmp_path)
    rows = rows_of(tmp_path / "warm_start.jsonl")
    assert sum(row["hard"] is True for row in rows) >= 36  # the extra sentences are drawn anew
    assert all(row["thinking"] for row in rows)


def test_test_tasks_stay_out_of_the_warm_start(smoke_data: Path) -> None:
    asked = {task.request for task in read_folder(smoke_data, "test")}
    assert [row for row in rows_of(smoke_data / "warm_start.jsonl") if row["prompt"].startswith(tuple(asked))] == []


def made_in_a_process(out: Path, hash_seed: str, seed: str) -> dict[str, bytes]:
    recipe = REPOSITORY / "recipes" / "data" / "smoke.yaml"
    options = ["--config", str(recipe), "--out", str(out), "--train", "40", "--test", "10", "--seed", seed]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(REPOSITORY)}
    subprocess.run([sys.executable, "-m", "data_gen", *options], check=True, env=environment, capture_output=True)
    return {name: (out / name).read_bytes() for name in files_of(out)}


def test_the_same_recipe_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = made_in_a_process(tmp_path / "a", "1", "5"), made_in_a_process(tmp_path / "b", "2", "5")
    assert one == two
    assert len(one) == 8
    assert {"data/train-00000-of-00001.jsonl", "warm_start.jsonl", "manifest.json"} < set(one)


def test_another_seed_gives_other_tasks(tmp_path: Path) -> None:
    made = []
    for seed in (0, 1):
        make(mixed(60, 5, seed=seed), tmp_path / str(seed))
        made.append({task.id for task in read_data(tmp_path / str(seed))})
    assert len(made[0] & made[1]) <= 3


def test_a_row_does_not_depend_on_the_number_of_rows(tmp_path: Path) -> None:
    for count in (20, 30):
        make(mixed(count, 0), tmp_path / str(count))
    few, many = (read_data(tmp_path / str(count)) for count in (20, 30))
    assert many[:20] == few
