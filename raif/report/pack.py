"""The second pass over rollouts: a compact index to filter by, and texts in compressed chunks to open on demand."""

from __future__ import annotations

import gzip
import json
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from raif.report.question_cards import read_questions, told_questions
from raif.report.runs import Source, item_id, read_demands, read_prompts
from raif.report.survey import Survey, text_limit
from rewards.response import Response

STATUSES = ("satisfied", "violated", "blocked", "skipped", "unscored")
FLAGS = ("truncated", "kept", "correct", "hard", "official_hard", "well_formed", "direct")  # as app.js reads them
FACETS = ("domain", "dose", "failure")  # of SUSTAIN: fields that the page filters by
CHUNK = 200  # rollouts in a chunk
_KEPT = (
    "step",
    "group",
    "sample",
    "completion_tokens",
    "thinking_tokens",
    "reward",
    "soft",
    "official_soft",
    "advantage",
)


class Pack:
    """What the rollout browser reads: `index`, `chunks` of rollouts and of `tasks`, each gzip in base64."""

    def __init__(self, survey: Survey, sources: Sequence[Source], runs: Sequence[str], limit: int) -> None:
        self.places = survey.chosen(limit)
        self.cut = text_limit([place.size for place in self.places])
        self._ids: dict[str, int] = {}
        self._types: dict[tuple[str, str], int] = {}
        columns: dict[str, list[Any]] = {"slot": [], "task": [], "flags": [], "verdicts": [], "facets": []}
        entries = self._entries(sources, columns)
        self.chunks = [pack(chunk) for chunk in _chunked(entries)]
        self._head = {
            "runs": list(runs),
            "slots": [{"run": s.run, "name": s.name, "training": s.training} for s in survey.slots],
            "statuses": STATUSES,
            "facet_names": FACETS,
            "chunk": CHUNK,
            "change": _change(survey),
        }
        self._columns = columns

    def finish(self, files: Sequence[tuple[Path, str]]) -> None:
        """Read the prompts of what is shown and make the index."""
        prompts = read_prompts(files, self._ids)
        self.tasks = [pack(chunk) for chunk in _chunked({"id": key, **prompts.get(key, {})} for key in self._ids)]
        types = [list(key) for key in self._types]
        self.index = pack({**self._head, "types": types, "tasks": list(self._ids), **self._columns})

    @property
    def facets(self) -> dict[str, list[str]]:
        """The values of each facet that tells rollouts apart, in order."""
        rows = [row for row in self._columns["facets"] if row]
        found = {name: {row[i] for row in rows} for i, name in enumerate(FACETS)}
        return {
            name: sorted(values - {""}, key=lambda value: (len(value), value))
            for name, values in found.items()
            if len(values) > 1
        }

    @property
    def counts(self) -> dict[int, int]:
        """How many rollouts of each slot are shown."""
        found: dict[int, int] = {}
        for place in self.places:
            found[place.slot] = found.get(place.slot, 0) + 1
        return found

    def _entries(self, sources: Sequence[Source], columns: dict[str, list[Any]]) -> Iterator[dict[str, Any]]:
        files: dict[int, Any] = {}
        demands: dict[int, dict[str, list[str]]] = {}
        questions: dict[int, dict[str, list[Mapping[str, Any]]]] = {}
        try:
            for place in self.places:
                if place.source not in files:
                    files[place.source] = sources[place.source].path.open("rb")
                files[place.source].seek(place.offset)
                row = json.loads(files[place.source].readline())
                columns["slot"].append(place.slot)
                key = item_id(row["instruction_id"], sources[place.source].within)
                columns["task"].append(self._ids.setdefault(key, len(self._ids)))
                columns["flags"].append(flags(row if _form_matters(row) else {**row, "well_formed": None}))
                columns["verdicts"].append(self._verdicts(row))
                columns["facets"].append([str(row[name]) for name in FACETS] if "domain" in row else [])
                asked = {}
                if "domain" in row:
                    if place.source not in demands:
                        demands[place.source] = read_demands(sources[place.source].path)
                    asked = _asked(row, demands[place.source].get(row["instruction_id"], []), self.cut)
                elif "answers" in row:
                    if place.source not in questions:
                        questions[place.source] = read_questions(sources[place.source].path)
                    told = told_questions(row, questions[place.source].get(row["instruction_id"], []))
                    asked = {"said": [_shortened(text, self.cut) for text in told]}
                yield _entry(row, self.cut) | asked
        finally:
            for file in files.values():
                file.close()

    def _verdicts(self, row: Mapping[str, Any]) -> list[int]:
        """Return one code per verdict, those of the strict profile first: type * 5 + status."""
        found = [("strict", leaf["type"], leaf["status"]) for leaf in row["verdicts"]]
        found += [("parity", check["id"], _status(check["strict"])) for check in row.get("official", ())]
        return [
            self._types.setdefault((profile, name), len(self._types)) * len(STATUSES) + STATUSES.index(status)
            for profile, name, status in found
        ]


