"""Benchmarks: each is a suite that loads items, judges outputs and summarises them."""

from __future__ import annotations

from importlib import import_module

from raif.suites.protocol import Suite
from rewards.errors import unknown_name

SUITES = ("mathif", "ifeval", "ifbench", "instructions")


def suite(name: str, **options: str) -> Suite:
    """Return a suite by its name; `options` are its own, such as the protocol of IFEval."""
    if name not in SUITES:
        raise unknown_name("suite", name, SUITES, f"Known suites: {', '.join(SUITES)}.")
    made: Suite = import_module(f"raif.suites.{name}").make(**options)
    return made
