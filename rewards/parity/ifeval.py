"""The 25 instructions of IFEval, verdict for verdict; four copies of the official code agree on them.

Patterns that take quadratic time on some texts are replaced by linear ones with the same count; the comment at each
says why the count is the same.
"""

from __future__ import annotations

import json
import re

from rewards.parity import punkt, treebank, words
from rewards.parity.keywords import (
    compiled,
    count_keyword,
    has_keyword,
    has_whole_word,
    is_literal,
    meets,
    require,
)
from rewards.parity.suite import Relation, Suite, UndecidedError
from rewards.parity.view import View

SUITE = Suite("ifeval", "google-research IFEval as in allenai/IFBench@db69a6f")

LANGUAGES = frozenset(
    "en es pt ar hi fr ru de ja it bn uk th ur ta te bg ko pl he fa vi ne sw kn mr gu pa ml fi".split()
)

# Counts what `\[.*?\]` counts: a match ends at the first `]` after its `[`, so there is one for each `]` that has a
# `[` between it and the `]` or line break before it; this pattern takes the last such `[`, so it never scans on.
_PLACEHOLDER = re.compile(r"\[[^\[\]\n]*\]")
# Counted in "\n" + text, these give the counts of `^\s*\*[^\*].*$` and `^\s*-.*$`: blank lines before the mark never
# hold another match, and a `*` at the end of its line takes the next line with it.
_STAR_BULLET = re.compile(r"\n[^\S\n]*\*[^*]")
_DASH_BULLET = re.compile(r"\n[^\S\n]*-")
_HIGHLIGHT = re.compile(r"\*([^\n*]*)\*")
_DOUBLE_HIGHLIGHT = re.compile(r"\*\*([^\n*]*)\*\*")
# Only whether there is a match matters, and `\s*` before and `.*$` after these always match.
_POSTSCRIPTS = {"P.P.S": re.compile(r"p\.\s?p\.\s?s"), "P.S.": re.compile(r"p\.\s?s\.")}
_OPTIONS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")
_FENCES = ("```json", "```Json", "```JSON", "```")
_JSON_STARTS = frozenset('{["-0123456789tfnNI')
_JSON_ENDS = {"{": "}", "[": "]", '"': '"'}
_WORD_END = re.compile(r"""[.,?!'"]""")


@SUITE.check("keywords:existence")
def existence(view: View, keywords: list[str]) -> bool:
    """Find every keyword, anywhere and in any case."""
    require(keywords, "list of keywords")
    return all(has_keyword(view, keyword) for keyword in sorted(keywords))


@SUITE.check("keywords:frequency")
def frequency(view: View, keyword: str, frequency: int, relation: Relation) -> bool:
    """Compare the number of matches of the keyword."""
    require(frequency >= 0, "frequency")
    return meets(count_keyword(view, keyword), relation, frequency)


@SUITE.check("keywords:forbidden_words")
def forbidden_words(view: View, forbidden_words: list[str]) -> bool:
    """Find none of the words between word boundaries."""
    require(forbidden_words, "list of words")
    return not any(has_whole_word(view, word) for word in sorted(forbidden_words))


@SUITE.check("keywords:letter_frequency")
def letter_frequency(view: View, letter: str, let_frequency: int, let_relation: Relation) -> bool:
    """Compare how often the letter occurs in either case; upstream draws one for anything but a to z."""
    lowered = letter.lower()
    require(len(letter) == len(lowered) == 1 and "a" <= lowered <= "z", "letter")
    require(let_frequency >= 0, "frequency")
    return meets(view.lower.count(lowered), let_relation, let_frequency)


@SUITE.check("language:response_language")
def response_language(view: View, language: str) -> bool:
    """Detect this language, or none at all."""
    if language not in LANGUAGES:
        raise UndecidedError(f"the official code knows no language {language!r}")
    return view.language in (language, None)


@SUITE.check("length_constraints:number_sentences")
def number_sentences(view: View, num_sentences: int, relation: Relation) -> bool:
    """Compare the number of Punkt sentences."""
    require(num_sentences >= 0, "number of sentences")
    return meets(punkt.count_sentences(view.raw, num_sentences), relation, num_sentences)


