"""Small programming tasks out of typed steps, and the programs that solve them, each written in several ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import product
from textwrap import indent
from typing import Any, NamedTuple

from data_gen.seeds.table import read_table

LETTERS = "abceinorst"
NUMBERS = {"numbers": range(2, 10), "limit": range(3, 8), "text": range(2, 5), "words": range(3, 8)}
_BODY = "    "


class Step(NamedTuple):
    """One thing that is done to every element; `keeps` and `makes` are expressions of the element `{e}`."""

    key: str
    name: str
    keeps: str
    makes: str
    wrong: str
    kind: str
    said: dict[str, str]
    without: tuple[str, ...] = ()


class Task(NamedTuple):
    """A program to write: which elements it keeps, what it makes of each, and what it returns."""

    given: dict[str, Any]
    keep: Step | None
    make: Step | None
    end: dict[str, Any]

    @property
    def id(self) -> str:
        steps = [step.key for step in (self.keep, self.make) if step]
        return "-".join([self.given["input"], *steps, self.end["end"]])

    @property
    def operations(self) -> int:
        """How many things it does; returning what it was given as it is does not count."""
        return sum(step is not None for step in (self.keep, self.make)) + (not _is_plain(self.end, self.given["input"]))

    @property
    def function(self) -> str:
        steps = [step.name for step in (self.make, self.keep) if step]
        return "_".join([self.end["name"], *steps, self.given["input"]])

    @property
    def head(self) -> str:
        """The signature of the function."""
        kind = self.make.kind if self.make else self.given["kind"]
        returned = self.end["type"].format(kind=kind)
        return f"def {self.function}({self.given['parameter']}) -> {returned}:"

    @property
    def parameter(self) -> str:
        return str(self.given["parameter"].partition(":")[0])

    def wrongly(self) -> Iterator[Task]:
        """Yield the near misses: tasks that differ in one operation, if only at its borders."""
        if self.keep:
            yield self._replace(keep=self.keep._replace(keeps=self.keep.wrong))
        if self.make:
            yield self._replace(make=self.make._replace(makes=self.make.wrong))
        yield self._replace(end={**self.end, "of": self.end["wrong"]})


@lru_cache(maxsize=1)
def tables() -> dict[str, list[dict[str, Any]]]:
    """Return the steps, inputs and ends of programs."""
    entries = list(read_table("programs"))
    return {table: [entry for entry in entries if table in entry] for table in ("step", "input", "end")}


def steps(given: str) -> list[Step]:
    """Return every step on an input, with each of its numbers and letters."""
    return [
        _step(entry, slots) for entry in tables()["step"] if given in entry["given"] for slots in _slots(entry, given)
    ]


def _slots(entry: dict[str, Any], given: str) -> Iterator[dict[str, str]]:
    wanted = {"k": NUMBERS[given], "c": LETTERS}
    used = [slot for slot in wanted if f"{{{slot}}}" in entry["name"]]
    for values in product(*(wanted[slot] for slot in used)):
        yield {slot: str(value) for slot, value in zip(used, values, strict=True)}


def _step(entry: dict[str, Any], slots: dict[str, str]) -> Step:
    filled = {key: value.format(**slots, e="{e}") for key, value in entry.items() if isinstance(value, str)}
    return Step(
        key=".".join([entry["step"], *slots.values()]),
        name=filled["name"],
        keeps=filled.get("if", ""),
        makes=filled.get("make", ""),
        wrong=filled["wrong"],
        kind="int" if {"numbers", "limit"} & {*entry["given"], entry.get("to")} else "str",
        said={code: filled[code] for code in ("en", "zh")},
        without=tuple(entry.get("without", ())),
    )


@lru_cache(maxsize=32)
def every_task(inputs: tuple[str, ...], least: int, most: int) -> tuple[tuple[Task, ...], ...]:
    """Return the tasks with so many operations, in groups that differ in numbers and letters alone."""
    groups: dict[tuple[str, ...], list[Task]] = {}
    for task in _tasks(inputs):
        if least <= task.operations <= most:
            kinds = (step.key.partition(".")[0] if step else "" for step in (task.keep, task.make))
            groups.setdefault((task.given["input"], *kinds, task.end["end"]), []).append(task)
    return tuple(map(tuple, groups.values()))


def _tasks(inputs: Sequence[str]) -> Iterator[Task]:
    for given in tables()["input"]:
        if given["input"] in inputs:
            known = steps(given["input"])
            keeps = [None, *(step for step in known if step.keeps)]
            makes = [None, *(step for step in known if step.makes)]
            yield from (
                Task(given, keep, make, end)
                for keep, make, end in product(keeps, makes, tables()["end"])
                if _fits(given, make, end) and not (keep and make and make.key in keep.without)
            )


def _fits(given: dict[str, Any], make: Step | None, end: dict[str, Any]) -> bool:
    """Tell whether a result is possible, and depends on what was made of the elements."""
    kind = make.kind if make else given["kind"]
    ends = given["ends"] if kind == given["kind"] else ["list", "sum", "product"]
    return end["end"] in ends and not (make and end.get("counts"))


def _is_plain(end: dict[str, Any], given: str) -> bool:
    return given in end.get("plain", ())


def whole(task: Task, collected: str | None = None) -> str:
    """Return the task's result as one expression, of a list of that name where one is given."""
    return str(task.end["of"].format(list=collected or f"[{_comprehension(task)}]"))


