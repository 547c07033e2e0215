"""Small Python tasks in the form of HumanEval: a signature with a doc string, tests, and references in several ways."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import prod
from random import Random
from typing import Any

from data_gen.seeds.programs_steps import LETTERS, NUMBERS, Task, every_task, programs, whole
from data_gen.seeds.seed import Seed, Solution
from data_gen.seeds.table import LANGUAGES, LICENCE
from rewards.errors import RaifError, unknown_name
from rewards.task_answer import CodeAnswer

INPUTS = ("numbers", "limit", "text", "words")
MAX_OPERATIONS, MAX_EXAMPLES = 3, 2
_CASES = 12  # tests of a program; more where a near miss would pass them
_MOST_CASES = 100
_REQUESTS = {
    "en": ("Complete this Python function.", "Write this Python function.", "Implement the following in Python."),
    "zh": ("请补全这个Python函数。", "请写出这个Python函数。", "请用Python实现下面的函数。"),
}
_RESULT_NAMES = ("result", "total", "found", "answer")
_NAMES = {"sum": _RESULT_NAMES, "product": ("product", "result", "answer"), "count": ("count", "total", "number_found")}
_BUILTINS = {"abs": abs, "len": len, "prod": prod, "range": range, "sum": sum}


class ProgramSeeds:
    """Tasks of one to three operations on numbers, words or the characters of a text; tests call `check(candidate)`.

    The doc string says what is done to the elements and what is returned. The reference is written with a loop, a
    comprehension, in steps, with helper functions or with an index. Tests are computed from it and tell every near miss
    (a border shifted, another operation) from it.

    Args:
        operations: the least and the most things that a program does.
        inputs: what it may be given, of `numbers`, `limit`, `text`, `words`.
        examples: how many calls with their results the doc string shows.

    Example:
        >>> seed = ProgramSeeds(operations=(2, 2), inputs=("limit",), examples=1).draw(Random(1), "en")
        >>> seed.tags, seed.answer.entry_point in seed.request
        (('programming', 'operations=2'), True)
    """

    name = "programs"
    languages = LANGUAGES

    def __init__(self, operations: tuple[int, int] = (1, 3), inputs: Sequence[str] = INPUTS, examples: int = 1) -> None:
        if not 1 <= operations[0] <= operations[1] <= MAX_OPERATIONS:
            bounds = f"{operations[0]} to {operations[1]}"
            raise RaifError(f"programs: operations are {bounds}; they must lie, in order, in 1 to {MAX_OPERATIONS}.")
        for each in inputs:
            if each not in INPUTS:
                raise unknown_name("input of programs", each, INPUTS, "It is what a program is given.")
        if not inputs:
            raise RaifError(f"programs: inputs is empty; name some of: {', '.join(INPUTS)}.")
        if not 0 <= examples <= MAX_EXAMPLES:
            raise RaifError(f"programs: examples is {examples}; it must lie between 0 and {MAX_EXAMPLES}.")
        self.operations, self.inputs, self.examples = operations, tuple(inputs), examples

    def draw(self, rng: Random, language: str) -> Seed:
        groups = every_task(self.inputs, *self.operations)
        group = groups[rng.randrange(len(groups))]  # what has many numbers is not drawn more often
        task = group[rng.randrange(len(group))]
        cases = _cases(task.id)
        opening = rng.randrange(len(_REQUESTS["en"]))
        shown = [case for case in cases if case[0]][: self.examples]
        reference = rng.choice(references(task.id))
        prelude = f"{task.head}\n{_doc_string(task, language, shown)}\n"
        return Seed(
            set=self.name,
            id=task.id,
            language=language,
            request=f"{_REQUESTS[language][opening]}\n\n{prelude}".rstrip(),
            answer=CodeAnswer(tests=_tests(cases), entry_point=task.function, prelude=prelude),
            # A fence opens a line of its own, whatever comes before it.
            solutions={code: Solution(_thinking(task, code), (f"\n{reference}",), ()) for code in LANGUAGES},
            licence=LICENCE,
            topic="Programming",
            tags=("programming", f"operations={task.operations}"),
        )


@lru_cache(maxsize=1)
def _by_id() -> dict[str, Task]:
    return {task.id: task for group in every_task(INPUTS, 1, MAX_OPERATIONS) for task in group}


@lru_cache(maxsize=4096)
def references(seed_id: str) -> tuple[str, ...]:
    """Return every reference solution of a task of this set, each as a fenced block."""
    task = _by_id()[seed_id]
    written = (
        each for name in _NAMES.get(task.end["end"], ("result", "found", "answer")) for each in programs(task, name)
    )
    return tuple(dict.fromkeys(f"```python\n{each}\n```" for each in written))


def near_misses(seed_id: str) -> list[str]:
    """Return programs that are wrong in one operation, as fenced blocks."""
    return [f"```python\n{programs(wrong)[1]}\n```" for wrong in _by_id()[seed_id].wrongly()]


@lru_cache(maxsize=4096)
def _cases(task_id: str) -> tuple[tuple[Any, Any], ...]:
    """Return arguments with their results: edge cases first, then others until no near miss passes them all."""
    task, rng = _by_id()[task_id], Random(task_id)
    arguments = _edges(task)
    missed = list(task.wrongly())
    for _ in range(_MOST_CASES):
        missed = [wrong for wrong in missed if all(_run(wrong, each) == _run(task, each) for each in arguments)]
        if not missed and len(arguments) >= _CASES:
            break
        argument = _argument(task.given["input"], rng)
        arguments += [] if argument in arguments else [argument]
    else:
        raise RaifError(f"programs: no test tells a near miss of {task_id} from it; leave the combination out.")
    return tuple((argument, _run(task, argument)) for argument in arguments)


def _run(task: Task, argument: Any) -> Any:
    return eval(whole(task), {**_BUILTINS, task.parameter: argument})  # an expression of our own tables


def _edges(task: Task) -> list[Any]:
    """Return the arguments at which programs go wrong: nothing, one element, and every border."""
    borders = [number for each in NUMBERS[task.given["input"]] for number in (each, -each)]
    words = ["a" * size for size in range(1, 9)]
    edges: dict[str, list[Any]] = {
        "numbers": [[], [0], [1], borders],
        "limit": [0, 1, 2],
        "text": ["", "a", "A", "7"],
        "words": [[], ["a"], words],
    }
    return list(edges[task.given["input"]])


def _argument(given: str, rng: Random) -> Any:
    if given == "limit":
        return rng.randint(3, 30)
    size = rng.randint(2, 7)
    if given == "numbers":
        return [rng.randint(-12, 20) for _ in range(size)]
    if given == "text":
        return "".join(rng.choice(f"{LETTERS}aeiouAEBR 27") for _ in range(2 * size))
    return ["".join(rng.choice(LETTERS) for _ in range(rng.randint(1, 8))) for _ in range(size)]


def _tests(cases: Sequence[tuple[Any, Any]]) -> str:
    lines = (f"    assert candidate({argument!r}) == {result!r}\n" for argument, result in cases)
    return f"def check(candidate):\n{''.join(lines)}"


def _doc_string(task: Task, language: str, shown: Sequence[tuple[Any, Any]]) -> str:
    examples = "".join(f"    >>> {task.function}({argument!r})\n    {result!r}\n" for argument, result in shown)
    said = _said(task, language)
    return f'    """{said}\n\n{examples}    """' if examples else f'    """{said}"""'


def _said(task: Task, language: str) -> str:
    """Say what is to be done.

    Example:
        >>> _said(_by_id()["numbers-above.3-times.2-sum"], "en")
        'Take the integers in `numbers` that are greater than 3, multiply each by 2 and return their sum.'
    """
    what, end = task.given[language], task.end[language]
    if language == "zh":
        kept = f"取{what}中的{task.keep.said['zh']}" if task.keep else f"取{what}"
        return "，".join([kept, *([task.make.said["zh"]] if task.make else []), end]) + "。"
    kept = f"Take {what} {task.keep.said['en']}" if task.keep else f"Take {what}"
    return f"{kept}, {task.make.said['en']} and {end}." if task.make else f"{kept} and {end}."


def _thinking(task: Task, language: str) -> str:
    """Say the operations one by one, with the expressions that carry them out."""
    element = task.given["element"]
    expressions = [each for step in (task.keep, task.make) if step for each in (step.keeps or step.makes,)]
    code = [f"`{each.format(e=element)}`" for each in expressions]
    return ("；" if language == "zh" else "; ").join([*code, task.end[language]]) + ("。" if language == "zh" else ".")
