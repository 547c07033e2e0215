"""Demonstrations sampled from a served model: split, judged, the best of several taken, gone on with after a stop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data_gen.experts import (
    ExpertReport,
    ServedExperts,
    make_experts,
    parse_experts,
    run_experts,
)
from tests.data_gen.test_experts_checks import THINKING
from tests.data_gen.test_experts_stage import GOOD, TASK, TREE, folder_of, outcomes, tasks
from tests.data_gen.test_experts_thinking import EN_SEED, task_of
from tests.judge_server import Answer, ChatServer, chat


def served(server: ChatServer, samples: int = 4, system: str = "", **settings: Any) -> ServedExperts:
    config = {"base_url": server.url, "model": "teacher", "backoff": 0.01, "timeout": 20.0, **settings}
    source = parse_experts({"type": "served", "served": config, "samples": samples, "system": system})
    assert isinstance(source, ServedExperts)
    return source


def by_sample(*texts: str) -> Any:
    """Return a script that answers by the number of the sample, which the client adds to the seed."""
    return lambda number, body: Answer(chat(texts[body["seed"]]))


def test_the_best_sample_is_taken() -> None:
    think = f"<think>{THINKING['en']}</think>"
    script = by_sample(
        f"{think}So, the answer is \\boxed{{20}}.",  # a comma
        f"{think}The answer is \\boxed{{21}}.",  # wrong
        f"<think>{THINKING['en']} So twenty.</think>{GOOD}",  # good and longer
        f"{think}{GOOD}",
        f"{think}As requested: \\boxed{{20}}.",  # talks about the demands
    )
    report = ExpertReport()
    with ChatServer(script) as server:
        (made,) = outcomes([TASK], served(server, samples=5), report=report)
    assert (made.chosen, made.answer, made.thinking, made.origin) == (3, GOOD, THINKING["en"], "teacher")
    assert [scores.reasons for scores in made.scores] == [
        ("constraint violated",),
        ("wrong answer",),
        (),
        (),
        ("checklist in the answer",),
    ]
    assert [scores.soft for scores in made.scores] == [0.5, 1.0, 1.0, 1.0, 1.0]
    assert [scores.correct for scores in made.scores] == [True, False, True, True, True]
    assert report.accepted == 1
    assert report.candidates == 5


def test_where_none_is_good_the_best_is_told(tmp_path: Path) -> None:
    think = f"<think>{THINKING['en']}</think>"
    script = by_sample(f"{think}No, no, no, not one of them can ever, ever be known.", f"{think}It is \\boxed{{21}}.")
    with ChatServer(script) as server:
        (made,) = outcomes([TASK], served(server, samples=2))
    assert (made.chosen, made.reasons, made.demonstration) == (1, ("wrong answer",), None)


def test_thinking_that_is_sent_apart_or_opened_by_the_template() -> None:
    apart = chat(GOOD)
    apart["choices"][0]["message"]["reasoning_content"] = THINKING["en"]
    replies = [apart, chat(f"{THINKING['en']}</think>{GOOD}"), chat(GOOD)]
    with ChatServer(lambda number, body: Answer(replies[body["seed"]])) as server:
        (made,) = outcomes([TASK], served(server, samples=3))
    assert [scores.reasons for scores in made.scores] == [(), (), ("empty thinking",)]
    assert made.thinking == THINKING["en"]


def test_answers_in_tags() -> None:
    text = f"<think>{THINKING['en']}</think><answer>{GOOD}</answer>"
    with ChatServer(by_sample(text)) as server:
        source = served(server, 1).model_copy(update={"think_style": "think_answer"})
        (made,) = outcomes([TASK], source)
    assert (made.answer, made.reasons) == (GOOD, ())


def test_what_the_server_does_not_answer_is_counted() -> None:
    def script(number: int, body: Mapping[str, Any]) -> Answer:
        if body["seed"] == 0:
            return Answer({"error": {"message": "too long"}}, status=400)
        if body["seed"] == 1:
            return Answer(chat(f"<think>{THINKING['en']}", finish="length"))
        return Answer(chat(f"<think>{THINKING['en']}</think>{GOOD}"))

    report = ExpertReport()
    with ChatServer(script) as server:
        (made,) = outcomes([TASK], served(server, samples=3), report=report)
    assert made.reasons == ()
    assert report.turned_down == {"request failed": 1, "truncated": 1}
    assert "too long" in made.scores[0].seen[0]


def test_a_budget_ends_the_questions_and_a_cache_goes_on(tmp_path: Path) -> None:
    asked = tasks(6)
    script = by_sample(f"<think>{THINKING['en']}</think>{GOOD}", f"<think>{THINKING['en']}</think>{GOOD}")
    with ChatServer(script) as server:
        settings = {"cache": str(tmp_path / "cache"), "concurrency": 1}
        report = ExpertReport()
        outcomes(asked, served(server, 2, budget_requests=7, **settings), report=report)
        assert len(server.bodies) == 7
        assert report.turned_down == {"budget spent": 5}
        assert report.rejected == {"budget spent": 2}
        first = outcomes(asked, served(server, 2, **settings))
        assert len(server.bodies) == 12
        assert all(not outcome.reasons for outcome in first)
        assert outcomes(asked, served(server, 2, **settings)) == first
        assert len(server.bodies) == 12


def test_the_system_message_is_asked_and_not_cloned() -> None:
    talk = task_of(
        EN_SEED, TREE, prompt=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How many?"}]
    )
    with ChatServer(by_sample(f"<think>{THINKING['en']}</think>{GOOD}")) as server:
        made = list(make_experts([TASK, talk], served(server, 1, system="Think in tags.", concurrency=1)))
    first, second = ([turn["content"] for turn in body["messages"]] for body in server.bodies)
    assert first == ["Think in tags.", TASK.prompt_text]
    assert second == ["Think in tags.\n\nBe brief.", "How many?"]
    assert made[0][0].prompt == TASK.prompt


def test_a_served_folder_says_what_it_has_cost_and_no_secret(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    with ChatServer(by_sample(f"<think>{THINKING['en']}</think>{GOOD}")) as server:
        counts = run_experts(folder, served(server, 1, extra_body={"key": "secret"}), tmp_path / "out")
    assert (counts["usage"]["sent"], counts["accepted"]) == (3, 2)
    assert "secret" not in (tmp_path / "out" / "experts_report.json").read_text(encoding="utf-8")
