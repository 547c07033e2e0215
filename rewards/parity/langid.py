"""The language label of the official checks: langdetect 1.0.9 with seed 0, as the verdict tables were made."""

from rewards.detector import detect

__all__ = ["detect"]
