"""A data set as parquet with a dataset card, so that `datasets.load_dataset` opens the folder; and to a hub.

Rows become record batches while they stream by: memory holds one row group for each split, whatever the size.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, get_args

from data_gen.quality.card import dataset_card
from data_gen.quality.files import MANIFEST, instruction_files, raw_rows, read_manifest, write_json
from data_gen.statistics import Collector
from rewards.errors import RaifError
from rewards.instruction import Instruction, Split, parse_line

ROW_GROUP = 1_000
ROWS_PER_FILE = 100_000
Progress = Callable[[int], None]


def export(
    folder: str | Path,
    out: str | Path | None = None,
    name: str = "",
    rows_per_file: int = ROWS_PER_FILE,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write `data/<split>-00000-of-00002.parquet`, `README.md` and the manifest of a data set.

    Args:
        folder: a data set made by data_gen.
        out: the folder to write; the data set's own by default.
        name: what the card calls the data set; the folder's name by default.
        rows_per_file: instructions in a parquet file at most.
        progress: called with the number of rows done so far.

    Returns:
        `rows` and, by split, `files`.

    Raises:
        RaifError: if there are no instructions, a row is none, or pyarrow is missing.
    """
    source, target = Path(folder), Path(out if out is not None else folder)
    if source.is_file() and out is None:
        raise RaifError(f"{folder} is a file; name the folder to write.")
    manifest, collector = read_manifest(source), Collector()
    (target / "data").mkdir(parents=True, exist_ok=True)
    writers: dict[str, _SplitWriter] = {}
    done = 0
    try:
        for path in instruction_files(source):
            for number, line in raw_rows(path):
                task = parse_line(line.decode("utf-8", "strict"), f"{path}:{number}")
                collector.add(json.loads(line), f"{path}:{number}")
                if task.split not in writers:
                    writers[task.split] = _SplitWriter(target / "data", task.split, rows_per_file)
                writers[task.split].add(row_of(task))
                done += 1
                if progress is not None and done % ROW_GROUP == 0:
                    progress(done)
        found = collector.result(manifest)
        files = {split: writers[split].finish() for split in get_args(Split) if split in writers}
    except BaseException:
        for writer in writers.values():
            writer.abandon()
        raise
    title = name or target.resolve().name
    (target / "README.md").write_text(dataset_card(found, title, files), encoding="utf-8", newline="\n")
    if manifest and source.resolve() != target.resolve():
        write_json(target / MANIFEST, manifest)
    return {"rows": done, "files": files}


def row_of(task: Instruction) -> dict[str, Any]:
    """Return an instruction as a row: typed columns, and JSON where the shape differs from row to row."""
    expert = task.expert
    return {
        "id": task.id,
        "request": task.request,
        "prompt": task.prompt_text,
        "messages": task.messages,
        "is_conversation": not isinstance(task.prompt, str),
        "language": task.language,
        "difficulty": task.difficulty,
        "tree": task.tree.model_dump_json(),
        "constraint_types": [constraint.type for constraint in task.constraints],
        "sub_instructions": [part.model_dump(mode="json") for part in task.sub_instructions],
        "answer": None if task.answer is None else task.answer.model_dump_json(),
        "seed_set": task.source.seed_set,
        "seed_id": task.source.seed_id,
        "licence": task.source.licence,
        "generator": task.source.generator,
        "witness": task.witness,
        "expert": None if expert is None else expert.model_dump(),
        "unconstrained": task.unconstrained,
        "split": task.split,
        "schema_version": task.schema_version,
    }


def instruction_from_row(row: Mapping[str, Any]) -> Instruction:
    """Return the instruction that `row_of` made a row of; nothing is lost on the way.

    Example:
        >>> from rewards import Instruction, Leaf
        >>> task = Instruction.build(request="Say hi.", prompt="Say hi. No commas.", language="en", split="train",
        ...     tree=Leaf(constraint={"type": "punctuation:no_comma"}), source={"seed_set": "mine", "seed_id": "1"})
        >>> instruction_from_row(row_of(task)) == task
        True
    """
    try:
        return Instruction.model_validate(
            {
                **{name: row[name] for name in ("id", "request", "language", "difficulty", "split", "schema_version")},
                "prompt": row["messages"] if row["is_conversation"] else row["messages"][0]["content"],
                "tree": json.loads(row["tree"]),
                "answer": None if row["answer"] is None else json.loads(row["answer"]),
                "sub_instructions": row["sub_instructions"],
                "source": {name: row[name] for name in ("seed_set", "seed_id", "licence", "generator")},
                "witness": row["witness"],
                "expert": row["expert"],
                "unconstrained": row.get("unconstrained"),
            }
        )
    except (KeyError, ValueError) as error:
        raise RaifError(f"this is no row of an exported data set: {type(error).__name__} {error}.") from error


