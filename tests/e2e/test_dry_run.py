"""`--dry_run` of every training recipe: with a tiny policy of the recipe's kind of chat template, on tiny data."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from data_gen.config import load_yaml
from data_gen.experts import WarmStartRow
from raif import sft, train
from raif.recipes import load_recipe, parse_arguments
from raif.resources import recipes
from raif.tiny import CHAT_TEMPLATE, TinyRecipe, build_model, build_tokenizer
from raif.trainer import RAIFTrainer
from tests.judge_server import LIKELY_YES, ChatServer, chat, constantly

FOLDERS = ("grpo/", "ablation/", "cap/", "smoke/")
RECIPES = [name for name, path in recipes().items() if name.startswith(FOLDERS) and "axes" not in load_yaml(path)]
HUB_DATA = "agentica-org/DeepScaleR-Preview-Dataset"
TURNS = "{% for message in messages %}<|im_start|>{{ message['role'] }}: {{ message['content'] }}<|im_end|>{% endfor %}"
ANSWER = "{% if add_generation_prompt %}<|im_start|>assistant: {% endif %}"
OPENED = "{% if add_generation_prompt %}<|im_start|>assistant: <think>\n{% endif %}"
SWITCH = "{% if add_generation_prompt and enable_thinking is false %}<think>\n\n</think>\n\n{% endif %}"
#: How the chat templates of model families treat thinking: they open it, close it on demand, or know nothing of it.
TEMPLATES = {
    "DeepSeek-R1": TURNS + OPENED, "DeepScaleR": TURNS + OPENED, "Qwen3": TURNS + ANSWER + SWITCH,
    "embedded": CHAT_TEMPLATE, "Qwen2.5": TURNS + ANSWER, "Llama": TURNS + ANSWER, "Ministral": TURNS + ANSWER,
}  # fmt: skip
OFF = {"use_cpu": True, "bf16": False, "use_vllm": False, "report_to": "none", "dry_run": True}


@pytest.fixture(scope="session")
def policies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return a random tiny policy for each kind of chat template."""
    text = "What is 3 + 4? Use at most 3 words. Do not use any commas."
    row = WarmStartRow(instruction_id="-", prompt=text, thinking="at most 3 words", answer="It is 7.", hard=True)
    size = TinyRecipe(vocab_size=300, hidden_size=32, layers=2, heads=2)
    tokenizer = build_tokenizer([row], size.vocab_size)
    model = build_model(tokenizer, 0, size)
    model.config.max_position_embeddings = 32768
    folders = {}
    for family, template in TEMPLATES.items():
        folders[family] = tmp_path_factory.mktemp("policies") / family
        tokenizer.chat_template = template
        model.save_pretrained(folders[family])
        tokenizer.save_pretrained(folders[family])
    return folders


