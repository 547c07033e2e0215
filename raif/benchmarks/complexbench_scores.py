"""What ComplexBench's figures are made of: judgements after dependencies, by question, by label and by sibling group.

Items of one selection tree are siblings: they share a group, and are resampled together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from raif.benchmarks.figures import Breakdown, Figure, ScoreRow
from raif.benchmarks.items import Question, QuestionItem, QuestionRollout, QuestionVerdict, resolve
from rewards.constraint import Status

UNKNOWN = 2.0  # what the published code gives a rule that it does not know: no success, and no failure either
_TYPES = {
    "Lexical": ("Word Matching", "Keywords"),
    "Structure": (
        "JSON Format", "Markdown Format", "Bullets Format", "Length", "Start with", "End with", "Punctuation",
        "Template",
    ),
    "Semantic": ("Language Style", "Personalization", "Topic", "Sentiment"),
    "Utility": ("Helpfulness", "Target Language", "Supportiveness", "Consistency", "Factuality"),
}  # fmt: skip
TYPE_OF = {dimension: kind for kind, dimensions in _TYPES.items() for dimension in dimensions}
OF_ITEM = ("group_category", "category", "task", "nested")
_DRFR, _BY_LABEL = Figure("drfr", "DRFR", "drfr"), Figure("drfr", "DRFR", "by_label")
FIGURES = (
    _DRFR,
    *(
        Figure(f"{depth}_{name}", f"{depth.capitalize()} selection, {title}", name, where={"depth": depth})
        for depth in ("single", "multiple")
        for name, title in (("origin", "items"), ("coherent", "trees"), ("drop", "relative drop"))
    ),
)
BREAKDOWNS = (
    Breakdown("group_category", "Composition", (_DRFR,)),
    Breakdown("category", "Composition and depth", (_DRFR,)),
    Breakdown("nested", "Nested compositions", (_DRFR,)),
    Breakdown("task", "Task", (_DRFR,)),
    Breakdown("type", "Constraint type", (_BY_LABEL,)),
    Breakdown("dimension", "Constraint dimension", (_BY_LABEL,)),
    Breakdown("composition", "Composition of the question", (_BY_LABEL,)),
)


class Family(NamedTuple):
    """Items of one group: how many the file has, how deep the selection is ("" for none), and the stratum of draws.

    Depth and size are the benchmark's choice: within such a stratum, every draw has as many items and as many groups.
    """

    unit: str
    depth: str
    size: int
    stratum: str


def direct(questions: Sequence[Question], verdicts: Sequence[QuestionVerdict]) -> list[float]:
    """Return judgements as published: 0 if a direct prerequisite has 0 in its own judgement, else the own judgement.

    Example:
        >>> chain = [Question(id="0", text=""), Question(id="1", text="", depends_on=("0",)),
        ...          Question(id="2", text="", depends_on=("1",))]
        >>> direct(chain, [QuestionVerdict(id=str(n), value=v, official=v) for n, v in enumerate((0, 1, 1))])
        [0.0, 0.0, 1.0]
    """
    own = {verdict.id: verdict.official or 0.0 for verdict in verdicts}
    return [0.0 if any(own[need] == 0 for need in each.depends_on) else own[each.id] for each in questions]


def transitive(questions: Sequence[Question], verdicts: Sequence[QuestionVerdict]) -> list[float]:
    """Return 1 where a question and all that it rests on are satisfied, else 0; unreadable counts as not satisfied."""
    return [float(status is Status.SATISFIED) for status in resolve(questions, verdicts)]


def score_rows(items: Sequence[QuestionItem], rollouts: Sequence[QuestionRollout], *, official: bool) -> list[ScoreRow]:
    """Return a row a question, a row a label of a question, and a row a whole group of siblings (and sample)."""
    by_id = {item.id: item for item in items}
    judged = {rollout.instruction_id for rollout in rollouts}
    families = _families([item for item in items if item.id in judged])
    rows: list[ScoreRow] = []
    whole: dict[tuple[Family, int], list[bool]] = defaultdict(list)
    for rollout in rollouts:
        item = by_id[rollout.instruction_id]
        judgements = (direct if official else transitive)(item.questions, rollout.answers)
        family = families[_unit(item)]
        rows += [row for pair in zip(item.questions, judgements, strict=True) for row in _of(item, family, *pair)]
        if item.labels["group"]:
            whole[family, rollout.sample].append(0 not in judgements)
    return rows + _group_rows({key: held for key, held in whole.items() if len(held) == key[0].size})


def _unit(item: QuestionItem) -> str:
    return item.labels["group"] or f"item {item.id}"


def _families(items: Sequence[QuestionItem]) -> dict[str, Family]:
    members: dict[str, list[QuestionItem]] = defaultdict(list)
    for item in items:
        members[_unit(item)].append(item)
    return {unit: _family(unit, siblings) for unit, siblings in members.items()}


def _family(unit: str, siblings: Sequence[QuestionItem]) -> Family:
    """Describe siblings; the first one says how deep the tree is: how many of its questions test a selection."""
    first = siblings[0]
    size = first.context.get("siblings", 1)
    selections = sum("Selection" in question.labels.get("composition", ()) for question in first.questions)
    depth = ("", "single", "multiple")[min(selections, 2)]
    return Family(unit, depth, size, f"{first.labels['group_category']} {depth} {len(siblings)} of {size}")


def _of(item: QuestionItem, family: Family, question: Question, judgement: float) -> list[ScoreRow]:
    """Return the rows of a question: one that is pooled, and one for each of its labels."""
    labels = {label: item.labels[label] for label in OF_ITEM}
    rows = [ScoreRow(family.unit, {"drfr": (float(judgement == 1), 1.0)}, labels, family.stratum)]
    held = {"by_label": (float(judgement != 0), 1.0)}  # an unknown rule holds here and does not hold above: published
    for dimension in question.labels.get("dimension", ()):
        kinds = {"dimension": dimension, "type": TYPE_OF.get(dimension, "Others")}
        rows.append(ScoreRow(family.unit, held, kinds, family.stratum))
    for composition in question.labels.get("composition", ()):
        rows.append(ScoreRow(family.unit, held, {"composition": composition}, family.stratum))
    return rows


def _group_rows(whole: Mapping[tuple[Family, int], Sequence[bool]]) -> list[ScoreRow]:
    """Return what sibling groups add: satisfied items, satisfied groups, and the relative drop between the two shares.

    With O of N items and C of G groups satisfied, drop = (O/N - C/G) / (O/N) = sum(o*G - c*N) / sum(o*G) over groups
    with o satisfied items of which c = 1 if all are. Strata keep N and G the same in every draw.
    """
    items, groups = defaultdict[str, int](int), defaultdict[str, int](int)
    for (family, _), satisfied in whole.items():
        items[family.depth] += len(satisfied)
        groups[family.depth] += 1
    rows = []
    for (family, _), satisfied in whole.items():
        if family.depth:
            some, every = float(sum(satisfied)), float(all(satisfied))
            reached = some * groups[family.depth]
            values = {
                "origin": (some, float(len(satisfied))),
                "coherent": (every, 1.0),
                "drop": (reached - every * items[family.depth], reached),
            }
            rows.append(ScoreRow(family.unit, values, {"depth": family.depth}, family.stratum))
    return rows
