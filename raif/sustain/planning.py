"""What is read off the first outputs: which tasks count as solved, their constraints, and the prompts that follow.

A first output that was cut off scores 0 like every other, and no constraint on length or structure is read off it: it
would encode the cap.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Literal, NamedTuple

from data_gen.self_evident import Candidate, assign_groups, extract, ordered, place, placebo, wording_of
from raif.sustain.records import (
    CONSTRAINED,
    FIRST,
    PLACEBO,
    RETEST,
    Demand,
    SustainItem,
    SustainRollout,
    Task,
)
from raif.sustain.settings import SustainSettings
from rewards.constraint import Constraint, Context, Status, checked
from rewards.response import Response

OTHERS, FEWEST_OTHERS = 40, 30  # solved outputs of which a base rate is told, and without which there is none
_ENCODING_THE_CAP = ("length", "structure")
LeftOut = Literal["", "unsolved", "truncated", "undecided", "no_constraint"]
_Solved = tuple[str, Response, Context]


class Slot(NamedTuple):
    """One completion to draw and judge: whose, under which arm, with which prompt, on which demands."""

    task: Task
    arm: str
    dose: int
    place: int
    sample: int
    prompt: str
    demands: tuple[Demand, ...]

    @property
    def key(self) -> str:
        """The name of the request, unique within a run."""
        return f"{self.task.id}|{self.arm}|{self.dose}|{self.place}|{self.sample}"


def first_slots(tasks: Sequence[Task]) -> list[Slot]:
    """Return the first pass: every task as it is."""
    return [Slot(task, FIRST, 0, 0, 0, task.request, ()) for task in tasks]


def read_off(
    tasks: Sequence[Task], firsts: Sequence[SustainRollout], failed: Sequence[str], settings: SustainSettings
) -> list[SustainItem]:
    """Read constraints off the first outputs and choose among them, by hash, task by task.

    Args:
        firsts: the judged first outputs, in the order of the tasks.
        failed: what the scorer raised on each, empty where nothing.
    """
    found = []
    for task, first, problem in zip(tasks, firsts, failed, strict=True):
        rejects: Counter[str] = Counter()
        candidates = [] if problem else _candidates(task, first, rejects)
        found.append((task, first, problem, candidates, rejects))
    left_out = {task.id: _left_out(first, candidates) for task, first, _, candidates, _ in found}
    groups = _groups([(task, bool(left_out[task.id]), candidates) for task, _, _, candidates, _ in found], settings)
    pools = _pools([(task, first) for task, first, problem, _, _ in found if not problem and not left_out[task.id]])
    items = []
    for task, first, problem, candidates, rejects in found:
        wanted = settings.constraints if left_out[task.id] else settings.kept
        chosen = ordered(candidates, task.id, settings.seed, groups.get(task.id))[:wanted]
        others = _others(task, pools, settings.seed)
        items.append(
            SustainItem(
                task=task,
                witness=first.response.answer,
                score=first.score,
                left_out=left_out[task.id],
                failed=problem,
                demands=tuple(_demand(task, each, others, settings.seed) for each in chosen),
                candidates=len(candidates),
                rejects=dict(sorted(rejects.items())),
            )
        )
    return items


def judge_again(item: SustainItem, first: SustainRollout, problem: str) -> SustainItem:
    """Return an item as its first output is judged now; its constraints stay."""
    left_out = _left_out(first, item.demands)
    return item.model_copy(update={"score": first.score, "left_out": left_out, "failed": problem})


def later_slots(item: SustainItem, settings: SustainSettings, samples: int) -> Iterator[Slot]:
    """Yield what follows the first pass: the retest, and constraints and placebos at every dose that the item has.

    Items outside of D+ take part at dose 1, for the two-sided change of accuracy.
    """
    alone = item.demands[: settings.constraints]
    plans = [(RETEST, 0, 0), *((CONSTRAINED, 1, number) for number in range(len(alone)))]
    if alone:
        plans.append((PLACEBO, 1, 0))
    for dose in settings.doses:
        if item.in_dplus and 1 < dose <= len(item.demands):
            plans += [(CONSTRAINED, dose, 0), (PLACEBO, dose, 0)]
    for arm, dose, number in plans:
        prompt = prompt_of(item, arm, dose, number, settings)
        demands = judged_demands(item, arm, dose, number, settings)
        yield from (Slot(item.task, arm, dose, number, sample, prompt, demands) for sample in range(samples))


def prompt_of(item: SustainItem, arm: str, dose: int, number: int, settings: SustainSettings) -> str:
    """Return the exact user turn of an item under an arm."""
    task = item.task
    if dose == 0:
        return task.request
    texts = [demand.text for demand in item.at(dose, number)]
    if arm == PLACEBO:
        joined = (" " if task.language == "en" else "").join(texts)
        texts = [placebo(joined, task.language, f"{settings.seed}/{task.id}/{dose}")]
    return place(task.request, texts, task.language, settings.placement)


def judged_demands(
    item: SustainItem, arm: str, dose: int, number: int, settings: SustainSettings
) -> tuple[Demand, ...]:
    """Return the demands that an output is judged on, none of the first pass; arms without them meet them unasked."""
    if arm == FIRST:
        return ()
    return item.at(dose, number) if arm == CONSTRAINED or dose > 1 else item.demands[: settings.constraints]


# ---- parts --------------------------------------------------------------------------------------------------------


def _candidates(task: Task, first: SustainRollout, rejects: Counter[str]) -> list[Candidate]:
    output = first.response.answer
    if not output.strip():
        return []
    found = extract(task.request, output, task.answer, task.language, passage=task.passage, rejected=rejects)
    return [each for each in found if not (first.truncated and each.group in _ENCODING_THE_CAP)]


def _left_out(first: SustainRollout, candidates: Sequence[Candidate | Demand]) -> LeftOut:
    if first.score is None:
        return "undecided"
    if first.truncated:
        return "truncated"
    if not first.correct:
        return "unsolved"
    return "" if candidates else "no_constraint"


def _groups(read: Sequence[tuple[Task, bool, Sequence[Candidate]]], settings: SustainSettings) -> dict[str, str]:
    """Give each item a group of constraints, equally often within the D+ of a domain, and among the other items."""
    available: dict[tuple[str, bool], dict[str, set[str]]] = {}
    for task, outside, candidates in read:
        available.setdefault((task.domain, outside), {})[task.id] = {each.group for each in candidates}
    assigned: dict[str, str] = {}
    for part in available.values():
        assigned |= assign_groups(part, settings.seed)
    return assigned


def _pools(solved: Sequence[tuple[Task, SustainRollout]]) -> dict[tuple[str, str], list[_Solved]]:
    pools: dict[tuple[str, str], list[_Solved]] = {}
    for task, first in solved:
        entry = (task.id, Response(None, first.response.answer), Context(task.request, task.language))
        pools.setdefault((task.domain, task.language), []).append(entry)
    return pools


def _others(task: Task, pools: Mapping[tuple[str, str], list[_Solved]], seed: int) -> list[_Solved]:
    """Return other solved outputs of the same domain and language, the same ones for all constraints of a task."""
    pool = [entry for entry in pools.get((task.domain, task.language), []) if entry[0] != task.id]
    return pool if len(pool) <= OTHERS else Random(f"{seed}/others/{task.id}").sample(pool, OTHERS)


def _demand(task: Task, candidate: Candidate, others: Sequence[_Solved], seed: int) -> Demand:
    return Demand(
        group=candidate.group,
        family=candidate.family,
        slots=dict(candidate.slots),
        text=candidate.text(task.language, wording_of(candidate, task.id, seed)),
        base_rate=_base_rate(candidate.constraint, others),
        in_request=candidate.in_request,
    )


def _base_rate(constraint: Constraint, others: Sequence[_Solved]) -> float | None:
    if len(others) < FEWEST_OTHERS:
        return None
    met = sum(checked(constraint, response, context).status is Status.SATISFIED for _, response, context in others)
    return met / len(others)
