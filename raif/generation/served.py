"""Draw completions from any OpenAI-compatible server: many requests at once, each retried, failures told in the end.

Without a tokenizer the chat endpoint is asked and the server renders the prompt; thinking that it sends apart is put
back before the answer. With a tokenizer the prompt is rendered here and continued by the completions endpoint, which is
what a prefix, stop texts and thinking-free answers need. Name one too where the chat template opens the thinking and
the server does not send it apart: a completion cut off before `</think>` would look like an answer.

Sampling settings that are not sent (top_k, penalties) are the server's own: for vLLM, `--generation-config vllm` turns
those of the model's folder off.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from data_gen.served_replies import read_failure
from raif.chat import ThinkFormat
from raif.generation.loading import load_tokenizer, open_chat
from raif.generation.prompts import cap_of, cut_at_stop, prompt_of, request_seed, template_identity
from raif.generation.protocol import Arrived, Completion, Request, Sampling
from raif.generation.server_reply import BadReply, read_reply
from rewards.errors import RaifError, ServerLost
from rewards.judge.addresses import plain_address, variable_name
from rewards.judge.client import LONGEST_WAIT, load_openai, read_key

LOG = logging.getLogger("raif.generation")
NAMED = 3  # failures that an error quotes
_OURS = frozenset({"model", "messages", "prompt", "stream", "n", "temperature", "top_p", "max_tokens", "seed", "stop"})


class Limits(NamedTuple):
    """How a server is asked.

    Fields:
        concurrency: requests in flight.
        timeout: seconds for one attempt.
        retries, backoff: further attempts after 429, 5xx, a timeout or a lost connection; seconds before the first of
            them, doubling, at most 30. Where the server says `Retry-After`, that holds instead, up to `timeout`.
    """

    concurrency: int = 16
    timeout: float = 600.0
    retries: int = 4
    backoff: float = 1.0


class ServedModel:
    """A model behind an OpenAI-compatible server.

    Args:
        model: the name the server knows it by.
        base_url: the server's address, with its `/v1`.
        api_key_env: name of the environment variable that holds the key; without one no key is sent.
        tokenizer: folder or hub name of the model's tokenizer; then prompts are rendered here.
        template_kwargs: further arguments of the tokenizer's chat template.
        limits: see `Limits`.
        extra_body: further fields of each request, such as `{"chat_template_kwargs": {"enable_thinking": False}}`.
        silent: a request that the server refuses (a prompt too long for it) comes back empty and is logged, where one
            such request must not hold up the others: a judge's.
    """

    def __init__(
        self,
        model: str,
        base_url: str,
        *,
        api_key_env: str | None = None,
        tokenizer: str | None = None,
        template_kwargs: Mapping[str, Any] | None = None,
        limits: Limits | None = None,
        extra_body: Mapping[str, Any] | None = None,
        silent: bool = False,
    ) -> None:
        try:
            self.base_url = plain_address(base_url)
            variable = variable_name(api_key_env, "SERVER_KEY") if api_key_env else None
        except ValueError as error:
            raise RaifError(f"the server of {model!r} is not set up: {error}.") from None
        self.key = read_key(variable)
        if not (self.key.isascii() and self.key.isprintable()):
            raise RaifError(f"{variable} holds a line break or a letter that no key has; correct the variable.")
        if taken := sorted(_OURS & (extra_body or {}).keys()):
            raise RaifError(f"extra_body sets {', '.join(taken)}, which the sampling settings decide; remove it.")
        asked = limits or Limits()
        if asked.concurrency < 1 or asked.retries < 0 or asked.timeout <= 0 or asked.backoff < 0:
            raise RaifError(
                f"{asked} asks nothing; concurrency is at least 1, timeout positive, the rest not negative."
            )
        self.model, self.limits, self.extra_body, self.silent = model, asked, dict(extra_body or {}), silent
        self.chat = open_chat(tokenizer, _load_tokenizer(tokenizer), template_kwargs) if tokenizer else None
        self.think = self.chat.probe() if self.chat else ThinkFormat("think", prefilled=False)
        self.lengths = self.chat.lengths if self.chat else None
        self._cuts_itself = False  # once a server has not said whether a stop text ended a completion

    def identity(self) -> dict[str, Any]:
        """Return what tells this model and the way it is asked from another."""
        template = template_identity(self.chat) if self.chat else {"chat_template": "the server's"}
        return {
            "backend": "openai",
            "model": self.model,
            "endpoint": "completions" if self.chat else "chat/completions",
            **template,
            "extra_body": self.extra_body,
            "base_url": self.base_url,
        }

    def generate(self, requests: Sequence[Request], sampling: Sampling, arrived: Arrived) -> None:
        """Ask for every request.

        Raises:
            RaifError: at once, if the server cannot be reached or refuses the key, the model or the address; at the
                end, if single requests have failed.
        """
        if self.chat is None:
            _refuse_rendering(requests, self.model)
        work = self._ask_all(requests, sampling, arrived)
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            asyncio.run(work)
            return
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, work).result()

    def close(self) -> None:
        """Hold nothing: connections live as long as a call."""

    async def _ask_all(self, requests: Sequence[Request], sampling: Sampling, arrived: Arrived) -> None:
        openai = load_openai()
        gate = asyncio.Semaphore(self.limits.concurrency)
        failures: dict[str, str] = {}

        async def one(number: int, request: Request) -> None:
            async with gate:
                outcome = await self._ask(openai, client, request, sampling)
            if isinstance(outcome, str):
                failures[request.key] = outcome
            else:
                arrived(number, outcome)

        async with openai.AsyncOpenAI(base_url=self.base_url, api_key=self.key, max_retries=0, timeout=None) as client:
            tasks = [asyncio.create_task(one(number, request)) for number, request in enumerate(requests)]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        if failures:
            raise self._failed(failures, len(requests))

    async def _ask(self, openai: Any, client: Any, request: Request, sampling: Sampling) -> Completion | str:
        """Return the completion, or why there is none."""
        for attempt in range(self.limits.retries + 1):
            wait = None
            try:
                async with asyncio.timeout(self.limits.timeout):
                    return await self._attempt(client, request, sampling)
            except TimeoutError:
                reason, kind = f"no reply within {self.limits.timeout:g} s", "failed"
            except BadReply as error:
                reason, kind = str(error), error.kind
            except (openai.OpenAIError, ValueError, RecursionError) as error:
                outcome = read_failure(openai, error)
                reason, kind, wait = outcome.reply.error, outcome.kind, outcome.wait
            if kind == "rejected":
                raise self._stopped(reason)
            if kind == "refused" and self.silent:
                LOG.warning("%s refuses %s: %s", self.base_url, request.key, reason)
                return Completion("", 0, True)
            if kind == "refused":
                return reason
            if attempt < self.limits.retries:
                pause = min(LONGEST_WAIT, self.limits.backoff * 2.0**attempt)
                await asyncio.sleep(pause if wait is None else min(wait, self.limits.timeout))
        if kind == "unreachable":
            raise self._stopped(reason)
        return reason

    async def _attempt(self, client: Any, request: Request, sampling: Sampling) -> Completion:
        stops = () if self._cuts_itself else request.stop
        path = "/completions" if self.chat else "/chat/completions"
        reply = read_reply(await client.post(path, body=self._body(request, sampling, stops), cast_to=object))
        text, stopped = cut_at_stop(reply.text, request.stop)
        if stopped:  # the server has left it in the text, or was not told of it and has gone on
            counted = self._count(text + stopped)
            return Completion(text, min(counted, reply.tokens or counted), True, stopped)
        if stops and reply.ended and reply.stopped is None:
            LOG.info("%s does not say which stop text ends a completion; stop texts are cut here", self.base_url)
            self._cuts_itself = True
            return await self._attempt(client, request, sampling)
        tokens = self._count(text) + reply.ended if reply.tokens is None else reply.tokens
        return Completion(text, tokens, reply.ended, reply.stopped or "")

    def _count(self, text: str) -> int:
        if self.chat is None:
            raise BadReply("the server reports no usage, and without a tokenizer tokens cannot be counted", "refused")
        return self.chat.lengths([text])[0]

    def _body(self, request: Request, sampling: Sampling, stops: Sequence[str]) -> dict[str, Any]:
        prompt = {"prompt": prompt_of(self.chat, request)} if self.chat else {"messages": request.messages}
        drawn = {
            "max_tokens": cap_of(request, sampling),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "seed": request_seed(sampling.seed, request.key),
        }
        return {"model": self.model, **prompt, **drawn, **({"stop": list(stops)} if stops else {}), **self.extra_body}

    def _stopped(self, problem: str) -> RaifError:
        return ServerLost(
            f"the server at {self.base_url} cannot be asked for model {self.model!r}: {problem.rstrip('.')}. Start it, "
            "or correct the address, the model's name or the key; then run the same command again, it goes on.",
            self.base_url,
        )

    def _failed(self, failures: Mapping[str, str], total: int) -> RaifError:
        quoted = "; ".join(f"{key}: {reason}" for key, reason in sorted(failures.items())[:NAMED])
        if len(failures) == total:
            advice = "Look at the server and at how it is asked; then run the same command again."
        else:
            advice = "The others have come; run the same command again, it goes on with those that failed."
        return RaifError(f"{len(failures)} of {total} requests to {self.base_url} failed ({quoted}). {advice}")


def _refuse_rendering(requests: Sequence[Request], model: str) -> None:
    """Refuse what needs a prompt of our own where the server renders it."""
    if any(request.prefix or request.stop or not request.think for request in requests):
        raise RaifError(
            f"the chat endpoint cannot go on from a prefix, end before a stop text or close the thinking of {model}; "
            "name the model's tokenizer (--tokenizer FOLDER), then the completions endpoint is asked."
        )


def _load_tokenizer(path: str) -> Any:
    local = Path(path).exists() or path.startswith((".", "/", "~")) or path.count("/") != 1
    if local and not any(Path(path).glob("tokenizer*")):
        raise RaifError(f"no tokenizer in {path!r}; give a folder written by save_pretrained, or a hub name.")
    return load_tokenizer(path)
