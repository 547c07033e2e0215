"""What the answer begins and ends with."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator

from rewards.constraint import Constraint, Context, Verdict, register, verdict_if
from rewards.draft import Draft
from rewards.text import Text, fold

_LEAD_MARKUP = ' \t\r\n"“「'
_TAIL_MARKUP = " \t\r\n*_`\"'“”’」』）)"
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "「": "」", "『": "』"}


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("the text must not be blank")
    return text


def _not_markup(text: str) -> str:
    if not text.strip(_TAIL_MARKUP):
        raise ValueError("the text must hold more than blanks, quotes and markdown")
    return text


NonBlank = Annotated[str, AfterValidator(_not_blank)]
NonMarkup = Annotated[str, AfterValidator(_not_markup)]


def _squeeze(text: str) -> str:
    return " ".join(fold(text).split())


@register
class RepeatRequest(Constraint):
    """The answer starts with the request, repeated word for word (case and blanks may differ), then goes on."""

    type: Literal["affix:repeat_request"] = "affix:repeat_request"
    request: NonBlank

    phrases: ClassVar = {
        "en": (
            "First repeat the request word for word, then give your answer.",
            "Begin by repeating the request without any change and then answer it.",
        ),
        "zh": ("请先一字不差地重复题目，然后作答。", "先原样重复题目，再给出回答。"),
    }
    notes: ClassVar = {"en": "repeat the request first", "zh": "先重复题目"}

    def judge(self, text: Text, context: Context) -> Verdict:
        answer, request = (_squeeze(part.lstrip(_LEAD_MARKUP)) for part in (text.raw, self.request))
        if not answer.startswith(request):
            return verdict_if(False, f"does not start with the request; it starts with {text.stripped[:40]!r}")
        answers = bool(Text(answer[len(request) :]).words)
        return verdict_if(answers, f"starts with the request and {'then answers' if answers else 'says nothing else'}")

    def witness(self, draft: Draft) -> Draft:
        return replace(draft, prefix=self.request)


@register
class EndPhrase(Constraint):
    """The answer ends with a phrase; markdown and closing quotes after it are tolerated, other words are not."""

    type: Literal["affix:end_phrase"] = "affix:end_phrase"
    phrase: NonMarkup

    phrases: ClassVar = {
        "en": (
            'End your answer with the exact phrase "{phrase}"',
            'The last words of your answer must be "{phrase}"',
        ),
        "zh": ("回答必须以“{phrase}”结尾。", "最后一句必须是“{phrase}”。"),
    }
    notes: ClassVar = {"en": 'end with "{phrase}"', "zh": "以“{phrase}”结尾"}

    def judge(self, text: Text, context: Context) -> Verdict:
        tail, phrase = fold(text.raw.rstrip(_TAIL_MARKUP)), fold(self.phrase.strip().rstrip(_TAIL_MARKUP))
        before = tail[: -len(phrase)] if tail.endswith(phrase) else None
        joined = before is not None and re.search(r"[^\W\d_]\Z", before) and re.match(r"[a-z]", phrase)
        return verdict_if(before is not None and not joined, f"ends with {text.stripped[-40:]!r}")

    def witness(self, draft: Draft) -> Draft:
        return replace(draft, suffix=self.phrase)


@register
class Quotation(Constraint):
    """The whole answer stands in one pair of double quotation marks."""

    type: Literal["affix:quotation"] = "affix:quotation"

    phrases: ClassVar = {
        "en": (
            "Wrap your entire answer in double quotation marks.",
            "Put the whole answer inside double quotation marks.",
        ),
        "zh": ("把整个回答放在一对双引号里。", "整个回答要用双引号括起来。"),
    }
    notes: ClassVar = {"en": "in double quotes", "zh": "加双引号"}

    def judge(self, text: Text, context: Context) -> Verdict:
        answer = text.stripped
        close = _QUOTES.get(answer[0])
        if close is None or len(answer) < 2 or answer[-1] != close:
            return verdict_if(False, f"starts with {answer[0]!r} and ends with {answer[-1]!r}")
        return verdict_if(not _closes_early(answer[1:-1], close), "one pair of quotation marks around everything")

    def witness(self, draft: Draft) -> Draft:
        return replace(draft, quoted=True)


def _closes_early(inner: str, close: str) -> bool:
    """Tell whether the first inner mark closes the opening one (`"a" b "c"`) instead of opening a nested quote."""
    first = inner.find(close)
    if first <= 0 or (close != '"' and inner.find(_opening(close)) in range(first)):
        return False
    follows = inner[first + 1 : first + 2]
    return not inner[first - 1].isspace() and (not follows or follows.isspace() or not follows.isalnum())


def _opening(close: str) -> str:
    return next(left for left, right in _QUOTES.items() if right == close)
