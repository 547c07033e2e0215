"""The families of self-evident constraints as data: their groups, wordings and the constraints they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rewards.constraint import constraint_class
from rewards.errors import RaifError

_DATA = Path(__file__).with_name("wordings.yaml")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the first is ten times as fast
Three = tuple[str, str, str]


class Wordings(BaseModel):
    """One family as `wordings.yaml` has it; see there for the fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    group: str
    key: str
    constraint: Mapping[str, Any]
    forbids: bool = False
    demanded: str = Field(min_length=1)
    en: Three
    zh: Three
    names: Mapping[str, Mapping[str, tuple[str, str]]] = Field(default_factory=dict)

    @property
    def phrases(self) -> dict[str, tuple[str, ...]]:
        """The three wordings by language, in the form that constraint classes have them."""
        return {"en": self.en, "zh": self.zh}


@lru_cache(maxsize=1)
def wordings() -> Mapping[str, Wordings]:
    """Return the families by name, in the order of the file."""
    content = yaml.load(_DATA.read_text(encoding="utf-8"), Loader=_LOADER)
    try:
        return {name: Wordings.model_validate(_own_wordings(value) | value) for name, value in content.items()}
    except ValidationError as error:
        first = error.errors()[0]
        raise RaifError(f"{_DATA.name}: {'.'.join(map(str, first['loc']))}: {first['msg']}.") from error


def _own_wordings(family: Mapping[str, Any]) -> dict[str, Any]:
    """Return the wordings of a family's constraint type, where the family has none of its own."""
    return {} if "en" in family else dict(constraint_class(family["constraint"]["type"]).phrases)
