"""One verifiable demand on a response: typed arguments, a description, a verdict with evidence and a witness hook."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, SerializeAsAny, ValidationError

from rewards.arguments import Draw
from rewards.draft import Draft, edit_part
from rewards.errors import RaifError, unknown_name
from rewards.judge import Opinion
from rewards.response import Response
from rewards.scope import Scope, numbered, scope_prefix
from rewards.text import Text


class Status(StrEnum):
    """What a verdict can say; see the design note on blocked, skipped and unscored."""

    SATISFIED = "satisfied"
    VIOLATED = "violated"
    BLOCKED = "blocked"  # its predecessor in a chain failed
    SKIPPED = "skipped"  # its branch was not taken
    UNSCORED = "unscored"  # the checker cannot decide, or failed


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one constraint says about one response.

    Example:
        >>> Verdict(Status.VIOLATED, "found 3 bullet points, wanted 4").status.value
        'violated'
    """

    status: Status
    evidence: str = ""


def verdict_if(condition: bool, evidence: str) -> Verdict:
    """Return satisfied or violated, with the same evidence either way."""
    return Verdict(Status.SATISFIED if condition else Status.VIOLATED, evidence)


@dataclass(frozen=True, slots=True)
class Context:
    """What a checker may know besides the response: the request, its language, a judge's answers by question."""

    request: str = ""
    language: str = "en"
    opinions: Mapping[str, Opinion] = field(default_factory=dict)


class Example(NamedTuple):
    """Arguments of a constraint with an answer that satisfies it and one that does not; shown in the gallery."""

    arguments: Mapping[str, Any]
    passes: str
    fails: str
    language: str = "en"


