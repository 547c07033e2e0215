"""The SUSTAIN runner: which prompts are drawn, what is kept, killed and resumed runs, and judging again from files."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from raif.chat import ThinkFormat
from raif.generation import Arrived, Completion, Request, Sampling
from raif.sustain import runner
from raif.sustain.records import CONSTRAINED, FIRST, PLACEBO, RETEST, SustainItem, SustainRollout, Task
from raif.sustain.replies import PROMPTS, Replies
from raif.sustain.runner import load_sustain, recompute, sustain
from raif.sustain.settings import SustainSettings, parse_settings
from rewards.constraint import Context, Status, checked
from rewards.errors import RaifError
from rewards.response import Response
from rewards.task_answer import CodeAnswer, MathAnswer, QaAnswer

GREEDY = Sampling(cap=200, temperature=0.0)
FILES = ("items.jsonl", "rollouts.jsonl", "metrics.json", "settings.json")
OPENINGS = ("Let us see.", "First, think.", "Well then!", "This is easy.", "We add the numbers; that is all.")
NOUNS = ("apples", "pebbles", "lanterns", "ribbons", "marbles", "kettles", "feathers", "buttons")
Speak = Callable[[Request, str, random.Random], str]


def math_tasks(count: int) -> list[Task]:
    return [
        Task(
            id=f"sums/{n}",
            domain="math",
            request=f"Anna has {n} {NOUNS[n % 8]} and gets 7 more. How many does she have?",
            answer=MathAnswer(value=str(n + 7)),
            source="sums",
            labels={"size": "small" if n < 20 else "large"},
        )
        for n in range(count)
    ]


def qa_tasks(count: int) -> list[Task]:
    return [
        Task(
            id=f"capitals/{n}",
            domain="qa",
            request=f"The capital of Land {n} is Town {n}. What is the capital of Land {n}?",
            answer=QaAnswer(values=(f"Town {n}",)),
            source="capitals",
        )
        for n in range(count)
    ]


def code_tasks(count: int) -> list[Task]:
    return [
        Task(
            id=f"adders/{n}",
            domain="code",
            request=f"Complete the function.\n\ndef add_{n}(x):\n    '''Add {n} to x.'''\n",
            answer=CodeAnswer(
                tests=f"def check(candidate):\n    assert candidate(1) == {1 + n}\n",
                entry_point=f"add_{n}",
                prelude=f"def add_{n}(x):\n    '''Add {n} to x.'''\n",
            ),
            source="adders",
        )
        for n in range(count)
    ]


def solution(task: Task, rng: random.Random) -> str:
    """Return one of many right answers to a task."""
    if task.domain == "code":
        number = task.id.partition("/")[2]
        body = rng.choice([f"    total = x + {number}\n    return total", f"    return sum([x, {number}])"])
        return f"```python\ndef add_{number}(x):\n{body}\n```"
    opening = " ".join(rng.sample(OPENINGS, rng.randint(1, 3)))
    noun = NOUNS[rng.randrange(8)]
    if task.domain == "qa":
        return f"{opening} The map with {noun} says it.\nAnswer: {task.gold}"
    return f"{opening} Anna counts her {noun} twice.\nSo the answer is \\boxed{{{task.gold}}}."


def first_answer(task: Task) -> str:
    return solution(task, random.Random(task.id))


class Speaker:
    """A generator whose answer is a function of the request; it breaks down after `fails_after` completions."""

    think = ThinkFormat("think", True)

    def __init__(self, tasks: Sequence[Task], speak: Speak, fails_after: int | None = None) -> None:
        self.tasks = {task.id: task for task in tasks}
        self.speak, self.left, self.drawn = speak, fails_after, 0

    def identity(self) -> dict[str, Any]:
        return {"backend": "scripted", "model": "test"}

    def lengths(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def generate(self, requests: Sequence[Request], sampling: Sampling, arrived: Arrived) -> None:
        for number, request in enumerate(requests):
            if self.left == self.drawn:
                raise KeyboardInterrupt
            self.drawn += 1
            task = self.tasks[request.key.partition("|")[0]]
            text = self.speak(request, request.messages[-1]["content"], random.Random(f"{request.key}"))
            text = text or first_answer(task)
            tokens = len(text.split())
            arrived(number, Completion(f"hm</think>{text}", min(tokens, sampling.cap), tokens < sampling.cap))

    def close(self) -> None:
        """Hold nothing."""


def same(request: Request, prompt: str, rng: random.Random) -> str:
    """Say the first answer again, whatever is asked."""
    return ""


def distracted(request: Request, prompt: str, rng: random.Random) -> str:
    """Give the answer up wherever a constraint is."""
    return "I obey." if f"|{CONSTRAINED}|" in request.key else ""


def run(tasks: Sequence[Task], out: Path, speak: Speak = same, **options: Any) -> dict[str, Any]:
    settings = options.pop("settings", SustainSettings())
    return sustain(tasks, Speaker(tasks, speak), options.pop("sampling", GREEDY), out, settings, **options)


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def test_a_model_that_repeats_its_output_loses_nothing_in_three_domains(tmp_path: Path) -> None:
    tasks = [*math_tasks(30), *qa_tasks(30), *code_tasks(24)]
    metrics = run(tasks, tmp_path, settings=SustainSettings(doses=(1,)))
    assert set(metrics["domains"]) == {"math", "qa", "code"}
    for record in metrics["domains"].values():
        assert record["sustain"]["value"] == record["retest"]["value"] == record["placebo"]["value"] == 1
        assert record["comply"]["value"] == record["comply_unasked"]["value"] == 1
        assert record["net"]["estimate"]["value"] == record["delta_acc"]["value"] == 0
        assert record["coverage"] == 1
    assert metrics["unsound"] == []
    groups = metrics["domains"]["math"]["groups"]
    assert max(groups.values()) - min(groups.values()) <= 1


def test_a_model_that_gives_up_under_constraints_loses_everything(tmp_path: Path) -> None:
    record = run(math_tasks(40), tmp_path, distracted)["domains"]["math"]
    assert record["sustain"]["value"] == 0
    assert 0 < record["sustain"]["high"] < 0.15
    assert record["placebo"]["value"] == record["retest"]["value"] == 1
    assert record["net"]["estimate"]["value"] == 1
    assert record["delta_acc"]["value"] == -1
    assert sum(found["n"] for found in record["failures"].values()) == 40


def test_every_prompt_is_drawn_once_and_every_constraint_holds_of_its_witness(tmp_path: Path) -> None:
    tasks = math_tasks(24)
    settings = SustainSettings(doses=(1, 2, 5), constraints=2, placement="prefix")
    run(tasks, tmp_path, settings=settings, samples=2)
    _, items, rollouts = load_sustain(tmp_path)
    for item in items:
        context, witness = Context(item.task.request, "en"), Response(None, item.witness)
        assert all(checked(each.constraint, witness, context).status is Status.SATISFIED for each in item.demands)
    counted = Counter((r.arm, r.dose, r.place) for r in rollouts)
    assert counted[FIRST, 0, 0] == 24
    assert counted[RETEST, 0, 0] == counted[CONSTRAINED, 1, 0] == counted[CONSTRAINED, 1, 1] == 48
    assert counted[PLACEBO, 1, 0] == counted[CONSTRAINED, 5, 0] == counted[PLACEBO, 5, 0] == 48
    by_id = {item.id: item for item in items}
    for rollout in rollouts:
        item = by_id[rollout.instruction_id]
        texts = [demand.text for demand in item.demands]
        assert rollout.prompt.endswith(item.task.request)  # the placement is in front
        if rollout.arm == CONSTRAINED:
            asked = texts[rollout.place : rollout.place + 1] if rollout.dose == 1 else texts[: rollout.dose]
            assert rollout.prompt == f"{' '.join(asked)}\n\n{item.task.request}"
            assert len(rollout.verdicts) == rollout.dose
        else:
            assert not any(text in rollout.prompt for text in texts)


def test_only_solved_items_are_in_dplus(tmp_path: Path) -> None:
    def speak(request: Request, prompt: str, rng: random.Random) -> str:
        number = int(request.key.partition("|")[0].partition("/")[2])
        texts = {0: "The answer is \\boxed{1000}.", 1: "   ", 2: "word " * 300 + "\\boxed{9}"}
        return texts.get(number, "")

    run(math_tasks(23), tmp_path, speak)
    _, items, rollouts = load_sustain(tmp_path)
    assert [item.left_out for item in items[:4]] == ["unsolved", "unsolved", "truncated", ""]
    cut = items[2]
    assert cut.score == 0
    assert not {demand.group for demand in cut.demands} & {"length", "structure"}
    arms = {n: {(r.arm, r.dose) for r in rollouts if r.instruction_id == items[n].id} for n in range(4)}
    assert arms[0] == arms[2] == {(FIRST, 0), (RETEST, 0), (CONSTRAINED, 1), (PLACEBO, 1)}
    assert arms[1] == {(FIRST, 0), (RETEST, 0)}
    assert (CONSTRAINED, 8) in arms[3]


def test_an_interrupted_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    tasks = math_tasks(22)
    run(tasks, tmp_path / "whole", distracted)
    for stop in (5, 60, 100):
        broken = Speaker(tasks, distracted, fails_after=stop)
        with pytest.raises(KeyboardInterrupt):
            sustain(tasks, broken, GREEDY, tmp_path / "broken", SustainSettings())
    going_on = Speaker(tasks, distracted)
    sustain(tasks, going_on, GREEDY, tmp_path / "broken", SustainSettings())
    assert contents(tmp_path / "broken") == contents(tmp_path / "whole")
    whole = load_sustain(tmp_path / "whole")[2]
    assert going_on.drawn == len(whole) - 165
    assert sustain(tasks, Speaker(tasks, same), GREEDY, tmp_path / "whole", SustainSettings())["n"] == 22
    with pytest.raises(RaifError, match="placement"):
        run(tasks, tmp_path / "whole", settings=SustainSettings(placement="prefix"))


def test_files_alone_give_the_score_again(tmp_path: Path) -> None:
    run([*math_tasks(22), *qa_tasks(22)], tmp_path, distracted, settings=SustainSettings(doses=(1, 3)))
    before = contents(tmp_path)
    metrics, changes = recompute(tmp_path)
    assert changes == []
    assert contents(tmp_path) == before
    path = tmp_path / "rollouts.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    edited = next(row for row in rows if row["arm"] == CONSTRAINED and row["dose"] == 1)
    edited["completion"] = "hm</think>The answer is \\boxed{7}."
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    again, changes = recompute(tmp_path)
    assert "1 rollouts are judged otherwise" in changes[0]
    assert again["domains"]["math"]["sustain"]["value"] > metrics["domains"]["math"]["sustain"]["value"]


def test_prompts_go_out_and_answers_come_back_in_two_passes(tmp_path: Path) -> None:
    tasks, answers, out = math_tasks(21), tmp_path / "answers.jsonl", tmp_path / "out"
    by_id = {task.id: task for task in tasks}
    settings = SustainSettings(doses=(1,))
    for number in (21, 63):
        with pytest.raises(RaifError, match=f"{number} of {number} prompts of this pass have no answer"):
            sustain(tasks, Replies(answers, out), GREEDY, out, settings)
        with answers.open("a", encoding="utf-8") as file:
            for line in (out / PROMPTS).read_text(encoding="utf-8").splitlines():
                key = json.loads(line)["id"]
                text = f"<think>hm</think>{first_answer(by_id[key.partition('|')[0]])}"
                file.write(json.dumps({"id": key, "response": text}) + "\n")
    metrics = sustain(tasks, Replies(answers, out), GREEDY, out, settings)
    assert metrics["domains"]["math"]["sustain"]["value"] == 1
    rollouts = load_sustain(out)[2]
    assert {rollout.completion_tokens for rollout in rollouts} == {None}
    assert metrics["domains"]["math"]["tokens"][FIRST] is None
    assert recompute(out)[1] == []


def test_scorers_that_fail_on_many_items_fail_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks, scored = math_tasks(30), runner.judge

    def judge(*arguments: Any) -> Any:
        found = scored(*arguments)
        return [found[0]._replace(failed="the scorer broke"), *found[1:]]

    monkeypatch.setattr(runner, "judge", judge)
    with pytest.raises(RaifError, match=r"failed on 1 of 30 items.*sums/0: the scorer broke"):
        run(tasks, tmp_path)
    monkeypatch.undo()
    idle = Speaker(tasks, same)
    assert sustain(tasks, idle, GREEDY, tmp_path, SustainSettings())["n"] == 30
    assert 0 < idle.drawn < len(load_sustain(tmp_path)[2])  # what was drawn for the others is kept


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"placement": "middle"}, "placement 'middle'"),
        ({"doses": "1,two"}, "doses '1,two'"),
        ({"doses": "0"}, "doses are from 1 to 16"),
        ({"constraints": 0}, "constraints 0"),
        ({"tau": 1.5}, "tau 1.5"),
        ({"dose": 1}, "did you mean"),
    ],
)
def test_wrong_settings_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(RaifError, match=message):
        parse_settings(options)


def test_items_and_rollouts_survive_their_files(tmp_path: Path) -> None:
    run(qa_tasks(20), tmp_path)
    _, items, rollouts = load_sustain(tmp_path)
    assert all(isinstance(item, SustainItem) for item in items)
    assert all(isinstance(rollout, SustainRollout) for rollout in rollouts)
    first = next(rollout for rollout in rollouts if rollout.arm == FIRST)
    assert first.response.answer == items[0].witness
    (tmp_path / "items.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(RaifError, match="is damaged"):
        load_sustain(tmp_path)
