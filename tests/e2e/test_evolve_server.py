"""Evolution with a real model behind `transformers serve`: a tiny random one, whose replies are of no use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from data_gen.evolve import evolve_folder, parse_evolve
from data_gen.experts import WarmStartRow
from data_gen.served import ChatRequest, ServedModel, parse_served
from raif.tiny import TinyRecipe, build_model, build_tokenizer
from rewards import Instruction, RaifError, read_instructions
from rewards.instruction import Provenance
from rewards.tree import And, Leaf
from tests.transformers_server import serving

pytestmark = pytest.mark.slow
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def task(number: int) -> Instruction:
    request = f"Name {number} rivers."
    return Instruction.build(
        request=request,
        prompt=f"{request} Do not use any commas.",
        language="en",
        split="train",
        tree=And(parts=(Leaf(constraint={"type": "punctuation:no_comma"}),)),
        source=Provenance(seed_set="test", seed_id=str(number)),
        witness="The Nile.",
    )


@pytest.fixture(scope="module")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    rows = [WarmStartRow(instruction_id="-", prompt=task(2).prompt, thinking="", answer='{"prompt": "x"}', hard=True)]
    tokenizer = build_tokenizer(rows, 400)
    tokenizer.chat_template = TEMPLATE
    model = build_model(tokenizer, 0, TinyRecipe(hidden_size=32, layers=1, heads=2))
    model.config.max_position_embeddings = 8192
    model.generation_config.do_sample = True  # else the server is greedy at any temperature
    folder = tmp_path_factory.mktemp("editor")
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def served(model_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run `transformers serve` with that model and return its address."""
    with serving(model_path, tmp_path_factory.mktemp("server")) as address:
        yield address


def test_useless_replies_end_as_counted_rejections(served: str, model_path: Path, tmp_path: Path) -> None:
    tasks = [task(number) for number in range(2, 6)]
    (tmp_path / "instructions.jsonl").write_text("".join(each.model_dump_json() + "\n" for each in tasks))
    server = {"base_url": served, "model": str(model_path), "max_tokens": 24, "concurrency": 2, "temperature": 1.0}
    config = parse_evolve({"server": server, "soft": [1, 1]})
    record = evolve_folder(tmp_path, config, tmp_path / "out")
    assert record["counts"] == {"evolved": 0, "kept_template": 4, "dropped": 0}
    assert sum(record["failed"].values()) == 4
    assert all(reason.startswith("rewrite: ") for reason in record["failed"])
    assert record["replies"] == record["this_run"]["requests"]["sent"] >= 4
    assert record["this_run"]["tokens"]["completion"] > 0
    assert read_instructions(tmp_path / "out" / "instructions.jsonl") == tasks
    assert json.loads((tmp_path / "out" / "evolution.json").read_text()) == record
    dropped = parse_evolve({"server": server, "soft": [1, 1], "on_failure": "drop"})
    again = evolve_folder(tmp_path, dropped, tmp_path / "dropped")
    assert again["counts"] == {"evolved": 0, "kept_template": 0, "dropped": 4}
    assert (tmp_path / "dropped" / "instructions.jsonl").read_bytes() == b""


def test_samples_of_a_served_model_and_its_mistakes(served: str, model_path: Path, tmp_path: Path) -> None:
    settings = {"base_url": served, "model": str(model_path), "max_tokens": 8, "cache": tmp_path / "cache"}
    model = ServedModel(parse_served(settings))
    requests = [ChatRequest(({"role": "user", "content": "Name 2 rivers."},), sample) for sample in range(3)]
    replies = model.ask(requests)
    assert all(reply.text or "no answer" in reply.error for reply in replies)
    assert all(0 < reply.completion_tokens <= 8 for reply in replies)
    assert len({reply.text for reply in replies}) > 1
    known = ServedModel(parse_served(settings)).ask(requests)
    assert [reply.text for reply in known if reply.cached] == [reply.text for reply in replies if reply.text]
    with pytest.raises(RaifError, match=f"{served} cannot be asked for model 'another'"):
        ServedModel(parse_served({**settings, "model": "another"})).ask(requests)
