"""What the branch of a Selection hangs on, drawn for a seed and said in English or Chinese."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from data_gen.seeds import Seed
from data_gen.vocabulary import KEYWORDS
from rewards.conditions import AnswerCondition, Condition, Relation, RequestCondition, ResponseCondition
from rewards.constraint import Constraint, Context, parse_constraint
from rewards.response import Response
from rewards.task_answer import MathAnswer, QaAnswer
from rewards.text import Text


def holds(condition: Condition, seed: Seed) -> bool | None:
    """Tell whether a condition holds for a seed, or None where that is up to the response."""
    if isinstance(condition, ResponseCondition):
        return None
    return condition.decide(Response(None, ""), Context(seed.request, seed.language), seed.answer).holds


def draw_conditions(seed: Seed, count: int, rng: Random) -> list[Condition]:
    """Draw conditions that can be told apart, of as many kinds as the seed allows; fewer where it allows fewer.

    Each carries its words as `text`, without what introduces them ("if").
    """
    makers = [maker for maker, fits in _MAKERS if fits(seed)]
    rng.shuffle(makers)
    return [maker(seed, rng) for maker in makers[:count]]


def _number_of(seed: Seed) -> float | None:
    """Return the reference answer where it is a plain number that a reader can compare at a glance."""
    if not isinstance(seed.answer, MathAnswer):
        return None
    try:
        return float(seed.answer.value)
    except ValueError:
        return None


def _on_parity(seed: Seed, rng: Random) -> Condition:
    relation: Relation = rng.choice(("even", "odd"))
    name = {"en": relation, "zh": "偶数" if relation == "even" else "奇数"}[seed.language]
    return AnswerCondition(relation=relation, text=rng.choice(_PARITY[seed.language]).format(name))


def _on_size(seed: Seed, rng: Random) -> Condition:
    number = _number_of(seed)
    assert number is not None
    relation: Relation = rng.choice(("above", "below"))
    bound = _round_bound(number, rng)
    said = rng.choice(_SIZE[seed.language][relation]).format(bound)
    return AnswerCondition(relation=relation, value=str(bound), text=said)


def _round_bound(number: float, rng: Random) -> int:
    """Return a round number in the neighbourhood of another, and not the same: a bound that is met is no riddle."""
    step: int = 10 ** max(0, len(str(int(abs(number)))) - 2) * rng.choice((1, 2, 5))
    bound: int = (int(number) // step + rng.choice((-2, -1, 1, 2, 3))) * step
    return bound if bound != number else bound + step


def _on_request_word(seed: Seed, rng: Random) -> Condition:
    """Ask whether the request mentions a word; half the time it does."""
    text = Text(seed.request)
    if seed.language == "zh":
        inside = [word for word in KEYWORDS["zh"] if word in seed.request]
    else:
        inside = [word.lower() for word in text.words if len(word) > 4 and word.isalpha()]
        inside = [word for word in inside if word not in _FUNCTION_WORDS]
    pool = inside if inside and rng.random() < 0.5 else list(KEYWORDS[seed.language])
    word = rng.choice(pool)
    constraint = parse_constraint({"type": "keywords:existence", "keywords": [word]})
    said = rng.choice(_REQUEST_WORD[seed.language]).format(word)
    return RequestCondition(text=said, constraint=constraint)


def _on_request_length(seed: Seed, rng: Random) -> Condition:
    limit = rng.choice((15, 20, 25, 30, 40, 50, 60, 80))
    constraint = parse_constraint({"type": "length:min_words", "limit": limit})
    said = rng.choice(_REQUEST_LENGTH[seed.language]).format(limit)
    return RequestCondition(text=said, constraint=constraint)


def _on_task(seed: Seed, rng: Random) -> Condition:
    kind = rng.choice(("number", "text"))
    said = rng.choice(_TASK[seed.language][kind])
    return RequestCondition(text=said, holds=(kind == "number") == isinstance(seed.answer, MathAnswer))


def _on_response(seed: Seed, rng: Random) -> Condition:
    kind, wordings = rng.choice(_RESPONSE)
    arguments: dict[str, object] = {"type": kind}
    slot: object = ""
    if kind == "keywords:existence":
        slot = rng.choice(KEYWORDS[seed.language])
        arguments["keywords"] = [slot]
    elif kind in ("length:min_words", "length:min_sentences", "length:min_paragraphs"):
        slot = arguments["limit"] = {
            "length:min_words": rng.choice((40, 60, 80, 100, 120)),
            "length:min_sentences": rng.randint(4, 8),
            "length:min_paragraphs": rng.randint(2, 4),
        }[kind]
    else:
        slot = arguments["count"] = rng.randint(2, 5)
    constraint: Constraint = parse_constraint(arguments)
    return ResponseCondition(constraint=constraint, text=rng.choice(wordings[seed.language]).format(slot))


_FUNCTION_WORDS = frozenset(
    "about after again before being between could doesn during every first going their there these thing think this"
    " those under until where which while would should shall other really please".split()
)
_PARITY = {
    "en": ("the final answer is an {} number", "the result comes out {}", "the number you arrive at is {}"),
    "zh": ("最终答案是{}", "算出来的结果是{}", "得到的数是{}"),
}
_SIZE = {
    "en": {
        "above": (
            "the final answer is greater than {}",
            "the result is above {}",
            "the result turns out greater than {}",
        ),
        "below": ("the final answer is less than {}", "the result is below {}", "the result turns out less than {}"),
    },
    "zh": {
        "above": ("最终答案大于{}", "结果超过{}", "算出来的数比{}大"),
        "below": ("最终答案小于{}", "结果不到{}", "算出来的数比{}小"),
    },
}
_REQUEST_WORD = {
    "en": (
        'the task mentions the word "{}"',
        'the word "{}" appears in what I ask',
        'my request contains the word "{}"',
    ),
    "zh": ("题目中提到了“{}”这个词", "任务里出现了“{}”一词", "我的问题里有“{}”这个词"),
}
_REQUEST_LENGTH = {
    "en": ("the task description has {} words or more", "the question itself is at least {} words long"),
    "zh": ("任务描述不少于{}个词", "题目本身至少有{}个词"),
}
_TASK = {
    "en": {
        "number": ("the task asks for a number", "this is a calculation problem", "a numerical result is wanted"),
        "text": ("the task does not ask for a calculation", "no calculation is needed", "this is not a maths problem"),
    },
    "zh": {
        "number": ("任务要求给出一个数", "这是一道计算题", "需要得出一个数值结果"),
        "text": ("任务不要求计算", "不需要做计算", "这不是一道数学题"),
    },
}
_RESPONSE: tuple[tuple[str, dict[str, tuple[str, ...]]], ...] = (
    (
        "length:min_words",
        {
            "en": ("your answer runs to {} words or more", "you write at least {} words"),
            "zh": ("回答达到或超过{}个词", "你写了至少{}个词"),
        },
    ),
    (
        "length:min_sentences",
        {
            "en": ("your answer has {} sentences or more", "your answer has at least {} sentences"),
            "zh": ("回答至少有{}句话",),
        },
    ),
    (
        "length:min_paragraphs",
        {"en": ("you split the answer into {} or more paragraphs",), "zh": ("回答分成了{}段或更多",)},
    ),
    (
        "keywords:existence",
        {"en": ('you use the word "{}"', 'the word "{}" comes up in your answer'), "zh": ("回答中用到了“{}”这个词",)},
    ),
    (
        "layout:min_bullets",
        {
            "en": ("you list {} or more bullet points", "your answer has at least {} bullet points"),
            "zh": ("回答里至少有{}个要点",),
        },
    ),
)  # fmt: skip
_MAKERS: tuple[tuple[Callable[[Seed, Random], Condition], Callable[[Seed], bool]], ...] = (
    (_on_parity, lambda seed: (number := _number_of(seed)) is not None and number == int(number)),
    (_on_size, lambda seed: _number_of(seed) is not None),
    (_on_request_word, lambda seed: True),
    (_on_request_length, lambda seed: True),
    (_on_task, lambda seed: not isinstance(seed.answer, QaAnswer)),
    (_on_response, lambda seed: True),
)
