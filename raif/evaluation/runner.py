"""Run a suite: draw completions or read stored ones, judge them, write rollouts and metrics.

An evaluation folder holds `settings.json` (what it is bound to), `generations/` (a journal: a killed run goes on where
it stopped), `items.jsonl` (prompts and expected answers), `rollouts.jsonl` (one judged completion a line, in the order
item, arm, sample) and `metrics.json`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

from raif.chat import build_messages
from raif.evaluation.records import EvaluatedRollout, Item, Output
from raif.generation import Generator, Request, Sampling
from raif.generation.replay import Responses
from raif.generation.run import complete
from raif.generation.store import Store, bound_identity
from raif.json_files import read_record, write_whole
from raif.rollouts import read_rollouts
from raif.suites.protocol import Suite
from raif.versions import commit, versions
from rewards.errors import RaifError

SETTINGS, GENERATIONS, ITEMS = "settings.json", "generations", "items.jsonl"
ROLLOUTS, METRICS = "rollouts.jsonl", "metrics.json"
SCHEMA_VERSION = 2
_HARMLESS = (".partial", ".log")  # what a kill or a shell leaves in a folder that is still to be filled
_NAMED, _SHOWN = 4, 60
Progress = Callable[[int, int], None]  # completions so far, and their tokens
R = TypeVar("R", bound=EvaluatedRollout)
T = TypeVar("T")
ItemT = TypeVar("ItemT", bound=Item)


def evaluate(
    suite: Suite,
    items: Sequence[Item],
    generator: Generator,
    sampling: Sampling,
    out: Path,
    *,
    samples: int = 1,
    arms: Sequence[str] | None = None,
    system_prompt: str | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Draw `samples` completions of every item under every arm, judge them and return the metrics.

    A folder that holds this very evaluation is left as it is; one that holds another is an error. Under other options
    of the suite what was drawn is judged again.
    """
    chosen = _arms(suite, arms)
    check_unique([item.id for item in items])
    settings = {
        "suite": suite.name,
        "options": suite.options,
        "arms": list(chosen),
        "samples": samples,
        "system_prompt": system_prompt,
        "sampling": sampling._asdict(),
        "generator": generator.identity(),
        "items": items_digest(items),
    }
    if (finished := claim(out, settings)) is not None:
        return finished
    places = list(product(items, chosen, range(samples)))
    requests = [
        Request(f"{item.id}|{arm}|{sample}", build_messages(suite.messages(item, arm), system_prompt))
        for item, arm, sample in places
    ]
    completions = complete(generator, requests, sampling, Store(out / GENERATIONS), progress)
    outputs = [
        Output(*place, done.text, done.tokens, done.ended, generator.think.prefilled, generator.think.style)
        for place, done in zip(places, completions, strict=True)
    ]
    rollouts = with_thinking_tokens(suite.judge(outputs), generator)
    return _finish(suite, items, rollouts, out, settings)


def evaluate_model(
    model: str, suite: Suite, items: Sequence[Item], sampling: Sampling, out: Path, **options: Any
) -> dict[str, Any]:
    """Evaluate a local model or one of the hub with transformers; the model is loaded only if something is left to do.

    Args:
        options: those of `evaluate`.
    """
    from raif.generation.opening import open_generator

    generator = open_generator("transformers", model)
    try:
        return evaluate(suite, items, generator, sampling, out, **options)
    finally:
        generator.close()


def replay(
    suite: Suite,
    items: Sequence[Item],
    responses: Mapping[str, Responses],
    out: Path | None = None,
) -> tuple[dict[str, Any], list[EvaluatedRollout]]:
    """Judge stored responses, arm by arm; return the metrics and the judged rollouts, and write them if `out` is given.

    Items for which an official file holds no response are left out and counted.
    """
    check_unique([item.id for item in items])
    outputs, kept = [], list(items)
    for arm, stored in responses.items():
        missing = set(stored.missing)
        kept = [item for item in kept if item.id not in missing]
        by_id = {item.id: item for item in items}
        for (key, sample), given in stored.outputs.items():
            outputs.append(Output(by_id[key], arm, sample, given.text, given.tokens, given.ended))
    ids = {item.id for item in kept}
    settings = {
        "suite": suite.name,
        "options": suite.options,
        "arms": list(responses),
        "samples": 1 + max((sample for stored in responses.values() for _, sample in stored.outputs), default=0),
        "responses": {arm: stored.record() for arm, stored in responses.items()},
        "items": items_digest(items),
    }
    return judge_outputs(suite, kept, [output for output in outputs if output.item.id in ids], settings, out)


