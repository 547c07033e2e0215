"""Instructions and rollouts for the tests of scoring, and reward functions that do harm."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rewards import And, Instruction, Leaf, Provenance

ANSWERS = ("It is fine.", "It is, well, fine.", "Fine, it is so fine and good.", "")
POISON = '''
import ctypes, os, signal, subprocess, sys, time
from pathlib import Path

def poison(answer):
    """Return 1 for every answer; some words do harm."""
    return [harm(text) for text in answer]

def harm(text):
    if "nap" in text:
        time.sleep(0.7)
    if "stuck" in text:
        ctypes.PyDLL(None).sleep(600)  # as a regular expression, it never lets go of the interpreter's lock
    if "child" in text:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        Path(text.split()[-1]).write_text(str(child.pid))
        time.sleep(600)
    if "die" in text:
        os.kill(os.getpid(), signal.SIGKILL)
    if "exit" in text:
        sys.exit(3)
    if "raise" in text:
        raise KeyError("no such thing")
    print("this is no score line")
    return 1.0

def slow(answer):
    """Take a while for every batch."""
    time.sleep(0.05)
    return [float(len(text)) for text in answer]

def hang(answer):
    """Kill the caller, and never end."""
    Path(os.environ["BEGUN"]).write_text(str(os.getpid()))
    os.kill(os.getppid(), signal.SIGKILL)
    ctypes.PyDLL(None).sleep(600)
'''


def instruction(number: int) -> Instruction:
    demands = {"type": "length:max_words", "limit": 3 + number % 3}, {"type": "punctuation:no_comma"}
    return Instruction.build(
        request=f"Say something kind {number}.",
        prompt="Say something kind.",
        language="en",
        split="train",
        tree=And(parts=tuple(Leaf(constraint=demand) for demand in demands)),
        source=Provenance(seed_set="test", seed_id=str(number)),
    )


TASKS = [instruction(number) for number in range(7)]


def rollout(number: int, **fields: Any) -> dict[str, Any]:
    task = TASKS[number % len(TASKS)]
    completion = f"thinking {number}</think>{ANSWERS[number % len(ANSWERS)]}"
    return {"instruction_id": task.id, "id": f"r{number}", "completion": completion, **fields}


def write(path: Path, rows: Iterable[dict[str, Any] | str]) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), "utf-8")
    return path


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def make_data(folder: Path, rows: int) -> Path:
    """Write instructions and rollouts, and the module of reward functions."""
    write(folder / "instructions.jsonl", (task.model_dump_json() for task in TASKS))
    write(folder / "rollouts.jsonl", (rollout(number) for number in range(rows)))
    (folder / "poisonous_rewards.py").write_text(POISON, encoding="utf-8")
    return folder
