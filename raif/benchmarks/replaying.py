"""Recompute every figure from stored answers and verdicts, our own or published ones: no model, no judge."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from raif.benchmarks.combined import SUITE
from raif.benchmarks.items import QuestionItem, QuestionRollout
from raif.benchmarks.protocol import Benchmark, Stored
from raif.benchmarks.suite import QuestionSuite
from raif.evaluation.records import CONSTRAINED, EvaluatedRollout, Output
from raif.evaluation.runner import SETTINGS, items_digest, judge_outputs, load_evaluation, replay
from raif.generation.replay import Given, Responses
from raif.json_files import read_record
from rewards.errors import RaifError


def replay_verdicts(
    benchmark: Benchmark,
    items: Sequence[QuestionItem],
    place: Path,
    out: Path | None = None,
    *,
    official: bool = False,
    language: str = "",
    known: Sequence[QuestionItem] | None = None,
) -> tuple[dict[str, Any], list[EvaluatedRollout]]:
    """Return the metrics and the judged rollouts of stored verdicts; write them if `out` is given.

    Args:
        place: an evaluation folder, or published answers and verdicts in the benchmark's own form.
        known: all items of the file, if `items` are a part of them.

    Raises:
        RaifError: if there is nothing to read, or it belongs to other items.
    """
    if not place.exists():
        raise RaifError(
            f"no verdicts at {place}; give an evaluation folder, or the file or folder that holds published answers "
            "and verdicts."
        )
    if (place / SETTINGS).is_file():
        _refuse_several(benchmark, place)
        return _replay_folder(benchmark, items, place, out, official, language)
    stored = published(benchmark, known or items, place)
    if benchmark.judged and not stored.replies and not stored.decided:
        raise RaifError(f"{place} holds answers and no verdicts; let a judge judge them, or give the folder with both.")
    suite = QuestionSuite(benchmark, stored=stored, official=official, language=language)
    return replay(suite, items, {CONSTRAINED: responses_of(stored, items, place)}, out)


def _refuse_several(benchmark: Benchmark, place: Path) -> None:
    """Refuse the folder of a run of several benchmarks, and name the folder in it that was meant."""
    if read_record(place / SETTINGS).get("suite") == SUITE:
        inner = place / benchmark.name
        advice = f"give {inner}" if (inner / SETTINGS).is_file() else f"{benchmark.name} is none of them"
        raise RaifError(f"{place} is a run of several benchmarks; {advice}.")


def published(benchmark: Benchmark, items: Sequence[QuestionItem], place: Path) -> Stored:
    """Read published answers, and verdicts if they are there too.

    Raises:
        RaifError: if there is no answer to any of the items.
    """
    try:
        stored = benchmark.stored(place, items)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, RaifError):
            raise
        raise RaifError(f"{place} holds no answers to {benchmark.title} in a known form ({error!r}).") from error
    if not stored.outputs:
        raise RaifError(f"{place} holds no answer to an item of this file.")
    return stored


def responses_of(stored: Stored, items: Sequence[QuestionItem], place: Path) -> Responses:
    """Return published answers as the evaluation takes them; items without one are named there."""
    missing = [item.id for item in items if item.id not in stored.outputs]
    wanted = {item.id for item in items} & stored.outputs.keys()
    several = {key: [found] if isinstance(found := stored.outputs[key], str) else found for key in sorted(wanted)}
    outputs = {(key, n): Given(text) for key, texts in several.items() for n, text in enumerate(texts)}
    return Responses(outputs, missing, [], "id", _digest(place))


def _replay_folder(
    benchmark: Benchmark, items: Sequence[QuestionItem], place: Path, out: Path | None, official: bool, language: str
) -> tuple[dict[str, Any], list[EvaluatedRollout]]:
    """Judge a finished evaluation again from the replies that it keeps, into `out` or nowhere."""
    metrics, found = load_questions(place)
    settings = metrics["settings"]
    if metrics.get("suite") != benchmark.name:
        raise RaifError(f"{place} is an evaluation of {metrics.get('suite')}, not of {benchmark.name}.")
    if settings["items"] != items_digest(items):
        raise RaifError(
            f"{place} was made of other items ({settings['items']}, these are {items_digest(items)}); give the same "
            "--data, --language and --limit."
        )
    if out is not None and out.resolve() == place.resolve():
        raise RaifError(f"--out {out} is the folder that is read; choose another.")
    by_id = {item.id: item for item in items}
    replies = {(_key(r), name): reply for r in found for name, reply in r.replies.items()}
    decided = {_key(r): list(r.answers) for r in found if benchmark.judged and not r.replies}
    judge = (metrics.get("judge") or {}).get("name", "")
    mode = settings["options"]["judge_mode"]
    stored = Stored({}, replies=replies, decided=decided, judge=judge)
    suite = QuestionSuite(benchmark, stored=stored, official=official, mode=mode, language=language)
    outputs = [_output(by_id[rollout.instruction_id], rollout) for rollout in found]
    kept = {key: value for key, value in settings.items() if key != "options"}
    metrics, rollouts = judge_outputs(suite, items, outputs, {**kept, "options": suite.options}, out)
    return metrics, rollouts


def _key(rollout: QuestionRollout) -> str:
    return f"{rollout.instruction_id}|{rollout.sample}"


def _output(item: QuestionItem, rollout: QuestionRollout) -> Output:
    ended = None if rollout.finish_reason is None else rollout.finish_reason == "stop"
    return Output(
        item, rollout.arm, rollout.sample, rollout.completion, rollout.completion_tokens, ended, rollout.prefilled,
        rollout.style,
    )  # fmt: skip


def load_questions(folder: Path) -> tuple[dict[str, Any], list[QuestionRollout]]:
    """Return the metrics and rollouts of an evaluation folder of a question benchmark."""
    return load_evaluation(folder, QuestionRollout)


def _digest(place: Path) -> str:
    found = hashlib.sha256()
    for path in [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file()):
        found.update(path.read_bytes())
    return found.hexdigest()[:16]
