"""The language of the answer."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import field_validator

from rewards.constraint import Constraint, Context, Status, Verdict, register, verdict_if
from rewards.draft import Draft
from rewards.language import LANGUAGES, guess_language, script_allows
from rewards.text import Text


@register
class ResponseLanguage(Constraint):
    """The answer is mainly in one language; formulas and code are ignored."""

    type: Literal["language:response"] = "language:response"
    language: str

    phrases: ClassVar = {
        "en": ("Answer in {name}.", "Your entire answer must be in {name}."),
        "zh": ("请用{name}回答。", "整个回答必须使用{name}。"),
    }
    notes: ClassVar = {"en": "in {name}", "zh": "用{name}"}

    @field_validator("language")
    @classmethod
    def _known(cls, code: str) -> str:
        if code not in LANGUAGES:
            raise ValueError(f"unknown language code {code!r}; known: {', '.join(LANGUAGES)}")
        return code

    def slots(self, language: str) -> dict[str, Any]:
        return {"name": LANGUAGES[self.language][language == "zh"]}

    def judge(self, text: Text, context: Context) -> Verdict:
        if not script_allows(text.prose, self.language):
            return Verdict(Status.VIOLATED, f"the script of the answer is not that of {self.slots('en')['name']}")
        guess = guess_language(text.prose)
        if guess.language is None:
            return Verdict(Status.UNSCORED, guess.reason)
        return verdict_if(guess.language == self.language, f"language {guess.language}: {guess.reason}")

    def witness(self, draft: Draft) -> Draft:
        return draft  # the language of the sentences is chosen before the draft is made
