"""Which words occur. Matching is whole-word and case-insensitive, anywhere for Chinese (`rewards.text`)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from rewards.arguments import Count, Draw, Keyword, Keywords
from rewards.constraint import Context, Example, Verdict, register
from rewards.constraints.editing import Edited, keep_only, mention, put_before, set_frequency
from rewards.constraints.matching import decide, first_place, occurrences, quoted
from rewards.draft import Draft, add_mention
from rewards.text import Text

Times = Annotated[Count, Draw.range(1, 4)]


class _WordList(Edited):
    """A constraint on several keywords, which its phrases name as `{words}`."""

    keywords: Keywords

    def slots(self, language: str) -> dict[str, Any]:
        return {"words": quoted(self.keywords, language)}


class _WordTimes(Edited):
    """A constraint on how often one keyword occurs."""

    keyword: Keyword
    count: Times


@register
class Existence(_WordList):
    """Every keyword occurs as a whole word, in any case."""

    type: Literal["keywords:existence"] = "keywords:existence"

    phrases: ClassVar = {
        "en": ("Include {words} in your answer.", "Your answer must mention {words}.", "Make sure to use {words}."),
        "zh": ("回答中必须出现{words}。", "请在回答中提到{words}。"),
    }
    notes: ClassVar = {"en": "include {words}", "zh": "出现{words}"}
    examples: ClassVar = (
        Example({"keywords": ["river"]}, passes="The RIVER runs south.", fails="The rivers run south."),
        Example({"keywords": ["花园"]}, passes="我家有个大花园。", fails="我家有花。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        missing = [word for word in self.keywords if first_place(text, word) < 0]
        return decide(not missing, f"missing: {', '.join(missing)}" if missing else f"found {', '.join(self.keywords)}")

    def witness(self, draft: Draft) -> Draft:
        return self.planned(draft, self._mentioned)

    def _mentioned(self, draft: Draft) -> Draft:
        for word in self.keywords:
            draft = add_mention(draft, word)
        return draft

    def reshape(self, text: str, language: str) -> str:
        missing = [word for word in self.keywords if not occurrences(Text(text), word)]
        return put_before(text, mention(missing, language), language)


@register
class Forbidden(_WordList):
    """No keyword occurs as a whole word, in any case."""

    type: Literal["keywords:forbidden"] = "keywords:forbidden"

    phrases: ClassVar = {
        "en": ("Do not use {words}.", "Avoid {words} in your answer.", "Your answer must not contain {words}."),
        "zh": ("回答中不要出现{words}。", "请避免使用{words}。"),
    }
    notes: ClassVar = {"en": "avoid {words}", "zh": "不用{words}"}
    examples: ClassVar = (
        Example({"keywords": ["bar"]}, passes="A barrel stands here.", fails="A bar, or two."),
        Example({"keywords": ["花"]}, passes="天空很蓝。", fails="花园很大。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        used = [word for word in self.keywords if first_place(text, word) >= 0]
        return decide(not used, f"forbidden and used: {', '.join(used)}" if used else "no forbidden word used")

    def witness(self, draft: Draft) -> Draft:
        return replace(draft, avoid=(*draft.avoid, *self.keywords)).with_edit(self.edit_scope)

    def reshape(self, text: str, language: str) -> str:
        for word in self.keywords:
            text = keep_only(text, word, 0, language)
        return text


@register
class MinFrequency(_WordTimes):
    """One keyword occurs at least `count` times."""

    type: Literal["keywords:min_frequency"] = "keywords:min_frequency"

    phrases: ClassVar = {
        "en": ('Use the word "{keyword}" at least {count} time{s}.', 'Mention "{keyword}" {count} or more times.'),
        "zh": ("“{keyword}”至少出现{count}次。", "请至少使用{count}次“{keyword}”。"),
    }
    notes: ClassVar = {"en": '"{keyword}" at least {count} time{s}', "zh": "“{keyword}”至少{count}次"}
    examples: ClassVar = (
        Example({"keyword": "cat", "count": 2}, passes="A cat met a CAT.", fails="One cat sat in a catalogue."),
        Example({"keyword": "水", "count": 2}, passes="河水流进水池。", fails="水很清。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = occurrences(text, self.keyword)
        return decide(found >= self.count, f"found {found}, at least {self.count} wanted: {self.keyword!r}")

    def witness(self, draft: Draft) -> Draft:
        return self.planned(draft, lambda plan: add_mention(plan, self.keyword, self.count))

    def reshape(self, text: str, language: str) -> str:
        missing = self.count - occurrences(Text(text), self.keyword)
        return put_before(text, mention([self.keyword] * missing, language), language)


@register
class MaxFrequency(_WordTimes):
    """One keyword occurs at most `count` times (`keywords:forbidden` is for none at all)."""

    type: Literal["keywords:max_frequency"] = "keywords:max_frequency"

    phrases: ClassVar = {
        "en": (
            'Use the word "{keyword}" at most {count} time{s}.',
            'Do not use "{keyword}" more than {count} time{s}.',
        ),
        "zh": ("“{keyword}”最多出现{count}次。", "“{keyword}”的使用不超过{count}次。"),
    }
    notes: ClassVar = {"en": '"{keyword}" at most {count} time{s}', "zh": "“{keyword}”最多{count}次"}
    examples: ClassVar = (
        Example({"keyword": "cat", "count": 1}, passes="A cat and cats.", fails="A cat met a cat."),
        Example({"keyword": "水", "count": 1}, passes="水很清。", fails="河水流进水池。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = occurrences(text, self.keyword)
        return decide(found <= self.count, f"found {found}, at most {self.count} allowed: {self.keyword!r}")

    def witness(self, draft: Draft) -> Draft:
        # Sentences that use the word are left out; the core may hold it `count` times.
        return replace(draft, avoid=(*draft.avoid, self.keyword)).with_edit(self.edit_scope)

    def reshape(self, text: str, language: str) -> str:
        return keep_only(text, self.keyword, self.count, language)


@register
class Frequency(_WordTimes):
    """One keyword occurs exactly `count` times."""

    type: Literal["keywords:frequency"] = "keywords:frequency"

    phrases: ClassVar = {
        "en": (
            'Use the word "{keyword}" exactly {count} time{s}; other forms of the word do not count.',
            'The word "{keyword}" must appear exactly {count} time{s}.',
        ),
        "zh": ("“{keyword}”恰好出现{count}次。", "“{keyword}”不多不少要出现{count}次。"),
    }
    notes: ClassVar = {"en": '"{keyword}" exactly {count} time{s}', "zh": "“{keyword}”恰好{count}次"}
    examples: ClassVar = (
        Example({"keyword": "cat", "count": 2}, passes="A cat met a cat.", fails="A cat met cats."),
        Example({"keyword": "水", "count": 1}, passes="水很清。", fails="河水流进水池。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = occurrences(text, self.keyword)
        return decide(found == self.count, f"found {found}, exactly {self.count} wanted: {self.keyword!r}")

    def reshape(self, text: str, language: str) -> str:
        return set_frequency(text, self.keyword, self.count, language)
