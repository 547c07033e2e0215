"""What the model is told: rewrite the demands for a task, merge them into one prompt, check one of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from data_gen.evolve.demands import Demand
from data_gen.evolve.kinds import SOFT_KINDS
from rewards.judge.prompts import defuse

Messages = tuple[dict[str, str], ...]

_SYSTEM = {
    "en": "You are an editor of task descriptions. You reply with one JSON object and with nothing else.",
    "zh": "你是一名任务说明的编辑。你只回复一个JSON对象，不写任何别的内容。",
}
_REWRITE = {
    "en": """Below, in JSON, are a task and the demands that its answer has to meet. They were written without \
knowledge of the task. Reword them one at a time, so that each speaks about this task in a natural way.

- Return the same demands under the same ids. None may be added, left out, divided or joined with another.
- A demand keeps its meaning to the letter: how many, at least or at most or exactly, required or forbidden.
- Whatever stands under "keep" must appear unchanged in the reworded demand.
- Write one sentence, two at most, in English, to the person who will do the task. Neither repeat nor solve the task.
- For a demand of kind "soft", also write "question": a yes/no question by which somebody who sees only the answer \
can tell whether the demand is met. For the others "question" is empty.{add}

Reply in this form: {"demands": [{"id": 1, "text": "...", "question": "..."}], "added": [{"kind": "...", "text": \
"...", "question": "..."}]}

For the task "Explain why leaves fall in autumn." the demands 1 (rule, keep "80") "Use at most 80 words." and \
2 (soft) "Compare it with something familiar." might become: {"demands": [{"id": 1, "text": "Explain the falling \
leaves in at most 80 words.", "question": ""}, {"id": 2, "text": "Compare what the tree does with something everybody \
knows from home.", "question": "Does the response compare what the tree does with something known from home?"}], \
"added": []}

{payload}""",
    "zh": """下面用JSON给出一个任务，以及对回答的若干要求。这些要求是在不知道任务的情况下写的。\
请逐条改写，让每一条都自然地针对这个任务来说。

- 返回的要求与原来一一对应，编号不变，不增加、不遗漏、不拆分、不合并。
- 每条要求的意思必须分毫不变：数量多少，是至少、最多还是恰好，是必须还是禁止。
- 列在"keep"里的内容必须原样出现在改写后的要求中。
- 每条写一句话，最多两句，用中文，对做任务的人说。不要复述任务，也不要替他完成任务。
- 对于类别为"soft"的要求，还要写出"question"：一个是非问句，让只看到回答的人能判断是否做到了这条要求。\
其余要求的"question"留空。{add}

回复格式：{"demands": [{"id": 1, "text": "……", "question": "……"}], "added": [{"kind": "……", "text": "……", \
"question": "……"}]}

例如任务是“解释秋天为什么会落叶。”，要求1（rule，keep为"80"）“最多写80个字。”和要求2（soft）“用熟悉的事物打比方。”可以改写成：\
{"demands": [{"id": 1, "text": "用最多80个字讲清落叶的原因。", "question": ""}, {"id": 2, "text": \
"把树木落叶比作家里常见的一件事。", "question": "回答是否把树木落叶比作了家里常见的事？"}], "added": []}

{payload}""",
}
_ADD = {
    "en": """
- Besides, think up {count} new demands for "added", one of each of these kinds: {kinds}. They suit the task, do not \
clash with any demand above, can be met by an answer of any length and layout, name no number and no particular word \
to use, and each has a "question".""",
    "zh": """
- 另外再想出{count}条新要求，写在"added"里，每条对应以下一个类别：{kinds}。新要求要贴合任务，不与上面任何一条冲突，\
不限定回答的长短和格式，不出现数字，也不指定要用的词语，并且每条都要有"question"。""",
}
_MERGE = {
    "en": """Below, in JSON, are a task and the demands that its answer has to meet. Write the one message in which a \
person would ask for all of this.

- Every demand is in it, and nothing is demanded that is not listed.
- {task_rule}
- Numbers, bounds (at least, at most, exactly), prohibitions and whatever stands under "keep" stay as they are.
- A demand with "only_if" holds only under those conditions: say them with it. A demand with "after" builds on the \
demands with those ids: say it after them, as a later step.
- It reads like one natural message in English, without ids and without any remark about your work.

Reply in this form: {"prompt": "..."}

{payload}""",
    "zh": """下面用JSON给出一个任务，以及对回答的若干要求。请写出一段话，就像一个人亲自提出这个任务和全部要求那样。

