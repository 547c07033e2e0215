"""Judge the answers of a run: by rules, by stored replies, or by asking the referee; and compare the judge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

from raif.benchmarks.items import QuestionItem, QuestionVerdict
from raif.benchmarks.judging import Answering, Call, Judged, Judging, drive, nothing_asked, one_by_one
from raif.benchmarks.protocol import Asking, Benchmark, Stored
from raif.benchmarks.quality import AGAIN_TEMPERATURE, agreement
from raif.benchmarks.referee import Bar, Referee
from raif.evaluation.runner import spread
from rewards.errors import RaifError

JUDGEMENTS = "judgements"  # the folder of the judge's replies
PROBE = 8  # answers that are judged first: a judge that nobody can read is noticed before the bill grows
NO_ANSWER = "there is no answer to judge"


class Answer(NamedTuple):
    """An answer to an item, without its thinking; the key "ID|SAMPLE" tells it from the item's other answers."""

    item: QuestionItem
    sample: int
    text: str

    @property
    def key(self) -> str:
        return f"{self.item.id}|{self.sample}"


class AnswerJudge:
    """Judges answers to one benchmark.

    Args:
        benchmark: the adapter.
        asking: how a judge is asked.
        one_by_one: ask each question by itself with our own prompt.
        referee: None where verdicts are read, or nothing needs a judge.
        stored: replies and verdicts to read in place of asking.
        folder: keeps the judge's replies.
    """

    def __init__(
        self,
        benchmark: Benchmark,
        asking: Asking,
        *,
        one_by_one: bool = False,
        referee: Referee | None = None,
        stored: Stored | None = None,
        folder: Path | None = None,
        progress: Bar | None = None,
    ) -> None:
        self.benchmark, self.asking, self.one_by_one = benchmark, asking, one_by_one
        self.referee, self.stored, self.folder, self.progress = referee, stored, folder, progress
        self.judged: dict[str, Judged] = {}
        self.again: dict[str, Judged] = {}
        self.tokens: int | None = None
        self._replied = {key for key, _ in stored.replies} if stored else set[str]()
        self._decided = stored.decided if stored else {}

    def judge(self, answers: Sequence[Answer]) -> dict[str, Judged]:
        """Judge answers; return what came of each, by key.

        Raises:
            RaifError: if a judge is needed and there is none, it cannot be asked, or nothing it says can be read.
        """
        running = {answer.key: self._judging(answer) for answer in answers}
        answering = self._ask if self.stored is None else stored_replies(self.stored)
        found = drive({key: running[key] for key in spread(list(running), PROBE)}, answering)
        if self.stored is None:
            self._check_readable(found)
        found |= drive({key: judging for key, judging in running.items() if key not in found}, answering)
        self.judged = {key: found[key] for key in running}
        return self.judged

    def compare(self, answers: Sequence[Answer], reference: Stored | None, consistency: int) -> dict[str, Any]:
        """Compare the judge's verdicts with stored ones on the same answers, and with its own when asked again.

        Args:
            consistency: so many answers are judged again, at temperature 0.7.
        """
        asked = [answer for answer in answers if self.judged[answer.key].asked]
        own = {answer.key: self.judged[answer.key].verdicts for answer in asked}
        quality: dict[str, Any] = {}
        if reference is not None:
            theirs = AnswerJudge(self.benchmark, Asking(), stored=reference)
            covered = [answer for answer in asked if theirs._covers(answer)]
            quality["agreement"] = agreement(_of_judge(covered, theirs.judge(covered)), own)
        if consistency and self.referee is not None:
            some = spread(asked, consistency)
            self.again = drive({answer.key: self._judging(answer) for answer in some}, self._ask_again)
            said = {key: judged.verdicts for key, judged in self.again.items()}
            quality["consistency"] = agreement(_of_judge(some, self.judged), said)
        return quality

    def calls(self) -> list[dict[str, Any]]:
        """Return every call to the judge with its prompt and its reply, as rows of a file."""
        return [
            {"answer": key, "again": again, "call": call.name, "messages": call.messages, "reply": reply}
            for again, found in ((False, self.judged), (True, self.again))
            for key, judged in found.items()
            for call, reply in judged.asked
        ]

    # ---- parts

    def _judging(self, answer: Answer) -> Judging:
        for key in (answer.key, answer.item.id):
            if key in self._decided:
                return nothing_asked(self._decided[key])
        if self.benchmark.judged and not answer.text.strip() and not self._has_replies(answer):
            return nothing_asked(_nothing_said(answer.item))
        if self.one_by_one:
            return one_by_one(answer.item, answer.text, self.benchmark.by_rule(answer.item, answer.text))
        return self.benchmark.judging(answer.item, answer.text, self.asking)

    def _has_replies(self, answer: Answer) -> bool:
        return not self._replied.isdisjoint({answer.item.id, answer.key})

    def _covers(self, answer: Answer) -> bool:
        return self._has_replies(answer) or not self._decided.keys().isdisjoint({answer.item.id, answer.key})

    def _ask(self, asked: Sequence[tuple[str, Call]]) -> list[str]:
        referee, folder = self._available()
        bar = self.progress(f"{self.benchmark.name} judge", len(asked)) if self.progress else nullcontext()
        with bar as progress:
            replies, tokens = referee.answer(asked, folder / JUDGEMENTS, self.benchmark.reply_tokens, progress)
        self.tokens = (self.tokens or 0) + tokens
        return replies

    def _ask_again(self, asked: Sequence[tuple[str, Call]]) -> list[str]:
        referee, folder = self._available()
        room = self.benchmark.reply_tokens
        return referee.answer(asked, folder / f"{JUDGEMENTS}-again", room, temperature=AGAIN_TEMPERATURE)[0]

    def _available(self) -> tuple[Referee, Path]:
        if self.referee is None or self.folder is None:
            raise RaifError(
                f"{self.benchmark.name} asks a judge; give --judge MODEL@ADDRESS (or a YAML file of judge settings), "
                "or --replay-verdicts with stored verdicts."
            )
        return self.referee, self.folder

    def _check_readable(self, found: Mapping[str, Judged]) -> None:
        """Stop early when no reply of the judge can be read; what came is kept."""
        heard = [judged for judged in found.values() if judged.asked]
        verdicts = [verdict for judged in heard for verdict in judged.verdicts if verdict.applies]
        if len(found) < PROBE or not heard or any(verdict.value is not None for verdict in verdicts):
            return
        referee, folder = self._available()
        replies = [reply for judged in heard for _, reply in judged.asked]
        first = repr(replies[0][:120]) if replies[0] else "empty, or cut off by the cap"
        raise RaifError(
            f"judge {referee.name} cannot be read: none of its {len(replies)} replies on the first {PROBE} answers to "
            f"{self.benchmark.name} holds a verdict (the first: {first}). Take a judge that follows instructions, give "
            "its replies more room (max_tokens), or use --judge-mode question; then the same command goes on with what "
            f"was drawn. To ask this judge again, because its server was at fault, delete {folder / JUDGEMENTS}, where "
            "its replies are kept."
        )


def stored_replies(stored: Stored) -> Answering:
    """Answer from stored replies; what was never asked, such as a second try, has the reply ""."""

    def reply(key: str, name: str) -> str:
        places = ((key, name), (key.rpartition("|")[0], name))
        return next((stored.replies[place] for place in places if place in stored.replies), "")

    return lambda asked: [reply(key, call.name) for key, call in asked]


def _of_judge(answers: Iterable[Answer], judged: Mapping[str, Judged]) -> dict[str, list[QuestionVerdict]]:
    """Return the verdicts that are a judge's; what a rule says by itself is no sign of one."""
    found = {}
    for answer in answers:
        ruled = {question.id for question in answer.item.questions if question.by == "rule"}
        found[answer.key] = [verdict for verdict in judged[answer.key].verdicts if verdict.id not in ruled]
    return found


def _nothing_said(item: QuestionItem) -> list[QuestionVerdict]:
    return [QuestionVerdict(id=question.id, value=0.0, reason=NO_ANSWER, official=0.0) for question in item.questions]
