"""Whether a response answers a question: SQuAD's normalisation, exact match and F1, for English and Chinese.

Rule of correctness: the final answer of the response (`extract_qa_answer`) consists of the same tokens as an accepted
answer. A token is a word, a number, or a Han or kana character; case, width, punctuation, and articles before a word do
not count, nor do spaces between characters. Where every accepted answer is a yes or a no, the first clause of the final
answer (of the response, where it announces none) must say the same.

Departures from SQuAD's script, each because different answers were equal or equal ones different: the decimal point,
the fraction bar and the minus sign of a number count (`3.5` is not `35`), so do `C++` and `C#`; an article counts where
nothing follows it (`vitamin A`, the option `A`); other marks than apostrophes, hyphens and full stops separate words.
Sources: Rajpurkar et al. 2016 (arXiv 1606.05250), section 6.1; for characters as tokens Cui et al. 2019, CMRC 2018.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from rewards.characters import CJK
from rewards.sentences import split_sentences

MAX_CHARACTERS = 4_000  # of an answer; what follows is not looked at
_SHORT = 12  # tokens of a response that is an answer as it stands

_SYMBOLS = frozenset("$<=>^`|~")  # punctuation of ASCII that Unicode counts among the symbols
_ALIKE = {"'": "", "’": "", "‘": "", "`": "", "‐": "-", "‑": "-", "‒": "-", "–": "-", "−": "-", "⁄": "/"}
_DECIDED_LATER = frozenset(".-/+#")  # what they are depends on what is next to them
_ELLIPSIS = re.compile(r"\.{2,}")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_LETTER, _ALNUM = rf"[^\W\d_{CJK}]", rf"[^\W_{CJK}]"
_JOINED = re.compile(
    rf"\.(?!\d)|(?<={_LETTER})\.|(?<={_LETTER})-(?={_ALNUM})|(?<=\d)-(?={_LETTER})"  # U.S., well-known
)
_SEPARATING = re.compile(
    rf"(?<={_ALNUM})-|-(?![\d.])|(?<!\d)/|/(?!\d)|(?<!{_LETTER})#|#(?={_ALNUM})"
    rf"|(?<![^\W\d_+{CJK}])\+|\+(?={_ALNUM})"
)
_TOKEN = re.compile(rf"[{CJK}]|[^\s{CJK}]+")
_ARTICLES = frozenset({"a", "an", "the"})
_YES, _NO = frozenset({"yes", "是", "是的"}), frozenset({"no", "否", "不", "不是"})
_CLAUSE_END = re.compile(r"[,.;:!?，。；：！？、—\n]")

_BOX = "\\boxed{"
_WRAPPED = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|mbox)\{([^{}]*)\}")
_ANNOUNCED = re.compile(
    r"(?:\banswer(?: to [^\n.:：]{1,80}?)?\**\s*(?:is\b|[:：=])|答案\**\s*(?:是|为|[:：=]))[ \t:：*]*(?:\n\s*)?",
    re.IGNORECASE,
)
_MARKS = " \t\r\n*_`\"'“”‘’「」$"


class _Table(dict[int, str]):
    """What stands for a character before tokens are read: itself, a plainer one, or a blank for punctuation."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        plain = _ALIKE.get(character, character)
        marks = plain and plain not in _DECIDED_LATER and (unicodedata.category(plain)[0] == "P" or plain in _SYMBOLS)
        self[code] = " " if marks else plain
        return self[code]


_TABLE = _Table()


def qa_tokens(text: str) -> list[str]:
    """Return the tokens on which answers are compared.

    Example:
        >>> qa_tokens("The U.S., well-known for $3.50 (or 1,000)")
        ['us', 'wellknown', 'for', '3.50', 'or', '1000']
        >>> qa_tokens("《红楼梦》，１９８７年")
        ['红', '楼', '梦', '1987', '年']
    """
    folded = unicodedata.normalize("NFKC", text[:MAX_CHARACTERS]).casefold()
    plain = _ELLIPSIS.sub(" ", _THOUSANDS.sub("", folded).translate(_TABLE))
    tokens = _TOKEN.findall(_SEPARATING.sub(" ", _JOINED.sub("", plain)))
    last = len(tokens) - 1
    return [token for place, token in enumerate(tokens) if place == last or token not in _ARTICLES]


