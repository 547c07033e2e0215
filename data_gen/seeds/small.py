"""The two small embedded sets: one-step arithmetic, and notes about everyday topics."""

from __future__ import annotations

from random import Random

from data_gen.seeds.arithmetic import problem
from data_gen.seeds.seed import Seed, Solution
from data_gen.seeds.topics import TOPICS
from rewards.task_answer import MathAnswer


class ArithmeticSeeds:
    """Word problems with one small operation, made from templates, exact answers, English and Chinese.

    Example:
        >>> seed = ArithmeticSeeds().draw(Random(0), "en")
        >>> seed.request, seed.answer.value
        ('Leo fills 4 boxes with 5 apples each. How many apples are there?', '20')
    """

    name = "arithmetic"
    languages = ("en", "zh")

    def draw(self, rng: Random, language: str) -> Seed:
        task = problem(rng)
        solutions = {
            code: Solution(task.thinking, task.core[code], task.optional[code]) for code in ArithmeticSeeds.languages
        }
        return Seed(self.name, task.id, language, task.request[language], MathAnswer(value=str(task.result)), solutions)


class WritingSeeds:
    """Short writing and explaining requests about everyday topics, English and Chinese, without a ground truth.

    Example:
        >>> WritingSeeds().draw(Random(1), "en").request
        'Write a note about a train.'
    """

    name = "writing"
    languages = ("en", "zh")

    def draw(self, rng: Random, language: str) -> Seed:
        topic = TOPICS[rng.randrange(len(TOPICS))]
        request = rng.choice(topic.requests[language])
        solutions = {code: Solution("", facts[:1], facts[1:]) for code, facts in topic.facts.items()}
        return Seed(self.name, topic.id, language, request, None, solutions)