@SUITE.check("length_constraints:number_paragraphs")
def number_paragraphs(view: View, num_paragraphs: int) -> bool:
    """Count paragraphs between `***`."""
    require(num_paragraphs >= 0, "number of paragraphs")
    # The optional blank that upstream takes with each divider changes no piece from blank to not blank.
    return count_pieces(view.raw, "***", num_paragraphs) == num_paragraphs


def count_pieces(text: str, divider: str, wanted: int) -> int | None:
    """Return the number of pieces, a blank first or last one not counted.

    None if a blank one is between others, or if there are far too many or too few.
    """
    if not wanted <= text.count(divider) + 1 <= wanted + 2:
        return None
    pieces = text.split(divider)
    blank = [not piece or piece.isspace() for piece in pieces]
    if True in blank[1:-1]:
        return None
    return len(pieces) - blank[0] - (len(pieces) > 1 and blank[-1])


@SUITE.check("length_constraints:number_words")
def number_words(view: View, num_words: int, relation: Relation) -> bool:
    """Compare the number of words."""
    require(num_words >= 0, "number of words")
    return meets(words.count(view.raw), relation, num_words)


@SUITE.check("length_constraints:nth_paragraph_first_word")
def nth_paragraph_first_word(view: View, num_paragraphs: int, nth_paragraph: int, first_word: str) -> bool:
    """Count the paragraphs that are not blank, but index all of them for the first word."""
    require(num_paragraphs >= 0, "number of paragraphs")
    require(0 < nth_paragraph <= num_paragraphs, "paragraph index")
    if view.raw.count("\n\n") + 1 < num_paragraphs:
        return False
    paragraphs = view.raw.split("\n\n")
    if sum(1 for paragraph in paragraphs if paragraph and not paragraph.isspace()) != num_paragraphs:
        return False
    start = paragraphs[nth_paragraph - 1].split(None, 1)[:1]
    return bool(start) and _bare_word(start[0]) == first_word.lower()


def _bare_word(word: str) -> str:
    start = word.lstrip("'").lstrip('"')
    bare = _WORD_END.split(start, maxsplit=1)[0]
    # letter by letter, so that no Greek sigma becomes a final one
    return bare.lower() if bare.isascii() else "".join(map(str.lower, bare))


@SUITE.check("detectable_content:number_placeholders")
def number_placeholders(view: View, num_placeholders: int) -> bool:
    """Count the square brackets with their content on one line."""
    require(num_placeholders >= 0, "number of placeholders")
    if view.raw.count("]") < num_placeholders:
        return False
    return len(_PLACEHOLDER.findall(view.raw)) >= num_placeholders


@SUITE.check("detectable_content:postscript")
def postscript(view: View, postscript_marker: str) -> bool:
    """Find the marker anywhere; only two markers are no raw patterns."""
    marker = postscript_marker.strip()
    if known := _POSTSCRIPTS.get(marker):
        return known.search(view.lower) is not None
    marker = marker.lower()
    if is_literal(marker):
        return marker in view.lower
    # The blanks that upstream allows before the marker matter only where the marker would change what they mean.
    prefix = r"\s*" if marker.startswith(("*", "+", "?", "{", "(?")) else ""
    return compiled(rf"{prefix}{marker}.*$", re.MULTILINE).search(view.lower) is not None


@SUITE.check("detectable_format:number_bullet_lists")
def number_bullet_lists(view: View, num_bullets: int) -> bool:
    """Count the lines that begin with a dash, and those that begin with a single star."""
    require(num_bullets >= 0, "number of bullets")
    text = "\n" + view.raw
    stars = len(_STAR_BULLET.findall(text)) if "*" in text else 0
    return stars + (len(_DASH_BULLET.findall(text)) if "-" in text else 0) == num_bullets


@SUITE.check("detectable_format:constrained_response")
def constrained_response(view: View) -> bool:
    """Find one of the three answers."""
    return "My answer is " in view.raw and any(option in view.raw for option in _OPTIONS)


