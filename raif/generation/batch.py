"""Draw one batch with `model.generate`: each row by its own random numbers, to its own cap, up to its stop texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
    StopStringCriteria,
)

from raif.generation.drawing import draw, noise_table, only
from raif.generation.protocol import Sampling


class Order(NamedTuple):
    """What is drawn: prompt tokens, most tokens to draw, the request's key (it seeds the draw), stop texts."""

    prompt: list[int]
    cap: int
    key: str
    stop: tuple[str, ...] = ()


class Drawn(NamedTuple):
    """Drawn tokens, the end token included; `ended` is False when the cap cut them off."""

    tokens: list[int]
    ended: bool


def draw_batch(model: Any, tokenizer: Any, orders: Sequence[Order], sampling: Sampling) -> list[Drawn]:
    """Draw a batch; all of its orders have the same stop texts."""
    ids, mask = _pad_left([order.prompt for order in orders], model.generation_config.pad_token_id)
    ids, mask = ids.to(model.device), mask.to(model.device)
    width, cap = ids.size(1), max(order.cap for order in orders)
    processors = LogitsProcessorList()
    if sampling.temperature > 0:
        numbers = noise_table(sampling.seed, [order.key for order in orders], cap)
        processors.append(_SeededDraw(numbers.to(model.device), width, sampling))
    stop = list(orders[0].stop)
    ends = _Ends(
        width,
        torch.tensor([order.cap for order in orders], device=model.device),
        torch.tensor(model.generation_config.eos_token_id, device=model.device),
        StopStringCriteria(tokenizer, stop) if stop else None,
    )
    with torch.inference_mode():
        output = model.generate(
            input_ids=ids,
            attention_mask=mask,
            generation_config=GenerationConfig(do_sample=False, max_new_tokens=cap),
            logits_processor=processors,
            stopping_criteria=StoppingCriteriaList([ends]),
        )
    rows, lengths, ended = output[:, width:].tolist(), ends.lengths.tolist(), ends.ended.tolist()
    return [Drawn(row[:length], end) for row, length, end in zip(rows, lengths, ended, strict=True)]


class _SeededDraw(LogitsProcessor):
    """Leave to the greedy choice one token a row: the one that the row's random number of this step draws."""

    def __init__(self, numbers: torch.Tensor, width: int, sampling: Sampling) -> None:
        self.numbers, self.width, self.sampling = numbers, width, sampling

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        step = self.numbers[:, input_ids.size(1) - self.width].to(scores.device)
        return only(scores, draw(scores, step, self.sampling.temperature, self.sampling.top_p))


class _Ends(StoppingCriteria):
    """Note at which length each row ended, and whether by itself or at its cap."""

    def __init__(self, width: int, caps: torch.Tensor, ends: torch.Tensor, stops: StopStringCriteria | None) -> None:
        self.width, self.caps, self.end_ids, self.stops = width, caps, ends, stops
        self.lengths, self.ended = torch.zeros_like(caps), torch.zeros_like(caps, dtype=torch.bool)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor, **kwargs: Any) -> torch.Tensor:
        drawn = input_ids[:, self.width :].to(self.caps.device)  # a stop text that begins in the prompt is none
        ended = torch.isin(drawn[:, -1], self.end_ids)
        if self.stops is not None:
            ended = ended | self.stops(drawn, scores)
        fresh = (self.lengths == 0) & (ended | (drawn.size(1) >= self.caps))
        self.lengths = torch.where(fresh, drawn.size(1), self.lengths)
        self.ended = self.ended | (fresh & ended)
        return (self.lengths > 0).to(input_ids.device)


def _pad_left(rows: Sequence[list[int]], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return token ids and attention mask, [row, token], each row flush right."""
    width = max(map(len, rows))
    ids = torch.tensor([[pad] * (width - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
    return ids, mask
