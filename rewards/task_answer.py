"""The ground truth of a seed task: a value, the accepted answers of a question, or the tests of a program."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Truth(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MathAnswer(_Truth):
    """A value that the final answer of the response must equal, in LaTeX or plain text."""

    kind: Literal["math"] = "math"
    value: str = Field(min_length=1)


class QaAnswer(_Truth):
    """The accepted answers of a question; the response is right when it gives one of them."""

    kind: Literal["qa"] = "qa"
    values: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]


class CodeAnswer(_Truth):
    """A Python program's tests.

    Fields:
        tests: code that runs after the candidate program and raises where it is wrong. With an `entry_point` it may
            define `check(candidate)`, which is then called with that function (the HumanEval layout).
        entry_point: the function that the program must define, if the tests call it by a name of their own.
        prelude: code that stands before the candidate (imports, the head of the function that it completes).
    """

    kind: Literal["code"] = "code"
    tests: str = Field(min_length=1)
    entry_point: str = ""
    prelude: str = ""


TaskAnswer = Annotated[MathAnswer | QaAnswer | CodeAnswer, Field(discriminator="kind")]
