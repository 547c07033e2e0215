"""What a demand must still say after rewriting: its quoted text, numbers, bounds, prohibition and subject."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Literal, NamedTuple, get_origin

from data_gen.evolve.bounds import Bound, bounds_in, without_bounds
from data_gen.evolve.numbers import values_in
from rewards.constraint import Constraint, known_constraints
from rewards.scope import numbered
from rewards.text import keyword_spans

_QUOTED = re.compile(r"[\"“「『](?P<text>[^\"“”「」『』\n]+)[\"”」』]")
_NEGATION = {
    "en": re.compile(
        r"\b(?:no|not|never|nor|neither|none|cannot|without|avoid\w*|refrain\w*|omit\w*|exclud\w*|forbid\w*|"
        r"prohibit\w*|ban(?:ned)?|skip\w*|free of|leav\w+ out|stay\w* away|steer\w* clear)\b|n['’]t\b",
        re.IGNORECASE,
    ),
    "zh": re.compile("不|勿|别(?=[用写出含带提让加])|避免|禁|无|没有|免去|去掉"),
}
_HARMLESS = {  # negations that prohibit nothing
    "en": re.compile(
        r"\b(?:do not|don['’]t|never) (?:forget|fail)|\bnot (?:only|just)|\bno matter|\bwithout fail", re.I
    ),
    "zh": re.compile("不要忘|别忘|不仅|不但|不只|不论|无论|不管|不同|不妨|无比"),
}
_OPPOSITES = {
    "en": (
        (r"first|begin\w*|start\w*|open\w*", r"last|end(?:s|ing)?|final\w*|clos(?:e|es|ing)|conclu\w*"),
        (r"upper ?-?case|capitals?|caps", r"lower ?-?case"),
        (r"ascending|increas\w*", r"descending|decreas\w*"),
    ),
    "zh": (("开头|第一|开始|首", "结尾|最后|结束|末"), ("大写", "小写"), ("升序|递增", "降序|递减|倒序")),
}
_COMMON = frozenset(
    "use uses using write writes make made give gives put puts have has with your the answer response reply must and "
    "for its that this each every all any one ones least most more than exactly only from into there here them they "
    "their which what when where will would should can may such like please sure keep contain contains include "
    "includes need needs want not but are stay within about somewhere does without out".split()
)
_COMMON_HAN = frozenset(
    "回答 使用 至少 最多 恰好 必须 不要 每个 一个 不能 可以 要求 内容 其中 全部 所有 出现 需要".split()
)
_WORD = re.compile(r"[a-z]{3,}")
_HAN = re.compile(r"[\u4e00-\u9fff]+")
_NAME = re.compile(r"[A-Z][a-z]+|[\u4e00-\u9fff]{1,6}[文语]")
_QUOTED_MARK = re.compile(r"[\"“「『'‘`](?P<mark>\S)[\"”」』'’`]")
_SLOT = re.compile(r"\{[^{}]*\}")
_RARE = 4  # words of a wording that count as its subject
_STEM = 5


class Kept(NamedTuple):
    """What must stay of one demand.

    Fields:
        literals: text that must stay letter by letter.
        marks: single characters, which count only inside quotation marks.
        numbers, bounds: values, and the sides on which they bound.
        subject: stems (pairs of characters in Chinese), of which at least one must stay; empty where literals do.
        prohibits: whether it forbids something; None where its own wordings differ in that.
    """

    literals: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    numbers: frozenset[float] = frozenset()
    bounds: frozenset[Bound] = frozenset()
    subject: frozenset[str] = frozenset()
    prohibits: bool | None = None


def kept_of(constraint: Constraint, text: str, language: str) -> Kept:
    """Return what a wording of a constraint says of its arguments, as far as every wording of it does.

    Example:
        >>> from rewards.constraint import parse_constraint
        >>> rule = parse_constraint({"type": "keywords:max_frequency", "keyword": "moss", "count": 3})
        >>> kept = kept_of(rule, 'Use the word "moss" at most three times.', "en")
        >>> kept.literals, sorted(kept.numbers), sorted(kept.bounds), kept.prohibits
        (('moss',), [3.0], [Bound(kind='upper', value=3.0)], False)
    """
    values = list(_leaves(_free_arguments(constraint)))
    texts = [value for value in values if isinstance(value, str) and value.strip()] + _names(constraint, language)
    said = [value for value in dict.fromkeys(texts) if contains(text, value)]
    literals = tuple(value for value in said if len(value) > 1)
    quoted = {match["text"] for match in _QUOTED.finditer(text)}
    marks = tuple(sorted(quote for quote in quoted if len(quote) == 1 and any(quote in value for value in texts)))
    numbers = {abs(float(value)) for value in values if isinstance(value, (int, float)) and not isinstance(value, bool)}
    place = numbered(constraint.scope)
    numbers |= {float(abs(place[1]))} if place and place[1] != -1 else set()
    numbers &= values_in(text)
    wordings = [text, *(constraint.describe(language, number) for number in range(len(constraint.phrases[language])))]
    bounds = set.intersection(*(bounds_in(wording, language) for wording in wordings))
    prohibits = {is_negative(_main_clause(wording), language) for wording in wordings}
    return Kept(
        literals=literals,
        marks=marks,
        numbers=frozenset(numbers),
        bounds=frozenset(bound for bound in bounds if bound.value in numbers),
        subject=frozenset() if literals or marks else subject_of(constraint.type, text, language),
        prohibits=prohibits.pop() if len(prohibits) == 1 else None,
    )


def _free_arguments(constraint: Constraint) -> dict[str, Any]:
    """Return the arguments that are said as they are; a choice such as `ascending` is worded in many ways."""
    fields = type(constraint).model_fields
    choices = {name for name, field in fields.items() if get_origin(field.annotation) is Literal}
    return constraint.model_dump(exclude={"type", "scope", *choices})


def _names(constraint: Constraint, language: str) -> list[str]:
    """Return the names that stand for arguments, such as that of a language."""
    slots = [value for key, value in constraint.slots(language).items() if key != "s"]
    return [value for value in _leaves(slots) if isinstance(value, str) and _NAME.fullmatch(value)]


def losses(kept: Kept, text: str, language: str) -> Iterator[tuple[str, str]]:
    """Yield what a text no longer says, as a short reason and a sentence that can be told to its writer."""
    for literal in kept.literals:
        if not contains(text, literal):
            yield "lost a quoted text", f'the text "{literal}" is missing'
    quotes = {match["mark"] for match in _QUOTED_MARK.finditer(text)}
    for mark in sorted(set(kept.marks) - quotes):
        yield "lost a quoted text", f'"{mark}" is missing; write it in quotation marks'
    for number in sorted(kept.numbers - values_in(text)):
        yield "lost a number", f"the number {number:g} is missing"
    said = bounds_in(text, language)
    for bound in sorted(kept.bounds - said):
        if bound.kind != "exact" and bound.value in values_in(text):
            side = "at most" if bound.kind == "upper" else "at least"
            yield "changed a bound", f"it must say that {bound.value:g} is meant as {side}"
    if kept.subject and not kept.subject & stems(text, language):
        yield "lost its subject", f"nothing is left of what it speaks about ({', '.join(sorted(kept.subject))})"


def turned(before: str, after: str, kept: Kept, language: str) -> Iterator[tuple[str, str]]:
    """Yield how one rewritten demand says the opposite of what it said."""
    negative = is_negative(after, language)
    if kept.prohibits and not negative:
        yield "lost a prohibition", "it must still prohibit what it prohibited"
    elif kept.prohibits is False and negative and is_negative(_main_clause(after), language):
        yield "became a prohibition", "it must not prohibit what it asked for"
    known = bounds_in(before, language)
    for bound in sorted(bounds_in(after, language) - known):
        if any(other.value == bound.value for other in known):
            yield "changed a bound", f"it must not bound {bound.value:g} in another way than before"
    for pair in _OPPOSITES[language]:
        here, there = (re.compile(side if language == "zh" else rf"\b(?:{side})\b", re.I) for side in pair)
        for one, other in ((here, there), (there, here)):
            if one.search(before) and not other.search(before) and other.search(after) and not one.search(after):
                yield "turned round", f"it must say {one.search(before)[0]!r} as before"  # type: ignore[index]


def contains(text: str, value: str) -> bool:
    """Tell whether a text holds a value letter by letter; words also with another capital, and only as whole words."""
    if re.fullmatch(r"[A-Za-z'-]+", value):
        return any(keyword_spans(text, value))
    return value in text


def is_negative(text: str, language: str) -> bool:
    """Tell whether a text prohibits something, bounds on numbers and quoted text aside.

    Example:
        >>> is_negative("Do not use commas.", "en"), is_negative("Write no more than 3 words, don't forget.", "en")
        (True, False)
    """
    plain = _QUOTED.sub("", without_bounds(text, language))
    return _NEGATION[language].search(_HARMLESS[language].sub("", plain)) is not None


def _main_clause(text: str) -> str:
    """Return a demand without its explanations, in which a negation prohibits nothing."""
    return re.split(r"[;(（；]|[.。](?:\s|\Z)", text.strip(), maxsplit=1)[0]


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def stems(text: str, language: str) -> set[str]:
    """Return the beginnings of the words of a text; in Chinese the pairs of neighbouring characters.

    Example:
        >>> sorted(stems("Use no commas.", "en")), sorted(stems("不用逗号", "zh"))
        (['comma'], ['不用', '用逗', '逗号'])
    """
    if language == "zh":
        return {run[i : i + 2] for run in _HAN.findall(text) for i in range(len(run) - 1)} - _COMMON_HAN
    return {word.rstrip("s")[:_STEM] for word in _WORD.findall(text.lower()) if word not in _COMMON}


def subject_of(kind: str, text: str, language: str) -> frozenset[str]:
    """Return the stems that set a constraint type apart, in any of its wordings.

    Example:
        >>> sorted(subject_of("punctuation:no_comma", "Skip commas.", "en"))
        ['comma', 'skip']
    """
    frequencies, own = _subjects(language)
    return own.get(kind, frozenset()) | _rarest(stems(text, language), frequencies)


@lru_cache(maxsize=2)
def _subjects(language: str) -> tuple[Counter[str], dict[str, frozenset[str]]]:
    wordings = {
        kind: [stems(_SLOT.sub(" ", phrase), language) for phrase in cls.phrases[language]]
        for kind, cls in known_constraints().items()
    }
    frequencies = Counter(stem for found in wordings.values() for stem in set().union(*found))
    own = {kind: frozenset().union(*(_rarest(each, frequencies) for each in found)) for kind, found in wordings.items()}
    return frequencies, own


def _rarest(found: set[str], frequencies: Counter[str]) -> frozenset[str]:
    return frozenset(sorted(found, key=lambda stem: (frequencies[stem], stem))[:_RARE])
