"""`raif judge-check` as a user runs it, against a server on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.judge_server import Answer, ChatServer, chat

ROOT = Path(__file__).resolve().parents[2]


def command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "raif", "judge-check", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip


def test_judge_check(tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "figures.json"
    texts = [("polite", "yes"), ("polite", "no"), ("rude", "no"), ("rude", "no"), ("odd", "yes")]
    lines = [
        json.dumps({"question": "Polite?", "request": "Greet.", "answer": f"{word} {i}", "label": label})
        for i, (word, label) in enumerate(texts)
    ]
    rows.write_text("\n".join([*lines, '{"question": "Polite?"}', ""]), encoding="utf-8")
    with ChatServer(lambda _, body: Answer(chat(said(str(body["messages"]))))) as server:
        done = command(str(rows), "--model", "m", "--base-url", server.url, "--mode", "text", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "rows.jsonl:6: request: Field required" in done.stdout.replace("\n", "")
    figures = json.loads(out.read_text())
    assert (figures["n"], figures["decided"], figures["agreement"]) == (5, 4, 0.75)
    assert (figures["precision"], figures["recall"], figures["undecided"]) == (0.5, 1.0, {"unparsed": 1})
    assert (figures["bad_lines"], figures["judge"]["asked"]) == (1, 5)


def said(text: str) -> str:
    return "YES" if "polite " in text else "NO" if "rude " in text else "perhaps"


def test_a_judge_that_cannot_be_is_refused(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"question": "Q?", "request": "R", "answer": "A", "label": "yes"}\n', encoding="utf-8")
    done = command(str(rows), "--model", "m", "--mode", "guess")
    assert done.returncode == 1
    assert "mode" in done.stderr
    assert "Traceback" not in done.stderr
