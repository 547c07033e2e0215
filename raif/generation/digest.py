"""A digest of a model folder that is cheap for large weights and changes with every training step."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

SAMPLED = 16 * 1024  # bytes at the beginning, the middle and the end of a tensor
_SMALL = ("*.json", "*.jinja", "*.txt", "*.model")


def model_digest(folder: str | Path) -> str:
    """Return a digest of configuration, tokenizer and weights; names of folders and times do not enter.

    Of each tensor in a safetensors file three parts of 16 KiB are read, so that a change of any one layer shows without
    reading the whole; other weight files are read whole.
    """
    found = hashlib.sha256()
    for path in sorted({path for pattern in _SMALL for path in Path(folder).glob(pattern)}):
        found.update(f"{path.name}\0".encode() + path.read_bytes())
    for path in sorted(Path(folder).glob("*.safetensors")):
        found.update(f"{path.name}\0{path.stat().st_size}\0".encode())
        _add_tensors(found, path)
    for path in sorted(Path(folder).glob("*.bin")):
        with path.open("rb") as file:
            found.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()[:16]


def _add_tensors(found: Any, path: Path) -> None:
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        header = file.read(size)
        found.update(header)
        for name, tensor in sorted(json.loads(header).items()):
            if name == "__metadata__":
                continue
            begin, end = tensor["data_offsets"]
            for place in sorted({begin, max(begin, (begin + end - SAMPLED) // 2), max(begin, end - SAMPLED)}):
                file.seek(8 + size + place)
                found.update(file.read(min(SAMPLED, end - place)))
