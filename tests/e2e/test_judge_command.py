"""`raif judge-check` as a user runs it, against a server on loopback."""

from __future__ import annotations

import json
from pathlib import Path

from tests import forked
from tests.judge_server import Answer, ChatServer, chat


def command(folder: Path, *arguments: object) -> tuple[int, str, str]:
    """Return the exit status, and what was said on each stream."""
    said, errors = folder / "said", folder / "errors"
    code = forked.ended(forked.start("raif", ["judge-check", *arguments], said, errors=errors), 120)
    return code, said.read_text(encoding="utf-8"), errors.read_text(encoding="utf-8")


def test_judge_check(tmp_path: Path) -> None:
    rows, out = tmp_path / "rows.jsonl", tmp_path / "figures.json"
    texts = [("polite", "yes"), ("polite", "no"), ("rude", "no"), ("rude", "no"), ("odd", "yes")]
    lines = [
        json.dumps({"question": "Polite?", "request": "Greet.", "answer": f"{word} {i}", "label": label})
        for i, (word, label) in enumerate(texts)
    ]
    rows.write_text("\n".join([*lines, '{"question": "Polite?"}', ""]), encoding="utf-8")
    with ChatServer(lambda _, body: Answer(chat(said(str(body["messages"]))))) as server:
        asked = ["--model", "m", "--base-url", server.url, "--mode", "text", "--out", out]
        code, told, errors = command(tmp_path, rows, *asked)
    assert code == 0, errors
    assert "rows.jsonl:6: request: Field required" in told.replace("\n", "")
    figures = json.loads(out.read_text())
    assert (figures["n"], figures["decided"], figures["agreement"]) == (5, 4, 0.75)
    assert (figures["precision"], figures["recall"], figures["undecided"]) == (0.5, 1.0, {"unparsed": 1})
    assert (figures["bad_lines"], figures["judge"]["asked"]) == (1, 5)


def said(text: str) -> str:
    return "YES" if "polite " in text else "NO" if "rude " in text else "perhaps"


def test_a_judge_that_cannot_be_is_refused(tmp_path: Path) -> None:
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"question": "Q?", "request": "R", "answer": "A", "label": "yes"}\n', encoding="utf-8")
    code, _, errors = command(tmp_path, rows, "--model", "m", "--mode", "guess")
    assert code == 1
    assert "mode" in errors
    assert "Traceback" not in errors
