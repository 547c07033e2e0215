"""The guard of a training: NET on a few fixed items, so that a policy that pays for constraints with tasks is seen.

The items are of D+ of the untrained policy: it solved them, and its outputs met the constraints. Every so many steps
the present policy answers the same prompts greedily: the bare task (RETEST), with a neutral sentence (PLACEBO), and
with the constraint (SUSTAIN). NET is the share solved with the neutral sentence less that with the constraint.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

from accelerate import PartialState
from accelerate.utils import gather_object
from transformers import TrainerCallback

from raif.alarm_rules import Alarm
from raif.alarms import alarms_file, note_alarm
from raif.chat import ChatFormat, ThinkFormat, build_messages
from raif.evaluation import stats
from raif.evaluation.stats import MIN_ITEMS, Estimate
from raif.generation.prompts import template_identity
from raif.rollouts import append_jsonl, read_jsonl
from raif.sustain.estimates import change, share
from raif.sustain.judging import judge
from raif.sustain.planning import Slot, prompt_of
from raif.sustain.records import CONSTRAINED, PLACEBO, RETEST, SustainItem
from raif.sustain.runner import load_sustain, settings_of
from raif.sustain.settings import SustainSettings
from rewards.errors import RaifError
from rewards.sandbox import require_sandbox

if TYPE_CHECKING:
    from raif.config import RAIFConfig
    from raif.trainer import RAIFTrainer

logger = logging.getLogger("raif")
FILE, ALARM = "sustain_guard.jsonl", "interference"
ARMS = (RETEST, PLACEBO, CONSTRAINED)
Record = dict[str, Any]


class GuardPrompt(NamedTuple):
    """What is drawn and judged: a slot of the evaluation, and its prompt as tokens under the training's template."""

    slot: Slot
    tokens: list[int]


class Guarded(NamedTuple):
    """The prompts of a guard, three for each item and in the order of `ARMS`, and how they are judged."""

    prompts: tuple[GuardPrompt, ...]
    settings: SustainSettings

    @property
    def longest(self) -> int:
        """The tokens of the longest prompt."""
        return max(len(prompt.tokens) for prompt in self.prompts)


class Verdict(NamedTuple):
    """One judged completion; `met` of the arms without the constraint says what is met unasked."""

    item: str
    arm: str
    score: float | None
    met: bool | None


def open_guard(config: RAIFConfig, chat: ChatFormat, limit: int = 0, trained: Collection[str] = ()) -> Guarded:
    """Read the guard that a recipe asks for, and warn of what makes its numbers less than they seem.

    Args:
        config: names the folder and how many items are taken, spread over D+ by the hash of their ids.
        limit: the most tokens of a prompt, 0 for any number; items with a longer one are left out.
        trained: the requests of the training data.

    Raises:
        RaifError: if the folder is no finished SUSTAIN evaluation, no item of it can be used, or programs are among
            them and there is no sandbox.
    """
    metrics, items, _ = load_sustain(Path(str(config.sustain_guard)))
    settings = settings_of(metrics)
    solved = sorted(
        (item for item in items if item.in_dplus), key=lambda item: hashlib.sha256(item.id.encode()).digest()
    )
    chosen = solved[: config.sustain_guard_items]
    prompts = [prompt for item in chosen for prompt in _prompts(item, settings, config, chat)]
    long = {prompt.slot.task.id for prompt in prompts if limit and len(prompt.tokens) > limit}
    kept = tuple(prompt for prompt in prompts if prompt.slot.task.id not in long)
    _check(config, len(items), len(chosen), len(long))
    if PartialState().is_main_process:
        known = sum(prompt.slot.task.request in trained for prompt in kept[:: len(ARMS)])
        for text in _doubts(config, metrics["settings"], chat, known):
            logger.warning("sustain_guard: %s %s", config.sustain_guard, text)
    if any(prompt.slot.task.domain == "code" for prompt in kept):
        require_sandbox()
    return Guarded(kept, settings)


