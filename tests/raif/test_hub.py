"""The model card says what a run was, and the real client uploads the final policy alone to a hub on this machine."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from accelerate import PartialState
from huggingface_hub import ModelCard

from raif.card import given_settings, is_hub_name, record_recipe, write_card
from raif.config import RAIFConfig
from raif.hub import claim_repository
from raif.launch import record_launch
from raif.recipes import parse_arguments
from raif.train import train
from rewards.errors import RaifError
from tests.data_gen.test_command_push import Hub

ROOT = Path(__file__).resolve().parents[2]


class ModelHub(Hub):
    """The hub of the data set tests, for a model."""

    def answer(self, path: str, body: bytes) -> dict[str, Any]:
        reply = json.dumps(super().answer(path, body)).replace("/datasets/", "/")
        return json.loads(reply)  # type: ignore[no-any-return]


@pytest.fixture
def hub() -> Iterator[ModelHub]:
    made = ModelHub()
    threading.Thread(target=made.http.serve_forever, args=(0.02,), daemon=True).start()
    yield made
    made.http.shutdown()
    made.http.server_close()


@pytest.fixture(scope="module")
def trained(policy: Path, smoke_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real run of two steps; read it only."""
    out = tmp_path_factory.mktemp("hub") / "run"
    arguments = ["--config", "recipes/smoke/cpu.yaml", "--model_name_or_path", str(policy), "--max_steps", "2"]
    arguments += ["--instructions", str(smoke_data), "--output_dir", str(out), "--save_strategy", "no"]
    arguments += ["--system_prompt", "Think first.\nThen answer.", "--disable_tqdm", "true", "--hub_token", "hf_secret"]
    train(*parse_arguments(arguments))
    record_recipe(arguments, out)
    record_launch(out, PartialState())
    return out


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    """A copy of the run that a test may change."""
    return shutil.copytree(trained, tmp_path / "run")


def recipe_of(card: str) -> dict[str, Any]:
    block = re.search(r"```yaml\n(.*?)\n```", card, re.DOTALL)
    assert block
    return yaml.safe_load(block.group(1))


def test_the_card_says_what_the_run_was(run: Path) -> None:
    path = write_card(run, "kind-policy", "apache-2.0")
    assert path == run / "final" / "README.md"
    card = ModelCard.load(path)
    header = card.data.to_dict()
    assert header["library_name"] == "transformers"
    assert header["license"] == "apache-2.0"
    assert {"grpo", "raif", "trl"} <= set(header["tags"])
    assert "base_model" not in header  # a folder of this machine is no base model that a hub could show
    text = card.text
    assert text.strip().startswith("# kind-policy")
    for said in ("Steps: 2 on 1 rank (cpu)", "200 train, 40 test; seed 0; 18 constraint types; en", "arithmetic"):
        assert said in text
    assert "> Think first.\n> Then answer." in text
    assert "contrast online, contrast_level rollout" in text
    assert "cloning_coefficient 0.3" in text
    assert "max_completion_length 64, on_truncation zero" in text
    assert re.search(r"^\| reward \| \S+ \| \S+ \|$", text, re.MULTILINE)
    assert "torch 2" in text
    assert "## Limitations" in text
    recipe = recipe_of(text)
    assert recipe["max_steps"] == 2  # the flag, not the recipe's 10
    assert recipe["loss_type"] == "dapo"  # of the recipe that smoke/cpu builds on, or its own
    assert {name for name in recipe if name.endswith("token")} == set()
    assert str(run.parent) not in text
    assert "hf_secret" not in text


