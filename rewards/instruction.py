"""The task record: a request, its prompt, a tree of constraints, a ground truth and a witness."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rewards.constraint import AnyConstraint, Constraint, Context, Status, Verdict
from rewards.errors import RaifError
from rewards.response import Response


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class LeafVerdict(NamedTuple):
    """One leaf of the tree with its verdict; `path` is `and.0`, `and.1`, ... in document order."""

    path: str
    type: str
    verdict: Verdict


class Judgement(NamedTuple):
    """What the verifiers say about one response, in document order.

    `hard` is whether every counted leaf is satisfied and `soft` the share that is; a blocked leaf counts as failed
    and a skipped one does not count. Both are None as soon as a counted leaf is unscored.
    """

    leaves: tuple[LeafVerdict, ...]

    @property
    def counted(self) -> list[Status]:
        return [leaf.verdict.status for leaf in self.leaves if leaf.verdict.status is not Status.SKIPPED]

    @property
    def hard(self) -> bool | None:
        return None if self.soft is None else self.soft == 1.0

    @property
    def soft(self) -> float | None:
        counted = self.counted
        if not counted or Status.UNSCORED in counted:
            return None
        return sum(status is Status.SATISFIED for status in counted) / len(counted)


class Leaf(_Record):
    """One constraint in its place in the tree."""

    kind: Literal["leaf"] = "leaf"
    constraint: AnyConstraint

    def constraints(self) -> Iterator[tuple[str, Constraint]]:
        yield "leaf", self.constraint

    def judge(self, response: Response, context: Context) -> Iterator[LeafVerdict]:
        yield LeafVerdict("leaf", self.constraint.type, _check(self.constraint, response, context))


class And(_Record):
    """Every part counts, in any order."""

    kind: Literal["and"] = "and"
    parts: Annotated[tuple[Node, ...], Field(min_length=1)]

    def constraints(self) -> Iterator[tuple[str, Constraint]]:
        for index, part in enumerate(self.parts):
            for path, constraint in part.constraints():
                yield _join(f"and.{index}", path), constraint

    def judge(self, response: Response, context: Context) -> Iterator[LeafVerdict]:
        for index, part in enumerate(self.parts):
            for leaf in part.judge(response, context):
                yield leaf._replace(path=_join(f"and.{index}", leaf.path))


Node = Annotated[Leaf | And, Field(discriminator="kind")]
And.model_rebuild()


def _join(prefix: str, path: str) -> str:
    return prefix if path == "leaf" else f"{prefix}/{path}"


def _check(constraint: Constraint, response: Response, context: Context) -> Verdict:
    try:
        return constraint.check(response, context)
    except Exception as error:  # a checker that fails is not evidence against the response
        return Verdict(Status.UNSCORED, f"the checker failed: {type(error).__name__}: {error}")


class TaskAnswer(_Record):
    """The ground truth of the seed task, if it has one."""

    kind: Literal["math"] = "math"
    value: str = Field(min_length=1)


class Provenance(_Record):
    """Where an instruction comes from: the seed set, the seed within it and the generator's version."""

    seed_set: str
    seed_id: str
    generator: str = ""


class Demonstration(_Record):
    """An expert response for cloning: thinking and answer, verified by the same rules."""

    thinking: str
    answer: str

    @property
    def completion(self) -> str:
        """Return the text that follows an opened `<think>` in the prompt."""
        return f"{self.thinking}</think>{self.answer}"


class Instruction(_Record):
    """Everything needed to prompt a policy once and to judge what it says.

    Example:
        >>> task = Instruction.build(
        ...     request="Name a river.", prompt="Name a river. Do not use any commas.", language="en", split="train",
        ...     tree=And(parts=(Leaf(constraint={"type": "punctuation:no_comma"}),)),
        ...     source=Provenance(seed_set="example", seed_id="0"))
        >>> task.evaluate(Response(None, "The Nile, of course.")).soft
        0.0
    """

    id: str
    request: str = Field(min_length=1)
    prompt: str = Field(min_length=1)
    language: str
    split: Literal["train", "test"]
    tree: Node
    answer: TaskAnswer | None = None
    source: Provenance
    witness: str | None = None
    expert: Demonstration | None = None
    schema_version: Literal[1] = 1

    @classmethod
    def build(cls, **fields: object) -> Instruction:
        """Make an instruction whose id is the hash of its content (witness and expert excluded)."""
        draft = cls.model_validate({"id": "-", **fields})
        content = draft.model_dump_json(exclude={"id", "witness", "expert"})
        return draft.model_copy(update={"id": hashlib.sha256(content.encode()).hexdigest()[:16]})

    @property
    def context(self) -> Context:
        return Context(request=self.request, language=self.language)

    @property
    def constraints(self) -> tuple[Constraint, ...]:
        return tuple(constraint for _, constraint in self.tree.constraints())

    def evaluate(self, response: Response) -> Judgement:
        """Judge a response leaf by leaf; a checker that fails gives `unscored`, never an exception."""
        return Judgement(tuple(self.tree.judge(response, self.context)))


def read_instructions(path: str | Path) -> list[Instruction]:
    """Read an `instructions.jsonl`; blank lines are skipped, a broken line is an error that names it."""
    source = Path(path)
    if not source.is_file():
        raise RaifError(f"no instructions at {source}; make them with `python -m data_gen --config ... --out DIR`.")
    instructions = []
    for number, line in enumerate(source.read_text(encoding="utf-8").split("\n"), 1):
        if line.strip():
            instructions.append(_parse_line(line, f"{source}:{number}"))
    if not instructions:
        raise RaifError(f"{source} holds no instructions; make them with `python -m data_gen`.")
    return instructions


def _parse_line(line: str, where: str) -> Instruction:
    try:
        return Instruction.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "line"
        message = first["msg"].removeprefix("Value error, ").rstrip(".")
        raise RaifError(f"{where} is not an instruction: {place}: {message}. Make the file again.") from error
