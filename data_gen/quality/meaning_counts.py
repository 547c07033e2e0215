"""Facts of the constraints that count: words, lines, letters, marks, bullet points and the like."""

from __future__ import annotations

from math import prod
from typing import Any

from data_gen.quality.meaning import ANY, Bound, Demand, Meaning, always, letter, mark, means

# type -> (quantity, argument); every quantity is measured in one way, whichever type asks for it
_AT_LEAST = {
    "length:min_words": ("words", "limit"),
    "length:min_sentences": ("sentences", "limit"),
    "length:min_paragraphs": ("paragraphs", "limit"),
    "length:min_lines": ("lines", "limit"),
    "length:min_characters": ("characters", "limit"),
    "length:min_unique_words": ("different words", "count"),
    "letters:min_letters": ("letters", "limit"),
    "case:min_capital_words": ("capital words", "count"),
    "counting:min_emoji": ("emoji", "count"),
    "counting:min_numbers": ("numbers", "count"),
    "counting:min_pronouns": ("pronouns", "count"),
    "counting:conjunctions": ("different conjunctions", "count"),
    "layout:min_headings": ("headings", "count"),
    "layout:heading_levels": ("heading levels", "count"),
    "layout:highlights": ("highlights", "count"),
    "layout:min_bold": ("bold", "count"),
    "layout:min_italics": ("italics", "count"),
    "layout:min_links": ("links", "count"),
    "layout:min_bullets": ("bullets", "count"),
    "layout:min_quoted_lines": ("quoted lines", "count"),
    "layout:placeholders": ("placeholders", "count"),
    "layout:code_blocks": ("code blocks", "count"),
    "layout:staircase": ("lines", "count"),
    "ordering:lines_sorted": ("lines", "count"),
    "ordering:known_lines": ("lines", "count"),
    "format:json_lines": ("lines", "count"),
    "layout:marked_list": ("lines", "count"),
}
_AT_MOST = {
    "length:max_words": ("words", "limit"),
    "length:max_sentences": ("sentences", "limit"),
    "length:max_paragraphs": ("paragraphs", "limit"),
    "length:max_lines": ("lines", "limit"),
    "length:max_characters": ("characters", "limit"),
    "length:max_sentence_words": ("longest sentence", "limit"),
    "length:max_line_characters": ("longest line", "limit"),
    "letters:max_letters": ("letters", "limit"),
    "letters:max_distinct_vowels": ("different vowels", "count"),
    "case:max_capital_words": ("capital words", "count"),
    "counting:max_emoji": ("emoji", "count"),
}
_EXACTLY = {
    "length:words": ("words", "count"),
    "length:sentences": ("sentences", "count"),
    "length:lines": ("lines", "count"),
    "counting:emoji": ("emoji", "count"),
    "counting:numbers": ("numbers", "count"),
    "ordering:countdown": ("lines", "start"),
    "layout:dividers": ("parts between rules", "count"),
    "layout:numbered_list": ("numbered items", "count"),
}
#: What the quantities above say everything about; the others also want their items to differ or to stand in order.
_PLAIN = ("length:", "letters:", "case:", "counting:")
_MARKED_UP = ("bullets", "headings", "quoted lines", "table rows", "links", "bold", "italics", "highlights")


def _bounds_reader(quantity: str, argument: str, side: str) -> Any:
    def read(constraint: Any) -> Meaning:
        value = getattr(constraint, argument)
        low, high = (value if side != "high" else 0, value if side != "low" else ANY)
        return Meaning(((quantity, low, high),))

    return read


for _table, _side in ((_AT_LEAST, "low"), (_AT_MOST, "high"), (_EXACTLY, "both")):
    for _name, (_quantity, _argument) in _table.items():
        means(_name, complete=_name.startswith(_PLAIN))(_bounds_reader(_quantity, _argument, _side))


@means("length:words_range", complete=True)
def _words_range(c: Any) -> Meaning:
    return Meaning((("words", c.low, c.high),))


@means("length:characters_range", complete=True)
def _characters_range(c: Any) -> Meaning:
    return Meaning((("characters", c.low, c.high),))


@means("length:about_words", complete=True)
def _about_words(c: Any) -> Meaning:
    return Meaning((("words", *c.bounds()),))


@means("arithmetic:words_multiple")
def _words_multiple(c: Any) -> Meaning:
    return Meaning((("words", c.divisor, ANY),))


@means("arithmetic:sentence_words_multiple")
def _sentence_words_multiple(c: Any) -> Meaning:
    return Meaning((("longest sentence", c.divisor, ANY), ("words", c.divisor, ANY)))


@means("length:min_sentence_words")
def _min_sentence_words(c: Any) -> Meaning:
    return Meaning((("longest sentence", c.limit, ANY), ("shortest sentence", c.limit, ANY)))


@means("length:composition")
def _composition(c: Any) -> Meaning:
    words = prod((c.paragraphs, c.sentences, c.words))
    return Meaning((("words", words, ANY), ("longest sentence", c.words, ANY)))


@means("length:paragraphs")
def _paragraphs(c: Any) -> Meaning:
    name = "paragraphs" if c.separator == "blank_line" else "starred paragraphs"
    return Meaning(((name, c.count, c.count),))


@means("length:paragraph_sentences")
def _paragraph_sentences(c: Any) -> Meaning:
    return Meaning((("sentences", c.count, ANY),))


@means("sentences:equal_length")
def _equal_length(c: Any) -> Meaning:
    return Meaning((("sentences", c.count, c.count),))


@means("sentences:initials")
def _initials(c: Any) -> Meaning:
    count = len(c.letters)
    slots = tuple((f"initial {number}", char.casefold()) for number, char in enumerate(c.letters, 1))
    return Meaning((("sentences", count, count),), slots)


