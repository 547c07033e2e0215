"""What a served model says: one completion read, what went wrong, and a folder that remembers replies."""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from pathlib import Path
from secrets import token_hex
from typing import Any, Literal, NamedTuple

from rewards.errors import RaifError
from rewards.judge.replies import shorten
from rewards.response import Response

_TRANSIENT = frozenset({408, 409, 425, 429})
_HOPELESS = frozenset({401, 403, 404})  # the key, the permission, the address or the model's name: no request will do


class ChatReply(NamedTuple):
    """What a model replied.

    Fields:
        text: the answer, byte-exact, without thinking; None where there is none, and then `error` says why. The
            error is `budget` where the request was not sent because the budget was spent.
        reasoning: the thinking, whether the server sends it apart or in think tags before the answer.
        completion_tokens: of both together, as the server counts them.
        finish_reason: the server's; `length` where the tokens ran out.
        cached: the reply was remembered and has cost nothing.
    """

    text: str | None
    error: str = ""
    reasoning: str = ""
    completion_tokens: int = 0
    finish_reason: str = ""
    cached: bool = False


class Outcome(NamedTuple):
    """The end of one attempt.

    Fields:
        kind: `failed` and `unreachable` are worth another attempt; `refused` is not, for this request; `rejected` is
            not, for any request.
        wait: seconds that the server asks to wait before the next attempt.
    """

    reply: ChatReply
    kind: Literal["answered", "failed", "unreachable", "refused", "rejected", "budget"]
    wait: float | None = None
    prompt_tokens: int = 0


def read_completion(body: Any) -> Outcome:
    """Read a chat completion.

    Example:
        >>> said = {"content": "<think>hm</think>Yes."}
        >>> read_completion({"choices": [{"message": said, "finish_reason": "stop"}]}).reply
        ChatReply(text='Yes.', error='', reasoning='hm', completion_tokens=0, finish_reason='stop', cached=False)
    """
    try:
        body = json.loads(body) if isinstance(body, str) else body  # a server that does not call its JSON so
        choice = body["choices"][0]
        message = choice["message"]
        divided = Response.split(str(message.get("content") or ""), prefilled=False)
        apart = message.get("reasoning_content") or message.get("reasoning") or ""
        usage = body.get("usage") or {}
        tokens = {name: int(usage.get(f"{name}_tokens") or 0) for name in ("prompt", "completion")}
        finish = str(choice.get("finish_reason") or "")
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        problem = f"the reply is no chat completion: {shorten(repr(body))}"
        return Outcome(ChatReply(None, problem), "failed")
    reasoning = "\n".join(part for part in (str(apart), divided.thinking) if part)
    error = "" if divided.answer.strip() else f"the reply holds no answer (finish reason {finish or 'none'})"
    text = divided.answer if not error else None
    reply = ChatReply(text, error, reasoning, tokens["completion"], finish)
    return Outcome(reply, "answered", prompt_tokens=tokens["prompt"])


def read_failure(openai: Any, error: Exception) -> Outcome:
    """Say what an exception of the client library means."""
    if isinstance(error, openai.APIStatusError):
        code = error.status_code
        reply = ChatReply(None, f"HTTP {code}: {shorten(error.response.text)}")
        if code in _TRANSIENT or code >= 500:
            return Outcome(reply, "failed", _seconds(error.response.headers.get("retry-after")))
        return Outcome(reply, "rejected" if code in _HOPELESS else "refused")
    if isinstance(error, openai.APIConnectionError):
        cause = error.__cause__ or error
        return Outcome(ChatReply(None, f"no connection: {type(cause).__name__} {cause}".strip()), "unreachable")
    return Outcome(ChatReply(None, f"the reply is no JSON: {shorten(repr(error))}"), "failed")


def _seconds(header: str | None) -> float | None:
    try:
        seconds = float(header or "")
    except ValueError:  # a date, which is rare, or no header
        return None
    return seconds if 0 <= seconds < float("inf") else None


class ReplyCache:
    """Replies by key: a folder of JSON Lines, one file for each process that writes.

    A line is written at once and counts only when it is whole, so a killed process loses no more than the line it was
    in. Only the places of the lines are held in memory.

    Args:
        folder: made when the first reply is put.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> folder = TemporaryDirectory()
        >>> ReplyCache(folder.name).put("key", ChatReply("Yes.", finish_reason="stop"))
        >>> ReplyCache(folder.name).get("key").text
        'Yes.'
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._places: dict[str, tuple[str, int]] = {}
        self._offsets: dict[str, int] = {}
        self._own: Path | None = None
        self._process = 0
        try:
            self.refresh()
        except OSError as error:
            raise RaifError(f"the cache {folder} of a served model cannot be read ({error}); name a folder.") from error

    def get(self, key: str) -> ChatReply | None:
        """Return the reply of a key, if it is known."""
        place = self._places.get(key)
        if place is None:
            return None
        with (self.folder / place[0]).open("rb") as file:
            file.seek(place[1])
            return ChatReply(**json.loads(file.readline())["reply"])

    def put(self, key: str, reply: ChatReply) -> None:
        """Remember a reply."""
        line = json.dumps({"key": key, "reply": reply._replace(cached=False)._asdict()}).encode() + b"\n"
        path = self._file()
        with path.open("ab", buffering=0) as file:
            begin = file.tell()
            if file.write(line) < len(line):
                raise OSError(f"{path} is full")
        self._places[key] = (path.name, begin)

    def refresh(self) -> None:
        """Read what other processes have written since the last time."""
        with suppress(FileNotFoundError):
            entries = sorted(os.scandir(self.folder), key=lambda entry: entry.name)
            for entry in entries:
                if entry.name.endswith(".jsonl") and entry.stat().st_size > self._offsets.get(entry.name, 0):
                    self._read(Path(entry.path))

    def _read(self, path: Path) -> None:
        place = self._offsets.get(path.name, 0)
        with path.open("rb") as file:
            file.seek(place)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                with suppress(ValueError, KeyError, TypeError):  # not a line of ours
                    record = json.loads(line)
                    ChatReply(**record["reply"])
                    self._places[record["key"]] = (path.name, place)
                place += len(line)
        self._offsets[path.name] = place

    def _file(self) -> Path:
        """Return the file that this process alone appends to; a forked child takes one of its own."""
        if self._own is None or self._process != os.getpid():
            self._process = os.getpid()
            self.folder.mkdir(parents=True, exist_ok=True)
            self._own = self.folder / f"{socket.gethostname()}-{self._process}-{token_hex(4)}.jsonl"
        return self._own
