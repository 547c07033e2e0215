"""Print the slowest verdicts on 100 kB of hostile text, in milliseconds: strict types and official checks.

    python tests/benchmarks/hostile.py [--top 20]

The texts are one piece again and again, and random mixtures. Every verdict is taken on a response of its own, so that
it pays for all tokenisation it needs; the best of three runs counts.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from random import Random
from typing import Any

from rewards import Context, Response, known_constraints, parse_constraint
from rewards.parity import SUITES, suite
from rewards.parity.view import View
from tests.hostile import PIECES, hostile, random_hostile

Verdict = Callable[[str], Any]
ARGUMENTS = {int: 3, float: 50.0, str: "word", list[str]: ["word", "a"]}


def strict_types() -> Iterator[tuple[str, Verdict]]:
    for name, cls in known_constraints().items():
        constraint = parse_constraint({"type": name, **cls.draw(Random(1), "en")})
        yield name, lambda text, constraint=constraint: constraint.check(Response(None, text), Context())


def official_checks() -> Iterator[tuple[str, Verdict]]:
    for name in SUITES:
        for identifier in suite(name).checks:
            for relation in ("at least", "less than"):
                with suppress(ValueError):  # a check that takes other kinds of arguments is timed by its own tests
                    bound = suite(name).bind(identifier, guess_arguments(name, identifier, relation))
                    yield f"{name} {identifier} {relation}", lambda text, bound=bound: attempt(bound, text)


def guess_arguments(name: str, identifier: str, relation: str) -> dict[str, Any]:
    special = {"relation": relation, "letter": "a", "language": "en", "postscript_marker": "P.S."}
    found: dict[str, Any] = {}
    for argument, kind in suite(name).parameters(identifier).items():
        named = relation if argument.endswith("relation") else special.get(argument)
        found[argument] = named if named is not None else ARGUMENTS.get(kind.kind)
    return found


def attempt(bound: Callable[[View], bool], text: str) -> None:
    with suppress(Exception):  # where the official code raises
        bound(View(text))


def milliseconds(verdict: Verdict, text: str) -> float:
    best = float("inf")
    for _ in range(3):
        begin = time.process_time()
        verdict(text)
        best = min(best, time.process_time() - begin)
        if best < 0.01:
            break
    return best * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--top", type=int, default=20, help="how many to print")
    top = parser.parse_args().top
    verdicts = [*strict_types(), *official_checks()]
    for _, verdict in verdicts:
        verdict("Warm up, please.")
    texts = {repr(piece): hostile(piece) for piece in PIECES} | random_hostile()
    times = [(milliseconds(v, text), name, label) for label, text in texts.items() for name, v in verdicts]
    print(f"{len(verdicts)} verdicts on {len(texts)} texts of 100 kB")
    for taken, name, label in sorted(times, reverse=True)[:top]:
        print(f"{taken:8.1f} ms  {name:45} {label}")


if __name__ == "__main__":
    main()