def _comprehension(task: Task, keeps: str = "", makes: str = "") -> str:
    element = task.given["element"]
    makes = makes or (task.make.makes.format(e=element) if task.make else element)
    keeps = keeps or (task.keep.keeps.format(e=element) if task.keep else "")
    return f"{makes} for {element} in {task.given['all']}" + (f" if {keeps}" if keeps else "")


def programs(task: Task, name: str = "result") -> tuple[str, ...]:
    """Return programs that solve a task: with a loop, a comprehension, by steps, with helper functions, by index.

    Args:
        task: what to solve.
        name: of the variable that holds the result.
    """
    element = task.given["element"]
    keeps = task.keep.keeps.format(e=element) if task.keep else ""
    makes = task.make.makes.format(e=element) if task.make else element
    written = [
        _define(task, _loop(task, name, keeps, makes)),
        _importing(task, _define(task, f"return {whole(task)}")),
        _importing(task, _define(task, f"{name} = [{_comprehension(task)}]\nreturn {whole(task, name)}")),
        _define(task, _by_index(task, name, keeps, makes)),
    ]
    if task.keep or task.make:
        written.append(_with_helpers(task, name, keeps, makes))
    return tuple(written)


def _define(task: Task, body: str) -> str:
    return f"{task.head}\n{indent(body, _BODY)}"


def _importing(task: Task, program: str) -> str:
    return f"{task.end['import']}\n\n\n{program}" if "import" in task.end else program


def _update(task: Task, name: str, keeps: str, makes: str) -> str:
    update = task.end["update"].format(r=name, v=makes)
    return f"if {keeps}:\n{indent(update, _BODY)}" if keeps else update


def _loop(task: Task, name: str, keeps: str, makes: str) -> str:
    update = indent(_update(task, name, keeps, makes), _BODY)
    head = f"for {task.given['element']} in {task.given['all']}:"
    return f"{name} = {task.end['start']}\n{head}\n{update}\nreturn {name}"


def _by_index(task: Task, name: str, keeps: str, makes: str) -> str:
    given = task.given
    element = given["at"].format(i="index")
    lines = [f"{given['element']} = {element}", _update(task, name, keeps, makes), "index += 1"]
    body = indent("\n".join(lines), _BODY)
    start = f"{name} = {task.end['start']}\nindex = {given['start']}"
    return f"{start}\nwhile index < {given['size']}:\n{body}\nreturn {name}"


def _with_helpers(task: Task, name: str, keeps: str, makes: str) -> str:
    element = task.given["element"]
    helpers = []
    if keeps:
        helpers.append(f"def keep({element}):\n    return {keeps}")
        keeps = f"keep({element})"
    if task.make:
        helpers.append(f"def change({element}):\n    return {makes}")
        makes = f"change({element})"
    return "\n\n\n".join([*helpers, _define(task, _loop(task, name, keeps, makes))])
