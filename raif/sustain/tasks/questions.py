"""Multi-hop questions about given paragraphs: the accepted answers are short texts.

The user turn is the paragraphs, each under its title, then the question, then one sentence that asks for a last line of
the form "Answer: ...". Without it a right answer inside a sentence would count as wrong, since exact match judges the
final answer alone; the sentence demands nothing else. It quotes the word and names the colon, so that neither is taken
for a constraint which the output meets of its own accord.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from data_gen.seeds.mapping import BadRow
from data_gen.seeds.rows import Row
from raif.sustain.tasks.made import Columns, LeftOut, Made, labels_of, language_of, nested_value, text_of
from rewards.errors import RaifError
from rewards.task_answer import QaAnswer

TURN = {
    "en": (
        "{context}\n\nQuestion: {question}\n\n"
        'End with a line of the form "Answer: ..." (the word "Answer", a colon, a short answer).'
    ),
    "zh": "{context}\n\n问题：{question}\n\n最后一行写成“答案：……”（“答案”二字、冒号和简短的答案）。",
}
ALIASES = "id_aliases.json"
_LABELS = (("type", "type"), ("level", "level"))
_MUSIQUE_ID = re.compile(r"(\d)hop\d*")


def hotpotqa(columns: Columns) -> Made:
    """Make a task of HotpotQA (distractor or fullwiki), as on the hub or as in the official files."""
    return _made(columns, {"hops": "2", **labels_of(columns, _LABELS)})


def two_wiki(columns: Columns) -> Made:
    """Make a task of 2WikiMultihopQA; its hops are the evidence triples, where a row has them."""
    evidences = nested_value(columns.get("evidences") or [])
    triples = evidences.get("fact", []) if isinstance(evidences, Mapping) else evidences
    hops = {"hops": str(len(triples))} if triples else {}
    return _made(columns, {**hops, **labels_of(columns, _LABELS)})


def musique(columns: Columns) -> Made:
    """Make a task of MuSiQue; hops and the form of the question are told by its id, such as `3hop1__...`.

    Rows of MuSiQue-Full that cannot be answered are left out.
    """
    if columns.get("answerable") is False:
        raise LeftOut("unanswerable")
    form = _MUSIQUE_ID.match(str(columns["id"]))
    return _made(columns, {"hops": form[1], "type": form[0]} if form else {})


def _made(columns: Columns, labels: dict[str, str]) -> Made:
    question, answer = text_of(columns, "question"), text_of(columns, "answer")
    context = "\n\n".join(f"{title}\n{text}" for title, text in _paragraphs(columns))
    if not context:
        raise BadRow("no paragraphs", "has no paragraphs")
    language = language_of(question)
    others = [str(alias).strip() for alias in columns.get("answer_aliases") or ()]
    values = tuple(dict.fromkeys(value for value in (answer, *others) if value))
    request = TURN[language].format(context=context, question=question)
    return Made(request, QaAnswer(values=values), language, labels, context)


def _paragraphs(columns: Columns) -> Iterator[tuple[str, str]]:
    """Yield title and text of each paragraph.

    They come as a list of {title, paragraph_text} (MuSiQue), of [title, [sentences]] (official files of the others),
    or as {title: [...], sentences: [[...]]} (hub); the last two also as JSON in a text.
    """
    try:
        if "paragraphs" in columns:
            for each in nested_value(columns["paragraphs"]):
                yield str(each["title"]).strip(), str(each["paragraph_text"]).strip()
            return
        context = nested_value(columns["context"])
        if isinstance(context, Mapping):
            context = zip(context["title"], context.get("sentences", context.get("content")), strict=True)
        for title, sentences in context:
            yield str(title).strip(), " ".join(str(sentence).strip() for sentence in sentences)
    except (KeyError, TypeError, ValueError) as error:
        raise BadRow(
            "paragraphs", f"has paragraphs of an unknown shape ({type(error).__name__}: {error}); use the official file"
        ) from error


def with_aliases(rows: Iterator[Row], data: Path) -> Iterator[Row]:
    """Add the accepted names of 2WikiMultihopQA's answers, where its `id_aliases.json` lies next to the data."""
    path = data.parent / ALIASES
    aliases = _read_aliases(path) if data.is_file() and path.is_file() else {}
    for row in rows:
        known = aliases.get(str(row.columns.get("answer_id")), [])
        yield row._replace(columns={**row.columns, "answer_aliases": known}) if known else row


def _read_aliases(path: Path) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            entry = json.loads(line)
            found[str(entry["Q_id"])] = [*entry.get("aliases", ()), *entry.get("demonyms", ())]
        except (ValueError, KeyError, TypeError) as error:
            raise RaifError(
                f"{path}:{number} is no line of aliases ({type(error).__name__}: {error}); expected JSON lines with "
                "Q_id and aliases. Fetch the file again, or remove it to accept the main answers alone."
            ) from error
    return found
