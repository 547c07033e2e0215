"""ComplexBench: its items, and its published figures from stored verdicts."""

from __future__ import annotations

import json
import random
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raif.benchmarks import benchmark
from raif.benchmarks.complexbench import ComplexBench
from raif.benchmarks.complexbench_scores import direct, score_rows, transitive
from raif.benchmarks.figures import ScoreRow, value_of
from raif.benchmarks.items import Question, QuestionItem, QuestionRollout
from raif.benchmarks.loading import read_rows
from raif.benchmarks.protocol import Stored
from raif.benchmarks.replaying import replay_verdicts
from raif.benchmarks.suite import QuestionSuite
from raif.evaluation.records import CONSTRAINED, Output
from rewards.errors import RaifError
from tests.raif.complexbench_support import BENCHMARK, loaded, point, published_files, row, said, written

pytestmark = pytest.mark.usefixtures("few_draws")  # published figures have no intervals

COLUMNS = {
    "categorized_drfr": ("Composition and depth",),
    "categorized_avg_drfr": ("Composition",),
    "task_types_drfr": ("Task",),
    "nested_methods_drfr": ("Nested compositions",),
    "constraint_types_and_composition_types_acc": ("Constraint type", "Composition of the question"),
    "each_constraint_dimensions_and_composition_types_acc": ("Constraint dimension", "Composition of the question"),
}
COHERENCE = {
    "single_origin": "single_origin_test", "single_coherent": "single_coherent_test",
    "single_drop": "single_relative_drop", "multiple_origin": "multiple_origin_test",
    "multiple_coherent": "multiple_coherent_test", "multiple_drop": "miltiple_relative_drop",
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(shared_dir: Path) -> Path:
    return published_files(shared_dir)


# ---- loading


def test_the_published_item_in_both_languages(folder: Path, tmp_path: Path) -> None:
    published = json.loads((folder / "readme_item.json").read_text(encoding="utf-8"))
    for language, suffix in (("zh", ""), ("en", "_en")):
        (item,) = loaded(tmp_path, published, language=language)
        assert (item.id, item.prompt, item.language) == ("899", published[f"instruction{suffix}"], language)
        assert item.messages == [{"role": "user", "content": item.prompt}]
        points = published["scoring_questions"]
        assert [question.text for question in item.questions] == [each[f"question{suffix}"] for each in points]
        assert [question.rule for question in item.questions] == [each["rule"] for each in points]
        assert [question.by for question in item.questions].count("extract") == 2
        assert item.questions[8].depends_on == ("1",)
        assert item.questions[1].labels == {"dimension": ("Factuality",), "composition": ("Selection",)}
        assert item.labels == {
            "category": "Selection_2", "group_category": "Selection", "task": "Professional Writing",
            "nested": "And_Selection", "group": "complex_instruction_eval_1285",
        }  # fmt: skip
    assert BENCHMARK.edition([item]) == "1 items (the official file has 1,150)"


def test_instructions_without_questions_are_no_item_file(folder: Path) -> None:
    with pytest.raises(RaifError, match=r"1150 of its 1150 rows .* have no scoring_questions. Give data_final.json"):
        BENCHMARK.load(str(folder / "instructions.jsonl"))
    with pytest.raises(RaifError, match=r"holds no data_final.json or .* repository thu-coai/ComplexBench"):
        BENCHMARK.load(str(folder))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_instruction_and_stored_answer_is_read(language: str, folder: Path, tmp_path: Path) -> None:
    rows = [
        row(each["main_id"], point(0), **dict.fromkeys(("instruction", "instruction_en"), each["instruction"]))
        for each in read_rows(folder / "instructions.jsonl")
    ]
    items = loaded(tmp_path, *rows, language=language)
    assert len({item.id for item in items}) == 1150
    assert BENCHMARK.edition(items) == "1,150 items"
    for path in sorted((folder / "outputs").glob("*.gz")):
        stored = BENCHMARK.stored(path, items)
        assert stored.outputs == {str(each["main_id"]): each["generated"] for each in read_rows(path)}
        assert len(stored.outputs) == 1150
        assert not stored.decided


@pytest.mark.parametrize(
    ("bad", "language", "complaint"),
    [
        (row(1, point(0), instruction_en=None), "en", "it has no instruction_en; take data_final.json"),
        (row(1, {**point(0), "question_en": ""}), "en", "it has no question_en"),
        (row(1, point(0, rule="rhyme:[1]")), "zh", "unknown ComplexBench rule 'rhyme'"),
        (row(1, point(0, dep=[3])), "zh", r"depends on \['3'\], which it does not have"),
        (row(1, {**point(0), "rule": 3}), "zh", "rule of question 0 is 3; expected a text or null"),
        (row(1, {key: each for key, each in point(0).items() if key != "rule"}), "zh", "it has no 'rule'"),
        (row(1, {"question": "?"}), "zh", "it has no 'constraint_dimensions'"),
        (row(1, {**point(0), "dep": None}), "zh", "dep of question 0 is null; expected a list"),
        (row(1, point(0), category=None), "zh", "its category is null; expected a text"),
        (row(1, point(0), task_types=4), "zh", "its labels.task is 4: Input should be a valid string"),
        (row(1, point(0), main_id=None), "zh", "its main_id is null; expected a text or a whole number"),
        (row(1, "?"), "zh", 'entry 0 of its scoring_questions is "."; expected an object'),
        (row(1, point(0), instruction=None), "zh", "its instruction is null; expected a text that is not empty"),
        (row(1, {**point(0), "question": " "}), "zh", "its question is .*; expected a text that is not empty"),
    ],
    ids=range(14),
)
def test_rows_of_another_form_are_named(bad: dict[str, Any], language: str, complaint: str, tmp_path: Path) -> None:
    with pytest.raises(RaifError, match=rf"row 1 is no item of ComplexBench: .*{complaint}"):
        loaded(tmp_path, row(0, point(0)), bad, language=language)


# ---- figures


@pytest.mark.parametrize("number", range(3))
def test_stored_verdicts_give_every_published_table(number: int, folder: Path, tmp_path: Path) -> None:
    items = BENCHMARK.load(str(folder / "replay" / "synthetic_items.json"))
    sets = json.loads((folder / "replay" / "synthetic_verdicts_and_official_results.json").read_text(encoding="utf-8"))
    verdicts, expected = sets[number]["verdicts"], sets[number]["official_result"]
    metrics, rollouts = replay_verdicts(BENCHMARK, items, written(tmp_path / "verdicts.json", verdicts))
    assert metrics["parity"]["drfr"] == expected.pop("overall_drfr")
    for ours, theirs in COHERENCE.items():  # ours is one division, theirs three: they may differ in the last digit
        assert metrics["parity"][ours] == pytest.approx(expected.pop(theirs), rel=1e-13, abs=1e-15)
    for theirs, ours in COLUMNS.items():
        table = {key: cell["parity"]["drfr"] for name in ours for key, cell in metrics["groups"][name].items()}
        table = {"Utillity" if key == "Utility" else key: value for key, value in table.items()}
        assert table == expected.pop(theirs)
    assert not expected
    assert len(rollouts) == len(items) == 145
    judged = {found.instruction_id: found for found in rollouts}
    for item, each in zip(items, verdicts, strict=True):
        found = judged[item.id]
        assert isinstance(found, QuestionRollout)
        assert direct(item.questions, found.answers) == each["point_judges_rely"]
    assert 0 < metrics["strict"]["drfr"] < metrics["parity"]["drfr"]


def test_every_pattern_of_the_published_item(folder: Path, tmp_path: Path) -> None:
    published = json.loads((folder / "readme_item.json").read_text(encoding="utf-8"))
    (item,) = loaded(tmp_path, published)
    table = json.loads((folder / "replay" / "readme_item_dependency_table.json").read_text(encoding="utf-8"))
    assert len(table) == 512
    for line in table:
        assert direct(item.questions, said(line["judges"])) == line["rely"]


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Question], list[float | None]]:
    """Draw questions without circles, in any order, and verdicts."""
    size = draw(st.integers(1, 7))
    order = draw(st.permutations(range(size)))
    needs: dict[int, list[int]] = {
        each: draw(st.lists(st.sampled_from(order[:place]), unique=True)) if place else []
        for place, each in enumerate(order)
    }
    questions = [Question(id=str(n), text="?", depends_on=tuple(map(str, needs[n]))) for n in range(size)]
    return questions, draw(st.lists(st.sampled_from([1.0, 1.0, 1.0, 0.0, None]), min_size=size, max_size=size))


