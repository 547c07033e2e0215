"""SUSTAIN runs of stub models: real tasks, extraction, arms and verdicts; only the model is a function of the slot."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import product

import numpy as np

from raif.evaluation.records import Item, Output
from raif.suites.judged import bookkeeping
from raif.suites.splits import divide
from raif.sustain.planning import Slot, first_slots, later_slots, read_off
from raif.sustain.records import FIRST, Demand, Domain, SustainItem, SustainRollout, Task
from raif.sustain.settings import SustainSettings
from rewards.constraint import Context, Status, checked
from rewards.judgement import Judgement, LeafVerdict
from rewards.response import Response
from rewards.reward import Reward
from rewards.task_answer import CodeAnswer, MathAnswer, QaAnswer

Stub = Callable[[Slot], str]  # a model: what it answers to a prompt
Run = tuple[list[SustainItem], list[SustainRollout]]
ONE_DOSE = SustainSettings(doses=(1,))
_THINGS = ("pens", "apples", "tickets", "stones", "letters", "lamps", "books", "coins", "ropes", "cups", "maps")
_PLACES = ("drawer", "basket", "cellar", "garden", "office", "wagon", "kitchen", "tower", "harbour", "barn", "mill")
_NAMES = ("Tomas", "Ines", "Bruno", "Clara", "Edgar", "Frida", "Gustav")
_CITIES = ("Lisbon", "Oslo", "Vienna", "Quito", "Nairobi", "Hanoi", "Ottawa", "Lima", "Riga", "Cairo", "Bern")
_CLUTTER = (  # breaks what short plain prose meets: length, lines, lists, capitals, punctuation
    "# NOTE!\n\n- **zz**, ZZ; qq: why?\n- `é` ßü... NO?!\n\n1. one\n2. two\n\n```\nqq\n```\n\n| a | b |\n|---|---|\n\n"
    + "zz qq, " * 90
    + "\n\n"
)
_AVOIDED = "therefore however because finally actually simply clearly obviously really perhaps suppose"
_PROGRAM_CLUTTER = """import math
import random


class Holder:
    value = 0


def helper(n):
    # a comment
    try:
        while n > 10**9:
            n = [k for k in (lambda v: [v])(n)][0] - 1
        return n if n < 2 else n
    except ValueError:
        for k in range(3):
            return helper(k)
