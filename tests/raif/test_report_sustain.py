"""The report of SUSTAIN, of attention and of comparisons: what is said, shown, exported and left inert."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from raif.attention.records import AttentionRow
from raif.attention.runner import summarize
from raif.evaluation.artifacts import contents_of
from raif.report import write_report
from raif.report.attention_page import lede as attention_lede
from raif.report.sustain_page import STATEMENT, reading
from raif.sustain.runner import load_sustain
from rewards.errors import RaifError
from tests.raif.plot_data import attention, sustain, sustain_comparison
from tests.raif.report_support import HOSTILE, Page, write_mathif, write_record, write_sustain

Shown = tuple[str, Page, dict[str, Any], str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two SUSTAIN evaluations, `tiny` and `big`, of the same tasks."""
    root = tmp_path_factory.mktemp("made")
    write_sustain(root / "tiny")
    write_sustain(root / "big", "big", skill=1.0)
    return root


@pytest.fixture(scope="module")
def shown(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """Return the page of `tiny`."""
    return read(made / "tiny", out=tmp_path_factory.mktemp("shown"))


def read(*runs: Path, out: Path) -> Shown:
    """Return the text of a page, its parts, its JSON and its Markdown."""
    exported, markdown = out / "page.json", out / "page.md"
    text = write_report(list(runs), out / "page.html", markdown=markdown, json=exported).read_text(encoding="utf-8")
    found = json.loads(exported.read_text(encoding="utf-8"))
    return re.sub("</?bdi>", "", text), Page(text), found, markdown.read_text(encoding="utf-8")


def tables(run: dict[str, Any], section: str) -> dict[str, Any]:
    return {table["title"]: table for table in run["tables"] if table["section"] == section}


def row(table: dict[str, Any], name: str) -> list[Any]:
    return next(list(cells) for cells in table["rows"] if cells[0] == name)


def test_every_number_of_a_domain_is_on_the_page(made: Path, shown: Shown) -> None:
    text, _, found, markdown = shown
    metrics = json.loads((made / "tiny" / "metrics.json").read_text(encoding="utf-8"))
    record, run = metrics["domains"]["math"], found["runs"][0]
    assert STATEMENT.replace("'", "&#39;") in text
    assert STATEMENT in markdown
    net = metrics["mean"]["net"]
    assert run["summary"].startswith(f"NET {100 * net['value']:+.1f} points [{100 * net['low']:+.1f}, ")
    math = tables(run, "Mathematics")
    assert row(math["Scores"], "SUSTAIN")[1] == record["sustain"]
    assert row(math["Scores"], "NET, points")[1:4] == [record["net"]["estimate"], record["net"]["p"], record["n_dplus"]]
    assert row(math["Scores"], "SUSTAIN")[4] == "wilson"
    assert row(math["Right answer and met constraint"], "wrong")[1:] == [
        record["table"]["wrong_met"], record["table"]["wrong_broken"],
    ]  # fmt: skip
    doses = math["By number of constraints"]["rows"]
    assert [cells[-1] for cells in doses] == [point["n"] for point in record["doses"]]
    assert doses[1][3] == record["doses"][1]["net"]
    assert row(math["From tasks to D+"], "in D+, % of the solved (coverage)")[1:] == [
        record["n_dplus"], record["coverage"],
    ]  # fmt: skip
    lost = math["How solved tasks were lost"]["rows"]
    assert [cells[1] for cells in lost] == [each["n"] for each in record["failures"].values()]
    assert lost[0][5] == [each["id"] for each in next(iter(record["failures"].values()))["examples"]]
    arms = math["Truncation and length by arm"]
    assert row(arms, "constrained")[1:3] == [record["truncation"]["constrained"], record["tokens"]["constrained"]]
    assert reading(record["net"]).replace("'", "&#39;") in text
    assert record["net"]["power"] in text
    for title in ("by number of constraints", "right answer and met constraint"):
        assert f">Mathematics: {title}</title>" in text


def test_sentences_say_more_less_and_cannot_be_said() -> None:
    net: dict[str, Any] = {"control": "placebo", "estimate": {"value": 0.042, "low": 0.011, "high": 0.073, "n": 300}}
    opening = "Given a constraint that its own output met, the model loses "
    assert reading(net) == f"{opening}4.2 points [1.1, 7.3] more than with a neutral sentence."
    net = {"control": "retest", "estimate": {"value": -0.02, "low": -0.05, "high": 0.01, "n": 300}}
    said = "2.0 points [-1.0, 5.0] less than when the same prompt is asked again."
    assert reading(net) == f"{opening}{said} That interval includes no difference."
    net = {"estimate": {"value": None, "low": None, "high": None, "n": 14, "reason": "14 items are too few"}}
    assert reading(net) == "What a constraint costs cannot be said: 14 items are too few."


def test_missing_values_give_their_reason(tmp_path: Path) -> None:
    folder = write_record(tmp_path / "few", "metrics.json", sustain())
    (folder / "rollouts.jsonl").touch()
    write_record(folder / "attention", "attention.json", attention())
    text, _, found, markdown = read(folder, out=tmp_path)
    assert "Differences between the groups" in tables(found["runs"][0], "Attention")
    overview = tables(found["runs"][0], "Result")["Scores by domain"]
    assert row(overview, "Code")[1]["value"] is None
    assert "14 items are too few; 20 are needed" in text
    code = next(line for line in markdown.splitlines() if line.startswith("| Code |"))
    assert code.count("14 items are too few") == 1  # once in a row
    assert "| 0.0" not in code
    assert "Code: NET by kind of constraint: no kind of constraint has enough items." in text
    assert len(tables(found["runs"][0], "Mathematics")["By number of constraints, common items"]["rows"]) == 5


def test_rollouts_have_their_own_prompt_constraints_and_labels(made: Path, shown: Shown) -> None:
    page = shown[1]
    _, items, rollouts = load_sustain(made / "tiny")
    demands = {item.id: [demand.text for demand in item.demands] for item in items}
    assert len(page.rollouts) == len(rollouts)
    by_slot = sorted(rollouts, key=lambda each: ["first", "retest", "constrained", "placebo"].index(each.arm))
    for number, (entry, rollout) in enumerate(zip(page.rollouts, by_slot, strict=True)):
        assert page.slot(number) == rollout.arm
        assert entry["prompt"] == rollout.prompt
        assert entry["unasked"] == (rollout.arm != "constrained")
        assert page.index["facets"][number] == [rollout.domain, str(rollout.dose), rollout.failure]
        if rollout.arm == "constrained":
            assert entry["said"] == demands[rollout.instruction_id][: rollout.dose]
            assert len(entry["said"]) == len(rollout.verdicts)
            assert all(text in rollout.prompt for text in entry["said"])
    assert page.index["change"] is None
    assert {task["witness"] for task in page.tasks} == {None}  # it is the first output
    selects = [attrs.get("name") for tag, attrs in page.tags if tag == "select"]
    assert {"domain", "dose", "failure"} <= set(selects)


def test_hostile_requests_ids_and_outputs_stay_data(shown: Shown) -> None:
    text, page, _, markdown = shown
    assert page.count("script") == 2 + len(page.data["tasks"]) + len(page.data["rollouts"])
    assert "<b>sums" not in text + markdown
    assert not re.search("[\x00\u202a-\u202e\u2066-\u2069]", text)
    assert any(HOSTILE in rollout["prompt"] for rollout in page.rollouts)
    assert any(HOSTILE in rollout["answer"] for rollout in page.rollouts)
    names = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(names) == len(set(names))


def test_attention_shows_both_labels_controls_and_strata(tmp_path: Path) -> None:
    analysis = attention()
    folder = write_record(tmp_path / "attention", "attention.json", analysis)
    text, page, found, _ = read(folder, out=tmp_path)
    run, label = found["runs"][0], analysis["labels"]["solved"]
    assert (run["kind"], page.rollouts) == ("attention", [])
    assert analysis["statement"] in text
    assert run["summary"].endswith("is +0.40 [+0.30, +0.50]. This is correlational.")
    parts = tables(run, "Attention")
    means = parts["Enrichment of the constraint"]["rows"]
    assert [cells[1] for cells in means] == ["sustained", "failed", "met", "broken"]
    differences = parts["Differences between the groups"]["rows"]
    assert differences[0][2:] == [label["difference"], 0.012, 0.61, None, 100]
    assert differences[5][0] == "failed less sustained, random spans"
    assert [cells[1] for cells in differences[:5]] == [
        "nothing", "output length (fifths)", "family of the constraint", "tokens of the constraint", "all of these",
    ]  # fmt: skip
    assert "no stratum has enough of both groups" in text
    assert "too long: 2" in text
    assert row(parts["Controls"], "the neutral sentence of the placebo arm")[1]["reason"] == "not analysed"
    assert page.count("svg") == 4
    broken = attention()
    none = {"value": None, "low": None, "high": None, "n": 3}
    broken["labels"]["solved"] |= {"reason": "too few", "difference": none}
    assert attention_lede(broken).endswith("more cannot be said: too few.")


def test_real_analyses_with_few_outputs_say_why(tmp_path: Path) -> None:
    common: dict[str, Any] = {"domain": "math", "dose": 1, "place": 0, "sample": 0, "labels": {}, "met": True}
    rows = [
        AttentionRow(
            id=f"sums/{n}", arm="constrained", solved=n % 8 > 0, family="no_comma", constraint_tokens=5,
            prompt_tokens=30, output_tokens=20 + n, enrich=1 + n / 50, random_span=1.0, grid=((1 + n / 50,) * 10,) * 2,
            **common,
        )
        for n in range(24)
    ]  # fmt: skip
    record = summarize(rows, {"model": "tiny", "seed": 0})
    folder = write_record(tmp_path / "attention", "attention.json", record)
    _, _, found, markdown = read(folder, out=tmp_path)
    why = "the groups have 21 and 3 items; each needs 5"
    assert found["runs"][0]["summary"].endswith(f"cannot be said: {why}.")
    assert markdown.count(why) > 5
    assert record["statement"] in markdown
    assert (
        row(tables(found["runs"][0], "Attention")["Controls"], "the constraint")[1] == record["controls"]["constraint"]
    )


def test_models_are_compared_over_own_and_common_items(tmp_path: Path) -> None:
    comparison = sustain_comparison()
    folder = write_record(tmp_path / "models", "comparison.json", comparison)
    text, page, found, _ = read(folder, out=tmp_path)
    (run,) = found["runs"]
    assert run["summary"] == "By NET over the 120 items that all models solve, smallest loss first: tuned, base."
    assert STATEMENT.replace("'", "&#39;") in text
    math = tables(run, "Mathematics")
    assert row(math["Items that all solve"], "tuned")[1] == comparison["domains"]["math"]["common"]["tuned"]["net"]
    assert row(math["Each model's own solved items"], "base")[-1] == 180
    assert [cells[5] for cells in math["Pairs of models"]["rows"]] == [0.04] * 4
    held = tables(run, "Held-out families")["Items that all solve"]
    assert row(held, "base")[1] == comparison["held_out"]["common"]["base"]["net"]
    assert "no_comma, first_word" in text
    assert page.count("svg") == 2


def test_several_evaluations_stand_beside_each_other_and_beside_mathif(made: Path, tmp_path: Path) -> None:
    _, page, found, _ = read(made / "tiny", made / "big", out=tmp_path)
    titles = {table["title"]: table for table in found["comparison"]}
    common = titles["Mathematics: items that all solve"]
    assert [cells[0] for cells in common["rows"]] == ["tiny", "big"]
    solved = [
        {item.id for item in load_sustain(made / name)[1] if item.in_dplus and item.task.domain == "math"}
        for name in ("tiny", "big")
    ]
    assert common["rows"][0][-1] == len(solved[0] & solved[1])
    results = row(titles["Results, %"], "NET, Mathematics")
    assert results[1] == found["runs"][0]["results"]["NET, Mathematics"]
    assert not [title for title in titles if title.startswith(("Changes", "Pass rates"))]
    assert page.index["runs"] == ["tiny", "big"]
    models = {each["prompt"] for each in page.rollouts if each["labels"].get("dose")}
    assert len(models) > len(page.tasks)  # every model has constraints of its own
    mathif = write_mathif(tmp_path / "mathif")
    _, page, found, _ = read(made / "tiny", mathif, out=tmp_path)
    assert [run["kind"] for run in found["runs"]] == ["sustain", "evaluation"]
    assert {"NET, Mathematics", "HAcc (strict)"} <= {cells[0] for cells in found["comparison"][1]["rows"]}
    assert {len(facets) for facets in page.index["facets"]} == {0, 3}


def test_evaluations_of_other_tasks_say_why_they_are_not_compared(made: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    for file in ("items.jsonl", "rollouts.jsonl"):
        (other / file).write_bytes((made / "tiny" / file).read_bytes())
    metrics = json.loads((made / "tiny" / "metrics.json").read_text(encoding="utf-8"))
    metrics["settings"]["sustain"]["placement"] = "prefix"
    write_record(other, "metrics.json", metrics)
    text, _, found, _ = read(made / "tiny", other, out=tmp_path)
    assert "only by their own items: tiny and other cannot be compared: placement is" in text
    assert "Results, %" in {table["title"] for table in found["comparison"]}
    write_record(other, "metrics.json", {"suite": "sustain"})
    with pytest.raises(RaifError, match=r"other is damaged \(no field 'settings'\)"):
        write_report(other, tmp_path / "broken.html")


def test_trackers_get_tables_of_every_kind(made: Path, tmp_path: Path) -> None:
    found = contents_of(made / "tiny")
    metrics, _, rollouts = load_sustain(made / "tiny")
    assert set(found.sheets) == {"metrics", "doses", "groups", "failures", "items"}
    assert found.summary["math/net"] == metrics["domains"]["math"]["net"]["estimate"]["value"]
    items = found.sheets["items"]
    assert len(items.rows) == len(rollouts)
    assert dict(zip(items.columns, items.rows[0], strict=True))["arm"] == "first"
    assert HOSTILE not in json.dumps(items.rows)
    folder = write_record(tmp_path / "attention", "attention.json", attention())
    (folder / "attention.jsonl").write_text('{"id": "a/1", "enrichment": 1.5, "grid": [[1.0]]}\n', encoding="utf-8")
    sheets = contents_of(folder).sheets
    assert (sheets["items"].columns, sheets["items"].rows) == (["id", "enrichment"], [["a/1", 1.5]])
    assert len(sheets["grid"].rows) == 2 * 2 * 4 * 10
    models = contents_of(write_record(tmp_path / "models", "comparison.json", sustain_comparison()))
    assert (models.kind, len(models.sheets["pairs"].rows)) == ("comparison", 8)
