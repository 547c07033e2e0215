"""Ask an OpenAI-compatible server: bounded concurrency, one layer of retries, a failure instead of an exception."""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

from rewards.errors import RaifError
from rewards.judge.opinions import JudgeConfig, Reply
from rewards.judge.prompts import Prompt
from rewards.judge.replies import decision_request, garbage, read_chat, read_decision, shorten

LOG = logging.getLogger("rewards.judge")
LONGEST_WAIT = 30.0
_TRANSIENT = frozenset({408, 409, 425, 429})

Arrived = Callable[[int, Reply], None]


class JudgeClient:
    """The requests of one judge. It holds no connection between calls, so it may be used from any event loop.

    Args:
        config: with a `base_url`.
    """

    def __init__(self, config: JudgeConfig) -> None:
        self.config = config
        self._words_only = config.mode == "text"
        self._warned = False

    async def consult(self, prompts: Sequence[Prompt], arrived: Arrived) -> list[Reply]:
        """Return one reply per prompt; `arrived` is called with each as it comes.

        Raises:
            RaifError: if the client library or the key is missing.
        """
        openai = load_openai()
        key = read_key(self.config.api_key_env)
        late = Reply(None, "failed", f"not answered within the deadline of {self.config.deadline} s")
        replies = [late] * len(prompts)
        gate = asyncio.Semaphore(self.config.concurrency)

        async def one(index: int, prompt: Prompt) -> None:
            async with gate:
                replies[index] = await self._ask(openai, client, prompt)
            arrived(index, replies[index])

        async with openai.AsyncOpenAI(
            base_url=self.config.base_url, api_key=key, max_retries=0, timeout=None
        ) as client:
            try:
                async with asyncio.timeout(self.config.deadline), asyncio.TaskGroup() as tasks:
                    for index, prompt in enumerate(prompts):
                        tasks.create_task(one(index, prompt))
            except TimeoutError:
                LOG.warning("the judge %s was late: deadline of %s s", self.config.model, self.config.deadline)
        return replies

    async def _ask(self, openai: Any, client: Any, prompt: Prompt) -> Reply:
        for attempt in range(self.config.retries + 1):
            if attempt:
                await asyncio.sleep(min(LONGEST_WAIT, self.config.backoff * 2 ** (attempt - 1)))
            reply = await self._attempt(openai, client, prompt)
            if not reply.transient:
                break
        return reply._replace(retries=attempt)

    async def _attempt(self, openai: Any, client: Any, prompt: Prompt) -> Reply:
        words_only = self._words_only
        path, body = self._request(prompt)
        try:
            async with asyncio.timeout(self.config.timeout):
                answer = await client.post(path, body=body, cast_to=object)
        except TimeoutError:
            return Reply(None, "failed", f"no reply within {self.config.timeout:g} s", transient=True)
        except openai.APIStatusError as error:
            if self._rejects_probabilities(error, words_only):
                return await self._attempt(openai, client, prompt)
            return _status_failure(error)
        except openai.APIConnectionError as error:
            cause = error.__cause__ or error
            reason = f"no connection to {self.config.base_url}: {type(cause).__name__} {cause}"
            return Reply(None, "failed", reason, transient=True)
        except (openai.OpenAIError, ValueError, RecursionError) as error:
            return garbage(error, "JSON")
        if self.config.mode == "decision":
            return read_decision(answer)
        reply, given = read_chat(answer, self.config.mode)
        if self.config.mode == "auto" and not given and reply.status != "failed":
            self._warn("it returns no token probabilities")
        return reply

    def _request(self, prompt: Prompt) -> tuple[str, dict[str, Any]]:
        config = self.config
        if config.mode == "decision":
            return "/systemone", {"model": config.model, **decision_request(prompt), **config.extra_body}
        body: dict[str, Any] = {"model": config.model, "messages": [{"role": "user", "content": prompt.text}]}
        optional = {"temperature": config.temperature, "seed": config.seed, "max_tokens": config.max_tokens}
        body |= {name: value for name, value in optional.items() if value is not None}
        if not self._words_only:
            body |= {"logprobs": True, "top_logprobs": config.top_logprobs}
        return "/chat/completions", body | config.extra_body

    def _rejects_probabilities(self, error: Any, words_only: bool) -> bool:
        """Tell whether to ask again for words: the server turned the request down because of the probabilities."""
        if self.config.mode != "auto" or words_only or error.status_code not in (400, 422):
            return False
        if "logprob" not in error.response.text:
            return False
        self._words_only = True
        self._warn(f"it rejects token probabilities: {shorten(error.response.text)}")
        return True

    def _warn(self, why: str) -> None:
        if not self._warned:
            self._warned = True
            LOG.warning("the server of judge %s is read by words: %s", self.config.model, why)


def _status_failure(error: Any) -> Reply:
    transient = error.status_code in _TRANSIENT or error.status_code >= 500
    return Reply(None, "failed", f"HTTP {error.status_code}: {shorten(error.response.text)}", transient)


def load_openai() -> Any:
    """Import the client library."""
    try:
        return importlib.import_module("openai")
    except ImportError as error:
        raise RaifError(
            "asking a server needs the package openai; install it with: pip install 'raif[judge]'"
        ) from error


def read_key(variable: str | None) -> str:
    """Return the key that an environment variable holds; without one, a placeholder that local servers ignore.

    The library's own fallback, `OPENAI_API_KEY`, is never used: that key would go to whatever `base_url` names.
    """
    if variable is None:
        return "none"
    key = os.environ.get(variable)
    if not key:
        raise RaifError(f"api_key_env names {variable}, which is not set; export it, or remove api_key_env.")
    return key
