"""Time that grows with the length of a text and not with its square, told without a clock of any one machine."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

SIZE = 50_000  # characters; quadratic time would be seconds
#: A text four times as long may take eight times as long; quadratic time would be sixteen times as long.
LONGER, SLOWER = 4, 8
NOISE = 0.02  # processor seconds; what takes less says nothing about growth
REPEATS = 12  # the least of them counts


def grows_linearly(work: Callable[[str], object], text: Callable[[int], str], size: int = SIZE) -> bool:
    """Tell whether work on `text(size)` takes little more than on a quarter of it; all texts have to differ."""

    def seconds(length: int) -> float:
        given = text(length)
        gc.disable()  # what it costs grows with all that the process holds, as in timeit
        try:
            begin = time.process_time()
            work(given)
            return time.process_time() - begin
        finally:
            gc.enable()

    work(text(size // 100))  # what the first use loads
    short, long = float("inf"), float("inf")
    for repeat in range(REPEATS):  # each time a little shorter, so that no cache knows the text
        long = min(long, seconds(size - repeat))
        if long <= SLOWER * NOISE:
            return True
        short = min(short, seconds(size // LONGER - repeat))
        if long <= SLOWER * max(short, NOISE):
            return True
    return False
