"""How an answer is judged: a coroutine that yields calls to a judge, receives the replies and returns verdicts.

So that one driver can serve thousands of answers at once, an adapter never calls a judge itself. Where calls depend on
earlier replies (a growing chat, a second try) it yields again.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from raif.benchmarks.items import QuestionItem, QuestionVerdict
from raif.chat import Messages
from rewards.judge import Question as JudgeQuestion
from rewards.judge.prompts import defuse, render
from rewards.judge.replies import read_word
from rewards.think_styles import CLOSE

T = TypeVar("T")
K = TypeVar("K")
AGAIN = "|again"


class Call(NamedTuple):
    """One request to a judge; `name` is unique within an answer: "item", or the id of the question asked."""

    name: str
    messages: Messages


#: Yields calls that may be answered at the same time, receives the replies by name, returns `T`.
Steps = Generator[list[Call], Mapping[str, str], T]
Judging = Steps[list[QuestionVerdict]]
#: Answers calls, each with the key of the answer that it belongs to, in order.
Answering = Callable[[Sequence[tuple[str, Call]]], list[str]]


def user_call(name: str, text: str) -> Call:
    """Return a call of a single user turn."""
    return Call(name, [{"role": "user", "content": text}])


class Heard(NamedTuple, Generic[T]):
    """What a judge said to one call: the value read (None: unreadable), and the replies, one or two, in order."""

    value: T | None
    replies: list[str]


def readable(call: Call, read: Callable[[str], T | None], form: str) -> Steps[Heard[T]]:
    """Ask, and ask once more if the reply cannot be read; one that is empty was refused, and is not asked for again.

    Args:
        read: what a reply says, None if it is unreadable.
        form: what is said to the judge in the second try about how to reply; "" for no second try.
    """
    replies = [(yield [call])[call.name]]
    found = read(replies[0])
    if found is None and form and replies[0]:
        more = [{"role": "assistant", "content": defuse(replies[0])}, {"role": "user", "content": form}]
        again = Call(call.name + AGAIN, [*call.messages, *more])
        replies.append((yield [again])[again.name])
        found = read(replies[1])
    return Heard(found, replies)


def together(parts: Sequence[Steps[T]]) -> Steps[list[T]]:
    """Run coroutines side by side: each round holds the calls of all that are still running."""
    results: dict[int, T] = {}
    waiting: dict[int, list[Call]] = {}
    for number, part in enumerate(parts):
        _advance(number, part, None, waiting, results)
    while waiting:
        replies = yield [call for calls in waiting.values() for call in calls]
        for number, calls in list(waiting.items()):
            del waiting[number]
            _advance(number, parts[number], {call.name: replies[call.name] for call in calls}, waiting, results)
    return [results[number] for number in range(len(parts))]


def nothing_asked(verdicts: Iterable[QuestionVerdict]) -> Judging:
    """Return verdicts that needed no judge."""
    yield from ()
    return list(verdicts)


def one_by_one(item: QuestionItem, answer: str, decided: Mapping[str, QuestionVerdict]) -> Judging:
    """Ask each question by itself, with our own prompt and a one-word reply, whatever the benchmark does.

    Args:
        decided: verdicts by id that need no judge.
    """

    turns = [f"{message['role']}: {message['content']}" for message in item.conversation]
    request = item.prompt if len(turns) == 1 else "\n\n".join(turns)

    def ask(key: str, text: str) -> Steps[QuestionVerdict]:
        asked = JudgeQuestion(question=text, request=request, answer=answer, language=item.language)
        prompt = render(asked)
        yes, replies = yield from readable(user_call(key, prompt.text), read_word, prompt.closing)
        value = None if yes is None else float(yes)
        return QuestionVerdict(id=key, value=value, reason=replies[-1], official=float(bool(yes)))

    open_ones = [question for question in item.questions if question.id not in decided]
    found = yield from together([ask(question.id, question.text) for question in open_ones])
    by_id = {**decided, **{verdict.id: verdict for verdict in found}}
    return [by_id[question.id] for question in item.questions]


class Judged(NamedTuple):
    """What a finished coroutine leaves: verdicts, and every call in order, with its reply."""

    verdicts: list[QuestionVerdict]
    asked: list[tuple[Call, str]]

    @property
    def replies(self) -> dict[str, str]:
        """The replies by call, without the judge's thinking; a second try to which nobody replied is none."""
        return {
            call.name: without_thinking(reply) for call, reply in self.asked if reply or not call.name.endswith(AGAIN)
        }


def drive(running: Mapping[str, Judging], answering: Answering) -> dict[str, Judged]:
    """Run coroutines by key, round by round: the calls of all of them are answered together."""
    results: dict[str, list[QuestionVerdict]] = {}
    waiting: dict[str, list[Call]] = {}
    asked: dict[str, list[tuple[Call, str]]] = {key: [] for key in running}
    for key, judging in running.items():
        _advance(key, judging, None, waiting, results)
    while waiting:
        calls = [(key, call) for key, calls in waiting.items() for call in calls]
        waiting = {}
        replies: dict[str, dict[str, str]] = {}
        for (key, call), reply in zip(calls, answering(calls), strict=True):
            asked[key].append((call, reply))
            replies.setdefault(key, {})[call.name] = without_thinking(reply)
        for key, given in replies.items():
            _advance(key, running[key], given, waiting, results)
    return {key: Judged(results[key], asked[key]) for key in running}


def without_thinking(reply: str) -> str:
    """Return what a judge says after its thinking."""
    return reply.rpartition(CLOSE)[2].strip()


def _advance(
    key: K,
    steps: Steps[T],
    replies: Mapping[str, str] | None,
    waiting: dict[K, list[Call]],
    results: dict[K, T],
) -> None:
    """Run a coroutine up to its next calls, or to its end."""
    try:
        calls = next(steps) if replies is None else steps.send(replies)
        while not calls:
            calls = steps.send({})
    except StopIteration as ended:
        results[key] = ended.value
    else:
        waiting[key] = calls
