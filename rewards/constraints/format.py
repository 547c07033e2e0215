"""Data formats that the whole answer must be in: JSON, JSON Lines, YAML, lists of dates.

One code fence around everything is tolerated; prose around the data is not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from itertools import cycle
from random import Random
from typing import Annotated, Any, ClassVar, Literal

import yaml
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from rewards.arguments import Count, Draw, NonBlank
from rewards.constraint import Context, Example, Status, Verdict, register, verdict_if
from rewards.constraints.format_readers import empty, read_json, unfenced, yaml_problem
from rewards.constraints.json_schema import Validator, refused, sample
from rewards.constraints.layout_views import LaidOut, clip, fillers, has_word, pieces, quoted
from rewards.constraints.wrapping import unwrapped
from rewards.filler import WORDS
from rewards.text import Text

_LONGEST_YAML = 20_000
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@register
class Json(LaidOut):
    """The whole answer is one valid JSON object or array; NaN and Infinity are no JSON; one code fence is tolerated."""

    type: Literal["format:json"] = "format:json"

    phrases: ClassVar = {
        "en": (
            "Put your entire answer in one valid JSON object or array, with nothing around it but a code fence if any.",
            "Answer in JSON format only.",
        ),
        "zh": ("整个回答必须是一个合法的JSON对象或数组，除代码块标记外不要有其他文字。",),
    }
    notes: ClassVar = {"en": "JSON only", "zh": "只用JSON"}
    examples: ClassVar = (
        Example({}, passes='{"fruit": "apple"}', fails='Here it is: {"fruit": "apple"}'),
        Example({}, passes='["苹果", "梨"]', fails="{'水果': '苹果'}", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        _, problem = read_json(text.stripped)
        return verdict_if(not problem, problem or "valid JSON")

    def lay_out(self, text: str, language: str) -> str:
        return json.dumps({"answer": unwrapped(text) or fillers(language, 1)[0]}, ensure_ascii=False)


def _different(keys: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(keys)) < len(keys):
        raise ValueError("the keys must differ")
    return keys


def _some_keys(rng: Random, language: str) -> tuple[str, ...]:
    return tuple(rng.sample(WORDS[language], rng.randint(1, 4)))


Keys = Annotated[
    tuple[NonBlank, ...], Field(min_length=1, max_length=100), AfterValidator(_different), Draw(_some_keys)
]


@register
class JsonKeys(LaidOut):
    """The whole answer is one JSON object with exactly these keys, none with an empty value."""

    type: Literal["format:json_keys"] = "format:json_keys"
    keys: Keys

    phrases: ClassVar = {
        "en": (
            "Answer with one JSON object only. It must have exactly these keys, none of them empty: {names}.",
            "Your whole answer must be a JSON object with the keys {names} and no others.",
        ),
        "zh": ("只用一个JSON对象作答，键恰好为：{names}，值都不能为空。",),
    }
    notes: ClassVar = {"en": "JSON keys {names}", "zh": "JSON键：{names}"}
    examples: ClassVar = (
        Example(
            {"keys": ("fruit", "colour")}, passes='{"fruit": "apple", "colour": "red"}', fails='{"fruit": "apple"}'
        ),
        Example({"keys": ("水果",)}, passes='{"水果": "苹果"}', fails='{"水果": ""}', language="zh"),
    )

    def slots(self, language: str) -> dict[str, Any]:
        return {"names": ("、" if language == "zh" else ", ").join(self.keys)}

    def judge(self, text: Text, context: Context) -> Verdict:
        value, problem = read_json(text.stripped)
        if problem or not isinstance(value, dict):
            return verdict_if(False, problem or "an array, not an object")
        missing, extra = [key for key in self.keys if key not in value], len(value.keys() - set(self.keys))
        blank = sum(map(empty, value.values()))
        shown = f"{len(missing)} keys missing, {extra} others, {blank} without a value"
        return verdict_if(not missing and not extra and not blank, shown)

    def lay_out(self, text: str, language: str) -> str:
        text = unwrapped(text)
        said = (
            [text, *fillers(language, len(self.keys), [text])] if has_word(text) else fillers(language, len(self.keys))
        )
        return json.dumps(dict(zip(self.keys, said, strict=False)), ensure_ascii=False)


def _canonical(value: Any) -> str:
    """Keep a schema as canonical JSON, so that the constraint can be compared and hashed."""
    schema = json.loads(value) if isinstance(value, str) else value
    if problem := refused(schema):
        raise ValueError(problem)
    if not isinstance(schema, Mapping) or not schema:
        raise ValueError("the schema must be a mapping that asks for something")
    kinds = schema.get("type", "object")
    if not {"object", "array"} & set(kinds if isinstance(kinds, list) else [kinds]):
        raise ValueError("the schema must allow an object or array, since an answer in JSON is one")
    return json.dumps(schema, ensure_ascii=False, sort_keys=True)


def _some_schema(rng: Random, language: str) -> str:
    kinds: tuple[dict[str, Any], ...] = (
        {"type": "string", "minLength": rng.randint(1, 12)},
        {"type": "integer", "minimum": rng.randint(0, 9)},
        {"type": "array", "items": {"type": "string"}, "minItems": rng.randint(1, 3)},
        {"type": "boolean"},
        {"enum": rng.sample(WORDS[language], 2)},
    )
    names = rng.sample(WORDS[language], rng.randint(1, 3))
    known: dict[str, Any] = {name: rng.choice(kinds) for name in names}
    return _canonical(
        {"type": "object", "properties": known, "required": names, "additionalProperties": rng.random() < 0.5}
    )


@lru_cache(maxsize=256)
def _parsed(schema: str) -> Any:
    return json.loads(schema)


@register
class JsonSchema(LaidOut):
    """The whole answer is JSON that a schema accepts; see `rewards.constraints.json_schema` for the keywords."""

    type: Literal["format:json_schema"] = "format:json_schema"
    json_schema: Annotated[str, BeforeValidator(_canonical), Draw(_some_schema)]

    phrases: ClassVar = {
        "en": (
            "Answer only with JSON that is valid under this JSON Schema: {json_schema}",
            "Your whole answer must be JSON accepted by the JSON Schema {json_schema}",
        ),
        "zh": ("只输出符合以下JSON Schema的JSON：{json_schema}",),
    }
    notes: ClassVar = {"en": "JSON by schema", "zh": "按模式输出JSON"}
    examples: ClassVar = (
        Example(
            {"json_schema": {"type": "object", "properties": {"fruit": {"type": "string"}}, "required": ["fruit"]}},
            passes='{"fruit": "apple"}',
            fails='{"fruit": 7}',
        ),
        Example(
            {"json_schema": {"type": "array", "items": {"enum": ["苹果", "梨"]}, "minItems": 1}},
            passes='["梨"]',
            fails='["桃"]',
            language="zh",
        ),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        value, problem = read_json(text.stripped)
        try:
            problem = problem or Validator(_parsed(self.json_schema)).problem(value)
        except RecursionError:
            problem = "nested too deeply"
        return verdict_if(not problem, clip(problem, 160) or "valid under the schema")

    def lay_out(self, text: str, language: str) -> str:
        value = sample(_parsed(self.json_schema), text, cycle(WORDS[language]))
        return json.dumps(value, ensure_ascii=False)


@register
class JsonLines(LaidOut):
    """Every line that is not blank is one JSON object that says something; at least `count` different ones."""

    type: Literal["format:json_lines"] = "format:json_lines"
    count: Annotated[Count, Draw.range(2, 5)]

    phrases: ClassVar = {
        "en": (
            "Answer in JSON Lines: at least {count} line{s}, each one JSON object, all different and none empty.",
            "Write {count} or more lines, each a JSON object of its own, and nothing else.",
        ),
        "zh": ("用JSON Lines格式作答：至少{count}行，每行一个不同的非空JSON对象。",),
    }
    notes: ClassVar = {"en": "{count} JSON line{s}", "zh": "{count}行JSON"}
    examples: ClassVar = (
        Example(
            {"count": 2},
            passes='{"fruit": "apple"}\n{"fruit": "pear"}',
            fails='[{"fruit": "apple"}, {"fruit": "pear"}]',
        ),
        Example({"count": 1}, passes='{"水果": "苹果"}', fails='{"水果": ""}', language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        body = unfenced(text.stripped, "json", "jsonl", "ndjson")
        if body is None:
            return verdict_if(False, "more or other than one JSON code fence")
        lines = [line for line in map(str.strip, body.split("\n")) if line]
        said: set[str] = set()
        for line in lines:
            value, problem = read_json(line)
            if problem or not isinstance(value, dict) or all(map(empty, value.values())):
                return verdict_if(False, f"not a JSON object that says something: {quoted(line)}")
            said.add(json.dumps(value, sort_keys=True))
        found = len(said)
        return verdict_if(found >= self.count, f"{found} different JSON lines, at least {self.count} wanted")

    def lay_out(self, text: str, language: str) -> str:
        said = pieces(unwrapped(text))
        said = [*said, *fillers(language, self.count - len(said), said)]
        return "\n".join(json.dumps({"text": line}, ensure_ascii=False) for line in said)


@register
class Yaml(LaidOut):
    """The whole answer is one YAML mapping or list, without anchors, aliases and tags; a code fence is tolerated."""

    type: Literal["format:yaml"] = "format:yaml"

    phrases: ClassVar = {
        "en": (
            "Answer with one valid YAML mapping or list, without anchors or tags and with nothing around it.",
            "Put your entire answer in YAML format.",
        ),
        "zh": ("整个回答必须是一个合法的YAML映射或列表，不使用锚点和标签。",),
    }
    notes: ClassVar = {"en": "YAML only", "zh": "只用YAML"}
    examples: ClassVar = (
        Example({}, passes="fruit:\n  - apple\n  - pear", fails="I like apples and pears."),
        Example({}, passes="水果: 苹果", fails="水果: [苹果", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        body = unfenced(text.stripped, "yaml", "yml")
        if body is None:
            return verdict_if(False, "more or other than one YAML code fence")
        if len(body) > _LONGEST_YAML:
            return Verdict(Status.UNSCORED, f"longer than the {_LONGEST_YAML} characters that are parsed")
        try:
            problem = yaml_problem(body)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            problem = f"no valid YAML: {clip(' '.join(str(error).split()), 80)}"
        return verdict_if(not problem, problem or "valid YAML")

    def lay_out(self, text: str, language: str) -> str:
        return f"answer: {json.dumps(unwrapped(text) or fillers(language, 1)[0], ensure_ascii=False)}"


Year = Annotated[int, Field(ge=1, le=9999), Draw.range(1800, 2000)]


@register
class DateList(LaidOut):
    """The whole answer is at least `count` different real dates, YYYY-MM-DD and comma-separated, within these years."""

    type: Literal["format:date_list"] = "format:date_list"
    first_year: Year
    last_year: Year
    count: Annotated[Count, Draw.range(2, 6)]

    phrases: ClassVar = {
        "en": (
            "Answer only with at least {count} date{s} from the years {first_year} to {last_year}, all different, in"
            " the format YYYY-MM-DD and separated by commas.",
            "List {count} or more dates (YYYY-MM-DD, comma-separated, {first_year} to {last_year}), all different, and"
            " nothing else.",
        ),
        "zh": ("只列出至少{count}个不同的日期，格式为YYYY-MM-DD，用逗号分隔，年份在{first_year}到{last_year}之间。",),
    }
    notes: ClassVar = {"en": "{count} dates", "zh": "{count}个日期"}
    examples: ClassVar = (
        Example(
            {"first_year": 1800, "last_year": 1810, "count": 2},
            passes="1805-12-02, 1806-10-14",
            fails="1805-02-30, 1806-10-14",
        ),
        Example(
            {"first_year": 1990, "last_year": 1999, "count": 1},
            passes="1997-07-01",
            fails="1997年7月1日",
            language="zh",
        ),
    )

    @model_validator(mode="after")
    def _in_order(self) -> DateList:
        if self.first_year > self.last_year:
            raise ValueError(f"first_year {self.first_year} must not be after last_year {self.last_year}")
        if self.count > (date(self.last_year, 12, 31) - date(self.first_year, 1, 1)).days:
            raise ValueError(f"the years {self.first_year} to {self.last_year} have fewer than {self.count} dates")
        return self

    @classmethod
    def draw(cls, rng: Random, language: str) -> dict[str, Any]:
        first = rng.randint(1800, 1980)
        return {"first_year": first, "last_year": first + rng.randint(0, 40), "count": rng.randint(2, 6)}

    def judge(self, text: Text, context: Context) -> Verdict:
        dates = [part.strip() for part in re.split("[,，、]", text.stripped.rstrip(" .。"))]
        wrong = next((part or "nothing" for part in dates if not self._dated(part)), "")
        found = len(set(dates))
        shown = (
            f"no such date in these years: {quoted(wrong, 20)}"
            if wrong
            else f"{found} dates, {len(dates)} with repeats"
        )
        return verdict_if(not wrong and len(dates) == found >= self.count, shown)

    def _dated(self, text: str) -> bool:
        if not _DATE.fullmatch(text):
            return False
        try:
            return self.first_year <= date.fromisoformat(text).year <= self.last_year
        except ValueError:
            return False

    def lay_out(self, text: str, language: str) -> str:
        first = date(self.first_year, 1, 1).toordinal()
        return ", ".join(date.fromordinal(first + day).isoformat() for day in range(self.count))
