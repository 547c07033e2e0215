"""Score synthesized rollouts with one process and with two; print rows a second, the ratio and the peak memory.

    python tests/benchmarks/scoring.py [--rows 100000] [--workers 1 2] [--repeats 1]

Instructions have three constraints each; a third of the rollouts is the witness, the others are spoilt in some way.
Peak memory is the resident memory of all processes together, looked at twice a second. Processor seconds are given
too: on a machine that others use, they say more than the clock.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import resource
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

import psutil

from rewards import Instruction, read_instructions
from rewards.score_rows import ScoreSettings
from rewards.scoring import score_file

RECIPE = {
    "counts": {"train": 2000},
    "seeds": [{"type": "arithmetic", "weight": 2}, {"type": "writing", "weight": 1}],
    "languages": {"en": 0.7, "zh": 0.3},
    "constraints": {"min": 3, "max": 3},
    "layouts": {"inline": 1},
}


INSTRUCTIONS = "data/data/train-00000-of-00001.jsonl"


class Run(NamedTuple):
    """One measurement.

    Seconds by the clock, of all processors, of those in the caller, and by the clock until the first scores came; peak
    bytes; what was written.
    """

    seconds: float
    processor: float
    caller: float
    start: float
    peak: int
    digest: str


def make_data(folder: Path, rows: int) -> None:
    """Write instructions and rollouts; in a process of its own, so that its memory is not measured."""
    from data_gen.config import parse_config
    from data_gen.pipeline import make_dataset

    make_dataset(parse_config(RECIPE, "the benchmark"), folder / "data")
    instructions = read_instructions(folder / INSTRUCTIONS)
    with (folder / "rollouts.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in rollouts(instructions, rows))


def rollouts(instructions: list[Instruction], rows: int) -> Iterator[str]:
    """Yield rollout lines; the rollouts of an instruction stand together, as a sampler writes them."""
    rng = Random(0)
    group_size = -(-rows // len(instructions))
    for number in range(rows):
        task = instructions[number // group_size]
        thinking = "Let me see what is asked here. " * rng.randint(5, 30)
        record = {
            "instruction_id": task.id,
            "group": number // group_size,
            "sample": number % group_size,
            "completion": f"{thinking}</think>{spoilt(task.witness or 'Yes.', rng)}",
            "completion_tokens": rng.randint(50, 400),
            "finish_reason": "stop",
        }
        yield json.dumps(record, ensure_ascii=False)


def spoilt(text: str, rng: Random) -> str:
    """Return a text as it is, cut short, repeated, or with some words changed."""
    words = text.split(" ")
    kind = rng.randrange(3)
    if kind == 0:
        return text
    if kind == 1:
        return " ".join(words[: rng.randint(1, len(words))])
    return " ".join(word.upper() if rng.random() < 0.2 else word for word in words * rng.randint(1, 3))


def measure(folder: Path, workers: int, number: int) -> Run:
    """Score all rollouts with so many processes."""
    out = folder / f"scores-{workers}-{number}.jsonl"
    watch, came = Watch(), list[float]()
    used, caller, begin = processor_seconds(), time.process_time(), time.perf_counter()
    with watch:
        paths = folder / INSTRUCTIONS, folder / "rollouts.jsonl", out
        score_file(*paths, ScoreSettings(), workers, lambda _: came.append(time.perf_counter()))
    seconds, caller = time.perf_counter() - begin, time.process_time() - caller
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    out.unlink()
    return Run(seconds, processor_seconds() - used, caller, came[0] - begin, watch.peak, digest)


def processor_seconds() -> float:
    """Return the time of this process and of its children that ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


class Watch:
    """A thread that looks at the resident memory of this process and all below it."""

    def __enter__(self) -> None:
        self.peak, self._ended = 0, threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        this = psutil.Process()
        while not self._ended.wait(0.5):
            self.peak = max(self.peak, sum(map(resident, [this, *this.children(recursive=True)])))


def resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--repeats", type=int, default=1, help="the best of so many runs counts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        maker = multiprocessing.get_context("spawn").Process(target=make_data, args=(folder, arguments.rows))
        maker.start()
        maker.join()
        runs = {
            workers: min(measure(folder, workers, number) for number in range(arguments.repeats))
            for workers in arguments.workers
        }
    for workers, run in runs.items():
        print(
            f"{workers} workers: {arguments.rows / run.seconds:7.0f} rows/s; "
            f"{run.seconds:.1f} s by the clock ({run.start:.1f} s to start), "
            f"{run.processor:.1f} s of processors ({run.caller:.1f} s in the caller); "
            f"peak {run.peak / 2**20:.0f} MiB resident"
        )
    first, last = runs[arguments.workers[0]], runs[arguments.workers[-1]]
    steady = (first.seconds - first.start) / (last.seconds - last.start)
    same = len({run.digest for run in runs.values()}) == 1
    print(f"ratio {first.seconds / last.seconds:.2f}, {steady:.2f} after the start; same bytes: {same}")


if __name__ == "__main__":
    main()
