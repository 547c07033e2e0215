"""Expert demonstrations of a file, joined to instructions by id; what the rules reject is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from data_gen.quality.files import json_rows
from raif.chat import ThinkFormat
from rewards.entries import RewardConfig, program_seconds
from rewards.errors import RaifError
from rewards.instruction import Demonstration, Instruction
from rewards.response import Response
from rewards.reward import Reward, ScoredResponse, Scorer
from rewards.think_styles import CLOSE, ThinkStyle, join

_EXAMPLES = 3
_CHUNK = 64  # experts that are judged together, within one deadline of the maths verifier
T = TypeVar("T")


class Joined(NamedTuple):
    """Instructions with the experts of a file, and what became of its rows.

    Fields:
        counts: `file`, `rows`, `joined`, `undecided` (joined, though something of it could not be judged),
            `unknown_ids`, `doubled_ids` and `rejected` (rows by reason) with the first `examples`; JSON values.
    """

    tasks: list[Instruction]
    counts: dict[str, Any]


class _Tally:
    def __init__(self) -> None:
        self.rows = self.joined = self.undecided = self.unknown_ids = self.doubled_ids = 0
        self.rejected, self.examples = Counter[str](), list[str]()

    def reject(self, reason: str, name: str, seen: str = "") -> None:
        self.rejected[reason] += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(f"{name}: {seen or reason}")


def completion_of(expert: Demonstration, think: ThinkFormat) -> str:
    """Return a demonstration as the policy would write it."""
    gap = "" if think.prefilled else "\n"  # models that open the thinking themselves go on in a new line
    return join(f"{gap}{expert.thinking}", expert.answer, think.style, think.prefilled)


def join_experts(
    tasks: Sequence[Instruction], path: str | Path, think: ThinkFormat, entries: Sequence[RewardConfig] = ()
) -> Joined:
    """Give instructions the experts of a file, in place of their own.

    Args:
        tasks: the instructions.
        path: JSON Lines of `{id, thinking, answer}` or `{id, completion}`; `instruction_id` is taken for `id`, so
            that the `experts.jsonl` of `python -m data_gen experts` is such a file.
        think: how the policy marks its thinking.
        entries: the rewards of the run; programs are only run where one of them does so.

    Raises:
        RaifError: if there is no such file, no id of it belongs to an instruction, or all of it is rejected.
    """
    file, known, tally = Path(path), {task.id: task for task in tasks}, _Tally()
    if not file.is_file():
        raise RaifError(f"no experts at {file}; make them with `python -m data_gen experts`, or remove `experts`.")
    scorer = Scorer([entry for entry in entries if program_seconds([entry]) is not None])
    found: dict[str, Demonstration] = {}
    for chunk in _chunks(_candidates(file, known, think, tally), _CHUNK):
        found |= _accepted(chunk, known, think, scorer, tally)
    tally.joined = len(found)
    if tally.unknown_ids == tally.rows or not tally.rows:
        raise _no_match(file, tasks, tally)
    if not tally.joined:
        raise RaifError(
            f"{file}: none of the {tally.rows} experts can be cloned; the first: {tally.examples[0]}. They are judged "
            "as the policy would write them: by the format, the constraints and the answer."
        )
    joined = [task.model_copy(update={"expert": found[task.id]}) if task.id in found else task for task in tasks]
    counts = {**vars(tally), "rejected": dict(tally.rejected.most_common())}
    return Joined(joined, {"file": str(file), **counts})


def _candidates(
    file: Path, known: Mapping[str, Instruction], think: ThinkFormat, tally: _Tally
) -> Iterator[tuple[str, Demonstration]]:
    """Yield the first demonstration of each instruction that is one."""
    seen: set[str] = set()
    for row in json_rows(file):
        tally.rows += 1
        name = str(row.get("id") or row.get("instruction_id") or "")
        if name not in known:
            tally.unknown_ids += 1
        elif name in seen:
            tally.doubled_ids += 1
        elif (expert := _demonstration(row, think)) is None:
            tally.reject("no demonstration", name, f"has no `answer` or `completion`; it has: {', '.join(row)}")
        else:
            seen.add(name)
            yield name, expert


def _demonstration(row: Mapping[str, Any], think: ThinkFormat) -> Demonstration | None:
    thinking, answer, origin = row.get("thinking"), row.get("answer"), str(row.get("origin") or "file")
    if isinstance(answer, str):
        return Demonstration(thinking=thinking if isinstance(thinking, str) else "", answer=answer, origin=origin)
    text = row.get("completion")
    if not isinstance(text, str):
        return None
    response = _split(text, think.style)
    return Demonstration(thinking=response.thinking or "", answer=response.answer, origin=origin)


def _split(text: str, style: ThinkStyle) -> Response:
    """Divide a raw completion, marked as the policy marks its thinking or by think tags."""
    own = Response.split(text, style=style, prefilled=CLOSE in text)
    tags = Response.split(text, style="think", prefilled=CLOSE in text)
    return own if own.well_formed or not tags.well_formed else tags


def _accepted(
    chunk: Sequence[tuple[str, Demonstration]],
    known: Mapping[str, Instruction],
    think: ThinkFormat,
    scorer: Scorer,
    tally: _Tally,
) -> dict[str, Demonstration]:
    """Return the demonstrations that the rules accept as the policy would write them."""
    batch = [ScoredResponse(known[name], _as_written(expert, think)) for name, expert in chunk]
    accepted: dict[str, Demonstration] = {}
    for (name, expert), item, reward in zip(chunk, batch, scorer.score(batch), strict=True):
        if refused := _refusal(reward):
            tally.reject(refused[0], name, refused[1])
            continue
        accepted[name] = expert
        tally.undecided += _is_undecided(item.instruction, reward)
    return accepted


def _as_written(expert: Demonstration, think: ThinkFormat) -> Response:
    return Response.split(completion_of(expert, think), style=think.style, prefilled=think.prefilled)


def _refusal(reward: Reward) -> tuple[str, str] | None:
    """Return why a demonstration is rejected and what was seen; None where it is not."""
    if not reward.well_formed:
        return "malformed", "its thinking or its answer is blank, or holds marks of thinking"
    if reward.judgement.hard is False:
        failed = next(leaf for leaf in reward.judgement.leaves if leaf.verdict.status in ("violated", "blocked"))
        return "constraint violated", f"{failed.type}: {failed.verdict.evidence}"
    return ("wrong answer", "its answer is not the right one") if reward.correct is False else None


def _is_undecided(task: Instruction, reward: Reward) -> bool:
    """Tell whether a demand, or the correctness of the answer, could not be judged."""
    unscored = any(leaf.verdict.status == "unscored" for leaf in reward.judgement.leaves)
    return unscored or (task.answer is not None and reward.correct is None)


def _no_match(file: Path, tasks: Sequence[Instruction], tally: _Tally) -> RaifError:
    example = tasks[0].id if tasks else ""
    return RaifError(
        f"{file}: none of its {tally.rows} rows has the id of an instruction in `id` or `instruction_id` (such as "
        f"{example!r}). It was made for other data: make it anew with `python -m data_gen experts`."
    )


def _chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
