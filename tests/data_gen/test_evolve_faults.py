"""Evolution by careless models: what is lost or turned round is noticed, asked for again, and counted."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest

from data_gen.evolve import Tally, run_evolution
from data_gen.served import ServedModel
from rewards.constraint import Constraint, parse_constraint
from rewards.tree import Branch, Selection
from tests.data_gen.test_evolve import Editor, Spoil, config, english, evolve
from tests.judge_server import Answer, ChatServer, chat

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
    editor, tally = Editor(merging=spoil), Tally()
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


def test_what_cannot_be_evolved_is_said() -> None:
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
