"""Penn Treebank tokens as NLTK's word tokenizer gives them, without NLTK.

The official tokenizer rewrites a whole sentence thirty times. Nearly all of its rules look at one chunk between white
space only, so that the tokens of a chunk are computed once and remembered; a sentence in which a rule could look
further is rewritten as a whole.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import Any
from unicodedata import category

from rewards.parity.punkt import sentences

# What the official engine holds to be white space, without the four ASCII separators 1C-1F.
_WS = "\t\n\x0b\x0c\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
_CLOSERS = "])}>\"'»”’ "

# Of the marks to be set off by blanks, the patterns capture all that is kept: what they split is joined by blanks,
# which is much faster than a substitution with references to groups.
_OPENING = "«“‘„"
_BACKTICKS = re.compile(r"(`+)")
_OPENING_STRAIGHT = re.compile(r"(?:\"|'')(?:(?<=[ (\[{<]\")|(?<=[ (\[{<]''))")
# Among ASCII characters, an apostrophe that opens a word; and one that may, next to others.
_NO_CLITIC = r"(?!(?i:re|ve|ll|[mtsdn])(?![\w\x80-\U0010ffff]))"
_ASCII_APOSTROPHE = re.compile(rf"'(?<![\w\x80-\U0010ffff]')(?=\w){_NO_CLITIC}(?!\w\w?[\x80-\U0010ffff])", re.ASCII)
_APOSTROPHE = re.compile(rf"'(?<!\w')(?=[\w\x80-\U0010ffff]){_NO_CLITIC}", re.ASCII)
_CLITIC = re.compile(r"re|ve|ll|[mtsdn]", re.IGNORECASE)
_COMMA = re.compile(r"([:,])(\D)")
_PADDED = re.compile(r"(\.\.+|[;@#$%&?!\u2012-\u2015])")
_QUOTE_BEFORE_SPACE = re.compile(r"' (?<=[^']' )")
_BRACKET = re.compile(r"([*\[\](){}<>»”’]|--)")
_SPACES = re.compile(f"[{_WS}]+")
_POSSESSIVE = re.compile(r"('[sSmMdD]?) (?:(?<=[^' ]' )|(?<=[^' ]'[a-zA-Z] ))")
_CONTRACTED = re.compile(r"(?<=[^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ")
_FUSED_PAIRS = "(can)(not)|(d)('ye)|(gim)(me)|(gon)(na)|(got)(ta)|(lem)(me)|(more)('n)"
_FUSED = re.compile(rf"\b(?:{_FUSED_PAIRS})\b|\b(wan)(na)(?=\s)", re.IGNORECASE)
_FUSED_WORDS = frozenset(("cannot", "gimme", "gonna", "gotta", "lemme", "wanna"))
_TIS, _TWAS = (re.compile(rf"( 't)({verb})\b", re.IGNORECASE) for verb in ("is", "was"))

# Where the rules see more than one chunk: white space other than a space next to a quote, pairs of quotes that open a
# sentence, and separators that only `str.split` takes for white space.
_AWKWARD = re.compile(r"[\"'\x1c-\x1f](?:(?<=[\x1c-\x1f])|(?<=[^\S ]\")|(?<=[^\S ]')'|(?<=')[^\S ])|^(?:''|\"\"|\"')")
_SEPARATORS = ("\x1c", "\x1d", "\x1e", "\x1f")
# A text with none of these has no awkward sentence.
_MAYBE_AWKWARD = ('\n"', "\n'", "'\n", "''", '""', "\"'", *_SEPARATORS, *(space for space in _WS if space not in " \n"))
_CONTEXTUAL_STOP = re.compile(r"[.?!][':]")
_CONTEXTUAL_APOSTROPHE = re.compile(r"\.[^\w.]")

# Chunks whose tokens need no rewriting: words, marks that are tokens wherever they stand, and commas and colons before
# neither digits nor each other. A single full stop or hyphen is a part of its word.
_SEPARATE = "()\\[\\]{}<>*;@#$%&?!»”’"
_EASY = re.compile(rf"\"?(?:[A-Za-z0-9{_SEPARATE}]|[.](?![.])|-(?!-)|[,:](?![\d,:]))++\"?")
_PIECE = re.compile(r"[A-Za-z0-9.\-]+|[^A-Za-z0-9.\-]")
_EASY_CLITIC = re.compile(r"([A-Za-z]+)('(?:s|m|d|ll|re|ve))([,;:?!]?)|([A-Za-z]+)(n't)([,;:?!]?)")
_EASY_FINAL = re.compile(r"(.*[^.])\.([\])}>»”’]*)(\"?)")
_MAYBE_FUSED = re.compile(r"\b(?:cannot|gimme|gonna|gotta|lemme|wanna)(?:n't)?\b", re.IGNORECASE)

_MEMO_SIZE = 50_000
_MEMO_LENGTH = 40
_MANY = 1000  # sentences; a text with more of them mostly repeats some
_CONTEXTUAL = 1 << 40


class _Inner(dict[str, tuple[str, ...]]):
    """Tokens of a chunk that another chunk follows."""

    def __missing__(self, chunk: str) -> tuple[str, ...]:
        tokens = _inner_tokens(chunk)
        if _fits(self, chunk):
            self[chunk] = tokens
        return tokens


class _Final(dict[str, tuple[str, ...] | None]):
    """Tokens of the last chunk of a sentence; None if the chunk before it may hold the final full stop."""

    def __missing__(self, chunk: str) -> tuple[str, ...] | None:
        tokens = _final_tokens(chunk) if chunk.strip(_CLOSERS) else None
        if _fits(self, chunk):
            self[chunk] = tokens
        return tokens


class _Upper(dict[str, int]):
    """Number of upper-case tokens of a chunk; `_CONTEXTUAL` if it depends on the place of the chunk."""

    def __missing__(self, chunk: str) -> int:
        count = 0 if _is_plainly_mixed(chunk) else _upper_tokens(chunk)
        if _fits(self, chunk):
            self[chunk] = count
        return count


class _Sentences(dict[str, list[str]]):
    """Tokens of the sentences of one text."""

    def __missing__(self, sentence: str) -> list[str]:
        self[sentence] = tokens = tokenize(sentence)
        return tokens


def _fits(memo: dict[str, Any], chunk: str) -> bool:
    """Whether to remember a chunk; a full memo starts anew."""
    if len(memo) >= _MEMO_SIZE:
        memo.clear()
    return len(chunk) <= _MEMO_LENGTH


_INNER = _Inner()
_FINAL = _Final()
_UPPER = _Upper()


def word_tokenize(text: str) -> list[str]:
    """Return the tokens of a text, sentence by sentence, as `nltk.word_tokenize` does.

    Example:
        >>> word_tokenize("I can't go. Cannot you?")
        ['I', 'ca', "n't", 'go', '.', 'Can', 'not', 'you', '?']
    """
    found = sentences(text)
    if len(found) > _MANY or any(map(text.__contains__, _MAYBE_AWKWARD)):
        return list(chain.from_iterable(map(_Sentences().__getitem__, found)))
    tokens: list[str] = []
    for sentence in found:
        *chunks, last = sentence.split()
        final = _FINAL[last]
        if final is None:
            tokens += _rewritten(sentence)
        else:
            tokens.extend(chain.from_iterable(map(_INNER.__getitem__, chunks)))
            tokens += final
    return tokens


def tokenize(sentence: str) -> list[str]:
    """Return the tokens of one sentence: only its last full stop is a token of its own.

    Example:
        >>> tokenize('He paid $3.50, i.e. "a lot".')
        ['He', 'paid', '$', '3.50', ',', 'i.e.', '``', 'a', 'lot', "''", '.']
    """
    chunks = sentence.split()
    if not chunks or _AWKWARD.search(sentence) or (sentence[-1].isspace() and "'" in sentence):
        return _rewritten(sentence)
    final = _FINAL[chunks.pop()]
    if final is None:
        return _rewritten(sentence)
    return [*chain.from_iterable(map(_INNER.__getitem__, chunks)), *final]


def upper_count(text: str) -> int:
    """Count the tokens of a text whose letters are all upper case.

    Example:
        >>> upper_count("NASA and the USA. I DON'T know.")
        5
    """
    count = sum(map(_UPPER.__getitem__, text.split()))
    if count < _CONTEXTUAL and not any(map(text.__contains__, _SEPARATORS)):
        return count
    return sum(map(str.isupper, word_tokenize(text)))


def _inner_tokens(chunk: str) -> tuple[str, ...]:
    if chunk.isascii() and chunk.isalpha():
        return (chunk,) if chunk.lower() not in _FUSED_WORDS else (chunk[:3], chunk[3:])
    return _easy_tokens(chunk) or tuple(_rewritten(f"0 {chunk} 0")[1:-1])


def _final_tokens(chunk: str) -> tuple[str, ...]:
    """Return the tokens of the last chunk; a full stop at its end, closing marks aside, is a token."""
    parts = _EASY_FINAL.fullmatch(chunk)
    if not parts:
        easy = _easy_tokens(chunk)
    elif (easy := _easy_tokens(parts[1])) and not (parts[1] == '"' and parts[3]):
        easy = (*easy, ".", *parts[2], *(["''"] if parts[3] else ()))
    return easy or tuple(_rewritten(f"0 {chunk}")[1:])


def _easy_tokens(chunk: str) -> tuple[str, ...]:
    """Return the tokens of a chunk that ordinary rules split; nothing if there may be more to it."""
    if _MAYBE_FUSED.search(chunk):
        return ()
    if _EASY.fullmatch(chunk):
        tokens = _PIECE.findall(chunk)
        if tokens[0] == '"':
            tokens[0] = "``"
        if tokens[-1] == '"':
            tokens[-1] = "``" if tokens[-2] in {"(", "[", "{", "<"} else "''"
        return tuple(tokens)
    clitic = _EASY_CLITIC.fullmatch(chunk)
    return tuple(filter(None, clitic.groups())) if clitic else ()


def _is_plainly_mixed(chunk: str) -> bool:
    """Whether a chunk surely holds no upper-case token."""
    if not chunk.isascii():
        return chunk.islower()
    return chunk == chunk.lower() or (chunk.istitle() and chunk.isalpha() and len(chunk) > 1)


def _upper_tokens(chunk: str) -> int:
    """Count the upper-case tokens of a chunk, unless its place may change them."""
    if _CONTEXTUAL_STOP.search(chunk):
        return _CONTEXTUAL
    if easy := _easy_tokens(chunk):
        return sum(map(str.isupper, easy))
    count = sum(map(str.isupper, _rewritten(f"0 {chunk} 0")))
    if "'" in chunk or "wanna" in chunk.lower():
        others = f"0 {chunk}", f"0 {chunk}\n0", f"0\n{chunk} 0"
        same = all(sum(map(str.isupper, _rewritten(other))) == count for other in others)
        return count if same and not _CONTEXTUAL_APOSTROPHE.search(chunk) else _CONTEXTUAL
    return count


def _rewritten(text: str) -> list[str]:
    """Apply all rules to a whole sentence."""
    text = _with_opening_apart(text)
    if text[:1] == '"':
        text = "``" + text[1:]
    text = text.replace("``", " `` ")
    text = _OPENING_STRAIGHT.sub(" `` ", text)
    text = _final_stop(_detached(text))
    text = _with_commas_apart(text)
    if text[-1:] in {",", ":"}:
        text = f"{text[:-1]} {text[-1]} "
    text = " ".join(_PADDED.split(text))
    text = _QUOTE_BEFORE_SPACE.sub(" ' ", text)
    text = " ".join(_BRACKET.split(text))
    text = f" {text} ".replace("''", " '' ").replace('"', " '' ")
    text = _SPACES.sub(" ", text) if any(map(text.__contains__, _SEPARATORS)) else f" {' '.join(text.split())} "
    text = " ".join(_CONTRACTED.split(" ".join(_POSSESSIVE.split(text))))
    return _TWAS.sub(r"\1 \2 ", _TIS.sub(r"\1 \2 ", _FUSED.sub(_unfused, text))).split()


def _with_opening_apart(text: str) -> str:
    for mark in _OPENING:
        if mark in text:
            text = text.replace(mark, f" {mark} ")
    return " ".join(_BACKTICKS.split(text)) if "`" in text else text


def _with_commas_apart(text: str) -> str:
    parts = _COMMA.split(text)
    parts[1::3] = [f" {mark} " for mark in parts[1::3]]
    return "".join(parts)


def _unfused(match: re.Match[str]) -> str:
    first, second = filter(None, match.groups())
    return f" {first} {second} "


def _final_stop(text: str) -> str:
    """Set off the full stop that ends the text, closing quotes and brackets aside."""
    body = text.rstrip(_WS)
    core = body.rstrip(_CLOSERS)
    if len(core) < 2 or core[-1] != "." or core[-2] == ".":
        return text
    return f"{core[:-1]} . {body[len(core) :]} "


def _detached(text: str) -> str:
    """Set off an apostrophe that opens a word, unless the word is a clitic such as 's."""
    if "'" not in text:
        return text
    text = _ASCII_APOSTROPHE.sub("' ", text)
    if text.isascii():
        return text

    def spaced(match: re.Match[str]) -> str:
        start, end = match.span()
        if (start and _is_word(text[start - 1])) or not _is_word(text[end]):
            return "'"
        clitic = _CLITIC.match(text, end)
        whole = clitic and not _is_word(text[clitic.end() : clitic.end() + 1])
        return "'" if whole else "' "

    return _APOSTROPHE.sub(spaced, text)


def _is_word(char: str) -> bool:
    """Whether the official engine counts a character as part of a word: marks yes, superscripts and fractions no."""
    if char.isascii():
        return char.isalnum() or char == "_"
    kind = category(char)
    return kind[0] in "LM" or kind in {"Nd", "Nl", "Pc"} or "\u24b6" <= char <= "\u24e9"
