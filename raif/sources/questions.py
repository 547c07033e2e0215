"""Rows whose demands are questions for a judge, and rules beside them -> instructions with judge and rule leaves.

- `raif`, the form of the released RAIF data: `input` (a rendered prompt), `target` (JSON with `scoring_questions`,
  or with `instruction_id_list` and `kwargs`, or with all) and `task`. A row of the task `default`, or of none, is a
  maths problem if its `target` is an answer and holds no demands: the released files hold both.
- `complexbench`: `instruction` and `scoring_questions`, objects with `point_id`, `question` and `dep`, the points that
  must be met first; with `language: en` their English columns. A question with a `rule` is asked like the others:
  the official rules look at spans that a model cuts out of the answer, and nothing is cut out while rewards are
  computed. Whoever trains on ComplexBench cannot evaluate on it.
- `plain`: `prompt` (a text or messages), `scoring_questions` (texts or such objects) and, if there are rules,
  `instruction_id_list` and `kwargs`.

All leaves stand in one And. A leaf names the leaves it `needs`, which expresses any graph of dependencies without
circles and without a leaf twice. A question that a row repeats is one leaf. A row without a question and without a rule
is rejected: the released code gives it the reward -100, the mark of what is still to be judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from data_gen.seeds.rows import Row
from raif.sources.layouts import BadRow, Layout
from raif.sources.maths import final_answer
from raif.sources.rendered import Messages, shown_to_judge, taken_apart
from raif.sources.rules import by_ids
from raif.sources.settings import DataSource
from rewards.instruction import Instruction, Provenance
from rewards.judged import Judged
from rewards.task_answer import MathAnswer
from rewards.text import han_share
from rewards.tree import And, Leaf

_IDS = ("id", "main_id", "key")
_DEMANDS = ("scoring_questions", "instruction_id_list")
_MATHS = "default"  # the task of maths in RAIF's files
_RELATIONS = {"至少": "at least", "少于": "less than"}  # the checkers that came with RAIF take them in Chinese, too


def questions_row(source: DataSource, layout: Layout, row: Row) -> Instruction:
    """Return the instruction of a row in one of the three forms.

    Raises:
        BadRow: if its prompt cannot be taken apart, its task is unknown, or nothing could be judged.
        RaifError: if a rule's id or argument is not known.
    """
    return _READERS[layout.name](source, row)


def _raif(source: DataSource, row: Row) -> Instruction:
    task = str(row.columns.get("task") or _MATHS)
    if task != _MATHS and (task.endswith("woFormat") or not task.startswith(("complex", "ifeval"))):
        raise BadRow(f"task {task}", f"is of the task {task!r}; known: complex, ifeval, and {_MATHS} for maths")
    messages, target = taken_apart(_text(row.columns["input"], "input")), row.columns["target"]
    if task == _MATHS and not _holds_demands(target):
        answer = "" if target is None else str(target)
        return _instruction(source, row, messages, And(parts=()), MathAnswer(value=final_answer(answer)))
    demands = _parsed(target, "target")
    if not isinstance(demands, Mapping):
        raise BadRow("target without demands", f"is of the task {task!r} with the target {target!r}, no JSON object")
    return _instruction(source, row, messages, demand_tree(demands, messages[-1]["content"]))


def _holds_demands(target: Any) -> bool:
    """Tell whether a target is no answer, though its row names no task."""
    named = isinstance(target, str) and any(f'"{name}"' in target for name in _DEMANDS)
    return named or isinstance(target, Mapping)


def _complexbench(source: DataSource, row: Row) -> Instruction:
    suffix = "_en" if source.language == "en" else ""
    column = f"instruction{suffix}"
    if column not in row.columns:
        raise BadRow(f"no column {column}", f"has no column {column!r}; it has: {', '.join(row.columns)}")
    request = _text(row.columns[column], column)
    return _instruction(source, row, request, demand_tree(row.columns, request, f"question{suffix}"))


def _plain(source: DataSource, row: Row) -> Instruction:
    prompt = row.columns["prompt"]
    if isinstance(prompt, str):
        return _instruction(source, row, prompt, demand_tree(row.columns, prompt))
    if not isinstance(prompt, list) or not prompt or not all(_is_turn(turn) for turn in prompt):
        raise BadRow("no prompt", f"has the prompt {prompt!r}; expected a text, or messages with role and content")
    messages = [{"role": turn["role"], "content": turn["content"]} for turn in prompt]
    return _instruction(source, row, messages, demand_tree(row.columns, messages[-1]["content"]))


_READERS = {"raif": _raif, "complexbench": _complexbench, "plain": _plain}


def demand_tree(columns: Mapping[str, Any], request: str, column: str = "question") -> And:
    """Return one And of rule leaves and judge leaves.

    Args:
        columns: `scoring_questions`, and `instruction_id_list` with `kwargs` where there are rules.
        request: decides between the two readings that a few rules have.
        column: of a question in objects.

    Raises:
        BadRow: if there is neither, a question is blank, or one depends on an unknown one or on itself.

    Example:
        >>> tree = demand_tree({"scoring_questions": ["Is it kind?"]}, "Greet me.")
        >>> tree.parts[0].constraint.question
        'Is it kind?'
    """
    leaves = dict.fromkeys(_question_leaves(columns.get("scoring_questions"), column))
    rules: tuple[Leaf, ...] = ()
    if columns.get("instruction_id_list"):
        ids, kwargs = (_parsed(columns.get(name), name) for name in ("instruction_id_list", "kwargs"))
        kwargs = [_translated(each) for each in kwargs] if isinstance(kwargs, list) else kwargs
        named = by_ids({"key": "", "prompt": request, "instruction_id_list": ids, "kwargs": kwargs})
        rules = tuple(Leaf(constraint=each) for each in named.constraints)
    if not leaves and not rules:
        raise BadRow("no questions", "has neither scoring_questions nor an instruction_id_list; nothing can be judged")
    tree = And(parts=(*rules, *leaves))
    try:
        _ = tree.places
    except ValueError as error:
        raise BadRow("dependencies of questions", f"has questions that cannot depend like that: {error}") from error
    return tree


def _translated(kwargs: Any) -> Any:
    if not isinstance(kwargs, Mapping):
        return kwargs
    return {name: _RELATIONS.get(str(value), value) if "relation" in name else value for name, value in kwargs.items()}


def _question_leaves(given: Any, column: str) -> Iterator[Leaf]:
    questions = _parsed(given, "scoring_questions")
    if questions is not None and not isinstance(questions, list):
        raise BadRow("scoring_questions are no list", f"has scoring_questions of {given!r}; expected a list")
    for each in questions or ():
        found = {column: each} if isinstance(each, str) else each
        text = found.get(column) if isinstance(found, Mapping) else None
        if not isinstance(text, str) or not text.strip():
            raise BadRow("a blank question", f"has {each!r} among its scoring_questions; expected a text as {column!r}")
        point, needed = found.get("point_id"), found.get("dep")
        if needed is not None and not isinstance(needed, list):
            raise BadRow(
                "dependencies of questions", f"has a question whose dep is {needed!r}; expected a list of points"
            )
        yield Leaf(
            constraint=Judged(question=text.strip(), demand=text.strip()),
            name="" if point is None else str(point),
            needs=tuple(map(str, needed or ())),
        )


def _instruction(
    source: DataSource, row: Row, prompt: str | Messages, tree: And, answer: MathAnswer | None = None
) -> Instruction:
    messages = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
    alone = len(messages) == 1 and messages[0]["role"] == "user"
    name = next((row.columns[name] for name in _IDS if row.columns.get(name) is not None), row.number)
    return Instruction.build(
        request=shown_to_judge(messages),
        prompt=messages[0]["content"] if alone else messages,
        language=source.language or ("zh" if han_share(messages[-1]["content"]) > 0.3 else "en"),
        split="train",
        tree=tree,
        answer=answer,
        source=Provenance(
            seed_set=source.set_name,
            seed_id=str(name),
            licence=str(row.columns.get("licence") or ""),
            generator="raif questions importer",
        ),
    )


def _is_turn(turn: Any) -> bool:
    return isinstance(turn, Mapping) and all(isinstance(turn.get(name), str) for name in ("role", "content"))


def _text(value: Any, column: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise BadRow(f"blank {column}", f"has the {column} {value!r}; expected a text")
    return value


def _parsed(value: Any, column: str) -> Any:
    """Return a nested value; files of flat columns hold it as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        raise BadRow(f"{column} is no JSON", f"has a {column} that is no JSON ({error})") from error
