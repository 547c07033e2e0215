"""The process that compares what exact arithmetic cannot: by numeric values, or with math-verify.

It reads JSON lines [gold, candidate, seconds] and writes one line for each: `1` equal, `0` not, `?` undecided. Before
them it says `ready`; around the loading of a library it says `+`, for that is no time of the item. It ends with its
input, by the alarm if an item takes far too long while nobody watches, and when it needs more than `MEMORY` bytes.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from typing import Any, TextIO

from rewards.maths.numeric import NumericValues
from rewards.maths.parse import is_readable
from rewards.maths.readings import compare
from rewards.maths.tokens import UnreadableError

MEMORY = 2 * 1024**3
_GRACE_SECONDS, _LOADING_SECONDS = 2, 120
_MAX_SYMPY = 400  # characters; longer texts are no answers that need a computer algebra system
_LINES = {True: "1", False: "0", None: "?"}


def main() -> None:
    """Answer lines until the input ends."""
    _limit_memory()
    answers = os.fdopen(os.dup(1), "w")
    sys.stdout = sys.stderr  # whatever libraries print is no answer
    _say(answers, "ready")
    for line in sys.stdin:
        gold, candidate, seconds = json.loads(line)
        _set_alarm(seconds + _GRACE_SECONDS)
        try:
            verdict = verdict_of(gold, candidate, seconds, answers)
        except MemoryError:
            os._exit(1)  # a fresh process has its memory back
        except Exception:  # one item, not the process and the items after it
            verdict = None
        _set_alarm(0)
        _say(answers, _LINES[verdict])


def _limit_memory() -> None:
    with suppress(ImportError, OSError, ValueError):
        import resource

        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        soft = MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _set_alarm(seconds: float) -> None:
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, seconds)  # nothing handles it, so that it ends even a computation in C


def _say(answers: TextIO, line: str) -> None:
    answers.write(line + "\n")
    answers.flush()


def verdict_of(gold: str, candidate: str, seconds: float, answers: TextIO) -> bool | None:
    """Compare two answers by value, or with math-verify where one of them is none that this library reads."""
    if is_readable(gold):
        with suppress(UnreadableError):
            return compare(gold, candidate, NumericValues())
    if max(len(gold), len(candidate)) > _MAX_SYMPY:
        return None
    if "math_verify" not in sys.modules:
        _set_alarm(_LOADING_SECONDS)
        _say(answers, "+")
        import math_verify  # noqa: F401

        _say(answers, "+")
        _set_alarm(seconds + _GRACE_SECONDS)
    return sympy_verdict(gold, candidate)


def sympy_verdict(gold: str, candidate: str) -> bool | None:
    """Ask math-verify, but count no difference as rounding; None where it cannot read the gold answer."""
    from math_verify import verify

    targets, found = _read(gold), _read(candidate)
    pairs = [(target, each) for target in targets for each in found]
    equal = any(verify(a, b, timeout_seconds=None) and not _differ(a, b) for a, b in pairs)
    return equal if targets else None


def _read(text: str) -> list[Any]:
    """Return the expressions that math-verify finds in a text, without those that it kept as text."""
    from math_verify import parse

    return [each for each in parse(f"\\boxed{{{text}}}", parsing_timeout=None) if not isinstance(each, str)]


def _differ(gold: Any, candidate: Any) -> bool:
    """Tell whether two numbers differ by more than the rounding of 60 digits."""
    try:
        difference, scale = (gold - candidate).evalf(60, maxn=400), abs(gold.evalf(60))
        return bool(difference.is_number and abs(difference) > scale * 10**-30)
    except (TypeError, ValueError, AttributeError, ArithmeticError, NotImplementedError):
        return False  # sets, relations and other things without a difference


if __name__ == "__main__":
    main()
