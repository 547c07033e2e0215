"""What the answer as a whole begins and ends with."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import ClassVar, Literal

from rewards.arguments import MARKUP, NonBlank, NonMarkup
from rewards.constraint import Context, Example, Verdict, register
from rewards.constraints.editing import Edited, glue, put_after
from rewards.constraints.matching import EDGE_MARKUP, decide, folded
from rewards.constraints.shaping import closed
from rewards.draft import Draft
from rewards.text import EDGE, Text

_QUOTES = {'"': '"', "＂": "＂", "“": "”", "„": "“", "«": "»", "「": "」", "『": "』"}
_STRAIGHT = '"＂'
_AROUND = " \t\r\n*_`~#>"
_ENDS_IN_WORD = re.compile(rf"{EDGE}\Z")
_STARTS_IN_WORD = re.compile(EDGE)
_GOES_ON = re.compile(rf"'?{EDGE}")
_INSIDE_NUMBER = re.compile(r"\d[.,]\Z")


def _squeeze(text: str) -> str:
    return " ".join(folded(text).split())


@lru_cache(maxsize=1024)
def _squeezed(request: str) -> tuple[str, int]:
    """Return what a request says in the form in which it is compared, and its number of words."""
    squeezed = _squeeze(request.lstrip(EDGE_MARKUP))
    return squeezed, len(squeezed.split())


@register
class RepeatRequest(Edited):
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
    examples: ClassVar = (
        Example(
            {"request": "Name a river, please."},
            passes="Name a river, please.\nThe Nile.",
            fails="The Nile is a river.",
        ),
        Example({"request": "说一条河。"}, passes="说一条河。尼罗河。", fails="尼罗河。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        request, size = _squeezed(self.request)
        opening = text.raw.lstrip(EDGE_MARKUP)
        if size > 1 and folded(opening.split(None, 1)[0]) != request[: request.find(" ")]:
            return self._not_first(text)
        pieces = opening.split(None, size)
        head = _squeeze(" ".join(pieces[:size]))
        cut = _ENDS_IN_WORD.search(request) and _GOES_ON.match(head[len(request) :])
        if not head.startswith(request) or cut:
            return self._not_first(text)
        rest = " ".join([head[len(request) :], *pieces[size:]])
        answers = _answers(rest, request)
        return decide(answers, f"starts with the request and {'then answers' if answers else 'says nothing else'}")

    @staticmethod
    def _not_first(text: Text) -> Verdict:
        return decide(False, f"does not start with the request; it starts with {text.stripped[:40]!r}")

    def witness(self, draft: Draft) -> Draft:
        return self.planned(draft, lambda plan: replace(plan, prefix=self.request))

    def reshape(self, text: str, language: str) -> str:
        return glue(self.request, text, language)


def _answers(rest: str, request: str) -> bool:
    """Tell whether what follows the request says anything but the request."""
    core = request.rstrip(MARKUP + ".!?。！？")
    if core in _squeeze(rest[: 2 * len(request) + 200]):
        rest = _squeeze(rest).replace(core, " ")
    return Text(rest[:80]).has_words or Text(rest).has_words


@register
class StartPhrase(Edited):
    """The answer starts with a phrase (any case); markdown and opening quotes before it are tolerated."""

    type: Literal["affix:start_phrase"] = "affix:start_phrase"
    phrase: NonMarkup

    phrases: ClassVar = {
        "en": (
            'Start your answer with "{phrase}", exactly as given.',
            'Make "{phrase}" the first words of your answer.',
        ),
        "zh": ("回答必须以“{phrase}”开头。", "请以“{phrase}”作为回答的开头。"),
    }
    notes: ClassVar = {"en": 'start with "{phrase}"', "zh": "以“{phrase}”开头"}
    examples: ClassVar = (
        Example({"phrase": "Let us see"}, passes='**"Let us see**: it is 7.', fails="Well, let us see: it is 7."),
        Example({"phrase": "首先"}, passes="首先，看题。", fails="看题，首先。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        head = folded(text.raw[: 2 * len(self.phrase) + 200].lstrip(EDGE_MARKUP))
        phrase = folded(self.phrase.strip().lstrip(EDGE_MARKUP))
        cut = _ENDS_IN_WORD.search(phrase) and _GOES_ON.match(head[len(phrase) :])
        return decide(head.startswith(phrase) and not cut, f"starts with {text.stripped[:40]!r}")

    def reshape(self, text: str, language: str) -> str:
        return (
            glue(closed(self.phrase), text, language)
            if closed(self.phrase) == self.phrase
            else (glue(self.phrase + {"en": ":", "zh": "："}[language], text, language))
        )


@register
class EndPhrase(Edited):
    """The answer ends with a phrase; markdown and closing quotes after it are tolerated, other words are not."""

    type: Literal["affix:end_phrase"] = "affix:end_phrase"
    phrase: NonMarkup

    phrases: ClassVar = {
        "en": (
            'End your answer with "{phrase}", exactly as given and with nothing after it.',
            'Make "{phrase}" the last words of your answer.',
        ),
        "zh": ("回答必须以“{phrase}”结尾。", "请以“{phrase}”作为回答的结尾。"),
    }
    notes: ClassVar = {"en": 'end with "{phrase}"', "zh": "以“{phrase}”结尾"}
    examples: ClassVar = (
        Example(
            {"phrase": "That is all."}, passes="It is 7. **That is all.**", fails="It is 7. That is all. Any questions?"
        ),
        Example({"phrase": "谢谢。"}, passes="答案是七。谢谢。", fails="谢谢。答案是七。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        phrase = folded(self.phrase.strip().rstrip(MARKUP))
        tail = folded(text.raw.rstrip(MARKUP)[-2 * len(self.phrase) - 200 :])
        before = tail[: -len(phrase)] if tail.endswith(phrase) else None
        joined = before is not None and _joins(before[-8:], phrase)
        return decide(before is not None and not joined, f"ends with {text.stripped[-40:]!r}")

    def witness(self, draft: Draft) -> Draft:
        return self.planned(draft, lambda plan: replace(plan, suffix=self.phrase))

    def reshape(self, text: str, language: str) -> str:
        text = text.replace(closed(self.phrase), "").rstrip() or text  # it may stand where the text once ended
        return put_after(text, self.phrase, language)


def _joins(before: str, phrase: str) -> bool:
    """Tell whether a phrase begins inside a word or number."""
    if not _STARTS_IN_WORD.match(phrase):
        return False
    number = phrase[0].isdigit() and _INSIDE_NUMBER.search(before)
    return bool(number or _ENDS_IN_WORD.search(before.removesuffix("'")))


@register
class Quotation(Edited):
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
    examples: ClassVar = (
        Example({}, passes='"It is 7."', fails='"It" is "7"'),
        Example({}, passes="“答案是七。”", fails="答案是“七”", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        answer = text.raw.strip(_AROUND)
        close = _QUOTES.get(answer[:1])
        if close is None or len(answer) < 2 or answer[-1] != close:
            return decide(False, f"starts with {answer[:1]!r} and ends with {answer[-1:]!r}")
        return decide(not _closes_early(answer[1:-1], close), "one pair of quotation marks around everything")

    def witness(self, draft: Draft) -> Draft:
        return self.planned(draft, lambda plan: replace(plan, quoted=True))

    def reshape(self, text: str, language: str) -> str:
        plain = re.sub('["＂“”„«»「」『』]', "", text)
        return self.first_accepted([f'"{text}"', f'"{plain}"'])


def _closes_early(inner: str, close: str) -> bool:
    """Tell whether the first inner mark closes the opening one (`"a" b "c"`) instead of opening a nested quote."""
    if close in _STRAIGHT and (inner.count(close) % 2 or inner[:1] == inner[-1:] == close):
        return True
    first = inner.find(close)
    if first <= 0 or (close not in _STRAIGHT and inner.find(_opening(close)) in range(first)):
        return False
    follows = inner[first + 1 : first + 2]
    return not inner[first - 1].isspace() and (not follows or follows.isspace() or not follows.isalnum())


def _opening(close: str) -> str:
    return next(left for left, right in _QUOTES.items() if right == close)


_DECORATION = re.compile(rf"[{re.escape(MARKUP)}\U0001f000-\U0001faff\u2600-\u2752\u2756-\u27bf\ufe0f\u200d]+\Z")
_STATED = re.compile(r"[.。．｡।۔!！;；:：,，](?<!\.\.)\Z")
_ABBREVIATED = re.compile(
    r"(?:(?<![^\W\d_])[^\W\d_]|\b(?:etc|inc|ltd|corp|co|jr|sr|al|dr|mr|mrs|ms|vs|ph\.d|no|st))\.\Z", re.IGNORECASE
)


def _asks(tail: str) -> bool:
    """Tell whether a text ends with a question mark that closes words, and not a statement closed already."""
    if not tail.endswith(("?", "？", "؟", "⁇", "‽", "\u037e", "⸮")):
        return False
    asked = tail.rstrip("?？؟!！⁇‽⁈⁉⸮\u037e")
    last = asked.rstrip(MARKUP)
    if "\n" in asked[len(last) :] or not Text(last).has_words:
        return False
    return not _STATED.search(last) or _ABBREVIATED.search(last) is not None


@register
class FinalQuestion(Edited):
    """The answer ends with a question, closed by a question mark of any script."""

    type: Literal["affix:final_question"] = "affix:final_question"

    phrases: ClassVar = {
        "en": (
            "End your answer with a question; its question mark must be the last mark.",
            "The last sentence of your answer must be a question.",
        ),
        "zh": ("回答必须以一个问句结尾，最后一个标点是问号。", "最后一句话必须是问句。"),
    }
    notes: ClassVar = {"en": "end with a question", "zh": "以问句结尾"}
    examples: ClassVar = (
        Example({}, passes="It is 7. Is that clear?", fails="Is it clear? It is 7."),
        Example({}, passes="答案是七。清楚吗？", fails="清楚吗？答案是七。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        return decide(_asks(_DECORATION.sub("", text.raw[-400:])), f"ends with {text.stripped[-40:]!r}")

    def reshape(self, text: str, language: str) -> str:
        return put_after(text, {"en": "Is that clear?", "zh": "这样清楚吗？"}[language], language)
