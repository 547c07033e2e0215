"""Make instructions with one process and with more; print rows a second, the ratio and the peak memory.

    python tests/benchmarks/synthesis.py [--config recipes/data/default.yaml] [--rows 20000] [--workers 1 2]

Every row has a witness that the verifiers accepted. Peak memory is the resident memory of all processes together,
looked at five times a second. Processor seconds are given too: on a machine that others use, they say more than the
clock. The start of the processes is left out of `steady`, as it does not grow with the rows.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import resource
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

import psutil

from data_gen.config import DataConfig, load_yaml, parse_config
from data_gen.pipeline import make_dataset

REPOSITORY = Path(__file__).resolve().parents[2]


class Run(NamedTuple):
    """One measurement: seconds by the clock, until the first rows came, and of all processors; peak bytes; the data."""

    seconds: float
    start: float
    processor: float
    peak: int
    digest: str


class Watch(threading.Thread):
    """Looks at the resident memory of this process and all below it until it is stopped."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak, self.ended = 0, threading.Event()

    def run(self) -> None:
        this = psutil.Process()
        while not self.ended.wait(0.2):
            self.peak = max(self.peak, sum(map(resident, [this, *this.children(recursive=True)])))


def resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def processor_seconds() -> float:
    """Return the time of this process and of its children that ended."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def measure(config: DataConfig, workers: int) -> Run:
    """Make the rows once."""
    came: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        watch, used, begin = Watch(), processor_seconds(), time.perf_counter()
        watch.start()
        make_dataset(
            config,
            name,
            workers=workers,
            progress=lambda _, done: came.append(time.perf_counter()) if done else None,
        )
        seconds, processor = time.perf_counter() - begin, processor_seconds() - used
        watch.ended.set()
        watch.join()
        digest = hashlib.sha256((Path(name) / "manifest.json").read_bytes()).hexdigest()
    return Run(seconds, came[0] - begin, processor, watch.peak, digest)


def run_apart(config: DataConfig, workers: int) -> Run:
    """Measure in a process of its own, so that no run finds what an earlier one has loaded."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, (config, workers))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", type=Path, default=REPOSITORY / "recipes" / "data" / "default.yaml")
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    content = {**load_yaml(arguments.config), "counts": {"train": arguments.rows}, "warm_start": None}
    config = parse_config(content, str(arguments.config))
    runs = {workers: run_apart(config, workers) for workers in arguments.workers}
    for workers, run in runs.items():
        print(
            f"{workers} workers: {arguments.rows / run.seconds:6.0f} rows/s; {run.seconds:.1f} s by the clock "
            f"({run.start:.1f} s to start), {run.processor:.1f} s of processors, "
            f"{arguments.rows / run.processor:.0f} rows per processor second; peak {run.peak / 2**20:.0f} MiB resident"
        )
    first, last = runs[arguments.workers[0]], runs[arguments.workers[-1]]
    steady = (first.seconds - first.start) / (last.seconds - last.start)
    same = len({run.digest for run in runs.values()}) == 1
    print(f"ratio {first.seconds / last.seconds:.2f}, steady {steady:.2f}; same bytes: {same}")


if __name__ == "__main__":
    main()
