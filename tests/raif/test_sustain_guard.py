"""The SUSTAIN guard: NET of fixed items during training, which goes on as if nobody had looked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer
from trl import GRPOTrainer

from raif.chat import ChatFormat
from raif.recipes import parse_arguments
from raif.rollouts import read_jsonl
from raif.sustain.guard import Guarded, Verdict, as_metrics, estimates, open_guard
from raif.sustain.planning import prompt_of
from raif.sustain.records import CONSTRAINED, PLACEBO, RETEST
from raif.sustain.runner import load_sustain, settings_of
from raif.sustain.training_data import DataSettings, make_training_data
from raif.train import build_trainer, get_ready, train
from rewards import RaifError
from tests.raif.sustain_folder import sustain_folder
from tests.raif.sustain_support import make_tasks, text_of
from tests.support import MakeTrainer, example_rows, parameters

RECIPE = """
rewards: [{type: math_answer}, {type: invariance}, {type: repetition}]
cloning_coefficient: 0.2
max_completion_length: 96
num_generations: 2
per_device_train_batch_size: 4
per_device_eval_batch_size: 16
max_steps: 3
logging_steps: 1
save_steps: 2
learning_rate: 0.01
on_truncation: score
use_cpu: true
bf16: false
gradient_checkpointing: false
report_to: none
disable_tqdm: true
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evaluate a scripted model on 30 tasks, of which 25 are solved."""
    return sustain_folder(tmp_path_factory.mktemp("sustain") / "before", count=30, samples=1, doses=(1,))


@pytest.fixture(scope="module")
def data(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("data") / "data"
    make_training_data([folder], out, DataSettings())
    return out


def arguments(policy: Path, data: Path, out: Path, *flags: str) -> list[str]:
    recipe = out.parent / "recipe.yaml"
    recipe.write_text(RECIPE)
    given = ["--config", str(recipe), "--model_name_or_path", str(policy), "--instructions", str(data)]
    return [*given, "--output_dir", str(out), *flags]


def run(policy: Path, data: Path, out: Path, *flags: str) -> Path:
    assert train(*parse_arguments(arguments(policy, data, out, *flags))) == out / "final"
    return out


def guard_flags(folder: Path, *flags: str) -> list[str]:
    return ["--sustain_guard", str(folder), "--sustain_guard_items", "21", "--sustain_guard_steps", "2", *flags]


def steady(out: Path) -> list[dict[str, Any]]:
    """Return the training metrics without what a clock says."""
    rows = [row for row in read_jsonl(out / "metrics.jsonl") if "loss" in row]
    timed = ("time/", "reward_seconds", "tokens_per_second", "step_time", "preparation_time", "profiling")
    return [{name: value for name, value in row.items() if not name.startswith(timed)} for row in rows]


def test_training_is_the_same_to_the_byte_and_every_look_is_recorded(
    policy: Path, data: Path, folder: Path, tmp_path: Path
) -> None:
    plain = run(policy, data, tmp_path / "plain")
    watched = run(policy, data, tmp_path / "watched", *guard_flags(folder))
    for name in ("rollouts/rank0.jsonl", "final/model.safetensors"):
        assert (plain / name).read_bytes() == (watched / name).read_bytes(), name
    assert steady(plain) == steady(watched)
    assert any(row["grad_norm"] > 0 for row in steady(plain))
    rows = read_jsonl(watched / "sustain_guard.jsonl")
    assert [row["step"] for row in rows] == [0, 2, 3]  # the start, every second step, the end
    for row in rows:
        assert (row["n"], row["undecided"]) == (21, 0)
        assert row["net"]["value"] == pytest.approx(row["placebo"]["value"] - row["sustain"]["value"])
        assert row["net"]["low"] < row["net"]["high"]
        assert row["comply"]["n"] == 21
    logged = [row for row in read_jsonl(watched / "metrics.jsonl") if "sustain/net" in row]
    assert [row["step"] for row in logged] == [0, 2, 3]
    assert logged[1]["sustain/comply_low"] == rows[1]["comply"]["low"]
    assert not (plain / "sustain_guard.jsonl").exists()

    for name in ("done.json", "final/model.safetensors", "checkpoint-3/trainer_state.json"):
        (watched / name).unlink()  # as if killed while it saved the last checkpoint
    run(policy, data, watched, *guard_flags(folder))
    again = read_jsonl(watched / "sustain_guard.jsonl")
    assert again == rows
    assert (plain / "final/model.safetensors").read_bytes() == (watched / "final/model.safetensors").read_bytes()


def answering(monkeypatch: pytest.MonkeyPatch, is_right: Any) -> None:
    """Let every generation call answer by the prompt: the task's number, and whether a constraint is in it."""
    tasks = {task.request: task for task in make_tasks(30)}

    def generate(self: GRPOTrainer, prompt_ids: list[list[int]], *args: Any, **kwargs: Any) -> Any:
        texts = []
        for prompt in self._tokenizer.batch_decode(prompt_ids):
            request = next(request for request in tasks if request in prompt)
            added = prompt.partition(request)[2].partition("<")[0].strip()
            texts.append(f"ok</think>{text_of(tasks[request], is_right(added))}")
        return [[*row, self._tokenizer.eos_token_id] for row in ChatFormat(self._tokenizer).ids(texts)], None

    monkeypatch.setattr(GRPOTrainer, "_generate_single_turn", generate)


