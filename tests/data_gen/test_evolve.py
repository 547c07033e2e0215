"""Evolution against a real HTTP server whose model is an editor by rule: diligent, or careless in one way."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from data_gen.evolve import EvolveConfig, Tally, evolve_folder, parse_evolve, run_evolution
from data_gen.evolve.demands import demands_of
from data_gen.served import ServedModel
from rewards import Instruction, RaifError, Response, Status, read_instructions
from rewards.constraint import Constraint, known_constraints, parse_constraint
from rewards.instruction import Demonstration, Provenance, SubInstruction
from rewards.judged import Judged
from rewards.task_answer import MathAnswer
from rewards.tree import And, Branch, Chain, Leaf, Selection
from tests.judge_server import Answer, ChatServer, chat

ROOT = Path(__file__).resolve().parents[2]
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


# --- careless editors -------------------------------------------------------------------------------------------------

BEFORE = english()
MERGE_FAULTS: dict[str, tuple[Spoil, str]] = {
    "number": (lambda text: text.replace("60", "some"), "lost a number"),
    "another number": (lambda text: text.replace("60 words", "60 words, in 5 lines"), "added a number"),
    "bound": (lambda text: text.replace("at most", "at least"), "changed a bound"),
    "keyword": (lambda text: text.replace("meadow", "field"), "lost a quoted text"),
    "phrase": (lambda text: text.replace("That settles it", "That is settled"), "lost a quoted text"),
    "prohibition": (lambda text: text.replace("Do not use", "Use").replace("ithout", "ith"), "lost a prohibition"),
    "whole demand": (lambda text: re.sub(r"For this task: [^:]*comma[^:]*?\.", "", text), "lost its subject"),
    "task number": (lambda text: text.replace("12 apples", "13 apples"), "changed the task"),
    "question": (lambda text: text.replace("How many apples does he have?", ""), "changed the task"),
    "answer format": (lambda text: text.replace("\\boxed{}", "a box"), "lost the answer format"),
    "condition": (lambda text: re.sub(r"If [^:]*: ", "", text), "lost a condition"),
    "order": (lambda text: text.replace("Then ", ""), "lost the order"),
    "soft demand": (lambda text: text.replace("Be polite.", ""), "lost a soft demand"),
    "talk": (lambda text: f"Here is the merged prompt: {text}", "talk about the work"),
    "json": (lambda text: f'{text} "only_if": ["x"]', "talk about the work"),
    "quotation": (lambda text: f'{text} Mention "violets".', "added a quoted text"),
    "length": (lambda text: text + " Please take your time." * 200, "too long"),
    "language": (
        lambda text: f"{'请认真回答下面的问题，不要着急，慢慢来，写清楚每一步。' * 3}{text}",
        "another language",
    ),
}


@pytest.mark.parametrize("fault", MERGE_FAULTS)
def test_a_merged_prompt_that_lost_something_is_asked_for_again_and_refused(fault: str) -> None:
    spoil, reason = MERGE_FAULTS[fault]
    good = Editor().merging
    editor, tally = Editor(merging=spoil), Tally()
    assert good("x") == "x"
    assert evolve(editor, [BEFORE], tally) == [(BEFORE, f"merge: {reason}")]
    assert editor.steps == ["rewrite", "merge", "merge again"]
    assert tally.asked_again == {f"merge: {reason}": 1}
    assert evolve(Editor(merging=spoil), [BEFORE], on_failure="drop", re_asks=0) == [(None, f"merge: {reason}")]


def test_the_second_try_may_succeed() -> None:
    class Repentant(Editor):
        def merge(self, payload: Mapping[str, Any]) -> str:
            first = self.steps[-1] == "merge"
            return super().merge(payload).replace("60", "some") if first else super().merge(payload)

    tally = Tally()
    [(after, reason)] = evolve(Repentant(), [BEFORE], tally)
    assert (reason, tally.asked_again) == ("", {"merge: lost a number": 1})
    assert after is not None
    assert after.prompt_text.count("60") == 1


REWRITE_FAULTS: dict[str, tuple[Spoil, str]] = {
    "number": (lambda text: text.replace("60", "few"), "lost a number"),
    "bound": (lambda text: re.sub("at most|within", "at least", text), "changed a bound"),
    "prohibition": (lambda text: text.replace("Do not use", "Use"), "lost a prohibition"),
    "new prohibition": (lambda text: text.replace(": Include", ": Do not use"), "became a prohibition"),
    "keyword": (lambda text: text.replace("meadow", "field"), "lost a quoted text"),
    "turned": (
        lambda text: text.replace("End", "Start").replace("end", "start").replace("last", "first"),
        "turned round",
    ),
    "essay": (lambda text: text + " And so on." * 60, "too long"),
    "language": (lambda text: f"请注意下面这一条要求：{text}" if "comma" in text else text, "another language"),
}


@pytest.mark.parametrize("fault", REWRITE_FAULTS)
def test_a_reworded_demand_that_lost_something_keeps_its_wording(fault: str) -> None:
    spoil, reason = REWRITE_FAULTS[fault]
    tally = Tally()
    [(after, said)] = evolve(Editor(rewriting=spoil), [BEFORE], tally)
    assert said == ""
    assert after is not None
    assert reason in tally.kept_wordings
    assert "at most 60 words" in after.prompt_text
    assert "at least 60" not in after.prompt_text
    [(dropped, said)] = evolve(Editor(rewriting=spoil), [BEFORE], on_failure="drop")
    assert dropped is None
    assert said.startswith("rewrite: ")


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("I would rather not.", "no JSON object"),
        ('{"demands": [', "no JSON object"),
        ('{"demands": [{"id": "1", "text": "x"}]}', "JSON of another form"),
        ('{"demands": [{"id": 1, "text": "Use no commas."}]}', "another number of demands"),
        ('{"demands": [{"id": 1, "text": " "}]}', "JSON of another form"),
        ("[1, 2]", "no JSON object"),
        ("{" * 3000, "no JSON object"),
    ],
)
def test_replies_that_are_not_what_was_asked_for(reply: str, reason: str) -> None:
    asked = 0

    def script(number: int, body: Mapping[str, Any]) -> Answer:
        nonlocal asked
        asked += 1
        return Answer(chat(reply))

    tally = Tally()
    assert evolve(script, [BEFORE], tally) == [(BEFORE, f"rewrite: {reason}")]
    assert asked == 2
    assert evolve(script, [BEFORE], on_failure="drop", re_asks=0) == [(None, f"rewrite: {reason}")]


@pytest.mark.parametrize(
    ("added", "reason"),
    [
        ({"kind": "weather", "text": "Be sunny.", "question": "Is it sunny?"}, "added demand of another kind"),
        ({"kind": "tone", "text": "Be warm in 40 words.", "question": "Is it warm?"}, "added demand is no soft one"),
        ({"kind": "tone", "text": 'Say "dear".', "question": "Is it dear?"}, "added demand is no soft one"),
        ({"kind": "tone", "text": "Be warm.", "question": "Make it warm."}, "no scoring question"),
        ({"kind": "tone", "text": "Be polite.", "question": "Is it polite?"}, "added demand is not new"),
        ({"kind": "tone", "text": "语气要亲切。", "question": "语气亲切吗？"}, "another language"),
        (None, "added demand is missing"),
    ],
)
def test_soft_demands_that_are_none_are_left_out_and_counted(added: dict[str, str] | None, reason: str) -> None:
    class Careless(Editor):
        def rewrite(self, payload: Mapping[str, Any], text: str) -> str:
            reply = json.loads(super().rewrite(payload, text))
            for row, said in zip(reply["demands"], payload["demands"], strict=True):
                row["text"] = said["text"]
            return json.dumps({**reply, "added": [added] if added else []}, ensure_ascii=False)

    tally = Tally()
    [(after, said)] = evolve(Careless(), [BEFORE], tally, soft=[1, 1], soft_kinds=["tone"])
    assert said == ""
    assert after is not None
    assert tally.unadded == {reason: 1}
    assert len(after.constraints) == len(BEFORE.constraints)


def test_the_model_may_be_asked_whether_each_demand_is_there() -> None:
    class Strict(Editor):
        def check(self, text: str) -> str:
            return "NO" if "meadow" in text.rpartition("Demand:")[2] else "hm" if "polite" in text[-80:] else "Yes."

    tally = Tally()
    assert evolve(Editor(), [BEFORE], tally, check_by_model=True)[0][1] == ""
    assert tally.checks == {"yes": 6}
    tally = Tally()
    [(after, reason)] = evolve(Strict(), [BEFORE], tally, check_by_model=True, on_failure="drop")
    assert (after, reason) == (None, "check: the model misses a demand")
    assert tally.checks == {"yes": 4, "no": 1, "unread": 1}


def test_a_parser_that_reads_another_demand_refuses_the_prompt() -> None:
    def recover(prompt: str, language: str) -> list[Constraint]:
        limits = re.findall(r"at most (\d+) words", prompt)
        return [parse_constraint({"type": "length:max_words", "limit": int(limit)}) for limit in limits]

    task = english(request="Write at most 80 words about Tom.", answer=None)
    with ChatServer(Editor()) as server:
        chosen = config(server)
        for instruction, reason in ((BEFORE, ""), (task, "merge: read as another demand")):
            [(_, said)] = run_evolution([instruction], chosen, ServedModel(chosen.server), recover=recover)
            assert said == reason


def test_what_cannot_be_evolved_is_said(tmp_path: Path) -> None:
    nothing = english(tree=Selection(branches=(Branch(when={"by": "request", "holds": True}, then=BEFORE.tree),)))
    french = english(language="fr")
    results = evolve(Editor(), [french, nothing, BEFORE], on_failure="drop")
    assert [reason for _, reason in results] == ["language fr", "a condition has no words", ""]


def test_busy_servers_and_spent_budgets() -> None:
    tasks = [english(request=f"Name {n} rivers.", answer=None) for n in range(2, 8)]
    editor = Editor()

    def busy(number: int, body: Mapping[str, Any]) -> Answer:
        if "Name 4 rivers" in str(body):
            return Answer({}, 500)
        return Answer({}, 429) if number % 3 == 0 else editor(number, body)

    results = evolve(busy, tasks, served={"retries": 3, "concurrency": 1})
    assert [reason for _, reason in results] == ["", "", "rewrite: HTTP 500", "", "", ""]
    tally = Tally()
    results = evolve(Editor(), tasks, tally, served={"budget_requests": 7}, batch=2)
    assert [reason for _, reason in results] == ["", "", "", "merge: budget", "rewrite: budget", "rewrite: budget"]
    assert tally.unanswered == 3
    assert [after for after, _ in results][3:] == tasks[3:]


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


# --- folders ----------------------------------------------------------------------------------------------------------


def write(out: Path, count: int) -> None:
    folder = out / "data"
    folder.mkdir(parents=True)
    for shard in range(2):
        tasks = [english(request=f"Name {n} rivers.", answer=None) for n in range(2 + shard, 2 + count, 2)]
        lines = "".join(task.model_dump_json() + "\n" for task in tasks)
        (folder / f"train-{shard:05d}-of-00002.jsonl").write_text(lines, encoding="utf-8")


def test_a_folder_is_evolved_into_another(tmp_path: Path) -> None:
    write(tmp_path / "in", 10)
    done: list[int] = []

    def script(number: int, body: Mapping[str, Any]) -> Answer:
        return Answer(chat("no")) if "Name 5 rivers" in str(body) else Editor()(number, body)

    with ChatServer(script) as server:
        chosen = config(server, soft=[1, 1], batch=4)
        record = evolve_folder(tmp_path / "in", chosen, tmp_path / "out", progress=done.append)
        sent = len(server.bodies)
        assert evolve_folder(tmp_path / "in", chosen, tmp_path / "out") == record
        assert len(server.bodies) == sent
    assert done == list(range(1, 11))
    assert record["counts"] == {"evolved": 9, "kept_template": 1, "dropped": 0}
    assert record["failed"] == {"rewrite: no JSON object": 1}
    assert (record["model"], record["replies"], record["completion_tokens"]) == ("editor", 20, 360)
    assert record == json.loads((tmp_path / "out" / "evolution.json").read_text())
    evolved = read_instructions(tmp_path / "out" / "evolved.jsonl")
    assert [task.request for task in evolved] == [f"Name {n} rivers." for n in (2, 4, 6, 8, 10, 3, 5, 7, 9, 11)]
    assert sum("evolved by editor" in task.source.generator for task in evolved) == 9
    with pytest.raises(RaifError, match="holds an evolution of other data or settings"):
        evolve_folder(tmp_path / "in", config(soft=[0, 0]), tmp_path / "out")
    with pytest.raises(RaifError, match="make instructions with"):
        evolve_folder(tmp_path, chosen, tmp_path / "out")


def test_a_spent_budget_is_taken_up_again(tmp_path: Path) -> None:
    write(tmp_path / "in", 10)
    with ChatServer(Editor()) as server:
        poor = config(server, served={"budget_requests": 6})
        record = evolve_folder(tmp_path / "in", poor, tmp_path / "out")
        assert record["counts"]["evolved"] < 4
        assert record["unanswered"] > 0
        record = evolve_folder(tmp_path / "in", config(server), tmp_path / "out")
    assert record["counts"] == {"evolved": 10, "kept_template": 0, "dropped": 0}
    assert record["this_run"]["requests"]["sent"] == 14
    assert len(server.bodies) == 20


RUN = """
import sys
from data_gen.evolve import evolve_folder, parse_evolve
server = {"base_url": sys.argv[1], "model": "editor", "concurrency": 2}
evolve_folder(sys.argv[2], parse_evolve({"server": server, "batch": 5, "soft": [0, 2]}), sys.argv[3])
"""


def test_a_killed_run_ends_in_the_same_bytes(tmp_path: Path) -> None:
    source = tmp_path / "in"
    write(source, 30)

    def slow(number: int, body: Mapping[str, Any]) -> Answer:
        return Editor()(number, body)._replace(seconds=0.02)

    with ChatServer(slow) as server:
        first = subprocess.Popen(
            [sys.executable, "-c", RUN, server.url, *map(str, (source, tmp_path / "killed"))], cwd=ROOT
        )
        while len(server.bodies) < 30:
            time.sleep(0.01)
        first.kill()
        first.wait()
        asked = len(server.bodies)
        chosen = config(server, batch=5, soft=[0, 2])
        assert evolve_folder(source, chosen, tmp_path / "killed")["counts"]["evolved"] == 30
        assert len(server.bodies) - asked < 60 - 20
        evolve_folder(source, chosen, tmp_path / "whole")
    killed, whole = ((tmp_path / name / "evolved.jsonl").read_bytes() for name in ("killed", "whole"))
    assert killed == whole
    assert whole.count(b"\n") == 30


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"soft": [2, 1]}, "0 <= from <= to"),
        ({"soft": [0, 99]}, "0 <= from <= to"),
        ({"soft_kinds": ["tome"]}, "did you mean 'tone'"),
        ({"on_failure": "keep"}, "on_failure"),
        ({"rewrite": False, "soft": [1, 1]}, "soft demands are added while"),
        ({"batches": 3}, "did you mean 'batch'"),
        ({"server": {"base_url": "http://x/v1"}}, "model: Field required"),
        ({"server": None}, "the served model is not set up"),
    ],
)
def test_settings_that_are_wrong(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(RaifError, match=message):
        parse_evolve({"server": {"base_url": "http://x/v1", "model": "m"}, **settings})
