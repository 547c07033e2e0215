"""A served model: what is sent, what is read, and what happens when the server misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from raif.generation import Completion, Request, Sampling
from raif.generation.opening import open_generator
from raif.generation.prompts import request_seed
from raif.generation.run import complete
from raif.generation.served import Limits
from raif.generation.store import Store
from rewards.errors import RaifError
from rewards.response import Response
from tests.judge_server import Answer, ChatServer, Script, constantly

SAMPLING = Sampling(cap=9, temperature=0.7, top_p=0.9, seed=4)
REQUESTS = [Request(f"item {number}", [{"role": "user", "content": f"Say {number}."}]) for number in range(12)]


def said(text: str, finish: str = "stop", tokens: int | None = 3, **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
    return {"choices": [choice], "usage": None if tokens is None else {"completion_tokens": tokens}}


def echo(number: int, body: Mapping[str, Any]) -> Answer:
    return Answer(said(body["messages"][-1]["content"]))


def ask(script: Script, requests: list[Request] = REQUESTS, **options: Any) -> tuple[list[Completion], ChatServer]:
    limits = options.pop("limits", Limits(concurrency=4, timeout=120.0, retries=2, backoff=0.01))
    store = options.pop("store", None)
    with ChatServer(script) as server:
        generator = open_generator("openai", "qwen", base_url=server.url, limits=limits, **options)
        return complete(generator, requests, SAMPLING, store), server


def test_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "somebody's")
    found, server = ask(lambda n, body: echo(n, body)._replace(seconds=0.02))
    assert found == [Completion(f"Say {number}.", 3, True) for number in range(12)]
    assert server.paths == ["/v1/chat/completions"] * 12
    assert server.peak <= 4
    bodies = {body["messages"][0]["content"]: body for body in server.bodies}
    assert bodies["Say 3."] == {
        "model": "qwen",
        "messages": [{"role": "user", "content": "Say 3."}],
        "max_tokens": 9,
        "temperature": 0.7,
        "top_p": 0.9,
        "seed": request_seed(4, "item 3"),
    }
    assert len({body["seed"] for body in server.bodies}) == 12
    assert all("somebody" not in headers["authorization"] for headers in server.headers)
    monkeypatch.setenv("MY_KEY", "mine")
    _, server = ask(echo, REQUESTS[:1], api_key_env="MY_KEY", extra_body={"top_k": 5})
    assert server.headers[0]["authorization"] == "Bearer mine"
    assert server.bodies[0]["top_k"] == 5

    async def within_a_loop() -> list[Completion]:
        return ask(echo)[0]

    assert asyncio.run(within_a_loop()) == found


@pytest.mark.parametrize(
    ("message", "finish", "thinking", "answer"),
    [
        ({"text": "Yes.", "reasoning_content": "hm"}, "stop", "hm", "Yes."),
        ({"text": "Yes.", "reasoning": "hm"}, "stop", "hm", "Yes."),
        ({"text": "", "reasoning_content": "hm"}, "length", "hm", ""),
        ({"text": "<think>hm</think>Yes."}, "stop", "hm", "Yes."),
        ({"text": "hm</think>Yes."}, "stop", "hm", "Yes."),
        ({"text": "Yes."}, "stop", None, "Yes."),
        ({"text": "a\ud83d b"}, "stop", None, "a\ufffd b"),
    ],
)
def test_thinking_comes_back_before_the_answer(
    message: dict[str, str], finish: str, thinking: str | None, answer: str
) -> None:
    reply = said(**message, finish=finish)  # type: ignore[arg-type]
    (found,), _ = ask(constantly(reply), REQUESTS[:1])
    split = Response.split(found.text, prefilled=False)
    assert (split.thinking, split.answer, found.ended) == (thinking, answer, finish == "stop")


def test_failures_are_told_together_and_the_rest_is_kept(tmp_path: Path) -> None:
    def script(number: int, body: Mapping[str, Any]) -> Answer:
        text = body["messages"][0]["content"]
        if text == "Say 3.":
            return Answer({"error": "it is tired"}, 503)
        if text == "Say 5.":
            return Answer({"error": "too long"}, 400)
        if text == "Say 7.":
            return Answer(said("", finish="content_filter"))
        return Answer(b"{", cut=True) if number < 4 else echo(number, body)

    with pytest.raises(RaifError) as caught:
        ask(script, store=Store(tmp_path))
    message = str(caught.value)
    assert message.startswith("3 of 12 requests to http://127.0.0.1")
    assert "item 3: HTTP 503: " in message
    assert "item 5: HTTP 400: " in message
    assert "item 7: the completion ended for the reason 'content_filter'" in message
    assert "run the same command again, it goes on with those that failed" in message
    found, server = ask(echo, store=Store(tmp_path))
    assert [each.text for each in found] == [f"Say {number}." for number in range(12)]
    assert sorted(body["messages"][0]["content"] for body in server.bodies) == ["Say 3.", "Say 5.", "Say 7."]


def test_what_no_request_can_mend_ends_the_run_at_once() -> None:
    with pytest.raises(RaifError, match=r"cannot be asked for model 'qwen': HTTP 401.*correct the address"):
        ask(constantly({"error": "no key"}, 401))
    generator = open_generator("openai", "qwen", base_url="http://127.0.0.1:9/v1", limits=Limits(retries=1, backoff=0))
    with pytest.raises(RaifError, match=r"cannot be asked for model 'qwen': no connection"):
        complete(generator, REQUESTS, SAMPLING)
    late = Limits(timeout=0.1, retries=0)
    with pytest.raises(RaifError, match=r"1 of 1 requests .* failed \(item 0: no reply within 0\.1 s\)"):
        ask(lambda n, body: Answer(said("x"), seconds=5), REQUESTS[:1], limits=late)


def test_settings_are_checked_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    for options, match in [
        ({"base_url": "127.0.0.1:8000"}, "expected an address such as"),
        ({"base_url": "http://h/v1", "api_key_env": "NO_SUCH_KEY"}, "NO_SUCH_KEY, which is not set"),
        ({"base_url": "http://h/v1", "api_key_env": "sk-123"}, "expected the NAME of an environment variable"),
        ({"base_url": "http://h/v1", "extra_body": {"seed": 1}}, "extra_body sets seed"),
        ({"base_url": "http://h/v1", "limits": Limits(concurrency=0)}, r"concurrency=0.* asks nothing"),
        ({"base_url": "http://h/v1", "tokenizer": "./missing"}, r"no tokenizer in './missing'"),
    ]:
        with pytest.raises(RaifError, match=match):
            open_generator("openai", "qwen", **options)
    generator = open_generator("openai", "qwen", base_url="http://127.0.0.1:9/v1")
    for fields in ({"prefix": "Wait"}, {"stop": ("x",)}, {"think": False}):
        with pytest.raises(RaifError, match=r"name the model's tokenizer \(--tokenizer FOLDER\)"):
            complete(generator, [REQUESTS[0]._replace(**fields)], SAMPLING)  # type: ignore[arg-type]


def test_usage_is_needed_or_a_tokenizer(policy: Path) -> None:
    with pytest.raises(RaifError, match="reports no usage, and without a tokenizer"):
        ask(constantly(said("It is fine.", tokens=None)), REQUESTS[:1])
    completion = {"choices": [{"text": "It is fine.", "finish_reason": "stop"}]}
    (found,), server = ask(constantly(completion), REQUESTS[:1], tokenizer=str(policy))
    assert server.paths == ["/v1/completions"]
    assert found.tokens == 1 + len(_tokens(policy, "It is fine."))


def test_a_tokenizer_renders_prompts_and_prefixes(policy: Path) -> None:
    def script(number: int, body: Mapping[str, Any]) -> Answer:
        return Answer(
            {"choices": [{"text": body["prompt"], "finish_reason": "length"}], "usage": {"completion_tokens": 9}}
        )

    asked = [REQUESTS[0], REQUESTS[1]._replace(prefix="Wait"), REQUESTS[2]._replace(think=False, cap=5)]
    found, server = ask(script, asked, tokenizer=str(policy))
    start = "<|im_start|>user\nSay {}.<|im_end|><|im_start|>assistant\n<think>"
    assert [each.text for each in found] == [start.format(0), f"{start.format(1)}Wait", f"{start.format(2)}</think>"]
    assert not any(each.ended for each in found)
    assert sorted(body["max_tokens"] for body in server.bodies) == [5, 9, 9]


@pytest.mark.parametrize("kind", ["told", "matched", "left in", "not told"])
def test_stop_texts_are_attributed_on_every_kind_of_server(kind: str, policy: Path) -> None:
    """vLLM and SGLang say which stop text it was; some servers leave it in the text; others say nothing."""
    whole = "It is fine.</think>It is."

    def script(number: int, body: Mapping[str, Any]) -> Answer:
        stops = body.get("stop", [])
        text = whole.partition("</think>")[0] if "</think>" in stops else whole
        choice: dict[str, Any] = {"text": text, "finish_reason": "stop"}
        if kind == "told":
            choice["stop_reason"] = "</think>" if stops == ["</think>"] else None
        if kind == "matched":
            choice["matched_stop"] = "</think>" if stops == ["</think>"] else 2
        if kind == "left in" and "</think>" in stops:
            choice["text"] += "</think>"
        return Answer({"choices": [choice], "usage": {"completion_tokens": 7}})

    asked = [each._replace(stop=("</think>",)) for each in REQUESTS[:4]]
    found, server = ask(script, asked, tokenizer=str(policy), limits=Limits(concurrency=1))
    assert [(each.text, each.ended, each.stopped) for each in found] == [("It is fine.", True, "</think>")] * 4
    sent_twice = 1 if kind == "not told" else 0
    assert len(server.bodies) == 4 + sent_twice
    natural = [each._replace(stop=("never",)) for each in REQUESTS[:2]]
    found, _ = ask(script, natural, tokenizer=str(policy))
    assert [(each.text, each.ended, each.stopped) for each in found] == [(whole, True, "")] * 2


def _tokens(policy: Path, text: str) -> list[int]:
    from transformers import AutoTokenizer

    ids: list[int] = AutoTokenizer.from_pretrained(policy)(text, add_special_tokens=False)["input_ids"]
    return ids
