r"""How a response may state a given answer, so that every rule about its letters and marks has a form that obeys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import yaml

from data_gen.seeds import Solution

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the first is ten times as fast
_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]*)\}\{([^{}]*)\}")
_ROOT = re.compile(r"\\sqrt\{([^{}]*)\}")
_NAMED = re.compile(r"\\(?:text|textbf|mathrm|mbox)\{([^{}]*)\}")
_SIMPLE = re.compile(r"[\w.]+")
_POWER = re.compile(r"(?P<base>-?\d+(?:\.\d+)?)e(?P<sign>[-+]?)0*(?P<exponent>\d+)", re.IGNORECASE)
ENGLISH = "The final answer is {answer}."


def plain(answer: str) -> str:
    r"""Return an answer without the LaTeX that has a plain form.

    Example:
        >>> plain(r"\frac{3}{4}"), plain(r"-\sqrt{3}"), plain(r"\text{odd}"), plain("3.61e-10")
        ('3/4', '-√(3)', 'odd', '3.61*10^(-10)')
    """
    answer = answer.replace("$", "").replace("\\left", "").replace("\\right", "").replace("\\,", "")
    answer = _NAMED.sub(r"\1", answer)
    for _ in range(3):  # one in the other
        answer = _ROOT.sub(r"√(\1)", _FRACTION.sub(lambda match: f"{_part(match[1])}/{_part(match[2])}", answer))
    power = _POWER.fullmatch(answer.strip())
    if power:
        return f"{power['base']}*10^({power['sign'].strip('+')}{power['exponent']})"
    return answer.replace("\\cdot", "*").replace("\\times", "*").strip()


def _part(text: str) -> str:
    return text if _SIMPLE.fullmatch(text) else f"({text})"


def boxes(answer: str) -> Iterator[str]:
    r"""Yield the boxes that state an answer, as it is given first.

    Example:
        >>> list(boxes("$3$,$4$"))
        ['\\boxed{$3$,$4$}', '\\boxed{3,4}', '\\boxed{3} and \\boxed{4}']
    """
    bare = answer.replace("$", "")
    simple = plain(answer)
    values = [part.strip() for part in bare.split(",")]
    forms = [f"\\boxed{{{answer}}}", f"\\boxed{{{bare}}}", f"\\boxed{{{simple}}}"]
    if len(values) > 1:
        forms.append(" and ".join(f"\\boxed{{{value}}}" for value in values))
        forms.append(" and ".join(f"\\boxed{{{plain(value)}}}" for value in values))
    yield from dict.fromkeys(forms)


def solutions(answer: str, language: str) -> Iterator[Solution]:
    """Yield solutions that state the answer in a language, one for each form of the answer."""
    sentences = sentence_bank().get(language, (ENGLISH,))
    for box in boxes(answer):
        yield Solution("", tuple(each.replace("{answer}", box) for each in sentences), ())


@lru_cache(maxsize=1)
def sentence_bank() -> dict[str, tuple[str, ...]]:
    """Return the sentences of a short solution by language, English aside; the last one states `{answer}`."""
    content = yaml.load(Path(__file__).with_name("languages.yaml").read_text(encoding="utf-8"), Loader=_LOADER)
    return {code: tuple(sentences) for code, sentences in content.items()}
