"""Budget forcing and repeated constraints: what is put in, what is judged, what a kill leaves, and what is found."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from data_gen.shards import read_data
from raif.chat import ThinkFormat
from raif.commands.experiment import experiment_app
from raif.evaluation.records import EvaluatedRollout
from raif.experiments.drafts import Draft
from raif.experiments.neutral import neutral_like
from raif.experiments.repeat import run_repeat
from raif.experiments.wait import run_wait
from raif.generation import Arrived, Completion, Request, Sampling
from raif.rollouts import read_rollouts
from rewards.errors import RaifError
from rewards.think_styles import CLOSE
from tests.raif.experiment_support import RIGHT, WORDS, CachedSuite, ScriptedGenerator, answer, make_items

SUITE, ITEMS = CachedSuite(), make_items(60)
PLENTY = Sampling(100_000)


class Steps(ScriptedGenerator):
    """Thinks for `step` tokens at a time, answers with ten; from `silent` on it ends its turn while thinking."""

    def __init__(self, step: int, silent: int = 99, prefilled: bool = True) -> None:
        super().__init__(0, prefilled=prefilled)
        self.step, self.silent = step, silent

    def _complete(self, request: Request, cap: int) -> Completion:
        opening = "" if self.think.prefilled or request.prefix else "<think>"
        tokens = self.step if request.stop else 10
        if cap <= tokens:
            return Completion(f"{opening}and", cap, ended=False)
        if request.prefix.count("hm") >= self.silent:
            return Completion("mute", 1, ended=True)
        if request.stop:
            return Completion(f"{opening}hm.", tokens, ended=True, stopped=CLOSE)
        return Completion(("" if CLOSE in request.prefix else f"yes{CLOSE}") + RIGHT, tokens, ended=True)


def rollouts(out: Path, arm: str) -> list[EvaluatedRollout]:
    """Return what was drawn for an arm."""
    return [r for r in read_rollouts(out / "rollouts.jsonl", EvaluatedRollout) if r.arm == arm]


def effects(found: dict[str, Any], metric: str) -> dict[str, dict[str, Any]]:
    """Return the effects on a metric by name."""
    return {one["name"]: one for one in found["effects"] if one["metric"] == metric}


# ---- wait ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefilled", [True, False])
def test_the_end_of_the_thinking_is_replaced_as_often_as_asked(tmp_path: Path, prefilled: bool) -> None:
    found = run_wait(SUITE, ITEMS[:2], Steps(10, prefilled=prefilled), PLENTY, tmp_path, counts=(0, 3, 1))
    opening = "" if prefilled else "<think>"
    texts = {row["label"]: rollouts(tmp_path, row["label"])[0] for row in found["rows"]}
    assert texts["N = 0"].completion == f"{opening}hm.{CLOSE}{RIGHT}"
    assert texts["wait, N = 1"].completion == f"{opening}hm.\nWaithm.{CLOSE}{RIGHT}"
    assert texts["filler, N = 3"].completion == f"{opening}hm.\nThehm.\nThehm.\nThehm.{CLOSE}{RIGHT}"
    assert [texts[f"wait, N = {n}"].completion_tokens for n in (1, 3)] == [30, 50]
    assert [(row["label"], row["arm"], row["x"]) for row in found["rows"]] == [
        ("N = 0", "baseline", 0),
        ("wait, N = 1", "treatment", 1),
        ("wait, N = 3", "treatment", 3),
        ("filler, N = 1", "control", 1),
        ("filler, N = 3", "control", 3),
    ]
    assert "'The'" in found["rule"]
    assert "(1 against 1 tokens)" in found["rule"]
    assert all(r.correct for part in texts.values() for r in [part])


def test_what_reaches_the_cap_or_falls_silent_stays_as_it_is(tmp_path: Path) -> None:
    run_wait(SUITE, ITEMS[:2], Steps(10), Sampling(35), tmp_path / "cap", counts=(1, 2, 4))
    one, two, four = (rollouts(tmp_path / "cap", f"wait, N = {n}")[0] for n in (1, 2, 4))
    assert (one.truncated, one.completion_tokens, one.correct) == (False, 30, True)
    assert (two.truncated, two.completion_tokens, two.correct) == (True, 35, False)
    assert (four.truncated, four.completion_tokens) == (True, 35)
    assert four.completion == "hm.\nWaithm.\nWaithm.\nWaitand"
    found = run_wait(SUITE, ITEMS[:2], Steps(10, silent=2), PLENTY, tmp_path / "silent", counts=(1, 4))
    assert [row["kept_open"] for row in found["rows"]] == [0, 1, 2, 1, 2]
    four = rollouts(tmp_path / "silent", "wait, N = 4")[0]
    assert four.completion == "hm.\nWaithm.\nWaitmute"
    assert (four.truncated, four.well_formed, four.hard) == (False, False, False)


def test_forced_reconsidering_that_hurts_is_found_and_the_filler_is_cleared(tmp_path: Path) -> None:
    def speak(request: Request, rng: random.Random) -> str:
        return answer(rng, follows=0.8 - 0.15 * request.prefix.count("Wait"), right=0.5)

    found = run_wait(SUITE, ITEMS, ScriptedGenerator(1, speak), PLENTY, tmp_path, counts=(2, 4), samples=2)
    sacc = effects(found, "sacc")
    for name in ("(wait, N = 4) - (N = 0)", "(wait, N = 4) - (filler, N = 4)", "(wait, N = 2) - (filler, N = 2)"):
        assert sacc[name]["estimate"]["high"] < 0
        assert sacc[name]["p_holm"] < 0.05
    assert sacc["(filler, N = 4) - (N = 0)"]["p_holm"] > 0.05
    assert effects(found, "correct")["(wait, N = 4) - (filler, N = 4)"]["p_holm"] > 0.05


class Killed(RuntimeError):
    pass


class Dying(ScriptedGenerator):
    """Dies at its hundredth completion."""

    def generate(self, requests: Sequence[Request], sampling: Sampling, arrived: Arrived) -> None:
        for number, request in enumerate(requests):
            if len(self.asked) == 100:
                raise Killed
            super().generate([request], sampling, lambda _, done, number=number: arrived(number, done))


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    whole, dying, rest = ScriptedGenerator(2), Dying(2), ScriptedGenerator(2)
    run_wait(SUITE, ITEMS, whole, PLENTY, tmp_path / "whole", counts=(2,))
    with pytest.raises(Killed):
        run_wait(SUITE, ITEMS, dying, PLENTY, tmp_path / "cut", counts=(2,))
    run_wait(SUITE, ITEMS, rest, PLENTY, tmp_path / "cut", counts=(2,))
    assert len(rest.asked) == len(whole.asked) - 100
    for name in ("experiment.json", "experiment.md", "rollouts.jsonl", "generations/completions.jsonl"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(RaifError, match="one above 0"):
        run_wait(SUITE, ITEMS, ScriptedGenerator(0), PLENTY, tmp_path, counts=(0,))
    channels = ScriptedGenerator(0)
    channels.think = ThinkFormat("channels", False)
    with pytest.raises(RaifError, match="in the style 'channels'"):
        run_wait(SUITE, ITEMS, channels, PLENTY, tmp_path)
    with pytest.raises(RaifError, match="unknown position 'aftr'; did you mean 'after'"):
        run_repeat(SUITE, ITEMS, ScriptedGenerator(0), PLENTY, tmp_path, positions=("aftr",))
    bare = [item.model_copy(update={"constraint_texts": ()}) for item in ITEMS]
    with pytest.raises(RaifError, match="no item has the text of its constraints"):
        run_repeat(SUITE, bare, ScriptedGenerator(0), PLENTY, tmp_path)


# ---- repeat --------------------------------------------------------------------------------------------------------


def test_each_text_stands_where_the_rule_says(tmp_path: Path) -> None:
    items = [ITEMS[2], ITEMS[3].model_copy(update={"constraint_texts": ()})]
    found = run_repeat(SUITE, items, Steps(10), PLENTY, tmp_path, positions=("open", "closed", "after"))
    assert found["left_out"] == {"items without constraints": 1}
    constraints = "\n".join(items[0].constraint_texts)
    texts = {row["label"]: rollouts(tmp_path, row["label"])[0].completion for row in found["rows"]}
    assert texts["none"] == f"hm.{CLOSE}{RIGHT}"
    assert texts["constraints"] == f"hm.\nWait. {constraints}\nyes{CLOSE}{RIGHT}"
    assert texts["question"] == f"hm.\nWait. {items[0].question}\nyes{CLOSE}{RIGHT}"
    assert texts["wait"] == f"hm.\nWaityes{CLOSE}{RIGHT}"
    assert texts["constraints, closed"] == f"hm.\nWait. {constraints}\n{CLOSE}{RIGHT}"
    assert texts["constraints, after"] == texts["neutral, after"] == f"hm.{CLOSE}{RIGHT}"  # not part of the answer
    neutral = texts["neutral"].split("Wait. ")[1].split("\nyes")[0]
    assert len(neutral.split()) == len(constraints.split())
    assert {row["label"]: row["arm"] for row in found["rows"]}["question, after"] == "control"


def test_only_what_was_put_after_the_mark_is_hidden() -> None:
    draft = Draft(ITEMS[0], 0, text="a\n\nWait. b\n\n").put_after("Wait. b")
    said = draft._replace(text=draft.text + "Yes.\n\nWait. b\n\nNo.")
    assert said.judged == f"a\n\nWait. b\n\n{CLOSE}Yes.\n\nWait. b\n\nNo."


def test_a_policy_that_reads_the_repeated_constraints_is_told_from_one_that_is_disturbed(tmp_path: Path) -> None:
    def reads(request: Request, rng: random.Random) -> str:
        asked = [word for word in WORDS if f"Mention {word}." in request.prefix]
        return " ".join([*asked, answer(rng, right=0.7 if "Wait" not in request.prefix else 0.3)])

    found = run_repeat(SUITE, ITEMS, ScriptedGenerator(3, reads), PLENTY, tmp_path)
    sacc, correct = effects(found, "sacc"), effects(found, "correct")
    for other in ("none", "question", "neutral", "wait"):
        assert sacc[f"(constraints) - ({other})"]["estimate"]["low"] > 0.1
        assert sacc[f"(constraints) - ({other})"]["p_holm"] < 0.01
    assert correct["(constraints) - (none)"]["estimate"]["high"] < 0  # being interrupted costs answers,
    assert all(correct[f"(constraints) - ({other})"]["p_holm"] > 0.05 for other in ("question", "neutral", "wait"))


def test_neutral_texts_are_as_long_in_tokens() -> None:
    def characters(texts: Sequence[str]) -> list[int]:
        return [len(text) for text in texts]

    for text in ("Wait", "Answer in at most five words.", "x " * 400):
        assert abs(len(neutral_like(text, characters)) - len(text)) < 2
    assert neutral_like("a", lambda texts: [0 if text == "a" else 3 for text in texts]) == "."


# ---- a real model --------------------------------------------------------------------------------------------------


def test_a_local_model_runs_both_experiments(policy: Path, smoke_data: Path, tmp_path: Path) -> None:
    asked = ["instructions", "--model", str(policy), "--data", str(smoke_data), "--cap", "24", "--limit", "6"]
    for command, extra in (("wait", ["--counts", "0,1"]), ("repeat", ["--positions", "open,after"])):
        out = tmp_path / command
        line = [command, *asked, "--out", str(out), *extra]
        done = CliRunner().invoke(experiment_app, line, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        found = json.loads((out / "experiment.json").read_text(encoding="utf-8"))
        assert found["settings"]["generator"]["backend"] == "transformers"
        assert {row["n"] for row in found["rows"]} == {6}
        drawn = list(read_rollouts(out / "rollouts.jsonl", EvaluatedRollout))
        assert len(drawn) == 6 * len(found["rows"])
        assert all(rollout.completion_tokens <= 24 for rollout in drawn if rollout.completion_tokens is not None)
        before = {path: path.read_bytes() for path in out.rglob("*.*")}
        CliRunner().invoke(experiment_app, line, catch_exceptions=False)
        assert {path: path.read_bytes() for path in out.rglob("*.*")} == before
    assert read_data(smoke_data, "test")
