"""Benchmarks that ask questions about an answer: one item form, one evaluator, an adapter for each."""

from __future__ import annotations

from importlib import import_module

from raif.benchmarks.protocol import Benchmark
from rewards.errors import RaifError, unknown_name

BENCHMARKS = ("complexbench", "followbench", "cfbench", "fbbench", "infobench", "cello")


def benchmark(name: str) -> Benchmark:
    """Return a benchmark by its name; one of your own by the path of a module whose `make()` returns it.

    Raises:
        RaifError: if there is none of this name.
    """
    if "." in name:
        return _own(name)
    if name not in BENCHMARKS:
        raise unknown_name("benchmark", name, BENCHMARKS, "Choose one of them, or name a module of your own.")
    made: Benchmark = import_module(f"raif.benchmarks.{name}").make()
    return made


def _own(path: str) -> Benchmark:
    try:
        made = import_module(path).make()
    except (ImportError, AttributeError) as error:
        raise RaifError(
            f"no benchmark in module {path!r} ({error}); it must be importable and have `make()`."
        ) from error
    if not isinstance(made, Benchmark):
        raise RaifError(f"{path}.make() returns {type(made).__name__}; expected a raif.benchmarks.protocol.Benchmark.")
    return made
