"""One source of seeds in a data recipe: an embedded set, a file, or a data set of the Hugging Face hub."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from data_gen.seeds.presets import PRESETS, Preset
from rewards.errors import unknown_name

AnswerKind = Literal["math", "qa", "none"]
EMBEDDED = ("arithmetic", "writing", "word_problems", "facts", "tasks", "multi_hop", "programs")
OUR_FIELDS = ("request", "answer", "solution", "language", "id", "topic", "tags", "licence", "passage")
Share = Annotated[float, Field(gt=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Bounds = tuple[int, int]
#: What an embedded set can be told of its tasks; each set checks its own.
_OPTIONS = {
    "multi_hop": frozenset({"hops", "distractors", "names", "wordings"}),
    "programs": frozenset({"operations", "inputs", "examples"}),
}
_HUB = frozenset({"name", "config_name", "split", "revision", "streaming"})
_PREPARATION = frozenset(
    "type weight max_rows preset fields exclude answer_kind licence on_bad_row languages min_chars max_chars dedup"
    " max_per_topic max_per_tag".split()
)
#: The settings that each type looks at.
_TAKEN = {
    "embedded": frozenset({"type", "weight"}),
    "jsonl": frozenset({"type", "weight", "path", "fields", "answer_kind"}),
    "file": _PREPARATION | {"path"},
    "hub": _PREPARATION | _HUB,
}
_JSONL_FIELDS = {"request": "question", "answer": "answer"}


class SeedSource(BaseModel):
    """Where seeds come from and how they are prepared.

    Fields:
        type: an embedded set by its name; `file` (JSONL, CSV or parquet by suffix); `jsonl` (JSON Lines as they are,
            without preparation); `hub` (`datasets.load_dataset`).
        weight: how often it is drawn, relative to the other sources.
        path: the file of `file` and `jsonl`.
        name, config_name, split, revision, streaming: the data set of `hub`, as `load_dataset` takes them.
        max_rows: stop reading after so many rows.
        preset: the columns of a known data set (`PRESETS`); `fields` then override single ones.
        fields: our field -> column; dots lead into nested columns (`conversation.0.content`).
        exclude: columns that flag a row; rows where one is true are left out and counted.
        answer_kind: what the answer column holds; `math` where neither this nor a preset says so.
        licence: of the whole source, where rows and dataset card name none.
        on_bad_row: `error`, or `skip` to count rows without the mapped columns by reason.
        languages: what is kept; other languages are counted.
        min_chars, max_chars: limits of a request's length.
        dedup: Jaccard similarity of shingles from which a request counts as a near duplicate; null keeps all.
        max_per_topic, max_per_tag: how many seeds one topic and one ability tag may have.
        hops, distractors, names, wordings: of `multi_hop`, as `MultiHopSeeds` takes them.
        operations, inputs, examples: of `programs`, as `ProgramSeeds` takes them.

    Example:
        >>> SeedSource(type="file", path="train.jsonl", preset="gsm8k").mapping["request"]
        'question'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal[
        "arithmetic", "writing", "word_problems", "facts", "tasks", "multi_hop", "programs", "jsonl", "file", "hub"
    ]
    weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    path: str | None = None
    name: str | None = None
    config_name: str | None = None
    split: str = "train"
    revision: str | None = None
    streaming: bool = False
    max_rows: Count | None = None
    preset: str | None = None
    fields: dict[str, str] = Field(default_factory=dict)
    exclude: tuple[str, ...] = ()
    answer_kind: AnswerKind | None = None
    licence: str = ""
    on_bad_row: Literal["error", "skip"] = "error"
    languages: Annotated[tuple[Literal["en", "zh"], ...], Field(min_length=1)] = ("en", "zh")
    min_chars: Count = 1
    max_chars: Count = 8000
    dedup: Share | None = 0.8
    max_per_topic: Count | None = None
    max_per_tag: Count | None = None
    hops: Bounds | None = None
    distractors: Bounds | None = None
    names: int | None = None
    wordings: int | None = None
    operations: Bounds | None = None
    inputs: tuple[str, ...] | None = None
    examples: int | None = None

    @model_validator(mode="after")
    def _complete(self) -> SeedSource:
        if self.preset is not None and self.preset not in PRESETS:
            raise unknown_name("preset", self.preset, PRESETS, "Or map the columns under `fields`.")
        for field in self.fields:
            if field not in OUR_FIELDS:
                raise unknown_name("field", field, OUR_FIELDS, "Map our fields to the columns of the data.")
        if self.type in ("file", "jsonl") and not self.path:
            raise ValueError(f"a seed source of type {self.type} needs a `path`")
        if self.type == "hub" and not self.name:
            raise ValueError("a seed source of type hub needs the `name` of a data set, such as openai/gsm8k")
        self._refuse_ignored()
        if self.type in ("file", "hub") and "request" not in self.mapping:
            raise ValueError("`fields` must map `request` to a column, or `preset` name a known data set")
        if self.min_chars > self.max_chars:
            raise ValueError(f"min_chars {self.min_chars} exceeds max_chars {self.max_chars}")
        return self

    def _refuse_ignored(self) -> None:
        """Refuse settings that a type does not look at."""
        taken = _TAKEN["embedded" if self.type in EMBEDDED else self.type] | _OPTIONS.get(self.type, frozenset())
        ignored = sorted(self.model_fields_set - taken)
        if ignored:
            raise ValueError(
                f"a seed source of type {self.type} does not take {', '.join(ignored)}; it takes: "
                f"{', '.join(sorted(taken - {'type'}))}"
            )

    @property
    def options(self) -> dict[str, Any]:
        """What an embedded set is told of its tasks; what is not set is up to the set."""
        values = {name: getattr(self, name) for name in sorted(_OPTIONS.get(self.type, ()))}
        return {name: value for name, value in values.items() if value is not None}

    @property
    def known(self) -> Preset:
        """The preset named, or an empty one."""
        return PRESETS[self.preset] if self.preset else Preset()

    @property
    def mapping(self) -> dict[str, str]:
        """Our field -> column: those of the preset, overridden by `fields`."""
        if self.type == "jsonl":
            return dict(self.fields) or dict(_JSONL_FIELDS)
        return {**self.known.fields, **self.fields}

    @property
    def kind(self) -> AnswerKind:
        return self.answer_kind or self.known.answer_kind
