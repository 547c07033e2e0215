"""Load tokenizers and models; what is wrong with a folder or a hub name is told in one message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from raif.chat import ChatFormat
from rewards.errors import RaifError

NAMED = 3  # tensors that an error lists
_ADVICE = "Look into the folder, or copy the whole of it again"
_HUB_ADVICE = "Check the name and the connection, or give a folder"


@contextmanager
def loading(path: str, what: str) -> Iterator[None]:
    """Turn whatever a library raises while it reads a part of a model into one message.

    Raises:
        RaifError: with the first line of the reason.
    """
    try:
        yield
    except RaifError:
        raise
    except Exception as error:  # transformers, tokenizers, safetensors, jinja2 and the hub have errors of their own
        advice = _ADVICE if Path(path).is_dir() else _HUB_ADVICE
        raise RaifError(f"the {what} of {path} cannot be used ({_reason(error)}). {advice}.") from error


def load_tokenizer(path: str, **options: Any) -> Any:
    """Return the tokenizer of a model folder or hub name.

    Raises:
        RaifError: if it cannot be read, or has no end token.
    """
    from transformers import AutoTokenizer

    with loading(path, "tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(path, **options)
    if tokenizer.eos_token_id is None:
        raise RaifError(f"the tokenizer of {path} has no eos_token; set it in tokenizer_config.json.")
    return tokenizer


def open_chat(path: str, tokenizer: Any, template_kwargs: Any) -> ChatFormat:
    """Return the chat format of a tokenizer.

    Raises:
        RaifError: if it has no chat template, or one that renders no prompt.
    """
    if not getattr(tokenizer, "chat_template", None):
        raise RaifError(
            f"the tokenizer of {path} has no chat template; take the instruct version of the model, or save a "
            "chat_template.jinja beside its weights."
        )
    chat = ChatFormat(tokenizer, template_kwargs)
    with loading(path, "chat template"):
        chat.probe()
    return chat


def load_model(path: str, **options: Any) -> Any:
    """Return the causal language model of a folder or hub name.

    Raises:
        RaifError: if it cannot be read, or its weights lack tensors, which would be drawn at random.
    """
    from transformers import AutoModelForCausalLM

    with loading(path, "model"):
        loaded: Any = AutoModelForCausalLM.from_pretrained(path, output_loading_info=True, **options)
    model, found = loaded
    if missing := sorted(found["missing_keys"]):
        raise RaifError(
            f"the weights of {path} lack {len(missing)} tensors of {type(model).__name__} "
            f"({', '.join(missing[:NAMED])}); give a causal language model with all of its weights."
        )
    return model


def check_context(path: str, model: Any, prompts: list[int], caps: list[int]) -> None:
    """Refuse prompts that leave no room for the completion within the positions that a model knows.

    Args:
        prompts: tokens of each prompt.
        caps: most tokens to draw for each.
    """
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if not positions or not prompts:
        return
    length, cap = max(zip(prompts, caps, strict=True), key=sum)
    if length + cap > positions:
        room = positions - length
        advice = f"lower --cap to at most {room}" if room > 0 else "take a model with a longer context"
        raise RaifError(
            f"a prompt of {length} tokens and up to {cap} drawn ones exceed the {positions} positions of {path}; "
            f"{advice}."
        )


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = " ".join(lines[: 2 if lines[0].endswith(":") else 1]) if lines else "no reason given"
    return f"{type(error).__name__}: {reason.rstrip('.')}"
