"""Constraints on the program in an answer, decided on its syntax tree; the request tells what the task gives already.

They have the shape of registered constraints and are not registered: nothing can plant them in a witness, they can only
be read off a program. A response without a program that parses violates them.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from data_gen.self_evident.program import Program, read_program
from data_gen.self_evident.wordings import wordings
from rewards.arguments import Limit
from rewards.constraint import Constraint, Context, Status, Verdict, verdict_if
from rewards.text import Text

Name = Annotated[str, Field(pattern=r"^[^\W\d]\w*$")]
_FAMILIES = wordings()


class OnProgram(Constraint):
    """A demand on the program of the answer."""

    notes: ClassVar = {"en": "{type}", "zh": "{type}"}

    def judge(self, text: Text, context: Context) -> Verdict:
        program = read_program(text.raw, context.request)
        if program is None:
            return Verdict(Status.VIOLATED, "there is no Python program that parses")
        return self.judge_program(program)

    @abstractmethod
    def judge_program(self, program: Program) -> Verdict:
        """Judge a program that parses."""


class FunctionName(OnProgram):
    """A function has a given name."""

    type: Literal["code:function_name"] = "code:function_name"
    name: Name
    phrases: ClassVar = _FAMILIES["code_function_name"].phrases

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(self.name in program.functions, f"functions: {', '.join(program.functions) or 'none'}")


class LocalVariable(OnProgram):
    """A function assigns a local variable of a given name; parameters and comprehensions do not count."""

    type: Literal["code:local_variable"] = "code:local_variable"
    name: Name
    phrases: ClassVar = _FAMILIES["code_local_variable"].phrases

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(self.name in program.variables, f"variables: {', '.join(program.variables) or 'none'}")


class SingleFunction(OnProgram):
    """No function is defined besides the main one, not even inside it."""

    type: Literal["code:single_function"] = "code:single_function"
    phrases: ClassVar = _FAMILIES["code_single_function"].phrases

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(program.helpers == 0, f"{program.helpers} functions besides the main one")


class HelperFunction(OnProgram):
    """At least one function is defined besides the main one."""

    type: Literal["code:helper_function"] = "code:helper_function"
    phrases: ClassVar = _FAMILIES["code_helper_function"].phrases

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(program.helpers > 0, f"{program.helpers} functions besides the main one")


class OneReturn(OnProgram):
    """There is exactly one return statement."""

    type: Literal["code:one_return"] = "code:one_return"
    phrases: ClassVar = _FAMILIES["code_one_return"].phrases

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(program.returns == 1, f"{program.returns} return statements")


class AnnotatedSignature(OnProgram):
    """The main function has a type for every parameter and for its result."""

    type: Literal["code:annotated_signature"] = "code:annotated_signature"
    phrases: ClassVar = _FAMILIES["code_annotated"].phrases

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(program.annotated, f"the main function is {program.main or 'given by the task'}")


class UsesFor(OnProgram):
    """A for statement occurs."""

    type: Literal["code:uses_for"] = "code:uses_for"
    phrases: ClassVar = _FAMILIES["code_uses_for"].phrases

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if("for" in program.loops, f"loops: {', '.join(sorted(program.loops)) or 'none'}")


class UsesWhile(OnProgram):
    """A while statement occurs."""

    type: Literal["code:uses_while"] = "code:uses_while"
    phrases: ClassVar = _FAMILIES["code_uses_while"].phrases

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if("while" in program.loops, f"loops: {', '.join(sorted(program.loops)) or 'none'}")


class NoWhile(OnProgram):
    """No while statement occurs."""

    type: Literal["code:no_while"] = "code:no_while"
    phrases: ClassVar = _FAMILIES["code_no_while"].phrases

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if("while" not in program.loops, f"loops: {', '.join(sorted(program.loops)) or 'none'}")


class UsesComprehension(OnProgram):
    """A comprehension or generator expression occurs."""

    type: Literal["code:uses_comprehension"] = "code:uses_comprehension"
    phrases: ClassVar = _FAMILIES["code_comprehension"].phrases

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(program.comprehension, f"comprehension: {program.comprehension}")


class NoImports(OnProgram):
    """Nothing is imported that the request does not import."""

    type: Literal["code:no_imports"] = "code:no_imports"
    phrases: ClassVar = _FAMILIES["code_no_imports"].phrases

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(not program.imports, f"imports: {', '.join(program.imports) or 'none'}")


class MaxCodeLines(OnProgram):
    """At most `limit` lines of code; blank lines, comments, doc strings and what the task gives do not count."""

    type: Literal["code:max_lines"] = "code:max_lines"
    limit: Limit
    phrases: ClassVar = _FAMILIES["code_lines"].phrases

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(program.lines <= self.limit, f"{program.lines} lines, at most {self.limit} wanted")


CODE_TYPES: dict[str, type[Constraint]] = {
    cls.model_fields["type"].default: cls
    for cls in (
        FunctionName,
        LocalVariable,
        SingleFunction,
        HelperFunction,
        OneReturn,
        AnnotatedSignature,
        UsesFor,
        UsesWhile,
        NoWhile,
        UsesComprehension,
        NoImports,
        MaxCodeLines,
    )
}
