"""What a recipe says about its data: the main source and the entries of `mix:`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rewards.errors import RaifError, unknown_name

MAIN = "instructions"  # the name of the main source
Kind = Literal["auto", "instructions", "constraints", "questions", "maths"]


class DataSource(BaseModel):
    """One source of training rows.

    Fields:
        name: what metrics, `source_caps` and reports call it.
        source: a folder made by `python -m data_gen`, a data recipe (.yaml), a file (.jsonl, .json, .csv, .tsv,
            .parquet), or the name of a data set on the Hugging Face hub.
        kind: what its rows are: `instructions` (ours, also as exported to parquet), `constraints` (IF-RLVR, IFEval,
            IFBench, MathIF), `questions` (a judge's, see `raif.sources.questions`), `maths` (a problem and its answer);
            `auto` tells by the columns.
        split: of instructions and hub data sets; `train` where nothing is said. Other files have no splits.
        ratio: rows for each row of the main source; `all` takes every row.
        limit: instructions that are read at most, in the order of the source; 0 for all.
        fields: our name -> column, with dots into nested columns (`reward_model.ground_truth`). Maths needs `request`
            and `answer` and may have `id`, `language` and `licence`.
        language: of maths problems and of rows with questions; told by their script where neither this nor a column
            says it. Of ComplexBench's items, `en` reads the English columns.
        suffix: what follows each maths problem in the prompt, for example a wish for \\boxed{}.
        config_name, revision: of a hub data set, as `datasets.load_dataset` takes them.

    Example:
        >>> DataSource(name="maths", source="maths.jsonl", ratio=0.2, fields={"request": "problem"}).kind
        'auto'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    source: str = Field(min_length=1)
    kind: Kind = "auto"
    split: str | None = Field(default=None, min_length=1)
    ratio: Annotated[float, Field(gt=0, allow_inf_nan=False)] | Literal["all"] | None = 1.0
    limit: int = Field(default=0, ge=0)
    fields: dict[str, str] = Field(default_factory=dict)
    language: Literal["en", "zh"] | None = None
    suffix: str = ""
    config_name: str | None = None
    revision: str | None = None

    @property
    def set_name(self) -> str:
        """What the ids of its instructions hang on: a file's or folder's own name, wherever it lies."""
        path = Path(self.source)
        return path.stem if path.is_file() else path.resolve().name if path.is_dir() else self.source


def main_source(source: str) -> DataSource:
    """Return the settings of the main source, which `instructions:` names."""
    return DataSource(name=MAIN, source=source)


def parse_mix(entries: Sequence[Any] | None) -> tuple[DataSource, ...]:
    """Parse the `mix:` list of a recipe; unknown keys, values out of range and repeated names are errors.

    Example:
        >>> parse_mix([{"name": "maths", "source": "maths.jsonl", "kind": "maths"}])[0].ratio
        1.0
    """
    if entries is not None and (isinstance(entries, (str, Mapping)) or not isinstance(entries, Sequence)):
        raise RaifError(f"mix must be a list such as [{{name: maths, source: maths.jsonl}}]; got {entries!r}.")
    sources = tuple(_parse(entry, number) for number, entry in enumerate(entries or ()))
    names = [MAIN, *(source.name for source in sources)]
    if twice := next((name for name in names if names.count(name) > 1), None):
        advice = " (that is the main source)" if twice == MAIN else ""
        raise RaifError(f"mix: two sources are called {twice!r}{advice}; give each its own `name`.")
    return sources


def check_source_caps(caps: Mapping[str, int] | None, names: Collection[str]) -> None:
    """Refuse caps of sources that the mix does not have."""
    for name in caps or {}:
        if name not in names:
            raise unknown_name("source in source_caps:", name, names, "Sources are named in `mix`.")


def _parse(entry: Any, number: int) -> DataSource:
    if isinstance(entry, DataSource):
        return entry
    try:
        return DataSource.model_validate(entry)
    except ValidationError as error:
        raise _explained(error, entry, number) from error


def _explained(error: ValidationError, entry: Any, number: int) -> RaifError:
    first = error.errors()[0]
    label = entry.get("name", number) if isinstance(entry, Mapping) else number
    key = str(first["loc"][0]) if first["loc"] else ""
    if first["type"] == "extra_forbidden":
        return unknown_name(f"key of mix: {label}:", key, DataSource.model_fields, "Remove it or correct its name.")
    if key == "ratio":
        return RaifError(f"mix: {label}: ratio must be a number above 0 or `all`; got {first['input']!r}.")
    if key == "kind":
        return unknown_name(f"kind in mix: {label}:", first["input"], Kind.__args__, "")  # type: ignore[attr-defined]
    got = "" if first["type"] == "missing" else f" (got {first['input']!r})"
    return RaifError(f"mix: {label}: {key}: {first['msg']}{got}. An entry takes: {', '.join(DataSource.model_fields)}.")
