"""Fixtures of this folder."""

from tests.support import policy

__all__ = ["policy"]