def judge_outputs(
    suite: Suite, items: Sequence[Item], outputs: Sequence[Output], settings: dict[str, Any], out: Path | None = None
) -> tuple[dict[str, Any], list[EvaluatedRollout]]:
    """Judge outputs that are there; return the metrics and the judged rollouts, and write them if `out` is given."""
    if out is not None:
        claim(out, settings)
    rollouts = suite.judge(outputs)
    if out is not None:
        return _finish(suite, items, rollouts, out, settings), rollouts
    return _metrics(suite, items, rollouts, settings), rollouts


def export_prompts(suite: Suite, items: Sequence[Item], path: Path, arm: str | None = None) -> int:
    """Write one row an item: its unique `id` and the exact `prompt`."""
    check_unique([item.id for item in items])
    rows = []
    for item in items:
        messages = suite.messages(item, arm or suite.arms[0])
        row: dict[str, Any] = {"id": item.id, "prompt": messages[-1]["content"]}
        if len(messages) > 1:
            row["messages"] = messages
        rows.append(row)
    write_lines(path, rows)
    return len(rows)


def export_json(suite: Suite, metrics: Mapping[str, Any], rollouts: Sequence[EvaluatedRollout], path: Path) -> None:
    """Write the metrics with the verdicts on every item."""
    record = {**metrics, "items": [suite.item_record(rollout) for rollout in rollouts]}
    write_whole(path, json.dumps(record, ensure_ascii=False, indent=1) + "\n")


def load_evaluation(folder: Path, model: type[R] = EvaluatedRollout) -> tuple[dict[str, Any], list[R]]:  # type: ignore[assignment]
    """Return the metrics and rollouts of an evaluation folder, the latter as `model`."""
    if not (folder / METRICS).is_file():
        unfinished = (folder / SETTINGS).is_file() and (folder / GENERATIONS).is_dir()
        advice = "run the command that began it again, it goes on" if unfinished else "`raif evaluate` makes one"
        raise RaifError(f"no {'finished ' if unfinished else ''}evaluation in {folder}; {advice}.")
    metrics, path = read_record(folder / METRICS), folder / ROLLOUTS
    again = f"remove {folder / METRICS} and evaluate again; what was drawn is kept"
    if not path.is_file():
        raise RaifError(f"{folder} has no {ROLLOUTS}; {again}.")
    try:
        rollouts = list(read_rollouts(path, model))
    except (RaifError, UnicodeDecodeError) as error:
        raise RaifError(f"{path} is damaged ({error}); {again}.") from error
    if (found := len({rollout.instruction_id for rollout in rollouts})) != metrics.get("n"):
        raise RaifError(f"{path} holds rollouts of {found} items, {METRICS} speaks of {metrics.get('n')}; {again}.")
    return metrics, rollouts


