"""A model behind an OpenAI-compatible server: many chat requests at once, retried, remembered on disk, within a budget.

A request is remembered by the model's name, the messages, the sampling settings and the number of the sample, and not
by the server's address: after a kill, the same command asks only what has no reply yet.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from data_gen.served_replies import ChatReply, Outcome, ReplyCache, read_completion, read_failure
from rewards.errors import RaifError, unknown_name
from rewards.judge.addresses import plain_address, variable_name
from rewards.judge.client import LONGEST_WAIT, load_openai

__all__ = ["ChatReply", "ChatRequest", "ServedConfig", "ServedModel", "parse_served"]

LOG = logging.getLogger("data_gen.served")
FIRST_ANSWER = 30.0  # seconds in which a server must say anything at all, before the first request
COUNTED = ("asked", "cached", "repeated", "sent", "retried", "answered", "failed", "budget")
_OURS = frozenset({"model", "messages", "stream", "n", "temperature", "top_p", "max_tokens", "seed"})
Progress = Callable[[int], None]


class ServedConfig(BaseModel):
    """Settings of a served model.

    Fields:
        base_url: of an OpenAI-compatible server, with its `/v1`.
        model: the name the server knows it by.
        api_key_env: name of the environment variable that holds the key; where it is not set, no key is sent.
        temperature, top_p, max_tokens: sent as they are; None is not sent.
        seed: sent plus the number of the sample, so that samples differ on servers that draw by seed; None sends none.
        timeout: seconds for one attempt.
        retries, backoff: further attempts after 429, 5xx, a timeout or a lost connection; seconds before the first
            of them, doubling, at most 30. Where the server says `Retry-After`, that holds instead, up to `timeout`.
        concurrency: requests in flight.
        cache: folder that remembers replies; None for none. Several processes may share it.
        budget_requests: attempts sent in the life of one `ServedModel`; remembered replies cost nothing.
        budget_tokens: tokens of prompts and completions together. Requests in flight when it runs out are finished.
        extra_body: further fields of the request, such as a switch for thinking.

    Example:
        >>> ServedConfig(base_url="http://127.0.0.1:8000/v1/", model="qwen").base_url
        'http://127.0.0.1:8000/v1'
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, protected_namespaces=())

    base_url: str
    model: str = Field(min_length=1)
    api_key_env: str | None = "OPENAI_API_KEY"
    temperature: float | None = Field(default=0.7, ge=0, allow_inf_nan=False)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=2048, ge=1)
    seed: int | None = 0
    timeout: float = Field(default=300.0, gt=0, allow_inf_nan=False)
    retries: int = Field(default=4, ge=0, le=20)
    backoff: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    concurrency: int = Field(default=16, ge=1)
    cache: Path | None = None
    budget_requests: int | None = Field(default=None, ge=0)
    budget_tokens: int | None = Field(default=None, ge=0)
    extra_body: dict[str, Any] = {}

    @field_validator("base_url")
    @classmethod
    def _plain_address(cls, value: str) -> str:
        return plain_address(value)

    @field_validator("api_key_env")
    @classmethod
    def _variable_name(cls, value: str | None) -> str | None:
        return value if value is None else variable_name(value, "OPENAI_API_KEY")

    @field_validator("extra_body")
    @classmethod
    def _not_ours(cls, value: dict[str, Any]) -> dict[str, Any]:
        if taken := sorted(_OURS & value.keys()):
            raise ValueError(f"{', '.join(taken)} cannot be set here")
        return value


class ChatRequest(NamedTuple):
    """A conversation to be continued; requests that differ only in `sample` are drawn independently."""

    messages: tuple[dict[str, str], ...]
    sample: int = 0


