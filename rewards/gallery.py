"""The gallery of constraints: what each type means, takes, accepts and refuses, as data and as a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from rewards.constraint import Constraint, Example, ReadOff, known_constraints, read_off_constraints
from rewards.errors import unknown_name
from rewards.parity import SUITES, suite

_HEAD = """# Constraints

Every constraint type of the strict profile: {count} types in {families} families. A constraint is data, for example
`{{"type": "length:max_words", "limit": 60}}`; `rewards.parse_constraint` makes it an object with `describe(language)`,
`check(response, context)` and `witness(draft)`. Every type takes a `scope`: `answer` (the default), `thinking`,
`whole`, `line(n)`, `paragraph(n)` or `section(n)`, counted from 1, or from the end with -1.

A verdict is `satisfied`, `violated` or, where no rule can decide, `unscored`, and says what was found. A scope without
any word violates every constraint.

The {read_off} types of the last chapter are only read off outputs (`data_gen.self_evident`): a file of instructions may
hold them and rewards judge them, but nothing writes them into a text, so that no data recipe draws them.

This page is generated: `raif constraints --markdown > rewards/README.md`.
"""
_READ_OFF = "Read off outputs"
_PARITY_HEAD = """## Official checks

The parity profile (`rewards.parity`) reproduces the verdicts of the official code, bug for bug:

| suite | ids | reproduces |
|---|---|---|
"""


def entries(family: str | None = None) -> list[dict[str, Any]]:
    """Return one record per constraint type, of one family or of all; those that are only read off outputs come last.

    Example:
        >>> [entry["type"] for entry in entries("punctuation")][:1]
        ['punctuation:balanced']
    """
    known = {**known_constraints(), **read_off_constraints()}
    families = sorted({name.partition(":")[0] for name in known})
    if family is not None and family not in families:
        raise unknown_name("constraint family", family, families, "`raif constraints` lists all types.")
    return [_entry(name, cls) for name, cls in known.items() if family in (None, name.partition(":")[0])]


def _entry(name: str, cls: type[Constraint]) -> dict[str, Any]:
    example = _shown(cls)
    shown = cls.model_validate(dict(example.arguments)) if example else None
    return {
        "type": name,
        "family": name.partition(":")[0],
        "read_off": issubclass(cls, ReadOff),
        "arguments": {field: _kind(cls, field) for field in cls.model_fields if field not in ("type", "scope")},
        "meaning": (cls.__doc__ or "").strip(),
        "example": {"type": name, **example.arguments} if example else None,
        "description": {language: shown.describe(language) for language in ("en", "zh")} if shown else None,
        "passes": example.passes if example else None,
        "fails": example.fails if example else None,
    }


def _shown(cls: type[Constraint]) -> Example | None:
    return cls.examples[0] if cls.examples else None


def _kind(cls: type[Constraint], field: str) -> str:
    schema = cls.model_json_schema()["properties"][field]
    if "enum" in schema:
        return " or ".join(json.dumps(value, ensure_ascii=False) for value in schema["enum"])
    kinds = {"integer": "whole number", "number": "number", "string": "text", "array": "list", "object": "mapping"}
    named = kinds.get(schema.get("type", ""), "value")
    default = f", default {json.dumps(schema['default'], ensure_ascii=False)}" if "default" in schema else ""
    return named + default


def markdown() -> str:
    """Return the page."""
    everything = entries()
    drawn = [entry for entry in everything if not entry["read_off"]]
    groups = [(family, list(group)) for family, group in groupby(drawn, key=lambda entry: entry["family"])]
    head = _HEAD.format(count=len(drawn), families=len(groups), read_off=len(everything) - len(drawn))
    lines = [f"- [{family}](#{family}): {', '.join(_short(e) for e in group)}" for family, group in groups]
    index = "\n".join([*lines, f"- [{_READ_OFF}](#{_READ_OFF.lower().replace(' ', '-')})"])
    chapters = [*groups, (_READ_OFF, [entry for entry in everything if entry["read_off"]])]
    body = "\n".join(f"## {title}\n\n" + "\n".join(map(_section, group)) for title, group in chapters)
    return f"{head}\n{index}\n\n{body}\n{_parity()}"


def _short(entry: Mapping[str, Any]) -> str:
    return f"`{entry['type'].partition(':')[2]}`"


def _section(entry: Mapping[str, Any]) -> str:
    arguments = "; ".join(f"`{name}` ({kind})" for name, kind in entry["arguments"].items()) or "none"
    lines = [f"### {entry['type']}", "", entry["meaning"], "", f"- arguments: {arguments}"]
    if entry["example"]:
        lines += [
            f"- for example {_code(json.dumps(entry['example'], ensure_ascii=False))}",
            f"- en: {_escape(entry['description']['en'])}",
            f"- zh: {_escape(entry['description']['zh'])}",
            f"- passes: {_code(entry['passes'])}",
            f"- fails: {_code(entry['fails'])}",
        ]
    return "\n".join(lines) + "\n"


def _code(text: str) -> str:
    """Return text as inline code on one line; line breaks are shown as `⏎`."""
    flat = text.replace("\n", "⏎")
    fence = "``" if "`" in flat else "`"
    padding = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{padding}{flat}{padding}{fence}"


def _escape(text: str) -> str:
    return text.replace("*", "\\*").replace("<", "\\<").replace("\n", "⏎")


def _parity() -> str:
    rows = [f"| `{name}` | {len(suite(name).checks)} | {suite(name).version} |" for name in SUITES]
    return _PARITY_HEAD + "\n".join(rows) + "\n"
