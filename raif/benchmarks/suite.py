"""A benchmark as a suite: judge answers through the referee, or read stored verdicts, and summarise both profiles."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from raif.benchmarks.answers import Answer, AnswerJudge
from raif.benchmarks.figures import ScoreRow, estimates, record_of
from raif.benchmarks.items import Question, QuestionItem, QuestionRollout, resolve
from raif.benchmarks.judging import AGAIN, Judged
from raif.benchmarks.protocol import Asking, Benchmark, Stored
from raif.benchmarks.quality import kinship
from raif.benchmarks.referee import Bar, Referee
from raif.chat import Messages
from raif.evaluation.records import CONSTRAINED, EvaluatedRollout, Item, Output
from raif.evaluation.stats import power_note, record
from raif.rollouts import Rollout
from raif.suites.judged import bookkeeping
from raif.suites.rates import known, over_items, truncated
from raif.suites.splits import Divided, divide
from rewards.constraint import Verdict
from rewards.errors import RaifError, unknown_name
from rewards.judgement import Judgement, LeafVerdict
from rewards.reward import Reward

CALLS, SCORES = "judge_calls.jsonl", "scores.jsonl"
PROFILES = {"strict": False, "parity": True}
MODES = ("benchmark", "question")
LEAST = 5  # units in every cell of a breakdown's figure: with fewer its interval would be a guess
Rollouts = Sequence[QuestionRollout]


class QuestionSuite:
    """One benchmark, one judge.

    Args:
        benchmark: the adapter.
        referee: None where verdicts are read, or nothing needs a judge.
        stored: verdicts to read in place of asking.
        folder: keeps the judge's replies.
        official: ask as the published code does, and put the parity profile first.
        mode: `benchmark` asks as the benchmark does, `question` asks each question by itself with our own prompt.
        language: one of the benchmark's, the first by default.
        prompts: see `Asking`.
        reference: stored verdicts on the same answers, which the judge's are compared with.
        consistency: so many answers are judged a second time at temperature 0.7.
    """

    top_p = 1.0
    arms: tuple[str, ...] = (CONSTRAINED,)

    def __init__(
        self,
        benchmark: Benchmark,
        *,
        referee: Referee | None = None,
        stored: Stored | None = None,
        folder: Path | None = None,
        official: bool = False,
        mode: str = "benchmark",
        language: str = "",
        prompts: Mapping[str, str] | None = None,
        reference: Stored | None = None,
        consistency: int = 0,
        progress: Bar | None = None,
    ) -> None:
        if mode not in MODES:
            raise unknown_name("judge mode", mode, MODES, "Choose one of them.")
        if language and language not in benchmark.languages:
            has = f"it has {', '.join(benchmark.languages)}" if benchmark.languages else "it has one; leave it out"
            raise RaifError(f"{benchmark.name} has no --language {language}; {has}.")
        _check_prompts(benchmark, prompts or {}, mode)
        self.benchmark, self.referee, self.stored = benchmark, referee, stored
        self.official, self.mode = official, mode
        self.reference, self.consistency = reference, consistency
        # Second tries that were stored are read whichever profile comes first: that changes no figure.
        self.asking = Asking(official and stored is None, dict(prompts or {}))
        self.judging = AnswerJudge(
            benchmark, self.asking, one_by_one=mode == "question", referee=referee, stored=stored, folder=folder,
            progress=progress,
        )  # fmt: skip
        self.language = language or next(iter(benchmark.languages), "")
        self.name, self.home = benchmark.name, benchmark.home
        self.versions = {"benchmark": benchmark.citation}
        self.options = self._options()
        self.policy: dict[str, Any] | None = None  # the identity of the generator that is judged, where known
        self._quality: dict[str, Any] = {}
        self._rows: dict[str, list[ScoreRow]] = {}

    def load(self, data: str) -> list[Item]:
        """Read the items of the chosen language."""
        return list(self.benchmark.load(data, self.language))

    def messages(self, item: Item, arm: str) -> Messages:
        """Return the conversation that the policy continues."""
        return _asks(item).messages

    def judge(self, outputs: Sequence[Output]) -> list[EvaluatedRollout]:
        """Judge answers; one with unclosed or endless thinking has none, and nothing is asked about it."""
        divided = [divide(output) for output in outputs]
        answers = [
            Answer(_asks(output.item), output.sample, parts.response.answer)
            for output, parts in zip(outputs, divided, strict=True)
        ]
        judged = self.judging.judge(answers)
        self._quality = self.judging.compare(answers, self.reference, self.consistency)
        groups = {item_id: n for n, item_id in enumerate(dict.fromkeys(output.item.id for output in outputs))}
        return [
            self._rollout(output, groups[output.item.id], parts, judged[answer.key])
            for output, parts, answer in zip(outputs, divided, answers, strict=True)
        ]

    def records(self, items: Sequence[Item], rollouts: Sequence[EvaluatedRollout]) -> dict[str, list[dict[str, Any]]]:
        """Return what else a folder keeps: every call to the judge, and what the figures are made of."""
        calls = self.judging.calls()
        scores = [{"profile": profile, **row._asdict()} for profile, rows in self._rows.items() for row in rows]
        return {**({CALLS: calls} if calls else {}), SCORES: scores}

    def summarize(self, items: Sequence[Item], rollouts: Sequence[EvaluatedRollout]) -> dict[str, Any]:
        """Return the figures of both profiles, what could not be read, and what the judge cost."""
        asks, judged = [_asks(item) for item in items], [_judged(rollout) for rollout in rollouts]
        tokens = over_items(judged, lambda r: None if r.completion_tokens is None else float(r.completion_tokens))
        self._rows = {
            profile: self.benchmark.scores(asks, judged, official=official) for profile, official in PROFILES.items()
        }
        found = {profile: self._profile(rows) for profile, rows in self._rows.items()}
        metrics: dict[str, Any] = {
            **{profile: figures for profile, (figures, _) in found.items()},
            "kind": "questions",
            "title": self.benchmark.title,
            "headline": {
                "name": self.benchmark.figures[0].name,
                "profile": "parity" if self.official else "strict",
            },
            "figures": [[f.name, f.title, f.percent] for f in self.benchmark.figures],
            "breakdowns": {
                b.title: [[f.name, f.title, f.percent] for f in b.figures] for b in self.benchmark.breakdowns
            },
            "groups": _merged({profile: groups for profile, (_, groups) in found.items()}),
            "unscored": {"strict": sum(a.applies and a.value is None for r in judged for a in r.answers)},
            "judge": self._judge_record(judged),
            "truncated": known(truncated(judged)),
            "unclosed": record(over_items(judged, lambda r: r.unclosed)),
            "no_answer": sum(_is_blank(r) for r in judged),
            "completion_tokens": known(tokens),
            "floor": None,
            "ceiling": None,
            "unsatisfiable": [],
            "edition": self.benchmark.edition(asks),
            "power": power_note(len({rollout.instruction_id for rollout in judged})),
        }
        return {**metrics, "note": self.benchmark.note(metrics)}

    def item_record(self, rollout: EvaluatedRollout) -> dict[str, Any]:
        """Return what the exported JSON says of one judged answer."""
        judged = _judged(rollout)
        statuses = [leaf.status for leaf in judged.verdicts]
        return {
            "id": judged.instruction_id,
            "sample": judged.sample,
            "arm": judged.arm,
            "questions": [
                {**answer.model_dump(), "status": status}
                for answer, status in zip(judged.answers, statuses, strict=True)
            ],
            "truncated": judged.truncated,
            "labels": judged.labels,
        }

    # ---- parts

    def _options(self) -> dict[str, Any]:
        judge = self.referee.identity() if self.referee else None
        texts = hashlib.sha256(json.dumps(self.asking.prompts, sort_keys=True).encode()).hexdigest()[:16]
        return {
            "official": self.official,
            "judge_mode": self.mode,
            "language": self.language,
            "prompts": texts if self.asking.prompts else "",
            "judge": judge,
            "consistency": self.consistency,
            "reference": self.reference.judge if self.reference else None,
            "verdicts": self.stored.judge if self.stored else None,
        }

    def _rollout(self, output: Output, group: int, parts: Divided, judged: Judged) -> QuestionRollout:
        item = _asks(output.item)
        statuses = resolve(item.questions, judged.verdicts)
        leaves = tuple(
            LeafVerdict(f"and.{n}", f"{self.name}:{_kind(question)}", Verdict(status, verdict.reason))
            for n, (question, verdict, status) in enumerate(zip(item.questions, judged.verdicts, statuses, strict=True))
        )
        cut = output.ended is False
        reward = Reward(None, None, {}, None, parts.response.well_formed, cut, Judgement(leaves))
        rollout = QuestionRollout.build(
            reward,
            **bookkeeping(output, group, parts),
            answers=tuple(judged.verdicts),
            replies=judged.replies,
        )
        return _judged(rollout)

    def _profile(self, rows: Sequence[ScoreRow]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return figures and breakdowns of one profile."""
        groups: dict[str, Any] = {}
        for breakdown in self.benchmark.breakdowns:
            values = sorted({row.labels[breakdown.label] for row in rows if breakdown.label in row.labels})
            cells = {value: [row for row in rows if row.labels.get(breakdown.label) == value] for value in values}
            groups[breakdown.title] = {
                value: record_of(estimates(breakdown.figures, members, least=LEAST)) for value, members in cells.items()
            }
        return record_of(estimates(self.benchmark.figures, rows)), groups

    def _judge_record(self, rollouts: Rollouts) -> dict[str, Any] | None:
        if not self.benchmark.judged:
            return None
        told = set(self.stored.decided if self.stored else ())
        asked = [
            answer
            for r in rollouts
            if r.replies or told & {r.instruction_id, f"{r.instruction_id}|{r.sample}"}
            for answer in r.answers
            if answer.applies
        ]
        calls = [call for judged in self.judging.judged.values() for call, _ in judged.asked]
        return {
            "name": self.referee.name if self.referee else (self.stored.judge if self.stored else ""),
            "mode": self.mode,
            "calls": len(calls) if self.stored is None else sum(len(r.replies) for r in rollouts),
            "retries": sum(name.endswith(AGAIN) for r in rollouts for name in r.replies),
            "unreadable": sum(answer.value is None for answer in asked),
            "verdicts": len(asked),
            "prompt_characters": sum(len(m["content"]) for call in calls for m in call.messages),
            "completion_tokens": self.judging.tokens,
            "warning": kinship(self.policy, self.referee.generator.identity()) if self.referee else "",
            **self._quality,
        }


