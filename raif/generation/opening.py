"""Open a generator by the name of its backend."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from raif.generation.protocol import Generator
from rewards.errors import RaifError, unknown_name

BACKENDS = ("transformers", "vllm", "openai", "replay")


def open_generator(backend: str, model: str, **options: Any) -> Generator:
    """Open a generator; no weights are loaded yet.

    Args:
        backend: `transformers`, `vllm`, `openai` or `replay`.
        model: a model folder or hub name; for `openai` the name the server knows, for `replay` what the stored
            completions are called.
        options: what the backend takes; those that are None count as not given. `transformers`: dtype, device,
            attention, continuous. `vllm`: dtype, devices, memory, context. Both: template_kwargs. `openai`: base_url,
            api_key_env, tokenizer, template_kwargs, limits, extra_body. `replay`: responses, think.

    Raises:
        RaifError: if the backend is unknown, does not take an option, or lacks one.
    """
    if backend not in BACKENDS:
        raise unknown_name("backend", backend, BACKENDS, "Choose one of them.")
    given = {name: value for name, value in options.items() if value is not None}
    kind = _kind(backend)
    parameters = inspect.signature(kind).parameters
    for name in given:
        if name not in parameters:
            known = ", ".join(list(parameters)[1:])
            raise RaifError(f"backend {backend} takes no {name}; it takes: {known}. Remove it or change the backend.")
    for name, parameter in list(parameters.items())[1:]:
        if parameter.default is inspect.Parameter.empty and name not in given:
            raise RaifError(f"backend {backend} needs {name}; give it, for example {_EXAMPLES[name]}.")
    return kind(model, **given)


_EXAMPLES = {
    "base_url": "--base-url http://127.0.0.1:8000/v1",
    "responses": "the folder of a store or its completions.jsonl",
}


def _kind(backend: str) -> Callable[..., Generator]:
    """Import a backend only when it is asked for: torch takes seconds, a server needs none of it."""
    if backend == "transformers":
        from raif.generation.local import LocalModel

        return LocalModel
    if backend == "vllm":
        from raif.generation.vllm import VLLMModel

        return VLLMModel
    if backend == "openai":
        from raif.generation.served import ServedModel

        return ServedModel
    from raif.generation.replay import Replay

    return Replay
