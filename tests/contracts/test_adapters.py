"""Other frameworks get the same scores as our own trainer, in their own calling conventions."""

from __future__ import annotations

import ast
import asyncio
import inspect
import math
import pickle
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from pydantic import BaseModel

import rewards.adapters
from rewards import (
    Instruction,
    LengthCap,
    RaifError,
    Reward,
    RolloutReward,
    ScoredResponse,
    Scorer,
    parse_rewards,
)
from rewards.adapters import (
    AsyncRolloutReward,
    OpenInstructVerifier,
    UnscoredRollout,
    VerifiersReward,
    VerlReward,
    make_reward,
)
from rewards.think_styles import ThinkStyle
from tests import support
from tests.handed import CAP, ENTRIES, EOS, PLAIN, ROWS, UNSCORED, ids, reference

policy = support.policy


class Case(NamedTuple):
    """An adapter with a way to call it on a row."""

    make: Callable[[RolloutReward, Any], Any]
    call: Callable[[Any, Instruction, str, int, bool], Any]


def call_trl(made: Any, task: Instruction, text: str, count: int, ended: bool) -> Any:
    columns = {"prompts": ["-"], "completions": [text], "instruction": [task.model_dump_json()]}
    result = made(**columns, completion_ids=[ids(count, ended)], trainer_state=None)
    return (asyncio.run(result) if inspect.isawaitable(result) else result)[0]


def call_verl(made: Any, task: Instruction, text: str, count: int, ended: bool) -> Any:
    extra = {"completion_tokens": count, "truncated": not ended, "num_turns": None, "rollout_reward_scores": {}}
    arguments = {"data_source": "raif", "solution_str": text, "ground_truth": task.model_dump_json()}
    return made(**arguments, extra_info=extra)["score"]


def call_open_instruct(made: Any, task: Instruction, text: str, count: int, ended: bool) -> Any:
    arguments = {"tokenized_prediction": ids(count, ended), "prediction": text, "label": task.model_dump(mode="json")}
    result = asyncio.run(made.async_call(**arguments, query="-", rollout_state=None))
    assert made(**arguments) == result
    return result.score


def call_verifiers(made: Any, task: Instruction, text: str, count: int, ended: bool) -> Any:
    """Call as `Rubric._call_individual_reward_func` does: everything by name, the result awaited."""
    step = {"is_truncated": not ended, "tokens": {"completion_ids": ids(count, ended)}, "response": None}
    objects = {
        "prompt": [],
        "completion": [{"role": "assistant", "content": text}],
        "answer": task.model_dump_json(),
        "state": {"trajectory": [step]},
        "info": {},
        "task": None,
    }
    return float(asyncio.run(made(**objects)))


CASES = {
    "trl": Case(lambda reward, _: reward, call_trl),
    "trl async": Case(lambda reward, _: AsyncRolloutReward(reward), call_trl),
    "verl": Case(lambda reward, unscored: VerlReward(reward, unscored=unscored), call_verl),
    "open-instruct": Case(lambda reward, unscored: OpenInstructVerifier(reward, unscored=unscored), call_open_instruct),
    "verifiers": Case(lambda reward, unscored: VerifiersReward(reward, unscored=unscored), call_verifiers),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("cap", [None, CAP], ids=["free", "capped"])
@pytest.mark.parametrize("style", ["think", "think_answer", "none"])
def test_every_adapter_scores_as_the_scorer(name: str, cap: LengthCap | None, style: ThinkStyle) -> None:
    case = CASES[name]
    made = case.make(make_reward(ENTRIES, cap=cap, style=style, eos_token_ids=[EOS]), -7.25)
    wanted = [reward.total for reward in reference(ROWS, style, cap)]
    assert None in wanted
    assert len(set(wanted)) > 4
    fallback = None if name.startswith("trl") else -7.25
    assert [case.call(made, *row) for row in ROWS] == [fallback if total is None else total for total in wanted]


@pytest.mark.parametrize("name", CASES)
def test_pickled_adapters_score_the_same_from_many_threads(name: str) -> None:
    case = CASES[name]
    made = case.make(make_reward(ENTRIES, cap=CAP, eos_token_ids=[EOS]), -7.25)
    wanted = [case.call(made, *row) for row in ROWS]
    copy = pickle.loads(pickle.dumps(made))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda row: case.call(copy, *row), ROWS * 8))
    assert found == wanted * 8