- 每条要求都要写进去，也不能提出没有列出的要求。
- {task_rule}
- 数字、界限（至少、最多、恰好）、禁止事项，以及列在"keep"里的内容，都保持原样。
- 带有"only_if"的要求\
只在这些条件下才成立，要连同条件一起说。带有"after"的要求以那些编号的要求为前提，\
要放在它们之后，作为后面的步骤来说。
- 读起来是一段自然的中文，不出现编号，也不说明你做了什么。

回复格式：{"prompt": "……"}

{payload}""",
}
_TASK_RULE = {
    "en": {
        True: "The task stands in it word for word.",
        False: "The task may be reworded where that helps, but keeps its numbers, names and question.",
    },
    "zh": {
        True: "任务原文要一字不差地写进去。",
        False: "任务可以换一种说法，但其中的数字、名称和问题不能变。",
    },
}
_CHECK = {
    "en": """Here are an instruction and one demand. Does the instruction make this demand, no more and no less \
strictly?

Instruction:
{prompt}

Demand: {demand}

Reply with one word, YES or NO.""",
    "zh": """下面是一条指令和一项要求。这条指令是否提出了这项要求，既不更宽也不更严？

指令：
{prompt}

要求：{demand}

只回答一个词：是 或 否。""",
}
_AGAIN = {
    "en": "That reply cannot be used: {problem}. Send the whole corrected JSON object and nothing else.",
    "zh": "这个回复无法使用：{problem}。请重新发送改正后的完整JSON对象，不要写别的内容。",
}


def rewrite_messages(request: str, demands: Sequence[Demand], kinds: Sequence[str], language: str) -> Messages:
    """Return the request for step one: each demand reworded for the task, and new soft ones of some kinds."""
    names = "; ".join(f'"{kind}": {SOFT_KINDS[kind][language]}' for kind in kinds)
    add = _fill(_ADD[language], count=str(len(kinds)), kinds=names) if kinds else ""
    rows = [{"kind": "soft" if each.soft else "rule", **_row(number, each)} for number, each in enumerate(demands, 1)]
    text = _fill(_REWRITE[language], add=add, payload=_payload({"task": request, "demands": rows}))
    return _conversation(text, language)


def merge_messages(
    request: str, demands: Sequence[Demand], also_keep: Sequence[str], verbatim: bool, language: str
) -> Messages:
    """Return the request for step two: one prompt that holds the task and every demand."""
    rows = []
    for number, each in enumerate(demands, 1):
        row = _row(number, each)
        row |= {"only_if": list(each.only_if)} if each.only_if else {}
        row |= {"after": list(each.after)} if each.after else {}
        rows.append(row)
    payload: dict[str, Any] = {"task": request, "demands": rows}
    payload |= {"keep": list(also_keep)} if also_keep else {}
    text = _fill(_MERGE[language], task_rule=_TASK_RULE[language][verbatim], payload=_payload(payload))
    return _conversation(text, language)


def check_messages(prompt: str, demand: Demand, language: str) -> Messages:
    """Return the question whether a prompt makes a demand."""
    said = "; ".join([*demand.only_if, demand.text]) if language == "en" else "；".join([*demand.only_if, demand.text])
    return ({"role": "user", "content": defuse(_fill(_CHECK[language], prompt=prompt, demand=said))},)


def again(messages: Messages, reply: str, problem: str, language: str) -> Messages:
    """Return a conversation continued after a reply that cannot be used."""
    complaint = defuse(_fill(_AGAIN[language], problem=problem))
    return (*messages, {"role": "assistant", "content": defuse(reply)}, {"role": "user", "content": complaint})


def _row(number: int, demand: Demand) -> dict[str, Any]:
    keep = [*demand.kept.literals, *demand.kept.marks, *(f"{number:g}" for number in sorted(demand.kept.numbers))]
    return {"id": number, "text": demand.text, **({"keep": keep} if keep else {})}


def _payload(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False)


def _conversation(text: str, language: str) -> Messages:
    return ({"role": "system", "content": _SYSTEM[language]}, {"role": "user", "content": defuse(text)})


def _fill(template: str, **slots: str) -> str:
    """Fill `{name}` slots in one pass; other braces stay, and so do those of what is filled in."""
    begin, filled = 0, []
    places = sorted((template.index(f"{{{name}}}"), name) for name in slots)
    for place, name in places:
        filled += [template[begin:place], slots[name]]
        begin = place + len(name) + 2
    return "".join([*filled, template[begin:]])