@given(graphs())
def test_a_question_counts_only_if_all_below_it_holds(drawn: tuple[list[Question], list[float | None]]) -> None:
    questions, values = drawn

    def below(place: int) -> set[int]:
        return {place}.union(*(below(int(need)) for need in questions[place].depends_on))

    expected = [float(all(values[each] == 1 for each in below(place))) for place in range(len(questions))]
    assert transitive(questions, said(values)) == expected


def test_a_chain_is_broken_for_good_except_in_the_published_code(tmp_path: Path) -> None:
    items = loaded(tmp_path, row(0, point(0), point(1, dep=[0]), point(2, dep=[1])))
    verdicts = written(tmp_path / "verdicts.json", [{"main_id": 0, "point_judges": [False, True, True]}])
    metrics, _ = replay_verdicts(BENCHMARK, items, verdicts)
    assert (metrics["strict"]["drfr"], metrics["parity"]["drfr"]) == (0.0, 1 / 3)


def replayed(folder: Path, points: Sequence[Sequence[Any]], group: str = "g") -> dict[str, Any]:
    """Replay verdicts on one tree of items with a question of selection and one that rests on it."""
    pair = point(0, dimension=["Factuality"], composition=["Selection"]), point(1, dep=[0], dimension=["Length"])
    items = loaded(folder, *(row(number, *pair, group=group) for number in range(len(points))))
    verdicts = [{"main_id": number, "point_judges": each} for number, each in enumerate(points)]
    return replay_verdicts(BENCHMARK, items, written(folder / "verdicts.json", verdicts))[0]