class Constraint(BaseModel):
    """A demand that rules can decide.

    Subclasses declare their arguments as fields, `phrases` (at least one wording per language, the first is the
    canonical description and states the counting rule), `notes` (a short reminder, used in expert thinking),
    `examples`, `judge`, and one way to be satisfied: `edit`, which changes a finished text, or `witness`, which
    records a need in the draft before it is rendered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: str
    scope: Scope = "answer"

    phrases: ClassVar[Mapping[str, tuple[str, ...]]]
    notes: ClassVar[Mapping[str, str]]
    examples: ClassVar[tuple[Example, ...]] = ()

    @property
    def family(self) -> str:
        return self.type.partition(":")[0]

    def slots(self, language: str) -> dict[str, Any]:
        """Return what fills the `{...}` of phrases and notes: the arguments, and `s` for an English plural."""
        arguments = self.model_dump(exclude={"type", "scope"})
        number = next((arguments[name] for name in ("count", "limit", "step") if name in arguments), 0)
        return {**arguments, "s": "" if number == 1 else "s"}

    def describe(self, language: str = "en", wording: int = 0) -> str:
        """Say the demand in English or Chinese; `wording` picks a paraphrase and wraps around."""
        options = self.phrases[language]
        demand = options[wording % len(options)].format(**self.slots(language))
        prefix = scope_prefix(self.scope, language)
        return f"{prefix}{'：' if language == 'zh' else ': '}{demand}" if prefix else demand

    def note(self, language: str = "en") -> str:
        """Say the demand in a few words."""
        return self.notes[language].format(**self.slots(language))

    def check(self, response: Response, context: Context) -> Verdict:
        """Judge a response. A scope without any word violates every constraint, so silence earns nothing."""
        text = response.view(self.scope)
        if text is None:
            return Verdict(Status.VIOLATED, f"the answer has no {self.scope}")
        if not text.has_words:
            return Verdict(Status.VIOLATED, f"the {self.scope} contains no words")
        return self.judge(text, context)

    @abstractmethod
    def judge(self, text: Text, context: Context) -> Verdict:
        """Judge a text that contains at least one word."""

    def witness(self, draft: Draft) -> Draft:
        """Return the draft changed so that its rendering satisfies this constraint."""
        return draft.with_edit(self.edit_scope)

    def edit(self, text: str, language: str) -> str:
        """Return the text changed so that it satisfies this constraint; what need not change is kept."""
        return self.model_copy(update={"scope": "answer"}).witness(Draft(language, core=(text,))).render()

    def edit_scope(self, text: str, language: str) -> str:
        """Apply `edit` to the part of the text that the scope names, which is made where it is missing."""
        place = numbered(self.scope)
        return (
            edit_part(text, *place, lambda part: self.edit(part, language), language)
            if place
            else self.edit(text, language)
        )

    @classmethod
    def draw(cls, rng: Random, language: str) -> dict[str, Any]:
        """Draw legal arguments, field by field; override where fields depend on each other."""
        drawn: dict[str, Any] = {}
        for name, argument in cls.model_fields.items():
            draws = [kind for kind in argument.metadata if isinstance(kind, Draw)]
            if draws:
                drawn[name] = draws[-1].sample(rng, language)
        return drawn


class ReadOff(Constraint):
    """A demand that is read off outputs: nothing writes it into a text, so that no data recipe draws it."""

    def witness(self, draft: Draft) -> Draft:
        raise RaifError(f"nothing writes {self.type!r} into a text; such constraints are read off outputs.")


def checked(constraint: Constraint, response: Response, context: Context) -> Verdict:
    """Return the verdict of a constraint; a checker that fails is no evidence against the response, but unscored."""
    try:
        return constraint.check(response, context)
    except Exception as error:
        return Verdict(Status.UNSCORED, f"the checker failed: {type(error).__name__}: {error}")


_REGISTRY: dict[str, type[Constraint]] = {}
C = TypeVar("C", bound=Constraint)


def register(cls: type[C]) -> type[C]:
    """Add a constraint class to the registry under the default of its `type` field; duplicates are refused."""
    name = cls.model_fields["type"].default
    if name in _REGISTRY:
        raise RaifError(f"constraint {name!r} is already registered by {_REGISTRY[name].__qualname__}")
    _REGISTRY[name] = cls
    return cls


def known_constraints() -> dict[str, type[Constraint]]:
    """Return every registered constraint class that can be written into a text, by type, sorted."""
    return {name: cls for name, cls in _registered().items() if not issubclass(cls, ReadOff)}


def read_off_constraints() -> dict[str, type[Constraint]]:
    """Return every registered constraint class that is only read off outputs, by type, sorted.

    Example:
        >>> "code:uses_for" in read_off_constraints(), "code:uses_for" in known_constraints()
        (True, False)
    """
    return {name: cls for name, cls in _registered().items() if issubclass(cls, ReadOff)}


def _registered() -> dict[str, type[Constraint]]:
    import rewards.constraints  # noqa: F401  (registers the families; here to avoid a cycle)

    return dict(sorted(_REGISTRY.items()))


def constraint_class(name: object) -> type[Constraint]:
    """Return the class of a constraint type, or raise with the nearest known name."""
    if isinstance(name, str) and name in _REGISTRY:
        return _REGISTRY[name]
    if name == "parity:official":  # not listed: it measures, and is no demand to synthesize
        from rewards.parity.official import Official

        return Official
    if name == "judge:question":  # not listed either: no rule decides it
        from rewards.judged import Judged

        return Judged
    known = _registered()
    if not isinstance(name, str) or name not in known:
        raise unknown_name("constraint", name, known, "`raif constraints` lists them with their arguments.")
    return known[name]


def parse_constraint(value: Constraint | Mapping[str, Any]) -> Constraint:
    """Parse a mapping with a `type` into its constraint; unknown types and arguments are errors.

    Example:
        >>> parse_constraint({"type": "length:max_words", "limit": 60}).describe()
        'Use at most 60 words.'
    """
    # Dictionaries come first: asking for an abstract class takes as long as the rest of this function.
    if not isinstance(value, dict) and isinstance(value, Constraint):
        return value
    if not isinstance(value, (dict, Mapping)) or "type" not in value:
        raise RaifError(f"a constraint is a mapping with a 'type'; got {value!r}. `raif constraints` lists them.")
    cls = constraint_class(value["type"])
    try:
        return cls.model_validate(dict(value))
    except ValidationError as error:
        raise RaifError(_explain(cls, value, error)) from error


def _explain(cls: type[Constraint], value: Mapping[str, Any], error: ValidationError) -> str:
    problems = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'value'}: {e['msg']}" for e in error.errors())
    arguments = ", ".join(name for name in cls.model_fields if name != "type")
    return f"constraint {value['type']!r} has bad arguments ({problems}); it takes: {arguments}. Got {dict(value)!r}."


AnyConstraint = Annotated[SerializeAsAny[Constraint], BeforeValidator(parse_constraint)]
