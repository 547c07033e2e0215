"""What commands share: where they speak, their progress, and one message for every mistake."""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from data_gen.progress import progress_bars
from data_gen.shards import MANIFEST
from rewards.errors import RaifError

_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})  # a full disk does not say where
_EXTRAS = {
    **dict.fromkeys(("torch", "transformers", "trl", "accelerate", "datasets", "peft"), "train"),
    **dict.fromkeys(("scipy", "matplotlib", "jinja2"), "report"),
    "openai": "judge",
}
console = Console(stderr=True)  # outcomes and progress; what was asked for goes to the standard output


def guarded(command: Callable[[], object]) -> None:
    """Run a command line; mistakes of the user end with one message and exit code 1."""
    try:
        command()
    except RaifError as error:
        _fail(str(error))
    except OSError as error:
        if error.filename is None and error.errno not in _DISK:
            raise
        place = f"{error.filename}: " if error.filename else ""
        _fail(f"{place}{error.strerror}. Check the path, its permissions and the space on the disk.")
    except ModuleNotFoundError as error:
        extra = _EXTRAS.get((error.name or "").partition(".")[0])
        if extra is None:
            raise
        _fail(f"this needs the package {error.name}, which is not installed: `pip install 'raif[{extra}]'`.")


def _fail(reason: str) -> None:
    message = Text.assemble(("error:", "bold red"), f" {reason}")
    console.print(message, soft_wrap=True, highlight=False)
    sys.exit(1)


def say(text: str) -> None:
    """Tell the outcome as one line that is never wrapped."""
    console.print(text, soft_wrap=True, highlight=False, markup=False)


def counted(counts: Mapping[str, int]) -> str:
    """Return counts in words; those of nothing are left out.

    Example:
        >>> counted({"easy": 1200, "medium": 0, "hard": 3})
        '1,200 easy, 3 hard'
    """
    return ", ".join(f"{count:,} {name}" for name, count in counts.items() if count) or "none"


@contextmanager
def progress_of(name: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show a bar while the block runs; what it yields takes the number of rows done so far."""
    with progress_bars(console) as bars:
        task = bars.add_task(name, total=total)
        yield lambda done: bars.update(task, completed=done)


@contextmanager
def waiting(text: str) -> Iterator[None]:
    """Show that something is under way of which no progress is known."""
    with console.status(text):
        yield


def rows_of(source: Path, splits: Collection[str] | None = None) -> int | None:
    """Return how many instructions a data set has, of all or some splits; None where only reading them would tell."""
    if not (source / MANIFEST).is_file():
        return None
    from data_gen.quality.files import read_manifest

    counts = read_manifest(source).get("counts")
    if not isinstance(counts, dict):
        return None
    return sum(rows for split, rows in counts.items() if splits is None or split in splits) or None
