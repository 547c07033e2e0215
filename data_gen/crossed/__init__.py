"""MathIF: witnesses for its rows, and sets like it that cross every problem with zero to three constraints."""

from data_gen.crossed.benchmark import BenchmarkTask, read_tasks, witness_file
from data_gen.crossed.making import make_crossed
from data_gen.crossed.verdicts import Demand, Task, Verdicts, verdicts_on
from data_gen.crossed.witnesses import Witness, find_witness

__all__ = [
    "BenchmarkTask",
    "Demand",
    "Task",
    "Verdicts",
    "Witness",
    "find_witness",
    "make_crossed",
    "read_tasks",
    "verdicts_on",
    "witness_file",
]
