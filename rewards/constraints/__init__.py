"""The constraint families; importing this package registers every type."""

from rewards.constraints import affix, case, keywords, language, layout, length, punctuation

__all__ = ["affix", "case", "keywords", "language", "layout", "length", "punctuation"]
