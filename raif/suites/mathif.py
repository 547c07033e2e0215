"""MathIF (Fu et al. 2025): mathematical problems with one to three constraints on the answer.

HAcc is the share of items with every constraint followed, SAcc the mean share of constraints followed (eq. 1), over all
items alike. Correctness is graded on the answer by `rewards.math_answer`, with and without the constraints.

Parity judges what the official harness judges, unfinished thinking included. Strict judges the answer: thinking that
never closes leaves none, so every constraint is violated and the answer wrong. An answer that the cap cuts off is
judged as far as it goes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from raif.evaluation import stats
from raif.evaluation.records import CONSTRAINED, UNCONSTRAINED, Check, EvaluatedRollout, Item, Output
from raif.suites.checked_suite import CheckedSuite
from raif.suites.judged import official_outcomes, strict_outcomes
from raif.suites.rates import (
    CheckRules,
    Outcome,
    Profiles,
    answers,
    by_check_group,
    by_label,
    by_profile,
    joint,
    known,
    over_items,
    truncated,
    unit,
)
from raif.suites.reading import BenchmarkRow
from raif.suites.splits import mathif_text
from rewards.errors import RaifError
from rewards.math_answer import MathVerifier
from rewards.parity.importers import MATHIF_REQUEST
from rewards.response import Response

SECONDS_PER_ANSWER = 5.0
_SOURCES = {
    "MATH-500": "math500",
    "simplerl-minerva-math": "minerva",
    "simplerl-OlympiadBench": "olympiad",
}
#: The groups of the paper's table of constraints, by what stands before the colon of an id.
FAMILIES = {
    "length_constraint_checkers": "length",
    "keywords": "lexical",
    "language": "lexical",
    "detectable_format": "format",
    "change_case": "format",
    "punctuation": "format",
    "combination": "affix",
    "startend": "affix",
}
_PROFILES: Profiles = {
    "parity": {"hacc": lambda r: r.official_hard, "sacc": lambda r: r.official_soft},
    "strict": {"hacc": lambda r: r.hard, "sacc": lambda r: r.soft},
}
_CHECKS: CheckRules = {"parity": {"followed": official_outcomes}, "strict": {"followed": strict_outcomes}}
_HARD: dict[str, Outcome] = {"strict": lambda r: r.hard, "parity": lambda r: r.official_hard}


def make(ceiling: str = "") -> MathIF:
    """Return the suite; `ceiling` is a file of compliant responses, see `CheckedSuite`."""
    return MathIF(ceiling)


class MathIF(CheckedSuite):
    """The MathIF benchmark, or other rows of its schema.

    Rows may have a `problem`, which items of the same question share, and a `witness`; both are optional.
    """

    name = "mathif"
    home = "TingchenFu/MathIF"
    top_p = 0.95
    columns = ("source", "question", "answer", "constraint_desc", "constraint_name", "constraint_args")
    loose = False
    arms = (CONSTRAINED, UNCONSTRAINED)

    def item(self, row: BenchmarkRow) -> Item:
        """Make the item `FILE/INDEX`; the ids of the rows themselves repeat."""
        columns = row.columns
        names, arguments, texts = (columns[f"constraint_{part}"] for part in ("name", "args", "desc"))
        for name in ("question", "source"):
            if not isinstance(columns[name], str):
                raise RaifError(f"its {name} is {columns[name]!r}, no text")
        if not all(isinstance(part, list) for part in (names, arguments, texts)):
            raise RaifError("constraint_name, constraint_args and constraint_desc must be lists")
        if not all(isinstance(text, str) for text in texts):
            raise RaifError(f"its descriptions {texts!r} are no texts")
        if not len(names) == len(arguments) == len(texts):
            raise RaifError(f"it has {len(names)} names, {len(arguments)} args and {len(texts)} descriptions")
        if columns["answer"] is None:
            raise RaifError("its answer is null; every problem needs one to compare with")
        bare = columns["question"] + MATHIF_REQUEST
        return Item(
            id=f"{row.file}/{row.index}",
            prompt=bare + " ".join(texts),  # the official harness puts no blank between the three parts
            bare_prompt=bare,
            question=columns["question"],
            constraint_texts=tuple(texts),
            checks=tuple(Check(name, given or {}) for name, given in zip(names, arguments, strict=True)),
            answer=str(columns["answer"]),
            labels={"source": _source(columns["source"]), "count": str(len(names))},
            problem=None if columns.get("problem") is None else str(columns["problem"]),
        )

    def official_text(self, text: str) -> str:
        return mathif_text(text)

    def measure(self, rollouts: Sequence[EvaluatedRollout]) -> dict[str, dict[str, Any]]:
        """Return HAcc and SAcc of both profiles with their intervals."""
        return by_profile(rollouts, _PROFILES)

    def grade(self, outputs: Sequence[Output], responses: Sequence[Response]) -> list[bool | None]:
        found: list[bool | None] = [None] * len(outputs)
        graded = [index for index, output in enumerate(outputs) if output.item.answer is not None]
        verifier = MathVerifier(workers=2, deadline=SECONDS_PER_ANSWER * max(4, len(graded)))
        pairs = [(outputs[index].item.answer or "", responses[index].answer) for index in graded]
        for index, verdict in zip(graded, verifier.judge(pairs), strict=True):
            found[index] = verdict
        verifier.close()
        return found

    def summarize(self, items: Sequence[Item], rollouts: Sequence[EvaluatedRollout]) -> dict[str, Any]:
        """Return the metrics. An item without constraints counts as unconstrained, and has no HAcc and SAcc."""
        shown = [r for r in rollouts if r.arm == CONSTRAINED]
        main, bare = [r for r in shown if r.official], [r for r in rollouts if not r.official]

        def beside(members: Sequence[EvaluatedRollout]) -> dict[str, Any]:
            problems = {unit(r) for r in members}
            without = [r for r in bare if unit(r) in problems]
            return {**answers(members), **correctness_change(without, [r for r in members if r.official])}

        return {
            **self.measure(main),
            "correct": known(over_items(main, lambda r: r.correct)),
            **correctness_change(bare, main),
            **joint(main, _HARD),
            "truncated_unconstrained": known(truncated(bare)),
            **self.common(items, main),
            "baselines": self.baselines(items),
            "groups": {
                **by_label(shown, self.measure, beside),
                "constraint": by_check_group(main, _CHECKS, lambda check: check.constraint, beside),
                "family": by_check_group(main, _CHECKS, lambda check: family(check.constraint), beside),
            },
        }

    def baselines(self, items: Sequence[Item]) -> dict[str, Any]:
        """Return what responses score that follow nothing: the right answer alone, and after the question."""
        texts = {
            "boxed answer": {item.id: f"\\boxed{{{item.answer}}}" for item in items},
            "question and boxed answer": {item.id: f"{item.question}\n\\boxed{{{item.answer}}}" for item in items},
        }
        return {name: self._values(self._fixed(items, each)) for name, each in texts.items()}

    def item_record(self, rollout: EvaluatedRollout) -> dict[str, Any]:
        """Return what the exported JSON says of one judged response."""
        return {
            "id": rollout.instruction_id,
            "sample": rollout.sample,
            "arm": rollout.arm,
            "parity": {
                "followed": official_outcomes(rollout),
                "hard": rollout.official_hard,
                "soft": rollout.official_soft,
                "undecided": [check.reason for check in rollout.official if check.strict is None],
            },
            "strict": {
                "followed": [leaf.status for leaf in rollout.verdicts],
                "evidence": [leaf.evidence for leaf in rollout.verdicts],
                "hard": rollout.hard,
                "soft": rollout.soft,
            },
            "correct": rollout.correct,
            "truncated": rollout.truncated,
            "labels": rollout.labels,
        }


def family(constraint: str) -> str:
    """Return the paper's group of an official id: length, lexical, format or affix.

    Example:
        >>> family("startend:quotation")
        'affix'
    """
    return FAMILIES[constraint.partition(":")[0]]


def correctness_change(before: Sequence[EvaluatedRollout], after: Sequence[EvaluatedRollout]) -> dict[str, Any]:
    """Compare correctness without and with constraints on the same problems, joined by problem (else by item).

    Without constraints the items of a problem have one prompt, so their answers are samples of one item. McNemar's test
    needs one answer to each problem on either side; else its record is None.
    """
    without, with_them = _by_problem(before), _by_problem(after)
    shared = [key for key in with_them if key in without]
    first = [sum(without[key]) / len(without[key]) for key in shared]
    second = [sum(with_them[key]) / len(with_them[key]) for key in shared]
    single = bool(shared) and all(len(without[key]) == len(with_them[key]) == 1 for key in shared)
    test = stats.mcnemar([bool(x) for x in first], [bool(x) for x in second]) if single else None
    return {
        "correct_unconstrained": known(stats.rate(*_flat(without))),
        "correct_change": known(stats.paired_gain(first, second)),
        "correct_change_test": test and test._asdict(),
    }


def _by_problem(rollouts: Sequence[EvaluatedRollout]) -> dict[str, list[bool]]:
    found: dict[str, list[bool]] = {}
    for rollout in rollouts:
        if rollout.correct is not None:
            found.setdefault(unit(rollout), []).append(rollout.correct)
    return found


def _flat(outcomes: Mapping[str, Sequence[bool]]) -> tuple[list[str], list[bool]]:
    pairs = [(key, value) for key, values in outcomes.items() for value in values]
    return [key for key, _ in pairs], [value for _, value in pairs]


def _source(name: str) -> str:
    last = PurePosixPath(name).name
    return _SOURCES.get(last, last.lower())
