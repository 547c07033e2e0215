"""The parity profile: the verdicts of the official checkers, bug for bug, stamped with the version they reproduce.

Use it to compare with published numbers. For rewards use the strict profile (`rewards.constraints`): training on
parity verdicts teaches their bugs.
"""

from __future__ import annotations

from importlib import import_module

from rewards.errors import unknown_name
from rewards.parity.suite import Suite

SUITES = ("ifeval", "ifbench", "iftrain", "mathif")


def suite(name: str) -> Suite:
    """Return the checks of one official code base.

    Example:
        >>> suite("ifeval").version
        'google-research IFEval as in allenai/IFBench@db69a6f'
        >>> len(suite("ifbench").checks)
        58
    """
    if name not in SUITES:
        raise unknown_name("suite", name, SUITES, f"Known suites: {', '.join(SUITES)}.")
    found: Suite = import_module(f"rewards.parity.{name}").SUITE
    return found
