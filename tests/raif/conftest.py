"""Fixtures of this folder."""

from tests.support import make_trainer, policy

__all__ = ["make_trainer", "policy"]
