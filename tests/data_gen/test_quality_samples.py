"""Instructions of every shape, for the tests of what comes after making them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from rewards import Instruction, Response, Status, known_constraints
from rewards.instruction import Demonstration, Message, SubInstruction
from rewards.tree import And, Chain, Leaf, Selection

REQUESTS = {"en": "Explain how {} works.", "zh": "请说明{}的原理。"}
TOPICS = {"en": ("rain", "a clock", "bread", "a lock"), "zh": ("雨", "钟", "面包", "锁")}
MANIFEST: dict[str, Any] = {
    "seed": 3,
    "config": {"seed": 3, "languages": {"en": 1.0, "zh": 1.0}},
    "config_sha256": "ab" * 32,
    "rejected": {"train": {"no witness with case:upper": 4, "drawn before": 1}, "test": {"drawn before": 2}},
    "versions": {"data_gen": "0.1.0"},
    "decontamination": {"items": {"ours": 12}, "counts": {"wording of ours": 2}, "digest": "cd" * 32},
}


def leaf(name: str, **arguments: Any) -> Leaf:
    return Leaf(constraint={"type": name, **arguments})


def trees(language: str) -> list[Any]:
    """Return one tree of each shape, with a soft leaf and a named need among them."""
    word = {"en": "paper", "zh": "天空"}[language]
    flat = And(parts=(leaf("length:min_words", limit=5), leaf("punctuation:no_exclamation")))
    chain = Chain(steps=(leaf("keywords:existence", keywords=[word]), leaf("length:max_words", limit=90)))
    above = {"by": "answer", "relation": "above", "value": "10"}
    long = {"by": "response", "constraint": {"type": "length:min_words", "limit": 400}}
    asked = {"by": "request", "text": "the request is about <weather>", "holds": False}
    selection = Selection(
        branches=({"when": asked, "then": leaf("case:upper")}, {"when": above, "then": flat}), otherwise=chain
    )
    nested = And(
        parts=(
            Leaf(constraint={"type": "keywords:existence", "keywords": [word]}, name="word", weight=2.0),
            Chain(steps=(flat, Selection(branches=({"when": long, "then": leaf("layout:bullets", count=3)},)))),
            Leaf(constraint={"type": "length:max_words", "limit": 95}, needs=("word",)),
        )
    )
    soft = And(parts=(leaf("judge:question", question="Is it kind?", demand="Be kind."), flat))
    return [leaf("length:min_words", limit=3), flat, chain, selection, nested, soft]


def sample(number: int) -> Instruction:
    """Return one of endlessly many instructions; shapes, splits, languages and answers take turns."""
    rng = Random(f"sample/{number}")
    language = "zh" if number % 3 == 2 else "en"
    tree = trees(language)[number % 6]
    topic = rng.choice(TOPICS[language])
    request = f"{REQUESTS[language].format(topic)} ({number})"
    demands = [constraint.describe(language) for constraint in (place.leaf.constraint for place in tree.places)]
    text = "\n".join([request, *(f"- {demand}" for demand in demands)])
    turns = (Message(role="system", content="\n".join(demands)), Message(role="user", content=request))
    witness = {"en": "The paper says: it is \\boxed{12} at last.", "zh": "天空说明：答案是\\boxed{12}，就这样。"}[
        language
    ]
    answers: Sequence[Mapping[str, Any] | None] = (
        {"kind": "math", "value": "12"}, None, {"kind": "qa", "values": ["rain", "雨"]}, {"kind": "math", "value": "3"}
    )  # fmt: skip
    built = Instruction.build(
        request=request,
        prompt=turns if number % 5 == 4 else text,
        language=language,
        split=("train", "train", "test", "test_arguments")[number % 4],
        difficulty=("", "easy", "hard")[number % 3],
        tree=tree,
        sub_instructions=tuple(
            SubInstruction(path=place.path, text=demand, needs=(tree.places[0].path,) if index else ())
            for index, (place, demand) in enumerate(zip(tree.places, demands, strict=True))
        ),
        answer=answers[number % 4],
        source={"seed_set": ("ours", "theirs")[number % 2], "seed_id": str(number), "licence": ("MIT", "")[number % 2]},
    )
    expert = Demonstration(thinking=f"Plan: {demands[0]}", answer=witness) if number % 2 else None
    return built.model_copy(update={"witness": witness if number % 7 else None, "expert": expert})


def samples(count: int) -> list[Instruction]:
    return [sample(number) for number in range(count)]


def write_folder(folder: Path, tasks: Sequence[Instruction], shards: int = 0) -> Path:
    """Write a data set as one file, or as shards of each split, with a manifest."""
    (folder / "data").mkdir(parents=True)
    if not shards:
        lines = "".join(f"{task.model_dump_json()}\n" for task in tasks)
        (folder / "instructions.jsonl").write_text(lines, encoding="utf-8")
    files: dict[str, str] = {}
    for split in dict.fromkeys(task.split for task in tasks) if shards else ():
        own = [task for task in tasks if task.split == split]
        for shard in range(shards):
            lines = "".join(f"{task.model_dump_json()}\n" for task in own[shard::shards])
            name = f"data/{split}-{shard:05}-of-{shards:05}.jsonl"
            (folder / name).write_text(lines, encoding="utf-8")
            files[name] = sha256(lines.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps({**MANIFEST, "files": files}), encoding="utf-8")
    return folder


def test_samples_differ_and_their_witnesses_satisfy_flat_trees() -> None:
    tasks = samples(60)
    assert len({task.id for task in tasks}) == 60
    assert {task.split for task in tasks} == {"train", "test", "test_arguments"}
    judged = [task.evaluate(Response(None, task.witness)) for task in tasks if task.witness]
    assert any(leaf.verdict.status is Status.SKIPPED for judgement in judged for leaf in judgement.leaves)
    assert sum(judgement.hard is True for judgement in judged) > 20
    assert known_constraints()
