"""FollowBench: its items, its published verdicts, and other answers and verdicts in the published layout."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from raif.benchmarks import benchmark
from raif.benchmarks.figures import value_of
from raif.benchmarks.followbench import LEVELS, TYPES, FollowBench
from raif.benchmarks.followbench_judge import ask
from raif.benchmarks.items import QuestionRollout
from raif.benchmarks.replaying import replay_verdicts
from rewards.errors import RaifError
from tests.raif.followbench_support import said, verdict_row, write_items, write_rows

REPLAY = "replay_en_Meta-Llama-3-8B-Instruct"
Replayed = tuple[dict[str, Any], list[QuestionRollout]]


@pytest.fixture(scope="module")
def published(shared_dir: Path) -> Path:
    folder = shared_dir / "data" / "followbench"
    if not folder.is_dir():
        pytest.skip(f"no FollowBench files at {folder}")
    return folder


@pytest.fixture(scope="module")
def replayed(published: Path) -> Replayed:
    adapter = benchmark("followbench")
    metrics, rollouts = replay_verdicts(adapter, adapter.load(str(published)), published / REPLAY)
    return metrics, [rollout for rollout in rollouts if isinstance(rollout, QuestionRollout)]


# ---- items --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "counts", "judged"),
    [("en", (125, 110, 150, 150, 85, 200), 470), ("zh", (115, 110, 150, 150, 65, 200), 460)],
)
def test_published_files_give_as_many_items_as_published(
    published: Path, language: str, counts: tuple[int, ...], judged: int
) -> None:
    adapter = FollowBench()
    items = adapter.load(str(published), language)
    found = Counter(item.labels["type"] for item in items)
    assert tuple(found[kind] for kind in (*TYPES, "example")) == counts
    asked = [item for item in items if item.questions[0].by == "judge"]
    assert len(asked) == judged
    assert all(len(item.questions) == int(item.labels["level"]) == len(item.context["path"]) - 1 for item in asked)
    assert all(len(item.questions) == 1 for item in items if item not in asked)
    assert adapter.load(str(published / language), language) == items
    assert adapter.edition(items) == f"{language} {sum(counts)} items"
    assert adapter.edition(items[1:]) == f"{sum(counts) - 1} of {sum(counts)} items ({language})"
    first = [item for item in items if item.labels["level"] == "1" and item.labels["type"] != "example"]
    without = "; without example, level 2, level 3, level 4, level 5"
    assert adapter.edition(first) == f"{len(first)} of {sum(counts)} items ({language}{without})"


def test_an_item_knows_how_its_instruction_grew(published: Path) -> None:
    items = {item.id: item for item in FollowBench().load(str(published), "both")}
    assert len(items) == 820 + 790
    item, before = items["en/style/1/3"], items["en/style/1/2"]
    rows = json.loads((published / "en" / "style_constraints.json").read_text(encoding="utf-8"))
    assert item.context["path"] == [row["instruction"] for row in rows[:4]]
    assert item.prompt == rows[3]["instruction"] != before.prompt
    assert all(text in item.questions[2].text for text in (before.prompt, item.prompt))
    assert "YES" in ask("style", items["zh/style/1/1"].context["path"], "好", "zh")


def test_files_of_another_kind_are_refused(published: Path, tmp_path: Path) -> None:
    adapter = FollowBench()
    with pytest.raises(RaifError, match="holds en items where zh was expected; give --language en"):
        adapter.load(str(published / "en"), "zh")
    with pytest.raises(RaifError, match="is a file"):
        adapter.load(str(published / "en" / "style_constraints.json"))
    with pytest.raises(RaifError, match=r"no benchmark files at .*Give the folder with en/ and zh/"):
        adapter.load(str(tmp_path / "nowhere"))
    folder = write_items(tmp_path)
    path = folder / "en" / "style_constraints.json"
    rows = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(rows[:-1]), encoding="utf-8")
    with pytest.raises(RaifError, match=r"another version: group en/style/1 has 4 levels, not 5"):
        adapter.load(str(folder))
    path.write_text(json.dumps([rows[0], *rows[2:]]), encoding="utf-8")
    with pytest.raises(RaifError, match=r"row 1 .*levels below level 2 of group 1"):
        adapter.load(str(folder))
    path.write_text(json.dumps([*rows[:2], {**rows[2], "instruction": None}, *rows[3:]]), encoding="utf-8")
    with pytest.raises(RaifError, match="row 2 is no item of FollowBench: its instruction is null; expected a text"):
        adapter.load(str(folder))
    path.unlink()
    with pytest.raises(RaifError, match=r"holds no en/style_constraints.json"):
        adapter.load(str(folder))


# ---- published verdicts -------------------------------------------------------------------------------------------


def test_published_verdicts_give_the_published_tables(published: Path, replayed: Replayed) -> None:
    scores = published / REPLAY / "scores"
    for kind in TYPES:
        cell = replayed[0]["groups"]["Type"][f"en/{kind}"]["parity"]
        for quantity in ("hsr", "ssr"):
            shown = [f"{cell[f'{quantity}_{level}']:.2%}" for level in LEVELS]
            assert shown == last_row(scores / f"{kind}_{quantity}.csv"), (kind, quantity)
        assert [str(round(cell["csl"], 1))] == last_row(scores / f"{kind}_csl.csv")


def test_published_verdicts_give_the_stored_scores_of_every_item(published: Path, replayed: Replayed) -> None:
    stored: dict[str, tuple[float, Any]] = {}
    for line in (published / REPLAY / "per_item.jsonl").read_text(encoding="utf-8").splitlines():
        one = json.loads(line)
        stored[f"en/{one['type']}/{one['example_id']}/{one['level']}"] = (one["hard"], pytest.approx(one["soft"]))
    found: dict[str, tuple[float, Any]] = {}
    for rollout in replayed[1]:
        values = [answer.official or 0.0 for answer in rollout.answers]
        hard = min(values) if min(values) < 0 else float(all(values))
        found[rollout.instruction_id] = (hard, mean(values))
    assert len(found) == 820
    assert found == stored


def test_published_verdicts_give_the_recomputed_means(replayed: Replayed) -> None:
    parity, strict = replayed[0]["parity"], replayed[0]["strict"]

    def shown(figures: Mapping[str, Any], quantity: str) -> list[float]:
        return [round(100 * figures[name], 2) for name in (*(f"{quantity}_{n}" for n in LEVELS), quantity)]

    assert shown(parity, "hsr") == [67.82, 67.53, 60.36, 54.05, 45.13, 58.98]
    assert shown(parity, "ssr") == [67.82, 71.64, 69.92, 62.82, 60.00, 66.44]
    assert f"{parity['csl']:.2f}" == "2.40"
    assert [round(100 * parity[f"{quantity}_weighted"], 2) for quantity in ("hsr", "ssr")] == [55.05, 64.81]
    assert parity["example"] == 0
    eleven = [parity["csl"] / 3.68, *(parity[f"{quantity}_{n}"] for quantity in ("hsr", "ssr") for n in LEVELS)]
    assert parity["raif_11_en"] == pytest.approx(mean(eleven))
    assert (parity["raif_22"], parity["raif_11_zh"]) == (None, None)  # there is one language
    assert parity["hsr_ci"][0] < parity["hsr"] < parity["hsr_ci"][1]
    # unreadable as 0 alone gives 60.55 and 58.14; one format item that the corrected rule refuses takes the rest
    assert shown(strict, "hsr") == [67.82, 66.87, 60.36, 58.14, 48.92, 60.42]
    assert shown(strict, "ssr") == [67.82, 70.98, 69.92, 66.90, 63.79, 67.88]


def test_unreadable_verdicts_are_counted_apart(replayed: Replayed) -> None:
    metrics, rollouts = replayed
    unreadable = [rollout for rollout in rollouts if rollout.answers[0].value is None]
    assert len(unreadable) == 9
    assert {answer.official for rollout in unreadable for answer in rollout.answers} == {-1.0}
    assert metrics["unscored"]["strict"] == sum(len(rollout.answers) for rollout in unreadable) == 40
    as_zero: dict[tuple[str, str], list[float]] = defaultdict(list)
    for rollout in rollouts:
        met = all(answer.official == 1 for answer in rollout.answers)
        as_zero[rollout.labels["type"], rollout.labels["level"]].append(met)
    main = {cell: mean(values) for cell, values in as_zero.items() if cell[0] in TYPES}
    assert 100 * mean(main.values()) == pytest.approx(60.55, abs=0.01)
    assert 100 * mean(main[kind, "4"] for kind in TYPES) == pytest.approx(58.14, abs=0.01)


def test_answers_of_the_newer_form_are_read_and_gaps_are_no_answers(tmp_path: Path) -> None:
    adapter = FollowBench()
    items = adapter.load(str(write_items(tmp_path)))
    style = [item for item in items if item.context["type"] == "style"]
    path = tmp_path / "style_constraint.jsonl"
    write_rows(path, [{"prompt": item.prompt, **said("Fine.")} for item in style[:4]])
    stored = adapter.stored(path, items)
    assert stored.outputs == {**{item.id: "Fine." for item in style[:4]}, style[4].id: ""}
    assert not stored.replies
    write_rows(path, [{"prompt": "What?", **said("That.")}])
    with pytest.raises(RaifError, match=r"an answer to 'What\?', which is no item"):
        adapter.stored(path, items)
    write_rows(path, [{"prompt": style[0].prompt, **said(text)} for text in ("One.", "Two.")])
    with pytest.raises(RaifError, match="a second text for en/style/1/1"):
        adapter.stored(path, items)
    wrong: dict[str, dict[str, Any]] = {
        r"row 0 has no choices\[0\]": {"prompt": style[0].prompt},
        r"row 0: choices\[0\].message.content is null, not a text": {
            "prompt": style[0].prompt, "choices": [{"message": {"content": None}}]
        },
        "row 0 has no prompt or prompt_new, only id, response. Give a JSONL file": {"id": "1", "response": "Fine."},
    }  # fmt: skip
    for complaint, row in wrong.items():
        write_rows(path, [row])
        with pytest.raises(RaifError, match=complaint):
            adapter.stored(path, items)


def test_verdicts_must_belong_to_the_answers(tmp_path: Path) -> None:
    adapter = FollowBench()
    items = adapter.load(str(write_items(tmp_path)))
    style = [item for item in items if item.context["type"] == "style"]
    place = tmp_path / "run"
    answers, verdicts = place / "outputs" / "style_constraint.jsonl", place / "verdicts" / "style_constraint.jsonl"
    write_rows(answers, [{"prompt_new": item.prompt, **said(f"Fine {item.id}.")} for item in style[:4]])
    rows = [verdict_row(item, f"Fine {item.id}.", "['YES']") for item in style[:4]]
    write_rows(verdicts, rows)
    metrics, _ = replay_verdicts(adapter, items, place)
    cell = metrics["groups"]["Type"]["en/style"]["parity"]
    assert [cell[f"hsr_{level}"] for level in LEVELS] == [1, -1, -1, -1, 0]  # the last has no answer, and counts
    assert (cell["csl"], metrics["no_answer"]) == (1, 1)
    write_rows(verdicts, rows[:3])
    with pytest.raises(RaifError, match=r"1 judged items without a verdict \(first: en/style/1/4\)"):
        adapter.stored(place, items)
    write_rows(verdicts, [verdict_row(style[0], "Another.", "['YES']")])
    with pytest.raises(RaifError, match="about another answer"):
        adapter.stored(place, items)
    write_rows(verdicts, [{key: value for key, value in rows[0].items() if key != "level"}])
    with pytest.raises(RaifError, match="row 0 has no level, only example_id, prompt_new, choices; expected"):
        adapter.stored(place, items)
    write_rows(verdicts, [{**rows[0], "level": 5}])
    with pytest.raises(RaifError, match="a verdict on style/1/5, which is no judged item"):
        adapter.stored(place, items)


def test_the_figure_of_raif_is_the_mean_of_both_languages(published: Path, replayed: Replayed) -> None:
    adapter = FollowBench()
    english = adapter.scores(adapter.load(str(published)), replayed[1], official=True)
    chinese = [
        row._replace(
            unit=f"zh {row.unit}",
            labels={**row.labels, "language": "zh"},
            values={name: (part / 2, whole) for name, (part, whole) in row.values.items()},
        )
        for row in english
    ]
    found = {figure.name: value_of(figure, [*english, *chinese]) for figure in adapter.figures}
    parity = replayed[0]["parity"]
    assert found["raif_11_en"] == pytest.approx(parity["raif_11_en"])
    assert found["raif_11_zh"] == pytest.approx(parity["raif_11_en"] / 2)
    for name in ("hsr", "csl", "ssr_3", "hsr_weighted"):
        assert found[name] == pytest.approx(parity[name] * 0.75)
    assert found["raif_22"] == pytest.approx(parity["raif_11_en"] * 0.75)


# ---- helpers --------------------------------------------------------------------------------------------------------


def last_row(path: Path) -> list[str]:
    return list(csv.reader(path.read_text(encoding="utf-8").splitlines()))[-1][1:]
