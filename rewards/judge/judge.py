"""Ask a judge many questions: duplicates once, known ones not at all, and one opinion for each, in order."""

from __future__ import annotations

import asyncio
import importlib
import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from threading import Lock
from typing import Any

from rewards.errors import RaifError
from rewards.judge.cache import ReadingCache
from rewards.judge.client import LOG, Arrived, JudgeClient
from rewards.judge.opinions import JudgeConfig, Opinion, Question, Reply, weigh
from rewards.judge.prompts import Prompt, render

COUNTED = ("asked", "cached", "repeated", "retried", "abstained", "unparsed", "refused", "failed")
TEMPLATE_BYTES = 256  # what a chat template may add to a prompt that is counted in bytes


class Consultant:
    """What every judge does around its model; a subclass says how prompts are answered.

    Args:
        config: see `JudgeConfig`.
    """

    kind = ""

    def __init__(self, config: JudgeConfig) -> None:
        self.config = config
        self._cache = ReadingCache(config.cache) if config.cache else None
        self._counts: Counter[str] = Counter()
        self._lock = Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {"config": self.config}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    @property
    def counts(self) -> dict[str, int]:
        """Questions so far: all asked, those known from the cache or repeated in a call, and those without opinion.

        `retried` counts the requests that were sent again.
        """
        return {name: self._counts[name] for name in COUNTED}

    def ask(self, questions: Sequence[Question]) -> list[Opinion]:
        """Return one opinion per question, in order; also from inside a running event loop, which then waits."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return asyncio.run(self.ask_async(questions))
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, self.ask_async(questions)).result()

    async def ask_async(self, questions: Sequence[Question]) -> list[Opinion]:
        """Return one opinion per question, in order.

        Raises:
            RaifError: if the judge cannot be asked at all (a missing package, key or model). A question that gets no
                usable reply is an opinion of None.
        """
        prompts = [render(question) for question in questions]
        keys = [self._key(prompt) for prompt in prompts]
        replies = self._known(keys)
        cached = sum(key in replies for key in keys)
        fresh = {key: prompt for key, prompt in zip(keys, prompts, strict=True) if key not in replies}
        if fresh:
            replies |= await self._consult_fresh(fresh)
        opinions = [self._opinion(replies[key]) for key in keys]
        retries = sum(replies[key].retries for key in fresh)
        self._count(opinions, cached=cached, repeated=len(keys) - cached - len(fresh), retried=retries)
        return opinions

    def probe(self) -> Opinion:
        """Ask one simple question, to learn before a long run whether the judge answers.

        Raises:
            RaifError: if it does not.
        """
        opinion = self.ask([Question(question="Is the response the word blue?", request="Say blue.", answer="blue")])[0]
        if opinion.status in ("failed", "unparsed", "refused"):
            raise RaifError(
                f"judge {self.config.model} does not answer: {opinion.reason}. See rewards.judge.JudgeConfig."
            )
        return opinion

    async def _consult(self, prompts: Sequence[Prompt], arrived: Arrived) -> list[Reply]:
        """Return one reply per prompt and report each to `arrived` as it comes."""
        raise NotImplementedError

    async def _consult_fresh(self, fresh: dict[str, Prompt]) -> dict[str, Reply]:
        keys = list(fresh)

        def remember(index: int, reply: Reply) -> None:
            if self._cache is not None and reply.reading is not None:
                try:
                    self._cache.put(keys[index], reply.reading)
                except OSError as error:  # a full disk costs the memory of this reply, not the reply
                    self._drop_cache(error)

        return dict(zip(keys, await self._consult(list(fresh.values()), remember), strict=True))

    def _known(self, keys: Sequence[str]) -> dict[str, Reply]:
        if self._cache is None:
            return {}
        try:
            self._cache.refresh()
        except OSError as error:
            self._drop_cache(error)
            return {}
        found = {key: self._cache.get(key) for key in keys}
        return {key: Reply(reading) for key, reading in found.items() if reading is not None}

    def _drop_cache(self, error: OSError) -> None:
        LOG.warning("judge %s goes on without its cache: %s", self.config.model, error)
        self._cache = None

    def _key(self, prompt: Prompt) -> str:
        """Return a hash of all that a reply depends on; thresholds are not part of it."""
        config = self.config
        sent = (config.temperature, config.seed, config.max_tokens, config.top_logprobs, config.extra_body)
        text = json.dumps([1, self.kind, config.model, config.mode, prompt, sent], sort_keys=True, default=str)
        return sha256(text.encode()).hexdigest()

    def _opinion(self, reply: Reply) -> Opinion:
        if reply.reading is None:
            return Opinion(None, None, reply.problem, reply.status)
        return weigh(reply.reading, self.config.threshold, self.config.abstain)

    def _count(self, opinions: Sequence[Opinion], **counts: int) -> None:
        with self._lock:
            self._counts.update(asked=len(opinions), **counts)
            self._counts.update(opinion.status for opinion in opinions)
        if failed := [opinion.reason for opinion in opinions if opinion.status == "failed"]:
            LOG.warning(
                "judge %s: %d of %d questions failed; first: %s",
                self.config.model,
                len(failed),
                len(opinions),
                failed[0],
            )


class Judge(Consultant):
    """A model behind an OpenAI-compatible server.

    It pickles (without counts and connections). An opinion is None on failure, with the reason; nothing is raised for
    a single question. Local models without a server: `raif.local_judge`.

    Args:
        config: with a `base_url`.
    """

    kind = "served"

    def __init__(self, config: JudgeConfig) -> None:
        super().__init__(config)
        if config.base_url is None:
            raise RaifError(
                f"judge {config.model} has no base_url; give the address of its server, such as "
                "http://127.0.0.1:8000/v1, or use raif.local_judge for a local model."
            )
        self._client = JudgeClient(config)
        self._length = PromptLength(config.tokenizer)

    async def _consult(self, prompts: Sequence[Prompt], arrived: Arrived) -> list[Reply]:
        refused = [self._refusal(prompt) for prompt in prompts]
        sent = [index for index, refusal in enumerate(refused) if refusal is None]
        replies = await self._client.consult(
            [prompts[index] for index in sent], lambda index, reply: arrived(sent[index], reply)
        )
        by_index = dict(zip(sent, replies, strict=True))
        return [refusal or by_index[index] for index, refusal in enumerate(refused)]

    def _refusal(self, prompt: Prompt) -> Reply | None:
        limit = self.config.max_prompt_tokens
        if limit is None:
            return None
        length = self._length.count(prompt.text)
        if length <= limit:
            return None
        unit = "tokens" if self.config.tokenizer else "bytes (counted as tokens; name a tokenizer for an exact count)"
        return Reply(None, "refused", f"prompt of {length} {unit} exceeds max_prompt_tokens {limit}")


class PromptLength:
    """Count a prompt in the judge's own tokens, chat template included; without a tokenizer in bytes.

    A byte is the shortest token there is, so a prompt is never longer than its bytes say.

    Args:
        tokenizer: what `AutoTokenizer.from_pretrained` takes, loaded at the first count.
    """

    def __init__(self, tokenizer: str | None = None) -> None:
        self.name = tokenizer
        self._tokenizer: Any = None

    def count(self, text: str) -> int:
        """Return the length of a prompt.

        Example:
            >>> PromptLength().count("Is it?")
            262
        """
        if self.name is None:
            return len(text.encode()) + TEMPLATE_BYTES
        if self._tokenizer is None:
            self._tokenizer = load_tokenizer(self.name)
        if self._tokenizer.chat_template:
            messages = [{"role": "user", "content": text}]
            text = self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        return len(self._tokenizer(text, add_special_tokens=False)["input_ids"])


def load_tokenizer(name: str) -> Any:
    """Load the judge's tokenizer with transformers."""
    try:
        transformers = importlib.import_module("transformers")
        return transformers.AutoTokenizer.from_pretrained(name)
    except ImportError as error:
        raise RaifError("a judge's tokenizer needs transformers; pip install 'raif[train]', or drop it.") from error
    except (OSError, ValueError) as error:
        raise RaifError(f"the judge's tokenizer {name!r} cannot be loaded: {error}") from error
