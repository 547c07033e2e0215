"""Which tokens of a prompt are the user turn's, which are the constraint's, and which random spans are its control."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

from data_gen.self_evident import place
from raif.chat import ChatFormat, build_messages
from raif.sustain.records import CONSTRAINED, SustainItem, SustainRollout
from raif.sustain.settings import SustainSettings
from rewards.errors import RaifError

_MARK = "\x00"
Range = tuple[int, int]  # of characters


class Tokens(NamedTuple):
    """Tokenised text: ids, and the characters that each token covers."""

    ids: list[int]
    offsets: list[Range]


class PromptSpans(NamedTuple):
    """The tokens of a rendered prompt, and the positions of its parts.

    Fields:
        turn: the tokens of the user turn. What is left out is the sink: the first token of the sequence, and all that
            the chat template adds (its special tokens, role names, system message and the opening of the answer).
        parts: those of each constraint, or of the placebo; tokens whose characters overlap its text.
    """

    ids: list[int]
    turn: list[int]
    parts: list[list[int]]

    @property
    def constraint(self) -> list[int]:
        """The positions of all constraints together; a token that two of them share counts once."""
        return sorted({position for part in self.parts for position in part})


def tokenize(chat: ChatFormat, text: str) -> Tokens:
    """Tokenise a text as it is, with the characters of each token.

    Raises:
        RaifError: if the tokenizer cannot tell them.
    """
    if not chat.tokenizer.is_fast:
        raise RaifError(
            f"{type(chat.tokenizer).__name__} does not tell which characters a token covers; save the model with a "
            "fast tokenizer (tokenizer.json)."
        )
    found: Any = chat.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    return Tokens(list(found["input_ids"]), [(int(begin), int(end)) for begin, end in found["offset_mapping"]])


def overlapping(offsets: Sequence[Range], begin: int, end: int) -> list[int]:
    """Return the tokens from the first to the last one that cover characters of a text.

    Example:
        >>> overlapping([(0, 3), (3, 7), (7, 7), (7, 9), (9, 12)], 5, 8)
        [1, 2, 3]
    """
    inside = [i for i, (first, last) in enumerate(offsets) if first < end and last > begin]
    return list(range(inside[0], inside[-1] + 1)) if inside else []


def added_texts(item: SustainItem, rollout: SustainRollout, settings: SustainSettings) -> list[Range]:
    """Return where the constraints, or the placebo, stand in the user turn of a rollout.

    Raises:
        RaifError: if the user turn is not the task with the text of its constraints.
    """
    task = item.task
    head, _, tail = place(task.request, [_MARK], task.language, settings.placement).partition(_MARK)
    prompt, end = rollout.prompt, len(rollout.prompt) - len(tail)
    if not (prompt.startswith(head) and prompt.endswith(tail) and len(head) < end):
        raise RaifError(f"the prompt of {item.id} ({rollout.arm}) is not its task with an added text; {_AGAIN}.")
    if rollout.arm != CONSTRAINED:
        return [(len(head), end)]
    found, begin = [], len(head)
    for demand in item.at(rollout.dose, rollout.place):
        begin = prompt.find(demand.text, begin, end)
        if begin < 0:
            raise RaifError(f"the constraint {demand.text!r} of {item.id} is not in its prompt; {_AGAIN}.")
        found.append((begin, begin + len(demand.text)))
        begin = found[-1][1]
    return found


_AGAIN = "items.jsonl and rollouts.jsonl are not of one evaluation: run it again, what was drawn is kept"


def prompt_spans(
    chat: ChatFormat, system_prompt: str | None, prompt: str, texts: Sequence[Range], name: str
) -> PromptSpans:
    """Render a prompt just as it was drawn from, and find its parts.

    Args:
        prompt: the user turn.
        texts: where the texts in question stand in it, in characters.
        name: of the item, for errors.

    Raises:
        RaifError: if the chat template changes the text, so that a part is not found.
    """
    rendered = chat.thinking_prompt(build_messages(prompt, system_prompt))
    core = prompt.strip()  # templates strip what stands around a message
    shift = len(prompt) - len(prompt.lstrip())
    start = rendered.rfind(core)
    ids, offsets = tokenize(chat, rendered)
    turn = [i for i in overlapping(offsets, start, start + len(core)) if i > 0] if start >= 0 else []
    parts = [
        [i for i in overlapping(offsets, start + begin - shift, start + end - shift) if i > 0] for begin, end in texts
    ]
    if not turn or not all(parts):
        raise RaifError(
            f"the constraint of {name} is not found in the prompt that the chat template renders; the template changes "
            "the text of messages, give the model with the template it was drawn with."
        )
    return PromptSpans(ids, turn, parts)


def random_spans(turn: Sequence[int], taken: Sequence[int], draws: int, rng: Random) -> list[list[int]]:
    """Return spans of the user turn as long as those taken, and outside of them; none if there is no room.

    The rest of the turn is a ring on which a span begins anywhere, so that all its tokens are drawn equally often:
    under any attention the mean over all spans is the average token's.

    Example:
        >>> random_spans(range(6), [2, 3], 9, Random(0))
        [[5, 0], [1, 4], [0, 1], [4, 5]]
    """
    inside = set(taken)
    rest = [position for position in turn if position not in inside]
    if len(rest) < len(inside):
        return []
    starts = rng.sample(range(len(rest)), min(draws, len(rest)))
    return [[rest[(start + i) % len(rest)] for i in range(len(inside))] for start in starts]
