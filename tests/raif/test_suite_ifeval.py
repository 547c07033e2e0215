"""IFEval and IFBench: the published figures, the harnesses' ways with a response, loose variants, and positions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from raif.evaluation.records import EvaluatedRollout, Item, Output
from raif.suites import suite
from raif.suites.ifeval import IFEval
from rewards.errors import RaifError

ACCURACIES = ("prompt_strict", "instruction_strict", "prompt_loose", "instruction_loose")
NO_COMMA: tuple[str, dict[str, Any]] = ("punctuation:no_comma", {})
TITLE: tuple[str, dict[str, Any]] = ("detectable_format:title", {})
SPAN = ("repeat:repeat_span", {"prompt_to_repeat": "Say it.", "n_start": 0, "n_end": 2})


def frequency(word: str, count: int) -> tuple[str, dict[str, Any]]:
    return "keywords:frequency", {"keyword": word, "frequency": count, "relation": "at least"}


def row(key: int | str, *checks: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    names, kwargs = [name for name, _ in checks], [arguments for _, arguments in checks]
    return {"key": key, "prompt": f"Say it. {key}", "instruction_id_list": names, "kwargs": kwargs}


def load(folder: Path, *rows: dict[str, Any], name: str = "ifeval", **options: str) -> tuple[IFEval, list[Item]]:
    (folder / "input_data.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    found = suite(name, **options)
    assert isinstance(found, IFEval)
    return found, found.load(str(folder))


def judged(ifeval: IFEval, items: list[Item], texts: list[str]) -> list[EvaluatedRollout]:
    return ifeval.judge([Output(item, "constrained", 0, text) for item, text in zip(items, texts, strict=True)])


# ---- published figures


def stored(name: str, file: str, shared_dir: Path) -> tuple[dict[str, Any], list[EvaluatedRollout]]:
    """Judge the responses that a benchmark publishes, joined by prompt."""
    folder = shared_dir / "data" / name
    found = suite(name)
    items = found.load(str(folder))  # the responses lie beside the items
    lines = (folder / file).read_text(encoding="utf-8").split("\n")
    responses = {r["prompt"].strip(): r["response"] for r in map(json.loads, filter(None, lines))}
    # One prompt of IFEval was edited after the responses were published: the one left over on either side.
    edited = [item.prompt.strip() for item in items if item.prompt.strip() not in responses]
    left = set(responses) - {item.prompt.strip() for item in items}
    if len(edited) == len(left) == 1:
        responses[edited[0]] = responses.pop(left.pop())
    matched = [item for item in items if item.prompt.strip() in responses]
    rollouts = found.judge([Output(item, "constrained", 0, responses[item.prompt.strip()]) for item in matched])
    return found.summarize(matched, rollouts), rollouts


def test_the_sample_output_of_ifbench_gets_the_official_figures(shared_dir: Path) -> None:
    metrics, rollouts = stored("ifbench", "sample_output.jsonl", shared_dir)
    assert len(rollouts) == 293
    assert [round(metrics["parity"][name], 4) for name in ACCURACIES] == [0.2594, 0.2754, 0.2935, 0.3204]
    assert metrics["unscored"]["parity"] == 0
    assert metrics["parity_bounds"] == {}


def test_gpt4_on_ifeval_gets_the_published_figures_but_for_two_random_checks(shared_dir: Path) -> None:
    metrics, rollouts = stored("ifeval", "gpt4_responses_20231107.jsonl", shared_dir)
    assert len(rollouts) == 541
    # Both items ask for a "letter" that is none; the official code counts a random one instead, anew for every verdict.
    assert set(metrics["undecided"]) == {"1122", "1129"}
    assert metrics["unscored"]["parity"] == 2
    for name, followed, whole in zip(ACCURACIES, (416, 697, 429, 712), (541, 834, 541, 834), strict=True):
        low, high = metrics["parity_bounds"][name]  # the published figure is a count between the two
        assert round(low * whole) <= followed <= round(high * whole) == round(low * whole) + 2
        assert metrics["parity"][name] == pytest.approx(followed / whole, abs=0.003)
    impossible = {"1627", "3369", "3371", "3718", "374"}
    assert set(metrics["unsatisfiable"]) == impossible
    assert not any(r.official_hard for r in rollouts if r.instruction_id in impossible)
    assert sum(group["n"] for group in metrics["groups"]["count"].values()) == 541
    assert [metrics["groups"]["position"][place]["n"] for place in "123"] == [541, 236, 57]
    assert len(metrics["groups"]["constraint"]) == 25
    assert abs(metrics["strict"]["prompt_strict"] - metrics["parity"]["prompt_strict"]) < 0.02


# ---- protocols


THOUGHT = "<think>First, I plan.</think>\n<answer>It is said.</answer>"


@pytest.mark.parametrize(
    ("protocol", "judged_text"),
    [
        ("google", THOUGHT),
        ("lm-eval", "<answer>It is said.</answer>"),
        ("open-instruct", "It is said."),
    ],
)
def test_thinking_is_removed_as_each_harness_does(tmp_path: Path, protocol: str, judged_text: str) -> None:
    end = ("startend:end_checker", {"end_phrase": "It is said."})
    ifeval, items = load(tmp_path, row(1, NO_COMMA, end), protocol=protocol)
    assert ifeval.official_text(THOUGHT) == judged_text
    (rollout,) = judged(ifeval, items, [THOUGHT])
    assert [check.strict for check in rollout.official] == ["," not in judged_text, judged_text.endswith("said.")]
    assert rollout.verdicts[0].status == "satisfied"  # strict has one rule of its own
    assert ifeval.versions["protocol"] == protocol


def test_lm_eval_drops_arguments_that_are_zero(tmp_path: Path) -> None:
    for protocol, strict in (("google", True), ("open-instruct", True), ("lm-eval", None)):
        ifbench, items = load(tmp_path, row("286", SPAN), name="ifbench", protocol=protocol)
        (rollout,) = judged(ifbench, items, ["say"])
        assert rollout.official[0].strict is strict
        assert ("n_start" in rollout.official[0].reason) == (strict is None)
        metrics = ifbench.summarize(items, [rollout])
        assert metrics["parity"]["prompt_strict"] == (None if strict is None else 1)


def test_a_protocol_must_be_known() -> None:
    with pytest.raises(RaifError, match="did you mean 'lm-eval'"):
        suite("ifbench", protocol="lmeval")


# ---- accuracies


def test_four_accuracies_by_hand(tmp_path: Path) -> None:
    ifeval, items = load(tmp_path, row(1, NO_COMMA, TITLE), row(2, NO_COMMA), row(3, NO_COMMA))
    texts = ["Sure, here it is:\n<<It>> is said.", "It is said.", "It is, indeed, said."]
    rollouts = judged(ifeval, items, texts)
    metrics = ifeval.summarize(items, rollouts)
    for profile in ("parity", "strict"):  # without its first line, the first response has no comma
        assert {name: metrics[profile][name] for name in ACCURACIES} == {
            "prompt_strict": 1 / 3, "instruction_strict": 2 / 4, "prompt_loose": 2 / 3, "instruction_loose": 3 / 4
        }  # fmt: skip
        assert all(metrics[profile][f"{name}_ci"] is None for name in ACCURACIES)
        groups = metrics["groups"]
        assert groups["constraint"][NO_COMMA[0]][profile]["followed"] == 1 / 3
        assert groups["constraint"][NO_COMMA[0]][profile]["followed_loose"] == 2 / 3
        assert groups["family"]["detectable_format"][profile]["followed"] == 1
        assert groups["position"]["2"][profile]["followed"] == 1
        assert groups["count"]["1"][profile]["prompt_loose"] == 0.5
    assert metrics["floor"]["parity"]["instruction_strict"] == 3 / 4
    record = ifeval.item_record(rollouts[0])
    assert record["parity"]["followed"] == [False, True]
    assert record["strict"]["followed"] == ["violated", "satisfied"]
    assert record["parity"]["prompt_loose"] is record["strict"]["prompt_loose"] is True
    assert json.loads(json.dumps(record)) == record


def test_checks_of_one_id_are_told_apart_by_position(tmp_path: Path) -> None:
    ifeval, items = load(tmp_path, row(1, frequency("sun", 1), frequency("moon", 1), frequency("sun", 9)))
    (rollout,) = judged(ifeval, items, ["sun and sun"])
    assert [check.strict for check in rollout.official] == [True, False, False]
    assert [leaf.path for leaf in rollout.verdicts] == ["and.0", "and.1", "and.2"]
    metrics = ifeval.summarize(items, [rollout])
    assert metrics["parity"]["instruction_strict"] == metrics["strict"]["instruction_strict"] == 1 / 3
    assert metrics["groups"]["constraint"]["keywords:frequency"]["n"] == 1
    assert [metrics["groups"]["position"][place]["parity"]["followed"] for place in "123"] == [1, 0, 0]


def test_keys_may_repeat_and_be_of_any_kind(tmp_path: Path) -> None:
    rows = [row(7, NO_COMMA), row("7", NO_COMMA), row("7#2", NO_COMMA), row("a", NO_COMMA), row(7, NO_COMMA)]
    _, items = load(tmp_path, *rows)
    ids = [item.id for item in items]
    assert ids[0] == "7"
    assert ids[2:4] == ["7#2", "a"]
    assert len(set(ids)) == 5


def test_intervals_of_both_levels_hold_their_value(tmp_path: Path) -> None:
    ifeval, items = load(tmp_path, *(row(n, NO_COMMA, frequency("sun", 1)) for n in range(40)))
    rollouts = judged(ifeval, items, ["sun", "sun, sun", "moon", "moon, moon"] * 10)
    metrics = ifeval.summarize(items, rollouts)
    for name, value in (("prompt_strict", 0.25), ("instruction_strict", 0.5)):
        low, high = metrics["strict"][f"{name}_ci"]
        assert low < metrics["strict"][name] == value < high
    assert "40 items" in metrics["power"]
    assert EvaluatedRollout.model_validate_json(rollouts[1].model_dump_json()) == rollouts[1]


def test_a_data_set_with_fixed_columns_has_null_for_arguments_that_are_not_there(tmp_path: Path) -> None:
    name, given = frequency("sun", 1)
    ifeval, items = load(tmp_path, row(1, (name, {**given, "num_words": None, "frequency": 1.0})))
    (rollout,) = judged(ifeval, items, ["sun"])
    assert rollout.official_hard is rollout.hard is True
