"""ComplexBench (Wen et al. 2024): composed constraints, asked one by one, each resting on others.

Questions without a rule are asked of the judge; for those with one the judge copies out the part of the answer that
the rule is then applied to. DRFR is the share of questions that hold together with all that they rest on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from raif.benchmarks.complexbench_prompts import (
    CHINESE,
    ENGLISH,
    EVALUATOR,
    EXTRACTOR,
    EXTRACTOR_EACH,
    official_answer,
    prompt_text,
    read_answer,
    wording,
)
from raif.benchmarks.complexbench_scores import BREAKDOWNS, FIGURES, UNKNOWN, score_rows
from raif.benchmarks.figures import Breakdown, Figure, ScoreRow
from raif.benchmarks.items import Question, QuestionItem, QuestionRollout, QuestionVerdict, conversation
from raif.benchmarks.judging import Judging, Steps, readable, together, user_call
from raif.benchmarks.loading import (
    id_of,
    list_of,
    locate,
    make_items,
    read_rows,
    shown,
    stored_rows,
    stored_text,
    stored_verdicts,
    text_of,
)
from raif.benchmarks.protocol import Asking, Benchmark, Stored
from rewards.benchmarks.complexbench import official_rule, official_spans, parse_rule, read_spans
from rewards.errors import RaifError

ITEMS = 1150  # of the official file
_FILES = ("data_final.json", "data_release.json", "data/data_final.json", "data/data_release.json")


def make() -> ComplexBench:
    """Return the adapter."""
    return ComplexBench()


class ComplexBench(Benchmark):
    """The adapter of ComplexBench."""

    name: ClassVar[str] = "complexbench"
    title: ClassVar[str] = "ComplexBench"
    where: ClassVar[str] = (
        "Give data_final.json (1,150 items with instruction, scoring_questions, category), or its earlier release "
        "data_release.json, from the folder data of the repository thu-coai/ComplexBench. Answer files and lists of "
        "instructions hold no questions, and cannot take its place."
    )
    reply_tokens: ClassVar[int] = 8192  # an extraction may repeat the whole answer
    prompt_names: ClassVar[tuple[str, ...]] = (EVALUATOR, EXTRACTOR, EXTRACTOR_EACH)
    languages: ClassVar[tuple[str, ...]] = ("zh", "en")
    figures: ClassVar[tuple[Figure, ...]] = FIGURES
    breakdowns: ClassVar[tuple[Breakdown, ...]] = BREAKDOWNS
    citation: ClassVar[str] = "ComplexBench, arXiv 2407.03978; thu-coai/ComplexBench@749f457"

    def load(self, data: str, language: str = "") -> list[QuestionItem]:
        path = locate(data, _FILES, self.where)
        rows = read_rows(path)
        if bare := [number for number, row in enumerate(rows) if not row.get("scoring_questions")]:
            raise RaifError(
                f"{path} is no item file of ComplexBench: {len(bare)} of its {len(rows)} rows (the first: row "
                f"{bare[0]}) have no scoring_questions. {self.where}"
            )
        sizes = Counter(str(row.get("group") or "") for row in rows)
        make_one = partial(_item, language=language or self.languages[0], sizes=sizes)
        return make_items(path, rows, make_one, self.title)

    def edition(self, items: Sequence[QuestionItem]) -> str:
        return f"{ITEMS:,} items" if len(items) == ITEMS else f"{len(items):,} items (the official file has {ITEMS:,})"

    def judging(self, item: QuestionItem, answer: str, asking: Asking) -> Judging:
        """Ask all questions at once, each in a call of its own."""
        return together([_STEPS[question.by](item, answer, question, asking) for question in item.questions])

    def scores(
        self, items: Sequence[QuestionItem], rollouts: Sequence[QuestionRollout], *, official: bool
    ) -> list[ScoreRow]:
        return score_rows(items, rollouts, official=official)

    def stored(self, place: Path, items: Sequence[QuestionItem]) -> Stored:
        """Read rows of main_id with the answer (generated, or output) and, judged, point_judges.

        Both files that the published code writes are of this form: the answers, and the final results.
        """
        known = {item.id: item for item in items}
        outputs: dict[str, str] = {}
        decided: dict[str, list[QuestionVerdict]] = {}
        expected = "main_id and generated or output, and point_judges for verdicts"
        for item, row, where in stored_rows(place, known, self.title, ("main_id",), expected):
            if not {"generated", "output", "point_judges"} & row.keys():
                raise RaifError(
                    f"{where} holds neither an answer nor verdicts, only {', '.join(row)}; expected {expected}."
                )
            answers = [stored_text(row, name, where) for name in ("output", "generated") if name in row]
            outputs[item.id] = next(filter(None, answers), "")
            if "point_judges" in row:
                decided[item.id] = _decided(item, row, where)
        return Stored(outputs, decided=decided, judge=place.name)

    def note(self, metrics: Mapping[str, Any]) -> str:
        return (
            "Published ComplexBench figures look at direct prerequisites alone (the parity profile); ours count a "
            "question only if everything below it holds too."
        )


# ---- loading ------------------------------------------------------------------------------------------------------


def _item(row: Mapping[str, Any], number: int, language: str, sizes: Mapping[str, int]) -> QuestionItem:
    prompt, group = _text(row, "instruction", language), str(row.get("group") or "")
    category, points, methods = text_of(row, "category"), list_of(row, "scoring_questions"), row["composition_types"]
    if not isinstance(methods, list):
        raise RaifError(f"its composition_types is {shown(methods)}; expected a list.")
    return QuestionItem(
        id=id_of(row, "main_id"), prompt=prompt, conversation=conversation(prompt), language=language,
        questions=tuple(_question(place, given, language) for place, given in enumerate(points)),
        labels={
            "category": category,
            "group_category": category.split("_")[0],
            "task": row["task_types"],
            "nested": "_".join(sorted(map(str, methods))),
            "group": group,
        },
        context={"siblings": sizes[group]} if group else {},
    )  # fmt: skip


def _question(place: int, given: Any, language: str) -> Question:
    """Make a question; `dep` holds places in the list, as the published code reads it."""
    if not isinstance(given, Mapping):
        raise RaifError(f"entry {place} of its scoring_questions is {shown(given)}; expected an object.")
    for name in ("constraint_dimensions", "composition_types", "dep"):
        if not isinstance(given[name], list):
            raise RaifError(f"{name} of question {place} is {shown(given[name])}; expected a list.")
    rule = given["rule"]
    if not isinstance(rule, str | None):
        raise RaifError(f"rule of question {place} is {shown(rule)}; expected a text or null.")
    if rule is not None:
        parse_rule(rule)
    labels = {"dimension": tuple(given["constraint_dimensions"]), "composition": tuple(given["composition_types"])}
    return Question(
        id=str(place), text=_text(given, "question", language), by="judge" if rule is None else "extract", rule=rule,
        depends_on=tuple(map(str, given["dep"])), labels={label: values for label, values in labels.items() if values},
    )  # fmt: skip


def _text(row: Mapping[str, Any], name: str, language: str) -> str:
    if language == "en" and not row.get(f"{name}_en"):
        raise RaifError(f"it has no {name}_en; take data_final.json, which is translated, or --language zh")
    return text_of(row, f"{name}_en" if language == "en" else name)


# ---- judging ------------------------------------------------------------------------------------------------------


def _judged(item: QuestionItem, answer: str, question: Question, asking: Asking) -> Steps[QuestionVerdict]:
    """Ask for a yes or no."""
    form = wording(item, asking, EVALUATOR)
    forms = (CHINESE,) if item.language == "zh" else (form, ENGLISH, CHINESE)  # kept replies may be to another prompt
    call = user_call(question.id, prompt_text(item, answer, question, asking, EVALUATOR))
    yes, replies = yield from readable(call, read_answer, "" if asking.official else form.again)
    return QuestionVerdict(
        id=question.id, value=None if yes is None else float(yes), reason=replies[-1],
        official=float(official_answer(replies[0], forms)),
    )  # fmt: skip


def _extracted(item: QuestionItem, answer: str, question: Question, asking: Asking) -> Steps[QuestionVerdict]:
    """Ask for the part of the answer that a question is about, and apply its rule to it."""
    rule = parse_rule(question.rule or "")
    kind = EXTRACTOR_EACH if rule.each else EXTRACTOR
    form = wording(item, asking, kind)
    call = user_call(question.id, prompt_text(item, answer, question, asking, kind))
    read = partial(read_spans, answer=answer, each=rule.each)
    spans, replies = yield from readable(call, read, "" if asking.official else form.again_spans)
    published = official_rule(rule.text, official_spans(replies[0], answer, each=rule.each))
    # an "error", where the published code stops, is no success
    official = UNKNOWN if published == "unknown" else float(published is True)
    if spans is None:
        return QuestionVerdict(id=question.id, value=None, reason=replies[-1], official=official)
    held, evidence = rule.check(spans)
    return QuestionVerdict(id=question.id, value=float(held), reason=evidence, official=official)


_STEPS = {"judge": _judged, "extract": _extracted}


# ---- stored verdicts ----------------------------------------------------------------------------------------------


def _decided(item: QuestionItem, row: Mapping[str, Any], where: str) -> list[QuestionVerdict]:
    """Return stored verdicts: true or false; 2 of a rule that the published code did not know, null of no verdict."""
    count = len(item.questions)
    given = stored_verdicts(row["point_judges"], "point_judges", count, where, (True, False, 2, None))
    reasons = row.get("point_explanations") or ["stored"] * count
    if not isinstance(reasons, list) or len(reasons) != count:
        raise RaifError(f"{where}: point_explanations is {shown(reasons)}; expected one for each of {count} questions.")
    return [
        QuestionVerdict(
            id=question.id, value=None if said in (UNKNOWN, None) else float(said), reason=str(reason),
            official=float(said or 0),
        )
        for question, said, reason in zip(item.questions, given, reasons, strict=True)
    ]  # fmt: skip