@pytest.mark.parametrize("name", ["verl", "open-instruct", "verifiers"])
def test_an_unscored_row_is_worth_what_was_said(name: str, caplog: pytest.LogCaptureFixture) -> None:
    case = CASES[name]
    reward = make_reward(ENTRIES, cap=CAP, eos_token_ids=[EOS])
    made = case.make(reward, 0.125)
    assert [case.call(made, *UNSCORED), case.call(made, *UNSCORED)] == [0.125, 0.125]
    assert [record.getMessage()[:52] for record in caplog.records] == [
        "some rollouts cannot be scored and get 0.125; the fi"
    ]
    assert "language:response" in caplog.text
    with pytest.raises(UnscoredRollout, match="cannot be scored: language:response"):
        case.call(case.make(reward, "raise"), *UNSCORED)
    for refused in (math.nan, math.inf, None, True, "lowest", "0"):
        with pytest.raises(RaifError, match="finite number or 'raise'"):
            case.make(reward, refused)


@pytest.mark.parametrize("make", [VerlReward, OpenInstructVerifier, VerifiersReward])
def test_what_unscored_rows_are_worth_must_be_said(make: Any) -> None:
    with pytest.raises(TypeError, match="unscored"):
        make(make_reward(ENTRIES))


class VerifierFunction(ABC):
    """The constructor, registry and interface that open-instruct's class of this name has."""

    def __init__(self, name: str, weight: float = 1.0, verifier_config: object = None) -> None:
        self.name, self.weight, self.verifier_config = name, weight, verifier_config

    @abstractmethod
    def __call__(self, tokenized_prediction: list[int], prediction: str, label: Any) -> Any: ...


def test_open_instruct_finds_a_class_that_derives_from_both() -> None:
    class Raif(OpenInstructVerifier, VerifierFunction):
        def __init__(self, verifier_config: object = None) -> None:
            super().__init__(make_reward(ENTRIES[:2]), unscored=0.0, name="constraints", weight=2.0)

    found = {made.name: made for made in (cls(None) for cls in VerifierFunction.__subclasses__())}  # type: ignore[call-arg]
    assert found["constraints"].weight == 2.0
    result = found["constraints"]([5, EOS], "hm</think>It is, now", PLAIN.model_dump_json())
    assert (result.score, result.cost) == (0.75, 0.0)
    assert "punctuation:no_comma: violated" in result.reasoning


class Message(BaseModel):
    """A reply as verifiers has it, without `get` in version 1."""

    role: str = "assistant"
    content: Any = None
    reasoning_content: str | None = None


@pytest.mark.parametrize(
    "reply",
    [
        Message(content="It is 0.5", reasoning_content="hm"),
        Message(content=[{"type": "text", "text": "It is "}, {"type": "text", "text": "0.5"}], reasoning_content="hm"),
        Message(content="<think>hm</think>It is 0.5"),
        {"role": "assistant", "content": "It is 0.5", "reasoning_content": "hm"},
    ],
)
def test_verifiers_messages_and_traces(reply: Any) -> None:
    made = VerifiersReward(make_reward(ENTRIES[:3], prefilled=False), unscored=0.0)
    line = PLAIN.model_dump_json()
    earlier = Message(content="No, nothing, at all.")
    for info in ({"instruction": line}, {"instruction": PLAIN.model_dump()}, f'{{"instruction": {line}}}'):
        assert asyncio.run(made(completion=[earlier, reply], info=info, answer="0.5")) == 2.75
    assert asyncio.run(made([], {"instruction": line})) < 0
    replies = [earlier, reply]
    for truncated, total in ((False, 2.65), (True, -3.0)):
        capped = VerifiersReward(make_reward(ENTRIES, cap=CAP, prefilled=False), unscored=0.0)
        trace = SimpleNamespace(assistant_messages=replies, num_output_tokens=9, is_truncated=truncated)
        assert asyncio.run(capped.of_trace(trace, line)) == pytest.approx(total)
    assert (made.__name__, VerifiersReward(made.reward, unscored=0.0, name="other").__name__) == ("raif", "other")
    with pytest.raises(RaifError, match="info must be a mapping"):
        asyncio.run(made([reply], info="[1]"))


