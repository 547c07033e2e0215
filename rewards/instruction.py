"""The task record: a request, its prompt, a tree of constraints, a ground truth and a witness."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from rewards.constraint import Constraint, Context
from rewards.errors import RaifError
from rewards.judge import Opinion
from rewards.judged import Judged
from rewards.judgement import Judgement
from rewards.response import Response
from rewards.task_answer import TaskAnswer
from rewards.tree import Node, judge


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Split = Literal["train", "test", "test_families", "test_arguments"]


class Message(_Record):
    """One turn of a prompt that is a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str = Field(min_length=1)


Prompt = Annotated[str, Field(min_length=1)] | Annotated[tuple[Message, ...], Field(min_length=1)]


def prompt_messages(prompt: Prompt) -> list[dict[str, str]]:
    """Return a prompt as a conversation.

    Example:
        >>> prompt_messages("Hi.")
        [{'role': 'user', 'content': 'Hi.'}]
    """
    turns = (Message(role="user", content=prompt),) if isinstance(prompt, str) else prompt
    return [{"role": turn.role, "content": turn.content} for turn in turns]


def prompt_text(prompt: Prompt) -> str:
    """Return a prompt as one text; the turns of a conversation stand below each other."""
    return prompt if isinstance(prompt, str) else "\n\n".join(turn.content for turn in prompt)


class Provenance(_Record):
    """Where an instruction comes from: the seed set, the seed within it, its licence and the generator's version."""

    seed_set: str
    seed_id: str
    licence: str = ""
    generator: str = ""


class SubInstruction(_Record):
    """One demand as the prompt words it.

    Fields:
        path: the leaf of the tree that it words, as in `LeafVerdict.path`.
        text: the wording, without what joins it to its neighbours.
        question: what a judge is asked, for a soft demand.
        needs: the paths of the demands that must be met before this one counts.
    """

    path: str
    text: str = Field(min_length=1)
    question: str = ""
    needs: tuple[str, ...] = ()


class Demonstration(_Record):
    """An expert response for cloning: thinking and answer, verified by the same rules.

    `origin` is `witness`, `file` or the name of the model that wrote it.
    """

    thinking: str
    answer: str
    origin: str = "witness"

    @property
    def completion(self) -> str:
        """Return the text that follows an opened `<think>` in the prompt."""
        return f"{self.thinking}</think>{self.answer}"


class Instruction(_Record):
    """Everything needed to prompt a policy once and to judge what it says.

    `unconstrained` is the share of a policy's answers to the bare request that were right, where it was measured; the
    reward `invariance` compares with it. Where it was not, records do not have the field.

    Example:
        >>> from rewards import And, Leaf
        >>> task = Instruction.build(
        ...     request="Name a river.", prompt="Name a river. Do not use any commas.", language="en", split="train",
        ...     tree=And(parts=(Leaf(constraint={"type": "punctuation:no_comma"}),)),
        ...     source=Provenance(seed_set="example", seed_id="0"))
        >>> task.evaluate(Response(None, "The Nile, of course.")).soft
        0.0
    """

    id: str
    request: str = Field(min_length=1)
    prompt: Prompt
    language: str
    split: Split
    difficulty: str = ""
    tree: Node
    sub_instructions: tuple[SubInstruction, ...] = ()
    answer: TaskAnswer | None = None
    source: Provenance
    witness: str | None = None
    expert: Demonstration | None = None
    unconstrained: Annotated[float, Field(ge=0, le=1)] | None = None
    schema_version: Literal[1] = 1

    @classmethod
    def build(cls, **fields: object) -> Instruction:
        """Make an instruction whose id is the hash of its content (witness, expert and `unconstrained` excluded)."""
        draft = cls.model_validate({"id": "-", **fields})
        content = draft.model_dump_json(exclude={"id", "witness", "expert", "unconstrained"})
        return draft.model_copy(update={"id": hashlib.sha256(content.encode()).hexdigest()[:16]})

    @field_validator("tree")
    @classmethod
    def _resolvable(cls, tree: Node) -> Node:
        _ = tree.places  # unknown names and circles are errors now, not at the first response
        return tree

    @field_validator("prompt")
    @classmethod
    def _ends_with_the_user(cls, prompt: Prompt) -> Prompt:
        if not isinstance(prompt, str):
            if prompt[-1].role != "user":
                raise ValueError(f"the last message of a prompt is the user's; got role {prompt[-1].role!r}")
            if any(message.role == "system" for message in prompt[1:]):
                raise ValueError("only the first message of a prompt may be the system's")
        return prompt

    @model_validator(mode="after")
    def _can_be_judged(self) -> Instruction:
        if not self.tree.places and self.answer is None:
            raise ValueError("an instruction without constraints needs an answer, else nothing could be judged")
        if self.unconstrained is not None and self.answer is None:
            raise ValueError("unconstrained is a share of right answers, and the instruction has no answer")
        return self

    @model_serializer(mode="wrap")
    def _as_before_it_was_measured(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        fields: dict[str, Any] = serialize(self)
        if self.unconstrained is None:  # files and digests of rows stay what they were
            fields.pop("unconstrained", None)
        return fields

    @property
    def messages(self) -> list[dict[str, str]]:
        """The prompt as a conversation, in the form that chat templates take."""
        return prompt_messages(self.prompt)

    @property
    def prompt_text(self) -> str:
        """The prompt as one text; the turns of a conversation stand below each other."""
        return prompt_text(self.prompt)

    def context(self, opinions: Mapping[str, Opinion] | None = None) -> Context:
        """Return what checkers may know; `opinions` are a judge's answers by question."""
        return Context(self.request, self.language, opinions or {})

    @property
    def judged(self) -> tuple[Judged, ...]:
        """The soft constraints, those that branches hang on included: what a judge has to be asked."""
        asked = (getattr(condition, "constraint", None) for condition in self.tree.conditions())
        return tuple(each for each in (*self.constraints, *asked) if isinstance(each, Judged))

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        return tuple(constraint for _, constraint in self.tree.constraints())

    def evaluate(self, response: Response, opinions: Mapping[str, Opinion] | None = None) -> Judgement:
        """Judge a response leaf by leaf; a checker that fails gives `unscored`, never an exception."""
        return judge(self.tree.places, response, self.context(opinions), self.answer)


def read_instructions(path: str | Path) -> list[Instruction]:
    """Read an `instructions.jsonl`; blank lines are skipped, a broken line is an error that names it."""
    source = Path(path)
    if not source.is_file():
        raise RaifError(f"no instructions at {source}; make them with `python -m data_gen --config ... --out DIR`.")
    instructions = []
    for number, line in enumerate(source.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip():
            instructions.append(parse_line(line, f"{source}:{number}"))
    if not instructions:
        raise RaifError(f"{source} holds no instructions; make them with `python -m data_gen`.")
    return instructions


def parse_line(line: str, where: str) -> Instruction:
    """Parse one instruction; whatever is wrong with it is a `RaifError` that names the place."""
    try:
        return Instruction.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "line"
        message = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise RaifError(f"{where} is not an instruction: {place}: {message}. Make the file again.") from error
