"""Draw completions with vLLM in this process; it batches by itself, and each request has a seed of its own."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from raif.generation.loading import load_tokenizer, loading, open_chat
from raif.generation.local import model_identity
from raif.generation.prompts import cap_of, prompt_of, request_seed, template_identity
from raif.generation.protocol import Arrived, Completion, Request, Sampling
from raif.model_paths import check_model_path
from raif.versions import versions
from rewards.errors import RaifError

CHUNK = 256  # requests handed over at once; what was drawn is kept after each chunk


class VLLMModel:
    """A causal language model that vLLM serves in this process; it is loaded when first used.

    Args:
        path: model folder or hub name.
        dtype: as vLLM names it; `auto` is that of the checkpoint.
        devices: accelerators that share the model (`tensor_parallel_size`).
        memory: share of the accelerator's memory that vLLM may take.
        context: longest prompt and completion together, in tokens; by default the model's own.
        template_kwargs: further arguments of the chat template.
    """

    def __init__(
        self,
        path: str,
        *,
        dtype: str = "auto",
        devices: int = 1,
        memory: float = 0.9,
        context: int | None = None,
        template_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        check_model_path(path)
        self.library = load_vllm()
        self.path = path
        self.chat = open_chat(path, load_tokenizer(path), template_kwargs)
        self.think = self.chat.probe()
        self.options = {"dtype": dtype, "tensor_parallel_size": devices, "gpu_memory_utilization": memory}
        if context is not None:
            self.options["max_model_len"] = context
        self._engine: Any = None

    def identity(self) -> dict[str, Any]:
        """Return what tells this model and the way it is asked from another."""
        return {
            "backend": "vllm",
            **model_identity(self.path),
            **template_identity(self.chat),
            "dtype": self.options["dtype"],
            "versions": {**versions(), "vllm": version("vllm")},
        }

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text."""
        return self.chat.lengths(texts)

    def generate(self, requests: Sequence[Request], sampling: Sampling, arrived: Arrived) -> None:
        """Draw a completion of each request."""
        if self._engine is None:
            # the sampling defaults of the model's folder are not used
            with loading(self.path, "model"):
                self._engine = self.library.LLM(model=self.path, generation_config="vllm", **self.options)
        for start in range(0, len(requests), CHUNK):
            part = requests[start : start + CHUNK]
            prompts = self.chat.ids([prompt_of(self.chat, request) for request in part])
            outputs = self._engine.generate(
                [{"prompt_token_ids": ids} for ids in prompts],
                [self.library.SamplingParams(**sampling_arguments(request, sampling)) for request in part],
                use_tqdm=False,
            )
            for number, output in enumerate(outputs, start):
                arrived(number, read_output(output.outputs[0]))

    def close(self) -> None:
        """Free the memory of the model."""
        self._engine = None
        gc.collect()


def load_vllm() -> Any:
    """Import vLLM."""
    try:
        return importlib.import_module("vllm")
    except ImportError as error:
        raise RaifError(
            "backend vllm needs the package vllm and an accelerator; install it with: pip install 'raif[vllm]', "
            "or choose --backend transformers."
        ) from error


def sampling_arguments(request: Request, sampling: Sampling) -> dict[str, Any]:
    """Return the arguments of vLLM's SamplingParams for one request.

    Example:
        >>> sampling_arguments(Request("a|0", [], stop=("Wait",)), Sampling(cap=64, top_p=0.95))
        {'max_tokens': 64, 'temperature': 1.0, 'top_p': 0.95, 'seed': 1957533371, 'stop': ['Wait']}
    """
    return {
        "max_tokens": cap_of(request, sampling),
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": request_seed(sampling.seed, request.key),
        "stop": list(request.stop),
    }


def read_output(output: Any) -> Completion:
    """Return a completion of vLLM (its `CompletionOutput`); a `stop_reason` that is a number is an end token."""
    stopped = output.stop_reason if isinstance(output.stop_reason, str) else ""
    return Completion(output.text, len(output.token_ids), output.finish_reason == "stop", stopped)
