"""Combined runs for tests: a server that is policy and judge, the command as a call, and as a process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from raif.cli import app
from tests.benchmark_judge import completion, reply_to
from tests.judge_server import Answer, ChatServer

ROOT = Path(__file__).resolve().parents[2]
POLICY = "policy"
ANSWERS = (
    "It is fine, surely.",
    "First line.\nSecond line.",
    "So \\boxed{4}",
    "a b c d e f",
    "好的，没问题。",
)
_RUN = "import json, sys; from tests.raif.suite_support import suite; sys.exit(suite(**json.loads(sys.argv[1])))"


def answer_to(body: Mapping[str, Any]) -> Answer:
    """Reply as the policy or as the judge, whichever model is asked."""
    if body["model"] != POLICY:
        return Answer(completion(reply_to(body["messages"])))
    text = body["messages"][-1]["content"]
    return Answer(completion(ANSWERS[sum(text.encode()) % len(ANSWERS)]))


def serving() -> ChatServer:
    """Return a server (a context manager) of both."""
    return ChatServer(lambda number, body: answer_to(body))


def suite(out: str | Path, **asked: Any) -> int:
    """Run the command; return its exit code, and raise a user's error."""
    words = ["evaluate", "suite", "--out", str(out)]
    for name, value in {"cap": 16, **asked}.items():
        option = f"--{name.replace('_', '-')}"
        words += [] if value is None else [option] if value is True else [option, str(value)]
    return app(words, standalone_mode=False) or 0


def served(server: ChatServer, out: Path, **asked: Any) -> int:
    """Run the command with the server as policy and judge."""
    openai = {"backend": "openai", "base_url": server.url, "model": POLICY, "judge": f"judge@{server.url}"}
    return suite(out, **{**openai, **asked})


def started(**asked: Any) -> subprocess.Popen[bytes]:
    """Start the command in a process of its own."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", _RUN, json.dumps(asked)]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)


def answering(policy: Path, folder: Path) -> Path:
    """Return a copy of a random policy whose chat template opens no thinking, so that all it says is an answer."""
    shutil.copytree(policy, folder)
    template = "{% for message in messages %}{{ message['content'] }}\n{% endfor %}"
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder by its path there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def write_data(folder: Path, count: int = 30) -> Path:
    """Write small IFEval and IFBench files with the same ids, and InfoBench items of our own."""
    for name, file in (("ifeval", "input_data.jsonl"), ("ifbench", "IFBench_test.jsonl")):
        rows = [
            {
                "key": str(number),
                "prompt": f"{name} asks for words, number {number}.",
                "instruction_id_list": ["length_constraints:number_words" if name == "ifeval" else "count:numbers"],
                "kwargs": [{"relation": "at least", "num_words": 4} if name == "ifeval" else {"N": number % 3}],
            }
            for number in range(count)
        ]
        _write(folder / name / file, rows)
    items = [
        {
            "id": str(number),
            "instruction": f"InfoBench asks for a sentence, number {number}.",
            "input": "",
            "decomposed_questions": ["Is it one sentence?", "Is it kind?"],
            "subset": "Easy_set" if number % 2 else "Hard_set",
        }
        for number in range(count)
    ]
    _write(folder / "infobench" / "InfoBench.jsonl", items)
    return folder


def _write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