def guard_of(policy: Path, data: Path, out: Path, *flags: str) -> Any:
    """Return the guard of a trainer that is not run."""
    config, model = parse_arguments(arguments(policy, data, out, *flags))
    from accelerate import PartialState

    ready = get_ready(config, model, PartialState(cpu=True))
    trainer = build_trainer(config, model, ready)
    return next(one for one in trainer.callback_handler.callbacks if type(one).__name__ == "SustainGuard")


def test_a_policy_that_fails_under_constraints_raises_the_alarm_once(
    policy: Path, data: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, items, _ = load_sustain(folder)
    constraints = {demand.text for item in items for demand in item.demands}
    answering(monkeypatch, lambda added: added not in constraints)
    guard = guard_of(policy, data, tmp_path / "run", *guard_flags(folder))
    found = guard.measure()
    assert [found[name]["value"] for name in ("net", "sustain", "placebo", "retest")] == [1.0, 0.0, 1.0, 1.0]
    assert found["comply"]["value"] > 0.9  # wrong, and the constraint is met: the signature of interference
    guard.measure()
    (alarm,) = read_jsonl(tmp_path / "run" / "alarms.jsonl")
    assert (alarm["name"], alarm["step"], alarm["value"]) == ("interference", 0, 1.0)
    assert "constraints cost 100.0 points" in alarm["advice"]
    assert "sustain_guard_alarm (0.05)" in alarm["advice"]
    assert guard.trainer.state.log_history[-1]["sustain/net"] == 1.0


def test_a_policy_that_fails_everywhere_raises_none(
    policy: Path,
    data: Path,
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    answering(monkeypatch, lambda added: False)
    found = guard_of(policy, data, tmp_path / "run", *guard_flags(folder)).measure()
    assert (found["net"]["value"], found["retest"]["value"]) == (0.0, 0.0)
    assert not (tmp_path / "run" / "alarms.jsonl").exists()
    assert "has 21 items that are trained on" in caplog.text  # the data are of the same evaluation
    assert "system prompt" not in caplog.text


def test_items_are_those_of_dplus_with_the_prompts_of_the_evaluation(
    policy: Path, folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chat = ChatFormat(AutoTokenizer.from_pretrained(policy))

    def opened(*flags: str, limit: int = 0, path: Path = folder) -> Guarded:
        config, _ = parse_arguments(arguments(policy, path, tmp_path / "run", "--sustain_guard", str(path), *flags))
        return open_guard(config, chat, limit)

    metrics, items, _ = load_sustain(folder)
    solved = {item.id: item for item in items if item.in_dplus}
    guarded = opened("--sustain_guard_items", "5", "--system_prompt", "Think first.")
    assert [prompt.slot.arm for prompt in guarded.prompts] == [RETEST, PLACEBO, CONSTRAINED] * 5
    for slot, tokens in guarded.prompts:
        expected = prompt_of(solved[slot.task.id], slot.arm, slot.dose, 0, settings_of(metrics))
        assert slot.prompt == expected
        text = chat.tokenizer.decode(tokens)
        assert "Think first." in text
        assert expected in text
    more = opened("--sustain_guard_items", "9", "--system_prompt", "Think first.")
    assert more.prompts[:15] == guarded.prompts  # a fixed order
    assert "5 items are too few for an interval" in caplog.text
    assert "was drawn under the system prompt None, the training has 'Think first.'" in caplog.text
    assert "gives 25 items, not sustain_guard_items (32)" in (opened() and caplog.text)
    lengths = sorted(len(prompt.tokens) for prompt in opened().prompts)
    assert opened(limit=lengths[-1] - 1).longest < lengths[-1]
    assert "have prompts that are too long" in caplog.text
    with pytest.raises(RaifError, match="no item can be used, the prompts of 25 are too long"):
        opened(limit=3)
    with pytest.raises(RaifError, match=r"no SUSTAIN evaluation in .*nowhere"):
        opened(path=tmp_path / "nowhere")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "metrics.json").write_text(json.dumps({"suite": "mathif"}))
    with pytest.raises(RaifError, match="suite 'mathif', not of sustain"):
        opened(path=tmp_path / "other")


@pytest.mark.parametrize(
    ("flag", "value", "message"),
    [
        ("sustain_guard_steps", "0", "sustain_guard_steps must be at least 1; got 0"),
        ("sustain_guard_items", "0", "sustain_guard_items must be at least 1; got 0"),
        ("sustain_guard_alarm", "-1", "sustain_guard_alarm must be at least 0; got -1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    policy: Path, tmp_path: Path, flag: str, value: str, message: str
) -> None:
    with pytest.raises(RaifError, match=message):
        parse_arguments(arguments(policy, tmp_path, tmp_path / "run", f"--{flag}", value))


def test_an_item_counts_where_all_of_its_arms_are_decided() -> None:
    def item(name: str, *scores: float | None) -> Sequence[Verdict]:
        return [
            Verdict(name, arm, score, True) for arm, score in zip((RETEST, PLACEBO, CONSTRAINED), scores, strict=True)
        ]

    rows = [one for n in range(20) for one in item(str(n), 1.0, 1.0, float(n % 4 > 0))]
    found = estimates([*rows, *item("torn", 1.0, None, 0.0)])
    assert (found["n"], found["undecided"], found["net"]["value"]) == (20, 1, 0.25)
    assert 0 < found["net"]["low"] < 0.25 < found["net"]["high"]
    few = estimates(rows[:57])
    assert (few["n"], few["net"]["low"], few["sustain"]["low"]) == (19, None, None)
    assert few["net"]["value"] == pytest.approx(5 / 19)
    assert "sustain/net_low" not in as_metrics(few)
    nothing = estimates([])
    assert (nothing["n"], nothing["net"]["value"], nothing["sustain"]["value"]) == (0, None, None)


def test_greedy_completions_are_those_of_the_model_whatever_the_sampling_of_training(make_trainer: MakeTrainer) -> None:
    trainer = make_trainer(temperature=1.3, top_k=5, per_device_eval_batch_size=2)
    rows = example_rows(5)
    prompts = trainer.chat.ids([trainer.chat.thinking_prompt(row["prompt"]) for row in rows])
    weights, numbers = parameters(trainer), torch.get_rng_state()
    drawn = trainer.draw_greedily(prompts)
    assert trainer.draw_greedily(prompts, 7) == drawn
    assert torch.equal(torch.get_rng_state(), numbers)
    assert torch.equal(parameters(trainer), weights)
    assert trainer.generation_config.do_sample
    for prompt, completion in zip(prompts, drawn, strict=True):
        ids = torch.tensor([prompt])
        for _ in range(completion.tokens):
            with torch.no_grad():
                ids = torch.cat([ids, trainer.model.eval()(input_ids=ids).logits[:, -1].argmax(-1, keepdim=True)], 1)
        assert trainer._texts(ids[:, len(prompt) :].tolist()) == [completion.text]
        assert completion.ended == (ids[0, -1].item() in trainer.eos_token_ids)
        assert completion.ended or completion.tokens == 24
