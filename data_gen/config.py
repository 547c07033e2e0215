"""The recipe of a data set: a YAML file, every key checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    NonNegativeInt,
    ValidationError,
    model_validator,
)

from data_gen.arguments import DEFAULT_TYPES
from data_gen.difficulty import LEVELS, Dial, Level
from data_gen.phrasing import Layout, Wordings
from data_gen.pools import drawn_type, expand, weigh
from data_gen.quality.decontamination import BenchmarkFile
from data_gen.seeds import SeedSource
from data_gen.self_evident.extract import CODE_GROUPS, TEXT_GROUPS
from data_gen.self_evident.placement import Placement
from data_gen.self_evident.wordings import wordings
from data_gen.shapes import Kind
from rewards.errors import RaifError, unknown_name
from rewards.instruction import Split

Language = Literal["en", "zh"]
Weight = Annotated[float, Field(gt=0, allow_inf_nan=False)]  # what is never drawn is left out
Share = Annotated[float, Field(ge=0, le=1)]


#: The sections that say how constraints are drawn, combined and worded.
_DRAWING = tuple("constraints trees difficulty levels held_out soft conditioned arguments layouts phrasing".split())


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ConstraintMix(_Section):
    """How many constraints an instruction gets where no difficulty is named, and of which types, with weights.

    Names may be types, globs (`length:*`) and taxonomy paths (`cfbench/format`); all conditioned ones by default.
    """

    min: int = Field(default=1, ge=1)
    max: int = Field(default=3, ge=1)
    weights: dict[str, Weight] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _in_order(self) -> ConstraintMix:
        if self.min > self.max:
            raise ValueError(f"min {self.min} exceeds max {self.max}")
        return self


class TreeMix(_Section):
    """How demands hang together.

    Fields:
        mix: the shares of And, Chain, Selection and nested trees.
        depth: the most nodes above a leaf, an And that only bundles the demands of a branch left out.
        width: how many children the node at the top of a nested tree, and composites below it, have at most; a tree
            that cannot hold its demands so grows wider, as flat ones do.
        parts: the share of chains that first ask for parts (paragraphs, sections) and then speak about one of them.
    """

    mix: dict[Kind, Weight] = Field(default={"and": 1.0}, min_length=1)
    depth: int = Field(default=3, ge=1, le=6)
    width: int = Field(default=4, ge=2, le=12)
    parts: Share = 0.0


class HeldOut(_Section):
    """What training never sees.

    Fields:
        types: constraint types (or globs, taxonomy paths) that only the split `test_families` draws from.
        arguments: the share of every wide number range, at its upper end, that only `test_arguments` draws from.
    """

    types: tuple[str, ...] = ()
    arguments: Annotated[float, Field(ge=0, le=0.5)] = 0.0


class SoftMix(_Section):
    """Soft constraints, which a judge decides: how often, how many, from which dimensions (all by default)."""

    share: Share = 0.0
    max: int = Field(default=2, ge=1)
    dimensions: tuple[str, ...] = ()


class Phrasing(_Section):
    """Which wordings a prompt may use: `own` are those of the constraint classes, `all` the banks besides."""

    wordings: Wordings = "all"


class ExpertStyle(_Section):
    """What the expert's thinking looks like.

    `notes` is a few words a demand, `plan` groups, plans and checks them, `none` leaves demonstrations out.
    """

    style: Literal["none", "notes", "plan"] = "plan"


class WarmStart(_Section):
    """Supervised demonstrations for a warm start: how many, how careless, how many without thinking."""

    count: int = Field(ge=1)
    careless: Share = 0.0
    direct: Share = 0.3


class SelfEvident(_Section):
    """Constraints read off the seed's own solution instead of drawn ones, so that the solution is the witness.

    Fields:
        constraints: the fewest and the most of an instruction with constraints.
        bare: the share of instructions without any.
        neutral: the share of those that have a sentence beside the task that demands nothing.
        held_out: families or groups of them (as in `data_gen.self_evident`) that only `test_families` uses.
        placement: where the constraints stand in the prompt.
    """

    constraints: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = (1, 3)
    bare: Share = 0.0
    neutral: Share = 0.0
    held_out: tuple[str, ...] = ()
    placement: Placement = "suffix"

    @model_validator(mode="after")
    def _coherent(self) -> SelfEvident:
        if self.constraints[0] > self.constraints[1]:
            raise ValueError(f"constraints: {self.constraints[0]} exceeds {self.constraints[1]}")
        known = (*TEXT_GROUPS, *CODE_GROUPS, *wordings())
        for name in self.held_out:
            if name not in known:
                raise unknown_name("self-evident family or group", name, known, "It is held out of training.")
        return self

    def holds_out(self, group: str, family: str) -> bool:
        """Tell whether a family, or its group, is held out of training."""
        return group in self.held_out or family in self.held_out


class DataConfig(_Section):
    """Everything that decides the bytes of a data set, together with the generator's version.

    Fields:
        conditioned: how often lengths and keywords follow the seed's own text.
        difficulty: the shares of the levels; without it `constraints.min` and `max` count.
        levels: what the levels mean, where that is not as in `LEVELS`.
        decontaminate: benchmark files whose tasks and combinations of constraints must not occur.
        self_evident: read constraints off the seeds' solutions; excludes whatever says how they are drawn.
    """

    seed: int = 0
    counts: dict[Split, NonNegativeInt] = Field(min_length=1)
    rows_per_shard: int = Field(default=10_000, ge=1)
    seeds: tuple[SeedSource, ...] = Field(min_length=1)
    languages: dict[Language, Weight] = Field(default={"en": 1.0}, min_length=1)
    constraints: ConstraintMix = ConstraintMix()
    trees: TreeMix = TreeMix()
    difficulty: dict[Level, Weight] = Field(default_factory=dict)
    levels: dict[Level, Dial] = Field(default_factory=dict)
    held_out: HeldOut = HeldOut()
    soft: SoftMix = SoftMix()
    conditioned: Share = 0.5
    arguments: dict[str, dict[str, tuple[int, int]]] = Field(default_factory=dict)
    layouts: dict[Layout, Weight] = Field(default={"inline": 1.0}, min_length=1)
    phrasing: Phrasing = Phrasing()
    expert: ExpertStyle = ExpertStyle()
    decontaminate: tuple[BenchmarkFile, ...] = ()
    warm_start: WarmStart | None = None
    self_evident: SelfEvident | None = None

    @model_validator(mode="after")
    def _coherent(self) -> DataConfig:
        if self.self_evident is not None:
            return self._only_self_evident(self.self_evident)
        if self.difficulty and self.constraints.model_fields_set & {"min", "max"}:
            raise ValueError("name either `difficulty` or `constraints.min` and `max`, since each sets the number")
        if self.counts.get("test_families") and not self.held_out.types:
            raise ValueError("the split test_families needs `held_out.types`, such as ['nesting:*']")
        if self.counts.get("test_arguments") and not self.held_out.arguments:
            raise ValueError("the split test_arguments needs `held_out.arguments`, such as 0.25")
        return self

    def _only_self_evident(self, settings: SelfEvident) -> DataConfig:
        """Refuse sections that say how constraints are drawn where none is."""
        if ignored := [name for name in _DRAWING if name in self.model_fields_set]:
            raise ValueError(
                f"`self_evident` reads constraints off solutions, so that {', '.join(ignored)} would have no effect; "
                "remove one or the other"
            )
        if self.expert.style == "plan" and "expert" in self.model_fields_set:
            raise ValueError("with `self_evident` the expert's style is `notes` or `none`; plans are for drawn trees")
        if self.counts.get("test_arguments"):
            raise ValueError("`self_evident` draws no arguments, so that the split test_arguments would be empty")
        if self.counts.get("test_families") and not settings.held_out:
            raise ValueError("the split test_families needs `self_evident.held_out`, such as ['position']")
        return self

    def constraint_weights(self, split: Split = "train") -> dict[str, float]:
        """Return the weight of every constraint type that a split may draw."""
        every = weigh(self.constraints.weights) or dict.fromkeys(DEFAULT_TYPES, 1.0)
        held_out = dict.fromkeys(expand(self.held_out.types))  # in order: a set would draw otherwise in each process
        if split == "test_families":
            return {name: every.get(name, 1.0) for name in [n for n in held_out if n in every] or held_out}
        return {name: weight for name, weight in every.items() if name not in held_out}

    def dial(self, level: Level | None) -> Dial:
        """Return what a level means; without one, what `constraints` and `trees` say."""
        if level is None:
            return Dial(min=self.constraints.min, max=self.constraints.max, depth=self.trees.depth)
        return self.levels.get(level) or LEVELS[level]


class _StrictLoader(yaml.SafeLoader):
    """Refuses a key that is given twice; YAML's own loader silently takes the last."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.value != "<<"]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise yaml.constructor.ConstructorError(None, None, f"the key {twice!r} is given twice", node.start_mark)
        return super().construct_mapping(node, deep)


