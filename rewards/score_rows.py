"""From stored rollouts to score lines: raw lines in and out, so that JSON costs the workers and not the caller."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr, ValidationError

from rewards.caps import LengthCap
from rewards.constraint import known_constraints
from rewards.entries import JudgeReward, LengthCapReward, RewardConfig, parse_rewards
from rewards.errors import RaifError
from rewards.instruction_index import InstructionIndex
from rewards.math_answer import MathVerifier
from rewards.response import Response
from rewards.reward import Reward, ScoredResponse, Scorer
from rewards.score_summary import Tally, tally_of
from rewards.think_styles import DIRECT, ThinkStyle

_SECONDS_PER_ANSWER = 5.0
_A_DAY = 86_400.0
_KEYS = ("id", "instruction_id", "step", "group", "sample", "direct")
RawRow = tuple[int, bytes]  # a line of a rollouts file with its number, counted from 1
_UNDECIDED: Mapping[str, Any] = {
    "reward": None,
    "outcome": None,
    "parts": {},
    "hard": None,
    "soft": None,
    "correct": None,
    "well_formed": None,
    "truncated": None,
    "verdicts": [],
}


class ScoreSettings(BaseModel):
    """What a score depends on besides instruction and completion.

    Fields:
        rewards: reward entries as in a recipe, see `rewards.parse_rewards`.
        cap: the length cap, or None when truncation plays no part.
        style, prefilled: how thinking is marked, and whether the prompt opened it, see `Response.split`.
        deadline: seconds that one rollout may take; one that is late is unscored.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rewards: tuple[Any, ...] = ({"type": "constraints"},)
    cap: LengthCap | None = None
    style: ThinkStyle = "think"
    prefilled: bool = True
    deadline: float = Field(default=60.0, gt=0, allow_inf_nan=False)

    @property
    def entries(self) -> tuple[RewardConfig, ...]:
        """The parsed entries.

        Raises:
            RaifError: if an entry is not valid, or needs a cap that is not set.
        """
        entries = parse_rewards(self.rewards)
        if self.cap is None and any(isinstance(entry, LengthCapReward) and not entry.limit for entry in entries):
            raise RaifError("length_cap needs a limit: set `limit` in the entry, or score under a cap.")
        return entries

    @property
    def needs_length(self) -> bool:
        return any(isinstance(entry, LengthCapReward) for entry in self.entries)

    @property
    def seconds_per_row(self) -> float:
        """What a chunk gets for each row: nothing, unless rows wait for a judge behind a network."""
        return self.deadline if any(isinstance(entry, JudgeReward) for entry in self.entries) else 0.0


