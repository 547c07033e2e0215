"""Prompt text -> the constraints that it states, so that a prompt can be shown to say all that is demanded, no more.

What is known of a prompt here is its text and language. Every wording of every type is a pattern; what fits is read as
a constraint, said again in the same wording, and kept if that gives the very same text.
"""

from __future__ import annotations

from data_gen.recover.comparison import Comparison, compare, recovered_exactly
from data_gen.recover.parser import Recovered, recover

__all__ = ["Comparison", "Recovered", "compare", "recover", "recovered_exactly"]
