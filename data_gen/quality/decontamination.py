"""Keep benchmark items out of the data: overlap of texts and of constraint combinations with named files.

The rule for texts. A text is its words, letter case and punctuation aside; a Han character is a word. A row is
contaminated by a benchmark if

- 13 words in a row of its prompt or request stand in a prompt of the benchmark, or
- at least half of the runs of 8 words of its request do (not where the benchmark's text is mostly Chinese, as 8
  characters in a row are nothing special), or
- its request is one of the benchmark's, word for word.

The rule for constraints. The official instructions are read as our strict constraints. A row is contaminated if it asks
for exactly the same constraints with the same arguments as an item, at least two of them and one with arguments. That
the types alone are those of an item is counted and no reason to drop a row: single types, and types without arguments,
cannot be avoided.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from rewards.constraint import Constraint
from rewards.errors import RaifError
from rewards.instruction import Instruction
from rewards.parity.importers import instruction_from
from rewards.text import fold

RUN, SHARED = 13, 8
SHARE = 0.5
_LONG_REQUEST = 100  # characters; such a request has runs of its own, and so is no other text word for word
_RULE = f"run={RUN} words={SHARED} share={SHARE}"
_ASCII_WORD = re.compile(r"[a-z0-9]+")
_WORD = re.compile(r"[\u3400-\u9fff]|[^\W_\u3400-\u9fff]+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_Key = tuple[Any, ...]


class BenchmarkFile(BaseModel):
    """A file, or a folder of files, whose items must not be in the data.

    Fields:
        name: what reasons call it.
        path: JSON Lines, or a folder of `*.jsonl`.
        suite: whose constraints the rows hold; `jsonl` for texts only.
        fields: the fields with texts, for `jsonl`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1)
    path: str = Field(min_length=1)
    suite: Literal["ifeval", "ifbench", "iftrain", "mathif", "jsonl"] = "jsonl"
    fields: tuple[str, ...] = ("prompt",)

    def files(self) -> list[Path]:
        """Return the files, sorted by name."""
        source = Path(self.path)
        found = sorted(source.glob("*.jsonl")) if source.is_dir() else [source]
        if not found or not found[0].is_file():
            raise RaifError(f"no benchmark file at {source}; correct the path of {self.name!r} or leave it out.")
        return found


class _Texts(NamedTuple):
    """The runs of words of one benchmark, as 8-byte hashes."""

    name: str
    shared: set[int]
    long: set[int]
    whole: set[int]


