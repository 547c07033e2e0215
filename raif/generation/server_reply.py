"""Read what an OpenAI-compatible server replies: a chat completion or a text completion."""

from __future__ import annotations

import json
from typing import Any, Literal, NamedTuple

from rewards.judge.replies import shorten
from rewards.think_styles import CLOSE, OPEN

_ENDED = frozenset({"stop", "eos_token", "stop_sequence"})
_STOP_FIELDS = ("stop_reason", "matched_stop")  # vLLM and SGLang; a number or null stands for the end token


class BadReply(Exception):
    """A reply that is no completion; `failed` is worth another attempt, `refused` is not."""

    def __init__(self, reason: str, kind: Literal["failed", "refused"]) -> None:
        super().__init__(reason)
        self.kind = kind


class Reply(NamedTuple):
    """A completion as a server reports it.

    `tokens` is None where it reports no usage; `stopped` is the stop text that ended it, empty for none, and None where
    the server does not say.
    """

    text: str
    ended: bool
    tokens: int | None
    stopped: str | None


def read_reply(body: Any) -> Reply:
    """Read a reply; thinking that the server sends apart is put back before the answer.

    Example:
        >>> said = {"reasoning_content": "hm", "content": "Yes."}
        >>> read_reply({"choices": [{"message": said, "finish_reason": "stop"}], "usage": {"completion_tokens": 4}})
        Reply(text='<think>hm</think>Yes.', ended=True, tokens=4, stopped=None)
        >>> read_reply({"choices": [{"text": "hm", "finish_reason": "stop", "stop_reason": "</think>"}]}).stopped
        '</think>'
    """
    try:
        body = json.loads(body) if isinstance(body, str) else body  # a server that does not call its JSON so
        choice = body["choices"][0]
        finish = choice.get("finish_reason")
        text = choice["text"] if "text" in choice else _chat_text(choice["message"], finish == "length")
        counted = (body.get("usage") or {}).get("completion_tokens")
        tokens = None if counted is None else int(counted)
        if not isinstance(text, str) or (tokens or 0) < 0:
            raise ValueError
        stopped = _stopped(choice)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        raise BadReply(f"the reply is no completion: {shorten(repr(body))}", "failed") from None
    if finish != "length" and finish not in _ENDED:
        raise BadReply(f"the completion ended for the reason {finish!r}", "refused")
    return Reply(whole_characters(text), finish != "length", tokens, stopped)


def _chat_text(message: Any, cut: bool) -> str:
    content = message.get("content") or ""
    if not isinstance(content, str):
        raise TypeError
    thinking = message.get("reasoning_content") or message.get("reasoning")
    if thinking:
        return f"{OPEN}{thinking}" if cut and not content else f"{OPEN}{thinking}{CLOSE}{content}"
    before, closed, _ = content.partition(CLOSE)
    return OPEN + content if closed and OPEN not in before else content  # the template had opened the thinking


def _stopped(choice: Any) -> str | None:
    for name in _STOP_FIELDS:
        if name in choice:
            return choice[name] if isinstance(choice[name], str) else ""
    return None


def whole_characters(text: str) -> str:
    """Replace half characters, which JSON can express and no file can hold."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
