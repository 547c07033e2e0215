"""Several evaluations of question benchmarks on one page: paired changes of their own figures, and who judged."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from raif.benchmarks import benchmark
from raif.benchmarks.items import Question, QuestionItem, QuestionVerdict, conversation
from raif.benchmarks.protocol import Stored
from raif.benchmarks.referee import Referee
from raif.benchmarks.suite import QuestionSuite
from raif.evaluation.runner import replay
from raif.generation.replay import Given, Responses
from raif.report import write_report
from raif.report.page import make_report
from raif.report.question_facts import asked
from rewards.judge import parse_judge
from tests.judge_server import Answer, ChatServer, chat
from tests.raif.report_support import Page, write_mathif

COUNT = 40
OWN = "Published numbers were made with the benchmark's own texts."
FLAGS = ("truncated", "kept", "correct", "hard", "official_hard", "well_formed", "direct")


def make_items(count: int = COUNT) -> list[QuestionItem]:
    """Return items of one question where they are easy, and of four where they are hard."""
    return [
        QuestionItem(
            id=f"item {number}", prompt=f"Write text {number}.", conversation=conversation(f"Write text {number}."),
            questions=tuple(Question(id=str(q), text=f"Is it {q}?") for q in range(1 if number % 2 else 4)),
            labels={"subset": "easy" if number % 2 else "hard", "category": ""}, context={"input": ""},
        )
        for number in range(count)
    ]  # fmt: skip


def write_run(folder: Path, says: Callable[[int, int], float | None], count: int = COUNT, judge: str = "j") -> Path:
    """Write the evaluation of stored verdicts, by the numbers of item and question."""
    items = make_items(count)
    decided = {
        item.id: [
            QuestionVerdict(id=question.id, value=value, official=float(bool(value)))
            for q, question in enumerate(item.questions)
            for value in [says(number, q)]
        ]
        for number, item in enumerate(items)
    }
    given = {(item.id, 0): Given("A text.") for item in items}
    suite = QuestionSuite(benchmark("infobench"), stored=Stored({}, decided=decided, judge=judge))
    replay(suite, items, {"constrained": Responses(given, [], [], "id")}, folder)
    return folder


def compared(folders: Sequence[Path], out: Path) -> str:
    """Return the comparison of a page as Markdown."""
    write_report(folders, out / "page.html", markdown=out / "page.md")
    text = (out / "page.md").read_text(encoding="utf-8")
    return text.partition("## Comparison")[2].partition(f"\n## {folders[0].name}")[0]


def test_changes_are_of_the_benchmarks_own_figures(tmp_path: Path) -> None:
    """Of hard items two of four questions fall, of easy ones the only one is gained: HAcc rises, and DRFR falls."""
    first = write_run(tmp_path / "first", lambda number, q: float(number % 2 == 0))
    second = write_run(tmp_path / "second", lambda number, q: float(number % 2 == 1 or q < 1))
    text = compared([first, second], tmp_path)
    lines = [line for line in text.splitlines() if line.startswith("| second | DRFR")]
    assert [line.split("|")[2].strip() for line in lines] == ["DRFR, points", "DRFR easy, points", "DRFR hard, points"]
    values = [line.split("|")[3].split()[0] for line in lines]
    assert values == ["-40.0", "+100.0", "-75.0"]  # 80 of 100 questions before, 40 after
    assert [line.split("|")[5].strip() for line in lines] == ["40", "20", "20"]
    assert "HAcc" not in text
    assert "SAcc" not in text
    before, after = (run.results["InfoBench: DRFR (strict)"]["value"] for run in make_report([first, second]).runs)
    assert after - before == pytest.approx(-0.4)


def test_profiles_change_apart(tmp_path: Path) -> None:
    first = write_run(tmp_path / "first", lambda number, q: 1.0)
    second = write_run(tmp_path / "second", lambda number, q: 1.0)
    lines = (second / "scores.jsonl").read_text(encoding="utf-8").splitlines()
    changed = [line.replace("[1.0, 1.0]", "[0.0, 1.0]") if '"parity"' in line else line for line in lines]
    (second / "scores.jsonl").write_text("\n".join(changed) + "\n", encoding="utf-8")
    (line,) = [row for row in compared([first, second], tmp_path).splitlines() if "| DRFR, points" in row]
    assert [cell.split()[0] for cell in line.split("|")[3:5]] == ["+0.0", "-100.0"]


def test_what_cannot_be_compared_is_told_why(tmp_path: Path) -> None:
    sizes = {"a": 40, "b": 30, "c": 40}
    runs = [write_run(tmp_path / name, lambda number, q: 1.0, count) for name, count in sizes.items()]
    (runs[2] / "scores.jsonl").unlink()
    text = compared(runs, tmp_path)
    assert "InfoBench: b is not compared with a: it is of other items (30:" in text
    assert "InfoBench: c is not compared with a: " in text
    assert f"raif evaluate infobench --data DATA --replay-verdicts {runs[2].resolve()}" in text.replace("\\", "")
    assert "changes against" not in text
    for folder in runs:
        metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
        (folder / "metrics.json").write_text(json.dumps({**metrics, "suite": "mine"}), encoding="utf-8")
    assert "a benchmark of one's own" in compared([runs[0], runs[2]], tmp_path)


def test_checked_benchmarks_keep_their_accuracies_beside_question_benchmarks(tmp_path: Path) -> None:
    own = write_run(tmp_path / "own", lambda number, q: 1.0)
    text = compared([own, write_mathif(tmp_path / "one"), write_mathif(tmp_path / "two")], tmp_path)
    assert "InfoBench: own is its only run here" in text
    rows = text.partition("### Changes against one, points")[2].partition("###")[0]
    assert "| two | HAcc |" in rows
    assert "| own |" not in rows


# ---- judges -------------------------------------------------------------------------------------------------------


def judged(folder: Path, model: str, **options: object) -> Path:
    """Write an evaluation that a server judged, which always says yes."""
    items = make_items(8)
    with ChatServer(lambda number, body: Answer({**chat("YES"), "usage": {"completion_tokens": 1}})) as server:
        referee = Referee(parse_judge({"model": model, "base_url": server.url, "concurrency": 2}))
        suite = QuestionSuite(benchmark("infobench"), referee=referee, folder=folder, **options)  # type: ignore[arg-type]
        given = {(item.id, 0): Given("A text.") for item in items}
        replay(suite, items, {"constrained": Responses(given, [], [], "id")}, folder)
    return folder


def test_runs_of_unlike_judges_differ_row_by_row_and_a_note_says_so(tmp_path: Path) -> None:
    runs = [
        judged(tmp_path / "ours", "small"),
        judged(tmp_path / "theirs", "large", official=True, prompts={"system_message": "Say YES or NO."}),
    ]
    text = compared(runs, tmp_path)
    cells = [[cell.strip() for cell in line.split("|")] for line in text.splitlines() if line.count("|") == 4]
    rows = {row[1]: row[2:4] for row in cells}
    assert rows["Judge"] == ["small", "large"]
    assert rows["Asked as published"] == ["no", "yes"]
    assert rows["Prompt texts"][0] == "ours"
    assert rows["Prompt texts"][1].startswith("the user's (")
    assert rows["Shown first"] == ["strict profile", "parity profile"]
    assert "Options" not in rows
    assert "Judge mode" not in rows
    assert "Not judged in the same way: a change is not of the policies alone." in text
    assert "ours: judge small; asked as published no; prompt texts ours" in text
    mode = judged(tmp_path / "mode", "small", mode="question")
    text = compared([runs[0], mode], tmp_path)
    assert "| Judge mode | as the benchmark asks | each question by itself, with a prompt of our own |" in text
    assert "Not judged in the same way" in text
    assert "Not judged in the same way" not in compared([runs[0], judged(tmp_path / "again", "small")], tmp_path)


def test_stored_verdicts_of_two_names_may_be_of_two_judges(tmp_path: Path) -> None:
    runs = [write_run(tmp_path / name, lambda number, q: 1.0, judge=name) for name in ("one", "two")]
    assert "The stored verdicts do not say that one judge gave them all" in compared(runs, tmp_path)


@pytest.mark.parametrize(
    ("mode", "options", "said"),
    [
        ("benchmark", {}, f"texts of our own, in our way: after an unreadable reply it is asked once more. {OWN}"),
        ("benchmark", {"official": True}, f"prompt texts of our own, in the way of the published code. {OWN}"),
        ("benchmark", {"official": True, "prompts": "ab12"}, "given (ab12), in the way of the published code."),
        ("question", {"official": True}, "it is asked once more. No published number was made so."),
    ],
)  # fmt: skip
def test_the_page_says_whose_words_the_judge_was_asked_in(mode: str, options: dict[str, object], said: str) -> None:
    text = asked({"name": "large", "mode": mode}, options)
    assert text.startswith("Judge: large, asked ")
    assert text.endswith(said)


# ---- rollouts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("completion", "told"),
    [("A text.", False), ("hm</think>A text.", False), ("<think>hm</think>A.</think>B.", True), ("<think>hm", True)],
)
def test_an_answer_without_thinking_is_not_called_malformed(completion: str, told: bool, tmp_path: Path) -> None:
    items = make_items(1)
    decided = {items[0].id: [QuestionVerdict(id=question.id, value=1.0) for question in items[0].questions]}
    suite = QuestionSuite(benchmark("infobench"), stored=Stored({}, decided=decided))
    given = {(items[0].id, 0): Given(completion)}
    replay(suite, items, {"constrained": Responses(given, [], [], "id")}, tmp_path / "run")
    (flags,) = Page(write_report(tmp_path / "run").read_text(encoding="utf-8")).index["flags"]
    assert (flags // 3 ** FLAGS.index("well_formed") % 3 == 1) == told


def test_a_missing_thought_is_malformed_where_constraints_are_checked(tmp_path: Path) -> None:
    run = write_mathif(tmp_path / "mathif")
    rows = [json.loads(line) for line in (run / "rollouts.jsonl").read_text(encoding="utf-8").splitlines()]
    flags = Page(write_report(run).read_text(encoding="utf-8")).index["flags"]
    found = [number // 3 ** FLAGS.index("well_formed") % 3 for number in flags]
    assert sorted(found) == sorted(1 + row["well_formed"] for row in rows)
