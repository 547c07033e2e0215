"""Which constraint types the witness builder has never brought together, so that draws need not try them.

The table is measured, not kept by hand: `python -m data_gen.pairs` draws every pair of types a few times and asks the
solver for a witness of both; pairs for which it never finds one are noted. The table only steers the draws. What it
does not know (types of the user's own, pairs that fail for some arguments) is decided by the witness as ever.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import combinations
from pathlib import Path
from random import Random

from data_gen.seeds import Solution
from data_gen.witness import solve
from rewards.constraint import Context, constraint_class, known_constraints, parse_constraint
from rewards.math_answer import MathVerifier

TRIALS = 3
ANSWER = "answer"  # stands for the final answer in a box, which a text must keep
TABLE = Path(__file__).with_name("pairs.json")
_TASKS = {
    "en": (
        "Mia has 12 pears and buys 9 more. How many pears does she have?",
        Solution(
            "",
            ("So she has \\boxed{21} pears.",),
            ("At first she has 12 pears.", "Then she buys 9 more, which we add.", "Adding gives 21."),
        ),
        "21",
    ),
    "zh": (
        "小美有12个梨，又买了9个。她现在有多少个梨？",
        Solution(
            "", ("所以她现在有\\boxed{21}个梨。",), ("她原来有12个梨。", "后来又买了9个，要加起来。", "相加得到21。")
        ),
        "21",
    ),
}


@lru_cache(maxsize=1)
def hopeless() -> dict[str, dict[str, frozenset[str]]]:
    """Return, by language and type, the types (or `answer`) that no witness was found with.

    Example:
        >>> "case:english_lower" in hopeless()["en"]["case:english_upper"]
        True
    """
    content = json.loads(TABLE.read_text(encoding="utf-8"))
    types = content["types"]
    table: dict[str, dict[str, frozenset[str]]] = {}
    for language, rows in content["hopeless"].items():
        found: dict[str, set[str]] = {name: set() for name in types}
        for first, row in zip(types, rows, strict=True):
            for number in _bits(row):
                found[first].add(types[number])
                found[types[number]].add(first)
        table[language] = {name: frozenset(others) for name, others in found.items()}
    return table


def not_with(types: Iterable[str], language: str) -> set[str]:
    """Return the types that are hopeless beside one of those given."""
    table = hopeless().get(language, {})
    return set().union(*(table.get(name, frozenset()) for name in types))


def _bits(row: str) -> Iterator[int]:
    value = int(row or "0", 16)
    return (number for number in range(value.bit_length()) if value >> number & 1)


def goes_together(first: str, second: str, language: str) -> bool:
    """Tell whether the solver finds a witness of two types (the second may be `answer`) in one of a few draws."""
    return any(_trial(first, second, language, trial) for trial in range(TRIALS))


def _trial(first: str, second: str, language: str, trial: int) -> bool:
    rng = Random(f"pairs/{language}/{first}/{second}/{trial}")
    request, solution, answer = _TASKS[language]
    names = [first] if second == ANSWER else [first, second]
    constraints = [parse_constraint({"type": name, **constraint_class(name).draw(rng, language)}) for name in names]
    attempt = solve(solution, language, constraints, Context(request, language), rng)
    if attempt.refused:
        return False
    return second != ANSWER or MathVerifier().judge([(answer, attempt.text)]) == [True]


def measure(language: str) -> list[str]:
    """Return the table of a language: for every type, the hopeless ones after it as bits of a hexadecimal number."""
    types = [*known_constraints(), ANSWER]
    rows = dict.fromkeys(range(len(types)), 0)
    for first, second in combinations(range(len(types)), 2):
        if not goes_together(types[first], types[second], language):
            rows[first] |= 1 << second
    return [format(row, "x") if row else "" for row in rows.values()]


def write_table(path: Path = TABLE) -> None:
    """Measure every pair and write the table; this takes minutes."""
    content = {"types": [*known_constraints(), ANSWER], "hopeless": {each: measure(each) for each in _TASKS}}
    path.write_text(json.dumps(content, indent=0, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write_table()
