"""What may stand in the slots of a wording, and which arguments a constraint may have that is said so.

Nothing here knows how a constraint says its arguments: constraints of known arguments are rendered, and what changes in
their slots tells the form of the slot. A reading is only a guess; whoever uses it renders it again and compares.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import product
from random import Random
from typing import Any, Literal, NamedTuple, get_args, get_origin

from data_gen.phrasing_banks import STOPS
from rewards.constraint import Constraint
from rewards.language import LANGUAGES

#: Arguments by name, of which there may be several that are said in the same way.
Readings = Sequence[Mapping[str, Any]]


class Slot(NamedTuple):
    """What stands in a slot.

    Fields:
        shape: a regular expression for what usually stands there.
        loose: one for what may stand there at all, such as a text with quotation marks of its own; "" if none.
        read: text -> arguments that may be meant.
        guarded: whether `read` refuses a text that is not whole.
    """

    shape: str
    loose: str
    read: Callable[[str], Readings]
    guarded: bool = False


_PLURALS = frozenset("src")
_ANY = r"[^\n]+?"
_UNQUOTED = r'[^"“”\n]+?'
#: What goes on with a sentence after a list; no item begins so.
_JOINTS = r"[(（]\d|(?:then|and|if|or else|otherwise) |再|并且|否则|如果|若|要是|然后"
#: Braces that pair, one inside another up to six deep.
_JSON = r"\{" + r"(?:[^{}\n]|\{" * 5 + r"[^{}\n]*" + r"\})*" * 5 + r"\}"
#: Stand for the items of a list that is rendered to see how it is written.
_ITEMS = ("\ue001", "\ue002", "\ue003")
_NUMBERS = (0, 1, 2, 3, 12, -1, -2, -3)
_QUOTE = re.compile('["“”]')
_MARKED = re.compile(f"({'|'.join(_ITEMS)})")


def slots_of(cls: type[Constraint], language: str, wanted: Iterable[str]) -> dict[str, Slot]:
    """Return how the named slots of a type are read.

    Example:
        >>> from rewards.constraint import constraint_class
        >>> found = slots_of(constraint_class("keywords:existence"), "en", ["words"])
        >>> found["words"].read('"tea" and "milk"')[0]
        {'keywords': ('tea', 'milk')}
    """
    model = _Model(cls, language)
    return {name: model.slot(name) for name in sorted(set(wanted))}


class _Model:
    """A constraint type that can be rendered with any arguments, in one language."""

    def __init__(self, cls: type[Constraint], language: str) -> None:
        self.language = language
        self.type: str = cls.model_fields["type"].default
        self.example = cls.model_validate(cls.draw(Random("slots"), language))
        self.fields = {name: field.annotation for name, field in cls.model_fields.items() if name != "scope"}
        del self.fields["type"]
        self.optional = {name for name, field in cls.model_fields.items() if not field.is_required()}

    def say(self, slot: str, **arguments: Any) -> str:
        """Return what stands in a slot if the example has other arguments (which need not be legal)."""
        return str(self.example.model_copy(update=arguments).slots(self.language).get(slot, ""))

    def slot(self, name: str) -> Slot:
        if name in _PLURALS:
            return Slot("s?", "", _nothing)
        makers = (
            *(self._number, self._counted_list, self._choice, self._list, self._marks),
            *(self._headings, self._signs, self._around, self._said_number),
        )
        return next((slot for make in makers if (slot := make(name))), None) or self._text(name)

    def _number(self, name: str) -> Slot | None:
        kind = self.fields.get(name)
        if kind not in (int, float) or self.say(name, **{name: 7}) != "7":
            return None
        shape = r"-?\d+" if kind is int else r"\d+(?:\.\d+)?"
        return Slot(shape, "", lambda text: [{name: kind(text)}] if re.fullmatch(shape, text) else [])

    def _choice(self, name: str) -> Slot | None:
        """A slot that says arguments of few values."""
        said: dict[str, list[dict[str, Any]]] = {}
        few = {field: values for field, kind in self.fields.items() if (values := self._values(field, kind))}
        for values in product(*few.values()):
            arguments = dict(zip(few, values, strict=True))
            said.setdefault(self.say(name, **arguments), []).append(arguments)
        if len(said) < 2:
            return None
        stop = STOPS[self.language]
        said |= {text.removesuffix(stop): arguments for text, arguments in said.items()}
        shape = "|".join(re.escape(text) for text in sorted(said, key=lambda text: (-len(text), text)))
        # Defaults come first: with other arguments, such as a count of one, they may be said in the same way.
        first: list[dict[str, Any]] = [{}] if self.optional.issuperset(few) else []
        return Slot(shape, "", lambda text: first + said.get(text, []))

    def _values(self, field: str, kind: Any) -> tuple[Any, ...]:
        if self.type == "language:response":
            return tuple(LANGUAGES)
        if kind is bool:
            return (False, True)
        return get_args(kind) if get_origin(kind) is Literal else ()

    def _list(self, name: str) -> Slot | None:
        """A slot that lists the items of a tuple."""
        for field, kind in self.fields.items():
            if get_origin(kind) is tuple:
                convert = int if get_args(kind)[0] is int else str
                how = _listed(partial(self._say_items, name, field), self.language, convert is int)
                if how:
                    return _list_slot(how, field, partial(_tuple, convert))
        return None

    def _say_items(self, name: str, field: str, items: Sequence[str]) -> str:
        return self.say(name, **{field: items})

    def _marks(self, name: str) -> Slot | None:
        """A slot that lists the characters of a text."""
        if "marks" not in self.fields or self.fields["marks"] is not str:
            return None
        found = _listed(lambda items: self.say(name, marks="".join(items)), self.language, False)
        return _list_slot(found._replace(item=r"[^\n]"), "marks", "".join) if found else None

    def _counted_list(self, name: str) -> Slot | None:
        """A slot that says of each keyword how often it is wanted."""
        if "keywords" not in self.fields or len(self.fields) > 1 + ("counts" in self.fields) or name != "wanted":
            return None
        mark = '"[^"\n]+"' if self.language == "en" else "“[^“”\n]+”"
        times = self._times()
        joint = r"、" if self.language == "zh" else r", and |, | and "
        item = f"{mark}(?:{'|'.join(sorted(map(re.escape, times)))}|[ ]?\\d+(?: times|次))"

        def read(text: str) -> Readings:
            found = re.findall(f'{mark[0]}([^"“”\n]+){mark[-1]}(.+?)(?={joint}{mark[0]}|\\Z)', text)
            counts = [times.get(said) or int(re.sub(r"\D", "", said) or 0) for _, said in found]
            arguments: dict[str, Any] = {"keywords": tuple(word for word, _ in found)}
            return [arguments | ({"counts": tuple(counts)} if "counts" in self.fields else {})]

        return Slot(f"{item}(?:(?:{joint}){item})*", "", read)

    def _times(self) -> dict[str, int]:
        """Return how often a word is wanted, by how that is said."""
        if "counts" not in self.fields:
            words = tuple(f"w{number}" for number in range(1, 10))
            said = self.say("wanted", keywords=words)
            return {_after(said, word): number for number, word in enumerate(words, 1)}
        return {_after(self.say("wanted", keywords=("w", "v"), counts=(n, 1)), "w"): n for n in range(1, 10)}

    def _headings(self, name: str) -> Slot | None:
        """The headings that follow from a marker: `Part 1 and Part 2`."""
        if "marker" not in self.fields or name in self.fields:
            return None
        one = r"[^\n\"“”,.;，。；]+?"
        english, chinese = f"{one} 1(?:,? (?:and )?{one} 2(?: and so on)?)?", f"“{one} 1”(?:、“{one} 2”)?"
        shape = chinese if self.language == "zh" else english
        return Slot(shape, "", lambda text: [{"marker": text.lstrip("“").partition(" 1")[0]}])

    def _signs(self, name: str) -> Slot | None:
        """As many signs as a number that the wording says besides."""
        return Slot("#+", "", _nothing) if self.say(name, level=2) == "##" else None

    def _around(self, name: str) -> Slot | None:
        """What is said of a text that may be empty, and nothing else."""
        for field in (field for field, kind in self.fields.items() if kind is str and name not in self.fields):
            texts = {self.say(name, **{field: value}) for value in ("", "-", "->")}
            before, mark, after = self.say(name, **{field: _ITEMS[0]}).partition(_ITEMS[0])
            if mark:
                return _optional(field, before, after)
            if len(texts) > 1:
                return Slot("|".join(sorted(map(re.escape, texts), key=len, reverse=True)), "", _nothing)
        return None

    def _said_number(self, name: str) -> Slot | None:
        """A slot that says a number in words of its own, such as `the last sentence` or `sentence 3`."""
        for field in (field for field, kind in self.fields.items() if kind is int):
            texts = {self.say(name, **{field: number}) for number in _NUMBERS}
            if len(texts) > 1:
                return _numbered(field, texts)
        return None

    def _text(self, name: str) -> Slot:
        if name not in self.fields:
            return Slot(re.escape(self.say(name)), "", _nothing)
        if name == "json_schema":
            return Slot(_JSON, "", lambda text: [{name: text}])
        return Slot(_UNQUOTED, _ANY, lambda text: [{name: text}] if _is_whole(text) else [], guarded=True)


class _Listing(NamedTuple):
    """How a list is written: what stands before, between and after its items, and what an item looks like."""

    before: str
    joint: str
    last: str
    pair: str
    after: str
    item: str


def _listed(say: Callable[[Sequence[str]], str], language: str, numbers: bool) -> _Listing | None:
    """Find out how a list is written, or None for what is no list."""
    three, two = _MARKED.split(say(_ITEMS)), _MARKED.split(say(_ITEMS[:2]))
    if len(three) != 7 or len(two) != 5:
        return None
    barred = {"\n", next((each for each in three[2] if not each.isspace()), ",")}
    quoted = three[0][-1:] in ('"', "“")
    barred |= {'"', "“", "”"} if quoted else {'"', "“", "”", ";", "；", "。", *("." if language == "en" else "，")}
    start = "" if quoted else f"(?!{_JOINTS})"
    item = r"-?\d+" if numbers else f"{start}[^{re.escape(''.join(sorted(barred)))}]+?"
    return _Listing(three[0], three[2], three[4], two[2], three[6], item)


def _list_slot(how: _Listing, field: str, make: Callable[[Sequence[str]], Any]) -> Slot:
    before, after = re.escape(how.before), re.escape(how.after)
    joints = dict.fromkeys((how.joint, how.last, how.pair))
    between = "|".join(re.escape(joint) for joint in sorted(joints, key=len, reverse=True))

    def shape(item: str) -> str:
        return f"{before}{item}(?:(?:{between}){item})*{after}"

    def read(text: str) -> Readings:
        inner = text.removeprefix(how.before).removesuffix(how.after)
        *first, rest = inner.split(how.joint)
        ends = [(rest,)] + [rest.rsplit(joint, 1) for joint in (how.last, how.pair) if joint in rest]
        return [{field: make([*first, *end])} for end in ends]

    loose = shape(_ANY) if how.item != r"-?\d+" else ""
    return Slot(shape(how.item), loose, lambda text: list(reversed(read(text))))


def _is_whole(text: str) -> bool:
    """Tell whether all quotations of a text are closed, as they are not where it is cut off.

    Example:
        >>> [_is_whole(text) for text in ('He said "no".', 'He said "no', 'no" and "yes', "“好”", "“好")]
        [True, False, False, True, False]
    """
    depth = 0
    for mark in _QUOTE.finditer(text):
        before = text[: mark.start()][-1:]
        opens = mark[0] == "“" or (mark[0] == '"' and (not before or before.isspace() or before in "(["))
        depth += 1 if opens else -1
        if depth < 0:
            return len(text) == 1
    return not depth


def _optional(field: str, before: str, after: str) -> Slot:
    shape = f"(?:{re.escape(before)}[^\\s,.，。；;]+?{re.escape(after)})?"
    return Slot(shape, "", lambda text: [{field: text.removeprefix(before).removesuffix(after)}])


def _numbered(field: str, texts: Iterable[str]) -> Slot:
    shapes = {re.sub(r"\d+", r"\\d+", re.escape(text)) for text in texts}
    shape = "|".join(sorted(shapes, key=lambda text: (-len(text), text)))
    return Slot(shape, "", lambda text: [{field: number} for number in _meant(text)])


def _meant(text: str) -> tuple[int, ...]:
    number = re.search(r"\d+", text)
    return (int(number[0]), -int(number[0])) if number else (-1, 1, 0)


def _after(said: str, word: str) -> str:
    """Return what is said of a quoted word, up to the next one."""
    rest = said[said.index(word) + len(word) + 1 :]
    return re.split(r", and |, | and |、", rest)[0] if re.search(r'["“]', rest) else rest


def _tuple(convert: Callable[[str], Any], items: Iterable[str]) -> tuple[Any, ...]:
    return tuple(map(convert, items))


def _nothing(text: str) -> Readings:
    return [{}]
