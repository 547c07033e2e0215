"""Penn Treebank tokens as NLTK's word tokenizer gives them, without NLTK.

The official tokenizer rewrites a whole sentence thirty times. Nearly all of its rules look at one chunk between white
space only, so that the tokens of a chunk are computed once and remembered; a sentence in which a rule could look
further is rewritten as a whole.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import chain
from unicodedata import category

from rewards.memo import Memo
from rewards.parity.punkt import iter_sentences, sentences

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
_SEPARATOR = re.compile(r"[\x1c-\x1f]")
_POSSESSIVE = re.compile(r"('[sSmMdD]?) (?:(?<=[^' ]' )|(?<=[^' ]'[a-zA-Z] ))")
_CONTRACTED = re.compile(r"(?<=[^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) ")
_FUSED_PAIRS = "(can)(not)|(d)('ye)|(gim)(me)|(gon)(na)|(got)(ta)|(lem)(me)|(more)('n)"
_FUSED = re.compile(rf"\b(?:{_FUSED_PAIRS})\b|\b(wan)(na)(?=\s)", re.IGNORECASE)
_FUSED_WORDS = frozenset(("cannot", "gimme", "gonna", "gotta", "lemme", "wanna"))
_FUSED_BY_APOSTROPHE = frozenset(("d'ye", "more'n"))
_TWICE_IN_FUSED = ("nn", "mm", "tt")  # each of these words without an apostrophe has one of these
_TIS = re.compile(r" ('t)(is|was)\b", re.IGNORECASE)

# Where the rules see more than one chunk: white space other than a space next to a quote, pairs of quotes that open a
# sentence, and separators that only `str.split` takes for white space.
_AWKWARD = re.compile(r"[\"'\x1c-\x1f](?:(?<=[\x1c-\x1f])|(?<=[^\S ]\")|(?<=[^\S ]')'|(?<=')[^\S ])|^(?:''|\"\"|\"')")
_SEPARATORS = ("\x1c", "\x1d", "\x1e", "\x1f")
# A text with none of these has no awkward sentence.
_MAYBE_AWKWARD = ('\n"', "\n'", "'\n", "''", '""', "\"'", *_SEPARATORS, *(space for space in _WS if space not in " \n"))
_CONTEXTUAL_STOP = re.compile(r"[.?!][':]")

# Chunks whose tokens need no rewriting: without apostrophes, commas and colons before neither digits nor each other.
# Some marks are tokens wherever they stand; all other characters, a single full stop or hyphen too, are parts of words.
_SEPARATE = f';@#$%&?!*()\\[\\]{{}}<>»”’{_OPENING}\u2012-\u2015,:"`'
_EASY = re.compile(r"(?:[^\s',:]|[,:](?![\d,:]))++")
_PIECE = re.compile(rf"\.\.+|--|``|[{_SEPARATE}]|(?:[^{_SEPARATE}.-]|[.](?![.])|-(?!-))+")
_BEFORE_OPENING = frozenset(("", "``", *f"([{{<`{_OPENING}"))
# And words with one apostrophe, or with one before and one after them.
_EASY_WORD = re.compile(r"('?)([A-Za-z0-9]+)('?)([,;:?!]?)|([^\W_]+)('[^\W_]*)([,;:?!]?)")
_EASY_CLITICS = frozenset("'s 'S 'm 'M 'd 'D 'll 'LL 're 'RE 've 'VE".split())
_EASY_FINAL = re.compile(r"(.*[^.])\.([\])}>»”’\"]*)")
_MAYBE_FUSED = re.compile(r"\b(?:cannot|gimme|gonna|gotta|lemme|wanna)(?:n't)?\b", re.IGNORECASE)

_MANY = 1000  # sentences; a text with more of them mostly repeats some
_CONTEXTUAL = 1 << 40
MARGIN = 24  # chunks: far more than the splitter and the tokenizer look ahead
_REACH = 4000  # characters: longer than any word that is looked for


def word_tokenize(text: str) -> list[str]:
    """Return the tokens of a text, sentence by sentence, as `nltk.word_tokenize` does.

    Example:
        >>> word_tokenize("I can't go. Cannot you?")
        ['I', 'ca', "n't", 'go', '.', 'Can', 'not', 'you', '?']
    """
    found = sentences(text)
    if len(found) > _MANY or any(map(text.__contains__, _MAYBE_AWKWARD)):
        return list(chain.from_iterable(map(Memo(tokenize).__getitem__, found)))
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


def first_tokens(text: str) -> list[str]:
    """Return the tokens of the first chunks; all but the last few are those of the whole text."""
    rest = text.split(None, MARGIN)[MARGIN:]
    head = text[: len(text) - len(rest[0])] if rest else text
    return word_tokenize(head[:_REACH])


def last_tokens(text: str) -> list[str]:
    """Return the tokens of the last chunks; all but the first few are those of the whole text."""
    rest = text.rsplit(None, MARGIN)[:-MARGIN]
    tail = text[len(rest[0]) :] if rest else text
    return word_tokenize(tail[-_REACH:])


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


def upper_count(text: str, limit: int | None = None) -> int:
    """Count the tokens of a text whose letters are all upper case; a limit allows to stop as soon as it is reached.

    Example:
        >>> upper_count("NASA and the USA. I DON'T know.")
        5
    """
    count = sum(map(_UPPER.__getitem__, text.split()))
    separated = _SEPARATOR.search(text) is not None
    if not count or (count < _CONTEXTUAL and not separated):
        return count
    found = 0
    for sentence in iter_sentences(text):
        count = sum(map(_UPPER.__getitem__, sentence.split()))
        found += sum(map(str.isupper, tokenize(sentence))) if separated or count >= _CONTEXTUAL else count
        if limit is not None and found >= limit:
            break
    return found


def _inner_tokens(chunk: str) -> tuple[str, ...]:
    if chunk.isascii() and chunk.isalnum():
        return (chunk,) if chunk.lower() not in _FUSED_WORDS else (chunk[:3], chunk[3:])
    return _easy_tokens(chunk) or tuple(_rewritten(f"0 {chunk} 0")[1:-1])


def _final_tokens(chunk: str) -> tuple[str, ...] | None:
    """Return the tokens of the last chunk; a full stop at its end, closing marks aside, is a token.

    None if the chunk before it may hold the final full stop.
    """
    if not chunk.strip(_CLOSERS):
        return None
    if chunk[-1] == "." and chunk[:-1].isalnum():
        return *_inner_tokens(chunk[:-1]), "."
    parts = _EASY_FINAL.fullmatch(chunk)
    if not parts:
        easy = _easy_tokens(chunk)
    elif easy := _easy_tokens(parts[1]):
        easy = (*easy, ".", *("''" if mark == '"' else mark for mark in parts[2]))
    return easy or tuple(_rewritten(f"0 {chunk}")[1:])


def _easy_tokens(chunk: str) -> tuple[str, ...]:
    """Return the tokens of a chunk that ordinary rules split; nothing if there may be more to it."""
    if _MAYBE_FUSED.search(chunk):
        return ()
    if _EASY.fullmatch(chunk):
        tokens = _PIECE.findall(chunk)
        if '"' not in chunk:
            return tuple(tokens)
        opens = ["``" if before in _BEFORE_OPENING else "''" for before in ["", *tokens]]
        return tuple(quote if token == '"' else token for token, quote in zip(tokens, opens, strict=False))
    word = _EASY_WORD.fullmatch(chunk)
    return tuple(filter(None, _word_tokens(*word.groups(default="")))) if word else ()


def _word_tokens(before: str, word: str, after: str, mark: str, stem: str, rest: str, final: str) -> tuple[str, ...]:
    """Return the tokens of a word with apostrophes around it, or with one in or after it, and a mark at the end."""
    if word:
        return (before + word, after, mark) if _CLITIC.fullmatch(word) else (before, word, after, mark)
    if not _is_word(stem[-1]):
        return ()
    if rest == "'" or rest in _EASY_CLITICS or (stem + rest).lower() in _FUSED_BY_APOSTROPHE:
        return stem, rest, final
    if stem[-1] + rest in {"n't", "N'T"} and len(stem) > 1:
        return stem[:-1], stem[-1] + rest, final
    return stem + rest, final


def _is_plainly_mixed(chunk: str) -> bool:
    """Whether a chunk surely holds no upper-case token."""
    if not chunk.isascii():
        return not any(map(str.isupper, chunk))
    return chunk == chunk.lower() or (chunk.istitle() and chunk.isalpha() and len(chunk) > 1)


def _upper_tokens(chunk: str) -> int:
    """Count the upper-case tokens of a chunk; `_CONTEXTUAL` if they depend on its place."""
    if _is_plainly_mixed(chunk):
        return 0
    if _CONTEXTUAL_STOP.search(chunk):
        return _CONTEXTUAL
    if easy := _easy_tokens(chunk):
        return sum(map(str.isupper, easy))
    if "'" in chunk or "wanna" in chunk.lower():
        return _CONTEXTUAL
    return sum(map(str.isupper, _rewritten(f"0 {chunk} 0")))


_INNER = Memo(_inner_tokens)
_FINAL = Memo(_final_tokens)
_UPPER = Memo(_upper_tokens)


def _rewritten(text: str) -> list[str]:
    """Apply all rules to a whole sentence."""
    text = _with_opening_apart(text)
    if text[:1] == '"':
        text = "``" + text[1:]
    text = text.replace("``", " `` ")
    apostrophe = "'" in text
    if apostrophe or '"' in text:
        text = _OPENING_STRAIGHT.sub(" `` ", text)
    text = _final_stop(_detached(text))
    if "," in text or ":" in text:
        text = _with_commas_apart(text)
    text = " ".join(_PADDED.split(text))
    if apostrophe:
        text = _QUOTE_BEFORE_SPACE.sub(" ' ", text)
    text = " ".join(_BRACKET.split(text))
    text = f" {text} ".replace("''", " '' ").replace('"', " '' ")
    text = _SPACES.sub(" ", text) if _SEPARATOR.search(text) else f" {' '.join(text.split())} "
    if apostrophe:
        text = " ".join(_CONTRACTED.split(" ".join(_POSSESSIVE.split(text))))
    if apostrophe or any(map(text.lower().__contains__, _TWICE_IN_FUSED)):
        text = _TIS.sub(_unfused, _FUSED.sub(_unfused, text))
    return text.split()


def _with_opening_apart(text: str) -> str:
    if not text.isascii():
        for mark in _OPENING:
            text = text.replace(mark, f" {mark} ")
    return " ".join(_BACKTICKS.split(text)) if "`" in text else text


def _with_commas_apart(text: str) -> str:
    parts = _COMMA.split(text)
    parts[1::3] = [f" {mark} " for mark in parts[1::3]]
    text = "".join(parts)
    return f"{text[:-1]} {text[-1]} " if text[-1] in {",", ":"} else text


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


@lru_cache(maxsize=4096)
def _is_word(char: str) -> bool:
    """Whether the official engine counts a character as part of a word: marks yes, superscripts and fractions no."""
    if char.isascii():
        return char.isalnum() or char == "_"
    kind = category(char)
    return kind[0] in "LM" or kind in {"Nd", "Nl", "Pc"} or "\u24b6" <= char <= "\u24e9"
