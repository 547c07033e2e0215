"""Items that no text can meet under the official checks, found by proof.

Two checks demand a text that every followed response contains: `repeat_prompt` at its start, `end_checker` at its end.
A ban or an upper limit that this text breaks already is broken by the whole response. What is not found here may still
be impossible: the list is sound, not complete.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rewards.parity.protocol import Variants, judge
from rewards.parity.suite import BoundCheck

_BANS = ("punctuation:no_comma", "keywords:forbidden_words")
_LIMITS = ("number_words", "frequency")  # with the relation "less than"
_NEIGHBOUR = "x"  # a letter that the rest of a response may put next to the demanded text


def contradiction(checks: Sequence[BoundCheck]) -> str:
    """Return why no text follows all of the checks, or nothing where no reason is found.

    Example:
        >>> from rewards.parity import suite
        >>> bind = suite("ifeval").bind
        >>> repeat = bind("combination:repeat_prompt", {"prompt_to_repeat": "First, add 2 and 2."})
        >>> contradiction([repeat, bind("punctuation:no_comma", {})])
        'punctuation:no_comma fails on any text that follows combination:repeat_prompt'
        >>> contradiction([repeat, bind("keywords:forbidden_words", {"forbidden_words": ["two"]})])
        ''
    """
    for demand, forms in _demands(checks):
        for check in checks:
            if _only_gets_worse(check) and all(_fails(check, form) for form in forms):
                return f"{check.id} fails on any text that follows {demand.id}"
        if demand.id == "combination:repeat_prompt" and not forms[0].startswith('"') and _has_quotation(checks):
            return f"startend:quotation fails on any text that follows {demand.id}"
    return ""


def _demands(checks: Sequence[BoundCheck]) -> Iterator[tuple[BoundCheck, tuple[str, str]]]:
    """Yield the checks that demand a text, with that text alone and next to a letter."""
    for check in checks:
        if check.id == "combination:repeat_prompt" and "prompt_to_repeat" in check.arguments:
            text = check.arguments["prompt_to_repeat"].strip()
            yield check, (text, text + _NEIGHBOUR)
        elif check.id == "startend:end_checker" and "end_phrase" in check.arguments:
            text = check.arguments["end_phrase"].strip()
            yield check, (text, _NEIGHBOUR + text)


def _only_gets_worse(check: BoundCheck) -> bool:
    """Tell whether a check that fails on a text fails on every longer one."""
    limited = check.id.endswith(_LIMITS) and check.arguments.get("relation") == "less than"
    return limited or check.id in _BANS


def _fails(check: BoundCheck, text: str) -> bool:
    return judge(check, Variants(text)).strict is False  # an undecided check proves nothing


def _has_quotation(checks: Sequence[BoundCheck]) -> bool:
    return any(check.id == "startend:quotation" for check in checks)