"""


def make_tasks(count: int, domain: Domain = "math") -> list[Task]:
    """Return tasks that differ in their numbers and words; questions have a label `hops`, 2 or 3 by turns."""
    return [_MAKERS[domain](number) for number in range(count)]


def text_of(task: Task, right: bool = True, met: bool = True, demands: Sequence[Demand] = ()) -> str:
    """Return an answer that is right or not and, where it shall not meet the demands, breaks at least one.

    Those that meet are what the first pass of a solved task says, with another result where they shall be wrong.
    """
    plain = _plain(task, right)
    if met or not demands:
        return plain
    for text in _broken(task, right):
        if not all(_satisfied(task, demand, text) for demand in demands):
            return text
    raise AssertionError(f"no text breaks any of {[demand.text for demand in demands]}")


def always_the_first(slot: Slot) -> str:
    """Answer right in one text, whatever the prompt."""
    return text_of(slot.task)


def run_stub(stub: Stub, tasks: Sequence[Task], samples: int = 1, settings: SustainSettings = ONE_DOSE) -> Run:
    """Return the items and rollouts of a stub model, in the order of a run."""
    firsts = [judged(slot, stub(slot), settings) for slot in first_slots(tasks)]
    items = read_off(tasks, firsts, [""] * len(tasks), settings)
    rollouts = []
    for item, first in zip(items, firsts, strict=True):
        rollouts.append(judged(Slot(item.task, FIRST, 0, 0, 0, item.task.request, item.demands), first.completion))
        for slot in later_slots(item, settings, samples):
            rollouts.append(judged(slot, stub(slot), settings, item))
    return items, rollouts


class Population:
    """Items whose rollouts are judged once, right and wrong, so that many runs can be put together of them.

    Args:
        count: how many items; they are copies, under other ids, of at most 120 tasks.
        samples: of each arm but the first.
    """

    def __init__(self, count: int, samples: int = 1, domain: Domain = "math") -> None:
        self.samples = samples
        self._made = {
            (first, later): _copies(run_stub(_of(first, later), make_tasks(min(count, 120), domain), samples), count)
            for first, later in product((True, False), repeat=2)
        }

    def run(self, first: np.ndarray, **right: np.ndarray) -> Run:
        """Return the run in which outputs are right as the arrays say: `first` by item, the arms by item and sample."""
        items, rollouts = [], []
        for n, solved in enumerate(first.tolist()):
            item, by_slot = self._made[solved, True][n]
            items.append(item)
            rollouts.append(by_slot[FIRST, 0])
            for arm, sample in product(right, range(self.samples)):
                rollouts.append(self._made[solved, bool(right[arm][n, sample])][n][1][arm, sample])
        return items, rollouts


def judged(
    slot: Slot,
    text: str,
    settings: SustainSettings = ONE_DOSE,
    item: SustainItem | None = None,
    ended: bool = True,
) -> SustainRollout:
    """Return the judged completion of a slot: what the text says, its score, and the verdicts on its demands.

    One that did not end scores 0. A solved task that turned wrong gets the failure class `other` (or `truncated`).
    """
    labels = {"domain": slot.task.domain, "source": slot.task.source, **slot.task.labels}
    shown = Item(id=slot.task.id, prompt=slot.prompt, labels=labels)
    output = Output(shown, slot.arm, slot.sample, text, len(text.split()), ended, False, "none")
    parts = divide(output)
    score = float(ended and is_right(slot.task, text))
    judgement = Judgement(tuple(_leaf(slot.task, n, demand, text) for n, demand in enumerate(slot.demands)))
    lost = item is not None and item.in_dplus and score < settings.tau
    return SustainRollout.build(
        Reward(None, None, {}, score >= settings.tau, True, not ended, judgement),
        **bookkeeping(output, 0, parts),
        domain=slot.task.domain,
        prompt=slot.prompt,
        dose=slot.dose,
        place=slot.place,
        score=score,
        f1=score if slot.task.domain == "qa" else None,
        failure=("other" if ended else "truncated") if lost else "",
    )


def is_right(task: Task, text: str) -> bool:
    """Tell whether a text of this module gives the right answer; programs are run on their tests."""
    if isinstance(task.answer, CodeAnswer):
        code = re.search(r"```python\n(.*?)```", text, re.DOTALL)
        return code is not None and _passes(code[1], task.answer.tests)
    return re.findall(r"\w+", text)[-1:] == [task.gold]


# ---- parts --------------------------------------------------------------------------------------------------------


def _of(first: bool, later: bool) -> Stub:
    """Return the model that is right, or wrong, in the first pass and in all arms after it."""
    return lambda slot: text_of(slot.task, first if slot.arm == FIRST else later)


_Copy = tuple[SustainItem, dict[tuple[str, int], SustainRollout]]  # with its rollouts by arm and sample


def _copies(run: Run, count: int) -> list[_Copy]:
    """Return the items of a run over and over, under new ids."""
    items, rollouts = run
    by_id: dict[str, list[SustainRollout]] = {item.id: [] for item in items}
    for rollout in rollouts:
        by_id[rollout.instruction_id].append(rollout)
    return [_copy(items[n % len(items)], by_id[items[n % len(items)].id], f"copy/{n}") for n in range(count)]


def _copy(item: SustainItem, rollouts: Sequence[SustainRollout], key: str) -> _Copy:
    again = {(each.arm, each.sample): each.model_copy(update={"instruction_id": key}) for each in rollouts}
    return item.model_copy(update={"task": item.task.model_copy(update={"id": key})}), again


def _math(n: int) -> Task:
    a, b, thing, place = 11 + n % 83, 12 + n % 57, _THINGS[n % 11], _PLACES[(n // 11) % 11]
    request = f"Case {n}: the {place} holds {a} {thing} and {b} more arrive. How many {thing} does it hold then?"
    return Task(id=f"sums/{n}", domain="math", request=request, answer=MathAnswer(value=str(a + b)), source="sums")


def _qa(n: int) -> Task:
    name, friend, city = _NAMES[n % 7], _NAMES[(n + 3) % 7], _CITIES[n % 11]
    facts = f"Report {n}. {name} works with {friend}. {friend} lives in {city}."
    question = f"{facts} In which city does the colleague of {name} live?"
    labels = {"hops": str(2 + n % 2)}
    answer = QaAnswer(values=(city,))
    return Task(id=f"cities/{n}", domain="qa", request=question, answer=answer, source="cities", labels=labels)


def _code(n: int) -> Task:
    factor = 2 + n % 89
    request = f"Write a Python function times_{n}(number) that returns {factor} times its argument."
    tests = f"assert times_{n}(3) == {3 * factor}\nassert times_{n}(0) == 0\n"
    return Task(id=f"times/{n}", domain="code", request=request, answer=CodeAnswer(tests=tests), source="times")


_MAKERS: dict[Domain, Callable[[int], Task]] = {"math": _math, "qa": _qa, "code": _code}


def _number(task: Task) -> int:
    return int(task.id.rpartition("/")[2])


def _result(task: Task, right: bool) -> str:
    if task.domain == "math":
        return task.gold if right else str(int(task.gold) + 1)
    if task.domain == "qa":
        return task.gold if right else _CITIES[(_number(task) + 1) % 11]
    return f"number * {2 + _number(task) % 89}" if right else f"number - {2 + _number(task) % 89}"


def _plain(task: Task, right: bool) -> str:
    n, result = _number(task), _result(task, right)
    if task.domain == "code":
        name = ("result", "product", "answer", "value")[n % 4]
        return f"```python\ndef times_{n}(number):\n    {name} = {result}\n    return {name}\n```"
    if task.domain == "qa":
        opening = ("The colleague is named in the report", "We read who works there", "Two facts are needed")[n % 3]
        return f"{opening}.\nThe second fact gives the place.\nThe city is {result}"
    thing, place = _THINGS[n % 11], _PLACES[(n // 11) % 11]
    opening = ("First we look at what is there", "Both amounts count", "The new ones join the old ones")[n % 3]
    middle = f"Nothing leaves the {place} in between.\n" if n % 2 else ""
    return f"{opening}.\n{middle}We add the {thing} that arrive.\nThe {place} then holds {result}"


def _broken(task: Task, right: bool) -> Iterable[str]:
    result = _result(task, right)
    if task.domain == "code":
        n = _number(task)
        yield f"```python\ntimes_{n} = lambda number: {result}\n```"
        yield (
            f"```python\n{_PROGRAM_CLUTTER}\n\ndef times_{n}(number: int) -> int:\n"
            f'    """Multiply."""\n    for _ in range(1):\n        xx = helper({result})\n    return {result}\n```'
        )
        return
    yield result
    yield f"{_CLUTTER}{result}"
    yield f"{_AVOIDED} {'по-русски ' * 99}{result}"


def _leaf(task: Task, number: int, demand: Demand, text: str) -> LeafVerdict:
    context = Context(task.request, task.language)
    verdict = checked(demand.constraint, Response(None, text), context)
    return LeafVerdict(f"and.{number}", demand.constraint.type, verdict)


def _satisfied(task: Task, demand: Demand, text: str) -> bool:
    return _leaf(task, 0, demand, text).verdict.status is Status.SATISFIED


@lru_cache(maxsize=4096)
def _passes(code: str, tests: str) -> bool:
    space: dict[str, object] = {}
    try:
        exec(f"{code}\n{tests}", space)  # a text of this module, nobody else's
    except Exception:
        return False
    return True
