"""Where demonstrations come from: witnesses, a file, or a served model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator

from data_gen.experts.thinking import Style
from data_gen.served import ServedConfig
from rewards.errors import RaifError, unknown_name

#: The columns of a file of demonstrations, by our names.
COLUMNS = ("instruction_id", "prompt", "thinking", "answer", "completion", "finish_reason")


class _Source(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class WitnessExperts(_Source):
    """Demonstrations made from the witnesses that instructions carry.

    Fields:
        style: of the thinking, see `data_gen.experts.think`; None keeps the demonstration that an instruction
            already has, and makes one in the style `plan` where it has none.
        seed: of the wordings.
    """

    type: Literal["witness"] = "witness"
    style: Style | None = None
    seed: int = 0


class FileExperts(_Source):
    """Demonstrations in JSON Lines, joined to instructions by id, else by the exact text of the prompt.

    A row holds `thinking` and `answer`, or a raw `completion` with think tags; several rows may belong to one
    instruction, and the best is taken.

    Fields:
        path: the file. The `experts.jsonl` that this package writes is one.
        fields: our name -> the file's column, where they differ; see `COLUMNS`.
        think_style: how a raw completion marks its thinking.
    """

    type: Literal["file"] = "file"
    path: Path
    fields: dict[str, str] = Field(default_factory=dict)
    think_style: Literal["think", "think_answer", "channels"] = "think"

    @field_validator("fields")
    @classmethod
    def _known(cls, fields: dict[str, str]) -> dict[str, str]:
        if unknown := sorted(set(fields) - set(COLUMNS)):
            raise ValueError(f"unknown name {unknown[0]!r}; known: {', '.join(COLUMNS)}")
        return fields

    def column(self, name: str) -> str:
        """Return what the file calls one of our columns."""
        return self.fields.get(name, name)


class ServedExperts(_Source):
    """Demonstrations sampled from a model behind an OpenAI-compatible server.

    Fields:
        served: the server, see `data_gen.served.ServedConfig`; its cache lets a rerun go on where it stopped.
        samples: drawn per instruction; the best that passes is kept.
        system: a system message put before the prompt, for example one that asks for thinking in think tags. It is
            no part of the demonstration.
        think_style: how the model marks its thinking in the text; servers that send it apart need no setting.
    """

    type: Literal["served"] = "served"
    served: ServedConfig
    samples: int = Field(default=4, ge=1, le=256)
    system: str = ""
    think_style: Literal["think", "think_answer"] = "think"


ExpertSource = Annotated[WitnessExperts | FileExperts | ServedExperts, Field(discriminator="type")]
_ADAPTER: TypeAdapter[WitnessExperts | FileExperts | ServedExperts] = TypeAdapter(ExpertSource)
_TYPES: dict[str, type[BaseModel]] = {"witness": WitnessExperts, "file": FileExperts, "served": ServedExperts}


def parse_experts(settings: Any) -> WitnessExperts | FileExperts | ServedExperts:
    """Parse the source of demonstrations of a recipe.

    Raises:
        RaifError: naming what is unknown or wrong.

    Example:
        >>> parse_experts({"type": "witness", "style": "plan"})
        WitnessExperts(type='witness', style='plan', seed=0)
        >>> parse_experts({"type": "witnes"})
        Traceback (most recent call last):
        ...
        rewards.errors.RaifError: unknown source of experts 'witnes'; did you mean 'witness'? Known: file, served,
        witness. Set `type` to one of them.
    """
    if isinstance(settings, dict):
        kind = settings.get("type")
        if kind not in _TYPES:
            raise unknown_name("source of experts", kind, _TYPES, "Set `type` to one of them.")
        for name in settings:
            if name not in _TYPES[kind].model_fields:
                raise unknown_name(f"key of {kind} experts", name, _TYPES[kind].model_fields, "Correct or remove it.")
    try:
        return _ADAPTER.validate_python(settings)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        problems = "; ".join(f"{'.'.join(map(str, each['loc'][1:]))}: {each['msg']}" for each in found)
        raise RaifError(f"the source of experts is not set up: {problems}. See data_gen.experts.sources.") from None
