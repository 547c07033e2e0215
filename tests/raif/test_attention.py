"""The analysis of a SUSTAIN folder: spans, rows, controls, resumption, the command and its errors."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from random import Random

import pytest
import torch
from typer.testing import CliRunner

from data_gen.experts import WarmStartRow
from raif.attention.reading import Reading
from raif.attention.records import AttentionRow, AttentionSettings, Evaluation
from raif.attention.runner import RESULT, ROWS, SETTINGS, analyze, read_rows, select
from raif.attention.spans import PromptSpans, prompt_spans, random_spans
from raif.chat import ChatFormat
from raif.commands.analyze import analyze_app
from raif.sustain.runner import load_sustain
from raif.tiny import TinyRecipe, build_policy
from rewards.errors import RaifError
from tests import forked
from tests.raif.attention_support import (
    FIRST_TEXT,
    NEUTRAL,
    SECOND_TEXT,
    evaluation,
    mixed,
    save_seeking,
    save_uniform,
    tokenizer,
    write,
)

ALL = AttentionSettings()
SYSTEM = f"Add 0 and 1 to it. {FIRST_TEXT}"  # the text in question, where it does not count


@pytest.fixture(scope="module")
def uniform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_uniform(tmp_path_factory.mktemp("uniform"))


@pytest.fixture(scope="module")
def seeking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_seeking(tmp_path_factory.mktemp("seeking"), odds=4.0)


def sums(number: int, fails: bool) -> str:
    return f"I add {number}{' !' * 8 if fails else ' and so'}</think>The sum is {2 * number + 1}."


def rows_of(found: Evaluation, model: Path, settings: AttentionSettings, out: Path) -> list[AttentionRow]:
    analyze(found, str(model), out, settings, device="cpu")
    return read_rows(out / ROWS)


# ---- spans --------------------------------------------------------------------------------------------------------


def test_spans_are_the_tokens_of_the_text_and_leave_out_the_template(uniform: Path) -> None:
    found = evaluation(uniform, mixed(1, sums), demands=2, system=SYSTEM)
    reading = Reading(found, str(uniform), AttentionSettings(dose=2), "cpu")
    (spans, neutral) = reading.locate(found.rollouts)
    words = reading.chat.tokenizer
    assert [words.decode([spans.ids[i] for i in part]).strip() for part in spans.parts] == [FIRST_TEXT, SECOND_TEXT]
    assert words.decode([spans.ids[i] for i in spans.turn]) == found.rollouts[0].prompt
    assert spans.constraint == sorted({*spans.parts[0], *spans.parts[1]})
    assert 0 not in spans.turn
    assert words.decode([neutral.ids[i] for i in neutral.constraint]).strip() == NEUTRAL
    rendered = reading.chat.thinking_prompt(
        [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": found.rollouts[0].prompt},
        ]
    )
    assert spans.ids == reading.chat.ids([rendered])[0]


def test_a_template_that_strips_or_changes_the_text() -> None:
    words = tokenizer()
    words.chat_template = words.chat_template.replace("message['content']", "message['content'] | trim")
    text = f"  Add it. {FIRST_TEXT}\n"
    begin = text.index(FIRST_TEXT)
    spans = prompt_spans(ChatFormat(words), None, text, [(begin, begin + len(FIRST_TEXT))], "set/1")
    assert words.decode([spans.ids[i] for i in spans.constraint]).strip() == FIRST_TEXT
    words.chat_template = words.chat_template.replace("| trim", "| upper")
    with pytest.raises(RaifError, match="constraint of set/1 is not found in the prompt that the chat template"):
        prompt_spans(ChatFormat(words), None, text, [(begin, begin + len(FIRST_TEXT))], "set/1")


def test_a_constraint_that_the_prompt_does_not_hold_names_the_item(uniform: Path, tmp_path: Path) -> None:
    found = evaluation(uniform, mixed(2, sums))
    text = found.rollouts[2].prompt
    for wrong, message in (
        (text.replace("commas", "dots"), "'Do not use any commas.' of set/1 is not in its prompt"),
        ("Subtract.", "the prompt of set/1 .constrained. is not its task with an added text"),
    ):
        changed = [*found.rollouts]
        changed[2] = changed[2].model_copy(update={"prompt": wrong})
        with pytest.raises(RaifError, match=message):
            analyze(found._replace(rollouts=changed), str(uniform), tmp_path / "out", ALL)
    assert not (tmp_path / "out" / RESULT).exists()


def test_random_spans_lie_outside_and_reach_every_token_equally() -> None:
    turn, taken = list(range(5, 25)), [10, 11, 12]
    spans = random_spans(turn, taken, 100, Random(0))
    assert len(spans) == 17
    counts = {position: sum(position in span for span in spans) for position in turn}
    assert {counts[position] for position in turn if position not in taken} == {3}
    assert {counts[position] for position in taken} == {0}
    assert random_spans(turn, turn[:11], 5, Random(0)) == []
    assert random_spans(turn, taken, 4, Random("a")) == random_spans(turn, taken, 4, Random("a"))


# ---- rows and controls --------------------------------------------------------------------------------------------


def test_a_uniform_model_gives_one_everywhere(uniform: Path, tmp_path: Path) -> None:
    found = evaluation(uniform, mixed(4, sums), demands=2)
    settings = AttentionSettings(dose=2)
    for row in rows_of(found, uniform, settings, tmp_path / "out"):
        assert [row.enrich, row.random_span, *row.per_constraint] == pytest.approx(
            [1.0] * (2 + len(row.per_constraint))
        )
        assert len(row.per_constraint) == (2 if row.arm == "constrained" else 1)
        assert torch.tensor(row.grid).flatten().tolist() == pytest.approx([1.0] * 20, abs=1e-5)
        assert row.share == pytest.approx(row.constraint_tokens / row.prompt_tokens, rel=1e-4)
        assert row.undefined == 0
    reading = Reading(found, str(uniform), settings, "cpu")
    first, spans = found.rollouts[0], reading.locate(found.rollouts[:1])[0]
    lengths = len(spans.ids) + torch.arange(row.output_tokens, dtype=torch.float64)
    again = reading.measure(found.rollouts[-1], reading.locate(found.rollouts[-1:])[0])
    assert again == row
    assert again.alpha == pytest.approx(float((1 / (lengths + _more(reading, first, found))).mean()), rel=1e-3)


def _more(reading: Reading, first: object, found: Evaluation) -> int:
    """Return how much longer the prompt of the last rollout is than that of the first."""
    one, last = reading.locate([found.rollouts[0], found.rollouts[-1]])
    return len(last.ids) - len(one.ids)


def test_the_answer_part_counts_its_own_steps_and_what_has_none_is_counted(seeking: Path, tmp_path: Path) -> None:
    outcomes = mixed(4, lambda i, fails: f"hm{' !' * 9}</think>It is so.")
    outcomes["set/2"] = [("never ends", False, None)]
    outcomes["set/3"] = [("", False, None)]
    found = evaluation(seeking, outcomes)
    whole, answer = (
        rows_of(found, seeking, AttentionSettings(part=part, arms=("constrained",)), tmp_path / part)
        for part in ("all", "answer")
    )
    assert [row.left_out for row in whole] == ["", "", "", "empty"]
    assert [row.left_out for row in answer] == ["", "", "no_answer", "empty"]
    assert answer[0].output_tokens < whole[0].output_tokens
    assert answer[0].enrich == pytest.approx(1.0, abs=1e-4)
    assert whole[0].enrich is not None
    assert whole[0].enrich > 1.2
    record = json.loads((tmp_path / "answer" / RESULT).read_text())
    assert record["left_out"] == {"empty": 1, "no_answer": 1}
    assert (record["n"], record["rollouts"]) == (2, 2)


def test_what_is_longer_than_the_model_knows_is_left_out(uniform: Path, tmp_path: Path) -> None:
    found = evaluation(uniform, {"set/0": [("a b " * 4000, True, True)]})
    assert [row.left_out for row in rows_of(found, uniform, ALL, tmp_path / "out")] == ["too_long"] * 2


def test_an_effect_in_the_model_is_found_and_labels_are_kept_apart(seeking: Path, tmp_path: Path) -> None:
    # `!` looks for the constraint, and stands in the outputs of which the task failed
    record = analyze(evaluation(seeking, mixed(24, sums)), str(seeking), tmp_path / "out", ALL, device="cpu")
    solved, met = record["labels"]["solved"], record["labels"]["met"]
    assert (record["n"], record["layers"], record["deciles"]) == (24, 2, 10)
    assert solved["n"] == [12, 12]
    assert solved["difference"]["low"] > 0.1
    assert solved["p"] == 1 / 10_001
    assert solved["auc"] == 1.0
    assert solved["means"][0]["value"] == pytest.approx(1.0, abs=1e-3)
    assert solved["grid"]["failed"][1][4] > solved["grid"]["sustained"][1][4]
    assert met["n"] == [16, 8]
    assert met["p"] > 0.05
    assert record["controls"]["random_span"]["value"] == pytest.approx(1.0, abs=0.02)
    assert solved["random_span"]["p"] > 0.001
    assert record["controls"]["placebo"]["n"] == 24
    assert record["statement"].startswith("correlational")
    assert solved["matched"]["family"]["difference"] == solved["difference"]


def test_random_spans_centre_on_one_in_a_trained_policy(tmp_path: Path) -> None:
    rows = [
        WarmStartRow(
            instruction_id=str(i), prompt=f"Add {i} and {i + 1} to it.\n\n{FIRST_TEXT}", thinking=f"I add {i}",
            answer=f"The sum is {2 * i + 1}.", hard=True,
        )
        for i in range(160)
    ]  # fmt: skip
    recipe = TinyRecipe(vocab_size=320, hidden_size=32, heads=2, batch_size=8, drill_share=0.0)
    model = build_policy(rows, tmp_path / "policy", recipe=recipe)
    found = evaluation(model, mixed(40, sums))
    record = analyze(found, None, tmp_path / "out", ALL, device="cpu")  # the model that drew
    control = record["controls"]["random_span"]
    assert control["low"] < 1 < control["high"]
    assert control["high"] - control["low"] < 0.04
    single = [row.random_span or 0.0 for row in read_rows(tmp_path / "out" / ROWS)]
    assert max(single) - min(single) > 0.01  # it is no constant
    assert record["notes"] == []


def test_over_all_random_spans_the_mean_is_exactly_one(seeking: Path, tmp_path: Path) -> None:
    found = evaluation(seeking, mixed(3, sums))
    some = rows_of(found, seeking, AttentionSettings(draws=2), tmp_path / "some")
    every = rows_of(found, seeking, AttentionSettings(draws=1000), tmp_path / "every")
    assert [row.random_span for row in every] == pytest.approx([1.0] * len(every), abs=1e-5)
    assert any(abs((row.random_span or 0.0) - 1) > 1e-3 for row in some)


def test_limit_and_arms(uniform: Path) -> None:
    found = evaluation(uniform, mixed(10, sums))
    few = select(found, AttentionSettings(limit=3, arms=("constrained",)))
    assert [rollout.instruction_id for rollout in few] == ["set/0", "set/3", "set/6"]
    with pytest.raises(
        RaifError, match="no solved item has a constrained rollout at dose 3; the evaluation has doses 1 and"
    ):
        select(found, AttentionSettings(dose=3))
    with pytest.raises(RaifError, match="unknown arm 'retests'"):
        select(found, AttentionSettings(arms=("constrained", "retests")))
    with pytest.raises(RaifError, match="leaves out constrained"):
        select(found, AttentionSettings(arms=("placebo",)))
    with pytest.raises(RaifError, match="unknown part 'thinking'"):
        select(found, AttentionSettings(part="thinking"))


# ---- model and folder ---------------------------------------------------------------------------------------------


def test_a_server_needs_weights_and_another_model_is_told(uniform: Path, seeking: Path, tmp_path: Path) -> None:
    found = evaluation(uniform, mixed(2, sums))
    generator = found.metrics["settings"]["generator"]
    served = {**generator, "backend": "openai", "model": "qwen"}
    other = found._replace(metrics={**found.metrics, "settings": {**found.metrics["settings"], "generator": served}})
    with pytest.raises(RaifError, match=r"drawn by openai qwen, which gives no attention; name a folder.* --model"):
        analyze(other, None, tmp_path / "none", ALL)
    said: list[str] = []
    record = analyze(other, str(uniform), tmp_path / "served", ALL, say=said.append)
    assert "drawn by openai qwen" in said[0]
    assert record["notes"] == said
    said.clear()
    analyze(found, str(seeking), tmp_path / "other", ALL, say=said.append)
    assert "digest" in said[0]
    assert generator["digest"] in said[0]


def test_a_killed_analysis_goes_on_to_the_same_bytes(uniform: Path, tmp_path: Path) -> None:
    folder = write(evaluation(uniform, mixed(24, lambda i, fails: sums(i, fails) * 20)), tmp_path / "run")
    once, killed = tmp_path / "once", tmp_path / "killed"
    settings = AttentionSettings()
    analyze(Evaluation(*load_sustain(folder)), None, once, settings, device="cpu")
    process = forked.start("raif", ["analyze", "attention", folder, "--out", killed, "--device", "cpu"])
    until = time.monotonic() + 600
    while not ((killed / ROWS).is_file() and (killed / ROWS).stat().st_size) and time.monotonic() < until:
        time.sleep(0.02)
    forked.killed(process)
    left = (killed / ROWS).read_bytes()
    assert 0 < len(left) < (once / ROWS).stat().st_size
    (killed / ROWS).write_bytes(left + b'{"id": "torn')
    analyze(Evaluation(*load_sustain(folder)), None, killed, settings, device="cpu")
    for name in (ROWS, RESULT, SETTINGS):
        assert (killed / name).read_bytes() == (once / name).read_bytes()
    # all rows are there: no weights are needed to say the same again
    before = (once / RESULT).read_bytes()
    os.remove(once / RESULT)
    analyze(Evaluation(*load_sustain(folder)), None, once, settings, device="cpu")
    assert (once / RESULT).read_bytes() == before
    with pytest.raises(RaifError, match=r"holds another analysis .draws is 3, was 8.; choose another --out"):
        analyze(Evaluation(*load_sustain(folder)), None, once, AttentionSettings(draws=3))
    with pytest.raises(RaifError, match="holds something else than an analysis"):
        analyze(Evaluation(*load_sustain(folder)), None, folder, settings)


def test_the_command_prints_both_labels(uniform: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Path] = []
    monkeypatch.setattr("raif.commands.analyze.plot_and_log", lambda folder, wandb, say: shown.append(folder))
    folder = write(evaluation(uniform, mixed(24, sums)), tmp_path / "run")
    result = CliRunner().invoke(analyze_app, ["attention", str(folder), "--device", "cpu", "--limit", "22"])
    assert result.exit_code == 0, result.output
    for text in (
        "sustained",
        "failed",
        "met",
        "broken",
        "failed less sustained",
        "same length",
        "random span",
        "correlational",
    ):
        assert text in result.output
    assert shown == [folder / "attention"]
    record = json.loads((folder / "attention" / RESULT).read_text())
    assert record["n"] == 22
    assert record["settings"]["limit"] == 22


def test_spans_type_counts_shared_tokens_once() -> None:
    assert PromptSpans([0] * 9, [1, 2, 3, 4], [[1, 2], [2, 3]]).constraint == [1, 2, 3]
