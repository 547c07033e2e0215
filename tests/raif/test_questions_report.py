"""The page and the plots of a question benchmark: every number is that of metrics.json, whoever judged."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, ClassVar
from zlib import crc32

import pytest

from raif.benchmarks import benchmark
from raif.benchmarks.figures import Breakdown, Figure, ScoreRow
from raif.benchmarks.items import Question, QuestionItem, QuestionRollout, QuestionVerdict
from raif.benchmarks.judging import Judging, one_by_one
from raif.benchmarks.protocol import Asking, Benchmark, Stored
from raif.benchmarks.referee import Referee
from raif.benchmarks.replaying import replay_verdicts
from raif.benchmarks.suite import QuestionSuite
from raif.evaluation.artifacts import contents_of
from raif.evaluation.runner import load_evaluation, replay
from raif.generation.replay import Given, Responses
from raif.plots import plots_in, plots_of, question_figures
from raif.report import write_report
from raif.report.page import make_report, write_json
from raif.report.question_cards import read_questions, told_questions
from raif.rollouts import read_jsonl
from rewards.judge import parse_judge
from tests.judge_server import Answer, ChatServer, chat
from tests.raif.report_support import HOSTILE, Page

COUNT = 26
PROFILES = ("strict", "parity")
KINDS = ("<b>sea</b>", *(f"kind {number}" for number in range(1, 14)))


class Poems(Benchmark):
    """A made-up benchmark: a question that depends on another, levels, a figure that is no share, long breakdowns."""

    name: ClassVar[str] = "poems"
    title: ClassVar[str] = "Poems"
    figures: ClassVar[tuple[Figure, ...]] = (
        Figure("met", "Met", "met"),
        Figure("steps", "Steps in a row", "steps", percent=False),
        *(Figure(f"hsr_{level}", f"HSR level {level}", "met", {"level": str(level)}) for level in (1, 2)),
        Figure("absent", "Met in Chinese", "met", {"language": "zh"}),
    )
    breakdowns: ClassVar[tuple[Breakdown, ...]] = (
        Breakdown("kind", "Kind of poem", (Figure("met", "Met", "met"),)),
        Breakdown("level", "Level", (Figure("met", "Met", "met"), Figure("steps", "Steps", "steps", percent=False))),
    )
    citation: ClassVar[str] = "Poems, made up"

    def judging(self, item: QuestionItem, answer: str, asking: Asking) -> Judging:
        return one_by_one(item, answer, {})

    def scores(
        self, items: Sequence[QuestionItem], rollouts: Sequence[QuestionRollout], *, official: bool
    ) -> list[ScoreRow]:
        """Count an unreadable verdict as no, officially as -1."""
        rows = []
        for rollout in rollouts:
            values = [(-1.0 if official else 0.0) if a.value is None else a.value for a in rollout.answers]
            labels = {"kind": rollout.labels["kind"], "level": rollout.labels["level"]}
            counted = {"met": (sum(values), float(len(values))), "steps": (sum(values), 1.0)}
            rows.append(ScoreRow(rollout.instruction_id, counted, labels))
        return rows


def poem(number: int) -> QuestionItem:
    questions = (
        Question(id="a", text=f"Is it about the sea? {HOSTILE}" if number == 0 else "Is it about the sea?"),
        Question(id="b", text="Does it rhyme?", depends_on=("a",), weight=0.25, role="secondary"),
    )
    turns = ({"role": "user", "content": "Hello."}, {"role": "assistant", "content": "Hi."})
    prompt = f"Write poem {number}."
    spoken = (*turns[: 2 * (number % 2)], {"role": "user", "content": prompt})
    return QuestionItem(
        id=f"poem/{number}", prompt=prompt, conversation=spoken,
        questions=questions, labels={"kind": KINDS[number % len(KINDS)], "level": str(1 + number % 2)},
    )  # fmt: skip


def replies(number: int, body: Mapping[str, Any]) -> Answer:
    """Say yes, no or nonsense, which hangs on the prompt and the temperature alone."""
    drawn = crc32(json.dumps([body["messages"], body.get("temperature")]).encode()) % 7
    return Answer(
        {**chat(("maybe", "maybe", "YES", "YES", "YES", "No", "No")[drawn]), "usage": {"completion_tokens": 3}}
    )


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder whose answers a server judged: some verdicts unreadable, compared with others and its own."""
    out = tmp_path_factory.mktemp("questions") / "poems"
    items = [poem(number) for number in range(COUNT)]
    said = [QuestionVerdict(id="a", value=1.0), QuestionVerdict(id="b", value=0.0)]
    reference = Stored({}, decided={item.id: said for item in items}, judge="a strong judge")
    with ChatServer(replies) as server:
        config = parse_judge({"model": "judge", "base_url": server.url, "concurrency": 2})
        suite = QuestionSuite(Poems(), referee=Referee(config), folder=out, reference=reference, consistency=10)
        suite.policy = {"model": "judge"}
        texts = ["" if number == 3 else f"The sea, the sea, {number}" for number in range(COUNT)]
        given = {
            (item.id, 0): Given(text, 5, number != 4)
            for number, (item, text) in enumerate(zip(items, texts, strict=True))
        }
        replay(suite, items, {"constrained": Responses(given, [], [], "id")}, out)
    return out


