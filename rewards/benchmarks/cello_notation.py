"""Whether a text parses as JSON, a Python literal, XML or YAML; nothing of it is ever evaluated as code."""

from __future__ import annotations

import ast
import json
import re
import warnings
from typing import Any
from xml.parsers import expat

import yaml

from rewards.benchmarks.cello_rules import Notation

MAX_CHARACTERS = 100_000  # a longer text is not parsed: the parsers' memory grows with it
_YAML_DEPTH = 64  # the scanner's time grows with the square of the nesting

_LITERALS: dict[str, type] = {"json": dict, "dict": dict, "list": list, "tuple": tuple}
_FENCED = re.compile(r"\s*(?P<mark>```+|~~~+)[^\n`]*\n(?P<body>.*)\n[ \t]*(?P=mark)\s*", re.DOTALL)
# What the parsers raise for a text they refuse: ValueError covers bad JSON, bad encodings and too long integers,
# RecursionError and MemoryError too deep a nesting, TypeError an unhashable key.
_REFUSED = (ValueError, SyntaxError, TypeError, RecursionError, MemoryError, expat.ExpatError, yaml.YAMLError)


def parses_as(text: str, notation: Notation, *, official: bool = False) -> bool:
    """Say whether the whole text is one value of the notation.

    The published code evaluates the text as Python; here `ast.literal_eval` reads it, which knows no names, calls or
    arithmetic. XML with a document type is refused (entity expansion), so is YAML with aliases.

    Example:
        >>> parses_as('{"done": true}', "json"), parses_as('{"done": true}', "json", official=True)
        (True, False)
        >>> parses_as("dict(a=1)", "json"), parses_as("[1, 2]", "list"), parses_as("<a><b/></a>", "xml")
        (False, True, True)
    """
    if len(text) > MAX_CHARACTERS:
        return False
    # Strict: an answer that is one fenced block is its body; the published code parses the fence too, and fails.
    fenced = None if official else _FENCED.fullmatch(text)
    body = fenced["body"] if fenced else text
    try:
        return _parses(body, notation, official)
    except _REFUSED:
        return False


def _parses(text: str, notation: Notation, official: bool) -> bool:
    if notation == "yaml":
        value = _yaml_value(text)
        # Strict: a lone scalar is no YAML document, or every sentence would be one.
        return official or isinstance(value, (dict, list))
    bare = text if official else text.strip()  # strict: blank space around the value is not a fault
    if notation == "xml":
        return _is_xml(bare)
    # Strict: an array is JSON as well (some items ask for one), and JSON counts with its true, false and null;
    # published, json means a Python dict.
    kinds = (dict, list) if notation == "json" and not official else (_LITERALS[notation],)
    if not official and isinstance(_json_value(bare), kinds):
        return True
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about backslashes in the text
        return isinstance(ast.literal_eval(bare), kinds)


def _json_value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None


def _is_xml(text: str) -> bool:
    parser = expat.ParserCreate(namespace_separator="}")
    parser.StartDoctypeDeclHandler = _refuse  # entities can be declared nowhere else
    parser.Parse(text, True)
    return True


def _yaml_value(text: str) -> Any:
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent) or depth > _YAML_DEPTH:
            raise ValueError("not read")
    return yaml.safe_load(text)


def _refuse(*_: object) -> None:
    raise ValueError("not read")
