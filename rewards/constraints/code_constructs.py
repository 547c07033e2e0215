"""Constraints on what a program is built from: loops, comprehensions, recursion, classes, try and lambda."""

from __future__ import annotations

from typing import ClassVar, Literal

from rewards.constraint import Example, Verdict, register, verdict_if
from rewards.constraints.code import OnProgram
from rewards.program import Program

_PLAIN = "```python\ndef double(x):\n    return 2 * x\n```"
_FOR = "```python\ndef count(values):\n    n = 0\n    for value in values:\n        n += 1\n    return n\n```"
_WHILE = "```python\ndef halve(n):\n    while n > 1:\n        n //= 2\n    return n\n```"
_COMPREHENSION = "```python\ndef doubled(values):\n    return [2 * value for value in values]\n```"
_RECURSION = "```python\ndef power(n):\n    return 1 if n == 0 else 2 * power(n - 1)\n```"
_CLASS = "```python\nclass Doubler:\n    def double(self, x):\n        return 2 * x\n```"
_TRY = "```python\ndef double(x):\n    try:\n        return 2 * x\n    except TypeError:\n        return None\n```"
_LAMBDA = "```python\ndef doubler():\n    return lambda x: 2 * x\n```"


class _Construct(OnProgram):
    """A demand that one construct occurs, or that it does not."""

    part: ClassVar[str]
    wanted: ClassVar[bool]

    def judge_program(self, program: Program) -> Verdict:
        found = ", ".join(sorted(program.constructs)) or "none of them"
        return verdict_if((self.part in program.constructs) is self.wanted, f"constructs: {found}")


@register
class UsesFor(_Construct):
    """A for statement occurs."""

    type: Literal["code:uses_for"] = "code:uses_for"
    part: ClassVar = "for"
    wanted: ClassVar = True

    phrases: ClassVar = {
        "en": ("Use a for loop.", "Your code must contain a for loop.", "Solve it with a for statement."),
        "zh": ("使用 for 循环。", "代码中必须有 for 循环。", "用 for 语句来解决。"),
    }
    notes: ClassVar = {"en": "a for loop", "zh": "有 for 循环"}
    examples: ClassVar = (Example({}, passes=_FOR, fails=_COMPREHENSION),)


@register
class UsesWhile(_Construct):
    """A while statement occurs."""

    type: Literal["code:uses_while"] = "code:uses_while"
    part: ClassVar = "while"
    wanted: ClassVar = True

    phrases: ClassVar = {
        "en": ("Use a while loop.", "Your code must contain a while loop.", "Solve it with a while statement."),
        "zh": ("使用 while 循环。", "代码中必须有 while 循环。", "用 while 语句来解决。"),
    }
    notes: ClassVar = {"en": "a while loop", "zh": "有 while 循环"}
    examples: ClassVar = (Example({}, passes=_WHILE, fails=_FOR),)


@register
class UsesComprehension(_Construct):
    """A comprehension or generator expression occurs."""

    type: Literal["code:uses_comprehension"] = "code:uses_comprehension"
    part: ClassVar = "comprehension"
    wanted: ClassVar = True

    phrases: ClassVar = {
        "en": (
            "Use a comprehension or a generator expression.",
            "Your code must contain a comprehension or generator expression.",
            "Write some part of it as a comprehension or generator expression.",
        ),
        "zh": (
            "使用推导式或生成器表达式。",
            "代码中必须有推导式或生成器表达式。",
            "其中某一部分写成推导式或生成器表达式。",
        ),
    }
    notes: ClassVar = {"en": "a comprehension", "zh": "有推导式"}
    examples: ClassVar = (Example({}, passes=_COMPREHENSION, fails=_FOR),)


@register
class UsesRecursion(_Construct):
    """A function of the program calls itself, directly or through other functions of the program."""

    type: Literal["code:uses_recursion"] = "code:uses_recursion"
    part: ClassVar = "recursion"
    wanted: ClassVar = True

    phrases: ClassVar = {
        "en": (
            "Use recursion.",
            "Your code must contain a function that calls itself, directly or through another.",
            "Solve it with a recursive function.",
        ),
        "zh": ("使用递归。", "代码中必须有直接或间接调用自身的函数。", "用递归函数来解决。"),
    }
    notes: ClassVar = {"en": "recursion", "zh": "有递归"}
    examples: ClassVar = (Example({}, passes=_RECURSION, fails=_PLAIN),)


@register
class NoRecursion(_Construct):
    """No function of the program calls itself, neither directly nor through other functions of the program."""

    type: Literal["code:no_recursion"] = "code:no_recursion"
    part: ClassVar = "recursion"
    wanted: ClassVar = False

    phrases: ClassVar = {
        "en": (
            "Do not use recursion.",
            "No function of your code may call itself, directly or through another.",
            "Write it without recursion.",
        ),
        "zh": ("不要使用递归。", "代码中的函数不得直接或间接调用自身。", "不用递归来写。"),
    }
    notes: ClassVar = {"en": "no recursion", "zh": "不用递归"}
    examples: ClassVar = (Example({}, passes=_PLAIN, fails=_RECURSION),)


@register
class NoWhile(_Construct):
    """No while statement occurs."""

    type: Literal["code:no_while"] = "code:no_while"
    part: ClassVar = "while"
    wanted: ClassVar = False

    phrases: ClassVar = {
        "en": ("Do not use a while loop.", "Your code must not contain any while loop.", "Write it without while."),
        "zh": ("不要使用 while 循环。", "代码中不得有 while 循环。", "不用 while 来写。"),
    }
    notes: ClassVar = {"en": "no while loop", "zh": "不用 while 循环"}
    examples: ClassVar = (Example({}, passes=_FOR, fails=_WHILE),)


@register
class NoClass(_Construct):
    """No class is defined beyond those of the request."""

    type: Literal["code:no_class"] = "code:no_class"
    part: ClassVar = "class"
    wanted: ClassVar = False

    phrases: ClassVar = {
        "en": (
            "Do not define any class.",
            "Your code must not contain a class definition.",
            "Write it without classes.",
        ),
        "zh": ("不要定义类。", "代码中不得有类的定义。", "不用 class 来写。"),
    }
    notes: ClassVar = {"en": "no class", "zh": "不定义类"}
    examples: ClassVar = (Example({}, passes=_PLAIN, fails=_CLASS),)


@register
class NoTry(_Construct):
    """No try statement occurs."""

    type: Literal["code:no_try"] = "code:no_try"
    part: ClassVar = "try"
    wanted: ClassVar = False

    phrases: ClassVar = {
        "en": ("Do not use a try statement.", "Your code must not contain any try block.", "Write it without try."),
        "zh": ("不要使用 try 语句。", "代码中不得有 try 语句块。", "不用 try 来写。"),
    }
    notes: ClassVar = {"en": "no try statement", "zh": "不用 try 语句"}
    examples: ClassVar = (Example({}, passes=_PLAIN, fails=_TRY),)


@register
class NoLambda(_Construct):
    """No lambda expression occurs."""

    type: Literal["code:no_lambda"] = "code:no_lambda"
    part: ClassVar = "lambda"
    wanted: ClassVar = False

    phrases: ClassVar = {
        "en": (
            "Do not use a lambda expression.",
            "Your code must not contain any lambda.",
            "Write it without lambda expressions.",
        ),
        "zh": ("不要使用 lambda 表达式。", "代码中不得有 lambda。", "不用 lambda 表达式来写。"),
    }
    notes: ClassVar = {"en": "no lambda", "zh": "不用 lambda"}
    examples: ClassVar = (Example({}, passes=_PLAIN, fails=_LAMBDA),)
