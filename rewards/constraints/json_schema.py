"""A validator for the part of JSON Schema that needs no other files: linear, without surprises, closed by default.

Known keywords: type, enum, const, properties, required, additionalProperties, minProperties, maxProperties, items,
minItems, maxItems, uniqueItems, minLength, maxLength, pattern (a simple one), minimum, maximum, exclusiveMinimum,
exclusiveMaximum, multipleOf, anyOf, allOf, oneOf, not, and $ref to `#` or to a name under `$defs` or `definitions`.
Titles, descriptions, defaults, examples and comments say nothing about a value. Any other keyword is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Json = Any
Problem = str
_TYPES: dict[str, Callable[[Json], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1,
}
_NUMBERS = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_SIZES = ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties")
_LISTS = ("anyOf", "allOf", "oneOf")
_MAPS = ("properties", "$defs", "definitions")
_SILENT = ("title", "description", "default", "examples", "$comment", "$schema")
_KNOWN = {
    *("type", "enum", "const", "required", "additionalProperties", "items", "uniqueItems", "not", "$ref", "pattern"),
    *(_NUMBERS + _SIZES + _LISTS + _MAPS + _SILENT),
}
DEEPEST = 60
_LONGEST_MATCHED = 2000
_ATOM = re.compile(r"\\[^0-9]|\[\^?\]?(?:\\.|[^\]\\])*\]")
_VARIABLE = re.compile(r"[*+?]|\{\d*,\d*\}")


def refused(schema: Json) -> Problem:
    """Say why a schema cannot be used, or "".

    Example:
        >>> refused({"type": "object", "patternProperties": {}})
        "unknown keyword 'patternProperties'"
        >>> refused({"type": "object", "required": ["a"]})
        ''
    """
    problem = next(filter(None, (_refused_here(part) for part in _parts(schema))), "")
    if problem:
        return problem
    if isinstance(schema, Mapping) and not _demands(schema):
        return "the schema asks for nothing that a JSON object or array could miss"
    try:
        for part in _parts(schema):
            _follow(part, schema, ())
    except ValueError as error:
        return str(error)
    return ""


def _parts(schema: Json) -> Iterator[Json]:
    """Yield a schema and every schema inside it."""
    yield schema
    if not isinstance(schema, Mapping):
        return
    inner = [schema[key] for key in ("items", "not", "additionalProperties") if key in schema]
    inner += [part for key in _LISTS for part in _as_list(schema.get(key))]
    inner += [part for key in _MAPS for part in _as_map(schema.get(key)).values()]
    for part in inner:
        yield from _parts(part)


def _demands(schema: Mapping[str, Json]) -> bool:
    return any(key not in (*_SILENT, "$defs", "definitions") for key in schema)


def _contradiction(schema: Mapping[str, Json]) -> Problem:
    """Say which lower bound exceeds its upper one, or what is required and forbidden, or ""."""
    bounds = [(f"min{unit}", f"max{unit}") for unit in ("Length", "Items", "Properties", "imum")]
    for low, high in bounds:
        if low in schema and high in schema and schema[low] > schema[high]:
            return f"{low} exceeds {high}"
    known = _as_map(schema.get("properties"))
    other = schema.get("additionalProperties", True)
    never = [name for name in _as_list(schema.get("required")) if known.get(name, other) is False]
    return f"{never[0]!r} is required and not allowed" if never else ""


def _as_list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _as_map(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}


def _refused_here(schema: Json) -> Problem:
    if isinstance(schema, bool):
        return ""
    if not isinstance(schema, Mapping):
        return f"a schema is a mapping or a boolean, not {str(schema)[:40]!r}"
    if unknown := [key for key in schema if key not in _KNOWN]:
        return f"unknown keyword {unknown[0]!r}"
    return next(
        (
            f"bad value for {key!r}: {str(value)[:40]!r}"
            for key, value in schema.items()
            if not _well_formed(key, value)
        ),
        "",
    ) or _contradiction(schema)


def _well_formed(key: str, value: Json) -> bool:
    if key == "type":
        names = value if isinstance(value, list) else [value]
        return bool(names) and all(isinstance(name, str) and name in _TYPES for name in names)
    if key in _NUMBERS:
        return _TYPES["number"](value) and (key != "multipleOf" or value > 0)
    if key in _SIZES:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if key in ("enum", *_LISTS):
        return isinstance(value, list) and bool(value)
    if key == "required":
        return isinstance(value, list) and all(isinstance(name, str) for name in value)
    if key in _MAPS:
        return isinstance(value, Mapping)
    if key == "pattern":
        return isinstance(value, str) and _simple(value)
    return isinstance(value, str if key == "$ref" else bool) if key in ("$ref", "uniqueItems") else True


def _simple(pattern: str) -> bool:
    """Tell whether a pattern takes little time on any text: two repetitions at most, and none of a group.

    Example:
        >>> _simple("^[a-z]+-[0-9]{4}$"), _simple("^(a+)+$")
        (True, False)
    """
    try:
        re.compile(pattern)
    except re.error:
        return False
    bare = _ATOM.sub("x", pattern)
    anywhere = not bare.startswith("^") or "|" in bare
    nested = "(?" in bare or "\\" in bare or re.search(r"\)[*+?{]", bare) is not None
    return not nested and len(_VARIABLE.findall(bare)) + anywhere <= 2


def _follow(schema: Json, root: Json, seen: tuple[int, ...]) -> None:
    """Refuse a schema that refers to itself without looking deeper into the value."""
    if not isinstance(schema, Mapping):
        return
    if id(schema) in seen:
        raise ValueError("a $ref leads back to itself")
    inner = [part for key in _LISTS for part in _as_list(schema.get(key))]
    inner += [schema["not"]] if "not" in schema else []
    inner += [_resolve(schema["$ref"], root)] if "$ref" in schema else []
    for part in inner:
        _follow(part, root, (*seen, id(schema)))


def _resolve(reference: str, root: Json) -> Json:
    if reference == "#":
        return root
    parts = reference.split("/")
    if len(parts) != 3 or parts[0] != "#" or parts[1] not in ("$defs", "definitions"):
        raise ValueError(f"$ref {reference!r} must be '#' or '#/$defs/name'")
    found = _as_map(root.get(parts[1])) if isinstance(root, Mapping) else {}
    if parts[2] not in found:
        raise ValueError(f"$ref {reference!r} names nothing")
    return found[parts[2]]


class Validator:
    """Checks values against one schema, which `refused` has passed.

    Example:
        >>> Validator({"type": "array", "items": {"type": "integer"}}).problem([1, 2.5])
        '$[1]: not of type integer'
    """

    def __init__(self, schema: Json) -> None:
        self._root = schema
        self._memo: dict[tuple[int, int], Problem] = {}

    def problem(self, value: Json) -> Problem:
        """Return the first problem with its place, or ""."""
        self._memo = {}
        return self._check(value, self._root, "$", 0)

    def _check(self, value: Json, schema: Json, place: str, depth: int) -> Problem:
        if isinstance(schema, bool):
            return "" if schema else f"{place}: nothing is allowed here"
        if depth > DEEPEST:
            return f"{place[:60]}: nested too deeply"
        if not isinstance(value, dict | list):
            return self._problem(value, schema, place, depth)
        # The same value may meet the same schema over many branches; remembering keeps this linear.
        key = (id(value), id(schema))
        if key not in self._memo:
            self._memo[key] = self._problem(value, schema, place, depth)
        return self._memo[key]

    def _problem(self, value: Json, schema: Mapping[str, Json], place: str, depth: int) -> Problem:
        if problem := _plain_problem(value, schema):
            return f"{place}: {problem}"
        if isinstance(value, dict):
            problem = self._object(value, schema, place, depth)
        elif isinstance(value, list):
            problem = self._array(value, schema, place, depth)
        return problem or self._combined(value, schema, place, depth)

    def _object(self, value: dict[str, Json], schema: Mapping[str, Json], place: str, depth: int) -> Problem:
        if missing := [name for name in schema.get("required", ()) if name not in value]:
            return f"{place}: {missing[0]!r} is missing"
        known, other = schema.get("properties", {}), schema.get("additionalProperties", True)
        for name, item in value.items():
            if problem := self._check(item, known.get(name, other), f"{place}.{name[:20]}", depth + 1):
                return problem
        return ""

    def _array(self, value: list[Json], schema: Mapping[str, Json], place: str, depth: int) -> Problem:
        items = schema.get("items", True)
        if items is True:
            return ""
        found = (self._check(item, items, f"{place}[{index}]", depth + 1) for index, item in enumerate(value))
        return next(filter(None, found), "")

    def _combined(self, value: Json, schema: Mapping[str, Json], place: str, depth: int) -> Problem:
        def problems(key: str) -> Iterator[Problem]:
            return (self._check(value, part, place, depth) for part in schema[key])

        if "$ref" in schema and (problem := self._check(value, _resolve(schema["$ref"], self._root), place, depth)):
            return problem
        if "allOf" in schema and (problem := next(filter(None, problems("allOf")), "")):
            return problem
        if "anyOf" in schema and all(problems("anyOf")):
            return f"{place}: matches none of anyOf"
        if "oneOf" in schema and sum(not problem for problem in problems("oneOf")) != 1:
            return f"{place}: does not match exactly one of oneOf"
        if "not" in schema and not self._check(value, schema["not"], place, depth):
            return f"{place}: matches what it must not"
        return ""


def _plain_problem(value: Json, schema: Mapping[str, Json]) -> Problem:
    """Check the keywords that look at one value only."""
    if "type" in schema:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if not any(_TYPES[name](value) for name in names):
            return f"not of type {' or '.join(names)}"
    if "enum" in schema and _frozen(value) not in map(_frozen, schema["enum"]):
        return "not one of the listed values"
    if "const" in schema and _frozen(value) != _frozen(schema["const"]):
        return "not the wanted value"
    if _TYPES["number"](value):
        return _number_problem(value, schema)
    return _size_problem(value, schema)


def _number_problem(value: float, schema: Mapping[str, Json]) -> Problem:
    if value < schema.get("minimum", value) or value > schema.get("maximum", value):
        return "a number out of range"
    if value <= schema.get("exclusiveMinimum", value - 1) or value >= schema.get("exclusiveMaximum", value + 1):
        return "a number out of range"
    if "multipleOf" not in schema:
        return ""
    rest = abs(value) % schema["multipleOf"]
    whole = min(rest, schema["multipleOf"] - rest) < 1e-9 * schema["multipleOf"]
    return "" if whole else "not a multiple"


def _size_problem(value: Json, schema: Mapping[str, Json]) -> Problem:
    unit = "Length" if isinstance(value, str) else "Items" if isinstance(value, list) else "Properties"
    unit = unit if isinstance(value, str | list | dict) else ""
    if unit and not schema.get(f"min{unit}", 0) <= len(value) <= schema.get(f"max{unit}", len(value)):
        return f"{len(value)} is not an allowed size"
    if isinstance(value, str) and "pattern" in schema:
        fits = len(value) <= _LONGEST_MATCHED and re.search(schema["pattern"], value)
        return "" if fits else "does not match the pattern"
    if isinstance(value, list) and schema.get("uniqueItems") and len(set(map(_frozen, value))) < len(value):
        return "items repeat"
    return ""


def _frozen(value: Json) -> str:
    """Return a form in which equal JSON values are equal: 1 and 1.0 are, 1 and true are not."""
    return json.dumps(_whole(value), sort_keys=True)


def _whole(value: Json) -> Json:
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, dict):
        return {name: _whole(item) for name, item in value.items()}
    return int(value) if isinstance(value, float) and value == value // 1 else value


def sample(schema: Json, text: str, words: Iterator[str], root: Json = None, depth: int = 0) -> Json:
    """Make a value for a schema, with the text in its first free string; a proposal, not a proof."""
    root = schema if root is None else root
    if not isinstance(schema, Mapping) or depth > DEEPEST:
        return text
    for key in ("const", "enum"):
        if key in schema:
            return schema[key][0] if key == "enum" else schema[key]
    for key in _LISTS:
        if key in schema:
            merged = {**schema, **schema[key][0]} if isinstance(schema[key][0], Mapping) else dict(schema)
            return sample({name: part for name, part in merged.items() if name != key}, text, words, root, depth)
    if "$ref" in schema:
        return sample(_resolve(schema["$ref"], root), text, words, root, depth)
    return _sample_of_type(schema, text, words, root, depth)


def _sample_of_type(schema: Mapping[str, Json], text: str, words: Iterator[str], root: Json, depth: int) -> Json:
    kind = schema.get("type", "object" if "properties" in schema else "array" if "items" in schema else "string")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind in ("object", "array"):
        known = schema.get("properties", {})
        names = list(dict.fromkeys([*schema.get("required", ()), *known]))
        parts = [known.get(name, True) for name in names]
        if kind == "array":
            parts = [schema.get("items", True)] * max(1, schema.get("minItems", 1))
        said = [text, *(next(words) for _ in parts)]
        values = [sample(part, say, words, root, depth + 1) for part, say in zip(parts, said, strict=False)]
        return values if kind == "array" else dict(zip(names, values, strict=True))
    if kind == "string":
        while len(text) < schema.get("minLength", 0):
            text = f"{text} {next(words)}"
        return text[: schema.get("maxLength")]
    return _number(schema, kind) if kind in ("integer", "number") else True if kind == "boolean" else None


def _number(schema: Mapping[str, Json], kind: str) -> Json:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None:
        low = schema["exclusiveMinimum"] + 1 if "exclusiveMinimum" in schema else min(1, 1 if high is None else high)
    if high is None:
        high = schema["exclusiveMaximum"] - 1 if "exclusiveMaximum" in schema else low
    step = schema.get("multipleOf", 1 if kind == "integer" else 0)
    value = min(low, high)
    return -(-value // step) * step if step else value
