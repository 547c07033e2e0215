"""Draw by the continuous batching of transformers: a finished completion makes room for the next one at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import torch
from transformers import ContinuousBatchingConfig, GenerationConfig, LogitsProcessorList
from transformers.generation.continuous_batching.cb_logits_processors import (
    ContinuousBatchingLogitsProcessor,
    ContinuousBatchingLogitsProcessorList,
)
from transformers.generation.continuous_batching.utils import WorkloadHints

from raif.generation.batch import Drawn, Order
from raif.generation.drawing import draw, noise, only
from raif.generation.protocol import Sampling
from rewards.errors import RaifError

_WAIT = 1.0  # seconds between looks at whether the drawing thread still lives


def draw_continuously(
    model: Any, orders: Sequence[Order], sampling: Sampling, arrived: Callable[[int, Drawn], None]
) -> None:
    """Draw orders without stop texts; `arrived` is called with the number of each as it is finished.

    Raises:
        RaifError: if an order cannot be drawn, or the drawing thread dies.
    """
    names = {f"{number}": number for number in range(len(orders))}
    ends = set(model.generation_config.eos_token_id)
    manager = _manager(model, orders, sampling)
    manager.start()
    try:
        for name, number in names.items():
            order = orders[number]
            manager.add_request(order.prompt, request_id=name, max_new_tokens=order.cap, eos_token_id=sorted(ends))
        for _ in orders:
            result = _next(manager)
            if result.error is not None:
                raise RaifError(f"continuous batching failed ({result.error}); lower --batch-size or draw statically.")
            tokens = list(result.generated_tokens)
            arrived(names[result.request_id], Drawn(tokens, bool(tokens) and tokens[-1] in ends))
    finally:
        manager.stop(block=True)
        manager.destroy()


def _manager(model: Any, orders: Sequence[Order], sampling: Sampling) -> Any:
    """Return the manager of one call, sized for its orders, with our draw in the place of its own."""
    longest, prompt = max(order.cap for order in orders), max(len(order.prompt) for order in orders)
    manager = model.init_continuous_batching(
        GenerationConfig(do_sample=False, max_new_tokens=longest, eos_token_id=model.generation_config.eos_token_id),
        _settings(model, sampling.batch_size, prompt + longest),
        WorkloadHints(prompt, longest, len(orders)),
    )
    if sampling.temperature > 0:
        numbers = {
            f"{number}": iter(noise(sampling.seed, order.key, order.cap + 1).tolist())
            for number, order in enumerate(orders)
        }
        manager.logit_processor = ContinuousBatchingLogitsProcessorList(
            LogitsProcessorList([_SeededDraw(numbers, sampling)])
        )
        manager.logit_processor.tensors_required = 1
    return manager


def _settings(model: Any, rows: int, length: int) -> ContinuousBatchingConfig:
    """Return settings for `rows` requests at once; on a CPU the cache would otherwise take most of the memory."""
    # batches one step ahead would count a request's tokens before they are known
    settings = ContinuousBatchingConfig(use_async_batching=False, max_requests_per_batch=rows)
    if model.device.type == "cpu":
        settings.num_blocks = rows * (length // settings.page_size + 1)
        settings.max_batch_tokens = max(settings.page_size, rows)
    return settings


def _next(manager: Any) -> Any:
    while True:
        result = manager.get_result(timeout=_WAIT)
        if result is not None:
            return result
        if not manager.is_running():
            fatal = manager.background_thread_status.fatal_error
            raise RaifError(f"continuous batching has stopped ({fatal}); draw statically, without `continuous`.")


class _SeededDraw(ContinuousBatchingLogitsProcessor):
    """The draw of `raif.generation.batch`, with the random numbers handed over as the argument of each request."""

    supported_kwargs: ClassVar[dict[str, type]] = {}
    ignored_kwargs: tuple[str, ...] = ()

    def __init__(self, numbers: Mapping[str, Iterator[int]], sampling: Sampling) -> None:
        self.numbers, self.sampling = numbers, sampling

    def fill_defaults(self, int32_tensor: torch.Tensor) -> None:
        int32_tensor.fill_(0)

    def prepare_tensor_args(self, requests_with_new_token: list[Any]) -> torch.Tensor:
        """Take the next number of each request that draws a token in this step."""
        taken = [next(self.numbers.get(each.state.request_id, iter(())), 0) for each in requests_with_new_token]
        return torch.tensor(taken, dtype=torch.int32)

    def __call__(self, scores: torch.Tensor, tensor_arg: torch.Tensor) -> torch.Tensor:
        numbers = tensor_arg[: scores.size(0)]
        return only(scores, draw(scores, numbers, self.sampling.temperature, self.sampling.top_p))