class Decontaminator:
    """An index of benchmark files that tells which instructions come too close to them.

    `counts` says how often each reason was given, and how many rows had the constraint types of an item.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.items: dict[str, int] = {}
        self.unmapped: Counter[str] = Counter()
        self.digest = ""
        self._texts: list[_Texts] = []
        self._known: dict[str, int] = {}
        self._all_shared: set[int] = set()
        self._chinese: set[int] = set()  # runs of Chinese texts, of which there are no short ones
        self._combinations: dict[_Key, str] = {}
        self._types: set[tuple[str, ...]] = set()

    @classmethod
    def from_files(cls, files: Iterable[BenchmarkFile | Mapping[str, Any]]) -> Decontaminator:
        """Read the benchmarks; a file that is missing or has no such field is an error that names it."""
        index = cls()
        digest = hashlib.sha256(_RULE.encode())
        for given in files:
            benchmark = given if isinstance(given, BenchmarkFile) else BenchmarkFile.model_validate(given)
            texts = _Texts(benchmark.name, set(), set(), set())
            for path in benchmark.files():
                content = path.read_bytes()
                digest.update(f"\n{benchmark.model_dump_json(exclude={'path'})} ".encode())
                digest.update(hashlib.sha256(content).digest())
                for row, where in _rows(content, path):
                    index._add_row(benchmark, texts, row, where)
            index._texts.append(texts)
            index._all_shared |= texts.shared
        index.digest = digest.hexdigest()
        return index

    @property
    def record(self) -> dict[str, Any]:
        """What a manifest keeps under `decontamination`: items by benchmark, counts by reason, digest."""
        return {"items": dict(self.items), "counts": dict(self.counts.most_common()), "digest": self.digest}

    def reason(self, instruction: Instruction) -> str:
        """Say why an instruction must not be in the data; empty when it is clean."""
        found = self.text_reason(instruction.request, instruction.prompt_text)
        found = found or self.combination_reason(instruction.constraints)
        if found:
            self.counts[found] += 1
        return found

    def text_reason(self, request: str, prompt: str = "") -> str:
        """Say which benchmark a request, or the prompt around it, was taken from; empty when from none."""
        said = self._ids(prompt)
        is_near = self._is_near(said)
        if not is_near and request in prompt and len(request) > _LONG_REQUEST:
            return ""
        asked = self._ids(request)
        if not is_near and len(asked) >= SHARED and not self._is_near(asked):
            return ""
        return next(filter(None, (_overlap(texts, asked, said) for texts in self._texts)), "")

    def combination_reason(self, constraints: Sequence[Constraint]) -> str:
        """Say which benchmark asks for just these constraints with these arguments; empty when none does."""
        types = tuple(sorted(constraint.type for constraint in constraints))
        if types not in self._types:
            return ""
        self.counts["types of an item"] += 1
        key = _combination(constraints)
        name = self._combinations.get(key, "")
        if not name:
            return ""
        if len(key) < 2 or not any(len(each) > 1 for each in key):
            self.counts["unavoidable combination of an item"] += 1
            return ""
        return f"constraints of {name}"

    def _ids(self, text: str) -> list[int | None]:
        """Return the words of a text as numbers; None for a word that no benchmark has."""
        return list(map(self._known.get, _words(text)))

    def _is_near(self, ids: Sequence[int | None]) -> bool:
        """Tell whether any run of words is in a benchmark; most texts end here."""
        if not self._all_shared.isdisjoint(_runs(ids, SHARED)):
            return True
        return bool(self._chinese) and not self._chinese.isdisjoint(_runs(ids, RUN))

    def _add_row(self, benchmark: BenchmarkFile, texts: _Texts, row: Mapping[str, Any], where: str) -> None:
        self.items[benchmark.name] = self.items.get(benchmark.name, 0) + 1
        if benchmark.suite == "jsonl":
            for text in _fields(benchmark, row, where):
                self._add_text(texts, text)
            return
        try:
            task = instruction_from(benchmark.suite, row)
        except RaifError:  # arguments that the official code draws at random
            task = None
            self.unmapped[benchmark.name] += 1
        for text in dict.fromkeys((task.request, task.prompt_text) if task else _raw_texts(row, where)):
            self._add_text(texts, text)
        if task is not None:
            self._combinations.setdefault(_combination(task.constraints), benchmark.name)
            self._types.add(tuple(sorted(constraint.type for constraint in task.constraints)))

    def _add_text(self, texts: _Texts, text: str) -> None:
        words = _words(text)
        ids = [self._known.setdefault(word, len(self._known)) for word in words]
        if _is_chinese(words):
            self._chinese.update(_runs(ids, RUN))
        else:
            texts.shared.update(_runs(ids, SHARED))
        texts.long.update(_runs(ids, RUN))
        texts.whole.add(hash(tuple(ids)))


def _overlap(texts: _Texts, asked: Sequence[int | None], said: Sequence[int | None]) -> str:
    if asked and hash(tuple(asked)) in texts.whole:
        return f"request of {texts.name}"
    if not texts.long.isdisjoint(_runs(asked, RUN)) or not texts.long.isdisjoint(_runs(said, RUN)):
        return f"{RUN} words in a row of {texts.name}"
    runs = set(_runs(asked, SHARED))
    return f"wording of {texts.name}" if runs and len(runs & texts.shared) >= SHARE * len(runs) else ""


def _words(text: str) -> list[str]:
    lowered = text.lower() if text.isascii() else fold(text)
    return (_ASCII_WORD if lowered.isascii() else _WORD).findall(lowered)


def _is_chinese(words: Sequence[str]) -> bool:
    return 2 * sum(_HAN.match(word) is not None for word in words) > len(words)


def _runs(ids: Sequence[int | None], size: int) -> Iterator[int]:
    """Yield the hashes of the runs of so many words; hashes of numbers are the same in every process."""
    return map(hash, zip(*(ids[start:] for start in range(size)), strict=False))


def _combination(constraints: Sequence[Constraint]) -> _Key:
    return tuple(sorted(map(_signature, constraints), key=repr))


def _signature(constraint: Constraint) -> _Key:
    """Return type and arguments in a form in which lists have no order and texts no case."""
    given = constraint.__dict__
    arguments = (
        (name, _plain(value))
        for name, value in given.items()
        if name != "type" and (name, value) != ("scope", "answer")
    )
    return (constraint.type, *arguments)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return fold(value).strip()
    return tuple(sorted(map(_plain, value), key=repr)) if isinstance(value, tuple) else value


def _rows(content: bytes, path: Path) -> Iterator[tuple[Mapping[str, Any], str]]:
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise RaifError(f"{path}:{number} is not JSON ({error}); repair or remove the line.") from error
            if not isinstance(row, Mapping):
                raise RaifError(f"{path}:{number} is a {type(row).__name__}, not an object with fields.")
            yield row, f"{path}:{number}"


def _fields(benchmark: BenchmarkFile, row: Mapping[str, Any], where: str) -> Iterator[str]:
    for field in benchmark.fields:
        if not isinstance(row.get(field), str):
            raise RaifError(f"{where} has no text {field!r}; it has: {', '.join(row)}. Name it in `fields`.")
        yield row[field]


def _raw_texts(row: Mapping[str, Any], where: str) -> list[str]:
    found = [row[name] for name in ("prompt", "question") if isinstance(row.get(name), str)]
    if not found:
        raise RaifError(f"{where} has neither a prompt nor a question; it has: {', '.join(row)}.")
    return found
