"""Constraints on the program in an answer: its names, functions, docstrings, comments, imports and length.

They are decided on the syntax tree (`rewards.program`); the request tells what the task gives already. A response
without a program that parses violates them.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from rewards.arguments import Limit
from rewards.constraint import Context, Example, ReadOff, Status, Verdict, register, verdict_if
from rewards.program import Program, read_program
from rewards.text import Text

Name = Annotated[str, Field(pattern=r"^[^\W\d]\w*$", max_length=80)]
_SHOWN = 200  # characters of evidence
_ADD = "```python\ndef add(a, b):\n    return a + b\n```"
_ADD_ALL = (
    "```python\ndef add_all(values):\n    total = 0\n    for n in values:\n        total += n\n    return total\n```"
)
_HELPED = "```python\ndef add(a, b):\n    return carry(a) + b\n\ndef carry(a):\n    return a\n```"


class OnProgram(ReadOff):
    """A demand on the program of the answer."""

    def judge(self, text: Text, context: Context) -> Verdict:
        program = read_program(text.raw, context.request)
        if program is None:
            return Verdict(Status.VIOLATED, "there is no Python program that parses")
        return self.judge_program(program)

    @abstractmethod
    def judge_program(self, program: Program) -> Verdict:
        """Judge a program that parses."""


def _named(kind: str, names: object) -> str:
    listed = ", ".join(map(str, names)) if isinstance(names, (tuple, dict)) else str(names)
    return f"{kind}: {listed or 'none'}"[:_SHOWN]


@register
class FunctionName(OnProgram):
    """A function has a given name."""

    type: Literal["code:function_name"] = "code:function_name"
    name: Name

    phrases: ClassVar = {
        "en": (
            "Define a function named {name}.",
            "One of your functions must be called {name}.",
            "Give a function the name {name}.",
        ),
        "zh": (
            "定义一个名为 {name} 的函数。",
            "其中一个函数必须叫做 {name} 才行。",
            "把一个函数命名为 {name} 即可。",
        ),
    }
    notes: ClassVar = {"en": "a function {name}", "zh": "函数 {name}"}
    examples: ClassVar = (Example({"name": "add"}, passes=_ADD, fails=_ADD_ALL),)

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(self.name in program.functions, _named("functions", program.functions))


@register
class LocalVariable(OnProgram):
    """A function assigns a local variable of a given name; parameters and comprehensions do not count."""

    type: Literal["code:local_variable"] = "code:local_variable"
    name: Name

    phrases: ClassVar = {
        "en": (
            "Use a local variable named {name}.",
            "Some function of yours must assign a local variable called {name}.",
            "Call one of the local variables {name}.",
        ),
        "zh": (
            "使用一个名为 {name} 的局部变量。",
            "某个函数中必须给名为 {name} 的局部变量赋值。",
            "把其中一个局部变量命名为 {name} 即可。",
        ),
    }
    notes: ClassVar = {"en": "a variable {name}", "zh": "变量 {name}"}
    examples: ClassVar = (Example({"name": "total"}, passes=_ADD_ALL, fails=_ADD),)

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(self.name in program.variables, _named("variables", program.variables))


@register
class SingleFunction(OnProgram):
    """No function is defined besides the main one, not even inside it."""

    type: Literal["code:single_function"] = "code:single_function"

    phrases: ClassVar = {
        "en": (
            "Do not define any helper function.",
            "Write a single function, without helpers.",
            "Put everything into one function.",
        ),
        "zh": ("不要定义辅助函数。", "只写一个函数，不用辅助函数。", "把全部内容写在同一个函数里。"),
    }
    notes: ClassVar = {"en": "no helper function", "zh": "不用辅助函数"}
    examples: ClassVar = (Example({}, passes=_ADD, fails=_HELPED),)

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(program.helpers == 0, f"{program.helpers} functions besides the main one")


@register
class HelperFunction(OnProgram):
    """At least one function is defined besides the main one."""

    type: Literal["code:helper_function"] = "code:helper_function"

    phrases: ClassVar = {
        "en": (
            "Define at least one helper function.",
            "Move part of the work into a helper function.",
            "Besides the main function, write a helper.",
        ),
        "zh": ("至少定义一个辅助函数。", "把一部分工作交给辅助函数。", "除主函数外，另写一个辅助函数。"),
    }
    notes: ClassVar = {"en": "a helper function", "zh": "有辅助函数"}
    examples: ClassVar = (Example({}, passes=_HELPED, fails=_ADD),)

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(program.helpers > 0, f"{program.helpers} functions besides the main one")


@register
class OneReturn(OnProgram):
    """There is exactly one return statement."""

    type: Literal["code:one_return"] = "code:one_return"

    phrases: ClassVar = {
        "en": (
            "Use exactly one return statement.",
            "Your code must have a single return statement.",
            "Write one return statement and no other.",
        ),
        "zh": (
            "只使用一条 return 语句。",
            "代码中必须正好有一条 return 语句。",
            "写一条 return 语句，不要再有第二条。",
        ),
    }
    notes: ClassVar = {"en": "one return statement", "zh": "一条 return 语句"}
    examples: ClassVar = (Example({}, passes=_ADD, fails=_HELPED),)

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(program.returns == 1, f"{program.returns} return statements")


@register
class AnnotatedSignature(OnProgram):
    """The main function has a type for every parameter and for its result."""

    type: Literal["code:annotated_signature"] = "code:annotated_signature"

    phrases: ClassVar = {
        "en": (
            "Annotate every parameter and the return value of the main function with types.",
            "Give the main function a fully annotated signature.",
            "The main function must have type hints for all parameters and for its result.",
        ),
        "zh": (
            "为主函数的所有参数和返回值加上类型注解。",
            "主函数的签名要有完整的类型注解。",
            "主函数的每个参数和结果都必须标注类型。",
        ),
    }
    notes: ClassVar = {"en": "an annotated signature", "zh": "签名有类型注解"}
    examples: ClassVar = (
        Example({}, passes="```python\ndef add(a: int, b: int) -> int:\n    return a + b\n```", fails=_ADD),
    )

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(program.annotated, f"the main function is {program.main or 'given by the task'}"[:_SHOWN])


@register
class DocString(OnProgram):
    """A docstring occurs that the request does not give."""

    type: Literal["code:docstring"] = "code:docstring"

    phrases: ClassVar = {
        "en": (
            "Write a docstring of your own.",
            "Your code must contain a docstring that the task does not give.",
            "Document the code in a docstring besides what the task gives.",
        ),
        "zh": (
            "自己写一段文档字符串。",
            "代码中必须有题目未给出的文档字符串。",
            "除题目给出的之外，再用文档字符串说明代码。",
        ),
    }
    notes: ClassVar = {"en": "a docstring", "zh": "有文档字符串"}
    examples: ClassVar = (
        Example({}, passes='```python\ndef add(a, b):\n    """Return the sum."""\n    return a + b\n```', fails=_ADD),
    )

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(program.documented, f"a docstring of its own: {program.documented}")


@register
class NoComments(OnProgram):
    """There is no comment that the request does not give; docstrings are none."""

    type: Literal["code:no_comments"] = "code:no_comments"

    phrases: ClassVar = {
        "en": (
            "Do not write any comments in the code.",
            "Your code must not contain comments.",
            "Leave the code without comments.",
        ),
        "zh": ("代码中不要写注释。", "代码里不得有注释。", "代码不加任何注释。"),
    }
    notes: ClassVar = {"en": "no comments", "zh": "不写注释"}
    examples: ClassVar = (
        Example({}, passes=_ADD, fails="```python\ndef add(a, b):\n    return a + b  # the sum\n```"),
    )

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(program.comments == 0, f"{program.comments} comments")


@register
class NoImports(OnProgram):
    """Nothing is imported that the request does not import."""

    type: Literal["code:no_imports"] = "code:no_imports"

    phrases: ClassVar = {
        "en": (
            "Do not import anything that the task does not import already.",
            "Your code must get by without further imports.",
            "Add no import statements of your own.",
        ),
        "zh": (
            "除题目已导入的之外，不要再导入任何模块。",
            "代码不得另外使用 import。",
            "不要自行添加 import 语句。",
        ),
    }
    notes: ClassVar = {"en": "no imports", "zh": "不用 import"}
    examples: ClassVar = (
        Example({}, passes=_ADD, fails="```python\nimport math\n\ndef area(r):\n    return math.pi * r * r\n```"),
    )

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(not program.imports, _named("imports", program.imports))


@register
class MaxCodeLines(OnProgram):
    """At most `limit` lines of code; blank lines, docstrings and what the task gives do not count."""

    type: Literal["code:max_lines"] = "code:max_lines"
    limit: Limit

    phrases: ClassVar = {
        "en": (
            "Use at most {limit} line{s} of code, counting comments but not blank lines, docstrings and what the task"
            " gives.",
            "Your code must not be longer than {limit} line{s}; comments count, blank lines, docstrings and given"
            " lines do not.",
            "Keep the code to {limit} line{s} or fewer, comments included; blank lines, docstrings and given lines do"
            " not count.",
        ),
        "zh": (
            "代码最多{limit}行，注释也算，空行、文档字符串和题目已给出的行不计。",
            "代码不要超过{limit}行；注释算在内，空行、文档字符串和已给出的行不算。",
            "把代码控制在{limit}行以内，包括注释，空行、文档字符串和题目给出的行除外。",
        ),
    }
    notes: ClassVar = {"en": "at most {limit} line{s} of code", "zh": "代码至多{limit}行"}
    examples: ClassVar = (Example({"limit": 2}, passes=_ADD, fails=_ADD_ALL),)

    def judge_program(self, program: Program) -> Verdict:
        return verdict_if(program.lines <= self.limit, f"{program.lines} lines, at most {self.limit} wanted")
