"""Draft: a response plan that constraints shape one after another, and that renders to text.

A constraint's `witness` hook only records what it needs; the order in which the needs are realised (words, layout,
affixes, punctuation, case, quotes) is decided here once. Whether the rendered text satisfies every constraint is
then decided by the verifiers: a draft is a proposal, never a proof.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from rewards.filler import SENTENCES
from rewards.text import Text, count_keyword, part_spans

Edit = Callable[[str, str], str]

#: How a keyword is mentioned once or several times, and sentences that fit any topic, by language.
_MENTION = {"en": "The note mentions {}.", "zh": "这里提到{}。"}
_QUOTED = {"en": '"{}"', "zh": "“{}”"}
_AND = {"en": " and ", "zh": "和"}
_JOIN = {"en": " ", "zh": ""}
_PLAIN_WORD = re.compile(r"(?<![\\\w*{])[^\W\d_]{2,}(?![\w*}])")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a response must contain (`core`), may contain (`optional`), and how it must look.

    Example:
        >>> Draft("en", core=("It is 7.",), bullets=2).render()
        '- This is easy to check.\\n- It is 7.'
    """

    language: str
    core: tuple[str, ...]
    optional: tuple[str, ...] = ()
    extras: int = 0  # optional sentences included when no length asks otherwise
    min_words: int = 0
    max_words: int | None = None
    mentions: tuple[tuple[str, int], ...] = ()  # keyword, times
    avoid: tuple[str, ...] = ()
    bullets: int = 0
    sections: int = 0
    section_marker: str = "Section"
    highlights: int = 0
    prefix: str = ""
    suffix: str = ""
    capital_words: int = 0
    case: Literal["", "upper", "lower"] = ""
    commas: bool = True
    quoted: bool = False
    edits: tuple[Edit, ...] = ()  # changes of the finished text, in order

    def with_edit(self, edit: Edit) -> Draft:
        """Return the draft with one more change of its finished text, called with the text and the language."""
        return replace(self, edits=(*self.edits, edit))

    def render(self) -> str:
        """Return the text of the draft, edited as asked."""
        text = self.unedited()
        for edit in self.edits:
            text = edit(text, self.language)
        return text

    def unedited(self) -> str:
        """Return the text before any edit, with as many optional sentences as its length asks for."""
        available = self._optional_sentences()
        text = self._assemble(available[: self.extras])
        count = min(self.extras, len(available))
        while len(Text(text).words) < self.min_words and count < len(available):
            count += 1
            text = self._assemble(available[:count])
        while self.max_words is not None and len(Text(text).words) > self.max_words and count > 0:
            count -= 1
            text = self._assemble(available[:count])
        return text

    def _optional_sentences(self) -> list[str]:
        pool = dict.fromkeys([*self.optional, *SENTENCES[self.language]])
        allowed = [s for s in pool if not any(count_keyword(Text(s), word) for word in self.avoid)]
        # A long minimum may need more sentences than there are; saying one twice is legal, if dull.
        return allowed * 8 if self.min_words > 30 else allowed

    def _assemble(self, extra: list[str]) -> str:
        body = [*extra, *self._mention_sentences([*extra, *self.core]), *self.core]
        text = self._lay_out(self._highlight(body))
        text = f"{text}\n{self.suffix}" if self.suffix else text
        text = f"{self.prefix}\n{text}" if self.prefix else text
        text = text if self.commas else _drop_commas(text)
        text = _capitalise(text, self.capital_words)
        text = {"": text, "upper": text.upper(), "lower": text.lower()}[self.case]
        text = text.replace("\\BOXED", "\\boxed")
        return f'"{text}"' if self.quoted else text

    def _mention_sentences(self, body: list[str]) -> list[str]:
        present = Text(" ".join([*body, self.prefix, self.suffix]))
        missing = [word for word, times in self.mentions for _ in range(times - count_keyword(present, word))]
        if not missing:
            return []
        quoted = [_QUOTED[self.language].format(word) for word in missing]
        return [_MENTION[self.language].format(_AND[self.language].join(quoted))]

    def _highlight(self, body: list[str]) -> list[str]:
        """Bold one plain word per sentence, in turn, until enough spans are bold."""
        result, left, before = list(body), self.highlights, -1
        while left > 0 and left != before:
            before = left
            for index, sentence in enumerate(result):
                marked, done = _PLAIN_WORD.subn(lambda m: f"**{m[0]}**", sentence, count=1) if left else (sentence, 0)
                result[index], left = marked, left - done
        return result

    def _lay_out(self, body: list[str]) -> str:
        join = _JOIN[self.language]
        if self.sections:
            parts = _spread(body, self.sections, self.language)
            blocks = [f"{self.section_marker} {i}\n{join.join(part)}" for i, part in enumerate(parts, 1)]
            return "\n".join(blocks)
        if self.bullets:
            return "\n".join(f"- {join.join(part)}" for part in _spread(body, self.bullets, self.language))
        return join.join(body)


def add_mention(draft: Draft, keyword: str, times: int = 1) -> Draft:
    """Ask the draft to contain a keyword at least so many times."""
    return replace(draft, mentions=(*draft.mentions, (keyword, times)))


def edit_part(text: str, unit: str, number: int, edit: Callable[[str], str], language: str) -> str:
    """Edit one line, paragraph or section of a text (counted from 1, or from the end); missing ones are added first.

    Example:
        >>> edit_part("One.", "line", 2, str.upper, "en")
        'One.\\nEACH STEP IS SHORT AND CLEAR.'
    """
    spans = part_spans(text, unit)
    while len(spans) < abs(number):
        filler = SENTENCES[language][len(spans) % len(SENTENCES[language])]
        heading = f"# {len(spans) + 1}\n" if unit == "section" else ""
        longer = f"{text}{chr(10) if unit == 'line' else chr(10) * 2}{heading}{filler}"
        if len(part_spans(longer, unit)) <= len(spans):
            return text  # what is added does not count, as inside an open code block
        text, spans = longer, part_spans(longer, unit)
    begin, end = spans[number - 1 if number > 0 else number]
    return text[:begin] + edit(text[begin:end]) + text[end:]


def _spread(sentences: list[str], parts: int, language: str) -> list[list[str]]:
    """Divide sentences into exactly `parts` non-empty runs; fillers come first so that the answer stays last."""
    missing = max(0, parts - len(sentences))
    filler = SENTENCES[language]
    padded = [filler[i % len(filler)] for i in range(missing)] + sentences
    bounds = [round(i * len(padded) / parts) for i in range(parts + 1)]
    return [padded[a:b] for a, b in pairwise(bounds)]


def _drop_commas(text: str) -> str:
    return re.sub(r"(?<!\\)[,，、]", "", text)


def _capitalise(text: str, count: int) -> str:
    return _PLAIN_WORD.sub(lambda match: match[0].upper(), text, count=count) if count else text
