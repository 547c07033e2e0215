"""Where constraints stand in a prompt, and neutral sentences of the same length that demand nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal, get_args

from data_gen.self_evident.families import column_of
from rewards.errors import unknown_name

Placement = Literal["suffix", "prefix", "solve_first", "stepwise"]
PLACEMENTS: tuple[str, ...] = get_args(Placement)
_TEMPLATES: dict[str, dict[str, str]] = {
    "en": {
        "suffix": "{request}\n\n{added}",
        "prefix": "{added}\n\n{request}",
        "solve_first": "{request}\n\nSolve the task first. Only after that, turn to the following: {added}",
        "stepwise": (
            "{request}\n\nGo about it step by step. Step 1: read the task and solve it. "
            "Step 2: turn to the following: {added} Step 3: give your answer."
        ),
    },
    "zh": {
        "suffix": "{request}\n\n{added}",
        "prefix": "{added}\n\n{request}",
        "solve_first": "{request}\n\n请先解决问题，然后再看下面的内容：{added}",
        "stepwise": "{request}\n\n请分步进行。第一步：读题并求解。第二步：看下面的内容：{added}第三步：给出回答。",
    },
}
_JOIN = {"en": " ", "zh": ""}

#: Sentences that demand nothing, from short to long.
PLACEBO: dict[str, tuple[str, ...]] = {
    "en": (
        "Tea is popular.",
        "The sky is wide today.",
        "Many rivers flow towards the sea.",
        "Some birds travel south in the autumn.",
        "The library in the town is an old building.",
        "In spring the days become longer and the nights shorter.",
        "The mountain can be seen from the road on a clear morning.",
        "A train passes through the valley twice a day, once in each direction.",
        "Bread has been baked in stone ovens for a very long time in many parts of the world.",
        "The market near the harbour opens early, and most of the boats are back before it closes again at noon.",
    ),
    "zh": (
        "茶很受欢迎。",
        "今天的天空很开阔。",
        "许多河流最终流入大海。",
        "有些鸟在秋天飞往南方过冬。",
        "镇上的图书馆是一座有年头的老房子。",
        "到了春天，白天慢慢变长，夜晚慢慢变短。",
        "天气晴朗的早晨，从路上可以望见远处的那座山。",
        "每天有两趟火车穿过山谷，一趟往东去，另一趟往西去。",
        "在世界上的许多地方，人们用石头砌的炉子烤面包已经有很长的历史了。",
        "港口旁边的集市开得很早，等到中午收摊的时候，大多数渔船都已经回来了。",
    ),
}


def place(request: str, added: Sequence[str], language: str, placement: Placement = "suffix") -> str:
    """Return the prompt: the request with sentences added, constraints and placebos alike.

    Args:
        request: the task.
        added: the sentences, in their order; none leaves the request as it is.
        language: `en` or `zh`.
        placement: `suffix`, `prefix`, `solve_first` (the task first, the rest second) or `stepwise`.

    Example:
        >>> place("Name a river.", ["Do not use any commas.", "Use at most 9 words."], "en", "prefix")
        'Do not use any commas. Use at most 9 words.\\n\\nName a river.'
    """
    if placement not in PLACEMENTS:
        raise unknown_name("placement", placement, PLACEMENTS, "It says where the constraints stand in the prompt.")
    column_of(language)
    if not added:
        return request
    return _TEMPLATES[language][placement].format(request=request, added=_JOIN[language].join(added))


def length_of(text: str, language: str) -> int:
    """Return the length by which placebos are matched: words in English, characters in Chinese."""
    return len(text.split()) if language == "en" else len(text)


def placebo(text: str, language: str, key: str) -> str:
    """Return neutral sentences, none of them twice unless all are used, about as long as a text.

    Args:
        text: what the placebo stands for, for example all constraints of an item.
        language: `en` or `zh`.
        key: decides between sentences, for instance the id of the item.

    Example:
        >>> placebo("Use between 30 and 60 words.", "en", "item-1")
        'Many rivers flow towards the sea.'
    """
    column_of(language)
    wanted = length_of(text, language)
    bank = sorted(PLACEBO[language], key=lambda each: hashlib.sha256(f"{key}\x1f{each}".encode()).digest())
    longest = max(length_of(each, language) for each in bank)
    chosen: list[str] = []
    missing = wanted
    while missing > 0 or not chosen:
        free = [each for each in bank if each not in chosen] or bank
        near = min(free, key=lambda each: abs(length_of(each, language) - missing))
        if chosen and abs(length_of(near, language) - missing) >= missing:
            break  # without it the length fits better
        picked = near if missing <= longest else free[0]
        chosen.append(picked)
        missing -= length_of(picked, language)
    return _JOIN[language].join(chosen)
