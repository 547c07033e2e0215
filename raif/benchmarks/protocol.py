"""What an adapter offers: items, the coroutine that judges an answer, and what the figures are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple

from raif.benchmarks.figures import Breakdown, Figure, ScoreRow
from raif.benchmarks.items import QuestionItem, QuestionRollout, QuestionVerdict, resolve
from raif.benchmarks.judging import Judging, one_by_one
from rewards.constraint import Status
from rewards.errors import RaifError


class Asking(NamedTuple):
    """How a judge is asked.

    Fields:
        official: repeat what the published code does where ours differs (cut inputs, no second try).
        prompts: the benchmark's own prompt texts by file name, where the user has them; ours are used for the rest.
    """

    official: bool = False
    prompts: Mapping[str, str] = MappingProxyType({})


class Stored(NamedTuple):
    """Published answers, with the judge's replies or verdicts where they are there too.

    Fields:
        outputs: the answer by item id; a list where there are several.
        replies: the judge's raw reply by item id and call name.
        decided: verdicts by item id, where only these and no replies were kept.
            Where the answers to one item were judged apart, both have "ID|SAMPLE" in place of the id.
        judge: who gave them.
    """

    outputs: Mapping[str, str | list[str]]
    replies: Mapping[tuple[str, str], str] = MappingProxyType({})
    decided: Mapping[str, list[QuestionVerdict]] = MappingProxyType({})
    judge: str = ""


class Benchmark:
    """Base of the adapters; an adapter is stateless apart from its options.

    Class attributes:
        name, title: as in commands, and as in tables.
        home: its data set on the hub, "" if there is none.
        where: what a user is told who has no data: which file, and where to get it.
        judged: whether any question needs a judge.
        reply_tokens: room for a reply of the judge.
        languages: choices of `--language`, the default first; empty where the benchmark has one language.
        figures: headline first.
        breakdowns: what figures are shown by.
        prompt_names: file stems of the benchmark's own prompt texts that `--judge-prompts` may bring.
        citation: paper and version of the code that the official profile repeats.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    home: ClassVar[str] = ""
    where: ClassVar[str]
    judged: ClassVar[bool] = True
    reply_tokens: ClassVar[int] = 1024
    languages: ClassVar[tuple[str, ...]] = ()
    figures: ClassVar[tuple[Figure, ...]] = (Figure("drfr", "DRFR", "satisfied"),)
    breakdowns: ClassVar[tuple[Breakdown, ...]] = ()
    prompt_names: ClassVar[tuple[str, ...]] = ()
    citation: ClassVar[str] = ""

    def load(self, data: str, language: str = "") -> list[QuestionItem]:
        """Read the official files at a folder, a file, or a hub data set.

        Raises:
            RaifError: if they are not there (it says where to get them) or are of another version.
        """
        raise NotImplementedError

    def edition(self, items: Sequence[QuestionItem]) -> str:
        """Name the edition of the item file, such as "v3 (591 items)"."""
        return f"{len(items)} items"

    def judging(self, item: QuestionItem, answer: str, asking: Asking) -> Judging:
        """Judge an answer as the benchmark does; by default rules first, then question by question."""
        return one_by_one(item, answer, self.by_rule(item, answer))

    def by_rule(self, item: QuestionItem, answer: str) -> dict[str, QuestionVerdict]:
        """Return the verdicts that need no judge, by question id."""
        return {}

    def rows(self, item: QuestionItem, rollout: QuestionRollout, *, official: bool) -> Iterable[ScoreRow]:
        """Return what one answer adds to the figures, under one profile.

        By default `satisfied`, a row a question after dependencies, labelled as the item, and `by_LABEL` for the
        question's own labels.
        """
        return _question_rows(item, rollout)

    def scores(
        self, items: Sequence[QuestionItem], rollouts: Sequence[QuestionRollout], *, official: bool
    ) -> list[ScoreRow]:
        """Return what the figures are made of, under one profile; by default the rows of each answer."""
        by_id = {item.id: item for item in items}
        return [row for r in rollouts for row in self.rows(by_id[r.instruction_id], r, official=official)]

    def stored(self, place: Path, items: Sequence[QuestionItem]) -> Stored:
        """Read published answers and verdicts.

        Raises:
            RaifError: if they are of another form, or belong to other items.
        """
        raise RaifError(f"{self.title} has no published verdicts that could be read; give an evaluation folder.")

    def note(self, metrics: Mapping[str, Any]) -> str:
        """Say what a reader must know to compare the headline with published figures."""
        return ""


def _question_rows(item: QuestionItem, rollout: QuestionRollout) -> Iterator[ScoreRow]:
    for question, status in zip(item.questions, resolve(item.questions, rollout.answers), strict=True):
        if status is not Status.SKIPPED:
            counted = (float(status is Status.SATISFIED), 1.0)
            yield ScoreRow(item.id, {"satisfied": counted}, item.labels)
            for label, values in question.labels.items():
                for value in values:
                    yield ScoreRow(item.id, {f"by_{label}": counted}, {label: value})
