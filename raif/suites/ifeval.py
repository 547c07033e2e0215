"""IFEval (Zhou et al. 2023), and what IFBench shares with it: four accuracies over prompts and instructions.

Prompt level: the share of prompts with every instruction followed. Instruction level: followed instructions of all.
Loose: an instruction counts as followed if one of eight variants of the response follows it; the strict profile has
loose accuracies too, of the same variants of its answer. Instructions are told apart by their position in the prompt,
never by their id, which may repeat.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from raif.evaluation.records import Check, EvaluatedRollout, Item
from raif.suites.checked_suite import CheckedSuite
from raif.suites.checking import all_followed
from raif.suites.judged import official_outcomes, strict_outcomes
from raif.suites.rates import (
    CheckRule,
    CheckRules,
    Profiles,
    answers,
    by_check_group,
    by_check_rule,
    by_label,
    by_profile,
)
from raif.suites.reading import BenchmarkRow
from raif.suites.splits import harness
from rewards.errors import RaifError

_RULES: dict[str, dict[str, CheckRule]] = {
    "parity": {"strict": official_outcomes, "loose": partial(official_outcomes, protocol="loose")},
    "strict": {"strict": strict_outcomes, "loose": lambda r: r.loose},
}


def _all(rule: CheckRule) -> Callable[[EvaluatedRollout], bool | None]:
    return lambda rollout: all_followed(rule(rollout))


_PROMPTS: Profiles = {
    profile: {f"prompt_{name}": _all(rule) for name, rule in rules.items()} for profile, rules in _RULES.items()
}
_INSTRUCTIONS: CheckRules = {
    profile: {f"instruction_{name}": rule for name, rule in rules.items()} for profile, rules in _RULES.items()
}
_GROUPED: CheckRules = {
    profile: {"followed": rules["strict"], "followed_loose": rules["loose"]} for profile, rules in _RULES.items()
}


def make(protocol: str = "google", ceiling: str = "") -> IFEval:
    """Return the suite; its options are those of `IFEval`."""
    return IFEval(protocol, ceiling)


class IFEval(CheckedSuite):
    """The IFEval benchmark.

    Args:
        protocol: whose rules prepare a response: `google` leaves the thinking in, `lm-eval` removes it and drops every
            argument that is 0 or empty, `open-instruct` removes it together with answer tags.
        ceiling: see `CheckedSuite`.
    """

    name = "ifeval"
    home = "google/IFEval"
    columns = ("prompt", "instruction_id_list", "kwargs")
    loose = True

    def __init__(self, protocol: str = "google", ceiling: str = "") -> None:
        super().__init__(ceiling)
        self.harness = harness(protocol)
        self.versions["protocol"] = self.options["protocol"] = protocol

    def item(self, row: BenchmarkRow) -> Item:
        columns = row.columns
        names, arguments = columns["instruction_id_list"], columns["kwargs"]
        if len(names) != len(arguments):
            raise RaifError(f"it names {len(names)} instructions but holds {len(arguments)} kwargs")
        return Item(
            id=str(columns.get("key", row.index)),
            prompt=columns["prompt"],
            question=columns["prompt"],
            checks=tuple(Check(name, _given(kwargs)) for name, kwargs in zip(names, arguments, strict=True)),
            labels={"count": str(len(names))},
        )

    def official_text(self, text: str) -> str:
        return self.harness.text(text)

    def keeps(self, value: Any) -> bool:
        return self.harness.keeps(value)

    def measure(self, rollouts: Sequence[EvaluatedRollout]) -> dict[str, dict[str, Any]]:
        """Return the four accuracies of both profiles with their intervals."""
        prompts, instructions = by_profile(rollouts, _PROMPTS), by_check_rule(rollouts, _INSTRUCTIONS)
        return {profile: {**prompts[profile], **instructions[profile]} for profile in prompts}

    def summarize(self, items: Sequence[Item], rollouts: Sequence[EvaluatedRollout]) -> dict[str, Any]:
        """Return the metrics."""
        return {
            **self.measure(rollouts),
            **self.common(items, rollouts),
            "groups": {
                **by_label(rollouts, self.measure, answers),
                "constraint": by_check_group(rollouts, _GROUPED, lambda check: check.constraint, answers),
                "family": by_check_group(rollouts, _GROUPED, lambda check: check.constraint.partition(":")[0], answers),
                "position": by_check_group(rollouts, _GROUPED, lambda check: check.position, answers),
            },
        }

    def item_record(self, rollout: EvaluatedRollout) -> dict[str, Any]:
        """Return what the exported JSON says of one judged response."""
        parity, strict = (
            {
                "followed": rules["strict"](rollout),
                "followed_loose": list(rules["loose"](rollout)),
                "prompt_strict": all_followed(rules["strict"](rollout)),
                "prompt_loose": all_followed(rules["loose"](rollout)),
            }
            for rules in _RULES.values()
        )
        undecided = [check.reason for check in rollout.official if check.strict is None]
        statuses = {
            "followed": [leaf.status for leaf in rollout.verdicts],
            "evidence": [leaf.evidence for leaf in rollout.verdicts],
        }
        return {
            "id": rollout.instruction_id,
            "sample": rollout.sample,
            "arm": rollout.arm,
            "parity": {**parity, "undecided": undecided},
            "strict": {**strict, **statuses},
            "correct": rollout.correct,
            "truncated": rollout.truncated,
            "labels": rollout.labels,
        }


def _given(kwargs: dict[str, Any] | None) -> dict[str, Any]:
    """Return the arguments of one instruction; in data sets with fixed columns the others are null."""
    return {key: value for key, value in (kwargs or {}).items() if value is not None}
