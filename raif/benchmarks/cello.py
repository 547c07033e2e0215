"""CELLO (He et al. 2024): four criteria of complex instructions in Chinese, all judged by rules.

An item asks for some of the criteria. A task's score is the mean over the criteria of the mean over its items, so a
criterion weighs the same however few items have it; the tasks are averaged within two groups.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from raif.benchmarks.figures import Breakdown, Figure, ScoreRow
from raif.benchmarks.items import Question, QuestionItem, QuestionRollout, QuestionVerdict
from raif.benchmarks.judging import Judging, nothing_asked
from raif.benchmarks.loading import check_columns, folder_of, id_of, make_items, read_rows, shown, stored_text, text_of
from raif.benchmarks.protocol import Asking, Benchmark, Stored
from rewards.benchmarks.cello import CelloRules, parse_rules, score
from rewards.errors import RaifError

INSTRUCTION = ("extraction", "Planning", "meta_prompt", "brainstorming_single_round", "writing_single_round")
INPUT = (
    "keywords_extraction", "closed_qa", "Summarization", "Structure_hard", "Structure_simple", "Structure_None",
    "brainstorming_multi_rounds", "writing_multi_rounds",
)  # fmt: skip
FILES = INSTRUCTION + INPUT
CRITERIA = {
    "format": "the format of the answer",
    "input": "the parts of the input that the answer must take up",
    "phrases": "the phrases that the task prescribes",
    "count": "the counts and lengths",
}
_EXPECTED = 523
_NEST = ("group", "task", "file", "criterion")
_CELLS = Figure("average", "Average", "criterion", nest=_NEST)


def make() -> Cello:
    """Return the adapter."""
    return Cello()


class Cello(Benchmark):
    """The adapter of CELLO."""

    name: ClassVar[str] = "cello"
    title: ClassVar[str] = "CELLO"
    where: ClassVar[str] = "Give the folder `data` of the repository Abbey4799/CELLO, with its 13 JSON files."
    judged: ClassVar[bool] = False
    figures: ClassVar[tuple[Figure, ...]] = (
        _CELLS,
        Figure("complex_instruction", "Complex instruction", "criterion", {"group": "instruction"}, _NEST),
        Figure("complex_input", "Complex input", "criterion", {"group": "input"}, _NEST),
        *(
            Figure(key, f"{key.capitalize()}", "criterion", {"criterion": key}, ("file",))
            for key in CRITERIA
        ),
    )  # fmt: skip
    breakdowns: ClassVar[tuple[Breakdown, ...]] = (
        Breakdown("task", "Task", (Figure("score", "Score", "criterion", nest=("file", "criterion")),)),
    )
    citation: ClassVar[str] = "CELLO, arXiv 2309.09150; Abbey4799/CELLO@5430aa1"

    def load(self, data: str, language: str = "") -> list[QuestionItem]:
        if Path(data).is_file():
            raise RaifError(f"{data} is a file; a score needs all {len(FILES)}. {self.where}")
        folder = _with_all_files(folder_of(data, self.where), self.where)
        found: list[QuestionItem] = []
        for name in FILES:
            path = folder / f"{name}.json"
            found += make_items(path, read_rows(path), lambda row, _, name=name: _item(row, name), self.title)
        repeated = [key for key, count in Counter(item.id for item in found).items() if count > 1]
        if repeated:
            raise RaifError(f"{folder} holds {len(repeated)} items twice (first: {repeated[0]}). {self.where}")
        return found

    def edition(self, items: Sequence[QuestionItem]) -> str:
        return f"{len(items)} items" if len(items) == _EXPECTED else f"{len(items)} of {_EXPECTED} items"

    def judging(self, item: QuestionItem, answer: str, asking: Asking) -> Judging:
        return nothing_asked(self.by_rule(item, answer).values())

    def by_rule(self, item: QuestionItem, answer: str) -> dict[str, QuestionVerdict]:
        rules = CelloRules.model_validate(item.context["rules"])
        given = {"previous": item.context["previous"], "input_text": item.context["input_text"]}
        strict = score(rules, answer, **given)
        official = score(rules, answer, **given, official=True)
        return {
            key: QuestionVerdict(
                id=key,
                value=strict[key].value,
                applies=strict[key].value is not None,
                reason=strict[key].evidence,
                official=official[key].value,
            )
            for key in CRITERIA
        }

    def scores(
        self, items: Sequence[QuestionItem], rollouts: Sequence[QuestionRollout], *, official: bool
    ) -> list[ScoreRow]:
        """Return a row for each criterion of an answer; officially each answer counts, else each item."""
        by_id = {item.id: item for item in items}
        samples = Counter(rollout.instruction_id for rollout in rollouts)
        return [
            row
            for rollout in rollouts
            for row in _rows(
                by_id[rollout.instruction_id], rollout, official, 1 if official else samples[rollout.instruction_id]
            )
        ]

    def stored(self, place: Path, items: Sequence[QuestionItem]) -> Stored:
        """Read a model's folder of res_*.json files; one published item was answered three times."""
        known = {item.id for item in items}
        answers: dict[str, list[str]] = {}
        for path in _results(place):
            for number, row in enumerate(read_rows(path)):
                where, needs = f"{path}, row {number}", ("Instruction_id", "model_answer")
                check_columns(row, needs, where, " and ".join(needs))
                if (key := str(row["Instruction_id"])) not in known:
                    raise RaifError(f"{where} answers {key[:60]}, which is no item of this data.")
                answers.setdefault(key, []).append(stored_text(row, "model_answer", where))
        return Stored(answers, judge="rules")

    def note(self, metrics: Mapping[str, Any]) -> str:
        return (
            "The published scores compare a revised answer with itself, so that every demand to revise is met; only "
            "the parity profile does."
        )


