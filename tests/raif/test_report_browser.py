"""The report page in a real browser: nothing is loaded, nothing fails, filters tell the truth, 20,000 rollouts work."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from raif.report import write_report
from tests.raif.report_browser import CHROMIUM, Browser
from tests.raif.report_support import (
    HOSTILE,
    STEPS,
    SURROGATE,
    Page,
    make_pipeline,
    make_rollout,
    make_tasks,
    write_ablation,
    write_length_bins,
    write_mathif,
    write_sustain,
    write_training,
)

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="needs chromium, chromium-browser or google-chrome on the PATH"
)
MANY = 20_000
HELPERS = """
  window.said = () => document.querySelector('.pager output').textContent;
  window.cards = () => document.querySelectorAll('article.rollout').length;
  window.settled = (test) => new Promise((done, fail) => {
    const start = performance.now();
    const look = () => test() ? done(performance.now() - start)
      : performance.now() - start > 20000 ? fail(new Error('never: ' + test)) : setTimeout(look, 5);
    look();
  });
  window.filter = async (wanted) => {
    const form = document.getElementById('filters'), start = performance.now();
    const list = document.getElementById('list'), old = list.firstElementChild;
    for (const field of new Set([...form.elements].map((e) => e.name).filter(Boolean))) {
      form.elements[field].value = wanted[field] || (field === 'source' ? 'all' : '');
    }
    form.dispatchEvent(new Event('input', { bubbles: true }));
    await settled(() => list.firstElementChild !== old);
    return [said(), performance.now() - start];
  };