def test_verifiers_reads_the_usage_where_there_are_no_token_ids() -> None:
    made = VerifiersReward(make_reward([{"type": "length_cap", "soft_band": 4}], cap=CAP), unscored=0.0)
    response = SimpleNamespace(usage=SimpleNamespace(completion_tokens=7))
    state = {"trajectory": [{"tokens": None, "response": response, "is_truncated": False}]}
    assert asyncio.run(made("hm</think>7", {"instruction": PLAIN}, state=state)) == -0.5


def test_verifiers_takes_it_for_a_function_of_one_rollout() -> None:
    names = set(inspect.signature(VerifiersReward(make_reward(ENTRIES), unscored=0.0)).parameters)
    assert {"completion", "info", "answer", "state"} <= names
    assert not names & {"states", "prompts", "completions", "answers", "tasks", "infos"}  # those of a group function


class Waiting(Scorer):
    """A scorer that goes on only when something else on the event loop has run."""

    started, released = threading.Event(), threading.Event()

    def score(self, batch: Sequence[ScoredResponse]) -> list[Reward]:
        self.started.set()
        assert self.released.wait(60), "the event loop was not free"
        return super().score(batch)


def test_the_event_loop_is_free_while_trl_rewards_are_computed() -> None:
    async def other() -> None:
        while not Waiting.started.is_set():
            await asyncio.sleep(0.01)
        Waiting.released.set()

    async def both() -> Any:
        made = AsyncRolloutReward(RolloutReward(Waiting(parse_rewards(ENTRIES[:2]))))
        line = PLAIN.model_dump_json()
        return await asyncio.gather(made(["-"], ["hm</think>0.5"], [[EOS]], [line]), other())

    assert asyncio.run(both())[0] == [2.25]


def test_trl_runs_both_kinds_of_reward_functions(policy: Path, tmp_path: Path) -> None:
    from datasets import Dataset
    from transformers import AutoTokenizer
    from trl import GRPOConfig, GRPOTrainer

    tokenizer = AutoTokenizer.from_pretrained(policy, padding_side="left")
    reward = make_reward(ENTRIES[:2], prefilled=False, eos_token_ids=[tokenizer.eos_token_id])
    twin = AsyncRolloutReward(make_reward(ENTRIES[:2], prefilled=False, eos_token_ids=[tokenizer.eos_token_id]))
    settings = {"per_device_train_batch_size": 4, "num_generations": 4, "max_completion_length": 12, "max_steps": 1}
    quiet = {"report_to": [], "save_strategy": "no", "disable_tqdm": True, "use_cpu": True, "bf16": False}
    trainer = GRPOTrainer(
        model=str(policy),
        reward_funcs=[reward, pickle.loads(pickle.dumps(twin))],
        args=GRPOConfig(output_dir=str(tmp_path), logging_steps=1, **settings, **quiet),
        train_dataset=Dataset.from_list(support.example_rows()),
        processing_class=tokenizer,
    )
    trainer.train()
    log = trainer.state.log_history[0]
    assert trainer.reward_func_names == ["reward", "reward"]
    assert log["reward"] == pytest.approx(2 * log["rewards/reward/mean"])
    assert log["rewards/format"] == -1.0
    asynchronous = trainer.reward_funcs[1]
    assert [each.total for each in asynchronous.last] == [each.total for each in reward.last]
    assert len(reward.last) == 4


def test_no_framework_is_imported() -> None:
    allowed = {*sys.stdlib_module_names, "pydantic", "yaml", "rewards"}
    for path in Path(rewards.adapters.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            modules += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert {module.partition(".")[0] for module in modules} <= allowed