def spread(items: Sequence[T], limit: int) -> list[T]:
    """Return at most `limit` items, evenly spaced, so that every part of a benchmark stays in; 0 takes all."""
    if not 0 < limit < len(items):
        return list(items)
    return [items[i * len(items) // limit] for i in range(limit)]


def spread_problems(items: Sequence[ItemT], limit: int) -> list[ItemT]:
    """Return at most `limit` items, evenly spaced; those of one problem, such as the levels of one instruction, stay.

    Example:
        >>> levels = [Item(id=f"{problem}{level}", prompt="", problem=problem) for problem in "abcd" for level in "12"]
        >>> [item.id for item in spread_problems(levels, 5)]
        ['a1', 'a2', 'c1', 'c2']
    """
    problems: dict[str, list[ItemT]] = {}
    for item in items:
        problems.setdefault(item.problem or item.id, []).append(item)
    size = max(map(len, problems.values()), default=1)
    kept = spread(list(problems.values()), max(1, limit // size) if limit else 0)
    return [item for problem in kept for item in problem]


def held_by_others(out: Path, own: Sequence[str] = ()) -> str:
    """Say what stands where a result would go, apart from its `own`: nothing may mix with it, or be overwritten."""
    if out.is_file():
        return "it is a file"
    names = sorted(path.name for path in out.glob("*") if path.name not in own) if out.is_dir() else []
    return ", ".join([name for name in names if not name.startswith(".") and not name.endswith(_HARMLESS)][:_NAMED])


def items_digest(items: Sequence[Item]) -> str:
    """Return a digest of ids, prompts, and what is demanded."""
    found = hashlib.sha256()
    for item in items:
        found.update(json.dumps(item.bound(), default=str).encode() + b"\n")
    return f"{len(items)}:{found.hexdigest()[:16]}"


def check_unique(ids: Sequence[str]) -> None:
    """Refuse ids that occur twice; everything is joined by them."""
    seen: set[str] = set()
    repeated = sorted({key for key in ids if key in seen or seen.add(key)})  # type: ignore[func-returns-value]
    if not ids:
        raise RaifError("there is no item to evaluate; look at --data, --split and --limit.")
    if repeated:
        raise RaifError(f"{len(repeated)} ids occur twice (first: {', '.join(repeated[:10])}); results join by id.")


def write_lines(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write JSON lines in one piece."""
    write_whole(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


# ---- parts --------------------------------------------------------------------------------------------------------


def _arms(suite: Suite, arms: Sequence[str] | None) -> tuple[str, ...]:
    chosen = tuple(arms or suite.arms)
    for arm in chosen:
        if arm not in suite.arms:
            raise RaifError(f"suite {suite.name} has no arm {arm!r}; it has: {', '.join(suite.arms)}.")
    return chosen


def claim(out: Path, settings: dict[str, Any]) -> dict[str, Any] | None:
    """Bind a folder to an evaluation; return its metrics if it is finished."""
    path, plain = out / SETTINGS, json.loads(json.dumps(settings))
    if path.is_file():
        before = read_record(path)
        compared = {key: changed(key, *_bound(before, plain, key)) for key in sorted({*before, *plain} - {"options"})}
        differ = {key: texts for key, texts in compared.items() if texts}
        if differ and has_results(out):
            told = "; ".join(text for texts in differ.values() for text in texts)
            raise RaifError(
                f"{out} holds an evaluation with other settings: {', '.join(differ)} differ ({told}); choose another "
                "--out."
            )
        if (out / METRICS).is_file() and not differ and before.get("options") == plain["options"]:
            return read_record(out / METRICS)
    elif held := held_by_others(out):
        raise RaifError(f"{out} holds something else than an evaluation of this kind ({held}); choose another --out.")
    out.mkdir(parents=True, exist_ok=True)
    write_whole(path, json.dumps(plain, indent=1) + "\n")
    return None


def has_results(out: Path) -> bool:
    """Tell whether anything was drawn or measured, also of several benchmarks in folders of their own.

    A folder where a mistake ended the first start is free.
    """
    places = [out, *out.glob("*/")]
    measured = any((place / METRICS).is_file() for place in places)
    return measured or any(path.stat().st_size for place in places for path in (place / GENERATIONS).glob("*.jsonl"))


def changed(name: str, old: Any, new: Any) -> list[str]:
    """Say what differs in a setting, part by part."""
    if isinstance(old, dict) and isinstance(new, dict):
        return [text for part in {**old, **new} for text in changed(f"{name}.{part}", old.get(part), new.get(part))]
    return [] if old == new else [f"{name} is {_brief(new)}, was {_brief(old)}"]


def _brief(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "..."


def _bound(before: Mapping[str, Any], now: Mapping[str, Any], key: str) -> tuple[Any, Any]:
    """Return what a folder is bound to: a server's address, a library's version, the size of batches may change."""
    return binding(key, before.get(key)), binding(key, now.get(key))


def binding(key: str, value: Any) -> Any:
    """Return the part of a setting that completions hang on."""
    if key == "generator" and isinstance(value, dict):
        return bound_identity(value)
    if key == "sampling" and isinstance(value, dict):
        return {name: part for name, part in value.items() if name != "batch_size"}
    return value


def _finish(
    suite: Suite, items: Sequence[Item], rollouts: Sequence[EvaluatedRollout], out: Path, settings: dict[str, Any]
) -> dict[str, Any]:
    metrics = _metrics(suite, items, rollouts, settings)
    write_lines(out / ITEMS, [item.shown() for item in items])
    for name, rows in suite.records(items, rollouts).items():
        write_lines(out / name, rows)
    write_whole(out / ROLLOUTS, "".join(rollout.model_dump_json() + "\n" for rollout in rollouts))
    write_whole(out / METRICS, json.dumps(metrics, ensure_ascii=False, indent=1) + "\n")
    return metrics


def _metrics(
    suite: Suite, items: Sequence[Item], rollouts: Sequence[EvaluatedRollout], settings: dict[str, Any]
) -> dict[str, Any]:
    return {
        "schema_version": SCHEMA_VERSION,
        "suite": suite.name,
        "n": len(items),
        "samples": settings["samples"],
        **suite.summarize(items, rollouts),
        "settings": settings,
        "versions": {**versions(), **suite.versions},
        "commit": commit(),
    }


def with_thinking_tokens(rollouts: list[R], generator: Generator) -> list[R]:
    """Count the tokens between the think marks, where the generator has a tokenizer."""
    lengths = getattr(generator, "lengths", None)
    if lengths is None:
        return rollouts
    thoughts = [rollout.response.thinking for rollout in rollouts]
    counts = lengths([thought or "" for thought in thoughts])
    return [
        rollout if thought is None else rollout.model_copy(update={"thinking_tokens": count})
        for rollout, thought, count in zip(rollouts, thoughts, counts, strict=True)
    ]
