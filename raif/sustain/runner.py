"""Run SUSTAIN: first pass, constraints read off its outputs, the arms that follow, verdicts and metrics.

The folder is an evaluation folder: `settings.json`, `generations/` (a journal: a killed run goes on where it stopped),
`items.jsonl` (task, witness and constraints of each item), `rollouts.jsonl` (one judged completion a line, with its
prompt) and `metrics.json`. The last three say all that the score is made of: `recompute` needs no model.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from raif.chat import ThinkFormat, build_messages
from raif.evaluation.runner import (
    GENERATIONS,
    ITEMS,
    METRICS,
    ROLLOUTS,
    SCHEMA_VERSION,
    SETTINGS,
    Progress,
    check_unique,
    claim,
    with_thinking_tokens,
    write_lines,
)
from raif.generation import Completion, Generator, Request, Sampling
from raif.generation.run import complete
from raif.generation.store import Store
from raif.json_files import read_record, write_whole
from raif.rollouts import read_jsonl, read_rollouts
from raif.sustain.judging import UNKNOWN_TOKENS, Judged, judge, with_failure
from raif.sustain.planning import Slot, first_slots, judge_again, judged_demands, later_slots, prompt_of, read_off
from raif.sustain.records import (
    CONSTRAINED,
    FIRST,
    PLACEBO,
    RETEST,
    SustainItem,
    SustainRollout,
    Task,
    item_record,
)
from raif.sustain.replies import Replies
from raif.sustain.settings import SustainSettings
from raif.sustain.summary import summarize
from raif.versions import commit, versions
from rewards.constraint import Context, Status, checked
from rewards.errors import RaifError
from rewards.response import Response

SUITE = "sustain"
MOST_FAILED = 0.01  # share of items on which a scorer or checker may raise


def sustain(
    tasks: Sequence[Task],
    generator: Generator,
    sampling: Sampling,
    out: Path,
    settings: SustainSettings,
    *,
    samples: int = 1,
    system_prompt: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Evaluate a model on tasks, once as they are and again with what its own outputs meet, and return the metrics.

    Args:
        samples: completions of every prompt after the first pass (R).
        progress: called with the completions so far and their tokens; see `completions_at_most`.

    Raises:
        RaifError: if the folder holds another evaluation, or scorers and checkers raise on more than 1 % of the items.
    """
    check_unique([task.id for task in tasks])
    bound = _bound(tasks, generator, sampling, settings, samples, system_prompt)
    answered = isinstance(generator, Replies)  # from a file that may be mended, and whose texts tell by their tags
    if (finished := claim(out, bound)) is not None and not answered:
        return finished
    think = None if answered else generator.think
    drawing = _Drawing(generator, sampling, None if answered else Store(out / GENERATIONS), system_prompt, progress)
    firsts = judge(*drawing.draw(first_slots(tasks)), think, settings)
    items = read_off(tasks, [each.rollout for each in firsts], [each.failed for each in firsts], settings)
    later = [slot for item in items for slot in later_slots(item, settings, samples)]
    judged = [*firsts, *judge(*drawing.draw(later), think, settings)]
    items, rollouts = settle(items, judged)
    return _finish(out, items, with_thinking_tokens(rollouts, generator), bound)


def completions_at_most(tasks: int, settings: SustainSettings, samples: int) -> int:
    """Return how many completions a run draws if every task is solved and has enough constraints."""
    return tasks * (1 + samples * (2 + settings.constraints + 2 * (len(settings.doses) - 1)))


def settle(items: Sequence[SustainItem], judged: Sequence[Judged]) -> tuple[list[SustainItem], list[SustainRollout]]:
    """Mark the items on which a scorer or a checker raised, and name the failures of the others; sort by item.

    The first completion of an item comes first, then the arms in the order in which they were planned.
    """
    problems: dict[str, str] = {}
    for each in judged:
        if each.failed:
            problems.setdefault(each.rollout.instruction_id, each.failed)
    marked = [item.model_copy(update={"failed": item.failed or problems.get(item.id, "")}) for item in items]
    by_id = {item.id: item for item in marked}
    order = {item.id: number for number, item in enumerate(marked)}
    rollouts = [with_failure(each, by_id[each.rollout.instruction_id]) for each in judged]
    rollouts.sort(key=lambda rollout: order[rollout.instruction_id])  # stable: arms stay in their order
    return marked, [rollout.model_copy(update={"group": order[rollout.instruction_id]}) for rollout in rollouts]