def _prompts(item: SustainItem, settings: SustainSettings, config: RAIFConfig, chat: ChatFormat) -> list[GuardPrompt]:
    slots = []
    for arm in ARMS:
        dose = int(arm != RETEST)
        slots.append(Slot(item.task, arm, dose, 0, 0, prompt_of(item, arm, dose, 0, settings), item.demands[:1]))
    texts = [chat.thinking_prompt(build_messages(slot.prompt, config.system_prompt)) for slot in slots]
    return [GuardPrompt(slot, tokens) for slot, tokens in zip(slots, chat.ids(texts), strict=True)]


def _check(config: RAIFConfig, items: int, chosen: int, long: int) -> None:
    kept, folder = chosen - long, config.sustain_guard
    if not kept:
        why = (
            f"the prompts of {long} are too long"
            if long
            else f"none of its {items} items was solved and has a constraint"
        )
        raise RaifError(f"sustain_guard {folder}: no item can be used, {why}. Name another folder, or remove it.")
    if not PartialState().is_main_process:
        return
    if long:
        logger.warning("sustain_guard: %d of %d items have prompts that are too long and are left out", long, chosen)
    if kept < config.sustain_guard_items:
        logger.warning(
            "sustain_guard: %s gives %d items, not sustain_guard_items (%d)", folder, kept, config.sustain_guard_items
        )
    if kept < MIN_ITEMS:
        logger.warning("sustain_guard: %d items are too few for an interval, so the alarm stays silent", kept)


def _doubts(config: RAIFConfig, drawn: Mapping[str, Any], chat: ChatFormat, known: int) -> Iterator[str]:
    """Yield why the items are probably not those that this policy solves, or solves without having learnt them."""
    cap = drawn["sampling"].get("cap") or 0
    template, system = drawn["generator"].get("chat_template"), drawn.get("system_prompt") or None
    if template and template != template_identity(chat)["chat_template"]:
        yield (
            f"was drawn from {drawn['generator'].get('model')} with another chat template, so its items are those of "
            "another model; evaluate the untrained policy"
        )
    if system != (config.system_prompt or None):
        yield f"was drawn under the system prompt {system!r}, the training has {config.system_prompt!r}; evaluate alike"
    if cap > config.cap.limit:
        yield (f"was drawn with --cap {cap}, the training stops at {config.cap.limit} tokens: more outputs are cut off")
    if known:
        yield f"has {known} items that are trained on: what is learnt by heart hides interference; evaluate other tasks"


def estimates(verdicts: Iterable[Verdict]) -> Record:
    """Return `n`, `undecided` and the estimates `net`, `sustain`, `retest`, `placebo`, `comply` and `comply_unasked`.

    An item counts where all of its arms were decided. There is no interval below 20 items.

    Example:
        >>> verdicts = [Verdict("a", "retest", 1.0, True), Verdict("a", "placebo", 1.0, True),
        ...     Verdict("a", "constrained", 0.0, True)]
        >>> found = estimates(verdicts)
        >>> found["n"], found["net"]["value"], found["net"]["low"], found["comply"]["value"]
        (1, 1.0, None, 1.0)
    """
    items: dict[str, dict[str, Verdict]] = {}
    for each in verdicts:
        items.setdefault(each.item, {})[each.arm] = each
    decided = [arms for arms in items.values() if all(arms[arm].score is not None for arm in ARMS)]
    scores = {arm: [float(arms[arm].score or 0.0) for arms in decided] for arm in ARMS}
    met = {arm: [float(met) for arms in decided if (met := arms[arm].met) is not None] for arm in ARMS}
    shares = {
        "sustain": scores[CONSTRAINED],
        "retest": scores[RETEST],
        "placebo": scores[PLACEBO],
        "comply": met[CONSTRAINED],
        "comply_unasked": met[RETEST],
    }
    before, after = scores[CONSTRAINED], scores[PLACEBO]
    differences = [b - a for a, b in zip(before, after, strict=True)]
    net = change(before, after)["estimate"] if len(decided) >= MIN_ITEMS else _mean(differences)
    found = {
        name: share(values, len(values)) if len(values) >= MIN_ITEMS else _mean(values)
        for name, values in shares.items()
    }
    return {"n": len(decided), "undecided": len(items) - len(decided), "net": net, **found}


def _mean(values: Sequence[float]) -> Record:
    """Return a mean over too few items for an interval."""
    return stats.record(Estimate(fmean(values) if values else None, None, None, len(values)))


