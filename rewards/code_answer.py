"""Whether a response solves a programming task: find its code, join it with what the task gives, run the tests."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from textwrap import dedent, indent

from rewards.code_runner import Job, run_tests
from rewards.sandbox import Limits, Outcome, Sandbox, Status, require_sandbox
from rewards.task_answer import CodeAnswer

_PYTHON = frozenset({"python", "python3", "py", "py3", "ipython"})
_FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<mark>```+|~~~+)[ \t]*(?P<language>[\w.+#-]*)(?P<rest>.*)")
_DEFINITION = re.compile(r"^(?:async[ ]+def|def|class)[ ]+\w", re.MULTILINE)
_OPENING = re.compile(
    r"(?:async +def|def) +\w+ *[(\[]|class +\w+ *[:(\[]|import +\w[\w., ]*$|from +[\w.]+ +import +|@\w|\w+ *=[^=]"
)
_GOING_ON = re.compile(
    r"[#)\]}]|(?:if|elif|else|for|while|try|except|finally|with|match|return|raise|assert|pass|del|global|async|await)\b"
    r"(?=.*[:(\[=]|\s*$)|[\w.]+(?:\[.*\])?(?:\(| *[-+*/%&|]?=)"
)
_HEAD = re.compile(r"^([ \t]*)(?:async[ ]+def|def)[ ]", re.MULTILINE)
_STEP = "    "
_VERDICTS = {Status.PASSED: True, Status.FAILED: False, Status.TIMEOUT: False}


@dataclass(frozen=True)
class _Block:
    language: str
    code: str


def extract_code(text: str, entry_point: str = "") -> str | None:
    """Return the program in a response, or None where there is none.

    Of the fenced blocks that are Python or say no language, the last that defines the entry point; else the last that
    is marked as Python and defines something; else the last. Without fences: an indented text is the body of a function
    as it stands; otherwise the code from the first line that can only be code to the last.

    Args:
        text: the answer, without thinking.
        entry_point: the function or class to look for, or an expression that begins with it.

    Example:
        >>> extract_code("Sure:\\n```python\\ndef f(x):\\n    return x\\n```\\nTry:\\n```\\n>>> f(1)\\n```", "f")
        'def f(x):\\n    return x'
        >>> extract_code("I cannot.") is None
        True
    """
    blocks = list(_blocks(text))
    if not blocks:
        return _bare_code(text)
    usable = [block for block in blocks if block.code.strip() and block.language in _PYTHON | {""}]
    marked = [block for block in usable if block.language]
    defining = [block for block in marked or usable if _DEFINITION.search(block.code)]
    wanted = [block for block in usable if entry_point and defines(block.code, entry_point)]
    chosen = wanted or defining or marked or usable
    return chosen[-1].code if chosen else None


def _blocks(text: str) -> Iterator[_Block]:
    """Yield the fenced blocks; one that is never closed ends with the text."""
    opened: re.Match[str] | None = None
    lines: list[str] = []
    for line in text.split("\n"):
        fence = _FENCE.fullmatch(line.rstrip("\r"))
        if opened is None:
            if fence and "`" not in fence["rest"]:
                opened, lines = fence, []
        elif fence and fence["mark"].startswith(opened["mark"]) and not fence["language"] and not fence["rest"].strip():
            yield _block(opened, lines)
            opened = None
        else:
            lines.append(line)
    if opened is not None:
        yield _block(opened, lines)


def _block(opened: re.Match[str], lines: list[str]) -> _Block:
    code = "\n".join(lines)
    return _Block(opened["language"].lower(), dedent(code) if opened["indent"] else code)


def _bare_code(text: str) -> str | None:
    lines = text.split("\n")
    filled = [line for line in lines if line.strip()]
    if filled and filled[0][0] in " \t":
        return text
    begin = next((number for number, line in enumerate(lines) if _OPENING.match(line)), None)
    if begin is None:
        return None
    end = begin
    for number in range(begin, len(lines)):
        line = lines[number]
        if line.strip() and line[0] not in " \t" and not _OPENING.match(line) and not _GOING_ON.match(line):
            break
        end = number + 1
    return "\n".join(lines[begin:end]).rstrip()


def defines(code: str, entry_point: str) -> bool:
    """Tell whether code defines, at its outermost level, the name that an entry point begins with.

    Example:
        >>> defines("class Solution:\\n    def f(self): ...", "Solution().f"), defines("    return f", "f")
        (True, False)
    """
    name = re.match(r"\w*", entry_point)
    root = re.escape(name[0]) if name else ""
    return (
        re.search(rf"^(?:(?:async[ ]+def|def|class)[ ]+{root}\b|{root}[ ]*(?::[^=\n]*)?=(?!=))", code, re.MULTILINE)
        is not None
    )


def assemble(answer: CodeAnswer, code: str) -> list[tuple[str, bool]]:
    """Return the sources of a program in order, each with whether it may be left out if it is no complete code.

    Code that does not define the entry point goes on where the prelude ends: it is the body of the last function there.

    Example:
        >>> task = CodeAnswer(prelude="def f(x):\\n", entry_point="f", tests="assert f(1) == 1")
        >>> assemble(task, "return x")
        [('def f(x):\\n    return x', False)]
    """
    first = next((line for line in code.split("\n") if line.strip()), "")
    goes_on = first[:1] in {" ", "\t"} or (answer.entry_point and not defines(code, answer.entry_point))
    if not answer.prelude:
        return [(dedent(code), False)]
    if goes_on:
        head = answer.prelude if answer.prelude.endswith("\n") else answer.prelude + "\n"
        return [(head + _as_body(code, answer.prelude), False)]
    return [(answer.prelude, True), (code, False)]


def _as_body(code: str, prelude: str) -> str:
    """Indent a function body that lost its indentation, wholly or (by a strip) in its first line."""
    lines = code.split("\n")
    number = next((n for n, line in enumerate(lines) if line.strip()), 0)
    if lines[number][:1] in {" ", "\t", ""}:
        return code
    heads = _HEAD.findall(prelude)
    depth = (heads[-1] if heads else "") + _STEP
    rest = [line for line in lines[number + 1 :] if line.strip()]
    inner = rest and rest[0][: len(depth) + 1].isspace()  # deeper than the body: what a block's head needs below it
    stripped = all(line.startswith(depth) for line in rest) and (inner or not lines[number].rstrip().endswith(":"))
    return (
        "\n".join([*lines[:number], depth + lines[number], *lines[number + 1 :]]) if stripped else indent(code, depth)
    )


class CodeVerifier:
    """Judge programs by running them, each in a sandbox of its own.

    Args:
        workers: programs at a time; each is two processes, of which mostly one is busy.
        seconds: processor time of one program.
        deadline: seconds allowed for one batch; what is not finished by then is None.
        limits: what else a program may use; its `seconds` do not count.
    """

    def __init__(
        self, workers: int = 1, seconds: float = 10.0, deadline: float = 60.0, limits: Limits | None = None
    ) -> None:
        self.workers, self.deadline = max(1, workers), deadline
        self.sandbox = Sandbox(replace(limits or Limits(), seconds=seconds))

    def judge(self, pairs: Sequence[tuple[CodeAnswer, str]]) -> list[bool | None]:
        """Run (task, response text) pairs: True, False, or None where nothing can be said of the program.

        A response without code, and a program that takes too long or too much memory, has failed. None: the batch
        ended first, or the tests cannot be run.

        Errors: `RaifError` where there is no working sandbox.
        """
        return [_VERDICTS.get(outcome.status) for outcome in self.outcomes(pairs)]

    def outcomes(self, pairs: Sequence[tuple[CodeAnswer, str]]) -> list[Outcome]:
        """Run (task, response text) pairs and say of each how it ended and why."""
        end = time.monotonic() + self.deadline
        codes = [extract_code(text, answer.entry_point) for answer, text in pairs]
        if any(code is not None for code in codes):
            require_sandbox()
        with ThreadPoolExecutor(min(self.workers, max(1, len(pairs)))) as pool:
            runs = [pool.submit(self._run, answer, code, end) for (answer, _), code in zip(pairs, codes, strict=True)]
            return [run.result() for run in runs]

    def _run(self, answer: CodeAnswer, code: str | None, end: float) -> Outcome:
        if code is None:
            return Outcome(Status.FAILED, "the response contains no code", 0.0)
        job = Job(assemble(answer, code), answer.tests, answer.entry_point, answer.prelude)
        try:
            return run_tests(self.sandbox, job, end)
        except OSError as error:  # the machine is out of processes, descriptors or memory
            return Outcome(Status.BROKEN, str(error), 0.0)


@lru_cache(maxsize=1)
def shared_code_verifier() -> CodeVerifier:
    """Return the verifier that scorers of this process share."""
    return CodeVerifier()