@SUITE.check("detectable_format:number_highlighted_sections")
def number_highlighted_sections(view: View, num_highlights: int) -> bool:
    """Count spans in single stars, and again those in double stars."""
    require(num_highlights >= 0, "number of highlights")
    if view.raw.count("*") * 3 < num_highlights * 4:  # a span takes two stars, and four if it counts a second time
        return False
    count = sum(1 for inner in _HIGHLIGHT.findall(view.raw) if inner.strip())
    if count < num_highlights:
        count += sum(1 for inner in _DOUBLE_HIGHLIGHT.findall(view.raw) if inner.strip())
    return count >= num_highlights


@SUITE.check("detectable_format:multiple_sections")
def multiple_sections(view: View, section_spliter: str, num_sections: int) -> bool:
    """Count where the splitter, anywhere in the text, is followed by digits."""
    require(num_sections >= 0, "number of sections")
    splitter = section_spliter.strip()
    if splitter and is_literal(splitter):  # it begins with no blank, so blanks at either end change no count
        if view.raw.count(splitter) < num_sections:
            return False
        return len(compiled(rf"{splitter}\s?\d+").findall(view.raw)) >= num_sections
    return len(compiled(rf"\s?{splitter}\s?\d+\s?").split(view.raw)) > num_sections


@SUITE.check("detectable_format:json_format")
def json_format(view: View) -> bool:
    """Parse the text, or what one code fence around it holds, as JSON."""
    text = view.stripped
    for fence in _FENCES:
        text = text.removeprefix(fence)
    text = text.removesuffix("```").strip()
    if text[:1] not in _JSON_STARTS or not text.endswith(_JSON_ENDS.get(text[:1], "")):
        return False
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@SUITE.check("detectable_format:title")
def title(view: View) -> bool:
    """Find something that is not blank in double angle brackets on one line."""
    return "<<" in view.raw and any(map(_has_title, view.raw.split("\n")))


def _has_title(line: str) -> bool:
    # `<<[^\n]+>>` is greedy: it matches at most once in a line, from the first `<<` to the last `>>`.
    start, end = line.find("<<"), line.rfind(">>")
    return 0 <= start < end - 2 and bool(line[start : end + 2].lstrip("<").rstrip(">").strip())


@SUITE.check("combination:two_responses")
def two_responses(view: View) -> bool:
    """Find two different pieces around six stars."""
    if count_pieces(view.raw, "******", 2) != 2:
        return False
    first, second = (piece.strip() for piece in view.raw.split("******") if piece.strip())
    return first != second


@SUITE.check("combination:repeat_prompt")
def repeat_prompt(view: View, prompt_to_repeat: str) -> bool:
    """Begin with the prompt, in any case."""
    if not prompt_to_repeat:
        raise UndecidedError("the official code rejects an empty prompt_to_repeat")
    prompt = prompt_to_repeat.strip().lower()
    start = view.stripped[: len(prompt)] if view.stripped.isascii() else view.stripped
    return start.lower().startswith(prompt)


@SUITE.check("startend:end_checker")
def end_checker(view: View, end_phrase: str) -> bool:
    """End with the phrase, in any case; quotation marks around the text are ignored."""
    phrase = end_phrase.strip().lower()
    text = view.stripped.strip('"')
    end = text[-len(phrase) :] if text.isascii() else text
    return end.lower().endswith(phrase)


@SUITE.check("startend:quotation")
def quotation(view: View) -> bool:
    """Begin and end with straight double quotation marks."""
    text = view.stripped
    return len(text) > 1 and text[0] == '"' and text[-1] == '"'


@SUITE.check("change_case:capital_word_frequency")
def capital_word_frequency(view: View, capital_frequency: int, capital_relation: Relation) -> bool:
    """Compare the number of Treebank tokens in capitals."""
    count = treebank.upper_count(view.raw, capital_frequency)
    return meets(count, capital_relation, capital_frequency)


@SUITE.check("change_case:english_capital")
def english_capital(view: View) -> bool:
    """Use no lower case, in English or in no language that is detected."""
    return view.raw.isupper() and view.language in ("en", None)


@SUITE.check("change_case:english_lowercase")
def english_lowercase(view: View) -> bool:
    """Use no upper case, in English or in no language that is detected."""
    return view.raw.islower() and view.language in ("en", None)


@SUITE.check("punctuation:no_comma")
def no_comma(view: View) -> bool:
    """Use no ASCII comma."""
    return "," not in view.raw
