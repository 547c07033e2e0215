"""The checks that belong to one prompt each (`custom:*`)."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from itertools import pairwise

from rewards.parity.ifbench.base import DELETE_PUNCTUATION, EDGE, SUITE
from rewards.parity.ifbench.lists import NORTHERN_CAPITALS
from rewards.parity.view import View

_DIGITS = re.compile(r"\d+")
_MULTIPLES = ["14", "21", "28", "35", "42", "49"]
# Neither this pattern nor the next takes the blanks around it: what it splits is stripped.
_QUESTION = re.compile(r"Question \d+[.|):;]?")
_CHOICE = re.compile(r"[A-Ea-e][.|)]\s*\w")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_LAST_DAY = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30, 1: 31, 3: 31, 5: 31, 7: 31, 8: 31, 10: 31, 12: 31}
_SPECIAL = re.compile(r"[^\w\s]")


def _header(separator: str, *columns: str) -> re.Pattern[str]:
    return re.compile(separator.join(f'(?:{name}|"{name}")' for name in columns))


_PRODUCT_HEADER = _header(r",[ \t]*", "ProductID", "Category", "Brand", "Price", "Stock")
_STUDENT_HEADER = _header(r"\t *", "StudentID", "Subject", "Grade", "Semester", "Score")


@SUITE.check("custom:multiples")
def multiples(view: View) -> bool:
    return _DIGITS.findall(view.raw) == _MULTIPLES


@SUITE.check("custom:mcq_count_length")
def mcq_count_length(view: View) -> bool:
    """Ask for four questions with five choices each, every question longer than the one before."""
    if not view.raw.startswith("Question"):
        return False
    questions = [text for piece in _QUESTION.split(view.raw) if (text := piece.strip())]
    lengths = [_question_length(question) for question in questions] if len(questions) == 4 else []
    return len(lengths) == 4 and all(-1 < first < second for first, second in pairwise(lengths))


def _question_length(question: str) -> int:
    """Return the length of the text before the choices, or -1 unless there are five choices."""
    lines = [line.strip() for line in question.split("\n")]
    choices = [place for place, line in enumerate(lines) if _CHOICE.match(line)]
    return len(" ".join(lines[: choices[0]]).strip()) if len(choices) == 5 else -1


@SUITE.check("custom:reverse_newline")
def reverse_newline(view: View) -> bool:
    """Ask for 52 lines in falling order from the first one that names Zimbabwe."""
    if "Zimbabwe" not in view.raw:
        return False
    lines = [text for line in view.raw.split("\n") if (text := line.strip(EDGE))]
    first = next((place for place, line in enumerate(lines) if "Zimbabwe" in line), len(lines))
    names = [_without_accents(line) for line in lines[first:]]
    return len(names) >= 52 and all(upper >= lower for upper, lower in pairwise(names))


def _without_accents(text: str) -> str:
    if text.isascii():
        return text
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii")


@SUITE.check("custom:word_reverse")
def word_reverse(view: View) -> bool:
    words = view.lower.translate(DELETE_PUNCTUATION)
    return "bald" in words and "eagle" in words and "bald eagle" in " ".join(reversed(words.split()))


@SUITE.check("custom:character_reverse")
def character_reverse(view: View) -> bool:
    return "elgae dlab" in view.lower


@SUITE.check("custom:european_capitals_sort")
def european_capitals_sort(view: View) -> bool:
    names = [name.strip() for name in _without_accents(view.raw).split(",")]
    return [name for name in names if name] == NORTHERN_CAPITALS


@SUITE.check("custom:csv_city")
def csv_city(view: View) -> bool:
    rows = list(csv.reader(io.StringIO(view.raw)))
    if len(rows) != 8 or rows[0] != ["ID", "Country", "City", "Year", "Count"]:
        return False
    return all(len(row) == 5 for row in rows[1:])


@SUITE.check("custom:csv_special_character")
def csv_special_character(view: View) -> bool:
    """Look for a quoted special character; the rows after it are not looked at."""
    if not _PRODUCT_HEADER.fullmatch(view.raw.split("\n", 1)[0].strip()):
        return False
    rows = _quoted_rows(view.raw, ",")
    for row in rows[1:] if len(rows) == 15 else []:
        if len(row) != 5:
            return False
        if any(map(_quotes_special_character, row)):
            return True
    return False


def _quoted_rows(text: str, delimiter: str) -> list[list[str]]:
    """Parse the table so that quoted fields keep their quotation marks."""
    return list(csv.reader(io.StringIO(text.replace('"', '"""')), delimiter=delimiter))


def _quotes_special_character(field: str) -> bool:
    line = field.split("\n", 1)[0]
    return line.startswith('"') and _SPECIAL.search(line, 1, max(line.rfind('"'), 1)) is not None


@SUITE.check("custom:csv_quotes")
def csv_quotes(view: View) -> bool:
    """Ask for four rows of five quoted fields; an empty field is an IndexError, as upstream."""
    if not _STUDENT_HEADER.fullmatch(view.raw.split("\n", 1)[0].strip()):
        return False
    rows = _quoted_rows(view.raw, "\t")
    return len(rows) == 4 and all(len(row) == 5 and all(map(_is_quoted, row)) for row in rows)


def _is_quoted(field: str) -> bool:
    text = field.strip()
    return text[0] == '"' and text[-1] == '"'


@SUITE.check("custom:date_format_list")
def date_format_list(view: View) -> bool:
    return all(_is_napoleonic(date.strip()) for date in view.raw.split(","))


def _is_napoleonic(date: str) -> bool:
    """Accept month 0 with any day, and the 29th of every February, as upstream does."""
    if not _DATE.fullmatch(date):
        return False
    year, month, day = map(int, date.split("-"))
    return 1769 <= year <= 1821 and month <= 12 and day <= _LAST_DAY.get(month, 99)
