"""Strict readers of the data formats: code fences, JSON without repeated keys, YAML by its events."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from rewards.constraints.layout_views import clip, quoted, says_nothing

_TAG = re.compile(r"[ \t]*+([A-Za-z]*+)")
_FENCE = re.compile(r"^[ \t]*```", re.MULTILINE)
_YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def unfenced(text: str, *names: str) -> str | None:
    """Return what stands in the one code fence around a text, or the text; None for a fence of another language.

    Example:
        >>> unfenced("```json\\n{}\\n```", "json"), unfenced("{}", "json"), unfenced("```xml\\n{}\\n```", "json")
        ('{}', '{}', None)
    """
    if not text.startswith("```"):
        return text
    # Backticks inside the data, in a string for one, are no fence: that opens a line.
    fences = text.count("```") == 2 or len(_FENCE.findall(text)) == 2
    if not fences or len(text) < 6 or not text.endswith("```"):
        return None
    tag = _TAG.match(text, 3)
    known = tag is not None and tag[1].casefold() in ("", *names)
    return text[tag.end() : -3].strip() if tag and known else None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f"{clip(number, 20)} is too large a number")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key occurs twice in one object")
    return found


_DECODER = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_once)


def read_json(text: str) -> tuple[Any, str]:
    """Return the object or array that a text is, or why it is none."""
    body = unfenced(text, "json")
    if body is None:
        return None, "more or other than one JSON code fence"
    try:
        value = _DECODER.decode(body)
    except (ValueError, RecursionError) as error:
        return None, f"no valid JSON: {clip(str(error), 80)}"
    return value, "" if isinstance(value, dict | list) else "neither an object nor an array"


def empty(value: Any) -> bool:
    """Tell whether a JSON value says nothing: null, a blank string or a dash, an object or array of such.

    Example:
        >>> empty([""]), empty({"a": "-"}), empty({"a": 0})
        (True, True, False)
    """
    rest = [value]
    while rest:
        item = rest.pop()
        if isinstance(item, dict | list):
            rest += item.values() if isinstance(item, dict) else item
        elif item is not None and not (isinstance(item, str) and says_nothing(item)):
            return False
    return True


class _Content:
    """Follows YAML events: whether any value says something, and whether a key occurs twice in one mapping."""

    def __init__(self) -> None:
        self.said = False
        self._keys: list[set[str] | None] = []  # of the open mappings; None for an open list
        self._awaits_key: list[bool] = []

    def read(self, event: Any) -> str:
        """Take one event; return a problem, or ""."""
        problem = ""
        if isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._keys.pop()
            self._awaits_key.pop()
        elif isinstance(event, yaml.ScalarEvent | yaml.MappingStartEvent | yaml.SequenceStartEvent):
            is_key = bool(self._keys) and self._keys[-1] is not None and self._awaits_key[-1]
            if isinstance(event, yaml.ScalarEvent):
                problem = self._scalar(event.value, is_key)
            if self._awaits_key:
                self._awaits_key[-1] = not is_key
            if not isinstance(event, yaml.ScalarEvent):
                self._keys.append(set() if isinstance(event, yaml.MappingStartEvent) else None)
                self._awaits_key.append(True)
        return problem

    def _scalar(self, said: str, is_key: bool) -> str:
        keys = self._keys[-1] if self._keys else None
        if not is_key or keys is None:
            self.said = self.said or not says_nothing(said)
            return ""
        if said in keys:
            return f"the key {quoted(said, 20)} occurs twice"
        keys.add(said)
        return ""


def yaml_problem(text: str) -> str:
    """Say why a text is no YAML mapping or list, or ""; only events are read, so nothing is built or expanded."""
    root, documents, content = "", 0, _Content()
    for event in yaml.parse(text, Loader=_YAML_LOADER):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            return "anchors and aliases are not allowed"
        if getattr(event, "tag", None):
            return "tags are not allowed"
        documents += isinstance(event, yaml.DocumentStartEvent)
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent | yaml.ScalarEvent):
            root = root or type(event).__name__
        if problem := content.read(event):
            return problem
    if documents != 1:
        return f"{documents} documents, not one"
    if root not in ("MappingStartEvent", "SequenceStartEvent"):
        return "neither a mapping nor a list"
    return "" if content.said else "no value says anything"
