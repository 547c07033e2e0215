"""Do the constraints, repeated at the end of the thinking, help, and at what cost? MathIF's table 6, controlled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
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
from rewards.errors import RaifError, unknown_name
from rewards.think_styles import CLOSE

WAIT, BASE, TREATMENT = "Wait", "none", "constraints"
TEXTS = (TREATMENT, "question", "neutral")
POSITIONS = {
    "open": f"before {CLOSE}, and the model goes on thinking",
    "closed": f"before {CLOSE}, which follows at once",
    "after": f"after {CLOSE}, at the beginning of the answer, and taken out again before judging",
}
RULE = (
    "Where the model is about to end its thinking, a text is put in on a line of its own: {wait!r}, a full stop, a "
    "blank and then the item's constraints, each on a line. Position: {positions}. Controls at the same place: the "
    "question without its constraints (of its own length); a text that asks for nothing, as long as the constraints "
    "({constraint_length:.1f} against {neutral_length:.1f} {unit} on average); and, where the thinking stays open, "
    "{wait!r} alone. All arms share the thinking up to there. In all goes together the model writes at most {cap} "
    "tokens; what is put in does not count. Thinking that was cut off or ended without {close} stays as it is in every "
    "arm. Metrics are those of the profile {profile}; effects are paired by item. What the constraints do beyond "
    "being a text at that place is the difference to the neutral text; correctness is the cost."
)


def run_repeat(
    suite: Suite,
    items: Sequence[Item],
    generator: Generator,
    sampling: Sampling,
    out: Path,
    *,
    positions: Sequence[str] = ("open",),
    samples: int = 1,
    profile: str = "strict",
    system_prompt: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Draw, judge and compare every arm; writes experiment.json, experiment.md and rollouts.jsonl into `out`."""
    _check_positions(positions)
    check_unique([item.id for item in items])
    chosen = [item for item in items if item.constraint_texts]
    if not chosen:
        raise RaifError("no item has the text of its constraints; repeat needs a suite such as mathif or instructions.")
    writer = Writer(suite, generator, sampling, Store(out / GENERATIONS), system_prompt, progress)
    lengths, unit = lengths_of(generator)
    texts = {item.id: _texts(item, lengths) for item in chosen}
    begun = writer.begin(chosen, samples)
    arms = {BASE: writer.finish(begun, "answer")}
    arms |= {arm: writer.finish(begun, arm, prepare) for arm, prepare in _arms(texts, positions)}
    judged = writer.judge(arms)
    every = [rollout for part in judged.values() for rollout in part]
    check_profile(profile, every)
    found = result(
        "repeat",
        RULE.format(
            wait=WAIT, close=CLOSE, positions="; ".join(f"{name}, {POSITIONS[name]}" for name in positions), unit=unit,
            constraint_length=_average(lengths([text[TREATMENT] for text in texts.values()])),
            neutral_length=_average(lengths([text["neutral"] for text in texts.values()])),
            cap=sampling.cap, profile=profile,
        ),
        _rows(judged, profile),
        list(_effects(judged, profile)),
        {"profile": profile, "positions": list(positions), **writer.settings(chosen, samples)},
        {**versions(), **suite.versions},
        left_out={"items without constraints": len(items) - len(chosen)} if len(chosen) < len(items) else {},
    )  # fmt: skip
    write(out, found, every)
    return found


# ---- parts --------------------------------------------------------------------------------------------------------


def _check_positions(positions: Sequence[str]) -> None:
    for position in positions:
        if position not in POSITIONS:
            raise unknown_name("position", position, POSITIONS, "Name one or several, joined by commas.")
    if not positions or len(set(positions)) < len(positions):
        raise RaifError(f"--positions {','.join(positions)!r} must name different places: {', '.join(POSITIONS)}.")


def _texts(item: Item, lengths: Callable[[Sequence[str]], list[int]]) -> dict[str, str]:
    constraints = "\n".join(item.constraint_texts)
    return {TREATMENT: constraints, "question": item.question, "neutral": neutral_like(constraints, lengths)}


def _arms(
    texts: Mapping[str, Mapping[str, str]], positions: Sequence[str]
) -> Iterator[tuple[str, Callable[[Draft], Draft]]]:
    """Yield the name of each arm and what it does to a draft whose thinking is about to end."""
    for position in positions:
        for name in TEXTS:
            yield _label(name, position), partial(_insert, name=name, position=position, texts=texts)
        if position == "open":
            yield "wait", lambda draft: draft.put_in(WAIT)


def _label(name: str, position: str) -> str:
    return name if position == "open" else f"{name}, {position}"


def _insert(draft: Draft, name: str, position: str, texts: Mapping[str, Mapping[str, str]]) -> Draft:
    text = f"{WAIT}. {texts[draft.item.id][name]}"
    if position == "after":
        return draft.put_after(text)
    inserted = draft.put_in(f"{text}\n")
    return inserted.close() if position == "closed" else inserted


def _rows(judged: Mapping[str, list[EvaluatedRollout]], profile: str) -> list[dict[str, Any]]:
    rows = [row(BASE, "baseline", 0, judged[BASE], profile)]
    for x, (arm, rollouts) in enumerate(judged.items()):
        if arm != BASE:
            kind: Arm = "treatment" if arm.startswith(TREATMENT) else "control"
            rows.append(row(arm, kind, x, rollouts, profile))
    return rows


def _effects(judged: Mapping[str, Rollouts], profile: str) -> Iterator[Effect]:
    """Compare each treatment with nothing and with the controls at its place."""
    for arm in judged:
        if not arm.startswith(TREATMENT):
            continue
        place = arm.removeprefix(TREATMENT)
        others = [BASE, f"question{place}", f"neutral{place}", *(["wait"] if not place else [])]
        for other in others:
            for metric in OUTCOMES:
                yield paired_effect(f"({arm}) - ({other})", judged[other], judged[arm], metric, profile)


def _average(values: Sequence[int]) -> float:
    return sum(values) / len(values)