@pytest.fixture(scope="session")
def maths(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of maths problems."""
    path = tmp_path_factory.mktemp("maths") / "maths.jsonl"
    problems = [{"problem": f"What is {n} + {n}?", "answer": str(2 * n)} for n in range(1, 201)]
    path.write_text("".join(json.dumps(problem) + "\n" for problem in problems))
    return path


@pytest.fixture(autouse=True)
def no_trainer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whatever builds a trainer fail: a dry run must not."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a dry run has built a trainer")

    monkeypatch.setattr(RAIFTrainer, "__init__", refuse)


@cache
def family_of(name: str) -> str:
    policy = load_recipe(name).get("model_name_or_path", "DeepSeek-R1")  # what others build on leaves it open
    return next(family for family in TEMPLATES if family in policy)


def local_source(source: dict[str, Any], maths: Path, folder: Path) -> dict[str, Any]:
    """Return a source of a mix with small data of its kind."""
    if source.get("kind") != "questions":
        return {**source, "source": str(maths), "kind": "maths"}
    path = folder / "questions.jsonl"
    rows = [{"prompt": f"Greet guest {n}.", "scoring_questions": ["Is it kind?", "Is it short?"]} for n in range(100)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return {**source, "source": str(path)}


def derived(name: str, policy: Path, data: Path, maths: Path, folder: Path, **changes: Any) -> Path:
    """Write a recipe on top of another that runs on this machine: local policy and data, no GPU."""
    recipe = load_recipe(name)
    mix = [local_source(source, maths, folder) for source in recipe.get("mix") or []] or None
    main = maths if recipe["instructions"] == HUB_DATA else data
    local = {"model_name_or_path": str(policy), "instructions": str(main), "mix": mix, "eval_splits": "test"}
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({"base": name, **local, **OFF, "output_dir": str(folder / "out"), **changes}))
    return path


def judged_by(server: ChatServer, name: str) -> dict[str, Any]:
    """Return the rewards of a recipe whose judge is this server; nothing for one without a judge."""
    rewards = load_recipe(name).get("rewards") or []
    local = [
        {**reward, "judge": {**reward["judge"], "base_url": server.url}} if reward["type"] == "judge" else reward
        for reward in rewards
    ]
    return {"rewards": local} if local != rewards else {}


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_can_be_planned(
    name: str, policies: dict[str, Path], smoke_data: Path, maths: Path, tmp_path: Path
) -> None:
    family = family_of(name)
    with ChatServer(constantly(chat("YES", LIKELY_YES))) as server:
        path = derived(name, policies[family], smoke_data, maths, tmp_path, **judged_by(server, name))
        config, model = parse_arguments(["--config", str(path)])
        if model.load_in_4bit or model.load_in_8bit:
            pytest.importorskip("bitsandbytes")
        train.train(config, model)
    out = tmp_path / "out"
    plan = json.loads((out / "plan.json").read_text())
    assert not plan["errors"]
    assert not (out / "rollouts").exists()
    assert not list(out.glob("checkpoint-*"))
    assert not (out / "done.json").exists()

    schedule, memory = plan["schedule"], plan["memory"]
    assert schedule["ranks"] == 1
    assert schedule["optimizer_steps"] > 0
    assert schedule["thinking_total"] >= config.num_generations * schedule["generation_batches"]
    assert (schedule["direct_total"] > 0) == (config.contrast == "online")
    assert schedule["trained_tokens"] > 0
    assert memory["peak"] > 4 * plan["policy"]["trained"]
    assert {part["name"] for part in memory["parts"]} >= {"weights", "gradients", "optimizer", "KV cache"}

    assert len(plan["scored"]) == 8
    known = [row for row in plan["scored"] if row["origin"]]  # nobody knows a good answer to a question of a judge
    assert len(known) == 8 or name == "grpo/judged-questions"
    assert {row["origin"] for row in known} <= {"expert", "witness", "ground truth"}
    assert all(row["ceiling"] > row["floor"] and not row["failed"] for row in known)
    assert all(shown == "scored" or "pays nothing" in shown for shown in plan["rewards"].values())

    opens = family in ("DeepSeek-R1", "DeepScaleR", "embedded")
    assert plan["thinking"].startswith("think, ")
    assert ("opened by the chat template" in plan["thinking"]) == opens
    assert plan["prompts"]["thinking"].rstrip().endswith("<think>") == opens
    assert plan["prompts"]["direct"].rstrip().endswith("</think>")
    assert "speaks of <think>" not in " ".join(plan["warnings"])


def test_one_number_sets_what_completions_and_vllm_may_take(
    policies: dict[str, Path], smoke_data: Path, maths: Path, tmp_path: Path
) -> None:
    path = derived("smoke/cpu", policies["embedded"], smoke_data, maths, tmp_path, use_vllm=True)
    lengths = []
    for cap in (64, 96):
        config, model = parse_arguments(["--config", str(path), "--max_completion_length", str(cap)])
        train.train(config, model)
        lengths.append(config.vllm_max_model_length)
    assert lengths[1] - lengths[0] == 32
    assert lengths[0] > 64 + 16


@pytest.mark.parametrize("name", [name for name in recipes() if name.startswith("sft/")])
def test_every_recipe_of_fine_tuning_can_be_planned(
    name: str, policies: dict[str, Path], smoke_data: Path, tmp_path: Path
) -> None:
    recipe = load_recipe(name, sft.SFTArguments)
    family = next(family for family in TEMPLATES if family in recipe["model_name_or_path"])
    changes = {"model_name_or_path": policies[family], "instructions": smoke_data, "output_dir": tmp_path}
    changes |= {"use_cpu": True, "bf16": False, "dry_run": True}
    flags = [part for key, value in changes.items() for part in (f"--{key}", str(value))]
    assert sft.fine_tune(*sft.parse_arguments(["--config", name, *flags])) is None
    plan = json.loads((tmp_path / "plan.json").read_text())
    assert plan["demonstrations"] == 200
    assert plan["optimizer_steps"] >= 200 // plan["rows_per_step"]
    assert "<think>" in plan["first"]
    assert "</think>" in plan["first"]
    assert not (tmp_path / "done.json").exists()


def test_the_command_prints_the_plan_or_one_error(
    policies: dict[str, Path],
    smoke_data: Path,
    maths: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    policy = policies["embedded"]
    path = derived("smoke/cpu", policy, smoke_data, maths, tmp_path)
    monkeypatch.setattr(sys, "argv", ["raif.train", "--config", str(path)])
    train.main()
    shown = capsys.readouterr().out
    for text in ("Policy", "<think></think>", "Eight rows, scored", "Schedule", "Over training", "Memory of each rank"):
        assert text in shown
    for changes, message in (
        ({"gradient_accumulation_steps": 256, "steps_per_generation": 256}, "fill no generation batch"),
        ({"model_name_or_path": "nobody/nothing"}, "cannot read the tokenizer or the configuration of nobody/nothing"),
    ):
        derived("smoke/cpu", policy, smoke_data, maths, tmp_path, save_strategy="no", **changes)
        with pytest.raises(SystemExit) as stopped:
            train.main()
        assert stopped.value.code == 1
        said = capsys.readouterr().err.strip().splitlines()[-1]
        assert said.startswith("error: ")
        assert message in said