"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with Browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Browser]]:
    """Open pages; at the end nothing must have been loaded and nothing have gone wrong."""
    pages = []
    browser.events.clear()

    def go(page: Path, width: int = 1440) -> Browser:
        pages.append(page.resolve().as_uri())
        browser.open(page, width)
        browser.value(HELPERS)
        return browser

    yield go
    assert browser.complaints() == []
    assert set(browser.requests()) == set(pages)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a pipeline run one of whose completions holds a lone surrogate too."""
    run = make_pipeline(tmp_path_factory.mktemp("made") / "run")
    path = run / "train" / "rollouts" / "rank0.jsonl"
    first, _, rest = path.read_text(encoding="utf-8").partition("\n")
    row = {**json.loads(first), "completion": f"{SURROGATE}</think>{SURROGATE}{HOSTILE}"}
    path.write_text(f"{json.dumps(row)}\n{rest}", encoding="utf-8")
    write_report(run)
    return run


def found(answer: str) -> int:
    """Return how many rollouts a pager speaks of: "1 to 20 of 24, page 1 of 2"."""
    number = re.search(r" of ([\d,]+), page", answer)
    return int(number[1].replace(",", "")) if number else 0


def filtered(browser: Browser, **wanted: str) -> int:
    return found(browser.value(f"filter({json.dumps(wanted)})")[0])


def test_filters_agree_with_the_data(run_folder: Path, visit: Callable[..., Browser]) -> None:
    browser = visit(run_folder / "report.html")
    files = [run_folder / "evaluation" / side / "rollouts.jsonl" for side in ("before", "after")]
    files.append(run_folder / "train" / "rollouts" / "rank0.jsonl")
    after = [json.loads(line) for line in files[1].read_bytes().splitlines()]
    rows = [json.loads(line) for file in files for line in file.read_bytes().splitlines()]

    def count(test: Callable[[dict[str, Any]], bool], among: list[dict[str, Any]] = rows) -> int:
        number = sum(map(test, among))
        assert number > 0
        return number

    assert found(browser.value("said()")) == len(after)
    assert browser.value("cards()") == 20
    assert filtered(browser) == len(rows)
    assert filtered(browser, truncated="2") == count(lambda r: r["finish_reason"] == "length")
    assert filtered(browser, hard="2") == count(lambda r: r["hard"] is True)
    assert filtered(browser, hard="1", source="after") == count(lambda r: r["hard"] is False, after)
    assert filtered(browser, correct="2") == count(lambda r: r["correct"] is True)
    assert filtered(browser, kept="dropped") == count(lambda r: r["kept"] is False)
    assert filtered(browser, kept="direct") == STEPS * 2
    types = Counter(leaf["type"] for row in after for leaf in row["verdicts"])
    name = types.most_common(1)[0][0]
    constraint = f'["strict","{name}"]'
    held = count(lambda r: any(leaf["type"] == name for leaf in r["verdicts"]))
    assert filtered(browser, constraint=constraint) == held
    violated = count(lambda r: any((leaf["type"], leaf["status"]) == (name, "violated") for leaf in r["verdicts"]))
    assert filtered(browser, constraint=constraint, status="violated") == violated
    assert filtered(browser, text="WINDOW.hacked", source="after") == 1
    assert filtered(browser, text="no answer", source="training") == STEPS * 2
    gained = {r["instruction_id"] for r in after if r["hard"]}  # none was satisfied before
    assert filtered(browser, change="gained") == 2 * len(gained)
    assert filtered(browser, text="in none of them", source="after") == 0
    assert "reset the filters" in browser.value("document.getElementById('list').textContent")
    browser.value("document.querySelector('#filters [type=reset]').click(); settled(() => cards() === 20)")
    assert found(browser.value("said()")) == len(after)


def test_hostile_rollouts_stay_text(run_folder: Path, visit: Callable[..., Browser]) -> None:
    browser = visit(run_folder / "report.html")
    assert filtered(browser, text="lone") == 1
    answer = browser.value("document.querySelector('.answer').textContent")
    assert "lone U+D800 surrogate</script><script>window.hacked=1</script><img src=x onerror=" in answer
    assert "U+202Eright to leftU+202C שלום U+2028U+2029 ␀␇␛[31m & &lt; <a href='javascript:" in answer
    assert browser.value("document.querySelector('.answer').dir") == "auto"
    assert browser.value("document.querySelectorAll('.rollout :is(script, img, a, svg)').length") == 0
    browser.value("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert browser.value("window.hacked === undefined")
    assert browser.value("document.documentElement.scrollWidth") == 1440


def test_evidence_is_marked_and_an_item_is_shown_in_all_sources(
    run_folder: Path, visit: Callable[..., Browser]
) -> None:
    browser = visit(run_folder / "report.html")
    browser.value("filter({source: 'after', text: 'plan'})")
    assert browser.value("document.querySelector('.rollout details').open") is False
    browser.value("document.querySelectorAll('.rollout details').forEach((each) => { each.open = true; })")
    assert browser.value("document.querySelector('mark.search').textContent") == "plan"
    browser.value("document.querySelector('.rollout .top button').click(); settled(() => cards() > 1 && cards() < 20)")
    titles = browser.value("[...document.querySelectorAll('.rollout h3')].map((each) => each.textContent)")
    assert titles[:2] == ["Before", "After"]
    assert browser.value("document.activeElement.id") == "rollouts-title"
    browser.value("document.querySelector('#pinned button').click(); settled(() => cards() === 20)")
    browser.value("document.querySelector('[data-constraint]').click()")
    browser.value("settled(() => document.getElementById('filters').elements.status.value === 'violated')")
    browser.value("settled(() => document.querySelectorAll('.verdicts .tag.bad').length > 0)")
    marked = browser.value("filter({text: 'hacked'}).then(() => [...document.querySelectorAll('.answer mark')].length)")
    assert marked > 0


def test_parity_stands_beside_strict(tmp_path: Path, visit: Callable[..., Browser]) -> None:
    folder = write_mathif(tmp_path / "mathif")
    browser = visit(write_report(folder))
    rows = [json.loads(line) for line in (folder / "rollouts.jsonl").read_bytes().splitlines()]
    shown = [row for row in rows if row["arm"] == "constrained"]
    assert filtered(browser, source="constrained") == len(shown)
    assert filtered(browser, parity="2") == sum(row["official_hard"] is True for row in rows)
    differing = [
        row for row in shown if None not in (row["hard"], row["official_hard"]) and row["hard"] != row["official_hard"]
    ]
    assert filtered(browser, parity="differs") == len(differing) == 1
    lists = browser.value("[...document.querySelectorAll('.profiles h4')].map((each) => each.textContent)")
    assert lists == ["Strict verdicts", "Parity verdicts"]
    assert filtered(browser, constraint='["parity","punctuation:no_comma"]', status="violated") == sum(
        row["official_hard"] is False for row in shown
    )


def test_arms_doses_and_failures_of_sustain_can_be_filtered(tmp_path: Path, visit: Callable[..., Browser]) -> None:
    folder = write_sustain(tmp_path / "sustain")
    rows = [json.loads(line) for line in (folder / "rollouts.jsonl").read_bytes().splitlines()]
    lost = Counter(row["failure"] for row in rows if row["failure"]).most_common(1)[0]
    browser = visit(write_report(folder), 390)
    assert browser.value("document.documentElement.scrollWidth") == 390
    assert found(browser.value("said()")) == len(rows)
    assert filtered(browser, dose="2", source="placebo") == sum(r["dose"] == 2 and r["arm"] == "placebo" for r in rows)
    assert filtered(browser, domain="qa") == sum(row["domain"] == "qa" for row in rows)
    assert filtered(browser, failure=lost[0]) == lost[1]
    alone = next(row for row in rows if row["arm"] == "constrained" and "hacked" not in row["prompt"])
    asked = alone["prompt"].splitlines()[-1]  # a search field has one line
    assert filtered(browser, text=asked) == sum(asked in row["prompt"] for row in rows)
    assert asked in browser.value("document.querySelector('.prompt').textContent")
    assert browser.value("document.querySelectorAll('.verdicts .demand').length") > 0
    assert filtered(browser, text="window.hacked") > 1
    assert browser.value("document.querySelectorAll('.rollout :is(script, img, a, svg)').length") == 0
    assert browser.value("window.hacked === undefined")
    item = browser.value("document.querySelector('[data-item]').textContent")
    browser.value("document.querySelector('[data-item]').click(); settled(() => said().includes('page 1 of 1'))")
    assert found(browser.value("said()")) == sum(row["instruction_id"] == item for row in rows)
    assert item in browser.value("document.getElementById('pinned').textContent")


def test_keyboard_reaches_everything(run_folder: Path, visit: Callable[..., Browser]) -> None:
    browser = visit(run_folder / "report.html")
    reached = []
    for _ in range(60):
        browser.press("Tab", 9)
        reached.append(browser.value("(e => e.name || e.textContent.trim() || e.className)(document.activeElement)"))
        if reached[-1] == "Next →":
            break
    assert reached[0] == "Skip to the results"
    assert reached[-1] == "Next →"
    assert {"source", "constraint", "status", "text", "Reset"} <= set(reached)
    browser.press("Enter", 13)
    browser.value("settled(() => said().includes('page 2'))")
    assert browser.value("document.activeElement.id") == "rollouts-title"
    unnamed = "[...document.querySelectorAll('select, input, button')]"
    unnamed += ".filter((each) => !(each.labels?.length || each.textContent.trim()))"
    assert browser.value(f"{unnamed}.length") == 0


@pytest.mark.parametrize("dark", [False, True])
def test_text_has_contrast(run_folder: Path, browser: Browser, dark: bool) -> None:
    browser.open(run_folder / "report.html", dark=dark)
    poor = browser.value(CONTRAST)
    assert poor == []


CONTRAST = """(() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const linear = (v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, weight, k) => sum + weight * linear(c[k] / 255), 0);
  const behind = (node) => {
    const c = parse(getComputedStyle(node).backgroundColor);
    return c.length === 3 || c[3] === 1 ? c : node.parentElement ? behind(node.parentElement) : [255, 255, 255];
  };
  const poor = new Set();
  for (const node of document.querySelectorAll('body *')) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || node.closest('script, style, svg') || node.disabled || !node.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.add(`${node.tagName}.${node.className} ${ratio.toFixed(2)}`);
  }
  return [...poor];
})()"""


def test_every_page_fits_a_phone(tmp_path: Path, run_folder: Path, visit: Callable[..., Browser]) -> None:
    mathif = write_mathif(tmp_path / "mathif")
    runs = [mathif, write_length_bins(mathif), write_ablation(tmp_path / "ablation"), run_folder / "train"]
    pages = [run_folder / "report.html", *(write_report(run, tmp_path / f"{run.name}.html") for run in runs)]
    pages.append(write_report([run_folder, *runs], tmp_path / "all.html"))
    for page in pages:
        for width in (390, 1440):
            browser = visit(page, width)
            browser.value("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
            assert browser.value("document.documentElement.scrollWidth") == width, page
            drawn = browser.value(
                "Math.max(0, ...[...document.querySelectorAll('svg')].map((s) => s.getBoundingClientRect().right))"
            )
            assert drawn <= width


def test_twenty_thousand_rollouts_stay_responsive(tmp_path: Path, visit: Callable[..., Browser]) -> None:
    train, _ = make_tasks(tmp_path / "data")
    folder = write_training(tmp_path / "train", train)
    (folder / "rollouts" / "rank0.jsonl").unlink()
    samples = [make_rollout(task, f"a plan</think>{task.witness}").model_dump(mode="json") for task in train]
    with (folder / "rollouts" / "rank0.jsonl").open("w", encoding="utf-8") as file:
        for number in range(MANY):
            words = " ".join(f"w{(number * 7919 + k * k) % 4001}" for k in range(80))
            text = f"{words}</think>{samples[number % 4]['completion'].partition('</think>')[2]} {words[:60]}"
            place = {"step": number // 64, "group": number // 8 % 8, "sample": number % 8, "kept": number % 5 > 0}
            file.write(json.dumps({**samples[number % 4], "completion": text, **place}) + "\n")
    page = write_report(folder)
    assert page.stat().st_size < 15_000_000
    assert len(Page(page.read_text(encoding="utf-8")).rollouts) == MANY
    browser = visit(page)
    said, _ = browser.value("filter({kept: 'dropped'})")
    assert found(said) == MANY // 5
    assert said.endswith("page 1 of 200")
    searched, _ = browser.value("filter({text: 'W4000 '})")
    browser.value("filter({text: 'w3999 '})")
    assert 0 < found(searched) < MANY
    assert browser.value("cards()") == 20
    assert browser.value("document.querySelectorAll('*').length") < 4_000
