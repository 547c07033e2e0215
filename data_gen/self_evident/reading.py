"""Read off a text, or off a program, what is true of it: families with their arguments, not yet sifted."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator

from data_gen.self_evident.families import Said
from rewards.constraint import Constraint, Context, Status
from rewards.constraints.layout_views import bullet_items, headings
from rewards.constraints.markup import NoBold, NoList, NoTable
from rewards.language import guess_language
from rewards.program import Program, read_program
from rewards.response import Response
from rewards.text import CODE, Text, count_keyword, fold, han_share
from rewards.wordlists import STOP_CHARACTERS, STOP_WORDS

MAX_KEYWORDS = 8
MAX_VARIABLES = 3
_GRID = ((40, 5), (150, 10), (500, 25))  # steps of a length below so many units
_WIDEST_STEP = 50
_MAX_COUNT = 40  # an exact number above this is no natural demand
_LETTERS = re.compile(r"[A-Za-zÀ-ɏ]+(?:['’-][A-Za-zÀ-ɏ]+)*\Z")
_HAN_PIECE = re.compile(r"[\u4e00-\u9fff]+")
_DIVIDES = STOP_CHARACTERS | frozenset("零一二两三四五六七八九十百千万亿个只条次又再共有没不会能要让使得太最更")
_BLANK_LINES = re.compile(r"\n[^\S\n]*\n")
_NUMBERED = re.compile(r"^[ \t]*\d{1,3}[.)][ \t]+\S", re.MULTILINE)
_BEFORE_DIGIT = re.compile(r"[^\d零一二三四五六七八九十百千万]*")
_SIGNS = " +-−±√^/*=<>≤≥≈~([{.,"  # at the end of what stands before a number they may be the number's own
_ADDED = re.compile(r"[\"“”‘’`*_]|\\|\$")
_SCRIPT_OF = {"zh": "han", "ru": "cyrillic", "bg": "cyrillic", "uk": "cyrillic", "ko": "hangul"}
_MARKS = {
    "no_comma": ",，、", "no_exclamation": "!！", "no_question": "?？", "no_colon": ":：", "no_semicolon": ";；",
}  # fmt: skip
#: Common words that an answer may well use, so that avoiding one asks for something.
_AVOIDABLE = {
    "en": "therefore however because finally actually simply clearly obviously really perhaps suppose".split(),
    "zh": "因此 但是 因为 最后 其实 显然 当然 大概 总之 假设 可能 非常".split(),
}


def grid(count: int) -> tuple[int, int]:
    """Return the bounds of a length on a grid whose step grows with it.

    Example:
        >>> grid(43), grid(7), grid(620)
        ((30, 60), (1, 15), (550, 700))
    """
    step = next((step for below, step in _GRID if count < below), _WIDEST_STEP)
    return max(1, (count // step - 1) * step), (count // step + 2) * step


def read_text(output: str, request: str, language: str) -> Iterator[Said]:
    """Yield what is true of a text, in a fixed order; some of it may not stand closer checks."""
    text = Text(output)
    yield from _lengths(text)
    yield from _structure(text)
    yield from _keywords(text, request, language)
    yield from _positions(text, language)
    yield from _characters(text)


def _lengths(text: Text) -> Iterator[Said]:
    share = han_share(text.prose)
    if text.uncountable or 0.1 <= share < 0.5:  # neither words nor characters are a natural unit
        return
    counted = len("".join(text.raw.split())) if share >= 0.5 else len(text.words)
    unit = "characters" if share >= 0.5 else "words"
    low, high = grid(counted)
    yield Said(f"{unit}_between", {"low": low, "high": high})
    yield Said(f"at_most_{unit}", {"limit": high})
    if 1 <= len(text.sentences) <= _MAX_COUNT:
        yield Said("exact_sentences", {"count": len(text.sentences)})


def _structure(text: Text) -> Iterator[Said]:
    if 1 <= len(text.filled_lines) <= _MAX_COUNT:
        yield Said("exact_lines", {"count": len(text.filled_lines)})
    blocks = sum(bool(block.strip()) for block in _BLANK_LINES.split(text.raw))
    if len(text.paragraphs) == blocks <= _MAX_COUNT:  # else a heading or a rule stands apart, which is no paragraph
        yield Said("exact_paragraphs", {"count": len(text.paragraphs)})
    yield from (Said(name, {}) for name, kind in _WITHOUT.items() if _holds(kind, text.raw))
    if "`" not in text.raw:
        yield Said("no_code", {})
    if bullets := sum(mark in "-*+•" for _, mark, _ in bullet_items(text.raw)):
        yield Said("bullets", {"count": bullets})
    if numbered := len(_NUMBERED.findall(CODE.sub(" ", text.raw))):
        yield Said("numbered_items", {"count": numbered})
    if found := len(headings(text.raw)):
        yield Said("headings", {"count": found})


_WITHOUT: dict[str, Constraint] = {"no_list": NoList(), "no_bold": NoBold(), "no_table": NoTable()}


def _holds(constraint: Constraint, output: str) -> bool:
    return constraint.check(Response(None, output), Context()).status is Status.SATISFIED


def _keywords(text: Text, request: str, language: str) -> Iterator[Said]:
    found = content_words(text, language)[:MAX_KEYWORDS]
    yield from (Said("contains", {"word": word}) for word in found)
    repeated = next(((word, times) for word in found if (times := count_keyword(text, word)) > 1), None)
    if repeated:
        yield Said("contains_times", {"word": repeated[0], "times": repeated[1]})
    asked = Text(request)
    absent = [word for word in _AVOIDABLE[language] if not count_keyword(text, word) and not count_keyword(asked, word)]
    if absent:
        digest = hashlib.sha256(request.encode()).digest()
        yield Said("avoids", {"word": absent[digest[0] % len(absent)]})


def content_words(text: Text, language: str) -> list[str]:
    """Return the words that say something, the most frequent first and then in order; names keep their capitals.

    In Chinese, which does not divide words, these are the runs of two to four characters between particles and marks.

    Example:
        >>> content_words(Text("The ducks of Anna lay eggs. Ducks swim."), "en")
        ['ducks', 'Anna', 'eggs', 'swim']
        >>> content_words(Text("汤姆的苹果在篮子里，苹果很红。"), "zh")
        ['苹果', '汤姆', '篮子里']
    """
    said = text.prose
    if language == "zh":
        pieces = [piece for run in _HAN_PIECE.findall(said) for piece in _split_run(run)]
        words = [piece for piece in pieces if 2 <= len(piece) <= 4]
    else:
        words = [word for word in Text(said).words if len(word) > 3 and _LETTERS.match(word)]
        words = [word for word in words if fold(word) not in STOP_WORDS]
    times = Counter(map(fold, words))
    written = {fold(word): word for word in sorted(words)}  # small letters come last, so that names alone keep theirs
    return [written[word] for word in sorted(times, key=lambda word: -times[word])]  # stable: ties stay in their order


def _split_run(run: str) -> list[str]:
    return "".join(" " if each in _DIVIDES else each for each in run).split()


def _positions(text: Text, language: str) -> Iterator[Said]:
    first = _first_word(text, language)
    if first:
        yield Said("first_word", {"word": first})
    lines = text.filled_lines
    if len(lines) > 1:
        match = _BEFORE_DIGIT.match(lines[-1])
        prefix = match[0].lstrip().rstrip(_SIGNS) if match else ""
        if prefix and prefix != lines[-1].strip() and len(prefix) <= 40 and not _ADDED.search(prefix):
            yield Said("last_line", {"phrase": prefix})


def _first_word(text: Text, language: str) -> str:
    if language == "zh":
        match = _HAN_PIECE.match(text.stripped)
        pieces = _split_run(match[0]) if match else []
        return pieces[0] if pieces and text.stripped.startswith(pieces[0]) and 2 <= len(pieces[0]) <= 4 else ""
    first = text.words[0] if text.words else ""
    return first if _LETTERS.match(first) else ""


def _characters(text: Text) -> Iterator[Said]:
    for name, marks in _MARKS.items():
        if not any(mark in text.raw for mark in marks):
            yield Said(name, {})
    letters = [each for each in text.raw if each.isalpha()]
    cased = [each for each in letters if each.upper() != each.lower()]
    yield Said("no_capital_words", {})
    if cased and not any(each.isupper() for each in cased):
        yield Said("all_lower", {})
    if cased and not any(each.islower() for each in cased):
        yield Said("all_upper", {})
    yield from _script(text)


def _script(text: Text) -> Iterator[Said]:
    language = guess_language(text.prose).language
    if language is not None:  # else the detector is unsure
        script = _SCRIPT_OF.get(language, "latin")
        yield Said("script_share", {"script": script})
        yield Said("one_script", {"script": script})


def read_code(output: str, request: str) -> Iterator[Said]:
    """Yield what is true of the program in a text; nothing where there is none that parses."""
    program = read_program(output, request)
    if program is not None:
        yield from _program(program)


def _program(program: Program) -> Iterator[Said]:
    if program.main:
        yield Said("code_function_name", {"name": program.main})
    named = [name for name in program.variables if len(name) > 1 and not name.startswith("_")]
    by_use = sorted(named, key=lambda name: -program.variables[name])
    yield from (Said("code_local_variable", {"name": name}) for name in by_use[:MAX_VARIABLES])
    if "class" not in program.constructs:  # whose methods are no helpers
        yield Said("code_helper_function" if program.helpers else "code_single_function", {})
    if program.returns == 1:
        yield Said("code_one_return", {})
    if program.annotated:
        yield Said("code_annotated", {})
    if program.documented:
        yield Said("code_docstring", {})
    yield from (Said(name, {}) for name in _constructs(program.constructs))
    if not program.comments:
        yield Said("code_no_comments", {})
    if not program.imports:
        yield Said("code_no_imports", {})
    if program.lines:
        yield Said("code_lines", {"limit": grid(program.lines)[1]})


def _constructs(found: frozenset[str]) -> Iterator[str]:
    for construct, family in (("for", "code_uses_for"), ("comprehension", "code_comprehension")):
        if construct in found:
            yield family
    for construct in ("while", "recursion"):
        yield f"code_uses_{construct}" if construct in found else f"code_no_{construct}"
    yield from (f"code_no_{construct}" for construct in ("class", "try", "lambda") if construct not in found)