class Grids(HTMLParser):
    """The tables of a page by their title: rows of (text, interval) by the text of their first cell."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, dict[str, list[tuple[str, str]]]] = {}
        self._rows: dict[str, list[tuple[str, str]]] = {}
        self._cells: list[list[str]] = []
        self._interval = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "div" and known.get("role") == "region":
            self._rows = self.tables.setdefault(known["aria-label"] or "", {})
        elif tag == "tr":
            self._cells = []
        elif tag in ("td", "th"):
            self._cells.append(["", ""])
        self._interval = tag == "span" and "interval" in (known.get("class") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr" and self._cells:
            first, *rest = [(text.strip(), interval) for text, interval in self._cells]
            self._rows[first[0]] = rest
        self._interval = False

    def handle_data(self, data: str) -> None:
        if self._cells:
            self._cells[-1][self._interval] += data


@cache
def page_of(folder: Path) -> str:
    """Return the page of a folder that no test changes."""
    return write_report(folder).read_text(encoding="utf-8")


def cell(scores: Mapping[str, Any], key: str, percent: bool) -> tuple[str, str]:
    """Return how a figure of metrics.json reads."""
    if scores[key] is None:
        return "–", ""
    scale, form = (100, ".1f") if percent else (1, ".2f")
    ends = scores[f"{key}_ci"]
    interval = "" if ends is None else f"[{scale * ends[0]:{form}}, {scale * ends[1]:{form}}]"
    return f"{scale * scores[key]:{form}}", interval


def sizes(cells: Mapping[str, Mapping[str, Any]], key: str) -> tuple[str, str]:
    found = dict.fromkeys(cells[profile][f"{key}_n"] for profile in PROFILES if f"{key}_n" in cells.get(profile, {}))
    return (f"{next(iter(found)):,}" if len(found) == 1 else " / ".join(map(str, found))), ""


def known(scores: Mapping[str, Any], key: str) -> list[bool]:
    """Tell for each profile whether it has a value of a figure."""
    return [scores.get(profile, {}).get(key) is not None for profile in PROFILES]


def check(folder: Path) -> tuple[dict[str, Any], Grids, str]:
    """Compare every figure of the page with metrics.json, those of the breakdowns too."""
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    text = page_of(folder)
    grids = Grids(text)
    shares = {key: percent for key, _, percent in metrics["figures"]}
    for key, title, percent in metrics["figures"]:
        if not any(known(metrics, key)):
            assert f"{title}, %" not in grids.tables["Figures"]
            continue
        wanted = [*(cell(metrics[profile], key, percent) for profile in PROFILES), sizes(metrics, key)]
        assert grids.tables["Figures"][f"{title}, %" if percent else title] == wanted
    compared = 0
    for label, groups in metrics["groups"].items():
        rows = list(grids.tables[label].items())[1:]  # after the head
        cells = [
            (value, key, group)
            for value, group in groups.items()
            for key in dict.fromkeys(k for p in PROFILES for k in group.get(p, {}) if f"{k}_ci" in group[p])
            if any(known(group, key))
        ]
        assert len(rows) == len(cells)
        for (first, shown), (value, key, group) in zip(rows, cells, strict=True):
            assert first.startswith(value)
            there = [cell(group[p], key, shares.get(key, True)) if p in group else ("–", "") for p in PROFILES]
            assert shown == [*there, sizes(group, key)]
            compared += 1
    assert compared
    return metrics, grids, re.sub("</?bdi>", "", text)


def test_every_number_of_a_judged_folder_is_that_of_the_metrics(judged: Path) -> None:
    metrics, grids, text = check(judged)
    judge = metrics["judge"]
    assert judge["unreadable"] > 0
    assert judge["retries"] > judge["unreadable"]
    counts = {row: cells[0][0] for row, cells in grids.tables["Calls and verdicts"].items()}
    assert counts["Calls"] == f"{judge['calls']:,}"
    assert counts["Second tries, after an unreadable reply"] == f"{judge['retries']:,}"
    assert counts["Verdicts"] == f"{judge['verdicts']:,}"
    assert counts["Unreadable, % of the verdicts"] == f"{100 * judge['unreadable'] / judge['verdicts']:.1f}"
    assert counts["Prompts, characters"] == f"{judge['prompt_characters']:,}"
    assert counts["Replies, tokens"] == f"{judge['completion_tokens']:,}" == f"{3 * judge['calls']:,}"
    answers = grids.tables["Answers"]
    assert answers["Answers without text"][0][0] == "1"
    assert answers["Questions without a readable verdict"][0][0] == str(metrics["unscored"]["strict"])
    assert answers["Truncated, %"][0][0] == f"{100 / COUNT:.1f}"
    assert answers["Completion tokens, mean"][0][0] == "5"
    for said in (
        f"{judge['unreadable']} of {judge['verdicts']} verdicts could not be read",
        "Strict and parity differ in every figure.", "Left out, since nothing counts there: Met in Chinese.",
        "Warning: policy and judge are the same model", "Poems, made up", metrics["edition"],
        "judge, asked as the benchmark asks, with prompt texts of our own, in our way",
    ):  # fmt: skip
        assert said in text


def test_agreement_and_consistency_are_shown_with_their_tables(judged: Path) -> None:
    metrics, grids, _ = check(judged)
    shown = grids.tables["How far the verdicts agree"]
    for row, key in (
        ("stored verdicts (a strong judge)", "agreement"),
        ("its own first verdicts, asked again at temperature 0.7", "consistency"),
    ):
        found = metrics["judge"][key]
        texts = [text for text, _ in shown[row]]
        assert shown[row][0] == (
            f"{100 * found['agreement']:.1f}",
            f"[{100 * found['low']:.1f}, {100 * found['high']:.1f}]" if found["low"] is not None else "",
        )
        assert float(texts[1]) == pytest.approx(found["kappa"], rel=0.01)
        rates = [found[name] for name in ("precision", "recall", "f1", "abstention_rate")]
        assert texts[2:] == [*("–" if rate is None else f"{100 * rate:.1f}" for rate in rates), str(found["n"])]
        for said in ("yes", "no"):
            wanted = [str(found["confusion"][f"{said}/{other}"]) for other in ("yes", "no", "none")]
            assert [text for text, _ in grids.tables[f"Verdicts beside {row}"][said]] == wanted


def test_headline_stands_first_and_the_official_one_before_it_if_asked(judged: Path, tmp_path: Path) -> None:
    metrics = json.loads((judged / "metrics.json").read_text(encoding="utf-8"))
    strict, parity = (" ".join(cell(metrics[profile], "met", True)).replace(" [", " % [") for profile in PROFILES)
    run = make_report([judged]).runs[0]
    assert run.lede.startswith(f"Met {strict}, n {COUNT} (strict profile); {parity}, n {COUNT} (parity profile).")
    assert set(run.results) == {
        f"Poems: {title} ({profile})" for title in ("Met", "HSR level 1", "HSR level 2") for profile in PROFILES
    }  # fmt: skip
    (tmp_path / "official").mkdir()
    metrics["headline"]["profile"] = "parity"
    (tmp_path / "official/metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    (tmp_path / "official/rollouts.jsonl").write_bytes((judged / "rollouts.jsonl").read_bytes())
    assert make_report([tmp_path / "official"]).runs[0].lede.startswith(f"Met {parity}")


def test_tables_are_exported_with_unrounded_numbers(judged: Path, tmp_path: Path) -> None:
    metrics = json.loads((judged / "metrics.json").read_text(encoding="utf-8"))
    content = json.loads(write_json(make_report([judged]), tmp_path / "tables.json").read_text(encoding="utf-8"))
    figures = next(table for table in content["runs"][0]["tables"] if table["title"] == "Figures")
    assert [row[1]["value"] for row in figures["rows"]] == [
        metrics["strict"][key] for key, _, _ in metrics["figures"] if any(known(metrics, key))
    ]


def test_hostile_questions_and_labels_stay_text(judged: Path) -> None:
    text = page_of(judged)
    page = Page(text)
    assert page.count("script") == 2 + len(page.data["tasks"]) + len(page.data["rollouts"])
    assert "<b>sea</b>" not in text
    assert "&lt;b&gt;sea&lt;/b&gt;" in text
    assert page.count("img") == 0
    names = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(names) == len(set(names))


def test_items_keep_the_conversation_and_the_questions(judged: Path) -> None:
    rows = read_jsonl(judged / "items.jsonl")
    assert rows[1]["prompt"] == "user: Hello.\n\nassistant: Hi.\n\nuser: Write poem 1."
    assert rows[2]["prompt"] == "Write poem 2."
    assert rows[2]["questions"] == [
        {"id": "a", "text": "Is it about the sea?"},
        {"id": "b", "text": "Does it rhyme?", "depends_on": ["a"], "weight": 0.25, "role": "secondary"},
    ]
    assert {task["id"]: task["prompt"] for task in Page(page_of(judged)).tasks} == {
        row["id"]: row["prompt"] for row in rows
    }


def test_cards_say_each_question_what_it_waits_for_and_what_stands_behind_a_block(judged: Path) -> None:
    questions = read_questions(judged / "rollouts.jsonl")
    rollouts = read_jsonl(judged / "rollouts.jsonl")
    seen = set()
    for rollout in rollouts:
        told = told_questions(rollout, questions[rollout["instruction_id"]])
        assert told[0].startswith("a: Is it about the sea?")
        head, details = told[1].split("\n")
        assert head == "b: Does it rhyme?"
        assert details.startswith("secondary; weight 0.25; counts only if a is satisfied")
        status, value = rollout["verdicts"][1]["status"], rollout["answers"][1]["value"]
        own = {None: "no readable verdict", 0.0: "no", 1.0: "yes"}[value]
        assert (f"by itself: {own}" in details) == (status == "blocked")
        assert ("published code: no" in details) == (value is None)
        seen.add(status)
    assert {"blocked", "satisfied"} <= seen
    assert [text.partition("\n")[0] for text in told_questions(rollouts[0], [])] == ["a", "b"]  # an older folder


def test_plots_are_of_figures_levels_and_breakdowns(judged: Path) -> None:
    metrics, _ = load_evaluation(judged)
    plots = {plot.name: plot for plot in question_figures(metrics)}
    assert list(plots) == ["figures", "levels", "by-kind-of-poem", "by-level"]
    panels = plots["levels"].figure.axes  # type: ignore[union-attr]
    assert [axes.get_title("left") for axes in panels] == ["strict profile", "parity profile"]
    for axes, profile in zip(panels, PROFILES, strict=True):
        (line,) = [line for line in axes.lines if line.get_gid() == "line"]
        assert list(line.get_ydata()) == [metrics[profile][f"hsr_{level}"] for level in (1, 2)]
    for profile in PROFILES:
        value, interval = cell(metrics[profile], "met", True)
        assert f"Met {value} % {interval}, n {COUNT}" in plots["figures"].description
    points = plots["by-kind-of-poem"].figure.findobj(lambda artist: artist.get_gid() == "point")  # type: ignore[union-attr]
    assert len(points) == 2 * len(KINDS)
    lowest = min(group["parity"]["met"] for group in metrics["groups"]["Kind of poem"].values())
    assert lowest < 0  # where the published code counts below zero, so does the axis
    assert all(axes.get_xlim()[0] < lowest for axes in plots["by-kind-of-poem"].figure.axes)  # type: ignore[union-attr]
    assert {path.name for path in plots_of(judged)} >= {"figures.png", "levels.svg", "by-level.png"}
    many = {f"value {number}": next(iter(metrics["groups"]["Level"].values())) for number in range(31)}
    crowded = [plot for plot in question_figures({**metrics, "groups": {"Level": many}}) if plot.name == "by-level"]
    assert crowded[0].figure is None
    assert "31 values are too many" in crowded[0].absent


def test_a_tracker_gets_figures_breakdowns_and_items(judged: Path) -> None:
    contents = contents_of(judged)
    metrics = contents.record
    assert contents.summary["strict/met"] == metrics["strict"]["met"]
    assert {row[1] for row in contents.sheets["groups"].rows if row[0] == "Kind of poem"} == set(KINDS)
    assert len(contents.sheets["items"].rows) == COUNT


@pytest.mark.parametrize(
    ("name", "data", "verdicts", "said"),
    [
        ("infobench", "infobench", "infobench/replay_gpt4_judged_by_gpt4.jsonl.gz", "They were kept as yes or no"),
        ("cello", "cello/data", "cello/results/gpt4", "Every question is answered by a rule"),
        ("cfbench", "cfbench", "cfbench/replay_judge/moonshot_eval.json", "Stored verdicts were read"),
        ("followbench", "followbench", "followbench/replay_en_Meta-Llama-3-8B-Instruct", "40 of 1,410 verdicts"),
    ],
)
@pytest.mark.usefixtures("few_draws")
def test_published_verdicts_have_their_page(
    name: str, data: str, verdicts: str, said: str, tmp_path: Path, shared_dir: Path
) -> None:
    made = benchmark(name)
    place = shared_dir / "data"
    replay_verdicts(made, made.load(str(place / data)), place / verdicts, tmp_path / name)
    _, _, text = check(tmp_path / name)
    assert said in text
    assert all(plot.figure is not None or "no installed font" in plot.absent for plot in plots_in(tmp_path / name))


def test_every_rollout_shows_its_questions(judged: Path) -> None:
    page = Page(page_of(judged))
    questions = read_questions(judged / "rollouts.jsonl")
    rows = read_jsonl(judged / "rollouts.jsonl")
    assert [card["said"] for card in page.rollouts] == [
        told_questions(row, questions[row["instruction_id"]]) for row in rows
    ]
    evidence = [[leaf["evidence"] for leaf in row["verdicts"]] for row in rows]
    assert [card["evidence"] for card in page.rollouts] == evidence
