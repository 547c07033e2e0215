"""Markup languages: XML and HTML as the whole answer, LaTeX anywhere in it. Parsed without ever resolving anything."""

from __future__ import annotations

import re
from random import Random
from typing import Annotated, Any, ClassVar, Literal
from xml.parsers.expat import ExpatError, ParserCreate
from xml.sax.saxutils import escape

from pydantic import AfterValidator, Field

from rewards.arguments import Draw
from rewards.constraint import Context, Example, Verdict, register, verdict_if
from rewards.constraints.format_readers import unfenced
from rewards.constraints.layout_views import LaidOut, clip, fillers, has_word, quoted
from rewards.constraints.wrapping import unwrapped
from rewards.filler import WORDS
from rewards.text import Text

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}")


class _Refused(Exception):
    """The document declares or asks for something that is not read."""


class _Reader:
    """Collects which elements hold text, while expat checks that the document is well-formed."""

    def __init__(self) -> None:
        self.filled: set[str] = set()
        self._open: list[str] = []
        self._said = False
        self.parser = ParserCreate("utf-8")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.EntityDeclHandler = self._refuse

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._open.append(name)
        self._said = self._said or any(map(has_word, attributes.values()))

    def _end(self, name: str) -> None:
        self._open.pop()

    def _characters(self, said: str) -> None:
        if has_word(said):
            self._said = True
            self.filled.add(self._open[-1])

    def _refuse(self, *_: Any) -> None:
        raise _Refused("document types and entities are not allowed")

    def problem(self, text: str) -> str:
        """Say why a text is no well-formed XML that says something, or ""."""
        try:
            self.parser.Parse(text.encode(), True)
        except ExpatError as error:
            return f"not well-formed: {clip(str(error), 80)}"
        except (_Refused, ValueError) as error:
            return clip(str(error), 80)
        return "" if self._said else "no element or attribute holds text"


def read_xml(text: str) -> tuple[set[str], str]:
    """Return the names of the elements that hold text, and why the text is no XML ("" where it is).

    Example:
        >>> read_xml("<fruit><name>apple</name></fruit>")
        ({'name'}, '')
    """
    body = unfenced(text, "xml")
    if body is None:
        return set(), "more or other than one XML code fence"
    reader = _Reader()
    problem = reader.problem(body)
    return reader.filled, problem


def _element(name: str, said: str) -> str:
    return f"<{name}>{escape(_NOT_XML.sub(' ', said))}</{name}>"


