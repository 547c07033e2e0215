"""Draw completions from a local model with transformers, in batches of similar length or by continuous batching.

The random numbers of a completion are its request's own (`raif.generation.drawing`), so it does not depend on the other
requests of its batch beyond rounding. The model's own sampling defaults (those of generation_config.json: temperature,
repetition penalty and the like) are not used: what is drawn is what `Sampling` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, GenerationConfig

from raif.generation.batch import Drawn, Order, draw_batch
from raif.generation.continuous import draw_continuously
from raif.generation.digest import model_digest
from raif.generation.loading import check_context, load_model, load_tokenizer, loading, open_chat
from raif.generation.prompts import cap_of, cut_at_stop, prompt_of, template_identity
from raif.generation.protocol import Arrived, Completion, Request, Sampling
from raif.model_paths import check_model_path
from raif.versions import versions
from rewards.errors import RaifError, unknown_name

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


class LocalModel:
    """A causal language model from a folder or the hub, with its chat format; its weights are loaded when first used.

    Args:
        path: what `from_pretrained` takes.
        dtype: `auto` is bfloat16 on an accelerator and float32 on a CPU.
        device: such as `cuda:1`; `auto` spreads the model over all accelerators; by default the first one, or the CPU.
        attention: an implementation that transformers knows, such as `flash_attention_2`.
        continuous: whether a finished completion makes room for the next one at once, instead of at the end of its
            batch. A resumed run then draws in other company, which may change the last digits of the logits.
        template_kwargs: further arguments of the chat template.
    """

    def __init__(
        self,
        path: str,
        *,
        dtype: str = "auto",
        device: str | None = None,
        attention: str | None = None,
        continuous: bool = False,
        template_kwargs: Mapping[str, Any] | None = None,
    ) -> None:
        check_model_path(path)
        if dtype not in ("auto", *DTYPES):
            raise unknown_name("dtype", dtype, ("auto", *DTYPES), "Choose one of them.")
        self.path, self.attention, self.continuous = path, attention, continuous
        accelerated = torch.cuda.is_available()
        self.device = device or ("cuda" if accelerated else "cpu")
        on_cpu = self.device == "cpu" or not accelerated
        self.dtype = dtype if dtype != "auto" else "float32" if on_cpu else "bfloat16"
        self.tokenizer = load_tokenizer(path, padding_side="left")
        self.chat = open_chat(path, self.tokenizer, template_kwargs)
        self.think = self.chat.probe()

    @cached_property
    def model(self) -> Any:
        """The model, in evaluation mode, without sampling defaults of its own."""
        model = load_model(
            self.path,
            dtype=DTYPES[self.dtype],
            attn_implementation=self.attention,
            device_map="auto" if self.device == "auto" else None,
        ).eval()
        if self.device != "auto":
            model.to(self.device)
        model.generation_config = GenerationConfig(
            eos_token_id=sorted(end_token_ids(self.tokenizer, model)), pad_token_id=self.pad_token_id
        )
        return model

    @property
    def pad_token_id(self) -> int:
        """The token that fills up short rows; any will do, since it is masked."""
        found = self.tokenizer.pad_token_id
        return int(found if found is not None else self.tokenizer.eos_token_id or 0)

    @property
    def eos_token_ids(self) -> set[int]:
        """Return every token that ends a completion: the tokenizer's and the generation config's."""
        return set(self.model.generation_config.eos_token_id)

    def identity(self) -> dict[str, Any]:
        """Return what tells this model and the way it is asked from another."""
        return {"backend": "transformers", **self._identity}

    @cached_property
    def _identity(self) -> dict[str, Any]:
        return {
            **model_identity(self.path),
            **template_identity(self.chat),
            "dtype": self.dtype,
            "attention": self.attention or "default",
            "batching": "continuous" if self.continuous else "static",
            "device": self.device,
            "versions": versions(),
        }

    def lengths(self, texts: Sequence[str]) -> list[int]:
        """Return the tokens of each text."""
        return self.chat.lengths(texts)

    def batches(self, requests: Sequence[Request], sampling: Sampling) -> list[list[int]]:
        """Divide requests into batches of equal stop texts and similar length, the longest first.

        What remains after some of these batches is divided into the others, just as they were.
        """
        lengths = self.lengths([prompt_of(self.chat, request) for request in requests])
        places = [(r.stop, -cap_of(r, sampling), -length) for r, length in zip(requests, lengths, strict=True)]
        order = sorted(range(len(requests)), key=places.__getitem__)
        batches = []
        for stop, run in groupby(order, key=lambda number: requests[number].stop):
            size = 1 if self._flows(stop) else sampling.batch_size
            members = list(run)
            batches += [members[start : start + size] for start in range(0, len(members), size)]
        return batches

    def generate(self, requests: Sequence[Request], sampling: Sampling, arrived: Arrived) -> None:
        """Draw a completion of each request."""
        prompts = self.lengths([prompt_of(self.chat, request) for request in requests])
        check_context(self.path, self.model, prompts, [cap_of(request, sampling) for request in requests])
        try:
            self._generate(requests, sampling, arrived)
        except RuntimeError as error:
            if not _out_of_memory(error):
                raise
            raise RaifError(
                f"no memory for {sampling.batch_size} completions at once on {self.device}; lower --batch-size and "
                "run the same command again, it goes on."
            ) from error

    def _generate(self, requests: Sequence[Request], sampling: Sampling, arrived: Arrived) -> None:
        batches = self.batches(requests, sampling)
        flowing = [batch[0] for batch in batches if self._flows(requests[batch[0]].stop)]

        def flowed(place: int, drawn: Drawn) -> None:
            arrived(flowing[place], self._completion(requests[flowing[place]], drawn))

        if flowing:
            draw_continuously(self.model, self._orders([requests[i] for i in flowing], sampling), sampling, flowed)
        for batch in batches:
            if not self._flows(requests[batch[0]].stop):
                orders = self._orders([requests[number] for number in batch], sampling)
                for number, drawn in zip(batch, draw_batch(self.model, self.tokenizer, orders, sampling), strict=True):
                    arrived(number, self._completion(requests[number], drawn))

    def close(self) -> None:
        """Free the memory of the model."""
        self.__dict__.pop("model", None)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _flows(self, stop: tuple[str, ...]) -> bool:
        """Tell whether a request is drawn continuously; transformers does not end that by stop texts."""
        return self.continuous and not stop

    def _orders(self, requests: Sequence[Request], sampling: Sampling) -> list[Order]:
        prompts = self.chat.ids([prompt_of(self.chat, request) for request in requests])
        return [
            Order(prompt, cap_of(request, sampling), request.key, request.stop)
            for request, prompt in zip(requests, prompts, strict=True)
        ]

    def _completion(self, request: Request, drawn: Drawn) -> Completion:
        whole: str = self.tokenizer.decode(drawn.tokens, skip_special_tokens=True)
        text, stopped = cut_at_stop(whole, request.stop)
        return Completion(text, len(drawn.tokens), drawn.ended or bool(stopped), stopped)


def _out_of_memory(error: RuntimeError) -> bool:
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)


def end_token_ids(tokenizer: Any, model: Any) -> set[int]:
    """Return the token ids that end a completion."""
    configured = getattr(model.generation_config, "eos_token_id", None)
    ids = configured if isinstance(configured, list) else [configured]
    return {token for token in (*ids, tokenizer.eos_token_id) if token is not None}


def model_identity(path: str) -> dict[str, Any]:
    """Return the name of a model with the digest of its folder, or with its revision on the hub."""
    with loading(path, "model"):
        if Path(path).is_dir():
            return {"model": path, "digest": model_digest(path)}
        return {"model": path, "revision": getattr(AutoConfig.from_pretrained(path), "_commit_hash", None)}
