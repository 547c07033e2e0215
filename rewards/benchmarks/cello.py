"""CELLO (He et al. 2024): rule scores of one answer to a complex Chinese instruction.

Four criteria, each in [0, 1] or not applicable: the answer's format, its use of the input, prescribed phrases, counts.
`official` reproduces the published scorer; the default corrects it, and a comment stands at each departure.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from rewards.benchmarks.cello_bleu import character_bleu
from rewards.benchmarks.cello_count import count_part
from rewards.benchmarks.cello_notation import MAX_CHARACTERS, parses_as
from rewards.benchmarks.cello_rules import CelloRules, Part, Phrases, parse_rules

__all__ = ["CelloRules", "Part", "parse_rules", "score"]

_NO_INPUT = "NULL"


def score(
    rules: CelloRules, answer: str | None, *, previous: str | None, input_text: str, official: bool = False
) -> dict[str, Part]:
    """Score one answer on the criteria `format`, `input`, `phrases` and `count`.

    answer: None when the model gave none. previous: the previous answer of the conversation, None in a first turn.
    input_text: the text the instruction works on; "" or "NULL" where there is none.

    Example:
        >>> rules = CelloRules(notation="json", format_phrases=(("{", "}"),), task_phrases=(("plan", "step"),))
        >>> {name: part.value for name, part in score(rules, '{"plan": 1}', previous=None, input_text="").items()}
        {'format': 1.0, 'input': None, 'phrases': 0.5, 'count': None}
    """
    if answer is None and official:
        return {name: Part(0.0, "no answer") for name in ("format", "input", "phrases", "count")}
    text = answer or ""
    parts = {
        "format": _format(rules, text, official),
        "input": _input(rules, text, input_text, official),
        "phrases": _contained(rules.task_phrases, text, official),
        # Strict: the true previous answer; the published results hold the answer itself in its place.
        "count": count_part(rules.counts, text, previous=text if official else previous, official=official),
    }
    # Strict: no answer earns 0 where the item asks for something; published, an empty text passes each upper limit.
    if not official and not text.strip():
        return {name: Part(None if part.value is None else 0.0, "no answer") for name, part in parts.items()}
    return parts


def _format(rules: CelloRules, answer: str, official: bool) -> Part:
    parts = [_notation(rules, answer, official), _contained(rules.format_phrases, answer, official)]
    values = [part.value for part in parts if part.value is not None]
    return Part(fmean(values) if values else None, "; ".join(part.evidence for part in parts if part.evidence))


def _notation(rules: CelloRules, answer: str, official: bool) -> Part:
    if rules.notation is None:
        return Part(None)
    names = (rules.notation,) if isinstance(rules.notation, str) else rules.notation
    # Strict: a limit written as a list, ["xml"], is read; published, it matches no notation and nothing satisfies it.
    readable = not official or isinstance(rules.notation, str)
    parsed = readable and any(parses_as(answer, name, official=official) for name in names)
    length = f" (longer than {MAX_CHARACTERS} characters)" if len(answer) > MAX_CHARACTERS else ""
    return Part(float(parsed), f"{'parses' if parsed else 'does not parse'} as {' or '.join(names)}{length}")


def _input(rules: CelloRules, answer: str, input_text: str, official: bool) -> Part:
    part = _contained(rules.input_phrases, answer, official)
    if part.value is None or input_text == _NO_INPUT:
        return part
    copied = character_bleu(answer, input_text)
    return Part(part.value * (1 - copied), f"{part.evidence}; BLEU {copied:.3f} against the input")


def _contained(sets: Sequence[Phrases], answer: str, official: bool) -> Part:
    """Return the share of the phrases the answer contains, the best of several sets."""
    # Strict: a second set gives the same phrases in the other language; published, it is never read.
    parts = [_share(each, answer, official) for each in (sets[:1] if official else sets)]
    return max(parts, key=lambda part: part.value or 0.0, default=Part(None))


def _share(phrases: Phrases, answer: str, official: bool) -> Part:
    # Strict: a limit written as one text is one phrase; published, its characters are looked for one by one.
    wanted = (phrases,) if isinstance(phrases, str) and not official else tuple(phrases)
    missing = [phrase for phrase in wanted if phrase not in answer]
    found = len(wanted) - len(missing)
    lack = f", missing {', '.join(map(repr, missing))}" if missing else ""
    return Part(found / len(wanted), f"{found} of {len(wanted)} phrases{lack}")