# ---- parts --------------------------------------------------------------------------------------------------------


def _with_all_files(place: Path, where: str) -> Path:
    """Return the folder that holds all files: the one given, or `data` in it."""
    lacking = {
        folder: [name for name in FILES if not (folder / f"{name}.json").is_file()]
        for folder in (place, place / "data")
    }
    folder, missing = min(lacking.items(), key=lambda pair: len(pair[1]))
    if missing:
        raise RaifError(f"{place} lacks {len(missing)} of the {len(FILES)} files, first {missing[0]}.json. {where}")
    return folder


def _results(place: Path) -> list[Path]:
    """Return the files of a model's answers, in the order of the benchmark's files."""
    if not place.is_dir():
        raise RaifError(f"{place} is a file; give the folder of one model, which holds its files res_*.json.")
    if found := [path for name in FILES for path in sorted(place.glob(f"res_{name}.json*"))]:
        return found
    models = sorted({path.parent for path in place.glob("*/res_*.json*")})
    such = f", such as {models[0]}" if models else f", with files such as res_{FILES[0]}.json"
    raise RaifError(f"no res_*.json of CELLO in {place}; give the folder of one model{such}.")


def _item(row: Mapping[str, Any], file: str) -> QuestionItem:
    histories = row["histories"]
    if not isinstance(histories, list) or any(not isinstance(said, list) or len(said) != 2 for said in histories):
        raise RaifError(f"its histories is {shown(histories)}; expected a list of pairs, user and assistant.")
    turns = [
        {"role": role, "content": text}
        for said in histories
        for role, text in zip(("user", "assistant"), said, strict=True)
    ]
    asked = text_of(row, "Instruction")
    questions = [Question(id=key, text=text, by="rule", labels={"criterion": (key,)}) for key, text in CRITERIA.items()]
    text = row["input_text"] if isinstance(row["input_text"], str) else ""
    return QuestionItem(
        id=id_of(row, "Instruction_id"),
        prompt=asked,
        conversation=(*turns, {"role": "user", "content": asked}),
        questions=tuple(questions),
        language="zh",
        labels={"file": file, "task": file.partition("_")[0] if file.startswith("Structure") else file},
        context={
            "rules": parse_rules(row).model_dump(mode="json"),
            "previous": histories[-1][1] if histories else None,
            "input_text": text,
        },
    )


def _rows(item: QuestionItem, rollout: QuestionRollout, official: bool, samples: int) -> list[ScoreRow]:
    labels = {**item.labels, "group": "instruction" if item.labels["file"] in INSTRUCTION else "input"}
    values = {answer.id: answer.official if official else answer.value for answer in rollout.answers}
    return [
        ScoreRow(item.id, {"criterion": (value / samples, 1 / samples)}, {**labels, "criterion": key}, labels["file"])
        for key, value in values.items()
        if value is not None
    ]
