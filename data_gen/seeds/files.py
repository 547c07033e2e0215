"""Seeds from a file as they are: every row is kept, in memory, and a row in bad shape is an error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

from data_gen.seeds.mapping import BadRow, RowMapping
from data_gen.seeds.rows import read_rows
from data_gen.seeds.seed import Seed
from data_gen.seeds.source import AnswerKind
from rewards.errors import RaifError


class FileSeeds:
    """Seeds from a JSONL, CSV or parquet file, with a mapping from our fields to the file's.

    Args:
        path: the file; blank lines are skipped, a broken line is an error that names it.
        fields: our field -> column. `request` is required; `answer` is a final answer or a worked solution that
            ends in `#### answer` (GSM8K); `solution` is a worked solution; the other fields are optional.
        answer_kind: what the answer is.
        form: `jsonl`, `csv` or `parquet`; empty reads the suffix.
    """

    def __init__(
        self, path: str | Path, fields: Mapping[str, str], answer_kind: AnswerKind = "math", form: str = ""
    ) -> None:
        self.path = Path(path)
        self.name = self.path.stem
        self._mapping, self._form = RowMapping(fields, answer_kind), form
        self.seeds = list(self._read())
        if not self.seeds:
            raise RaifError(f"seed file {self.path} holds no rows.")
        self.languages = tuple(sorted({seed.language for seed in self.seeds}))
        self._pools = {code: [seed for seed in self.seeds if seed.language == code] for code in self.languages}

    def draw(self, rng: Random, language: str) -> Seed:
        pool = self._pools.get(language, []) if len(self.languages) > 1 else self.seeds
        return pool[rng.randrange(len(pool))]

    def _read(self) -> Iterator[Seed]:
        """Yield the rows; one that repeats a request has the id of the first, so that both belong to one split."""
        ids: dict[str, str] = {}
        for row in read_rows(self.path, self._form):
            try:
                seed = self._mapping.seed(self.name, row)
            except BadRow as error:
                raise RaifError(f"{row.where} {error.sentence}. Nothing was written.") from error
            if seed.language not in ("en", "zh"):
                raise RaifError(f"{row.where} has language {seed.language!r}; known: en, zh. Nothing was written.")
            yield seed._replace(id=ids.setdefault(" ".join(seed.request.split()).casefold(), seed.id))
