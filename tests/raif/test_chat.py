"""What the chat template tells about thinking."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import AutoTokenizer

from raif.chat import ChatFormat
from rewards.think_styles import ThinkStyle

HEAD = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
ASSISTANT = "{% if add_generation_prompt %}<|im_start|>assistant\n"
QWEN3 = "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
TEMPLATES: tuple[tuple[str, ThinkStyle, bool, str], ...] = (
    (HEAD + ASSISTANT + QWEN3, "think", False, "assistant\n<think>\n\n</think>\n\n"),
    (HEAD + ASSISTANT + "<think>\n{% endif %}", "think", True, "assistant\n<think>\n\n</think>\n\n"),
    (HEAD + ASSISTANT + "<think>\n\n</think>\n\n{% endif %}", "none", False, ""),
    (HEAD + "{% if add_generation_prompt %}<|start|>assistant{# <|channel|> #}{% endif %}", "channels", False, ""),
    (HEAD + ASSISTANT + "{% endif %}", "think", False, "assistant\n<think>\n\n</think>\n\n"),
)


@pytest.mark.parametrize(("template", "style", "prefilled", "direct"), TEMPLATES)
def test_probe(policy: Path, template: str, style: ThinkStyle, prefilled: bool, direct: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(policy)
    tokenizer.chat_template = template
    chat = ChatFormat(tokenizer)
    assert chat.probe() == (style, prefilled)
    assert chat.probe("think_answer") == ("think_answer", prefilled)
    prompt = chat.direct_prompt([{"role": "user", "content": "?"}])
    if style == "channels":
        assert prompt.endswith("assistant<|channel|>final<|message|>")
    elif direct:
        assert prompt.endswith(direct)