def recompute(folder: Path) -> tuple[dict[str, Any], list[str]]:
    """Judge a finished evaluation again from its files alone; return the metrics, and what differs from before.

    Nothing is drawn and no model is needed: prompts, constraints and completions are those of the files. What scorers,
    checkers or statistics of now say otherwise is written in the place of the old results.
    """
    before, items, rollouts = load_sustain(folder)
    settings = settings_of(before)
    if lost := _lost(items, rollouts, settings, before["samples"]):
        raise RaifError(
            f"{folder / ROLLOUTS} lacks {'|'.join(map(str, lost))}; remove {folder / METRICS} and evaluate again."
        )
    by_id = {item.id: item for item in items}
    slots = [_slot_of(by_id[rollout.instruction_id], rollout, settings) for rollout in rollouts]
    completions = [_completion_of(rollout) for rollout in rollouts]
    judged: list[Judged] = []
    marks = [ThinkFormat(rollout.style, rollout.prefilled) for rollout in rollouts]
    for think, part in groupby(range(len(rollouts)), key=lambda number: marks[number]):
        numbers = list(part)
        judged += judge([slots[i] for i in numbers], [completions[i] for i in numbers], think, settings)
    judged = [
        each._replace(rollout=each.rollout.model_copy(update={"thinking_tokens": old.thinking_tokens}))
        for each, old in zip(judged, rollouts, strict=True)
    ]
    firsts = {each.rollout.instruction_id: each for each in judged if each.rollout.arm == FIRST}
    items = [judge_again(item, firsts[item.id].rollout, firsts[item.id].failed) for item in items]
    items, again = settle(items, judged)
    metrics = _finish(folder, items, again, before["settings"])
    return metrics, _differences(before, metrics, rollouts, again)


def load_sustain(folder: Path) -> tuple[dict[str, Any], list[SustainItem], list[SustainRollout]]:
    """Return the metrics, items and rollouts of a finished SUSTAIN folder.

    Raises:
        RaifError: if the folder holds none, or a file of it is damaged.
    """
    if not (folder / METRICS).is_file():
        begun = (folder / SETTINGS).is_file()
        advice = "run the command that began it again, it goes on" if begun else "`raif evaluate sustain` makes one"
        raise RaifError(f"no {'finished ' if begun else ''}SUSTAIN evaluation in {folder}; {advice}.")
    metrics = read_record(folder / METRICS)
    if metrics.get("suite") != SUITE:
        raise RaifError(
            f"{folder} holds an evaluation of suite {metrics.get('suite')!r}, not of {SUITE}; name another."
        )
    again = f"remove {folder / METRICS} and evaluate again; what was drawn is kept"
    try:
        settings_of(metrics)
        items = [_read_item(row) for row in read_jsonl(folder / ITEMS)]
        rollouts = list(read_rollouts(folder / ROLLOUTS, SustainRollout))
    except (RaifError, ValidationError, ValueError, KeyError, TypeError, OSError) as error:
        raise RaifError(f"{folder} is damaged ({_told(error)}); {again}.") from error
    known = {item.id for item in items}
    drawn = Counter((each.instruction_id, each.arm, each.dose, each.place, each.sample) for each in rollouts)
    firsts = sum(arm == FIRST for _, arm, *_ in drawn)
    if not len(items) == len(known) == firsts == metrics.get("n") or {key for key, *_ in drawn} != known:
        raise RaifError(f"{folder}: {METRICS}, {ITEMS} and {ROLLOUTS} speak of different items; {again}.")
    if doubled := [key for key, count in drawn.items() if count > 1]:
        raise RaifError(f"{folder / ROLLOUTS} holds {'|'.join(map(str, doubled[0]))} twice; {again}.")
    return metrics, items, rollouts


def settings_of(metrics: Mapping[str, Any]) -> SustainSettings:
    """Return the settings that the metrics of a folder were made under."""
    return SustainSettings.model_validate({**metrics["settings"]["sustain"], **metrics["settings"]["options"]})


# ---- parts --------------------------------------------------------------------------------------------------------


class _Drawing:
    """Draws slots, and counts over all passes."""

    def __init__(
        self,
        generator: Generator,
        sampling: Sampling,
        store: Store | None,
        system_prompt: str | None,
        progress: Progress | None,
    ) -> None:
        self.generator, self.sampling, self.store = generator, sampling, store
        self.system_prompt, self.progress = system_prompt, progress
        self.done = self.tokens = 0

    def draw(self, slots: Sequence[Slot]) -> tuple[Sequence[Slot], list[Completion]]:
        requests = [Request(slot.key, build_messages(slot.prompt, self.system_prompt)) for slot in slots]
        completions = complete(self.generator, requests, self.sampling, self.store, self._count)
        self.done += len(completions)
        self.tokens += sum(max(0, done.tokens) for done in completions)
        return slots, completions

    def _count(self, done: int, tokens: int) -> None:
        if self.progress is not None:
            self.progress(self.done + done, self.tokens + max(0, tokens))


def _bound(
    tasks: Sequence[Task],
    generator: Generator,
    sampling: Sampling,
    settings: SustainSettings,
    samples: int,
    system_prompt: str | None,
) -> dict[str, Any]:
    """Return what a folder is bound to; `options` may change, then what was drawn is judged again."""
    judging = {"qa_score", "tau"}
    found = hashlib.sha256()
    for task in tasks:
        found.update(task.model_dump_json().encode() + b"\n")
    return {
        "suite": SUITE,
        "options": settings.model_dump(mode="json", include=judging),
        "sustain": settings.model_dump(mode="json", exclude=judging),
        "samples": samples,
        "system_prompt": system_prompt,
        "sampling": {} if isinstance(generator, Replies) else sampling._asdict(),
        "generator": generator.identity(),
        "items": f"{len(tasks)}:{found.hexdigest()[:16]}",
    }


