"""Read the JSON object in a model's reply: strict about its content, lenient about what stands around it."""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

_THINKING = re.compile(r"\A.*</think>", re.DOTALL)
_FENCE = re.compile(r"```(?:json)?[ \t]*\n(?P<body>.*?)```", re.DOTALL | re.IGNORECASE)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, str_strip_whitespace=True)


class RewrittenDemand(_Part):
    """A demand as the model has reworded it."""

    id: int
    text: str = Field(min_length=1)
    question: str = ""


class AddedDemand(_Part):
    """A soft demand that the model has thought of."""

    kind: str
    text: str = Field(min_length=1)
    question: str = Field(min_length=1)


class Rewriting(_Part):
    """The reply to step one."""

    demands: list[RewrittenDemand]
    added: list[AddedDemand] = []


class Merging(_Part):
    """The reply to step two."""

    prompt: str = Field(min_length=1)


class Problem(NamedTuple):
    """Why something cannot be used: a short reason that is counted, and a sentence for the model."""

    reason: str
    detail: str


P = TypeVar("P", bound=BaseModel)


def read_reply(text: str, model: type[P]) -> P | Problem:
    """Read the reply as a record; the last JSON object that is one counts.

    Example:
        >>> read_reply('<think>{}</think>Here:\\n```json\\n{"prompt": "Name a river."}\\n```', Merging)
        Merging(prompt='Name a river.')
        >>> read_reply("I would rather not.", Merging).reason
        'no JSON object'
    """
    found = _objects(text)
    if not found:
        return Problem("no JSON object", "it holds no JSON object")
    problem = Problem("no JSON object", "")
    for value in reversed(found):
        try:
            return model.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            place = ".".join(map(str, first["loc"])) or "object"
            problem = Problem("JSON of another form", f"{place}: {first['msg']}")
    return problem


def _objects(text: str) -> list[dict[str, Any]]:
    """Return the outermost JSON objects of a text, after any thinking; those in a code fence alone, if it has any."""
    answer = _THINKING.sub("", text)
    fenced = [match["body"] for match in _FENCE.finditer(answer)]
    return [value for part in fenced for value in _scan(part)] or _scan(answer)


def _scan(text: str) -> list[dict[str, Any]]:
    decoder, found, place = json.JSONDecoder(), [], text.find("{")
    while place >= 0:
        try:
            value, end = decoder.raw_decode(text, place)
        except (ValueError, RecursionError):
            end = place + 1
        else:
            found.append(value)
        place = text.find("{", end)
    return found
