"""How the answer is laid out: bullet points, highlighted spans, numbered sections."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field

from rewards.constraint import Constraint, Context, Verdict, register, verdict_if
from rewards.draft import Draft
from rewards.text import CODE, EDGE, MATH, Text

# A marker, a blank and something to say; `---` and `* * *` are rules, not bullets.
_BULLET = re.compile(r"^[ \t]*[-*+•][ \t]++(?![-*+_ \t]*$)\S", re.MULTILINE)
_BOLD = re.compile(rf"(?<![*_\\])(?<!{EDGE})(\*{{1,3}})(?![*\s])([^*\n]*[^*\s])\1(?![*_])(?!{EDGE})")


@register
class Bullets(Constraint):
    """Exactly `count` bullet points (`-`, `*`, `+` or `•` and a blank); nested ones count."""

    type: Literal["layout:bullets"] = "layout:bullets"
    count: int = Field(ge=1)

    phrases: ClassVar = {
        "en": (
            "Use exactly {count} bullet point{s}, each on its own line starting with a dash.",
            "Give your answer in exactly {count} markdown bullet point{s}.",
        ),
        "zh": ("用恰好{count}个要点回答，每个要点以“- ”开头。", "请列出恰好{count}个以“- ”开头的要点。"),
    }
    notes: ClassVar = {"en": "{count} bullet{s}", "zh": "{count}个要点"}

    def judge(self, text: Text, context: Context) -> Verdict:
        found = len(_BULLET.findall(CODE.sub("", text.raw)))
        return verdict_if(found == self.count, f"found {found} bullet points, wanted {self.count}")

    def witness(self, draft: Draft) -> Draft:
        return replace(draft, bullets=self.count)


@register
class Highlights(Constraint):
    """At least `count` spans in markdown emphasis (`*x*`, `**x**`); formulas and code do not count."""

    type: Literal["layout:highlights"] = "layout:highlights"
    count: int = Field(ge=1)

    phrases: ClassVar = {
        "en": (
            "Highlight at least {count} part{s} of your answer in markdown, like **this**.",
            "Put at least {count} span{s} in markdown bold, like **this**.",
        ),
        "zh": ("用markdown突出至少{count}处，例如**这样**。", "至少有{count}处使用**加粗**。"),
    }
    notes: ClassVar = {"en": "{count} highlight{s}", "zh": "{count}处加粗"}

    def judge(self, text: Text, context: Context) -> Verdict:
        found = len(_BOLD.findall(MATH.sub(" ", CODE.sub(" ", text.raw))))
        return verdict_if(found >= self.count, f"found {found} highlighted spans, at least {self.count} wanted")

    def witness(self, draft: Draft) -> Draft:
        return replace(draft, highlights=max(draft.highlights, self.count))


def _one_word(marker: str) -> str:
    if not re.fullmatch(r"[^\W\d_]+", marker):
        raise ValueError(f"section marker {marker!r} must be one word of letters")
    return marker


@register
class Sections(Constraint):
    """Exactly `count` sections, each opened by a line that starts with the marker and its number, in order."""

    type: Literal["layout:sections"] = "layout:sections"
    marker: Annotated[str, AfterValidator(_one_word)] = "Section"
    count: int = Field(ge=1)

    phrases: ClassVar = {
        "en": (
            "Divide your answer into exactly {count} section{s}, headed {marker} 1, {marker} 2 and so on.",
            'Write exactly {count} section{s}; start each with a line such as "{marker} 1".',
        ),
        "zh": ("把回答分成恰好{count}节，依次以“{marker} 1”、“{marker} 2”这样的行开头。",),
    }
    notes: ClassVar = {"en": "{count} time{s} {marker}", "zh": "{count}节{marker}"}

    def judge(self, text: Text, context: Context) -> Verdict:
        heading = re.compile(rf"^[ \t#*_\"“]*{re.escape(self.marker)}\s?(\d+)(?!\d)", re.MULTILINE | re.IGNORECASE)
        numbers = [int(number[:9]) for number in heading.findall(CODE.sub("", text.raw))]
        wanted = list(range(1, self.count + 1))
        return verdict_if(numbers == wanted, f"section numbers {numbers}, wanted {wanted}")

    def witness(self, draft: Draft) -> Draft:
        return replace(draft, sections=self.count, section_marker=self.marker)