def _check_prompts(benchmark: Benchmark, prompts: Mapping[str, str], mode: str) -> None:
    """Refuse prompt texts that nobody would read."""
    if not prompts:
        return
    if mode == "question":
        raise RaifError("--judge-mode question asks with our own prompt; leave out --judge-prompts.")
    if not benchmark.prompt_names:
        raise RaifError(f"{benchmark.name} takes no prompt texts; leave out --judge-prompts.")
    if not prompts.keys() & {*benchmark.prompt_names}:
        wanted = " or ".join(f"{name}.txt" for name in benchmark.prompt_names)
        raise RaifError(
            f"none of the texts {', '.join(sorted(prompts))} is a prompt of {benchmark.title}; expected {wanted}."
        )


def _kind(question: Question) -> str:
    """Return what verdicts of this kind are counted under: its first label, else how it is answered."""
    return next((values[0] for values in question.labels.values() if values), question.by)


def _is_blank(rollout: QuestionRollout) -> bool:
    return not rollout.response.answer.strip() or rollout.unclosed


def _merged(by_profile: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return groups as {label: {value: {profile: figures}}}."""
    merged: dict[str, Any] = {}
    for profile, groups in by_profile.items():
        for label, values in groups.items():
            for value, figures in values.items():
                cell = merged.setdefault(label, {}).setdefault(value, {})
                cell[profile] = figures
                cell["n"] = max((n for key, n in figures.items() if key.endswith("_n")), default=0)
    return merged


def _asks(item: Item) -> QuestionItem:
    if not isinstance(item, QuestionItem):
        raise RaifError(f"item {item.id} has no questions.")
    return item


def _judged(rollout: Rollout) -> QuestionRollout:
    if not isinstance(rollout, QuestionRollout):
        raise RaifError(f"the rollout of {rollout.instruction_id} holds no answers to questions.")
    return rollout
