"""A progress bar of generation: completions, tokens a second and the time left."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn


class Speed:
    """Tokens a second since the first call; what the store held already does not count."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._begin: tuple[float, int] | None = None

    def update(self, tokens: int) -> float | None:
        """Return the speed after `tokens` tokens in all; None before anything was drawn.

        Example:
            >>> seconds = iter([0.0, 2.0])
            >>> speed = Speed(lambda: next(seconds))
            >>> speed.update(1_000), speed.update(1_500)
            (None, 250.0)
        """
        now = self.clock()
        if self._begin is None:
            self._begin = (now, tokens)
            return None
        elapsed, drawn = now - self._begin[0], tokens - self._begin[1]
        return drawn / elapsed if drawn and elapsed > 0 else None


@contextmanager
def generation_progress(
    console: Console, name: str, total: int, *, transient: bool = False
) -> Iterator[Callable[[int, int], None]]:
    """Show a bar, which goes away in the end if it is `transient`; yields what `complete` takes as `progress`."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
    )
    speed = Speed()
    with Progress(*columns, console=console, speed_estimate_period=300.0, transient=transient) as bars:
        task: TaskID | None = None

        def update(done: int, tokens: int) -> None:
            nonlocal task
            rate = speed.update(tokens)
            if task is None:  # the stored ones are no sign of speed: the bar begins with them
                task = bars.add_task(name, total=total, completed=done, speed="")
            shown = "" if rate is None else f"{rate:,.0f} tokens/s"
            bars.update(task, completed=done, speed=shown)
            if done >= total:  # what follows may have a bar of its own
                bars.stop()

        yield update