def test_an_unknown_rule_is_neither_met_nor_missed_in_the_published_code(tmp_path: Path) -> None:
    metrics = replayed(tmp_path, [[2, True], [True, 2]])
    assert (metrics["parity"]["drfr"], metrics["strict"]["drfr"]) == (2 / 4, 1 / 4)
    lengths = metrics["groups"]["Constraint dimension"]["Length"]
    assert (lengths["parity"]["drfr"], lengths["strict"]["drfr"]) == (1.0, 0.0)
    assert (metrics["parity"]["single_coherent"], metrics["strict"]["single_coherent"]) == (1.0, 0.0)
    assert metrics["unscored"] == {"strict": 2}


def test_no_drop_without_a_satisfied_item(tmp_path: Path) -> None:
    for profile in (replayed(tmp_path, [[True, False], [False, True]])[name] for name in ("strict", "parity")):
        assert (profile["single_origin"], profile["single_coherent"], profile["single_drop"]) == (0.0, 0.0, None)
        assert profile["multiple_origin"] is profile["multiple_drop"] is None


def test_items_without_a_group_are_no_tree(tmp_path: Path) -> None:
    metrics = replayed(tmp_path, [[True, True], [True, True]], group="")
    assert (metrics["strict"]["drfr"], metrics["strict"]["drfr_n"]) == (1.0, 2)
    assert metrics["strict"]["single_origin"] is None


def test_the_drop_is_that_of_its_two_shares_in_every_draw(folder: Path) -> None:
    items = BENCHMARK.load(str(folder / "replay" / "synthetic_items.json"))
    sets = json.loads((folder / "replay" / "synthetic_verdicts_and_official_results.json").read_text(encoding="utf-8"))
    stored = [rollout(item, each["point_judges"]) for item, each in zip(items, sets[2]["verdicts"], strict=True)]
    rows = score_rows(items, stored, official=True)
    units: dict[str, dict[str, list[ScoreRow]]] = defaultdict(lambda: defaultdict(list))
    for each in rows:
        units[each.stratum][each.unit].append(each)
    rng = random.Random(5)
    for _ in range(20):
        drawn = [
            each._replace(unit=f"{number} {each.unit}")
            for members in units.values()
            for number, unit in enumerate(rng.choices(sorted(members), k=len(members)))
            for each in members[unit]
        ]
        found = {figure.name: value_of(figure, drawn) for figure in BENCHMARK.figures}
        for depth in ("single", "multiple"):
            origin, coherent, drop = (found[f"{depth}_{name}"] for name in ("origin", "coherent", "drop"))
            assert origin
            assert drop == pytest.approx((origin - (coherent or 0)) / origin)