def pack(content: Any) -> Markup:
    """Return JSON as gzip in base64, a quoted string of letters that no HTML parser can take for markup.

    Example:
        >>> "<" in pack({"answer": "</script>"})
        False
    """
    text = json.dumps(content, separators=(",", ":"))  # ASCII: lone surrogates stay escapes
    return Markup(f'"{b64encode(gzip.compress(text.encode(), 9, mtime=0)).decode()}"')


def flags(row: Mapping[str, Any]) -> int:
    """Return the yes, no or unknown of `FLAGS` as digits to the base 3 (2, 1, 0), the first the lowest.

    Example:
        >>> flags({"finish_reason": "length", "kept": None, "correct": False})
        11
    """
    reason = row.get("finish_reason")
    known = {**row, "truncated": None if reason is None else reason == "length"}
    return sum((0 if known.get(name) is None else 1 + bool(known[name])) * 3**i for i, name in enumerate(FLAGS))


def _status(verdict: bool | None) -> str:
    return "unscored" if verdict is None else "satisfied" if verdict else "violated"


def _chunked(entries: Any) -> Iterator[list[Any]]:
    chunk: list[Any] = []
    for entry in entries:
        chunk.append(entry)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _entry(row: Mapping[str, Any], cut: int | None) -> dict[str, Any]:
    """Return what the page shows of a rollout beside the index."""
    response = _response(row)
    official = [[check["loose"], check.get("reason", "")] for check in row.get("official", ())]
    parts = {name: value for name, value in (row.get("parts") or {}).items() if value is not None}
    return {
        "thinking": None if response.thinking is None else _shortened(response.thinking, cut),
        "answer": _shortened(response.answer, cut),
        "evidence": [leaf["evidence"] for leaf in row["verdicts"]],
        "official": official,
        "parts": parts,
        "labels": row.get("labels") or {},
        **{name: row[name] for name in _KEPT if row.get(name) is not None},
    }


def _response(row: Mapping[str, Any]) -> Response:
    style = row.get("style") or ("none" if row.get("direct") else "think")
    truncated = row.get("finish_reason") == "length"
    return Response.split(row["completion"], style=style, prefilled=row.get("prefilled", True), truncated=truncated)


def _form_matters(row: Mapping[str, Any]) -> bool:
    """Tell whether it is a fault that a rollout does not think: an answer to be judged by questions need not."""
    return "answers" not in row or row.get("style", "think") != "think" or _response(row).thinking is not None


def _asked(row: Mapping[str, Any], demands: Sequence[str], cut: int | None) -> dict[str, Any]:
    """Return what the page shows of a rollout of SUSTAIN: its prompt, and the constraints that it is judged on."""
    alone = row["arm"] == "constrained" and row["dose"] == 1
    judged = demands[row["place"] : row["place"] + 1] if alone else demands[: len(row["verdicts"])]
    fields = {
        "score": "undecided" if row["score"] is None else row["score"],
        "F1": row.get("f1"),
        "program": row.get("ending"),
        "dose": row["dose"],
    }
    fields |= {"place": row["place"], "failure": row.get("failure", "").replace("_", " ")}
    known = {name: value for name, value in fields.items() if value not in (None, "", 0) or name == "score"}
    told = {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in known.items()}
    return {
        "prompt": _shortened(row["prompt"], cut),
        "said": [_shortened(text, cut) for text in judged],
        "unasked": row["arm"] != "constrained",
        "labels": (row.get("labels") or {}) | told,
    }


def _shortened(text: str, cut: int | None) -> str:
    """Leave out the middle of a text that is longer than `cut`, and say so there.

    Example:
        >>> _shortened("0123456789", 4)
        '01\\n[6 characters left out of this page]\\n89'
    """
    if cut is None or len(text) <= cut:
        return text
    half = cut // 2
    return f"{text[:half]}\n[{len(text) - 2 * half:,} characters left out of this page]\n{text[len(text) - half :]}"


def _change(survey: Survey) -> list[int] | None:
    """Return the first and the last slot with HAcc, between which an item is gained or lost.

    The arms of SUSTAIN, and the benchmarks of one run, are not states of a policy.
    """
    slots = [number for number in range(len(survey.slots)) if survey.outcomes[number].fields["hard"]]
    slots = [number for number in slots if number not in survey.apart]
    return [slots[0], slots[-1]] if len(slots) > 1 else None