def as_metrics(record: Mapping[str, Any]) -> dict[str, float]:
    """Return what is logged of a line of the file: `sustain/net`, `sustain/net_low`, ..., `sustain/n`.

    Example:
        >>> as_metrics({"step": 5, "n": 30, "net": {"value": 0.1, "low": 0.0, "high": 0.2, "n": 30}})
        {'sustain/n': 30.0, 'sustain/net': 0.1, 'sustain/net_low': 0.0, 'sustain/net_high': 0.2}
    """
    found: dict[str, float] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            parts = {"": value["value"], "_low": value["low"], "_high": value["high"]}
            found |= {f"sustain/{name}{part}": number for part, number in parts.items() if number is not None}
        elif name != "step":
            found[f"sustain/{name}"] = float(value)
    return found


class SustainGuard(TrainerCallback):
    """Measure NET at the start, every `sustain_guard_steps` optimiser steps and at the end, and leave training alone.

    Each measurement is a line of `output_dir/sustain_guard.jsonl` and is logged as `sustain/*`. When the interval of
    NET lies above `sustain_guard_alarm`, the alarm `interference` goes off, once in a run.

    Args:
        trainer: draws with the present policy; see `RAIFTrainer.draw_greedily`.
        guarded: what is drawn.
        think: how the policy marks its thinking.
    """

    def __init__(self, trainer: RAIFTrainer, guarded: Guarded, think: ThinkFormat) -> None:
        self.trainer, self.guarded, self.think = trainer, guarded, think
        self.path = Path(str(trainer.args.output_dir)) / FILE

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if state.global_step == 0:
            if state.is_world_process_zero:
                self.path.unlink(missing_ok=True)  # of a run that is started anew
            self.measure()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        is_last = state.global_step >= state.max_steps or control.should_training_stop
        if is_last or state.global_step % args.sustain_guard_steps == 0:
            self.measure()

    def measure(self) -> Record:
        """Draw, judge and record; every rank takes its share of the prompts."""
        accelerator = self.trainer.accelerator
        rank, ranks = accelerator.process_index, accelerator.num_processes
        own = list(self.guarded.prompts[rank::ranks])
        drawn = self.trainer.draw_greedily([prompt.tokens for prompt in own], -(-len(self.guarded.prompts) // ranks))
        judged = judge([prompt.slot for prompt in own], drawn, self.think, self.guarded.settings)
        verdicts = [
            Verdict(
                one.rollout.instruction_id, one.rollout.arm, None if one.failed else one.rollout.score, one.rollout.met
            )
            for one in judged
        ]
        record = {"step": self.trainer.state.global_step, **estimates(gather_object(verdicts))}
        self.trainer.log_apart(as_metrics(record))
        if accelerator.is_main_process:
            append_jsonl(self.path, [record])
            self._ring(record)
        return record

    def _ring(self, record: Record) -> None:
        """Give the alarm, unless the run had it before."""
        config, low = self.trainer.args, record["net"]["low"]
        if low is None or low <= config.sustain_guard_alarm:
            return
        if any(row["name"] == ALARM for row in read_jsonl(alarms_file(config))):
            return
        start = next((row["net"]["value"] for row in read_jsonl(self.path) if row["step"] == 0), None)
        note_alarm(config, record["step"], ALARM, _alarm(record, start, config))


def _alarm(record: Record, start: float | None, config: RAIFConfig) -> Alarm:
    net = record["net"]
    cost, low, high = (f"{100 * net[name]:.1f}" for name in ("value", "low", "high"))
    before = "" if start is None or not record["step"] else f", {100 * start:.1f} before training"
    advice = (
        f"constraints cost {cost} points of task performance (95 % interval {low} to {high}{before}), above "
        f"sustain_guard_alarm ({config.sustain_guard_alarm:g}), on {record['n']} items. Weigh correctness more in "
        "rewards: {type: invariance}, or gate: correct for the constraints; or clone outputs of the untrained policy "
        "(raif sustain-data)."
    )
    return Alarm(net["value"], advice, {name: record[name] for name in ("net", "sustain", "placebo", "retest")})
