"""Our own instructions: trees of constraints with a task answer, judged by the strict profile."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from data_gen.shards import read_data
from raif.chat import Messages
from raif.evaluation.records import CONSTRAINED, EvaluatedRollout, Item, Output
from raif.evaluation.stats import power_note, record
from raif.suites.judged import bookkeeping
from raif.suites.rates import (
    CheckOutcome,
    Profiles,
    answers,
    by_label,
    by_profile,
    joint,
    known,
    named,
    over_checks,
    over_items,
    unit,
)
from raif.suites.splits import divide
from rewards.caps import LengthCap
from rewards.entries import parse_rewards
from rewards.errors import RaifError
from rewards.instruction import Instruction, prompt_text
from rewards.response import Response
from rewards.reward import ScoredResponse, Scorer

FLOOR_ANSWER = "."
SPLITS = ("train", "test", "test_families", "test_arguments")
_OUTCOME = parse_rewards([{"type": "constraints", "shaping": "fraction"}, {"type": "math_answer"}])
_PROFILES: Profiles = {"strict": {"hacc": lambda r: r.hard, "sacc": lambda r: r.soft}}
Rollouts = Sequence[EvaluatedRollout]


def make(split: str = "test") -> InstructionSuite:
    """Return the suite of one split, or of several joined by commas, or of `all`."""
    splits = SPLITS if split == "all" else tuple(split.split(","))
    for name in splits:
        if name not in SPLITS:
            raise RaifError(f"split {name!r} is unknown; splits are: {', '.join(SPLITS)}; or all of them: all.")
    return InstructionSuite(splits)


class InstructionSuite:
    """Instructions of a data folder or file."""

    name = "instructions"
    home = ""
    top_p = 1.0
    arms = (CONSTRAINED,)

    def __init__(self, splits: Sequence[str]) -> None:
        self.splits = tuple(splits)
        self.versions: dict[str, str] = {}
        self.options: dict[str, str] = {}

    def load(self, data: str) -> list[Item]:
        """Read the instructions of the splits; one that does not exist is an error."""
        found = {split: read_data(Path(data), split) for split in self.splits}
        tasks = [task for part in found.values() for task in part]
        if not tasks:
            raise RaifError(f"{data} holds no instruction of split {', '.join(self.splits)}.")
        return items_of(tasks)

    def messages(self, item: Item, arm: str) -> Messages:
        return _task(item).messages

    def judge(self, outputs: Sequence[Output]) -> list[EvaluatedRollout]:
        """Judge outputs as they stand; one with unclosed thinking has no answer and satisfies nothing."""
        divided = [divide(output) for output in outputs]
        batch = [
            ScoredResponse(_task(output.item), parts.response, output.tokens or 0, output.text)
            for output, parts in zip(outputs, divided, strict=True)
        ]
        rewards = Scorer(_OUTCOME, LengthCap(limit=_longest(outputs), on_truncation="score")).score(batch)
        groups = {item_id: n for n, item_id in enumerate(dict.fromkeys(output.item.id for output in outputs))}
        return [
            EvaluatedRollout.build(reward, **bookkeeping(output, groups[output.item.id], parts))
            for output, parts, reward in zip(outputs, divided, rewards, strict=True)
        ]

    def summarize(self, items: Sequence[Item], rollouts: Rollouts) -> dict[str, Any]:
        """Return HAcc, SAcc, correctness and truncation, over all and by label, with the floor and the ceiling."""
        tasks = [_task(item) for item in items]
        return {
            **_measure(rollouts),
            **answers(rollouts),
            **joint(rollouts, {"strict": lambda r: r.hard}),
            "unscored": {"strict": sum(r.hard is None and bool(r.verdicts) for r in rollouts)},
            "unclosed": record(over_items(rollouts, lambda r: r.unclosed)),
            "well_formed": record(over_items(rollouts, lambda r: r.well_formed)),
            "completion_tokens": known(over_items(rollouts, lambda r: r.completion_tokens)),
            "groups": {**by_label(rollouts, _measure, answers), **_by_leaf(rollouts)},
            **floor_and_ceiling(tasks),
            "unsatisfiable": [],
            "power": power_note(len(items)),
        }

    def records(self, items: Sequence[Item], rollouts: Sequence[EvaluatedRollout]) -> dict[str, list[dict[str, Any]]]:
        """Return nothing: items and rollouts say all."""
        return {}

    def item_record(self, rollout: EvaluatedRollout) -> dict[str, Any]:
        return {
            "id": rollout.instruction_id,
            "sample": rollout.sample,
            "arm": rollout.arm,
            "strict": {
                "hard": rollout.hard,
                "soft": rollout.soft,
                "followed": [leaf.status for leaf in rollout.verdicts],
                "evidence": [leaf.evidence for leaf in rollout.verdicts],
            },
            "correct": rollout.correct,
            "truncated": rollout.truncated,
            "labels": rollout.labels,
        }


def items_of(tasks: Iterable[Instruction]) -> list[Item]:
    """Return instructions as items, labelled by split, language, number of constraints, depth and kinds of nodes."""
    return [
        Item(
            id=task.id,
            prompt=prompt_text(task.prompt),
            question=task.request,
            constraint_texts=tuple(part.text for part in task.sub_instructions),
            labels=_labels(task),
            instruction=task,
        )
        for task in tasks
    ]


def floor_and_ceiling(tasks: Sequence[Instruction]) -> dict[str, Any]:
    """Return what saying nothing earns, and what the witnesses earn; no ceiling where no instruction has one."""
    witnessed = [task for task in tasks if task.witness is not None]
    ceiling = fixed_answer_scores(witnessed, [task.witness or "" for task in witnessed])
    return {
        "floor": {"strict": fixed_answer_scores(tasks, [FLOOR_ANSWER] * len(tasks))},
        "ceiling": {"strict": ceiling, "n": len(witnessed)} if witnessed else None,
    }


def fixed_answer_scores(tasks: Sequence[Instruction], answers: Sequence[str]) -> dict[str, float | None]:
    """Return HAcc and SAcc of given answers; None where no constraint is decided."""
    judged = [task.evaluate(Response(None, answer)) for task, answer in zip(tasks, answers, strict=True)]
    hard = [float(j.hard) for j in judged if j.hard is not None]
    soft = [j.soft for j in judged if j.soft is not None]
    return {"hacc": sum(hard) / len(hard) if hard else None, "sacc": sum(soft) / len(soft) if soft else None}


# ---- parts --------------------------------------------------------------------------------------------------------


def _task(item: Item) -> Instruction:
    if item.instruction is None:
        raise RaifError(f"item {item.id} is no instruction of our own format.")
    return item.instruction


def _longest(outputs: Sequence[Output]) -> int:
    """Return a limit that no output passes: here truncation is what the generator says, not a count."""
    return 1 + max((output.tokens or 0 for output in outputs), default=0)


def _labels(task: Instruction) -> dict[str, str]:
    paths = [path for path, _ in task.tree.constraints()]
    kinds = sorted({kind for path in paths for kind, _ in _nodes(path)})
    return {
        "split": task.split,
        "language": task.language,
        "count": str(len(paths)),
        "depth": str(max((len(list(_nodes(path))) for path in paths), default=0)),
        "shape": "+".join(kinds) or "leaf",
        "seeds": task.source.seed_set,
    }


def _nodes(path: str) -> Iterator[tuple[str, str]]:
    """Yield kind and number of the nodes above a leaf, outermost first.

    Example:
        >>> list(_nodes("and.1/chain.0"))
        [('and', '1'), ('chain', '0')]
    """
    for part in path.split("/"):
        kind, dot, number = part.partition(".")
        if dot:
            yield kind, number


def _measure(rollouts: Rollouts) -> dict[str, dict[str, Any]]:
    return by_profile(rollouts, _PROFILES)


def _by_leaf(rollouts: Rollouts) -> dict[str, dict[str, Any]]:
    """Return the followed share of the leaves of each constraint, family, depth and kind of node."""
    leaves: dict[str, dict[str, list[CheckOutcome]]] = defaultdict(lambda: defaultdict(list))
    for rollout in rollouts:
        for leaf in rollout.verdicts:
            if leaf.status not in ("skipped", "unscored"):
                outcome = CheckOutcome(rollout.instruction_id, leaf.type, "", leaf.status == "satisfied", unit(rollout))
                for label, value in _leaf_groups(leaf.path, leaf.type):
                    leaves[label][value].append(outcome)
    return {
        label: {
            value: {"n": len({each.item for each in part}), "strict": named("followed", over_checks(part))}
            for value, part in sorted(values.items())
        }
        for label, values in sorted(leaves.items())
    }


def _leaf_groups(path: str, constraint: str) -> Iterator[tuple[str, str]]:
    nodes = list(_nodes(path))
    yield "constraint", constraint
    yield "family", constraint.partition(":")[0]
    yield "leaf_depth", str(len(nodes))
    yield "node", nodes[-1][0] if nodes else "root"
