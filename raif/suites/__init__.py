"""Benchmarks: each is a suite that loads items, judges outputs and summarises them."""

from __future__ import annotations

from importlib import import_module
from inspect import signature

from raif.suites.protocol import Suite
from rewards.errors import RaifError, unknown_name

SUITES = ("mathif", "ifeval", "ifbench", "instructions")


def suite(name: str, **options: str) -> Suite:
    """Return a suite by its name; `options` are its own, such as the protocol of IFEval."""
    if name not in SUITES:
        raise unknown_name("suite", name, SUITES, "Choose one of them.")
    make = import_module(f"raif.suites.{name}").make
    for option in options:
        if option not in signature(make).parameters:
            raise RaifError(f"suite {name} takes no --{option}; leave it out.")
    made: Suite = make(**options)
    return made
