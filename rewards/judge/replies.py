"""Read a verdict from a server's reply: token probabilities, one word, or a typed decision. Nothing is guessed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from typing import Any

from rewards.judge.opinions import Reading, Reply
from rewards.judge.prompts import Prompt

SHOWN = 160  # characters of a reply that a reason quotes
MINIMUM_MASS = 0.5  # below this share, the first token of the reply is not the verdict
YES, NO = frozenset({"yes", "是", "是的"}), frozenset({"no", "否", "不是"})
_WORD = r"yes|no|是的?|否|不是"
_VERDICT = re.compile(
    rf"[\s*_\"'`“”‘’「」【\[(（]*({_WORD})(?!\w|[-'’]\w)(?!\s*(?:[/|]|or\b|and\b|或|还是)\W*(?:{_WORD})(?!\w))"
    rf"(?!\W+(?!\1(?!\w))(?:{_WORD})\W*\Z)",  # "yes; no" is no verdict
    re.IGNORECASE,
)
_END_OF_THINKING = "</think>"
_NAME = "verdict"


def read_word(text: str) -> bool | None:
    """Return the verdict that a reply begins with; None unless its first word is one, alone.

    Example:
        >>> [read_word(text) for text in ("Yes, no comma.", "**NO**", "是的。")]
        [True, False, True]
        >>> [read_word(text) for text in ("maybe yes", "YES/NO", "YES. No.", "是否", "Nope")]
        [None, None, None, None, None]
    """
    match = _VERDICT.match(text.rpartition(_END_OF_THINKING)[2])
    return None if match is None else match[1].lower() in YES


def read_tokens(tokens: Iterable[Any]) -> tuple[float | None, str]:
    """Return the probability of yes among yes and no at the first token with a letter, and that token.

    The probability is None when yes and no hold less than half of the probability there.

    Example:
        >>> likely = [{"token": "Yes", "logprob": math.log(0.6)}, {"token": " no", "logprob": math.log(0.2)}]
        >>> probability, token = read_tokens([{"token": "Yes", "top_logprobs": likely}])
        >>> round(probability, 3), token
        (0.75, 'Yes')
    """
    for position in tokens:
        token = str(position["token"])
        if _plain(token):
            masses = [(_plain(item["token"]), math.exp(item["logprob"])) for item in position["top_logprobs"]]
            yes = math.fsum(mass for word, mass in masses if word in YES)
            both = yes + math.fsum(mass for word, mass in masses if word in NO)
            return (yes / both if both >= MINIMUM_MASS else None), token
    return None, ""


def _plain(token: str) -> str:
    return token.strip(" \t\r\n*_\"'`“”").lower()


def read_chat(body: Any, mode: str) -> tuple[Reply, bool]:
    """Read a chat completion; also tell whether it carried token probabilities."""
    try:
        choice = body["choices"][0]
        text = str(choice["message"].get("content") or "")
        tokens = (choice.get("logprobs") or {}).get("content") or []
        given = any(position.get("top_logprobs") for position in tokens)
        probability, token = read_tokens(tokens) if given else (None, "")
        finish = str(choice.get("finish_reason"))
    except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError):
        return garbage(body, "chat completion"), False
    if probability is not None and math.isfinite(probability) and mode != "text":
        return Reply(Reading(probability, None, token)), given
    if mode == "probabilities":
        return _no_probability(given, token), given
    word = read_word(text)
    if word is not None:
        return Reply(Reading(None, word, shorten(text.strip(), 40))), given
    return Reply(None, "unparsed", _unparsed(text, finish)), given


def decision_request(prompt: Prompt) -> dict[str, Any]:
    """Return the state and the one yes/no question of a typed decision, as transformers spells them."""
    return {"state": prompt.context, "questions": {_NAME: {"type": "noul", "instructions": prompt.question}}}


def read_decision(body: Any) -> Reply:
    """Read the answer of a typed yes/no decision: the probability of yes."""
    try:
        probability = float(body["answers"][_NAME]["noul"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return garbage(body, "typed decision")
    if not 0.0 <= probability <= 1.0:  # also true of NaN
        return garbage(body, "typed decision")
    return Reply(Reading(probability, None))


def garbage(body: Any, wanted: str) -> Reply:
    """Return the failure of a reply that is not what was asked for."""
    return Reply(None, "failed", f"the reply is no {wanted}: {shorten(repr(body))}", transient=True)


def _no_probability(given: bool, token: str) -> Reply:
    if given:
        return Reply(None, "unparsed", f"the reply begins with {token!r}, which is neither yes nor no")
    return Reply(None, "failed", "the server returned no token probabilities; use mode auto, text or decision")


def _unparsed(text: str, finish: str) -> str:
    if not text.strip():
        return f"the reply is empty (finish reason {finish})"
    if finish == "length" and "<think>" in text and _END_OF_THINKING not in text:
        return "the judge was still thinking when its tokens ran out; switch thinking off in extra_body"
    return f"the reply begins with neither yes nor no: {shorten(repr(text))}"


def shorten(text: str, limit: int = SHOWN) -> str:
    """Return the beginning of a text that a reason quotes."""
    return text if len(text) <= limit else f"{text[:limit]}..."
