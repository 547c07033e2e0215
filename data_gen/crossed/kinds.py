"""The 15 ids of MathIF as demands to draw: their arguments, within the benchmark's ranges, and our wordings of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any, NamedTuple

from data_gen.crossed.statements import sentence_bank
from data_gen.crossed.verdicts import Demand
from rewards.language import LANGUAGES

_POOL = """
result value number product quotient amount double triple ratio equation formula unknown fraction decimal percent
digit remainder divisor multiple factor graph angle volume length width height speed distance price average estimate
method approach check verify compute simplify expand substitute reduce combine compare conclude suppose observe notice
hence initially afterwards exactly together separately already
"""
#: Words of mathematical prose, none inside another.
KEYWORDS = tuple(_POOL.split())
END_PHRASES = ("That completes the solution.", "Ask me if any step is unclear.")
LESS, LEAST = "less than", "at least"


class Drawing(NamedTuple):
    """What arguments are drawn from: a generator, words not yet used for the problem, the question, and relations."""

    rng: Random
    words: Iterator[str]
    question: str
    relations: tuple[str, ...] = (LEAST, LESS)


class Kind(NamedTuple):
    """An id with how its arguments are drawn and said; `silent` is one that a response without words satisfies."""

    id: str
    draw: Callable[[Drawing], dict[str, Any]]
    say: Callable[[Mapping[str, Any]], str]
    silent: bool = False

    def demand(self, drawing: Drawing) -> Demand:
        """Draw the arguments."""
        return Demand(self.id, self.draw(drawing))


def _none(drawing: Drawing) -> dict[str, Any]:
    return {}


def _two_words(name: str) -> Callable[[Drawing], dict[str, Any]]:
    return lambda drawing: {name: [next(drawing.words), next(drawing.words)]}


def _number(name: str, low: int, high: int) -> Callable[[Drawing], dict[str, Any]]:
    return lambda drawing: {name: drawing.rng.randint(low, high)}


def _frequency(drawing: Drawing) -> dict[str, Any]:
    relation = drawing.rng.choice(drawing.relations)
    return {"keyword": next(drawing.words), "frequency": drawing.rng.randint(1, 3), "relation": relation}


def _num_words(drawing: Drawing) -> dict[str, Any]:
    return {"num_words": drawing.rng.randint(128, 1024), "relation": drawing.rng.choice(drawing.relations)}


def _sections(drawing: Drawing) -> dict[str, Any]:
    spliter = drawing.rng.choice(("Section", "SECTION"))
    return {"section_spliter": spliter, "num_sections": drawing.rng.randint(1, 5)}


def _capitals(drawing: Drawing) -> dict[str, Any]:
    relation = drawing.rng.choice(drawing.relations)
    return {"capital_frequency": drawing.rng.randint(1, 20), "capital_relation": relation}


def _language(drawing: Drawing) -> dict[str, Any]:
    return {"language": drawing.rng.choice(sorted(sentence_bank()))}


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _bound(relation: str, number: int) -> str:
    return f"{'at least' if relation == LEAST else 'fewer than'} {number}"


def _say_frequency(a: Mapping[str, Any]) -> str:
    times = _bound(a["relation"], a["frequency"])
    return f'Let the word "{a["keyword"]}" occur {times} time{"" if a["frequency"] == 1 else "s"} in the response.'


def _say_capitals(a: Mapping[str, Any]) -> str:
    count = _bound(a["capital_relation"], a["capital_frequency"])
    return f"Write {count} word{'' if a['capital_frequency'] == 1 else 's'} in nothing but capital letters."


def _say_sections(a: Mapping[str, Any]) -> str:
    marker, parts = a["section_spliter"], _counted(a["num_sections"], "part")
    return f'Divide the response into {parts} and open each with its number after "{marker}", as in {marker} 1.'


KINDS: tuple[Kind, ...] = (
    Kind("keywords:existence", _two_words("keywords"),
         lambda a: 'Make use of the words "{}" and "{}".'.format(*a["keywords"])),
    Kind("keywords:frequency", _frequency, _say_frequency),
    Kind("keywords:forbidden_words", _two_words("forbidden_words"),
         lambda a: 'Do without the words "{}" and "{}".'.format(*a["forbidden_words"]), silent=True),
    Kind("language:response_language", _language,
         lambda a: f"Write the whole response in {LANGUAGES[a['language']][0]}.", silent=True),
    Kind("length_constraint_checkers:number_words", _num_words,
         lambda a: f"Let the response have {_bound(a['relation'], a['num_words'])} words."),
    Kind("detectable_format:number_bullet_lists", _number("num_bullets", 1, 5),
         lambda a: f"Use exactly {_counted(a['num_bullets'], 'markdown bullet point')}, each a line that opens with "
                   '"- " or "* ".'),
    Kind("detectable_format:number_highlighted_sections", _number("num_highlights", 1, 4),
         lambda a: f"Emphasise at least {_counted(a['num_highlights'], 'part')} of the response in markdown, *like "
                   "this*."),
    Kind("detectable_format:multiple_sections", _sections, _say_sections),
    Kind("combination:repeat_prompt", lambda drawing: {"prompt_to_repeat": drawing.question},
         lambda a: "Open the response with a copy of the problem, word for word and with nothing before it, and only "
                   "then solve it; the problem is all that stands before the words on how to reason and answer."),
    Kind("startend:end_checker", lambda drawing: {"end_phrase": drawing.rng.choice(END_PHRASES)},
         lambda a: f'The last words of the response must be "{a["end_phrase"]}" with nothing after them.'),
    Kind("startend:quotation", _none, lambda a: "Enclose the whole response in double quotation marks."),
    Kind("change_case:capital_word_frequency", _capitals, _say_capitals),
    Kind("change_case:english_capital", _none, lambda a: "Write in English and in capital letters only."),
    Kind("change_case:english_lowercase", _none, lambda a: "Write in English and in lowercase letters only."),
    Kind("punctuation:no_comma", _none, lambda a: "Let no comma occur in the response.", silent=True),
)  # fmt: skip

_LETTER_CASE = frozenset(
    {"change_case:english_capital", "change_case:english_lowercase", "change_case:capital_word_frequency"}
)
#: What says the same in every language, and may go with another language than English.
_ANY_LANGUAGE = frozenset(
    {
        "detectable_format:number_bullet_lists",
        "detectable_format:number_highlighted_sections",
        "startend:quotation",
        "punctuation:no_comma",
    }
)
_LANGUAGE, _REPEAT = "language:response_language", "combination:repeat_prompt"


def at_odds(one: str, other: str) -> bool:
    """Tell whether two ids are never drawn together, as one makes the other pointless or a trick of wording.

    Example:
        >>> at_odds("change_case:english_capital", "change_case:english_lowercase")
        True
        >>> at_odds("language:response_language", "punctuation:no_comma")
        False
    """
    pair = {one, other}
    if len(pair) == 1 or pair <= _LETTER_CASE:
        return True
    if _LANGUAGE in pair:
        return not pair - {_LANGUAGE} <= _ANY_LANGUAGE
    return _REPEAT in pair and bool(pair & {"change_case:english_capital", "change_case:english_lowercase"})
