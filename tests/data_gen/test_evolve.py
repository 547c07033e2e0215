"""Evolution against a real HTTP server whose model is an editor by rule."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any

import pytest

from data_gen.evolve import EvolveConfig, Tally, parse_evolve, run_evolution
from data_gen.evolve.demands import demands_of
from data_gen.served import ServedModel
from rewards import Instruction, Response, Status
from rewards.constraint import known_constraints, parse_constraint
from rewards.instruction import Demonstration, Provenance, SubInstruction
from rewards.judged import Judged
from rewards.task_answer import MathAnswer
from rewards.tree import And, Branch, Chain, Leaf, Selection
from tests.judge_server import Answer, ChatServer, chat

SOURCE = Provenance(seed_set="test", seed_id="1", generator="data_gen 0.1.0")
PARITY = {"by": "answer", "relation": "even"}
Spoil = Callable[[str], str]


def leaf(kind: str, **arguments: Any) -> Leaf:
    return Leaf(constraint={"type": kind, **arguments})


def english(**changes: Any) -> Instruction:
    """Return a task with a prohibition, a chain, a branch and a soft demand."""
    tree = And(
        parts=(
            leaf("punctuation:no_comma"),
            Chain(steps=(leaf("length:max_words", limit=60), leaf("keywords:existence", keywords=["meadow"]))),
            Selection(
                branches=(Branch(when=PARITY, then=leaf("affix:end_phrase", phrase="That settles it.")),),
                otherwise=leaf("layout:bullets", count=3),
            ),
            leaf("judge:question", question="Is it polite?", demand="Be polite."),
        )
    )
    request = "Tom has 12 apples and buys 30 more. How many apples does he have?"
    fields: dict[str, Any] = {
        "request": request,
        "prompt": f"{request} Put the final answer in \\boxed{{}}. Do not use commas. First, use at most 60 words.",
        "language": "en",
        "split": "train",
        "tree": tree,
        "answer": MathAnswer(value="42"),
        "source": SOURCE,
        "witness": "In the meadow he counts \\boxed{42} apples. That settles it.",
        "expert": Demonstration(thinking="12 + 30", answer="In the meadow: \\boxed{42}. That settles it."),
    }
    return Instruction.build(**{**fields, **changes})


def chinese() -> Instruction:
    tree = And(parts=(leaf("length:max_sentences", limit=3), leaf("keywords:forbidden", keywords=["市场"])))
    return Instruction.build(
        request="介绍一下春天的公园。",
        prompt="介绍一下春天的公园。最多写3句话。请避免使用“市场”。",
        language="zh",
        split="train",
        tree=tree,
        sub_instructions=(
            SubInstruction(path="and.0", text="最多写3句话。"),
            SubInstruction(path="and.1", text="请避免使用“市场”。", needs=("and.0",)),
        ),
        source=SOURCE,
        witness="公园里开满了花。孩子们在草地上玩。",
    )


# --- the editor -------------------------------------------------------------------------------------------------------


class Editor:
    """Rewrite and merge by rule; `rewriting` and `merging` spoil each text that is written."""

    def __init__(self, rewriting: Spoil = str, merging: Spoil = str) -> None:
        self.rewriting, self.merging = rewriting, merging
        self.steps: list[str] = []

    def __call__(self, number: int, body: Mapping[str, Any]) -> Answer:
        texts = [message["content"] for message in body["messages"] if message["role"] == "user"]
        usage = {"usage": {"prompt_tokens": 100, "completion_tokens": 20}}
        return Answer({**chat(self.reply(texts[0], len(texts) > 1)), **usage})

    def reply(self, text: str, again: bool) -> str:
        if "YES or NO" in text or "是 或 否" in text:
            self.steps.append("check")
            return self.check(text)
        payload = json.loads(text[text.rindex("\n\n{") :])
        step = "merge" if '{"prompt"' in text else "rewrite"
        self.steps.append(f"{step} again" if again else step)
        return self.merge(payload) if step == "merge" else self.rewrite(payload, text)

    def check(self, text: str) -> str:
        return "YES" if text.isascii() else "是"

    def rewrite(self, payload: Mapping[str, Any], text: str) -> str:
        zh = _is_chinese(payload["task"])
        rows = [
            {
                "id": row["id"],
                "text": self.rewriting(f"对于这个任务，{row['text']}" if zh else f"For this task: {row['text']}"),
                "question": ("回答做到这一点了吗？" if zh else "Does the answer do this?")
                if row["kind"] == "soft"
                else "",
            }
            for row in payload["demands"]
        ]
        kinds = re.findall(r'"(\w+)": [a-z ]+ \(' if not zh else r'"(\w+)": [^"；]+（', text)
        return json.dumps({"demands": rows, "added": [self.add(kind, zh) for kind in kinds]}, ensure_ascii=False)

    def add(self, kind: str, zh: bool) -> dict[str, str]:
        if zh:
            return {
                "kind": kind,
                "text": f"请照顾到{kind}方面，像老朋友聊天一样。",
                "question": f"回答照顾到{kind}了吗？",
            }
        return {"kind": kind, "text": f"Mind the {kind} as an old friend would.", "question": f"Is the {kind} right?"}

    def merge(self, payload: Mapping[str, Any]) -> str:
        zh = _is_chinese(payload["task"])
        parts = [payload["task"], *payload.get("keep", [])]
        for row in payload["demands"]:
            said = str(row["text"])
            for condition in row.get("only_if", []):
                said = f"如果{condition}，{said}" if zh else f"If {condition}: {said}"
            parts.append(f"然后，{said}" if zh and "after" in row else f"Then {said}" if "after" in row else said)
        prompt = self.merging(("" if zh else " ").join(parts))
        return f"<think>Hm {{}}.</think>Here it is:\n```json\n{json.dumps({'prompt': prompt}, ensure_ascii=False)}\n```"


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


def config(server: ChatServer | None = None, **settings: Any) -> EvolveConfig:
    url = server.url if server else "http://127.0.0.1:9/v1"
    served = {"base_url": url, "model": "editor", "backoff": 0.01, **settings.pop("served", {})}
    return parse_evolve({"server": served, "soft": [0, 0], **settings})


def evolve(
    editor: Callable[[int, Mapping[str, Any]], Answer],
    instructions: Iterable[Instruction],
    tally: Tally | None = None,
    **settings: Any,
) -> list[tuple[Instruction | None, str]]:
    with ChatServer(editor) as server:
        chosen = config(server, **settings)
        return list(run_evolution(instructions, chosen, ServedModel(chosen.server), tally))


# --- what an evolved instruction is -----------------------------------------------------------------------------------


def test_an_evolved_instruction_keeps_its_rules_and_gains_soft_demands() -> None:
    before = english()
    tally = Tally()
    [(after, reason)] = evolve(Editor(), [before], tally, soft=[2, 2])
    assert reason == ""
    assert after is not None
    assert after.id != before.id
    assert isinstance(after.prompt, str)
    assert before.request in after.prompt
    assert "\\boxed" in after.prompt
    assert "If the final answer is an even number" in after.prompt
    assert [c for c in after.constraints if not isinstance(c, Judged)] == [
        c for c in before.constraints if not isinstance(c, Judged)
    ]
    soft = [constraint for constraint in after.constraints if isinstance(constraint, Judged)]
    assert next(constraint.question for constraint in soft) == "Does the answer do this?"
    assert len(soft) == 3
    assert all(constraint.demand in after.prompt for constraint in soft)
    assert isinstance(after.tree, And)
    assert [place.path for place in after.tree.places][-2:] == ["and.4", "and.5"]
    assert [each.path for each in after.sub_instructions] == [place.path for place in after.tree.places]
    assert [each.question for each in after.sub_instructions][-3:] == [constraint.question for constraint in soft]
    assert after.source.generator == "data_gen 0.1.0; evolved by editor: rewrite, add 2, merge"
    assert (after.answer, after.split, after.witness, after.expert) == (before.answer, "train", before.witness, None)
    assert after.witness is not None
    verdicts = after.evaluate(Response(None, after.witness)).leaves
    assert [each.verdict.status for each in verdicts][:5] == [Status.SATISFIED] * 4 + [Status.SKIPPED]
    assert (tally.replies, tally.completion_tokens, tally.unanswered) == (2, 40, 0)


def test_chinese_is_evolved_in_chinese() -> None:
    before = chinese()
    [(after, reason)] = evolve(Editor(), [before], soft=[1, 1], task="verbatim")
    assert reason == ""
    assert after is not None
    assert after.prompt_text.startswith("介绍一下春天的公园。对于这个任务，最多写3句话。")
    assert after.sub_instructions[1].needs == ("and.0",)
    assert len(after.sub_instructions) == 3


def test_paths_and_needs_follow_when_a_tree_gets_a_new_root() -> None:
    chain = Chain(steps=(leaf("length:max_words", limit=60), leaf("punctuation:no_comma")))
    words = (
        SubInstruction(path="chain.0", text="Use at most 60 words."),
        SubInstruction(path="chain.1", text="Do not use commas.", needs=("chain.0",)),
    )
    before = english(tree=chain, sub_instructions=words)
    [(plain, _)] = evolve(Editor(), [before])
    [(added, _)] = evolve(Editor(), [before], soft=[1, 1])
    assert plain is not None
    assert added is not None
    assert (plain.tree, plain.expert) == (before.tree, before.expert)
    assert [each.path for each in plain.sub_instructions] == ["chain.0", "chain.1"]
    assert [each.path for each in added.sub_instructions] == ["and.0/chain.0", "and.0/chain.1", "and.1"]
    assert added.sub_instructions[1].needs == ("and.0/chain.0",)


def test_a_later_branch_counts_only_where_no_earlier_one_does() -> None:
    above = {"by": "answer", "relation": "above", "value": "10"}
    first, second = (leaf("layout:bullets", count=count) for count in (3, 5))
    branches = (Branch(when=PARITY, then=first), Branch(when=above, then=second))
    tree = Selection(branches=branches, otherwise=leaf("punctuation:no_comma"))
    asked = [demand.only_if for demand in demands_of(english(tree=tree))]
    even, greater = "the final answer is an even number", "the final answer is greater than 10"
    assert asked == [
        (even,),
        (f"{greater}, and it is not the case that {even}",),
        (f"it is not the case that {even} or that {greater}",),
    ]


def test_soft_demands_are_drawn_by_seed_and_instruction() -> None:
    tasks = [english(request=f"Name {n} rivers and {n + 1} lakes.") for n in range(2, 12)]
    tasks = [task.model_copy(update={"answer": None}) for task in tasks]
    first = evolve(Editor(), tasks, soft=[0, 3])
    assert first == evolve(Editor(), tasks, soft=[0, 3], batch=3)
    added = [len(after.sub_instructions) - 6 for after, _ in first if after is not None]
    assert len(added) == 10
    assert len(set(added)) > 1
    assert first != evolve(Editor(), tasks, soft=[0, 3], seed=1)


def test_without_rewriting_only_the_merging_is_asked() -> None:
    editor = Editor()
    [(after, reason)] = evolve(editor, [english()], rewrite=False)
    assert (reason, editor.steps) == ("", ["merge"])
    assert after is not None
    assert after.expert is not None
    assert after.source.generator.endswith("evolved by editor: merge")


# --- every constraint type --------------------------------------------------------------------------------------------


def every_type(language: str) -> list[Instruction]:
    request = {"en": "Describe a quiet harbour at dawn.", "zh": "描写一下清晨安静的港口。"}[language]
    tasks = []
    for name, cls in known_constraints().items():
        arguments = cls.draw(Random(name), language)
        constraint = parse_constraint({"type": name, **arguments})
        text = constraint.describe(language, len(name))
        tasks.append(
            Instruction.build(
                request=request,
                prompt=f"{request} {text}",
                language=language,
                split="train",
                tree=And(parts=(Leaf(constraint=constraint),)),
                sub_instructions=(SubInstruction(path="and.0", text=text),),
                source=SOURCE,
            )
        )
    return tasks


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_type_of_rule_survives_an_honest_editor(language: str) -> None:
    tally = Tally()
    tasks = every_type(language)
    results = evolve(Editor(), tasks, tally, on_failure="drop", batch=500)
    failed = [(task.prompt, reason) for task, (_, reason) in zip(tasks, results, strict=True) if reason]
    assert failed == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_demand_that_is_left_out_is_noticed_for_every_type_of_rule(language: str) -> None:
    class Forgetful(Editor):
        def merge(self, payload: Mapping[str, Any]) -> str:
            return super().merge({"task": payload["task"], "demands": []})

    tasks = every_type(language)
    results = evolve(Forgetful(), tasks, on_failure="drop", rewrite=False, re_asks=0, batch=500)
    assert [task.prompt for task, (after, _) in zip(tasks, results, strict=True) if after is not None] == []