class ServedModel:
    """A served model, to be asked from one thread at a time.

    Args:
        config: see `ServedConfig`.
    """

    def __init__(self, config: ServedConfig) -> None:
        self.config = config
        self._cache = ReplyCache(config.cache) if config.cache else None
        self._counts: Counter[str] = Counter()
        self._prompt_tokens = self._completion_tokens = 0
        self._reached = False

    def __reduce__(self) -> tuple[type[ServedModel], tuple[ServedConfig]]:
        return ServedModel, (self.config,)

    @property
    def counts(self) -> dict[str, int]:
        """Requests so far: all asked, known from the cache, repeated within a call, attempts sent, and how they ended.

        `retried` counts the attempts after the first of each request, `budget` the requests that were not sent.
        """
        return {name: self._counts[name] for name in COUNTED}

    @property
    def tokens(self) -> dict[str, int]:
        """Tokens that the server has reported for what this object has asked it."""
        return {"prompt": self._prompt_tokens, "completion": self._completion_tokens}

    def ask(self, requests: Sequence[ChatRequest], progress: Progress | None = None) -> list[ChatReply]:
        """Return one reply per request, in order; what went wrong with a single request is its reply's `error`.

        Args:
            requests: equal ones are asked once.
            progress: called with the number of requests of this call that are done.

        Raises:
            RaifError: if the server cannot be reached, or turns every request down: a wrong address, key or model.
        """
        keys = [self._key(request) for request in requests]
        known = self._known(keys)
        fresh = {key: request for key, request in zip(keys, requests, strict=True) if key not in known}
        cached = sum(key in known for key in keys)
        self._counts.update(asked=len(keys), cached=cached, repeated=len(keys) - cached - len(fresh))
        report = progress or _silent
        report(cached)
        if fresh:
            known |= _run(self._ask_fresh(fresh, Counter(keys), cached, report))
        return [known[key] for key in keys]

    async def _ask_fresh(
        self, fresh: dict[str, ChatRequest], times: Counter[str], done: int, report: Progress
    ) -> dict[str, ChatReply]:
        openai = load_openai()
        gate = asyncio.Semaphore(self.config.concurrency)
        outcomes: dict[str, Outcome] = {}

        async def one(key: str, request: ChatRequest) -> None:
            nonlocal done
            async with gate:
                outcomes[key] = await self._ask_one(openai, client, request)
            done += times[key]
            self._keep(key, outcomes[key].reply)
            report(done)

        key = os.environ.get(self.config.api_key_env or "") or "none"
        async with openai.AsyncOpenAI(
            base_url=self.config.base_url, api_key=key, max_retries=0, timeout=None
        ) as client:
            await self._reach(openai, client)
            tasks = [asyncio.create_task(one(name, request)) for name, request in fresh.items()]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        self._stop_if_hopeless(list(outcomes.values()))
        return {name: outcomes[name].reply for name in fresh}

    async def _reach(self, openai: Any, client: Any) -> None:
        """Learn before the first request whether there is a server; any reply to a harmless question will do."""
        if self._reached:
            return
        try:
            async with asyncio.timeout(FIRST_ANSWER):
                await client.get("/models", cast_to=object)
        except TimeoutError:
            raise self._error(f"nothing answers within {FIRST_ANSWER:g} s") from None
        except openai.APIStatusError as error:
            if error.status_code in (401, 403):
                raise self._error(read_failure(openai, error).reply.error) from None
        except openai.APIConnectionError as error:
            raise self._error(read_failure(openai, error).reply.error) from None
        except (openai.OpenAIError, ValueError):
            LOG.debug("%s/models holds no JSON", self.config.base_url)
        self._reached = True

    async def _ask_one(self, openai: Any, client: Any, request: ChatRequest) -> Outcome:
        body = self._body(request)
        for attempt in range(self.config.retries + 1):
            if self._is_spent():
                return Outcome(ChatReply(None, "budget"), "budget")
            self._counts.update(sent=1, retried=int(attempt > 0))
            outcome = await self._attempt(openai, client, body)
            if outcome.kind in ("answered", "refused"):
                break
            if outcome.kind == "rejected":
                raise self._error(outcome.reply.error)
            if attempt < self.config.retries:
                await asyncio.sleep(self._pause(outcome, attempt))
        return outcome

    async def _attempt(self, openai: Any, client: Any, body: dict[str, Any]) -> Outcome:
        try:
            async with asyncio.timeout(self.config.timeout):
                answer = await client.post("/chat/completions", body=body, cast_to=object)
        except TimeoutError:
            return Outcome(ChatReply(None, f"no reply within {self.config.timeout:g} s"), "failed")
        except (openai.OpenAIError, ValueError, RecursionError) as error:
            return read_failure(openai, error)
        outcome = read_completion(answer)
        self._prompt_tokens += outcome.prompt_tokens
        self._completion_tokens += outcome.reply.completion_tokens
        return outcome

    def _pause(self, outcome: Outcome, attempt: int) -> float:
        if outcome.wait is not None:
            return min(outcome.wait, self.config.timeout)
        return min(LONGEST_WAIT, self.config.backoff * float(2**attempt))

    def _is_spent(self) -> bool:
        config = self.config
        requests = config.budget_requests is not None and self._counts["sent"] >= config.budget_requests
        used = self._prompt_tokens + self._completion_tokens
        return requests or (config.budget_tokens is not None and used >= config.budget_tokens)

    def _stop_if_hopeless(self, outcomes: Sequence[Outcome]) -> None:
        """Raise where a whole call failed for one reason that no further call will mend."""
        kinds = {outcome.kind for outcome in outcomes}
        self._counts.update("answered" if outcome.kind == "answered" else "failed" for outcome in outcomes)
        unspent = sum(outcome.kind == "budget" for outcome in outcomes)
        self._counts.update(budget=unspent, failed=-unspent)
        if kinds == {"unreachable"} or (kinds == {"refused"} and not self._counts["answered"] + self._counts["cached"]):
            raise self._error(outcomes[0].reply.error)

    def _error(self, problem: str) -> RaifError:
        config = self.config
        return RaifError(
            f"the server at {config.base_url} cannot be asked for model {config.model!r}: {problem.rstrip('.')}. "
            f"Start it, or correct base_url, model or api_key_env ({config.api_key_env}); what was answered so far is "
            f"{'kept in the cache' if config.cache else 'lost, since no cache is set'}."
        )

    def _body(self, request: ChatRequest) -> dict[str, Any]:
        config = self.config
        seed = None if config.seed is None else config.seed + request.sample
        optional = {"temperature": config.temperature, "top_p": config.top_p, "max_tokens": config.max_tokens}
        given = {name: value for name, value in {**optional, "seed": seed}.items() if value is not None}
        return {"model": config.model, "messages": list(request.messages), **given, **config.extra_body}

    def _key(self, request: ChatRequest) -> str:
        text = json.dumps([1, self._body(request), request.sample], sort_keys=True)
        return sha256(text.encode()).hexdigest()[:32]

    def _known(self, keys: Sequence[str]) -> dict[str, ChatReply]:
        if self._cache is None:
            return {}
        try:
            self._cache.refresh()
            found = {key: self._cache.get(key) for key in dict.fromkeys(keys)}
        except OSError as error:
            self._drop_cache(error)
            return {}
        return {key: reply._replace(cached=True) for key, reply in found.items() if reply is not None}

    def _keep(self, key: str, reply: ChatReply) -> None:
        if self._cache is not None and reply.text is not None:
            try:
                self._cache.put(key, reply)
            except OSError as error:  # a full disk costs the memory of replies, not the replies
                self._drop_cache(error)

    def _drop_cache(self, error: OSError) -> None:
        LOG.warning("model %s goes on without its cache: %s", self.config.model, error)
        self._cache = None


def parse_served(settings: Any) -> ServedConfig:
    """Parse the served model of a recipe.

    Raises:
        RaifError: naming each setting that is unknown or wrong; values are not shown, since one may be a key.

    Example:
        >>> parse_served({"base_url": "127.0.0.1:8000", "model": "qwen"})
        Traceback (most recent call last):
        ...
        rewards.errors.RaifError: the served model is not set up: base_url: Value error, expected an address such as
        http://127.0.0.1:8000/v1. See data_gen.served.ServedConfig.
    """
    if isinstance(settings, dict):
        for name in (name for name in settings if name not in ServedConfig.model_fields):
            raise unknown_name("setting of a served model", name, ServedConfig.model_fields, "Correct or remove it.")
    try:
        return ServedConfig.model_validate(settings)
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False)
        problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'settings'}: {e['msg']}" for e in found)
        raise RaifError(f"the served model is not set up: {problems}. See data_gen.served.ServedConfig.") from None


def _run(work: Coroutine[Any, Any, dict[str, ChatReply]]) -> dict[str, ChatReply]:
    """Run to the end; also from inside a running event loop, which then waits."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def _silent(done: int) -> None:
    """Ignore progress."""
