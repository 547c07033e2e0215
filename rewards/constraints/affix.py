"""What the answer as a whole begins and ends with."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import ClassVar, Literal

from rewards.arguments import MARKUP, NonBlank, NonMarkup
from rewards.constraint import Context, Example, Verdict, register
from rewards.constraints.editing import Edited, glue
from rewards.constraints.matching import EDGE_MARKUP, decide
from rewards.constraints.shaping import closed
from rewards.draft import Draft
from rewards.text import EDGE, Text, fold

_LEAD_MARKUP = ' \t\r\n"“「'
_QUOTES = {'"': '"', "“": "”", "„": "“", "«": "»", "「": "」", "『": "』"}
_ENDS_IN_WORD = re.compile(rf"{EDGE}\Z")
_STARTS_IN_WORD = re.compile(EDGE)


def _squeeze(text: str) -> str:
    return " ".join(fold(text).split())


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
        request = _squeeze(self.request.lstrip(_LEAD_MARKUP))
        pieces = text.raw.lstrip(_LEAD_MARKUP).split(None, len(request.split()))
        head = _squeeze(" ".join(pieces[: len(request.split())]))
        if not head.startswith(request):
            return decide(False, f"does not start with the request; it starts with {text.stripped[:40]!r}")
        rest = " ".join([head[len(request) :], *pieces[len(request.split()) :]])
        answers = Text(rest[:80]).has_words or Text(rest).has_words
        return decide(answers, f"starts with the request and {'then answers' if answers else 'says nothing else'}")

    def witness(self, draft: Draft) -> Draft:
        return self.planned(draft, lambda plan: replace(plan, prefix=self.request))

    def reshape(self, text: str, language: str) -> str:
        return glue(self.request, text, language)


@register
class StartPhrase(Edited):
    """The answer starts with a phrase (any case); markdown and opening quotes before it are tolerated."""

    type: Literal["affix:start_phrase"] = "affix:start_phrase"
    phrase: NonMarkup

    phrases: ClassVar = {
        "en": (
            'Start your answer with the exact phrase "{phrase}"',
            'The first words of your answer must be "{phrase}"',
        ),
        "zh": ("回答必须以“{phrase}”开头。", "第一句必须是“{phrase}”"),
    }
    notes: ClassVar = {"en": 'start with "{phrase}"', "zh": "以“{phrase}”开头"}
    examples: ClassVar = (
        Example({"phrase": "Let us see"}, passes='**"Let us see**: it is 7.', fails="Well, let us see: it is 7."),
        Example({"phrase": "首先"}, passes="首先，看题。", fails="看题，首先。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        head = fold(text.raw[: 2 * len(self.phrase) + 200].lstrip(EDGE_MARKUP))
        phrase = fold(self.phrase.strip().lstrip(EDGE_MARKUP))
        cut = _ENDS_IN_WORD.search(phrase) and _STARTS_IN_WORD.match(head[len(phrase) :])
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
            'End your answer with the exact phrase "{phrase}"',
            'The last words of your answer must be "{phrase}"',
        ),
        "zh": ("回答必须以“{phrase}”结尾。", "最后一句必须是“{phrase}”。"),
    }
    notes: ClassVar = {"en": 'end with "{phrase}"', "zh": "以“{phrase}”结尾"}
    examples: ClassVar = (
        Example(
            {"phrase": "That is all."}, passes="It is 7. **That is all.**", fails="It is 7. That is all. Any questions?"
        ),
        Example({"phrase": "谢谢。"}, passes="答案是七。谢谢。", fails="谢谢。答案是七。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        tail, phrase = fold(text.raw.rstrip(MARKUP)), fold(self.phrase.strip().rstrip(MARKUP))
        before = tail[: -len(phrase)] if tail.endswith(phrase) else None
        joined = before is not None and before[-1:].isalpha() and re.match(r"[a-z]", phrase)
        return decide(before is not None and not joined, f"ends with {text.stripped[-40:]!r}")

    def witness(self, draft: Draft) -> Draft:
        return self.planned(draft, lambda plan: replace(plan, suffix=self.phrase))

    def reshape(self, text: str, language: str) -> str:
        return glue(closed(text), self.phrase, language)


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
        answer = text.stripped
        close = _QUOTES.get(answer[0])
        if close is None or len(answer) < 2 or answer[-1] != close:
            return decide(False, f"starts with {answer[0]!r} and ends with {answer[-1]!r}")
        return decide(not _closes_early(answer[1:-1], close), "one pair of quotation marks around everything")

    def witness(self, draft: Draft) -> Draft:
        return self.planned(draft, lambda plan: replace(plan, quoted=True))

    def reshape(self, text: str, language: str) -> str:
        plain = re.sub('["“”„«»「」『』]', "'", text)
        return self.first_accepted([f'"{text}"', f'"{plain}"'])


def _closes_early(inner: str, close: str) -> bool:
    """Tell whether the first inner mark closes the opening one (`"a" b "c"`) instead of opening a nested quote."""
    first = inner.find(close)
    if first <= 0 or (close != '"' and inner.find(_opening(close)) in range(first)):
        return False
    follows = inner[first + 1 : first + 2]
    return not inner[first - 1].isspace() and (not follows or follows.isspace() or not follows.isalnum())


def _opening(close: str) -> str:
    return next(left for left, right in _QUOTES.items() if right == close)


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
        tail = text.raw.rstrip(MARKUP)
        said = tail.endswith(("?", "？", "؟", "⁇", "‽")) and Text(tail[-400:].rstrip("?？؟!！⁇‽")).has_words
        return decide(said, f"ends with {text.stripped[-40:]!r}")

    def reshape(self, text: str, language: str) -> str:
        return glue(closed(text), {"en": "Is that clear?", "zh": "这样清楚吗？"}[language], language)
