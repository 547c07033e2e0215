"""What every generator does with a request before it draws: the text of its prompt, and a seed of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from raif.chat import ChatFormat
from raif.generation.protocol import Request, Sampling

SEED_BITS = 31


def prompt_of(chat: ChatFormat, request: Request) -> str:
    """Return the rendered prompt of a request, its prefix included."""
    render = chat.thinking_prompt if request.think else chat.direct_prompt
    return render(request.messages) + request.prefix


def cap_of(request: Request, sampling: Sampling) -> int:
    """Return the most tokens that may be drawn for a request."""
    return sampling.cap if request.cap is None else request.cap


def request_seed(seed: int, key: str) -> int:
    """Return the seed of one request: a hash of the run's seed and the request's key, equal on every machine.

    The cap is no part of it: under a larger cap the same completion goes on.

    Example:
        >>> request_seed(0, "a|0"), request_seed(0, "a|1"), request_seed(1, "a|0")
        (1957533371, 107702800, 458975553)
    """
    digest = hashlib.sha256(f"{seed}/{key}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - SEED_BITS)


def cut_at_stop(text: str, stops: Sequence[str]) -> tuple[str, str]:
    """Return the text before the first stop text in it, and that stop text; of two at one place the longer one.

    Example:
        >>> cut_at_stop("so.</think>Yes", ["</think>", "."])
        ('so', '.')
    """
    found = [(text.find(stop), -len(stop), stop) for stop in stops if stop in text]
    if not found:
        return text, ""
    place, _, stop = min(found)
    return text[:place], stop


def template_identity(chat: ChatFormat) -> dict[str, Any]:
    """Return the digest of a chat template, and the arguments it is rendered with."""
    template = str(getattr(chat.tokenizer, "chat_template", None) or "")
    return {
        "chat_template": hashlib.sha256(template.encode()).hexdigest()[:16],
        "template_kwargs": chat.template_kwargs,
    }