def _finish(
    out: Path, items: Sequence[SustainItem], rollouts: Sequence[SustainRollout], bound: Mapping[str, Any]
) -> dict[str, Any]:
    settings = settings_of({"settings": bound})
    prompts = [prompt_of(item, CONSTRAINED, int(bool(item.demands)), 0, settings) for item in items]
    write_lines(out / ITEMS, [item_record(item, prompt) for item, prompt in zip(items, prompts, strict=True)])
    write_whole(out / ROLLOUTS, "".join(rollout.model_dump_json() + "\n" for rollout in rollouts))
    _check_failed(items, out)
    metrics = {
        "schema_version": SCHEMA_VERSION,
        "suite": SUITE,
        "n": len(items),
        "samples": bound["samples"],
        **summarize(items, rollouts, settings.tau),
        "unsound": _unsound(items),
        "settings": dict(bound),
        "versions": versions(),
        "commit": commit(),
    }
    write_whole(out / METRICS, json.dumps(metrics, ensure_ascii=False, indent=1) + "\n")
    return metrics


def _check_failed(items: Sequence[SustainItem], out: Path) -> None:
    failed = [item for item in items if item.failed]
    if len(failed) > MOST_FAILED * len(items):
        named = "; ".join(f"{item.id}: {item.failed}" for item in failed[:3])
        raise RaifError(
            f"scorers or checkers failed on {len(failed)} of {len(items)} items, more than 1 % ({named}). Mend them "
            f"and run the same command again; what was drawn is kept in {out / GENERATIONS}."
        )


def _unsound(items: Iterable[SustainItem]) -> list[str]:
    """Return the items with a constraint that its witness breaks: none, unless a checker has changed."""
    found = []
    for item in items:
        response, context = Response(None, item.witness), Context(item.task.request, item.task.language)
        held = (checked(demand.constraint, response, context).status for demand in item.demands)
        if any(status is Status.VIOLATED for status in held):
            found.append(item.id)
    return found


def _read_item(row: Mapping[str, Any]) -> SustainItem:
    shown = ("id", "prompt", "bare_prompt", "answer")
    return SustainItem.model_validate({key: value for key, value in row.items() if key not in shown})


def _told(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return f"no field {error}" if isinstance(error, KeyError) else str(error).splitlines()[0]


def _lost(
    items: Sequence[SustainItem], rollouts: Sequence[SustainRollout], settings: SustainSettings, samples: int
) -> tuple[str, str, int, int, int] | None:
    """Return a rollout that a run draws of its items and that is not there."""
    drawn = {(each.instruction_id, each.arm, each.dose, each.place, each.sample) for each in rollouts}
    higher = {(name, dose) for name, _, dose, _, _ in drawn if dose > 1}  # which items have them, hangs on their score
    for item in items:
        alone = range(len(item.demands[: settings.constraints]))
        kinds = [(RETEST, 0, 0), *((CONSTRAINED, 1, number) for number in alone), *[(PLACEBO, 1, 0)] * bool(alone)]
        doses = [dose for dose in settings.doses if (item.id, dose) in higher]
        kinds += [(arm, dose, 0) for dose in doses for arm in (CONSTRAINED, PLACEBO)]
        names = [(item.id, *kind, sample) for kind in kinds for sample in range(samples)]
        if lost := [name for name in names if name not in drawn]:
            return lost[0]
    return None


def _slot_of(item: SustainItem, rollout: SustainRollout, settings: SustainSettings) -> Slot:
    demands = judged_demands(item, rollout.arm, rollout.dose, rollout.place, settings)
    return Slot(item.task, rollout.arm, rollout.dose, rollout.place, rollout.sample, rollout.prompt, demands)


def _completion_of(rollout: SustainRollout) -> Completion:
    tokens = UNKNOWN_TOKENS if rollout.completion_tokens is None else rollout.completion_tokens
    return Completion(rollout.completion, tokens, rollout.finish_reason != "length")


def _differences(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    old: Sequence[SustainRollout],
    new: Sequence[SustainRollout],
) -> list[str]:
    """Say which rollouts and which parts of the metrics changed."""
    same = {rollout.model_dump_json() for rollout in old}  # the order of the lines says nothing
    changed = [rollout.instruction_id for rollout in new if rollout.model_dump_json() not in same]
    said = [f"{len(changed)} rollouts are judged otherwise (first: {changed[0]})"] if changed else []
    plain = json.loads(json.dumps(after))
    circumstances = ("versions", "commit")
    parts = [key for key in plain if key not in circumstances and plain[key] != before.get(key)]
    return said + [f"{key} of {METRICS} changed" for key in parts]
