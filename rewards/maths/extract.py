r"""Where a response states its final answer.

1. Thinking (`<think>...</think>`) is left out; unclosed thinking has no answer.
2. The last box (`\boxed`, `\fbox`). Boxes joined by nothing but commas, "and" or "or" are one answer with several
   values, and so are three or more with next to nothing between them: `\boxed{3} or \boxed{4}` is no way to be right
   about 4. After it a `####` line or "the final answer is" counts instead, if it states mathematics.
3. Else the last announcement: a `####` line, "the answer is", "Answer:", or the same in another language.
4. Else the whole response, if it is nothing but a formula or a word.
5. Else the last number, or the formula that holds it.

What `<answer>...</answer>` encloses is searched alone.

What is denied is no answer: "the answer is not 4", "isn't", "不是". After "not 4 but 5" it is 5.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from rewards.maths.statement import FORMULA, JOINER, MATHEMATICAL, count_words, inside, last_number, stated, whole
from rewards.maths.tokens import closing_brace

MAX_TEXT = 50_000  # characters at the end of a response, where its answer is
_WINDOW = 4_000  # characters at the end of that, where its last number is
_THINK = re.compile(r"<think>|</think>", re.IGNORECASE)
_TAG = re.compile(r"<answer>((?:(?!</?answer>).)*)</answer>", re.DOTALL | re.IGNORECASE)
_BOX = re.compile(
    r"\\(?:boxed|fbox|framebox)\s*(?:(\{)|(?<=\s)([-+]?[\d.,/]*\d|[A-Za-z](?![A-Za-z])|\\[A-Za-z]+))", re.IGNORECASE
)
_DENIAL = (
    r"(?:not|never|neither|(?:is|are|was)n['’]?t|cannot|can['’]?t|no\s+longer|anything\s+but|rather\s+than|instead\s+of"
    r"|不是|并非|不为|不等于)"
)
_STARTS_DENIED = re.compile(_DENIAL + r"(?![A-Za-z])", re.IGNORECASE)
_DENIED = re.compile(_DENIAL + r"(?:\s+(?:be|equal(?:\s+to)?|really|simply|just|actually))?[\s*$:(]*\Z", re.IGNORECASE)
_DENYING = re.compile(r"n['’]?t\b|cannot\b|不是|并非|不为", re.IGNORECASE)
_INSTEAD = re.compile(
    r"\b(?:but|rather)\b(?:\s+(?:it\s+is|is|rather))?|而是|(?:it\s+is|it['’]s)\b(?!\s+not)|应该?[是为]", re.IGNORECASE
)
# Matched against lower-case text, every branch beginning with a letter of its own: so that a search skips quickly.
_ANNOUNCEMENT = re.compile(
    r"answers?(?:\s+(?:to|for|of|in)\s+[^.!?。\n:=]{1,60}?)?"
    r"(?:\s+(?:here|therefore|thus|then|must|should|will|would|can|could|does))?[\"'”]?\s*(?:\*\*|__)?\s*"
    r"(?:(?:is|are|was|be|equals?|comes?\s+(?:out\s+)?to)\b|(?:isn|aren|can)['’]?t\b|cannot\b|[:：=])"
    r"|answer(?<=final answer)\s*(?:\*\*|__)?\s*\n|(?P<label>a)[ \t]*:"
    r"|答案\s*(?:应该|应)?\s*(?:不是|并非|不为|是|为|等于|[:：=])"
    r"|antwort(?:\s+ist|\s+lautet|\s*:)|respuesta(?:\s+final)?(?:\s+es|\s*:)|réponse(?:\s+finale)?(?:\s+est|\s*:)"
    r"|risposta(?:\s+è|\s*:)|resposta(?:\s+é|\s*:)|ответ\s*(?:[:：—-]|будет)|答え\s*[は:：]|정답\s*[은는:]"
)
_FINAL = re.compile(
    r"final\s+answer\s*(?:\*\*)?\s*(?:is|:|=)[\s:*]*(?=[-+−]?\s*(?:[\d$]|\\[A-Za-z(\[$]))", re.IGNORECASE
)
_LEAD = re.compile(
    r"(?:[\s*_:：\"“`]+|(?:is|be|equals?|equal\s+to|therefore|thus|simply|just|exactly|approximately|about|indeed|clearly"
    r"|then|now|only|given\s+by|option|choice|surely|definitely|probably|the|an?(?=\s+\d)|是|为|选项?)(?![A-Za-z]))*+",
    re.IGNORECASE,
)
_HASHES = re.compile(r"^[ \t]*####(?!#)[ \t]*(.*)$", re.MULTILINE)
_HASH_VALUE = re.compile(r"[-+−]?\s*[\d$\\({\[.π√]")
_NAME = re.compile(r"[A-Za-z]\s*=")
_MAX_GAP = 25


def extract_answer(text: str) -> str | None:
    """Return the final answer that a response states, or None.

    Example:
        >>> extract_answer("So \\\\boxed{\\\\frac{1}{2}} it is.")
        '\\\\frac{1}{2}'
        >>> extract_answer("The answer is 1,234 apples. I checked 2 times.")
        '1,234'
        >>> extract_answer("The answer is not 4.") is None, extract_answer("The answer is not 4 but 5.")
        (True, '5')
    """
    text = _judged_part(text)
    boxes = _boxes(text) if "\\" in text else []
    after = boxes[-1].end if boxes else None
    found = _hash_line(text, after) if "####" in text else None
    if found is None and after is not None:
        found = _final_statement(text, after) or _last_group(boxes, text)
    return _announced(text) if found is None else found


def boxed_answers(text: str) -> list[str]:
    """Return what every box of a response holds, in order, repetitions left out.

    Example:
        >>> boxed_answers("(a) \\\\boxed{3} (b) \\\\boxed{4}, so \\\\boxed{4}")
        ['3', '4']
    """
    text = _judged_part(text)
    return list(dict.fromkeys(box.content for box in _boxes(text))) if "\\" in text else []


def _judged_part(text: str) -> str:
    """Return what follows the thinking, or the inside of the last answer tag in it; at most its end."""
    if "<" not in text:
        return text[-MAX_TEXT:]
    text = _after_thinking(text)[-MAX_TEXT:]
    tags = _TAG.findall(text) if "<answer>" in text.lower() else []
    return tags[-1] if tags and tags[-1].strip() else text


def _after_thinking(text: str) -> str:
    """Return what follows the last closing tag, up to thinking that is never closed."""
    begin, end = 0, len(text)
    for tag in _THINK.finditer(text):
        if tag[0][1] == "/":
            begin, end = tag.end(), len(text)
        else:
            end = min(end, tag.start())
    return text[begin:end]


# Boxes


class _Box(NamedTuple):
    start: int
    end: int
    content: str


def _boxes(text: str) -> list[_Box]:
    """Return the outermost closed boxes that hold something and are not denied."""
    found, place, open_boxes = list[_Box](), 0, 0
    while open_boxes < 3 and (match := _BOX.search(text, place)):
        end = closing_brace(text, match.end() - 1) if match[1] else match.end() - 1
        if end == len(text):
            open_boxes += 1  # each costs a pass over the rest of the text
            place = match.end()
            continue
        place, content = end + 1, text[match.end() : end].strip() if match[1] else match[2]
        if content:
            found.append(_Box(match.start(), place, content))
    return [box for box in found if not _DENIED.search(text[max(0, box.start - 40) : box.start])]


def _last_group(boxes: list[_Box], text: str) -> str:
    """Return the last box, or the boxes that state several values together.

    Those are joined by commas, "and" or "or"; three different ones with next to nothing between them are a list, too.
    """
    joined, close = [boxes[-1]], [boxes[-1]]
    for box in reversed(boxes[:-1]):
        between = text[box.end : close[0].start]
        if len(between) > _MAX_GAP or any(mark in "0123456789=+" for mark in _NAME.sub("", between)):
            break
        if joined[0] is close[0] and between.strip(" \t\n$") and JOINER.fullmatch(between):
            joined.insert(0, box)
        close.insert(0, box)
    values, near = (list(dict.fromkeys(box.content for box in group)) for group in (joined, close))
    return ", ".join(near if len(near) > 2 else values)


# Announcements


def _hash_line(text: str, after: int | None) -> str | None:
    """Return the last `####` line that is no heading: it holds mathematics, or nothing follows it."""
    for line in reversed(list(_HASHES.finditer(text, after or 0))):
        content = line[1].strip().strip("*").strip()
        closing = after is None and not text[line.end() :].strip() and count_words(content) < 5
        if content and (closing or _HASH_VALUE.match(content)):
            formula = FORMULA.fullmatch(content)
            return inside(formula) if formula else content
    return None


def _final_statement(text: str, after: int) -> str | None:
    """Return what "the final answer is" states behind the last box."""
    statements = list(_FINAL.finditer(text, after))
    return stated(text[statements[-1].end() :]) if statements else None


def _announced(text: str) -> str | None:
    for match in reversed(list(_ANNOUNCEMENT.finditer(_lower(text)))):
        if match["label"] and not _begins_line(text, match.start()):
            continue
        lead = _LEAD.match(text, match.end())
        rest = text[lead.end() if lead else match.end() :][:2_500]
        denial = _STARTS_DENIED.match(rest)
        if denial or _DENYING.search(match[0]):
            denied = rest[denial.end() :].lstrip() if denial else rest
            if MATHEMATICAL.match(denied):
                return _instead(denied)
            continue
        found = stated(rest)
        if found:
            return found
    if _BOX.search(text) is None and (found := whole(text)):
        return found
    window = text[-_WINDOW:]
    start = window.find("\n") + 1 if len(text) > _WINDOW else 0  # not in the middle of a formula
    return last_number(window[start:], _is_denied) or (last_number(text, _is_denied) if len(text) > _WINDOW else None)


def _begins_line(text: str, place: int) -> bool:
    """Tell whether a capital letter is the first of its line."""
    return text[place] == "A" and text[max(0, place - 9) : place].rstrip(" \t")[-1:] in ("", "\n")


def _lower(text: str) -> str:
    """Return a text in lower case whose places are those of the original."""
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(c.lower() if len(c.lower()) == 1 else c for c in text)


def _is_denied(before: str) -> bool:
    return _DENIED.search(before) is not None


def _instead(denied: str) -> str | None:
    """Return what a sentence such as "... not 4 but 5" puts in the place of what it denies."""
    match = _INSTEAD.search(denied[:300])
    return stated(denied[match.end() :].lstrip()) if match else None
