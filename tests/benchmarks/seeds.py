"""Print the microseconds that it takes to draw from each embedded set of seeds, in each language.

    PYTHONPATH=. python tests/benchmarks/seeds.py [--draws 2000]

Processor time; the best of five turns counts, after a first draw that reads the files of the set.
"""

from __future__ import annotations

import argparse
import time
from random import Random

from data_gen.seeds import SEED_SETS

TURNS = 5


def microseconds(name: str, language: str, draws: int) -> float:
    seeds, rng, best = SEED_SETS[name](), Random(0), float("inf")
    seeds.draw(rng, language)
    for _ in range(TURNS):
        begin = time.process_time()
        for _ in range(draws):
            seeds.draw(rng, language)
        best = min(best, (time.process_time() - begin) / draws)
    return best * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=2000, help="of each set, in each language and turn")
    draws = parser.parse_args().draws
    for name in sorted(SEED_SETS):
        english, chinese = (microseconds(name, language, draws) for language in ("en", "zh"))
        print(f"{name:15} en {english:7.1f} us   zh {chinese:7.1f} us")


if __name__ == "__main__":
    main()
