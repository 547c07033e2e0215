"""What the branch of a Selection hangs on, drawn for a seed and said in English or Chinese."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from random import Random

from data_gen.seeds import Seed
from data_gen.seeds.source import EMBEDDED
from data_gen.seeds.table import LICENCE
from data_gen.vocabulary import KEYWORDS
from rewards.conditions import AnswerCondition, Condition, Relation, RequestCondition, ResponseCondition
from rewards.constraint import Constraint, Context, parse_constraint
from rewards.response import Response
from rewards.task_answer import MathAnswer
from rewards.text import Text

#: Tells whether a condition may be about a constraint.
Allowed = Callable[[Constraint], bool]
Maker = Callable[[Seed, Random], Condition | None]
_LARGEST = 1e12  # of the answers that a reader compares at a glance
_DRAWS = 12  # of a condition, before a kind is given up of which none may be asked


def anything(constraint: Constraint) -> bool:
    """Allow every condition."""
    return True


def holds(condition: Condition, seed: Seed) -> bool | None:
    """Tell whether a condition holds for a seed, or None where that is up to the response."""
    if isinstance(condition, ResponseCondition):
        return None
    return condition.decide(Response(None, ""), Context(seed.request, seed.language), seed.answer).holds


def against(condition: Condition) -> Constraint | None:
    """Return a constraint by which a response keeps clear of a condition on it, where there is one."""
    if not isinstance(condition, ResponseCondition) or condition.constraint.type not in _OPPOSITES:
        return None
    opposite, argument = _OPPOSITES[condition.constraint.type]
    value = getattr(condition.constraint, argument)
    return parse_constraint({"type": opposite, argument: value - 1 if isinstance(value, int) else value})


def draw_conditions(seed: Seed, count: int, rng: Random, allowed: Allowed = anything) -> list[Condition]:
    """Draw conditions that can be told apart, of as many kinds as the seed allows; fewer where it allows fewer.

    Each carries its words as `text`, without what introduces them ("if").
    """
    makers = [maker for maker, fits in _MAKERS if fits(seed)]
    rng.shuffle(makers)
    found: list[Condition] = []
    for maker in makers:
        if len(found) == count:
            break
        condition = next(filter(lambda each: _may_be_asked(each, allowed), _draws(maker, seed, rng)), None)
        if condition is not None:
            found.append(condition)
    return found


def _draws(maker: Maker, seed: Seed, rng: Random) -> Iterator[Condition]:
    return (condition for _ in range(_DRAWS) if (condition := maker(seed, rng)) is not None)


def _may_be_asked(condition: Condition, allowed: Allowed) -> bool:
    constraint = None if isinstance(condition, AnswerCondition) else condition.constraint
    return constraint is None or allowed(constraint)


def _number_of(seed: Seed) -> float | None:
    """Return the reference answer where it is a plain number that a reader can compare at a glance."""
    if not isinstance(seed.answer, MathAnswer):
        return None
    try:
        number = float(seed.answer.value)
    except ValueError:
        return None
    return number if abs(number) < _LARGEST else None


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
    """Return a round number in the neighbourhood of another, and not the same: a bound that is met is no riddle.

    Of a number that is not negative, the bound is positive, since everything countable is more than that.
    """
    step: int = 10 ** max(0, len(str(int(abs(number)))) - 2) * rng.choice((1, 2, 5))
    bound: int = (int(number) // step + rng.choice((-2, -1, 1, 2, 3))) * step
    if number >= 0:
        bound = max(bound, step)
    return bound if bound != number else bound + step


def _on_request_word(seed: Seed, rng: Random) -> Condition:
    """Ask whether the request mentions a word; half the time it does, else it mentions nothing like it either."""
    text, folded = Text(seed.request), seed.request.lower()
    if seed.language == "zh":
        inside = [word for word in KEYWORDS["zh"] if word in seed.request]
    else:
        inside = [word.lower() for word in text.words if len(word) > 4 and word.isalpha()]
        inside = [word for word in inside if word not in _FUNCTION_WORDS]
    others = [word for word in KEYWORDS[seed.language] if word[:4] not in folded]  # "friends" is nearly a friend
    pool = inside if inside and rng.random() < 0.5 else others
    word = rng.choice(pool)
    constraint = parse_constraint({"type": "keywords:existence", "keywords": [word]})
    said = rng.choice(_REQUEST_WORD[seed.language]).format(word)
    return RequestCondition(text=said, constraint=constraint)


def _on_request_length(seed: Seed, rng: Random) -> Condition | None:
    """Ask for the length of the request, well away from it: readers do not count alike."""
    least, most = _request_lengths(seed)
    limits = [limit for limit in range(10, 100) if limit < 0.8 * least or limit > 1.25 * most]
    limit = rng.choice(limits) if limits else None
    if limit is None:
        return None
    constraint = parse_constraint({"type": "length:min_words", "limit": limit})
    said = rng.choice(_REQUEST_LENGTH[seed.language]).format(limit)
    return RequestCondition(text=said, constraint=constraint)


def _request_lengths(seed: Seed) -> tuple[int, int]:
    """Return the smallest and the largest number of words (Chinese: characters) that a reader may count."""
    own = len(Text(seed.request).words)
    if seed.language == "zh":
        naive, box = sum(not character.isspace() for character in seed.request), 10
    else:
        naive, box = len(seed.request.split()), 8
    return min(own, naive), max(own, naive) + (box if isinstance(seed.answer, MathAnswer) else 0)


def _asks_plainly(seed: Seed) -> bool:
    """Tell whether anybody can say if a task is a calculation; of tasks from files without an answer nobody knows."""
    if isinstance(seed.answer, MathAnswer):
        return True
    ours = seed.set in EMBEDDED and seed.licence == LICENCE
    return seed.answer is None and ours and not _ABOUT_MATHS.search(seed.request)


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
            "length:min_words": rng.randrange(40, 125, 5),
            "length:min_sentences": rng.randint(4, 8),
            "length:min_paragraphs": rng.randint(2, 4),
        }[kind]
    else:
        slot = arguments["count"] = rng.randint(2, 5)
    constraint: Constraint = parse_constraint(arguments)
    return ResponseCondition(constraint=constraint, text=rng.choice(wordings[seed.language]).format(slot))


_OPPOSITES = {
    "length:min_words": ("length:max_words", "limit"),
    "length:min_sentences": ("length:max_sentences", "limit"),
    "length:min_paragraphs": ("length:max_paragraphs", "limit"),
    "keywords:existence": ("keywords:forbidden", "keywords"),
}
_ABOUT_MATHS = re.compile(r"fraction|maths|statistic|分数|数学|统计", re.IGNORECASE)
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
        'the word "{}" appears in the request',
        'the request contains the word "{}"',
    ),
    "zh": ("题目中提到了“{}”这个词", "任务里出现了“{}”一词", "问题里有“{}”这个词"),
}
_REQUEST_LENGTH = {
    "en": ("the task description has {} words or more", "the task itself is at least {} words long"),
    "zh": ("任务描述不少于{}个字", "题目本身至少有{}个字"),
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
            "zh": ("回答达到或超过{}个字", "你写了至少{}个字"),
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
_MAKERS: tuple[tuple[Maker, Callable[[Seed], bool]], ...] = (
    (_on_parity, lambda seed: (number := _number_of(seed)) is not None and number == int(number)),
    (_on_size, lambda seed: _number_of(seed) is not None),
    (_on_request_word, lambda seed: True),
    (_on_request_length, lambda seed: True),
    (_on_task, _asks_plainly),
    (_on_response, lambda seed: True),
)