def load_yaml(path: str | Path) -> dict[str, Any]:
    """Read a YAML mapping, or say what is wrong with the file."""
    source = Path(path)
    if not source.is_file():
        raise RaifError(f"no recipe at {source}; `raif recipes` lists the shipped ones.")
    try:
        content = yaml.load(source.read_text(encoding="utf-8"), Loader=_StrictLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RaifError(f"{source} is not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise RaifError(f"{source} must hold a mapping of keys to values; it holds {type(content).__name__}.")
    return content


def parse_config(content: dict[str, Any], where: str) -> DataConfig:
    """Validate a data recipe; unknown keys, constraints and ranges are errors that name them."""
    try:
        config = DataConfig.model_validate(content)
    except ValidationError as error:
        raise _explain(error, where) from error
    for name in config.arguments:
        drawn_type(name)
    if "judge:question" in config.constraints.weights:
        raise RaifError(
            f"{where}: constraints.weights: soft constraints are asked for under `soft`, not by their type."
        )
    for split in config.counts:
        if config.self_evident is None and not config.constraint_weights(split):
            raise RaifError(f"{where}: held_out.types leaves no constraint type for the split {split}.")
    return config


def _keys_beside(above: Sequence[str]) -> Iterable[str]:
    """Return the keys that a section of the recipe takes."""
    if not above:
        return DataConfig.model_fields
    models = list(_models(DataConfig.model_fields[above[0]].annotation))
    return models[0].model_fields if len(models) == 1 else ()


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _explain(error: ValidationError, where: str) -> RaifError:
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        above = [str(part) for part in first["loc"][:-1]]
        known = [".".join((*above, key)) for key in _keys_beside(above)]
        return unknown_name(f"key in {where}:", path, known, "Remove it or correct its name.")
    message = first["msg"].removeprefix("Value error, ")
    place = f"{where}: {path}: " if path else f"{where}: "
    got = "" if first["type"] == "value_error" else f" (got {first['input']!r})"
    return RaifError(f"{place}{message}{got}.")
