"""The rules of ComplexBench: a verdict on the spans that an extractor took from an answer.

Source: ComplexBench (Wen et al., NeurIPS 2024, arXiv:2407.03978). `Rule.check` is the strict profile; `official_rule`
returns what the published code does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rewards.benchmarks.complexbench_findings import Finding, balanced_object_keys
from rewards.benchmarks.complexbench_rules import KNOWN, LIST_RULES, SPAN_RULES, Line, read_argument, read_line
from rewards.benchmarks.complexbench_spans import official_spans, read_spans
from rewards.benchmarks.complexbench_text import chinese_marks, mapped, unquoted
from rewards.errors import RaifError

__all__ = ["Rule", "official_rule", "official_spans", "parse_rule", "read_spans"]

_SPANS_NOT_MAPPED = {"model_keyword", "model_keyword_num", "model_keyword_num_each", "model_forbidden_word"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as read: its text and its lines, all of which must hold."""

    text: str
    lines: tuple[Line, ...]

    @property
    def each(self) -> bool:
        """Whether the extractor is asked for several spans."""
        return any(line.each for line in self.lines)

    def check(self, spans: Sequence[str]) -> Finding:
        """Return whether the spans satisfy every line, and the evidence.

        Example:
            >>> parse_rule("length:[300,10000]").check(["好的。"])
            (False, 'found 3 characters, wanted 300 to 10000')
        """
        findings = [_strict(line, spans) for line in self.lines]
        return all(held for held, _ in findings), "; ".join(evidence for _, evidence in findings)


def parse_rule(text: str) -> Rule:
    """Read a rule of one line `name:argument`, or of several.

    Raises RaifError for an unknown name or an unreadable argument; the message names the rule and the known names.

    Example:
        >>> parse_rule("startswith:首先\\nendswith:。").check(["首先，好。"])[0]
        True
    """
    # Departure: an unknown name is an error at load; the published code returns 2, true in its dimension tables.
    # Departure: every line is judged; the published keyword line followed by a forbidden_word line raises IndexError.
    return Rule(text, tuple(read_line(line.strip()) for line in text.strip().split("\n")))


def _strict(line: Line, spans: Sequence[str]) -> Finding:
    # Departure: a span that holds the letters "None" is text; an extractor's "None" is read where spans are read.
    asked = [span for span in (spans if line.each else spans[:1]) if span]
    if line.name in LIST_RULES:
        return LIST_RULES[line.name].find([mapped(span) for span in asked], line.mapped)
    if not asked:
        return line.negative, "no span"
    # Departure: no span is skipped; the published model_endswith_each leaves out the last of several.
    findings = [_strict_span(line, span) for span in asked]
    shown = next((index for index, (held, _) in enumerate(findings) if not held), 0)
    place = f"span {shown + 1} of {len(asked)}: " if len(asked) > 1 else ""
    return findings[shown][0], place + findings[shown][1]


def _strict_span(line: Line, span: str) -> Finding:
    rule = SPAN_RULES[line.name]
    # Departure: JSON is read by a JSON reader and its keys as written; the published code counts braces, maps keys.
    if rule.shape == "keys":
        return rule.find(span, line.argument)
    # Departure: marks are mapped in argument and span alike; some published rules map the argument alone.
    findings = [rule.find(form, line.mapped) for form in _forms(line, mapped(span))]
    found, evidence = next((finding for finding in findings if finding[0]), findings[0])
    # Departure: what is there without the quotes is there; a published negative rule passes if either form passes.
    return found is not rule.negative, evidence


def _forms(line: Line, span: str) -> list[str]:
    return [span, unquoted(span)] if line.quotes else [span]


def official_rule(text: str, spans: Sequence[str]) -> bool | Literal["unknown", "error"]:
    """Return what the published code returns: its verdict, `unknown` for its 2, `error` where it raises.

    Example:
        >>> official_rule("model_keyword:[a.]", ["a."]), parse_rule("model_keyword:[a.]").check(["a."])[0]
        (False, True)
        >>> official_rule("rhyme:[1]", ["a"])
        'unknown'
    """
    try:
        lines = [_official_line(line.strip()) for line in text.strip().split("\n")]
    except RaifError:
        return "error"
    known = [line for line in lines if line]
    if len(known) < len(lines):
        return "unknown"
    if [line.name for line in known] == ["keyword", "forbidden_word"] and _official_asked(known[0], spans):
        return "error"  # the pattern of the first line is anchored to the end of the whole rule: IndexError
    return all(_official(line, spans) for line in known)


def _official_line(text: str) -> Line | None:
    # the published code takes the first listed name that the rule holds; here it is the longest that it holds
    head, _, argument = text.partition(":")
    name = max((name for name in KNOWN if name in head), key=len, default=None)
    return Line(name, read_argument(name, argument)) if name else None


def _official_asked(line: Line, spans: Sequence[str]) -> list[str]:
    if line.each:
        return [span for span in spans if span]
    return [span for span in spans[:1] if span and (line.model or "None" not in span)]


def _official(line: Line, spans: Sequence[str]) -> bool:
    asked = _official_asked(line, spans)
    if line.name in LIST_RULES:
        return LIST_RULES[line.name].find([mapped(span) for span in asked], line.mapped)[0]
    if not asked:
        return line.negative
    if line.name == "model_endswith_each" and len(asked) > 1:
        asked = asked[:-1]
    return all(_official_span(line, span) for span in asked)


def _official_span(line: Line, span: str) -> bool:
    rule = SPAN_RULES[line.name]
    if rule.shape == "keys":
        return balanced_object_keys(span, line.mapped)[0]
    forms = _forms(line, _official_mapped(line, span))
    return any(rule.find(form, line.mapped)[0] is not rule.negative for form in forms)


def _official_mapped(line: Line, span: str) -> str:
    if line.name in _SPANS_NOT_MAPPED:
        return span
    # under the model_ rules on punctuation the curly quotes of a span stay curly
    return chinese_marks(span) if line.model and SPAN_RULES[line.name].shape == "marks" else mapped(span)
