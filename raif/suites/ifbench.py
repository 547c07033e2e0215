"""IFBench (Pyatkin et al. 2025): 58 instructions unlike those of IFEval, judged by the same protocol."""

from __future__ import annotations

from raif.suites.ifeval import IFEval


def make(protocol: str = "google", ceiling: str = "") -> IFBench:
    """Return the suite; its options are those of `IFEval`."""
    return IFBench(protocol, ceiling)


class IFBench(IFEval):
    """The IFBench benchmark; its headline is the prompt-level loose accuracy."""

    name = "ifbench"
    home = "allenai/IFBench_test"