def test_the_card_shows_held_out_metrics_with_their_intervals(run: Path) -> None:
    rows = [
        {"step": 1, "split": "all", "metric": "hacc", "value": 0.1, "low": 0.05, "high": 0.2, "n": 40},
        {"step": 2, "split": "all", "metric": "hacc", "value": 0.25, "low": 0.14, "high": 0.4, "n": 40},
        {"step": 2, "split": "test_families", "metric": "sacc", "value": 0.5, "low": None, "high": None, "n": 9},
        {"step": 2, "split": "all", "metric": "correct", "value": None, "low": None, "high": None, "n": 0},
    ]
    (run / "held_out.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    text = write_card(run).read_text(encoding="utf-8")
    assert "Held-out instructions at step 2" in text
    assert "| all | HAcc | 25.0 [14.0, 40.0] | 40 |" in text
    assert "| test_families | SAcc | 50.0 | 9 |" in text
    assert "answer correct" not in text


def test_the_card_of_a_whole_loop_compares_before_and_after(run: Path) -> None:
    shutil.copytree(run, run / "train", ignore=shutil.ignore_patterns("train"))
    row = {"metric": "HAcc", "floor": "0.0", "before": "16.8 [13.4, 20.8]", "after": "36.5", "gain": "", "ceiling": ""}
    (run / "summary.json").write_text(json.dumps({"n_eval": 400, "table": [row]}), encoding="utf-8")
    shutil.rmtree(run / "final")
    path = write_card(run)
    assert path == run / "train/final/README.md"
    assert "400 held-out instructions" in path.read_text(encoding="utf-8")
    assert "| HAcc | 0.0 | 16.8 [13.4, 20.8] | 36.5 |  |  |" in path.read_text(encoding="utf-8")


def test_the_card_of_adapters_names_their_base(run: Path) -> None:
    settings = json.loads((run / "config.json").read_text())
    settings["model"]["model_name_or_path"] = "Qwen/Qwen2.5-1.5B-Instruct"
    settings["training"]["instructions"] = "someone/rain"
    (run / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    (run / "final" / "adapter_config.json").write_text("{}", encoding="utf-8")
    card = ModelCard.load(write_card(run))
    header = card.data.to_dict()
    assert (header["library_name"], header["base_model"]) == ("peft", "Qwen/Qwen2.5-1.5B-Instruct")
    assert header["datasets"] == ["someone/rain"]
    assert "PeftModel.from_pretrained" in card.text


def test_given_settings_are_the_recipe_its_base_and_the_flags() -> None:
    given = given_settings(["--config", "smoke/cpu", "--max_steps", "3", "--use_peft"])
    assert (given["max_steps"], given["use_peft"], given["num_generations"]) == (3, True, 4)
    assert {"lora_r", "delta", "base"} & given.keys() == set()


@pytest.mark.parametrize(("name", "expected"), [("a/b", True), ("a/b/c", False), ("./a", False), ("embedded", False)])
def test_hub_names_are_told_from_paths(name: str, expected: bool) -> None:
    assert is_hub_name(name) is expected


PUSH = """
import sys
from huggingface_hub import close_session
from raif.config import RAIFConfig
from raif.hub import claim_repository, is_private, push
from rewards.errors import RaifError
run, out = sys.argv[1:]
for _ in sys.stdin:
    close_session()
    config = RAIFConfig(output_dir=out, instructions="-", rewards=[{"type": "constraints"}], use_cpu=True, bf16=False,
                        push_to_hub=True, hub_model_id="someone/rain", hub_token="hf_test")
    try:
        repository = claim_repository(config)
        assert config.push_to_hub is False
        print(push(run, repository, is_private(config), token=config.hub_token), flush=True)
    except RaifError as error:
        sys.exit(f"error: {error}")
"""


def pushing(run: Path, hub: ModelHub) -> subprocess.Popen[str]:
    """Do what a recipe with push_to_hub does, for every line of input.

    It is a process of its own, since tests are offline for the client.
    """
    command = [sys.executable, "-c", PUSH, str(run), str(run.parent / "out")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "0", "HF_ENDPOINT": hub.url}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def test_the_final_policy_alone_is_uploaded_with_its_card_and_a_hub_that_refuses_is_one_message(
    run: Path, hub: ModelHub
) -> None:
    process = pushing(run, hub)
    assert process.stdin
    assert process.stdout
    process.stdin.write("\n")
    process.stdin.flush()
    said = next((line.strip() for line in process.stdout if "someone/rain" in line), "")
    assert said == f"{hub.url}/someone/rain", process.communicate(timeout=600)[1]
    assert (hub.created["organization"], hub.created["name"]) == ("someone", "rain")
    assert hub.created.get("type", "model") == "model"
    visibility = hub.created.get("visibility", "private" if hub.created.get("private") else "public")
    assert visibility == "private"
    assert hub.token == "Bearer hf_test"
    assert "library_name: transformers" in hub.header
    sent = {path.name: path.read_bytes() for path in (run / "final").iterdir() if path.name != "training_args.bin"}
    assert (run / "final" / "training_args.bin").is_file()  # it holds the token
    assert hub.files == sent
    assert {"README.md", "model.safetensors", "tokenizer.json"} <= set(sent)

    hub.http.shutdown()
    hub.http.server_close()
    _, refused = process.communicate("\n", timeout=600)
    assert process.returncode == 1
    assert refused.count("error:") == 1
    assert "'someone/rain' was not uploaded to the hub (" in refused
    assert "Traceback" not in refused


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hub_strategy": "checkpoint", "hub_model_id": "a/b"}, "hub_strategy: checkpoint would upload checkpoints"),
        ({"hub_model_id": "rain"}, "push_to_hub needs hub_model_id as owner/name; got 'rain'"),
        ({}, "push_to_hub needs hub_model_id as owner/name; got None"),
    ],
)
def test_what_cannot_be_pushed_is_said_before_training(tmp_path: Path, options: dict[str, Any], message: str) -> None:
    config = RAIFConfig(
        output_dir=str(tmp_path),
        instructions="-",
        rewards=[{"type": "constraints"}],
        use_cpu=True,
        bf16=False,
        push_to_hub=True,
        **options,
    )
    with pytest.raises(RaifError, match=message):
        claim_repository(config)


def test_a_run_without_a_policy_has_no_card(tmp_path: Path) -> None:
    with pytest.raises(RaifError, match="holds no trained policy"):
        write_card(tmp_path)