def exact_match(text: str, values: Sequence[str]) -> bool:
    """Tell whether an answer has the tokens of an accepted one; an answer without tokens matches nothing.

    Example:
        >>> exact_match("the Eiffel Tower.", ["Eiffel Tower", "La Tour Eiffel"]), exact_match("...", ["?"])
        (True, False)
    """
    tokens = qa_tokens(text)
    return bool(tokens) and any(tokens == qa_tokens(value) for value in values)


def f1(text: str, values: Sequence[str]) -> float:
    """Return the largest F1 (0 to 1) of an answer's tokens against those of an accepted answer.

    With c tokens in common, counted with repetition: 2 c / (tokens of the answer + tokens of the value).

    Example:
        >>> f1("Barack Obama", ["Barack Hussein Obama"])
        0.8
    """
    tokens = Counter(qa_tokens(text))
    return max((_overlap(tokens, Counter(qa_tokens(value))) for value in values), default=0.0)


def _overlap(left: Counter[str], right: Counter[str]) -> float:
    common = (left & right).total()
    return 2 * common / (left.total() + right.total()) if common else 0.0


def extract_qa_answer(text: str) -> str:
    """Return the final answer of a response.

    It is the last box; else the first sentence after the last "answer is", "Answer:", "答案是"; else the whole response
    if that is one line or short; else its last line. Emphasis, quotes and blanks around it are left out.

    Example:
        >>> extract_qa_answer("I looked it up.\\n**Answer:** Dr. Lee. He wrote it.")
        'Dr. Lee.'
        >>> extract_qa_answer("It is well known.\\n\\n" + "So many words. " * 9 + "\\n\\nParis")
        'Paris'
    """
    stated = _stated(text)
    if stated is not None:
        return stated
    lines = [line for line in text.split("\n") if line.strip()]
    whole = len(lines) < 2 or len(qa_tokens(text)) <= _SHORT
    return (text if whole else lines[-1]).strip(_MARKS)


def _stated(text: str) -> str | None:
    """Return what stands in the last box or after the last announcement."""
    begin = text.rfind(_BOX)
    if begin >= 0:
        return _WRAPPED.sub(r"\1", _braced(text, begin + len(_BOX))).strip(_MARKS)
    for match in reversed(list(_ANNOUNCED.finditer(text))):
        end = text.find("\n", match.end())
        said = text[match.end() : end if end >= 0 else len(text)].strip(_MARKS)
        if said:
            return _first_sentence(said).strip(_MARKS)
    return None


def _first_sentence(said: str) -> str:
    """Return the first sentence of what follows "is", where a number and a full stop open no list."""
    before = "is "
    return (split_sentences(before + said) or [before + said])[0].removeprefix(before)


def _braced(text: str, begin: int) -> str:
    depth = 1
    for place in range(begin, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[begin:place]
    return text[begin:]


def qa_correct(values: Sequence[str], response: str) -> bool:
    """Tell whether a response (without thinking) gives an accepted answer, by the rule at the top of this module.

    Example:
        >>> qa_correct(["Paris"], "Let me think. The answer is **Paris**."), qa_correct(["no"], "No, it never was.")
        (True, True)
    """
    accepted = {_polarity(value) for value in values}
    if None in accepted:
        return exact_match(extract_qa_answer(response), values)
    stated = _stated(response)
    clause = _CLAUSE_END.split((response if stated is None else stated).strip(_MARKS), maxsplit=1)[0]
    return _polarity(clause) in accepted


def _polarity(text: str) -> bool | None:
    said = "".join(qa_tokens(text))
    return True if said in _YES else False if said in _NO else None
