"""The language of the answer."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from rewards.arguments import LanguageCode
from rewards.constraint import Context, Example, Status, Verdict, register
from rewards.constraints.editing import Edited
from rewards.constraints.matching import decide
from rewards.draft import Draft
from rewards.filler import SENTENCES
from rewards.language import LANGUAGES, guess_language, script_allows
from rewards.text import Text


@register
class ResponseLanguage(Edited):
    """The answer is mainly in one language; formulas and code are ignored."""

    type: Literal["language:response"] = "language:response"
    language: LanguageCode

    phrases: ClassVar = {
        "en": ("Answer in {name}.", "Your entire answer must be in {name}."),
        "zh": ("请用{name}回答。", "整个回答必须使用{name}。"),
    }
    notes: ClassVar = {"en": "in {name}", "zh": "用{name}"}
    examples: ClassVar = (
        Example(
            {"language": "en"},
            passes="The river carries water to the sea.",
            fails="Der alte Bahnhof wurde im letzten Jahr vollständig renoviert.",
        ),
        Example({"language": "zh"}, passes="汤姆有七个苹果。", fails="これは日本語です。", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        return {"name": LANGUAGES[self.language][language == "zh"]}

    def judge(self, text: Text, context: Context) -> Verdict:
        if not script_allows(text.prose, self.language):
            return Verdict(Status.VIOLATED, f"the script of the answer is not that of {self.slots('en')['name']}")
        guess = guess_language(text.prose)
        if guess.language is None:
            return Verdict(Status.UNSCORED, guess.reason)
        return decide(guess.language == self.language, f"language {guess.language}: {guess.reason}")

    def witness(self, draft: Draft) -> Draft:
        # The language of the sentences is chosen before the draft is made; the edit helps where it was not.
        return draft.with_edit(self.edit_scope)

    def reshape(self, text: str, language: str) -> str:
        known = SENTENCES.get(self.language)
        if known is None:
            return text
        joined = ("" if self.language == "zh" else " ").join(known)
        return self.first_accepted([f"{text} {known[0]} {known[1]}", joined])
