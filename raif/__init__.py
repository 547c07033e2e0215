"""RAIF: RL training of instruction-aware reasoners. Importing this package loads no torch."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from raif._siblings import check_siblings

__version__ = "0.1.0"

check_siblings()

if TYPE_CHECKING:
    from raif.config import RAIFConfig
    from raif.trainer import RAIFTrainer
    from rewards import Instruction, Scorer

_LAZY = {
    "Instruction": "rewards",
    "Scorer": "rewards",
    "RAIFConfig": "raif.config",
    "RAIFTrainer": "raif.trainer",
}
__all__ = ["Instruction", "RAIFConfig", "RAIFTrainer", "Scorer", "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'raif' has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)
