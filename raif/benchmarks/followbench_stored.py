"""Published answers to FollowBench, and the judge's replies, in the layouts of the published code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from raif.benchmarks.items import QuestionItem
from raif.benchmarks.loading import check_columns, read_rows, shown
from raif.benchmarks.protocol import Stored
from rewards.errors import RaifError

_TYPE = re.compile(r"(content|situation|style|format|mixed)_constraint")
_SHOWN = 60
_LAYOUT = (
    "Give a JSONL file of answers (prompt or prompt_new, choices), or a folder with outputs/ and verdicts/, each with "
    "files such as content_constraint.jsonl."
)


def read_stored(place: Path, items: Sequence[QuestionItem]) -> Stored:
    """Read answers, which are joined to items by their instruction, and the judge's replies, by type, group and level.

    An answer that is missing where others of its language and type are there counts as no answer in both profiles, so
    that the number of groups stays what it is; a type without any answer is left out.

    Raises:
        RaifError: if an answer or a verdict belongs to no item or is there twice, a verdict is about another answer, or
            an answer has no verdict where others have one.
    """
    outputs = _outputs(place, items)
    replies = _replies(place, items, outputs)
    there = {_set(item) for item in items if item.id in outputs}
    gaps = {item.id: "" for item in items if _set(item) in there and item.id not in outputs}
    silent = [item.id for item in items if _asks(item) and outputs.get(item.id, "").strip() and item.id not in replies]
    if replies and silent:
        raise RaifError(f"{place} has answers to {len(silent)} judged items without a verdict (first: {silent[0]}).")
    said = {(key, "item"): reply for key, reply in replies.items()}
    return Stored({**outputs, **gaps}, said, judge=place.name)


def _outputs(place: Path, items: Sequence[QuestionItem]) -> dict[str, str]:
    by_prompt = {item.prompt: item.id for item in items}
    outputs: dict[str, str] = {}
    for where, path, row in _rows([place] if place.is_file() else _files(place / "outputs")):
        prompt = _prompt(row, ("prompt", "prompt_new"), where)
        if prompt not in by_prompt:
            raise RaifError(f"{where} holds an answer to {prompt[:_SHOWN]!r}, which is no item of this data.")
        _add(outputs, by_prompt[prompt], _content(row, where), path)
    return outputs


def _replies(place: Path, items: Sequence[QuestionItem], outputs: Mapping[str, str]) -> dict[str, str]:
    """Return replies by item; the judge's prompt holds the instruction and the answer, and both must be these."""
    asked: dict[tuple[str, str, str], list[QuestionItem]] = {}
    for item in filter(_asks, items):
        row = item.context["row"]
        asked.setdefault((item.context["type"], str(row["example_id"]), str(row["level"])), []).append(item)
    replies: dict[str, str] = {}
    for where, path, row in _rows(_files(place / "verdicts") if (place / "verdicts").is_dir() else []):
        kind = _TYPE.search(path.name)
        check_columns(row, ("example_id", "level"), where, "example_id, level, prompt_new and choices")
        key = (kind[1] if kind else path.name, str(row["example_id"]), str(row["level"]))
        prompt = _prompt(row, ("prompt_new", "prompt"), where)
        found = next((item for item in asked.get(key, []) if item.prompt in prompt), None)
        if found is None:
            raise RaifError(f"{where} holds a verdict on {'/'.join(key)}, which is no judged item of this data.")
        if outputs.get(found.id, "\0") not in prompt:
            raise RaifError(f"{where}: the verdict on {found.id} is about another answer than the one in outputs/.")
        _add(replies, found.id, _content(row, where), path)
    return replies


def _add(texts: dict[str, str], key: str, text: str, path: Path) -> None:
    if key in texts:
        raise RaifError(f"{path} holds a second text for {key}; keep the files of one run.")
    texts[key] = text


def _files(folder: Path) -> list[Path]:
    found = sorted(folder.rglob("*_constraint.jsonl*"))
    if not found:
        raise RaifError(f"no *_constraint.jsonl in {folder}. {_LAYOUT}")
    return found


def _rows(paths: Sequence[Path]) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
    """Yield rows, each with what errors call it, and its file."""
    for path in paths:
        for number, row in enumerate(read_rows(path)):
            yield f"{path}, row {number}", path, row


def _prompt(row: Mapping[str, Any], names: Sequence[str], where: str) -> str:
    name = next((name for name in names if name in row), None)
    if name is None:
        raise RaifError(f"{where} has no {' or '.join(names)}, only {', '.join(row)}. {_LAYOUT}")
    return str(row[name])


def _content(row: Mapping[str, Any], where: str) -> str:
    try:
        text = row["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        raise RaifError(f"{where} has no choices[0].message.content. {_LAYOUT}") from error
    if not isinstance(text, str):
        raise RaifError(f"{where}: choices[0].message.content is {shown(text)}, not a text. {_LAYOUT}")
    return text


def _asks(item: QuestionItem) -> bool:
    return any(question.by == "judge" for question in item.questions)


def _set(item: QuestionItem) -> tuple[str, str]:
    return item.language, item.context["type"]