class RolloutRow(BaseModel):
    """One stored completion; other fields, such as the verdicts of an earlier scoring, are ignored.

    Fields:
        id, step, group, sample: repeated in the score line where the row has them.
        direct: the completion is thinking-free.
        finish_reason: `length` for a completion that was cut off; without it the number of tokens decides.
        completion_tokens: by default the number of `completion_ids`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    instruction_id: StrictStr
    completion: StrictStr
    id: StrictStr | StrictInt | None = None
    step: StrictInt | None = None
    group: StrictInt | None = None
    sample: StrictInt | None = None
    direct: StrictBool = False
    finish_reason: Literal["stop", "length"] | None = None
    completion_tokens: Annotated[StrictInt, Field(ge=0)] | None = None
    completion_ids: tuple[StrictInt, ...] | None = None

    @property
    def tokens(self) -> int | None:
        if self.completion_tokens is None and self.completion_ids is not None:
            return len(self.completion_ids)
        return self.completion_tokens


class Scored(NamedTuple):
    """The score lines of a chunk, one for each row and in order, with their tally."""

    lines: bytes
    tally: Tally


class RowScorer:
    """Score chunks of raw rows; whatever is wrong with a row is said in its line."""

    def __init__(self, instructions: str | Path, settings: ScoreSettings) -> None:
        self.settings = settings
        known_constraints()  # loaded now, as that is no time of the first row
        self._index = InstructionIndex(instructions)
        self._needs_length = settings.needs_length
        # Whether an answer is decided must not hang on its neighbours: only the time of one answer is limited here.
        verifier = MathVerifier(deadline=_A_DAY, seconds_per_item=min(_SECONDS_PER_ANSWER, settings.deadline / 2))
        self._scorer = Scorer(settings.entries, settings.cap, verifier)

    def __call__(self, rows: Sequence[RawRow]) -> Scored:
        records: list[dict[str, Any] | None] = [None] * len(rows)
        batch: dict[int, tuple[RolloutRow, ScoredResponse]] = {}
        for place, row in enumerate(rows):
            try:
                parsed = parse_row(row[1])
                batch[place] = parsed, self._scored_response(parsed)
            except RaifError as error:
                records[place] = _undecided(row, problem=str(error))
        rewards = self._rewards([response for _, response in batch.values()])
        for (place, (parsed, _)), reward in zip(batch.items(), rewards, strict=True):
            number = rows[place][0]
            records[place] = (
                _record(number, _keys(parsed), _undecided_because(reward))
                if isinstance(reward, str)
                else _record(number, _keys(parsed), _decided(reward))
            )
        return _scored([record for record in records if record is not None])

    def _scored_response(self, row: RolloutRow) -> ScoredResponse:
        try:
            instruction = self._index[row.instruction_id]
        except KeyError as error:
            raise RaifError(f"no instruction has the id {row.instruction_id!r}") from error
        style = DIRECT[self.settings.style] if row.direct else self.settings.style
        response = Response.split(
            row.completion,
            style=style,
            prefilled=self.settings.prefilled and not row.direct,
            truncated=self._is_truncated(row),
        )
        return ScoredResponse(instruction, response, row.tokens or 0, row.completion, row.completion_ids or ())

    def _is_truncated(self, row: RolloutRow) -> bool:
        """Tell whether a completion was cut off, or would have been under the cap."""
        if row.tokens is None:
            if self._needs_length:
                raise RaifError("completion_tokens: missing, and length_cap needs it")
            if row.finish_reason is None and self.settings.cap is not None:
                raise RaifError("finish_reason or completion_tokens: both missing, so the cap cannot be applied")
        if row.finish_reason == "length":
            return True
        cap, tokens = self.settings.cap, row.tokens or 0
        return cap is not None and cap.truncates(tokens, ended=row.finish_reason == "stop" and tokens <= cap.limit)

    def _rewards(self, batch: Sequence[ScoredResponse]) -> list[Reward | str]:
        """Return a breakdown for each response, or why there is none."""
        with suppress(Exception):  # one row's failure is no other's
            return list(self._scorer.score(batch))
        return [self._reward(response) for response in batch]

    def _reward(self, response: ScoredResponse) -> Reward | str:
        try:
            return self._scorer.score([response])[0]
        except Exception as error:
            return f"scoring failed: {error}" if isinstance(error, RaifError) else f"scoring failed: {error!r}"


def make_row_scorer(argument: tuple[str, str]) -> RowScorer:
    """Make the scorer of a worker process from the instructions file and the settings as JSON."""
    instructions, settings = argument
    return RowScorer(instructions, ScoreSettings.model_validate_json(settings))


def given_up(row: RawRow, reason: str) -> Scored:
    """Return the line of a row whose scoring did not end."""
    return _scored([_undecided(row, reason=reason)])


def parse_row(text: bytes) -> RolloutRow:
    """Parse one line; whatever is wrong with it is a `RaifError`.

    Example:
        >>> parse_row(b'{"instruction_id": "a"}')
        Traceback (most recent call last):
        rewards.errors.RaifError: completion: Field required
    """
    try:
        return RolloutRow.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        raise RaifError(f"{'.'.join(map(str, first['loc'])) or 'line'}: {first['msg']}") from error


def _keys(row: RolloutRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _KEYS if name in row.model_fields_set}


def _salvaged(text: bytes) -> dict[str, Any]:
    """Return the keys of a line that is no rollout, as far as they can be read."""
    content = None
    with suppress(ValueError, RecursionError):
        content = json.loads(text)
    content = content if isinstance(content, dict) else {}
    keys = {name: content[name] for name in _KEYS if isinstance(content.get(name), (str, int))}
    return {"instruction_id": None} | keys


def _undecided(row: RawRow, *, reason: str = "", problem: str = "") -> dict[str, Any]:
    number, text = row
    return _record(number, _salvaged(text), _undecided_because(reason), problem)


def _undecided_because(reason: str) -> dict[str, Any]:
    return {**_UNDECIDED, "reason": reason}


def _decided(reward: Reward) -> dict[str, Any]:
    judgement = reward.judgement
    return {
        "reward": reward.total,
        "outcome": reward.outcome,
        "parts": dict(reward.parts),
        "hard": judgement.hard,
        "soft": judgement.soft,
        "correct": reward.correct,
        "well_formed": reward.well_formed,
        "truncated": reward.truncated,
        "verdicts": [
            {
                "path": leaf.path,
                "type": leaf.type,
                "status": leaf.verdict.status.value,
                "evidence": leaf.verdict.evidence,
            }
            for leaf in judgement.leaves
        ],
        "reason": reward.reason,
    }


def _record(number: int, keys: Mapping[str, Any], values: Mapping[str, Any], problem: str = "") -> dict[str, Any]:
    return {"line": number, **keys, **values, "problem": problem, "schema_version": 1}


def _scored(records: Sequence[Mapping[str, Any]]) -> Scored:
    return Scored(b"".join(_dumped(record) for record in records), tally_of(records))


def _dumped(record: Mapping[str, Any]) -> bytes:
    try:
        return json.dumps(record, ensure_ascii=False, allow_nan=False).encode() + b"\n"
    except UnicodeEncodeError:  # half of a surrogate pair, which has no bytes of its own
        return json.dumps(record, allow_nan=False).encode() + b"\n"
