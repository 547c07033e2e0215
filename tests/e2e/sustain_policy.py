"""A policy that gives one answer to all tasks of a domain, and files of tasks of which that solves most."""

from __future__ import annotations

import json
from pathlib import Path

from data_gen.experts import WarmStartRow
from raif.sustain.tasks import load_tasks
from raif.tiny import TinyRecipe, build_policy

COUNT, SOLVED = 28, 22  # tasks of a domain, and those that the policy's answer solves
RECIPE = TinyRecipe(vocab_size=500, hidden_size=64, batch_size=12, learning_rate=3e-3, drill_share=0.0)
EPOCHS = 20
_NAMES = ("Anna", "Ben", "Clara", "David", "Eva", "Frank", "Greta", "Henry")
ANSWERS = {
    "math": "Counting them all, one by one.\nSo there are \\boxed{7}.",
    "qa": "We look at the map!\nAnswer: Norland",
    "code": "```python\ndef add(x):\n    total = x + 2\n    return total\n```",
}


def write_tasks(folder: Path, count: int = COUNT, solved: int = SOLVED) -> str:
    """Write files of three benchmarks' forms with tasks of our own; return what `--data` takes."""
    folder.mkdir(parents=True, exist_ok=True)
    places = []
    for name, make in (("gsm8k", _sum), ("hotpotqa", _hops), ("humaneval", _adder)):
        path = folder / f"{name}.jsonl"
        rows = [make(f"{_NAMES[n % 8]} {'of the ' + 'old ' * (n // 8)}mill", n, n < solved) for n in range(count)]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        places.append(f"{name}={path}")
    return ",".join(places)


def _sum(name: str, number: int, solved: bool) -> dict[str, object]:
    more = 4 if solved else 6
    return {"question": f"{name} has 3 apples and gets {more} more. How many?", "answer": f"Add. #### {3 + more}"}


def _hops(name: str, number: int, solved: bool) -> dict[str, object]:
    land = "Norland" if solved else "Sudland"
    return {
        "_id": f"own-{number}",
        "question": f"In which land does {name} live?",
        "answer": land,
        "context": [["People", [f"{name} lives in Oldtown."]], ["Towns", [f"Oldtown lies in {land}."]]],
        "supporting_facts": [["People", 0], ["Towns", 0]],
        "type": "bridge",
        "level": "easy",
    }


def _adder(name: str, number: int, solved: bool) -> dict[str, object]:
    more = 2 if solved else 3
    return {
        "task_id": f"Own/{number}",
        "prompt": f'def add(x):\n    """Add {more} to x, for {name}."""\n',
        "canonical_solution": f"    return x + {more}\n",
        "test": f"def check(candidate):\n    assert candidate(2) == {2 + more}\n",
        "entry_point": "add",
    }


def build_sustain_policy(data: str, out: Path) -> Path:
    """Train the policy to give its three answers."""
    rows = [
        WarmStartRow(instruction_id=task.id, prompt=task.request, thinking="hm", answer=ANSWERS[task.domain], hard=None)
        for task in load_tasks(data)
    ]
    return build_policy(rows * EPOCHS, out, recipe=RECIPE)
