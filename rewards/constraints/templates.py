"""Answers of a given form: a filled template, one of given options, multiple choice questions."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

from rewards.arguments import Count, Draw, NonBlank
from rewards.constraint import Context, Example, Verdict, register, verdict_if
from rewards.constraints.layout_views import LaidOut, clip, fillers, has_word, pieces, quoted, repeats, spread, squeeze
from rewards.filler import WORDS
from rewards.text import EDGE, Text, fold

_UNFILLED = re.compile(r"[\s*_]*[\[【［<][^\[\]【】［］<>\d]*[\]】］>][\s*_.。]*")
_OUTER = " \t\r\n.。,，;；:：!！?？*_`~\"'“”‘’「」『』()（）[]【】"
_LETTERS = "ABCDEFGHIJ"
_OPTION = re.compile(
    rf"^[ \t]*+[-*]{{0,3}}[ \t]*+[(（]?([{_LETTERS}])[*_]{{0,2}}[.)、．）:：][*_]{{0,2}}[ \t]*(\S.*)", re.MULTILINE
)


def _labels(labels: tuple[str, ...]) -> tuple[str, ...]:
    if any("\n" in label or label != label.strip() or not has_word(label) for label in labels):
        raise ValueError("labels must be single lines with a word and without outer blanks")
    if any(one in other for i, one in enumerate(labels) for j, other in enumerate(labels) if i != j):
        raise ValueError("no label may be part of another")
    return labels


def _some_labels(rng: Random, language: str) -> tuple[str, ...]:
    if language == "zh":
        pools = (("我的回答：", "问题："), ("我的结论：", "理由："), ("未来展望：", "总结："))
    else:
        pools = (("My Answer:", "Question:"), ("My Conclusion:", "Reason:"), ("Future Outlook:", "Summary:"))
    return tuple(rng.choice(pool) for pool in pools[: rng.randint(2, 3)])


Labels = Annotated[
    tuple[NonBlank, ...], Field(min_length=1, max_length=20), AfterValidator(_labels), Draw(_some_labels)
]


@lru_cache(maxsize=256)
def _label(label: str) -> re.Pattern[str]:
    # What must not stand before a label comes last, since a search skips to a literal quickly.
    said = f"{re.escape(label[:-1])}[：:]" if label.endswith("：") else re.escape(label)
    return re.compile(said + (rf"(?<!{EDGE}{said})" if re.match(EDGE, label) else ""))


@register
class Template(LaidOut):
    """Every label occurs once, letter for letter and in order, each with words of its own after it."""

    type: Literal["layout:template"] = "layout:template"
    labels: Labels

    phrases: ClassVar = {
        "en": (
            "Use this exact template, each label once and in this order, each followed by your text: {template}",
            "Fill in this template without changing its labels: {template}",
        ),
        "zh": ("严格按照这个模板作答，每个标签依次出现一次，后面写上内容：{template}",),
    }
    notes: ClassVar = {"en": "template with {number} labels", "zh": "{number}个标签的模板"}
    examples: ClassVar = (
        Example(
            {"labels": ("Answer:", "Reason:")},
            passes="Answer: the train. Reason: it is fast.",
            fails="Answer: the train. Reason: [reason]",
        ),
        Example(
            {"labels": ("回答：", "理由：")},
            passes="回答：火车。\n理由：快。",
            fails="理由：快。\n回答：火车。",
            language="zh",
        ),
    )

    def slots(self, language: str) -> dict[str, Any]:
        blank = "［…］" if language == "zh" else " [...]"
        return {"template": "\n".join(label + blank for label in self.labels), "number": len(self.labels)}

    def judge(self, text: Text, context: Context) -> Verdict:
        places = [[found.span() for found in _label(label).finditer(text.raw)] for label in self.labels]
        for label, spans in zip(self.labels, places, strict=True):
            if len(spans) != 1:
                return verdict_if(False, f"label {quoted(label)} occurs {len(spans)} times, wanted once")
        ends = [spans[0][0] for spans in places[1:]] + [len(text.raw)]
        if ends != sorted(ends) or places[0][0][0] > ends[0]:
            return verdict_if(False, "the labels stand in another order")
        said = [text.raw[spans[0][1] : end] for spans, end in zip(places, ends, strict=True)]
        empty = sum(not has_word(part) or _UNFILLED.fullmatch(part) is not None for part in said)
        return verdict_if(not empty, f"{len(said)} labels, {empty} of them without text")

    def lay_out(self, text: str, language: str) -> str:
        for label in self.labels:
            text = _label(label).sub(" ", text).replace(label, " ")
        parts = spread(pieces(text), len(self.labels), language)
        return self.gap.join(f"{label} {part}" for label, part in zip(self.labels, parts, strict=True))


def _options(options: tuple[str, ...]) -> tuple[str, ...]:
    if not all(map(has_word, options)):
        raise ValueError("every option must hold a letter or digit")
    if len({_bare(option) for option in options}) < len(options):
        raise ValueError("the options must differ in more than case and outer marks")
    return options


def _bare(text: str) -> str:
    return " ".join(fold(text.replace("’", "'")).strip(_OUTER).split())


def _some_options(rng: Random, language: str) -> tuple[str, ...]:
    sets: tuple[tuple[str, ...], ...] = (("yes", "no", "maybe"), ("I know", "I don't know"), ("true", "false"))
    if language == "zh":
        sets = (("是", "否"), ("知道", "不知道"), ("对", "错", "不确定"))
    return rng.choice((*sets, tuple(rng.sample(WORDS[language], 3))))


def split_options(text: str) -> tuple[str, ...]:
    """Divide a list of options as prose writes it: at slashes, else at the word `or`, else at commas.

    Example:
        >>> split_options("yes/no"), split_options("north or south"), split_options("a), b), or c)")
        (('yes', 'no'), ('north', 'south'), ('a)', 'b)', 'c)'))
    """
    if "/" in text:
        parts = text.split("/")
    else:
        parts = re.split(r"\s*[,，、]\s*(?:or\s+|或)?|\s+or\s+|或者?", text, flags=re.IGNORECASE)
    return tuple(part.strip() for part in parts if part.strip())


Options = Annotated[
    tuple[NonBlank, ...], Field(min_length=2, max_length=50), AfterValidator(_options), Draw(_some_options)
]


@register
class Choice(LaidOut):
    """The whole answer is one of the options; case, outer punctuation and markup do not matter."""

    type: Literal["layout:choice"] = "layout:choice"
    options: Options

    phrases: ClassVar = {
        "en": (
            "Answer with one of these options and nothing else: {listed}",
            "Give no explanation; your whole answer must be one of: {listed}",
        ),
        "zh": ("只用以下选项之一作答，不要解释：{listed}",),
    }
    notes: ClassVar = {"en": "one of: {listed}", "zh": "选一：{listed}"}
    examples: ClassVar = (
        Example({"options": ("yes", "no")}, passes="**Yes**.", fails="Yes, it is."),
        Example({"options": ("是", "否")}, passes="是。", fails="是否", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        return {"listed": " / ".join(self.options)}

    def judge(self, text: Text, context: Context) -> Verdict:
        longest = 4 * max(map(len, self.options)) + 100
        said = _bare(text.stripped) if len(text.stripped) <= longest else ""
        return verdict_if(said in set(map(_bare, self.options)), f"the answer is {quoted(text.stripped)}")

    def lay_out(self, text: str, language: str) -> str:
        said = fold(text)
        return next((option for option in self.options if fold(option) in said), self.options[0])


@register
class OnePhrase(LaidOut):
    """Exactly one of the phrases occurs, letter for letter; other text may stand around it."""

    type: Literal["layout:one_phrase"] = "layout:one_phrase"
    options: Options

    phrases: ClassVar = {
        "en": (
            "Your answer must contain exactly one of these phrases, word for word: {listed}",
            "Include one (and only one) of the following, exactly as written: {listed}",
        ),
        "zh": ("回答中必须原样包含以下短语中的一个，且只能有一个：{listed}",),
    }
    notes: ClassVar = {"en": "one phrase of: {listed}", "zh": "含其一：{listed}"}
    examples: ClassVar = (
        Example(
            {"options": ("My answer is yes.", "My answer is no.")},
            passes="It is far. My answer is no.",
            fails="My answer is yes. My answer is no.",
        ),
        Example({"options": ("我同意。", "我反对。")}, passes="想了想，我同意。", fails="我不同意。", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        return {"listed": " / ".join(self.options)}

    def judge(self, text: Text, context: Context) -> Verdict:
        # The longest first, so that `I know` inside `I know now` is not counted too.
        rest, found = text.raw, []
        for option in sorted(self.options, key=len, reverse=True):
            rest, times = _phrase(option).subn(" ", rest)
            found += [option] * bool(times)
        shown = f"{len(found)} of the phrases occur{': ' + clip(found[0]) if found else ''}"
        return verdict_if(len(found) == 1, shown)

    def lay_out(self, text: str, language: str) -> str:
        for option in sorted(self.options, key=len, reverse=True):
            text = _phrase(option).sub("", text)
        return f"{text.strip()}{self.gap}{self.options[0]}".strip()


@lru_cache(maxsize=256)
def _phrase(phrase: str) -> re.Pattern[str]:
    left = rf"(?<!{EDGE}{re.escape(phrase)})" if re.match(EDGE, phrase) else ""
    right = rf"(?!{EDGE})" if re.search(rf"{EDGE}\Z", phrase) else ""
    return re.compile(re.escape(phrase) + right + left)


Label = Annotated[NonBlank, Draw(lambda rng, language: "问题" if language == "zh" else "Question")]


@register
class MultipleChoice(LaidOut):
    """Exactly `questions` labelled questions with `options` different options each (`A)`), every question longer.

    Nothing stands before the first label; lengths are compared in characters; most options of a question differ.
    """

    type: Literal["layout:multiple_choice"] = "layout:multiple_choice"
    questions: Annotated[Count, Draw.range(2, 4)]
    options: Annotated[int, Field(ge=2, le=10), Draw.range(3, 5)]
    label: Label = "Question"

    phrases: ClassVar = {
        "en": (
            "Write exactly {questions} multiple choice questions with {options} different options each (A), B) and so"
            ' on). Start each question with the label "{label}", and make each question longer than the last.',
            'Give {questions} questions labelled "{label} 1", "{label} 2" and so on, each with {options} different'
            " options marked A), B) ...; the questions get longer and longer.",
        ),
        "zh": (
            "出恰好{questions}道选择题，每题{options}个不同的选项（A)、B)……），每题以“{label}”开头，题目一道比一道长。",
        ),
    }
    notes: ClassVar = {"en": "{questions} questions, {options} options each", "zh": "{questions}道选择题"}
    examples: ClassVar = (
        Example(
            {"questions": 2, "options": 2},
            passes="Question 1: Who?\nA) Ann\nB) Bob\n\nQuestion 2: Who was it?\nA) Cy\nB) Di",
            fails="Question 1: Who was it?\nA) Ann\nB) Bob\n\nQuestion 2: Who?\nA) Cy\nB) Di",
        ),
        Example(
            {"questions": 1, "options": 2, "label": "问题"},
            passes="问题1：是谁？\nA) 安\nB) 波",
            fails="问题1：是谁？\nA) 安\nB) 安",
            language="zh",
        ),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        marks = list(_question(self.label).finditer(text.stripped))
        if len(marks) != self.questions or marks[0].start():
            shown = "text before the first" if marks and marks[0].start() else f"wanted {self.questions}"
            return verdict_if(False, f"{len(marks)} questions labelled {quoted(self.label, 20)}, {shown}")
        ends = [mark.start() for mark in marks[1:]] + [len(text.stripped)]
        blocks = [text.stripped[mark.end() : end] for mark, end in zip(marks, ends, strict=True)]
        problem = next(filter(None, map(self._problem, blocks)), "")
        lengths = [len(block[: found.start()].strip()) for block in blocks if (found := _OPTION.search(block))]
        grows = all(a < b for a, b in pairwise(lengths))
        return verdict_if(not problem and grows, problem or f"questions of {clip(str(lengths), 60)} characters")

    def _problem(self, block: str) -> str:
        found = _OPTION.findall(block)
        if [letter for letter, _ in found] != list(_LETTERS[: self.options]):
            return f"options {clip(''.join(letter for letter, _ in found), 20) or 'missing'}, wanted {self.options}"
        said = [text for _, text in found]
        asked = _OPTION.split(block, maxsplit=1)[0]
        full = has_word(asked) and all(map(has_word, said)) and 2 * repeats(said) < len(said)
        return "" if full else "an empty question or option, or repeated options"

    def lay_out(self, text: str, language: str) -> str:
        ask = "应选哪一个？" if language == "zh" else "Which one is it?"
        said = [line for line in pieces(text) if not _OPTION.match(line) and squeeze(self.label) not in squeeze(line)]
        more = fillers(language, self.questions, said)
        words = WORDS[language]
        names = "".join(f"\n{letter}) {words[i]}" for i, letter in enumerate(_LETTERS[: self.options]))
        bodies = [[*more[:turn], *(said if turn == self.questions - 1 else ()), ask] for turn in range(self.questions)]
        return "\n".join(f"{self.label} {n}: {' '.join(body)}{names}" for n, body in enumerate(bodies, 1))


@lru_cache(maxsize=64)
def _question(label: str) -> re.Pattern[str]:
    number = rf"(?:[ \t\u00a0]*+\d{{1,4}}(?!\d)|(?!{EDGE}))[*_]*+[ \t]*+[.:：)|）、]?"
    return re.compile(rf"^[ \t]*+[#*_]*+[ \t]*+{re.escape(label)}{number}", re.MULTILINE)
