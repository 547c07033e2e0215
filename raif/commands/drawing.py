"""The generator that a command was asked to draw with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from raif.commands.outcome import quiet_loading

if TYPE_CHECKING:
    from raif.generation import Generator


def open_asked(
    backend: str,
    model: str | None,
    batch_size: int,
    *,
    base_url: str | None,
    api_key_env: str | None,
    tokenizer: str | None,
    continuous: bool = False,
) -> Generator:
    """Open a generator as the options of a command say; the command has a progress bar of its own.

    Args:
        batch_size: prompts at once; of a server, requests under way.
    """
    from raif.generation.opening import open_generator
    from raif.generation.served import Limits

    options: dict[str, Any] = {"base_url": base_url, "api_key_env": api_key_env, "tokenizer": tokenizer}
    if continuous:
        options["continuous"] = True
    if backend == "openai":
        options["limits"] = Limits(concurrency=batch_size)
    generator = open_generator(backend, str(model), **options)
    quiet_loading(backend)
    return generator
