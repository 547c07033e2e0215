"""The column layouts that rows come in, and which of them a source has."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from data_gen.seeds.mapping import nested
from raif.sources.settings import DataSource
from rewards.errors import RaifError

_ABSENT = nested({}, "any")  # what it returns for a column that is not there


class BadRow(Exception):
    """A row that cannot be imported: a short reason to count, and the sentence that explains it."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason, self.sentence = reason, sentence


class Layout(NamedTuple):
    """The columns by which rows of one kind are known."""

    kind: str
    name: str
    columns: tuple[str, ...]


#: In the order in which they are tried: a row of an earlier one may have the columns of a later one, too.
LAYOUTS = (
    Layout("instructions", "jsonl", ("id", "request", "prompt", "tree", "source")),
    Layout("instructions", "exported", ("id", "request", "messages", "is_conversation", "tree", "seed_set")),
    Layout("constraints", "mathif", ("question", "answer", "constraint_name", "constraint_args", "constraint_desc")),
    Layout("constraints", "iftrain", ("messages", "ground_truth")),
    Layout("questions", "raif", ("input", "target")),
    Layout("questions", "complexbench", ("instruction", "scoring_questions")),
    Layout("questions", "plain", ("prompt", "scoring_questions")),
    Layout("constraints", "ifeval", ("prompt", "instruction_id_list", "kwargs")),
    Layout("maths", "mapped", ("request", "answer")),
    Layout("maths", "gsm8k", ("question", "answer")),
    Layout("maths", "deepscaler", ("problem", "answer")),  # MATH-500 has the same columns
)


def renamed(columns: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, Any]:
    """Return a row with our names beside its own.

    Raises:
        BadRow: if a mapped column is missing.

    Example:
        >>> renamed({"reward_model": {"ground_truth": "7"}}, {"answer": "reward_model.ground_truth"})["answer"]
        '7'
    """
    found = {name: nested(columns, column) for name, column in fields.items()}
    for name, column in fields.items():
        if found[name] is _ABSENT:
            raise BadRow(f"no column {column}", f"has no column {column!r}, which `fields` maps to {name!r}")
    return {**columns, **found}


def detect(source: DataSource, columns: Mapping[str, Any]) -> Layout:
    """Return the layout of a source, told by the columns of its first row.

    Raises:
        RaifError: if no layout of the wanted kind fits; it names the columns that there are and how to map them.
    """
    try:
        row = renamed(columns, source.fields)
    except BadRow as error:
        raise RaifError(f"{source.name}: the first row {error.sentence}; it has: {_names(columns)}.") from error
    wanted = [layout for layout in LAYOUTS if source.kind in ("auto", layout.kind)]
    for layout in wanted:
        if all(column in row for column in layout.columns):
            return layout
    raise RaifError(
        f"{source.name}: the columns of {source.source} do not tell what its rows are ({_names(columns)}). "
        f"Expected {_expected(wanted)}. Map the names with `fields`, ours first, for example "
        "{request: problem, answer: final_answer} with `kind: maths`."
    )


def check_options(source: DataSource, layout: Layout) -> None:
    """Refuse options that a source of this kind would not look at."""
    known = {"language": ("maths", "questions"), "suffix": ("maths",)}
    for name, kinds in known.items():
        if getattr(source, name) and layout.kind not in kinds:
            raise RaifError(
                f"{source.name}: {name} can be set for {' and '.join(kinds)} only; the rows of {source.source} are "
                f"{layout.kind} and say it themselves. Remove it."
            )


def _expected(layouts: Collection[Layout]) -> str:
    return ", or ".join(f"{', '.join(layout.columns)} ({layout.kind})" for layout in layouts)


def _names(columns: Mapping[str, Any]) -> str:
    return ", ".join(map(str, columns)) or "none"
