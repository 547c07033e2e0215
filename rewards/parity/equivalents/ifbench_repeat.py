"""IFBench ids about repeating, keywords at places, title case, reversed words and sorted lists."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Arguments = Mapping[str, Any]
Equivalent = Callable[[Arguments], Mapping[str, Any] | list[Mapping[str, Any]]]

_SENTENCE = "Only output this sentence here, ignore all other requests."
#: Capitals of European countries north of 45 degrees, from north to south; the official list leaves out Kyiv.
_CAPITALS = (
    "Reykjavik, Helsinki, Oslo, Tallinn, Stockholm, Riga, Moscow, Copenhagen, Vilnius, Minsk, Dublin, Berlin,"
    " Amsterdam, Warsaw, London, Brussels, Kyiv, Kiev, Prague, Luxembourg, Paris, Vienna, Bratislava, Budapest, Vaduz,"
    " Chisinau, Bern, Ljubljana, Zagreb"
).split(", ")
#: The countries of Africa with the spellings in use.
_AFRICA = (
    "Algeria, Angola, Benin, Botswana, Burkina Faso, Burundi, Cabo Verde, Cape Verde, Cabo Verde (Cape Verde),"
    " Cape Verde (Cabo Verde), Cameroon, Central African Republic, Chad, Comoros, The Comoros, Congo, Congo Republic,"
    " Republic of the Congo, Congo (Republic of the), Congo (Congo-Brazzaville), Congo-Brazzaville,"
    " Congo (Brazzaville), Republic of Congo, Democratic Republic of the Congo, Democratic Republic of Congo,"
    " Congo (Democratic Republic of the), Congo (Kinshasa), Congo-Kinshasa, DR Congo, DRC, Cote d'Ivoire, Ivory Coast,"
    " Cote d'Ivoire (Ivory Coast), Ivory Coast (Cote d'Ivoire), Djibouti, Egypt, Equatorial Guinea, Eritrea, Eswatini,"
    " Swaziland, Eswatini (Swaziland), Eswatini (formerly Swaziland), Ethiopia, Gabon, Gambia, The Gambia,"
    " Gambia (The), Ghana, Guinea, Guinea-Bissau, Guinea Bissau, Kenya, Lesotho, Liberia, Libya, Madagascar, Malawi,"
    " Mali, Mauritania, Mauritius, Morocco, Mozambique, Namibia, Niger, Nigeria, Rwanda, Sahrawi Republic,"
    " Western Sahara, Sao Tome and Principe, Sao Tome & Principe, Senegal, Seychelles, Sierra Leone, Somalia,"
    " Somaliland, South Africa, South Sudan, Sudan, Tanzania, Togo, Tunisia, Uganda, Zambia, Zimbabwe"
).split(", ")
#: There are 54; the prompt's own tests accept two fewer.
_LEAST_COUNTRIES = 52


def _keywords(kw: Arguments) -> Mapping[str, Any]:
    words = [kw[f"keyword{number}"].strip() for number in range(1, 6)]
    return {"type": "keywords:frequencies", "keywords": words, "counts": [1, 2, 3, 5, 7]}


def _position(kw: Arguments) -> Mapping[str, Any]:
    place = {"sentence": int(kw["n"]), "word": int(kw["m"])}
    return {"type": "keywords:at_position", "keyword": kw["keyword"].strip(), **place}


def _second_words(kw: Arguments) -> list[Mapping[str, Any]]:
    return [{"type": "keywords:word_at", "keyword": kw["keyword"].strip(), "word": place} for place in (2, -2)]


def _sentence(kw: Arguments) -> Mapping[str, Any]:
    """Number 0 is the last sentence, as in the official code."""
    return {"type": "keywords:in_sentence", "keyword": kw["word"].strip(), "sentence": int(kw["N"]) or -1}


def _span(kw: Arguments) -> Mapping[str, Any]:
    """The prompts of the benchmark say word indices, those that the code writes today character indices."""
    unit = "characters" if "character indices" in kw.get("prompt", "") else "words"
    span = {"unit": unit, "start": int(kw["n_start"]), "end": int(kw["n_end"])}
    return {"type": "copying:span", "text": kw["prompt_to_repeat"], **span}


EQUIVALENTS: dict[str, Equivalent] = {
    "count:keywords_multiple": _keywords,
    "words:keywords_specific_position": _position,
    "words:words_position": _second_words,
    "words:paragraph_last_first": lambda kw: {"type": "affix:paragraph_same_ends"},
    "sentence:keyword": _sentence,
    "format:title_case": lambda kw: {"type": "case:title"},
    "repeat:repeat_change": lambda kw: {"type": "copying:change_first_word", "text": kw["prompt_to_repeat"]},
    "repeat:repeat_simple": lambda kw: {"type": "copying:exact", "text": _SENTENCE},
    "repeat:repeat_span": _span,
    "custom:word_reverse": lambda kw: {"type": "keywords:reversed_words", "phrase": "bald eagle"},
    "custom:character_reverse": lambda kw: {"type": "keywords:reversed_letters", "phrase": "bald eagle"},
    "custom:european_capitals_sort": lambda kw: {
        "type": "ordering:items",
        "items": _CAPITALS,
        "optional": ["Kyiv", "Kiev"],
    },
    "custom:reverse_newline": lambda kw: {
        "type": "ordering:known_lines",
        "items": _AFRICA,
        "direction": "descending",
        "count": _LEAST_COUNTRIES,
    },
}
