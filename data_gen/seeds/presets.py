"""The columns of well-known data sets, from their cards on the Hugging Face hub."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple


class Preset(NamedTuple):
    """How a known data set is read.

    Fields:
        fields: our field -> column.
        optional: our fields that some editions of the data set lack; a row without them is in good shape.
        exclude: columns that flag a row which is then left out.
        licence: the one that the card states.
    """

    fields: Mapping[str, str] = {}
    answer_kind: Literal["math", "qa", "none"] = "math"
    optional: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    licence: str = ""


PRESETS: dict[str, Preset] = {
    # openai/gsm8k: the answer is a worked solution that ends in `#### number`.
    "gsm8k": Preset({"request": "question", "answer": "answer"}, licence="MIT"),
    # agentica-org/DeepScaleR-Preview-Dataset
    "deepscaler": Preset(
        {"request": "problem", "answer": "answer", "solution": "solution"}, optional=("solution",), licence="MIT"
    ),
    # tatsu-lab/alpaca: the input is what the instruction is about, and often empty.
    "alpaca": Preset(
        {"request": "instruction", "passage": "input", "solution": "output"},
        answer_kind="none",
        optional=("passage", "solution"),
        licence="CC-BY-NC-4.0",
    ),
    # allenai/WildChat-1M; the first edition, allenai/WildChat, has conversation_id in place of the hash.
    "wildchat": Preset(
        {"request": "conversation.0.content", "language": "language", "id": "conversation_hash"},
        answer_kind="none",
        optional=("id",),
        exclude=("toxic", "redacted"),
        licence="ODC-BY-1.0",
    ),
}
