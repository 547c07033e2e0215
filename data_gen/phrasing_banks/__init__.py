"""Banks of wordings: many ways to say each constraint in English and Chinese, for prompts that differ in tone.

A bank is a YAML file (here `<family>.yaml` and `<family>_<part>.yaml`): type -> language -> wordings. A wording is one
sentence with slots, which are those of `Constraint.slots`; it says the number, the unit, the direction of the bound and
the scope, and the constraint with its arguments can be told from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from random import Random
from string import Formatter

import yaml

from rewards.constraint import Constraint, constraint_class
from rewards.errors import RaifError, unknown_name
from rewards.scope import scope_prefix

#: Constraint type -> language -> wordings.
Bank = Mapping[str, Mapping[str, tuple[str, ...]]]

STOPS = {"en": ".", "zh": "。"}
_FOLDER = Path(__file__).parent
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# A line break belongs to a slot of several lines.
_STOP_INSIDE = re.compile(r"[.!?](?:[\s\"'”’)]|\Z)|[。！？；;]|(?<!\0)\n(?!\0)")
_ANSWER = re.compile(r"\b(?:answer|reply|response)s?\b|回答|回复|答复|答案|作答|全文", re.IGNORECASE)
_COLONS, _COMMAS = {"en": ": ", "zh": "："}, {"en": ", ", "zh": "，"}
#: A slot of whole sentences, which comes after the stop.
_TRAILING = "{extra}"
_PLURALS = frozenset("src")
_KEPT_CAPITAL = re.compile(r"I(?![a-z])|\S[A-Z]")
_WANTED = (
    "Expected YAML such as {length:max_words: {en: ['No more than {limit} word{s}.'], zh: ['最多{limit}个字。']}}."
)


def bank(kind: str, language: str, *more: Bank) -> tuple[str, ...]:
    """Return the wordings of a constraint type: its own phrases, those of the bank, those of further banks.

    Raises:
        RaifError: for an unknown type or language, or a bank that is not well-formed.

    Example:
        >>> bank("length:max_words", "en")[0]
        'Use at most {limit} word{s}.'
    """
    known = _own_and_bank(kind, language)
    return known + tuple(wording for one in more for wording in one.get(kind, {}).get(language, ()))


def suited(constraint: Constraint, language: str, *more: Bank, inside: bool = False) -> tuple[str, ...]:
    """Return the wordings that suit a constraint, not filled in; `inside` asks for those that fit into a sentence.

    Where the scope is a part of the answer or the thinking, wordings that speak of "your answer" are left out.
    """
    templates = bank(constraint.type, language, *more)
    if constraint.scope != "answer":
        templates = tuple(one for one in templates if not _ANSWER.search(one)) or templates[:1]
    return tuple(one for one in templates if _is_clause(one, constraint, language)) if inside else templates


def rendered(constraint: Constraint, wording: str, language: str, inside: bool = False) -> str:
    """Fill in a wording, with the scope in front; `inside` drops the stop and the capital of the first word.

    Example:
        >>> from rewards import parse_constraint
        >>> first = parse_constraint({"type": "length:max_words", "limit": 60, "scope": "paragraph(1)"})
        >>> rendered(first, "No more than {limit} word{s}.", "en")
        'In paragraph 1: No more than 60 words.'
        >>> rendered(first, "No more than {limit} word{s}.", "en", inside=True)
        'in paragraph 1, no more than 60 words'
    """
    said = wording.format_map(constraint.slots(language))
    place = scope_prefix(constraint.scope, language)
    if not inside:
        return f"{place}{_COLONS[language]}{said}" if place else said
    said = said.removesuffix(STOPS[language])
    return f"{_small(place, language)}{_COMMAS[language]}{_small(said, language)}" if place else _small(said, language)


def wordings(constraint: Constraint, language: str, *more: Bank, inside: bool = False) -> tuple[str, ...]:
    """Say a constraint in every way that suits it; see `suited` and `rendered`.

    Example:
        >>> from rewards import parse_constraint
        >>> wordings(parse_constraint({"type": "length:max_words", "limit": 60}), "en")[1]
        'Do not use more than 60 words.'
    """
    return tuple(
        rendered(constraint, one, language, inside) for one in suited(constraint, language, *more, inside=inside)
    )


def _small(said: str, language: str) -> str:
    return said if language != "en" or _KEPT_CAPITAL.match(said) else said[:1].lower() + said[1:]


def _is_clause(wording: str, constraint: Constraint, language: str) -> bool:
    """Tell whether a wording is one sentence when it is filled in; phrases of the classes may be two or lack a stop."""
    if wording.endswith(_TRAILING) and constraint.slots(language)[_TRAILING[1:-1]]:
        return False
    return not _shape_problem(wording, language)


def load_bank(path: str | Path) -> Bank:
    """Read and check a bank of wordings of the user's own; pass it to `bank` or `wordings` as a further one.

    Raises:
        RaifError: for a missing file, YAML of another form, a repeated key, an unknown type, language or slot, and
            for a wording that is not one sentence or leaves an argument unsaid.
    """
    source = Path(path)
    try:
        node = yaml.compose(source.read_text(encoding="utf-8"), Loader=_LOADER)
        content = _mapping(node, str(source))
    except OSError as error:
        raise RaifError(f"no bank of wordings at {source}: {error.strerror}. {_WANTED}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise RaifError(f"{source} is not YAML: {error}. {_WANTED}") from error
    return {kind: _checked(kind, languages, str(source)) for kind, languages in content.items()}


@lru_cache(maxsize=1)
def banks() -> Bank:
    """Return the banks that come with the package, read and checked once.

    Example:
        >>> "length:max_words" in banks()
        True
    """
    merged: dict[str, Mapping[str, tuple[str, ...]]] = {}
    for path in sorted(_FOLDER.glob("*.yaml")):
        for kind, languages in load_bank(path).items():
            family = kind.partition(":")[0]
            if family != path.stem.partition("_")[0] or kind in merged:
                raise RaifError(f"{path}: {kind!r} belongs into {family}.yaml, once; move it there.")
            merged[kind] = languages
    return merged


@lru_cache(maxsize=1024)
def _own_and_bank(kind: str, language: str) -> tuple[str, ...]:
    own = constraint_class(kind).phrases
    if language not in own:
        raise unknown_name("language", language, own, "Wordings are in these languages.")
    return tuple(own[language]) + banks().get(kind, {}).get(language, ())


def _mapping(node: yaml.Node | None, place: str) -> dict[str, yaml.Node]:
    """Return the entries of a mapping by key; a key given twice would silently replace the first."""
    if not isinstance(node, yaml.MappingNode):
        raise RaifError(f"{place} holds no mapping. {_WANTED}")
    keys = [str(key.value) for key, _ in node.value]
    if again := [key for number, key in enumerate(keys) if key in keys[:number]]:
        raise RaifError(f"{place} has the key {again[0]!r} twice; merge its entries.")
    return dict(zip(keys, [value for _, value in node.value], strict=True))


def _checked(kind: str, node: yaml.Node, source: str) -> dict[str, tuple[str, ...]]:
    place = f"{source}: {kind}"
    try:
        cls = constraint_class(kind)
    except RaifError as error:
        raise RaifError(f"{source}: {error}") from error
    read: dict[str, tuple[str, ...]] = {}
    for language, items in _mapping(node, place).items():
        if language not in cls.phrases:
            raise unknown_name("language", language, cls.phrases, f"It stands in {place}.")
        if not isinstance(items, yaml.SequenceNode) or not all(isinstance(i, yaml.ScalarNode) for i in items.value):
            raise RaifError(f"{place}.{language} is not a list of sentences. {_WANTED}")
        found = tuple(str(item.value) for item in items.value)
        _check_all(cls, language, found, f"{place}.{language}")
        read[language] = found
    return read


def _check_all(cls: type[Constraint], language: str, found: Iterable[str], place: str) -> None:
    slots = frozenset(cls.model_validate(cls.draw(Random("slots"), language)).slots(language))
    arguments = set(cls.model_fields) - {"type", "scope"}
    own = [_slots(phrase) - _PLURALS for phrases in cls.phrases.values() for phrase in phrases]
    # What no phrase of the class says, a wording need not say either.
    enough = {frozenset(arguments), *filter(None, own)} if any(own) else {frozenset()}
    seen = set(cls.phrases[language])
    for wording in found:
        problem = "it is there twice" if wording in seen else _problem(wording, language, slots)
        if not problem and not any(one <= _slots(wording) for one in enough):
            problem = f"it must name the slots {' or '.join(sorted(map(_listed, enough)))}"
        if problem:
            raise RaifError(f"{place}: {wording!r} cannot be used: {problem}.")
        seen.add(wording)


def _problem(wording: str, language: str, slots: frozenset[str]) -> str:
    """Say why a wording is no sentence that can be filled in and built into a longer one, or ""."""
    try:
        parts = list(Formatter().parse(wording))
    except ValueError as error:
        return f"its braces do not pair ({error}); write a literal brace twice"
    if unknown := [name for _, name, _, _ in parts if name is not None and name not in slots]:
        return f"unknown slot {unknown[0]!r}; known: {_listed(slots)}"
    if any(form or conversion for _, _, form, conversion in parts):
        return "slots take no format"
    return _shape_problem(wording, language)


@lru_cache(maxsize=16384)
def _shape_problem(wording: str, language: str) -> str:
    """Say why a wording whose slots are fine is not one sentence, or ""."""
    parts = list(Formatter().parse(wording.removesuffix(_TRAILING)))
    plain, stop = "".join(text + ("\0" if name is not None else "") for text, name, _, _ in parts), STOPS[language]
    if not plain.endswith(stop) or plain != plain.strip() or _STOP_INSIDE.search(plain[: -len(stop)]):
        return f"it must be one sentence that ends with {stop!r}, with no other stop or semicolon in it"
    if not plain[:1].isalpha():
        return "it must begin with a word, not with a slot or a mark"
    apart = [text for text, name, _, _ in parts[1:] if name is not None and name not in _PLURALS]
    return "" if all(apart) else "two slots stand side by side; put something between them"


def _slots(phrase: str) -> frozenset[str]:
    return frozenset(name for _, name, _, _ in Formatter().parse(phrase) if name is not None)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "(none)"
