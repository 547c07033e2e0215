"""Facts of the constraints on what is written: keywords, openings and endings, languages, case and whole formats."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from data_gen.quality.meaning import ANY, Bound, Choice, Demand, Meaning, Slot, always, keyword, means
from rewards.arguments import MARKUP
from rewards.constraints.matching import EDGE_MARKUP, keys_of

_PLACES = 4  # words of an opening or ending that are compared
_STOPS = {".": ".", "。": ".", "!": "!", "！": "!", "?": "?", "？": "?"}
_SCRIPTS = ("latin", "han", "kana", "hangul", "cyrillic", "greek", "arabic", "hebrew", "devanagari")
_CASED = ("latin", "cyrillic", "greek")
_SOME = 1e-6
# The share of the letters that an answer in a language has of a script at least.
_SHARES: dict[str, tuple[str, float]] = {
    **dict.fromkeys("en es pt fr de it vi sw fi nl pl".split(), ("latin", 50)),
    **dict.fromkeys(("ru", "bg", "uk"), ("cyrillic", 50)),
    **dict.fromkeys(("ar", "fa", "ur"), ("arabic", 50)),
    **dict.fromkeys(("hi", "mr", "ne"), ("devanagari", 50)),
    "zh": ("han", _SOME), "ja": ("kana", _SOME), "ko": ("hangul", _SOME), "he": ("hebrew", 50),
}  # fmt: skip


# ---- keywords ---------------------------------------------------------------------------------------------------


@means("keywords:existence", complete=True)
def _existence(c: Any) -> Meaning:
    return _wanted(c.keywords)


@means("keywords:order", "keywords:same_sentence")
def _together(c: Any) -> Meaning:
    return _wanted(c.keywords)


def _wanted(words: tuple[str, ...], times: int = 1) -> Meaning:
    bounds = tuple((keyword(word), times, ANY) for word in words)
    return Meaning(bounds, demands=tuple(Demand(word, times) for word in words))


@means("keywords:in_every_sentence", "keywords:in_every_paragraph")
def _in_every(c: Any) -> Meaning:
    return _wanted((c.keyword,))


@means("keywords:forbidden", complete=True)
def _forbidden(c: Any) -> Meaning:
    return Meaning(tuple((keyword(word), 0, 0) for word in c.keywords))


@means("keywords:min_frequency", complete=True)
def _min_frequency(c: Any) -> Meaning:
    return _wanted((c.keyword,), c.count)


@means("keywords:max_frequency", complete=True)
def _max_frequency(c: Any) -> Meaning:
    return Meaning(((keyword(c.keyword), 0, c.count),))


@means("keywords:frequency", complete=True)
def _frequency(c: Any) -> Meaning:
    return _exactly((c.keyword,), (c.count,))


@means("keywords:frequencies", complete=True)
def _frequencies(c: Any) -> Meaning:
    return _exactly(c.keywords, c.counts)


def _exactly(words: tuple[str, ...], counts: tuple[int, ...]) -> Meaning:
    pairs = tuple(zip(words, counts, strict=True))
    demands = tuple(Demand(word, count) for word, count in pairs if count)
    return Meaning(tuple((keyword(word), count, count) for word, count in pairs), demands=demands)


@means("keywords:increment")
def _increment(c: Any) -> Meaning:
    return _exactly(c.keywords, c._counts)


@means("keywords:any_of")
def _any_of(c: Any) -> Meaning:
    return Meaning(choices=(Choice(tuple(map(Demand, c.keywords)), c.count),))


@means("counting:person_names")
def _person_names(c: Any) -> Meaning:
    return Meaning(choices=(Choice(tuple(map(Demand, c.names)), c.count),))


@means("layout:one_phrase")
def _one_phrase(c: Any) -> Meaning:
    return Meaning(choices=(Choice(tuple(Demand(each, exact=True) for each in c.options), 1),))


@means("case:keyword_upper")
def _keyword_upper(c: Any) -> Meaning:
    return Meaning(((keyword(c.keyword), 1, ANY),), demands=(Demand(c.keyword.upper(), exact=True),))


@means("keywords:reversed_letters")
def _reversed_letters(c: Any) -> Meaning:
    return Meaning(((keyword(c.phrase), 0, 0),))


@means("copying:include")
def _include(c: Any) -> Meaning:
    return Meaning(demands=(Demand(c.text, whole=False, exact=True),))


# ---- places -----------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _opening(text: str, place: str = "word") -> tuple[Slot, ...]:
    return tuple((f"{place} {number}", word) for number, word in enumerate(keys_of(text)[:_PLACES], 1))


@lru_cache(maxsize=4096)
def _ending(text: str, place: str = "word") -> tuple[Slot, ...]:
    return tuple((f"{place} {-number}", word) for number, word in enumerate(keys_of(text)[: -_PLACES - 1 : -1], 1))


@lru_cache(maxsize=4096)
def _final_mark(text: str) -> tuple[Slot, ...]:
    """Return what an answer ends with, markup and quotation marks left out."""
    last = text.rstrip(MARKUP)[-1:]
    return (("end", _STOPS[last]),) if last in _STOPS else ()


@means("affix:start_phrase")
def _start_phrase(c: Any) -> Meaning:
    return Meaning(slots=_opening(c.phrase), demands=(Demand(c.phrase.strip().lstrip(EDGE_MARKUP)),))


@means("affix:end_phrase")
def _end_phrase(c: Any) -> Meaning:
    phrase = c.phrase.strip().rstrip(MARKUP)
    return Meaning(slots=(*_ending(phrase), *_final_mark(phrase)), demands=(Demand(phrase),))


@means("affix:repeat_request")
def _repeat_request(c: Any) -> Meaning:
    return Meaning(slots=_opening(c.request), demands=(Demand(c.request.strip(EDGE_MARKUP)),))


@means("affix:first_line")
def _first_line(c: Any) -> Meaning:
    return Meaning((("lines", 2, ANY),), _opening(c.line), (Demand(c.line.strip(EDGE_MARKUP)),))


@means("affix:last_line")
def _last_line(c: Any) -> Meaning:
    return Meaning((("lines", 2, ANY),), _ending(c.line), (Demand(c.line.strip(EDGE_MARKUP)),))


@means("affix:first_word", complete=True)
def _first_word(c: Any) -> Meaning:
    return Meaning(slots=_opening(c.word), demands=(Demand(c.word),))


@means("affix:last_word", complete=True)
def _last_word(c: Any) -> Meaning:
    return Meaning(slots=_ending(c.word), demands=(Demand(c.word),))


@means("affix:first_word_sentences")
def _first_word_sentences(c: Any) -> Meaning:
    words = keys_of(c.word)
    initial = (("initial 1", words[0][0]),) if words else ()
    places = (*_opening(c.word), *_opening(c.word, "sentence 1 word"), *_opening(c.word, "sentence -1 word"))
    return Meaning(slots=(*places, *initial), demands=(Demand(c.word),))


@means("affix:last_word_sentences")
def _last_word_sentences(c: Any) -> Meaning:
    places = (*_ending(c.word), *_ending(c.word, "sentence 1 word"), *_ending(c.word, "sentence -1 word"))
    return Meaning(slots=places, demands=(Demand(c.word),))


@means("keywords:at_position")
def _at_position(c: Any) -> Meaning:
    bounds = (("sentences", abs(c.sentence), ANY), ("longest sentence", abs(c.word), ANY))
    return Meaning(bounds, _placed(c.keyword, c.word, f"sentence {c.sentence} word"), (Demand(c.keyword),))


@means("keywords:in_sentence")
def _in_sentence(c: Any) -> Meaning:
    return Meaning((("sentences", abs(c.sentence), ANY), (keyword(c.keyword), 1, ANY)), demands=(Demand(c.keyword),))


@means("keywords:word_at")
def _word_at(c: Any) -> Meaning:
    return Meaning((("words", abs(c.word), ANY),), _placed(c.keyword, c.word, "word"), (Demand(c.keyword),))


@means("keywords:paragraph_first_word")
def _paragraph_first_word(c: Any) -> Meaning:
    slots = _opening(c.keyword, f"paragraph {c.paragraph} word")
    return Meaning((("paragraphs", c.count, c.count),), slots, (Demand(c.keyword),))


def _placed(text: str, position: int, place: str) -> tuple[Slot, ...]:
    words = keys_of(text)
    first = position if position > 0 else position - len(words) + 1
    return tuple((f"{place} {first + number}", word) for number, word in enumerate(words))


always(Meaning((("mark ?", 1, ANY),), (("end", "?"),)), "affix:final_question")
always(Meaning((("words", 2, ANY),), (("end", "word"), ("last character", "word"))), "affix:same_ends")
always(Meaning((("quotations", 2, ANY),), (("form", "quotation"), ("last character", "quote"))), "affix:quotation")


# ---- language, script and case ----------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def _language(code: str) -> Meaning:
    script, share = _SHARES.get(code, ("", 0))
    bounds: tuple[Bound, ...] = ((f"{script} share", share, 100),) if script else ()
    return Meaning(bounds, (("language", code),))


@means("language:response", complete=True)
def _response(c: Any) -> Meaning:
    return _language(c.language)


@lru_cache(maxsize=16)
def _only(script: str) -> Meaning:
    bounds: list[Bound] = [(f"{script} share", 100, 100)]
    for other in _SCRIPTS:
        if other != script:
            bounds += [(f"{other} letters", 0, 0), (f"{other} share", 0, 0)]
    if script not in _CASED:
        bounds += [("uppercase letters", 0, 0), ("lowercase letters", 0, 0)]
    return Meaning(tuple(bounds))


@means("language:script")
def _script(c: Any) -> Meaning:
    return _only(c.script)


@means("language:min_script_share")
def _min_share(c: Any) -> Meaning:
    return Meaning(((f"{c.script} share", max(c.percent, _SOME), 100),))


@means("language:max_script_share")
def _max_share(c: Any) -> Meaning:
    return Meaning(((f"{c.script} share", 0, c.percent),))


always(Meaning((("latin letters", 0, 0), ("latin share", 0, 0))), "language:no_latin")
always(Meaning((("latin share", _SOME, 100), ("han share", _SOME, 100))), "language:bilingual")
always(Meaning((("han share", _SOME, 100),), (("Chinese characters", "simplified"),)), "language:simplified")
always(Meaning((("han share", _SOME, 100),), (("Chinese characters", "traditional"),)), "language:traditional")
always(Meaning((("han share", _SOME, 100),)), "punctuation:full_width_only")

_UPPER: tuple[Bound, ...] = (("uppercase letters", 1, ANY), ("lowercase letters", 0, 0))
_LOWER: tuple[Bound, ...] = (("lowercase letters", 1, ANY), ("uppercase letters", 0, 0), ("capital words", 0, 0))
always(Meaning(_UPPER), "case:upper", complete=True)
always(Meaning(_LOWER), "case:lower", complete=True)
always(Meaning(_UPPER, (("language", "en"),)), "case:english_upper")
always(Meaning(_LOWER, (("language", "en"),)), "case:english_lower")
always(Meaning((("uppercase letters", 1, ANY),)), "case:title", "case:sentence_starts", "case:last_words_upper")
always(
    Meaning((("uppercase letters", 2, ANY), ("lowercase letters", 2, ANY), ("words", 4, ANY))),
    "case:alternating_words",
)


@means("case:min_initial_capitals")
def _initial_capitals(c: Any) -> Meaning:
    each = (("uppercase letters", c.count, ANY), ("lowercase letters", c.count, ANY), ("words", c.count, ANY))
    return Meaning(each if c.count else ())


# ---- the answer as a whole --------------------------------------------------------------------------------------

_NO_LINES: tuple[Bound, ...] = tuple((name, 0, 0) for name in ("bullets", "headings", "quoted lines", "numbered items"))
_JSON = Meaning((*_NO_LINES, ("table rows", 0, 0)), (("form", "JSON"), ("end", "bracket")))
_MARKUP_FORM: tuple[Slot, ...] = (("form", "markup"), ("end", "angle bracket"))
always(_JSON, "format:json", "format:json_schema")
always(Meaning(slots=_MARKUP_FORM), "format:xml")
always(Meaning(slots=(("form", "dates"),)), "format:date_list")


@means("format:json_keys")
def _json_keys(c: Any) -> Meaning:
    plain = (key for key in c.keys if key.isascii() and key.isprintable() and not {'"', "\\"} & set(key))
    return _JSON._replace(demands=tuple(Demand(key, exact=True) for key in plain))


@means("format:xml_elements")
def _xml_elements(c: Any) -> Meaning:
    return Meaning(slots=_MARKUP_FORM, demands=tuple(Demand(name, exact=True) for name in c.elements))


@means("format:csv")
def _csv(c: Any) -> Meaning:
    names = tuple(Demand(name, exact=True) for name in c.columns if '"' not in name)
    form = () if any(name[:1] in "{[<" for name in c.columns) else (("form", "CSV"),)
    return Meaning((("lines", c.rows + 1, ANY), ("code blocks", 0, 0)), form, names)


@means("layout:template")
def _template(c: Any) -> Meaning:
    return Meaning(demands=tuple(Demand(label.rstrip("：:"), exact=True) for label in c.labels))


@means("layout:sections")
def _sections(c: Any) -> Meaning:
    name = f"sections {' '.join(c.marker.casefold().split())}"
    return Meaning(((name, c.count, c.count), ("lines", c.count, ANY)), demands=(Demand(c.marker, c.count, False),))


@means("layout:choice")
def _choice(c: Any) -> Meaning:
    return Meaning(answers=tuple(c.options))


@means("copying:exact")
def _copy(c: Any) -> Meaning:
    return Meaning(answers=(c.text,))


@means("copying:copies")
def _copies(c: Any) -> Meaning:
    return Meaning(answers=(f" {c.separator} ".join([c.text] * c.count),))


@means("copying:span")
def _span(c: Any) -> Meaning:
    return Meaning(answers=(c.span,))