def push_to_hub(
    folder: str | Path, repo_id: str, private: bool = True, endpoint: str | None = None, token: str | None = None
) -> str:
    """Upload an exported data set and return its address.

    Args:
        folder: a folder that `export` wrote.
        repo_id: `owner/name`.
        private: whether others may see it; this is only looked at when the repository is made.
        endpoint: another hub than the library's own.
        token: the hub's token; by default the one that the library finds.

    Raises:
        RaifError: if the folder was not exported, or the hub refuses or is out of reach.
    """
    source = Path(folder)
    if not (source / "README.md").is_file() or not any((source / "data").glob("*.parquet")):
        raise RaifError(f"{folder} holds no exported data; write parquet and README.md with `export` first.")
    hub = _library("huggingface_hub")
    api = hub.HfApi(endpoint=endpoint, token=token)
    try:
        api.create_repo(repo_id, repo_type="dataset", private=private, exist_ok=True)
        api.upload_folder(
            repo_id=repo_id,
            repo_type="dataset",
            folder_path=str(source),
            allow_patterns=["README.md", MANIFEST, "data/*.parquet", "data_card.html"],
            commit_message="Upload data set",
        )
    except Exception as error:  # HTTP, validation, credentials and offline mode have no class in common
        where = endpoint or "the hub"
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else 'no reason given'}"
        raise RaifError(
            f"{repo_id!r} was not uploaded to {where} ({reason}). Check the name (owner/name), the token and the "
            "connection; the exported folder is complete and can be uploaded again."
        ) from error
    return f"{(endpoint or hub.constants.ENDPOINT).rstrip('/')}/datasets/{repo_id}"


class _SplitWriter:
    """The parquet files of one split. How many there are is known at the end, so they are renamed then."""

    def __init__(self, folder: Path, split: str, rows_per_file: int) -> None:
        self.folder, self.split, self.limit = folder, split, max(1, rows_per_file)
        self.parts: list[Path] = []
        self.rows: list[dict[str, Any]] = []
        self.written = 0
        self.writer: Any = None

    def add(self, row: dict[str, Any]) -> None:
        """Take a row; a full row group is written."""
        self.rows.append(row)
        if len(self.rows) == ROW_GROUP or self.written + len(self.rows) == self.limit:
            self._flush()

    def finish(self) -> list[str]:
        """Write the rest, give the files their names and return those, relative to the data set's folder."""
        self._flush()
        self._close()
        for stale in self.folder.glob(f"{self.split}-*-of-*.parquet"):
            stale.unlink()
        names = [f"{self.split}-{number:05}-of-{len(self.parts):05}.parquet" for number in range(len(self.parts))]
        for part, name in zip(self.parts, names, strict=True):
            part.replace(self.folder / name)
        return [f"{self.folder.name}/{name}" for name in names]

    def abandon(self) -> None:
        """Remove what was written, after an error."""
        self._close()
        for part in self.parts:
            part.unlink(missing_ok=True)

    def _flush(self) -> None:
        if not self.rows:
            return
        pyarrow, parquet = _library("pyarrow"), _library("pyarrow.parquet")
        schema = _schema(pyarrow)
        if self.writer is None:
            part = self.folder / f"{self.split}-{len(self.parts):05}.parquet.partial"
            self.parts.append(part)
            self.writer = parquet.ParquetWriter(part, schema, compression="zstd")
        self.writer.write_table(pyarrow.Table.from_pylist(self.rows, schema=schema))
        self.written += len(self.rows)
        self.rows = []
        if self.written >= self.limit:
            self._close()

    def _close(self) -> None:
        if self.writer is not None:
            self.writer.close()
        self.writer, self.written = None, 0


def _schema(pyarrow: Any) -> Any:
    text, texts = pyarrow.string(), pyarrow.list_(pyarrow.string())
    message = pyarrow.struct([("role", text), ("content", text)])
    part = pyarrow.struct([("path", text), ("text", text), ("question", text), ("needs", texts)])
    expert = pyarrow.struct([("thinking", text), ("answer", text), ("origin", text)])
    kinds = {
        "messages": pyarrow.list_(message),
        "is_conversation": pyarrow.bool_(),
        "constraint_types": texts,
        "sub_instructions": pyarrow.list_(part),
        "expert": expert,
        "unconstrained": pyarrow.float64(),
        "schema_version": pyarrow.int32(),
    }
    names = (
        *("id", "request", "prompt", "messages", "is_conversation", "language", "difficulty", "tree"),
        *("constraint_types", "sub_instructions", "answer", "seed_set", "seed_id", "licence", "generator"),
        *("witness", "expert", "unconstrained", "split", "schema_version"),
    )
    return pyarrow.schema([(name, kinds.get(name, text)) for name in names])


def _library(name: str) -> Any:
    """Import what only exports need."""
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise RaifError(f"this needs {package}; install it with `pip install {package}`.") from error