def rollout(item: QuestionItem, values: Sequence[float | None], sample: int = 0) -> QuestionRollout:
    """Return an answer that has these verdicts."""
    suite = QuestionSuite(BENCHMARK, stored=Stored({}, decided={item.id: said(values)}))
    (found,) = suite.judge([Output(item, CONSTRAINED, sample, "好。")])
    assert isinstance(found, QuestionRollout)
    return found


def test_samples_of_siblings_are_trees_of_their_own(tmp_path: Path) -> None:
    ask = point(0, composition=["Selection"])
    items = loaded(tmp_path, row(0, ask, group="g"), row(1, ask, group="g"))
    rollouts = [rollout(item, [held], sample) for sample, held in enumerate((1.0, 0.0)) for item in items]
    rows = score_rows(items, rollouts, official=False)
    found = {figure.name: value_of(figure, rows) for figure in BENCHMARK.figures}
    assert (found["drfr"], found["single_origin"], found["single_coherent"], found["single_drop"]) == (0.5,) * 3 + (
        0.0,
    )


def test_a_tree_of_which_a_part_is_there_is_no_tree(tmp_path: Path) -> None:
    ask = point(0, composition=["Selection"])
    items = loaded(tmp_path, *(row(number, ask, group="gh"[number // 3]) for number in range(5)))
    rollouts = [rollout(item, [held]) for item, held in zip(items, (1.0, 1.0, 0.0, 1.0, 1.0), strict=True)]

    def found(count: int, *lacking: int) -> list[float | None]:
        kept = [rollouts[number] for number in range(count) if number not in lacking]
        rows = score_rows(items[:count], kept, official=False)
        values = {figure.name: value_of(figure, rows) for figure in BENCHMARK.figures}
        return [values[name] for name in ("drfr", "single_origin", "single_coherent", "single_drop")]

    assert found(5) == pytest.approx([4 / 5, 4 / 5, 1 / 2, 3 / 8])
    assert found(2) == [1.0, None, None, None]  # the third sibling is beyond the limit
    assert found(5, 2) == [1.0, 1.0, 1.0, 0.0]  # or has no answer
    assert found(4, 0) == [pytest.approx(2 / 3), None, None, None]


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([{"main_id": 7, "generated": "好。"}], "main_id 7 is no item of this file"),
        ([{"main_id": 0, "generated": "好。"}] * 2, "row 1, main_id 0 is there twice"),
        ([{"main_id": 0}], "neither an answer nor verdicts"),
        ([{"id": 0, "output": "好。"}], "row 0 has no main_id, only id, output; expected main_id and generated"),
        ([{"main_id": 0, "generated": 5}], "row 0, main_id 0: generated is 5; expected a text"),
        ([{"main_id": 0, "point_judges": [True]}], "1 verdicts for 2 questions; they belong to another edition"),
        ([{"main_id": 0, "point_judges": None}], "point_judges is null; expected a list"),
        ([{"main_id": 0, "point_judges": [True, "T"]}], 'verdict "T" is neither true, false, 2 nor null'),
        ([{"main_id": 0, "point_judges": [True, 2], "point_explanations": ["?"]}], "expected one for each of 2"),
    ],
)
def test_stored_verdicts_of_other_items_are_an_error(rows: Any, complaint: str, tmp_path: Path) -> None:
    items = loaded(tmp_path, row(0, point(0), point(1)))
    with pytest.raises(RaifError, match=complaint):
        BENCHMARK.stored(written(tmp_path / "verdicts.json", rows), items)


def test_the_adapter_is_registered() -> None:
    assert isinstance(benchmark("complexbench"), ComplexBench)
