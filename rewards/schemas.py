"""JSON Schemas of the records that others may write or read: instructions and reward entries."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from rewards.constraint import known_constraints, read_off_constraints
from rewards.entries import REWARD_TYPES, CustomReward
from rewards.errors import unknown_name
from rewards.instruction import Instruction
from rewards.judged import Judged
from rewards.parity.official import Official

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Schema = dict[str, Any]


def schema(name: str) -> Schema:
    """Return the JSON Schema of `instruction` or `rewards`, every constraint type with its arguments included.

    Example:
        >>> schema("instruction")["required"][:3]
        ['id', 'request', 'prompt']
    """
    if name not in _SCHEMAS:
        raise unknown_name("schema", name, _SCHEMAS, "")
    return {"$schema": DIALECT, **_SCHEMAS[name]()}


def _instruction() -> Schema:
    found = Instruction.model_json_schema()
    unlisted: dict[str, type[BaseModel]] = {"judge:question": Judged, "parity:official": Official}
    choice, definitions = _one_of({**known_constraints(), **read_off_constraints(), **unlisted})
    found["$defs"] |= {**definitions, "Constraint": {"description": "A demand on the response.", **choice}}
    for definition in found["$defs"].values():
        tags = _TAGS.intersection(definition.get("properties", ()))
        definition["required"] = sorted(tags.union(definition.get("required", ())))
    return found


def _rewards() -> Schema:
    choice, definitions = _one_of({**REWARD_TYPES, "dotted.path": CustomReward})
    for definition in definitions.values():
        if "type" in definition.get("properties", ()):
            definition["required"] = sorted({"type", *definition.get("required", ())})
    return {"title": "Rewards", "type": "array", "minItems": 1, "items": choice, "$defs": definitions}


def _one_of(models: Mapping[str, type[BaseModel]]) -> tuple[Schema, Schema]:
    """Return a choice between models by reference, and their definitions by type."""
    definitions: Schema = {}
    for name, model in models.items():
        found = model.model_json_schema()
        definitions |= found.pop("$defs", {})
        definitions[name] = found
    return {"oneOf": [{"$ref": f"#/$defs/{name}"} for name in models]}, definitions


_TAGS = frozenset(("type", "kind", "by"))  # what tells the members of a union apart
_SCHEMAS: dict[str, Callable[[], Schema]] = {"instruction": _instruction, "rewards": _rewards}