@means("sentences:min_alliteration")
def _min_alliteration(c: Any) -> Meaning:
    return Meaning((("longest sentence", c.count, ANY), ("words", c.count, ANY)))


@means("sentences:growing", "sentences:increment")
def _growing(c: Any) -> Meaning:
    return Meaning((("sentences", 2, ANY), ("longest sentence", 1 + c.step, ANY), ("words", 2 + c.step, ANY)))


@means("letters:min_frequency", "letters:max_frequency", "letters:frequency", "letters:forbidden", complete=True)
def _letters(c: Any) -> Meaning:
    count = getattr(c, "count", 0)
    low = count if c.type in ("letters:min_frequency", "letters:frequency") else 0
    high = ANY if c.type == "letters:min_frequency" else count
    demands = (Demand(c.letter, low, whole=False),) if low else ()
    return Meaning(((letter(c.letter), low, high),), demands=demands)


@means("punctuation:exact_marks", "punctuation:min_marks", "punctuation:max_marks", complete=True)
def _marks(c: Any) -> Meaning:
    low = 0 if c.type == "punctuation:max_marks" else c.count
    return Meaning(((mark(c.mark), low, ANY if c.type == "punctuation:min_marks" else c.count),))


@means("punctuation:forbidden")
def _forbidden_marks(c: Any) -> Meaning:
    return Meaning(tuple((mark(each), 0, 0) for each in c.marks), every=True)


def _none_of(marks: str, *more: str) -> Meaning:
    bounds: tuple[Bound, ...] = tuple((mark(each), 0, 0) for each in marks)
    return Meaning((*bounds, *((name, 0, 0) for name in more)), every=True)


always(_none_of(",、"), "punctuation:no_comma")
always(_none_of(".。", "full stops"), "punctuation:no_period")
always(_none_of("!"), "punctuation:no_exclamation")
always(_none_of("?"), "punctuation:no_question")
always(_none_of('"“”「」『』«»', "quotations"), "punctuation:no_quotes")
always(_none_of("()"), "punctuation:no_parentheses")
always(_none_of("—–"), "punctuation:no_dash")
always(_none_of("…"), "punctuation:no_ellipsis")


@means("punctuation:ends_with")
def _ends_with(c: Any) -> Meaning:
    stop = c.mark in ".。．｡।۔"
    return Meaning((("full stops" if stop else mark(c.mark), 1, ANY),))


always(
    Meaning((*((mark(each), 1, ANY) for each in ",!?;:"), ("full stops", 1, ANY))),
    "counting:marks_all",
)
always(
    Meaning((("sentences", 3, ANY), ("mark ?", 1, ANY), ("mark !", 1, ANY), ("full stops", 1, ANY))),
    "ratio:sentence_balance",
)


@means("ratio:statements_to_questions")
def _statements(c: Any) -> Meaning:
    return Meaning((("sentences", c.statements + 1, ANY), ("mark ?", 1, ANY), ("full stops", c.statements, ANY)))


always(Meaning((("sentences", 2, ANY),)), "sentences:chain", "sentences:alliteration")
always(Meaning((("emoji", 1, ANY),)), "layout:emoji_sentence_ends")
always(Meaning((("quotations", 2, ANY),)), "nesting:quotes", "copying:quote_from")
always(Meaning(every=True), "words:unique", "words:no_shared_initial", "words:no_next_letter")
# Of the demands on every word this one alone survives that a word may become part of a longer one.
always(Meaning(every=True), "words:max_word_length")


@means("nesting:explained_quotes")
def _explained_quotes(c: Any) -> Meaning:
    return Meaning((("quotations", 2 * c.count, ANY),)) if c.count else Meaning()


@means("counting:number_sequence")
def _number_sequence(c: Any) -> Meaning:
    return Meaning((("numbers", 1, ANY),))


# ---- layout -----------------------------------------------------------------------------------------------------


@means("layout:bullets")
def _bullets(c: Any) -> Meaning:
    if c.marks == "-*+•":
        return Meaning((("bullets", c.count, c.count),))
    return Meaning((("bullets", c.count, ANY), (f"bullets {c.marks}", c.count, c.count)))


@means("layout:max_bullets")
def _max_bullets(c: Any) -> Meaning:
    return Meaning((("bullets", 1, c.count),))


@means("layout:task_list")
def _task_list(c: Any) -> Meaning:
    return Meaning((("bullets", c.count, ANY),))


@means("layout:nested_bullets")
def _nested_bullets(c: Any) -> Meaning:
    return Meaning((("bullets", c.count * (1 + c.nested), ANY),))


@means("layout:sentences_then_bullets")
def _sentences_then_bullets(c: Any) -> Meaning:
    return Meaning((("bullets", c.bullets, ANY), ("sentences", c.sentences, ANY)))


@means("layout:max_heading_level")
def _max_heading_level(c: Any) -> Meaning:
    return Meaning((("headings", 1, ANY), ("heading levels", 1, c.level)))


@means("layout:table_size")
def _table_size(c: Any) -> Meaning:
    return Meaning((("table rows", c.rows, c.rows), ("table columns", c.columns, c.columns)))


@means("layout:min_table_rows")
def _min_table_rows(c: Any) -> Meaning:
    return Meaning((("table rows", c.count, ANY),))


always(Meaning((("headings", 1, ANY), ("lines", 2, ANY))), "layout:heading_title")
always(Meaning(tuple((name, 0, 0) for name in (*_MARKED_UP, "code blocks"))), "layout:plain_text")
always(Meaning((("code blocks", 0, 0),)), "layout:no_code")
always(Meaning((("lines", 1, 1), ("paragraphs", 0, 1), ("blanks", 0, 0))), "layout:no_whitespace")
