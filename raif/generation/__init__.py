"""Generators: draw completions from a local model, a served one, or a file."""

from raif.generation.protocol import Arrived, Completion, Generator, Request, Sampling

__all__ = ["Arrived", "Completion", "Generator", "Request", "Sampling"]
