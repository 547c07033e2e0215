"""Judge completions: the task's score, the verdicts on the constraints, and how a solved task was lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from raif.chat import ThinkFormat
from raif.evaluation.records import Item, Output
from raif.generation import Completion
from raif.suites.judged import bookkeeping
from raif.suites.splits import Divided, divide
from raif.sustain.planning import Slot
from raif.sustain.records import CONSTRAINED, FIRST, SustainItem, SustainRollout, Task
from raif.sustain.scoring import Scored, score_all
from raif.sustain.settings import SustainSettings
from rewards.constraint import Context, Status, checked
from rewards.judgement import Judgement, LeafVerdict
from rewards.reward import Reward

CHECKER_FAILED = "the checker failed"  # as `checked` says it; what a checker cannot decide is no failure of it
UNKNOWN_TOKENS = -1  # of a completion whose source does not say


class Judged(NamedTuple):
    """A judged completion; `failed` says what the scorer or a checker raised, `extracted` whether it has an answer."""

    rollout: SustainRollout
    failed: str
    extracted: bool


def judge(
    slots: Sequence[Slot],
    completions: Sequence[Completion],
    think: ThinkFormat | None,
    settings: SustainSettings,
) -> list[Judged]:
    """Judge completions in their order; without `think`, each text tells by its tags how it is divided.

    A completion that was cut off scores 0 whatever it says, in every arm: how far it got is the cap's doing.
    """
    outputs = [_output(slot, done, think) for slot, done in zip(slots, completions, strict=True)]
    parts = [divide(output) for output in outputs]
    scored = score_all([(slot.task, part.response) for slot, part in zip(slots, parts, strict=True)], settings.qa_score)
    return [
        _judged(slot, group, output, part, score, settings)
        for group, (slot, output, part, score) in enumerate(zip(slots, outputs, parts, scored, strict=True))
    ]


def with_failure(judged: Judged, item: SustainItem) -> SustainRollout:
    """Say to which class a failure belongs, of a task that was solved without the constraint."""
    from raif.sustain.failures import failure_class

    rollout = judged.rollout
    if not item.in_dplus or rollout.arm == FIRST or rollout.correct is not False:
        return rollout
    asked = item.at(rollout.dose, rollout.place) if rollout.arm == CONSTRAINED else ()
    found = failure_class(item.task, item.witness, rollout, asked, judged.extracted)
    return rollout.model_copy(update={"failure": found})


# ---- parts --------------------------------------------------------------------------------------------------------


def _output(slot: Slot, done: Completion, think: ThinkFormat | None) -> Output:
    task = slot.task
    labels = {"domain": task.domain, "source": task.source, **task.labels}
    if slot.demands and slot.arm != FIRST:
        labels["family"] = slot.demands[0].family
    tokens = None if done.tokens == UNKNOWN_TOKENS else done.tokens
    item = Item(id=task.id, prompt=slot.prompt, labels=labels)
    marks = (None,) if think is None else (think.prefilled, think.style)
    return Output(item, slot.arm, slot.sample, done.text, tokens, done.ended, *marks)


def _judged(slot: Slot, group: int, output: Output, part: Divided, scored: Scored, settings: SustainSettings) -> Judged:
    cut = output.ended is False
    score = 0.0 if cut and not scored.failed else scored.score
    judgement, broken = _verdicts(slot, part)
    correct = None if score is None else score >= settings.tau
    reward = Reward(None, None, {}, correct, part.response.well_formed, cut, judgement)
    rollout = SustainRollout.build(
        reward,
        **bookkeeping(output, group, part),
        domain=slot.task.domain,
        prompt=slot.prompt,
        dose=slot.dose,
        place=slot.place,
        score=score,
        f1=0.0 if cut and scored.f1 is not None else scored.f1,
        ending="truncated" if cut and slot.task.domain == "code" else scored.ending,
    )
    return Judged(rollout, scored.failed or broken, scored.extracted)


def _verdicts(slot: Slot, part: Divided) -> tuple[Judgement, str]:
    task: Task = slot.task
    context = Context(task.request, task.language)
    leaves, failed = [], ""
    for number, demand in enumerate(slot.demands):
        verdict = checked(demand.constraint, part.response, context)
        leaves.append(LeafVerdict(f"and.{number}", demand.constraint.type, verdict))
        if verdict.status is Status.UNSCORED and verdict.evidence.startswith(CHECKER_FAILED):
            failed = failed or f"{demand.constraint.type}: {verdict.evidence}"
    return Judgement(tuple(leaves)), failed
