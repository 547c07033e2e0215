"""A benchmark of one's own: JSON lines of a prompt, yes/no questions and a longest answer, in as little as it takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from raif.benchmarks.figures import Breakdown, Figure
from raif.benchmarks.items import Question, QuestionItem, QuestionVerdict, conversation
from raif.benchmarks.loading import locate, make_items, read_rows
from raif.benchmarks.protocol import Benchmark


def make() -> Benchmark:
    """Return the adapter."""
    return Seventh()


class Seventh(Benchmark):
    """Letters to customers."""

    name: ClassVar[str] = "letters"
    title: ClassVar[str] = "Letters"
    where: ClassVar[str] = "Give letters.jsonl."
    figures: ClassVar[tuple[Figure, ...]] = (
        Figure("followed", "Followed", "satisfied"),
        Figure("by_tone", "Mean over tones", "satisfied", nest=("tone",)),
    )
    breakdowns: ClassVar[tuple[Breakdown, ...]] = (Breakdown("kind", "Kind", (Figure("followed", "", "by_kind"),)),)

    def load(self, data: str, language: str = "") -> list[QuestionItem]:
        path = locate(data, ("letters.jsonl",), self.where)
        return make_items(path, read_rows(path), _item, self.title)

    def by_rule(self, item: QuestionItem, answer: str) -> dict[str, QuestionVerdict]:
        words = len(answer.split())
        value = float(words <= item.context["words"])
        return {"length": QuestionVerdict(id="length", value=value, reason=f"{words} words", official=value)}


def _item(row: Mapping[str, Any], number: int) -> QuestionItem:
    asked = [
        Question(id=str(index), text=text, depends_on=("length",), labels={"kind": ("content",)})
        for index, text in enumerate(row["questions"])
    ]
    limit = Question(id="length", text="Is it short enough?", by="rule", labels={"kind": ("length",)})
    return QuestionItem(
        id=str(number),
        prompt=row["prompt"],
        conversation=conversation(row["prompt"]),
        questions=(limit, *asked),
        labels={"tone": row["tone"]},
        context={"words": row["words"]},
    )
