"""A prompt that is rendered in a chat template already -> its messages, and what a judge is shown of them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from raif.sources.layouts import BadRow

Messages = list[dict[str, str]]
_ROLES = ("system", "user", "assistant")
_BEGIN = re.compile(r"\s*(?:<\|begin_of_text\|>|<｜begin▁of▁sentence｜>)*")
_OPENED = re.compile(r"\s*(?:<think>\s*)?")
_DATES = re.compile(r"Cutting Knowledge Date:[^\n]*\nToday Date:[^\n]*\n*")  # Llama's template writes them itself
_WISH_TO_THINK = re.compile(r".*</(?:think|answer)>[^.。\n]*[.。]?\s*", re.DOTALL)


class Template(NamedTuple):
    """How a chat template marks a turn: `turn` opens it and names its role, `end` closes it."""

    name: str
    turn: re.Pattern[str]
    end: str


TEMPLATES = (
    Template("ChatML", re.compile(r"<\|im_start\|>(\w+)\n"), "<|im_end|>"),
    Template("Llama 3", re.compile(r"<\|start_header_id\|>(\w+)<\|end_header_id\|>\n\n"), "<|eot_id|>"),
    Template("DeepSeek", re.compile(r"<｜(User|Assistant)｜>"), "<｜end▁of▁sentence｜>"),
)


def taken_apart(text: str) -> Messages:
    """Return the messages of a rendered prompt; the opened turn of the assistant at its end is dropped.

    Also an opened `<think>` there is dropped, since the policy's own template says whether to open it. A system turn
    stays, with a wish to think if it has one: it is part of the prompt. Blank turns of the system are dropped.

    Raises:
        BadRow: if the text is of no known template, or an answer has been begun.

    Example:
        >>> taken_apart("<｜begin▁of▁sentence｜>Be kind.<｜User｜>Hi.<｜Assistant｜><think>\\n")
        [{'role': 'system', 'content': 'Be kind.'}, {'role': 'user', 'content': 'Hi.'}]
    """
    text = _BEGIN.sub("", text, count=1)
    template = _template_of(text)
    before, *parts = template.turn.split(text)
    turns = [(role.lower(), content) for role, content in zip(parts[::2], parts[1::2], strict=True)]
    if before.strip():
        if template.name != "DeepSeek":  # which has no mark for the system's turn
            raise _unknown(f"has text before its first {template.name} turn")
        turns.insert(0, ("system", before))
    if turns[-1][0] == "assistant":
        _, opened = turns.pop()
        if _OPENED.fullmatch(opened) is None:
            raise BadRow("an answer is begun", f"ends with the beginning of an answer, {opened[:40]!r}, not a request")
    messages = [{"role": role, "content": _content(role, content, template)} for role, content in turns]
    messages = [message for message in messages if message["role"] != "system" or message["content"].strip()]
    if not messages or messages[-1]["role"] != "user":
        raise BadRow("no request", "does not end with a turn of the user")
    return messages


def shown_to_judge(messages: Sequence[dict[str, str]]) -> str:
    """Return the request as a judge reads it: all turns, the system's without its wish to think.

    A judge sees the answer without thinking, so a wish for `<think>` or `<answer>` tags would seem ignored. It is cut
    off up to the end of the sentence with the last closing tag (as RAIF's `shrink_system_prompt`, which knows one
    wording). Earlier turns stay, unlike there: questions may be about them.

    Example:
        >>> wish = "Reason first: <think> reasons </think><answer> answer </answer>. Speak like a pirate."
        >>> shown_to_judge([{"role": "system", "content": wish}, {"role": "user", "content": "Hi."}])
        'Speak like a pirate.\\n\\nHi.'
    """
    turns = [
        (
            turn["role"],
            _WISH_TO_THINK.sub("", turn["content"], count=1) if turn["role"] == "system" else turn["content"],
        )
        for turn in messages
    ]
    several = any(role == "assistant" for role, _ in turns)
    return "\n\n".join(f"{role.capitalize()}: {text}" if several else text for role, text in turns if text.strip())


def _template_of(text: str) -> Template:
    """Return the template whose mark stands first; those of others may be spoken about."""
    found = [(mark.start(), number) for number, each in enumerate(TEMPLATES) if (mark := each.turn.search(text))]
    if not found:
        raise _unknown("has no turn of a chat template")
    return TEMPLATES[min(found)[1]]


def _content(role: str, content: str, template: Template) -> str:
    if role not in _ROLES:
        raise BadRow(f"a turn of role {role}", f"has a turn of role {role!r}; known: {', '.join(_ROLES)}")
    content, _, rest = content.partition(template.end)
    if rest.strip():
        raise _unknown(f"has text behind the {template.end} of a turn")
    return _DATES.sub("", content, count=1) if role == "system" else content


def _unknown(trouble: str) -> BadRow:
    known = ", ".join(template.name for template in TEMPLATES)
    return BadRow(
        "unknown chat template",
        f"{trouble}; `input` is a prompt rendered by {known}. Give other prompts unrendered, as `prompt`",
    )