@register
class Xml(LaidOut):
    """The whole answer is one well-formed XML element with text in it, no document type; a fence is tolerated."""

    type: Literal["format:xml"] = "format:xml"

    phrases: ClassVar = {
        "en": (
            "Put your entire answer in one well-formed XML element, with nothing around it but a code fence if any.",
            "Answer in XML only: one root element, all tags closed, no document type.",
        ),
        "zh": ("整个回答必须是一个格式良好的XML元素（标签全部闭合，不含文档类型声明），外面不要有其他文字。",),
    }
    notes: ClassVar = {"en": "XML only", "zh": "只用XML"}
    examples: ClassVar = (
        Example({}, passes="<answer><fruit>apple</fruit></answer>", fails="<answer><fruit>apple</answer>"),
        Example({}, passes="<水果>苹果</水果>", fails="答案：<水果>苹果</水果>", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        _, problem = read_xml(text.stripped)
        return verdict_if(not problem, problem or "well-formed XML")

    def lay_out(self, text: str, language: str) -> str:
        said = unwrapped(text)
        return _element("answer", said if has_word(said) else fillers(language, 1)[0])


def _element_names(names: tuple[str, ...]) -> tuple[str, ...]:
    if not all(_NAME.fullmatch(name) for name in names) or len(set(names)) < len(names):
        raise ValueError("element names must be different ASCII names such as 'fruit'")
    return names


def _some_elements(rng: Random, language: str) -> tuple[str, ...]:
    return tuple(rng.sample(WORDS["en"], rng.randint(1, 3)))


Elements = Annotated[
    tuple[str, ...], Field(min_length=1, max_length=50), AfterValidator(_element_names), Draw(_some_elements)
]


@register
class XmlElements(LaidOut):
    """The whole answer is one well-formed XML element in which each of these elements directly holds text."""

    type: Literal["format:xml_elements"] = "format:xml_elements"
    elements: Elements

    phrases: ClassVar = {
        "en": (
            "Answer with one well-formed XML element only, in which each of these elements holds text: {tags}.",
            "Put your whole answer in XML that fills the elements {tags}.",
        ),
        "zh": ("整个回答是一个格式良好的XML元素，其中包含以下元素并各有文字内容：{tags}。",),
    }
    notes: ClassVar = {"en": "XML with {tags}", "zh": "XML：{tags}"}
    examples: ClassVar = (
        Example(
            {"elements": ("fruit", "colour")},
            passes="<a><fruit>apple</fruit><colour>red</colour></a>",
            fails="<a><fruit>apple</fruit><colour/></a>",
        ),
        Example({"elements": ("fruit",)}, passes="<fruit>苹果</fruit>", fails="<colour>红</colour>", language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        return {"tags": ("、" if language == "zh" else ", ").join(f"<{name}>" for name in self.elements)}

    def judge(self, text: Text, context: Context) -> Verdict:
        filled, problem = read_xml(text.stripped)
        missing = [name for name in self.elements if name not in filled]
        shown = f"{len(missing)} of {len(self.elements)} elements missing or without text"
        return verdict_if(not problem and not missing, problem or shown)

    def lay_out(self, text: str, language: str) -> str:
        text = unwrapped(text)
        said = ([text] if has_word(text) else []) + fillers(language, len(self.elements), [text])
        inner = "".join(_element(name, part) for name, part in zip(self.elements, said, strict=False))
        return f"<answer>{inner}</answer>"


_VOID = frozenset("area base br col embed hr img input link meta source track wbr".split())
_HTML = _VOID | frozenset(
    "a abbr address article aside audio b bdi bdo blockquote body button canvas caption cite code colgroup data dd del"
    " details dfn dialog div dl dt em fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head header html i"
    " iframe ins kbd label legend li main map mark menu meter nav noscript object ol optgroup option output p picture"
    " pre progress q rp rt ruby s samp script section select small span strong style sub summary sup svg table tbody td"
    " template textarea tfoot th thead time title tr u ul var video".split()
)
_TAG = re.compile(
    r"<(/?)([A-Za-z][A-Za-z0-9-]*+)((?:\"[^\"<]*+\"|'[^'<]*+'|[^\"'<>])*+)>|<!doctype[^<>]*+>", re.IGNORECASE
)


def _without_comments(text: str) -> str | None:
    """Return the text without `<!-- -->`, or None where a comment is not closed; linear in any text."""
    parts, place = [], 0
    while (begin := text.find("<!--", place)) >= 0:
        parts.append(text[place:begin])
        end = text.find("-->", begin + 4)
        if end < 0:
            return None
        place = end + 3
    return "".join([*parts, text[place:]])


def html_problem(text: str) -> str:
    """Say why a text is no HTML with closed tags around all its words, or "".

    Example:
        >>> html_problem("<p>One<br>two</p>"), html_problem("<p>One"), html_problem("<p>One</p> two")
        ('', '<p> is not closed', 'words outside of all elements')
    """
    said = _without_comments(text)
    if said is None:
        return "a comment is not closed"
    opened: list[str] = []
    place, elements = 0, 0
    for tag in _TAG.finditer(said):
        if not opened and has_word(said[place : tag.start()]):
            return "words outside of all elements"
        place, name = tag.end(), (tag[2] or "").casefold()
        if not name:
            continue
        elements += 1
        if problem := _step(opened, name, closing=bool(tag[1]), selfclosed=tag[3].rstrip().endswith("/")):
            return problem
    if opened:
        return f"<{opened[-1]}> is not closed"
    return "words outside of all elements" if has_word(said[place:]) else "" if elements else "no HTML elements"


def _step(opened: list[str], name: str, closing: bool, selfclosed: bool) -> str:
    """Open or close one element; return the problem, or ""."""
    if name not in _HTML:
        return f"<{name[:20]}> is no HTML element"
    if closing:
        if not opened or opened[-1] != name:
            return f"</{name}> closes nothing"
        opened.pop()
    elif name not in _VOID and not selfclosed:
        opened.append(name)
    return ""


@register
class Html(LaidOut):
    """The whole answer is HTML: known elements, every tag closed in order, no words outside; a fence is tolerated."""

    type: Literal["format:html"] = "format:html"

    phrases: ClassVar = {
        "en": (
            "Write your entire answer in HTML: every word inside an element and every opened tag closed.",
            "Answer with HTML only, all tags properly closed and nested.",
        ),
        "zh": ("整个回答都用HTML书写：文字都在元素之内，标签正确嵌套并全部闭合。",),
    }
    notes: ClassVar = {"en": "HTML only", "zh": "只用HTML"}
    examples: ClassVar = (
        Example({}, passes="<p>Take the <b>train</b>.<br>Read.</p>", fails="<p>Take the <b>train.</p></b>"),
        Example({}, passes="<p>坐火车去。</p>", fails="坐火车去。<br>", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        body = unfenced(text.stripped, "html")
        problem = "more or other than one HTML code fence" if body is None else html_problem(body)
        return verdict_if(not problem, problem or "HTML with all tags closed")

    def lay_out(self, text: str, language: str) -> str:
        said = unwrapped(text)
        return _element("p", said if has_word(said) else fillers(language, 1)[0])


# What opens and closes; a command that is one outside of formulas too, unlike the `\n` of a string or a part of a path;
# any other command or escaped character.
_LATEX = re.compile(
    r"(?P<structure>\\(?:begin|end)\{[^{}]*+\}|\\[()\[\]]|\$\$?|[{}])"
    r"|(?P<command>\\(?:[A-Za-z]++(?=[{\[])|(?<![^\W_]\\)(?<!:\\)[A-Za-z]{2,}|[^$%&#_{} ](?:(?<![^\W\d_])|(?=[{\[]))))"
    r"|\\(?:[A-Za-z]++|.)",
    re.DOTALL,
)
_ESCAPED = frozenset("$%&#_{} ")
_CLOSES = {"}": "{", r"\)": r"\(", r"\]": r"\["}


# `5 and ` between the dollars of two prices; `5` and `5 apples` with a command or operator are formulas.
_PRICE = re.compile(r"\d[\d.,]*+(?:[ \t]*[-–—,;][ \t]*|[ \t]+(?:[^\W\d_]{2,}[^\\^_=+*/<>{}$]*+)?)")


def latex_problem(text: str) -> str:
    r"""Say why a text is no LaTeX with all braces, formulas and environments closed, or "".

    Example:
        >>> latex_problem(r"It is $\frac{1}{2}$."), latex_problem(r"It is $\frac{1}{2$.")
        ('', "'$' stays open")
    """
    opened: list[str] = []
    marks = formula = 0
    for found in _LATEX.finditer(text):
        token = found[0]
        if not marks and token[0] == "\\":
            marks = int(found.lastgroup is not None or (bool(opened) and token[1] not in _ESCAPED))
        if found.lastgroup != "structure":
            continue
        if token in _CLOSES or token.startswith(r"\end{"):
            wanted = _CLOSES.get(token) or r"\begin" + token[4:]
            if not opened or opened.pop() != wanted:
                return f"{quoted(token, 30)} closes nothing or another one stays open"
        elif token[0] == "$" and opened and opened[-1] == token:
            opened.pop()
            marks += 1
            if token == "$" and _PRICE.fullmatch(text, formula, found.start()):
                return "a dollar sign before a price is not escaped"
        elif token in ("{", "$", "$$", r"\(", r"\[") or token.startswith(r"\begin{"):
            opened.append(token)
            formula = found.end()
    if opened:
        return f"{quoted(opened[-1], 30)} stays open"
    return "" if marks else "no LaTeX commands or formulas"


@register
class Latex(LaidOut):
    """LaTeX: at least one command, formula or environment, and every brace, formula and environment is closed."""

    type: Literal["format:latex"] = "format:latex"

    phrases: ClassVar = {
        "en": (
            "Use LaTeX: at least one command, formula or environment, with braces, dollars and environments closed.",
            "Write your mathematics in valid LaTeX, with everything that is opened closed again.",
        ),
        "zh": ("使用LaTeX（至少一个命令、公式或环境），花括号、美元符号和环境都要正确闭合。",),
    }
    notes: ClassVar = {"en": "valid LaTeX", "zh": "合法的LaTeX"}
    examples: ClassVar = (
        Example({}, passes=r"The answer is $\frac{1}{2}$.", fails=r"The answer is $\frac{1}{2."),
        Example({}, passes=r"答案是 \boxed{7}。", fails="答案是 7。", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        problem = latex_problem(text.raw)
        return verdict_if(not problem, problem or "LaTeX with everything closed")

    def lay_out(self, text: str, language: str) -> str:
        said = re.sub(r"[{}$\\]", " ", text) if latex_problem(f"$x${text}") else text
        return f"{said if has_word(said) else fillers(language, 1)[0]} $x = 1$"
