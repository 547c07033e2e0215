"""Sample completions from a local model with transformers: batched, seeded, sorted by length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from raif.chat import ChatFormat
from raif.generation.protocol import Completion, Sampling
from raif.model_paths import check_model_path


class LocalModel:
    """A causal language model from a folder or the hub, with its chat format.

    Args:
        path: what `from_pretrained` takes.
    """

    def __init__(self, path: str) -> None:
        check_model_path(path)
        self.tokenizer = AutoTokenizer.from_pretrained(path, padding_side="left")
        self.model = AutoModelForCausalLM.from_pretrained(path).eval()
        if torch.cuda.is_available():
            self.model.to("cuda")
        self.chat = ChatFormat(self.tokenizer)

    def generate(
        self, prompts: Sequence[str], sampling: Sampling, progress: Callable[[int], None] | None = None
    ) -> list[Completion]:
        """Complete rendered prompts, in order; the result depends on the prompts, the sampling and the seed."""
        ids = self.chat.ids(prompts)
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        results: dict[int, Completion] = {}
        with torch.random.fork_rng():
            torch.manual_seed(sampling.seed)
            for start in range(0, len(order), sampling.batch_size):
                batch = order[start : start + sampling.batch_size]
                results |= zip(batch, self._complete([ids[i] for i in batch], sampling), strict=True)
                if progress is not None:
                    progress(len(results))
        return [results[i] for i in range(len(ids))]

    def _complete(self, ids: list[list[int]], sampling: Sampling) -> list[Completion]:
        inputs = self.tokenizer.pad({"input_ids": ids}, return_tensors="pt").to(self.model.device)
        drawn: dict[str, Any] = {"do_sample": False}
        if sampling.temperature > 0:
            drawn = {"do_sample": True, "temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0}
        with torch.inference_mode():
            output = self.model.generate(
                **inputs, max_new_tokens=sampling.cap, pad_token_id=self.tokenizer.pad_token_id, **drawn
            )
        return [self._completion(row[inputs["input_ids"].size(1) :].tolist()) for row in output]

    def _completion(self, ids: list[int]) -> Completion:
        ends = self.eos_token_ids
        length = next((i + 1 for i, token in enumerate(ids) if token in ends), len(ids))
        text = self.tokenizer.decode(ids[:length], skip_special_tokens=True)
        return Completion(text, length, ended=length > 0 and ids[length - 1] in ends)

    @property
    def eos_token_ids(self) -> set[int]:
        """Return every token that ends a completion: the tokenizer's and the generation config's."""
        return end_token_ids(self.tokenizer, self.model)


def end_token_ids(tokenizer: Any, model: Any) -> set[int]:
    """Return the token ids that end a completion."""
    configured = getattr(model.generation_config, "eos_token_id", None)
    ids = configured if isinstance(configured, list) else [configured]
    return {token for token in (*ids, tokenizer.eos_token_id) if token is not None}
