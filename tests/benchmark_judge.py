"""A judge on loopback for every benchmark that asks one: replies of the right form, which hang on the prompt alone."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from tests.judge_server import Answer, ChatServer

_CHECKLIST = "只输出这个JSON："


def serving_judge() -> ChatServer:
    """Return a server (a context manager) whose replies are those of `reply_to`."""
    return ChatServer(lambda number, body: Answer(completion(reply_to(body["messages"]))))


def completion(text: str) -> dict[str, Any]:
    """Return a chat completion of a text, with the usage that a client counts tokens by."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 1, "completion_tokens": max(1, len(text) // 4), "total_tokens": 2}
    return {"id": "1", "object": "chat.completion", "created": 0, "model": "judge", "choices": [choice], "usage": usage}


def reply_to(messages: list[Mapping[str, str]]) -> str:
    """Return a reply in the form that the first message asks for."""
    asked = messages[0]["content"]
    chance = _Chance("\0".join(message["content"] for message in messages))
    if "【考察点】" in asked:  # CFBench
        listed = asked.rpartition("【考察点】")[2].rpartition("现在请打分")[0].strip()
        return "\n\n".join(f"{text}\t{int(chance.yes())}" for text in listed.split("\n\n"))
    if shapes := re.findall(r"\[(?:'YES' (?:or|或) 'NO'(?:, )?)+\]", asked):  # FollowBench
        return f"Step by step.\n{[chance.word() for _ in range(shapes[-1].count('YES'))]}"
    if _CHECKLIST in asked:  # FB-Bench: JSON to be filled in
        points = json.loads(asked.rpartition(_CHECKLIST)[2])
        for point in points.values():
            point |= {"评判理由": "如上", "评判结果": "是" if chance.yes() else "否"}
        return json.dumps(points, ensure_ascii=False)
    if "评分对象" in asked:  # ComplexBench, what a rule looks at
        return "回复的全文。\n【评测对象】\n评分对象：all"
    if "答案：是" in asked:
        return f"分析：如上。\n答案：{'是' if chance.yes() else '否'}"
    if "Answer: YES" in asked:
        return f"Analysis: as above.\nAnswer: {chance.word()}"
    return chance.word()


class _Chance:
    """Verdicts that a text decides, three of five a yes."""

    def __init__(self, text: str) -> None:
        self.text, self.count = text, 0

    def yes(self) -> bool:
        self.count += 1
        return sha256(f"{self.count}{self.text}".encode()).digest()[0] < 154

    def word(self) -> str:
        return "YES" if self.yes() else "NO"
