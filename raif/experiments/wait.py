"""Does forced reconsidering cost instruction following? Budget forcing of MathIF's figure 7, with N = 0 and a filler.

The mechanism is that of s1 (Muennighoff et al. 2025, section 3.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from raif.evaluation.records import EvaluatedRollout, Item
from raif.evaluation.runner import check_unique
from raif.experiments.drafts import GENERATIONS, Draft, Progress, Writer
from raif.experiments.neutral import lengths_of, neutral_like
from raif.experiments.results import (
    OUTCOMES,
    Arm,
    Effect,
    Rollouts,
    check_profile,
    paired_effect,
    result,
    row,
    write,
)
from raif.generation import Generator, Sampling
from raif.generation.store import Store
from raif.suites.protocol import Suite
from raif.versions import versions
from rewards.errors import RaifError
from rewards.think_styles import CLOSE

WAIT, COUNTS = "Wait", (0, 2, 4, 6, 8)
BASE = "N = 0"
RULE = (
    "Each of the first N times that the model is about to write {close}, {wait!r} is put there instead, on a line of "
    "its own, and the model goes on; the next time it may end its thinking. The control puts in {filler!r} instead, a "
    "text that asks for nothing ({wait_length} against {filler_length} {unit}). N = 0 is the model by itself. The arms "
    "of one kind share their beginning: N = 4 goes on from where N = 2 would have ended. In all goes together the "
    "model writes at most {cap} tokens; what is put in does not count. Thinking that reaches this, or ends without "
    "{close}, stays as it is: cut off, or without an answer; `kept_open` of a row is how often a text was put in, on "
    "average. More thinking leaves fewer tokens for the rest, so that truncation stands beside; the filler at the same "
    "N bears the same cost. Metrics are those of the profile {profile}; effects are paired by item."
)


def run_wait(
    suite: Suite,
    items: Sequence[Item],
    generator: Generator,
    sampling: Sampling,
    out: Path,
    *,
    counts: Sequence[int] = COUNTS,
    wait: str = WAIT,
    filler: str | None = None,
    samples: int = 1,
    profile: str = "strict",
    system_prompt: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Draw, judge and compare every arm; writes experiment.json, experiment.md and rollouts.jsonl into `out`."""
    forced = _checked(counts)
    check_unique([item.id for item in items])
    writer = Writer(suite, generator, sampling, Store(out / GENERATIONS), system_prompt, progress)
    lengths, unit = lengths_of(generator)
    filler = neutral_like(wait, lengths) if filler is None else filler
    begun = writer.begin(items, samples)
    arms = {BASE: writer.finish(begun, "answer")}
    for kind, text in (("wait", wait), ("filler", filler)):
        for count, drafts in _forced(writer, begun, kind, text, forced):
            arms[f"{kind}, N = {count}"] = drafts
    judged = writer.judge(arms)
    check_profile(profile, [rollout for part in judged.values() for rollout in part])
    wait_length, filler_length = lengths([wait, filler])
    found = result(
        "wait",
        RULE.format(
            close=CLOSE, wait=wait, filler=filler, wait_length=wait_length, filler_length=filler_length, unit=unit,
            cap=sampling.cap, profile=profile,
        ),
        _rows(judged, {arm: fmean(draft.kept_open for draft in drafts) for arm, drafts in arms.items()}, profile),
        list(_effects(judged, forced, profile)),
        {"profile": profile, "counts": [0, *forced], "wait": wait, "filler": filler, **writer.settings(items, samples)},
        {**versions(), **suite.versions},
    )  # fmt: skip
    write(out, found, [rollout for part in judged.values() for rollout in part])
    return found


# ---- parts --------------------------------------------------------------------------------------------------------


def _checked(counts: Sequence[int]) -> list[int]:
    """Return the counts above 0 in order; 0 is always drawn."""
    if any(count < 0 for count in counts) or not any(counts):
        raise RaifError(
            f"--counts {','.join(map(str, counts))} must be 0 or more, with one above 0; 0 is always drawn."
        )
    return sorted({count for count in counts if count})


def _forced(
    writer: Writer, begun: Sequence[Draft], kind: str, text: str, counts: Sequence[int]
) -> Iterator[tuple[int, list[Draft]]]:
    """Keep the thinking open again and again; yield the finished drafts of each asked count."""
    drafts = list(begun)
    for count in range(1, max(counts) + 1):
        open_again = [i for i, draft in enumerate(drafts) if draft.closing]
        written = writer.go_on([drafts[i].put_in(text) for i in open_again], f"{kind} {count}", stop=True)
        for i, draft in zip(open_again, written, strict=True):
            drafts[i] = draft
        if count in counts:
            yield count, writer.finish(drafts, f"{kind} {count} answer")


def _rows(
    judged: Mapping[str, list[EvaluatedRollout]], kept_open: Mapping[str, float], profile: str
) -> list[dict[str, Any]]:
    rows = []
    for label, rollouts in judged.items():
        kind, _, count = label.partition(", N = ")
        arm: Arm = "baseline" if label == BASE else "treatment" if kind == "wait" else "control"
        kind = "none" if label == BASE else kind
        rows.append(row(label, arm, int(count or 0), rollouts, profile, kind=kind, kept_open=kept_open[label]))
    return rows


def _effects(judged: Mapping[str, Rollouts], counts: Sequence[int], profile: str) -> Iterator[Effect]:
    for count in counts:
        wait, filler = f"wait, N = {count}", f"filler, N = {count}"
        for first, second in ((BASE, wait), (BASE, filler), (filler, wait)):
            for metric in OUTCOMES:
                yield paired_effect(f"({second}) - ({first})", judged[first], judged[second], metric, profile)
