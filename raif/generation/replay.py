"""Stored responses: read from a file, joined to the items of a benchmark by id, never by position.

Two forms are read, told apart by the first row. Ours has `id` and `response`, and may have `sample`, `tokens` and
`finish_reason`; every item must be there, once for each sample. The official form of IFEval and IFBench has `prompt`
and `response`; there a file may miss items, and the report says so.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from difflib import SequenceMatcher
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from raif.chat import ThinkFormat
from raif.evaluation.records import Item
from raif.generation.protocol import Arrived, Request, Sampling
from raif.generation.server_reply import whole_characters
from raif.generation.store import FINISHED, read_completions
from rewards.errors import RaifError

NAMED = 10  # ids that an error lists
ALMOST = 0.95  # similarity of two prompts of which one is an edit of the other
ALMOST_PAIRS = 400


class Given(NamedTuple):
    """A stored response; `tokens` and `ended` are None where the file does not say."""

    text: str
    tokens: int | None = None
    ended: bool | None = None


class Responses(NamedTuple):
    """The responses of a file by (item id, sample).

    `missing` are the ids of items without a response, `unmatched` how the prompts begin that belong to no item; both
    are empty in our own form, where either is an error. `edited` are items whose prompt was slightly changed since the
    file was made. `digest` is that of the file.
    """

    outputs: dict[tuple[str, int], Given]
    missing: list[str]
    unmatched: list[str]
    form: Literal["id", "prompt"]
    digest: str = ""
    edited: tuple[str, ...] = ()

    def remarks(self) -> list[str]:
        """Say in sentences what did not match."""
        said = []
        if self.missing:
            said.append(f"{len(self.missing)} items have no response and are left out: {_some(self.missing)}")
        if self.edited:
            said.append(f"{len(self.edited)} items were edited since and keep their responses: {_some(self.edited)}")
        if self.unmatched:
            said.append(f"{len(self.unmatched)} responses belong to no item: {_some(self.unmatched)}")
        return said

    def record(self) -> dict[str, Any]:
        """Return what the settings of an evaluation say of the file."""
        return {
            "form": self.form,
            "digest": self.digest,
            "missing": self.missing,
            "unmatched": self.unmatched,
            "edited": list(self.edited),
        }


_Text = Annotated[str, AfterValidator(whole_characters)]


class _Row(BaseModel):
    model_config = ConfigDict(strict=True)

    response: _Text
    sample: int = Field(default=0, ge=0)
    tokens: int | None = Field(default=None, ge=0)
    finish_reason: Literal["stop", "length", "eos_token", "stop_sequence"] | None = None

    def given(self) -> Given:
        ended = None if self.finish_reason is None else self.finish_reason != "length"
        return Given(self.response, self.tokens, ended)


class _IdRow(_Row):
    id: _Text


class _PromptRow(_Row):
    prompt: _Text


_AnyRow = TypeVar("_AnyRow", _IdRow, _PromptRow)


def read_responses(path: str | Path, items: Sequence[Item]) -> Responses:
    """Read stored responses and join them to items.

    Raises:
        RaifError: if the file is missing or a line is broken; if ids are missing, doubled or unknown (one message with
            all three, up to 10 ids each); if a prompt of the official form is doubled.
    """
    source = Path(path)
    if source.is_dir():
        raise RaifError(f"{source} is a folder; give a JSONL file with `id` and `response` in each row.")
    if not source.is_file():
        raise RaifError(f"no responses at {source}; give a JSONL file with `id` and `response` in each row.")
    content = source.read_bytes()
    rows = _rows(source, content)
    if not rows:
        raise RaifError(f"{source} holds no responses; give a JSONL file with `id` and `response` in each row.")
    digest = hashlib.sha256(content).hexdigest()[:16]
    if "id" in rows[0][1]:
        return _join_by_id(source, _parse(source, rows, _IdRow), items)._replace(digest=digest)
    if "prompt" in rows[0][1]:
        return _join_by_prompt(source, _parse(source, rows, _PromptRow), items)._replace(digest=digest)
    names = ", ".join(map(_shown, rows[0][1]))
    raise RaifError(f"{source}:{rows[0][0]} has neither `id` nor `prompt` (it has: {names}); see --export-prompts.")


def read_answers(path: str | Path) -> dict[str, Given]:
    """Read rows of `id` and `response` by their ids, whatever those stand for.

    Raises:
        RaifError: if a line is broken, or an id is given twice. A file that is not there holds nothing yet.
    """
    source = Path(path)
    if source.is_dir():
        raise RaifError(f"{source} is a folder; give a JSONL file with `id` and `response` in each row.")
    if not source.is_file():
        return {}
    rows = _parse(source, _rows(source, source.read_bytes()), _IdRow)
    doubled = [key for key, count in Counter(row.id for row in rows).items() if count > 1]
    if doubled:
        raise RaifError(f"{source} answers {len(doubled)} ids more than once: {_some(doubled)}; remove all but one.")
    return {row.id: row.given() for row in rows}


def _join_by_id(source: Path, rows: Sequence[_IdRow], items: Sequence[Item]) -> Responses:
    ids = [item.id for item in items]
    known, samples = set(ids), _samples(source, rows)
    counted = Counter((row.id, row.sample) for row in rows)
    wanted = [(key, sample) for key in ids for sample in range(samples)]
    problems = {
        "missing": [_place(*place, samples) for place in wanted if place not in counted],
        "given more than once": [_place(*place, samples) for place, count in counted.items() if count > 1],
        "unknown": list(dict.fromkeys(row.id for row in rows if row.id not in known)),
    }
    if found := "; ".join(f"{len(ids)} {what}: {_some(ids)}" for what, ids in problems.items() if ids):
        raise RaifError(f"{source} does not fit the {len(ids)} items. {found}. --export-prompts writes every id.")
    given = {(row.id, row.sample): row.given() for row in rows}
    return Responses({place: given[place] for place in wanted}, [], [], "id")


def _join_by_prompt(source: Path, rows: Sequence[_PromptRow], items: Sequence[Item]) -> Responses:
    """Join by the exact prompt, by the prompt without surrounding blanks (as IFBench's own evaluation does), or almost.

    IFEval's item 2785 was edited after GPT-4's responses had been published.
    """
    exact, stripped = _by_prompt(items, strip=False), _by_prompt(items, strip=True)
    found = [exact.get(row.prompt) or stripped.get(row.prompt.strip()) for row in rows]
    left = [item for item in items if item.id not in set(found)]
    edited = _almost({row.prompt for row, item_id in zip(rows, found, strict=True) if item_id is None}, left)
    placed = [(item_id or edited.get(row.prompt), row) for row, item_id in zip(rows, found, strict=True)]
    counted = Counter((item_id, row.sample) for item_id, row in placed if item_id)
    doubled = [item_id for (item_id, _), count in counted.items() if count > 1]
    if doubled:
        raise RaifError(
            f"{source} answers {len(doubled)} prompts more than once: {_some(doubled)}; remove all but one."
        )
    outputs = {(item_id, row.sample): row.given() for item_id, row in placed if item_id}
    if not outputs:
        raise RaifError(f"{source} answers no prompt of these items; its first is {_beginning(rows[0].prompt)!r}.")
    samples = _samples(source, rows)
    uneven = [item.id for item in items if 0 < sum((item.id, i) in outputs for i in range(samples)) < samples]
    if uneven:
        raise RaifError(f"{source} lacks some of the {samples} samples of {len(uneven)} items: {_some(uneven)}.")
    ordered = {(i.id, n): outputs[i.id, n] for i in items for n in range(samples) if (i.id, n) in outputs}
    missing = [item.id for item in items if (item.id, 0) not in outputs]
    unmatched = [_beginning(row.prompt) for item_id, row in placed if item_id is None]
    return Responses(ordered, missing, unmatched, "prompt", edited=tuple(edited.values()))


def _samples(source: Path, rows: Sequence[_Row]) -> int:
    """Return how many samples an item has, counted from 0."""
    last = max(row.sample for row in rows)
    if last >= len(rows):
        raise RaifError(f"{source} has the sample {last} in {len(rows)} rows; samples of an item count from 0.")
    return last + 1


def _almost(prompts: Collection[str], left: Sequence[Item]) -> dict[str, str]:
    """Return ids of items left over whose prompt differs by a few characters from a prompt left over."""
    found: dict[str, str] = {}
    if len(prompts) * len(left) > ALMOST_PAIRS:  # another edition of the data, not a few edits
        return found
    for prompt in sorted(prompts):
        near = [item.id for item in left if _similarity(prompt, item.prompt) >= ALMOST]
        if len(near) == 1 and near[0] not in found.values():
            found[prompt] = near[0]
    return found


def _similarity(first: str, second: str) -> float:
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() >= ALMOST else 0.0


def _by_prompt(items: Sequence[Item], strip: bool) -> dict[str, str]:
    """Return the ids by prompt; a prompt that two items share says nothing about which of them is meant."""
    prompts = [item.prompt.strip() if strip else item.prompt for item in items]
    counted = Counter(prompts)
    shared = [item.id for item, prompt in zip(items, prompts, strict=True) if counted[prompt] > 1]
    if shared and not strip:
        raise RaifError(f"{len(shared)} items share their prompts: {_some(shared)}; give responses by `id`.")
    return {prompt: item.id for item, prompt in zip(items, prompts, strict=True) if counted[prompt] == 1}


def _rows(source: Path, content: bytes) -> list[tuple[int, dict[str, Any]]]:
    found = []
    for number, line in enumerate(content.split(b"\n"), 1):  # a line break inside a text may be any other character
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise RaifError(f"{source}:{number} is no UTF-8 text; save the file as UTF-8.") from error
        except (ValueError, RecursionError) as error:
            raise RaifError(f"{source}:{number} is no JSON ({error}); one object a line is expected.") from error
        if not isinstance(row, dict):
            raise RaifError(f"{source}:{number} is no object; a row has `id` and `response`.")
        found.append((number, row))
    return found


def _parse(source: Path, rows: Sequence[tuple[int, dict[str, Any]]], kind: type[_AnyRow]) -> list[_AnyRow]:
    parsed = []
    for number, row in rows:
        try:
            parsed.append(kind.model_validate(row))
        except ValidationError as error:
            raise RaifError(f"{source}:{number} {_wrong(row, error)}") from error
    return parsed


def _wrong(row: dict[str, Any], error: ValidationError) -> str:
    """Say what a row has in place of what was expected."""
    first = error.errors()[0]
    field = str(first["loc"][0])
    if field not in row:
        return f"has no `{field}`; it has: {', '.join(map(_shown, row))}. A row needs `id` and `response`."
    advice = {
        "id": "ids are those of the file of prompts (--export-prompts)",
        "response": "where nothing was said, write an empty text",
    }.get(field, "correct the row")
    return f"field {field} is {_beginning(json.dumps(row[field]))}: {first['msg']}; {advice}."


def _shown(name: str) -> str:
    """Return a name; one with characters that a terminal obeys, and does not show, in quotes and escaped."""
    return name if name.isprintable() else repr(name)


def _place(item_id: str, sample: int, samples: int) -> str:
    return item_id if samples == 1 else f"{item_id} (sample {sample})"


def _beginning(text: str) -> str:
    return text[:60].replace("\n", " ").replace("\r", " ")


def _some(names: Iterable[str]) -> str:
    names = list(map(_shown, names))
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")


class Replay:
    """A generator over a file of drawn completions (`completions.jsonl` of a store), joined by the requests' keys.

    Args:
        model: what drew them, for the record.
        responses: the file, or the store's folder.
        think: how its completions mark thinking.
    """

    def __init__(self, model: str, responses: str | Path, think: ThinkFormat | None = None) -> None:
        source = Path(responses) / FINISHED if Path(responses).is_dir() else Path(responses)
        if not source.is_file():
            raise RaifError(f"no completions at {source}; give the folder of a store or its completions.jsonl.")
        self.think = think or ThinkFormat("think", True)
        self._digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
        kept = read_completions(source)
        doubled = [key for key, count in Counter(row.request for row in kept).items() if count > 1]
        if doubled:
            raise RaifError(f"{source} holds several completions of {len(doubled)} requests: {_some(doubled)}.")
        self._kept = {row.request: row.completion for row in kept}
        self._source, self.model = source, model

    def identity(self) -> dict[str, Any]:
        """Return the digest of the file."""
        return {"backend": "replay", "model": self.model, "responses": self._digest}

    def generate(self, requests: Sequence[Request], sampling: Sampling, arrived: Arrived) -> None:
        """Hand over the stored completions; the sampling settings are those of the file, whatever is asked for."""
        missing = [request.key for request in requests if request.key not in self._kept]
        if missing:
            raise RaifError(f"{self._source} lacks {len(missing)} requests: {_some(missing)}.")
        for number, request in enumerate(requests):
            arrived(number, self._kept[request.key])

    def close(self) -> None:
        """Hold nothing."""
