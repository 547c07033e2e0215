"""Tables: markdown tables and CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator, Field

from rewards.arguments import Count, Draw, NonBlank
from rewards.constraint import Context, Example, Verdict, register, verdict_if
from rewards.constraints.layout_views import (
    LaidOut,
    has_word,
    quoted,
    repeats,
    says_nothing,
    squeeze,
    titles,
    without_fences,
)
from rewards.filler import WORDS
from rewards.text import Text

_TABLE_RULE = re.compile(r"^[ \t]*+\|?[ \t]*+:?-++:?[ \t]*+(?:\|[ \t]*+:?-++:?[ \t]*+)*+\|?[ \t]*+\r?$", re.MULTILINE)
_PIPE = re.compile(r"(?<!\\)\|")
_SPECIAL = re.compile(r"[^\w\s]")
_DELIMITERS = {"comma": ",", "tab": "\t", "semicolon": ";", "pipe": "|"}


def _cells(line: str) -> list[str]:
    line = line.strip()
    if line.startswith("|"):
        line = line[1:]
    if line.endswith("|") and not line.endswith("\\|"):
        line = line[:-1]
    return [cell.strip() for cell in (_PIPE.split(line) if "\\" in line else line.split("|"))]


class TableLines(NamedTuple):
    """The header cells of a markdown table and its body lines, not yet divided into cells."""

    header: list[str]
    body: list[str]


@lru_cache(maxsize=16)
def tables(raw: str) -> tuple[TableLines, ...]:
    """Return the markdown tables of a text: a header line, a rule of dashes and the lines below that hold a pipe.

    Example:
        >>> tables("| a | b |\\n|---|---|\\n| 1 | 2 |")
        (TableLines(header=['a', 'b'], body=['| 1 | 2 |']),)
    """
    if "|" not in raw or "-" not in raw:
        return ()
    text, found, end = without_fences(raw), [], 0
    for rule in _TABLE_RULE.finditer(text):
        if rule.start() < end or "|" not in rule[0] or rule.start() == 0:
            continue
        header = _cells(text[text.rfind("\n", 0, rule.start() - 1) + 1 : rule.start() - 1])
        body = []
        end = rule.end() + 1
        while end < len(text):
            stop = text.find("\n", end)
            line = text[end : stop if stop >= 0 else len(text)]
            if "|" not in line:
                break
            body.append(line)
            end += len(line) + 1
        if len(header) == len(_cells(rule[0])):
            found.append(TableLines(header, body))
    return tuple(found)


def _filled(table: TableLines) -> Iterator[str]:
    """Yield the body lines with as many cells as the header, none of them blank, at least one with a word."""
    for line in table.body:
        cells = _cells(line)
        if len(cells) == len(table.header) and all(cells) and has_word(line):
            yield line


def _table(header: list[str], rows: int, language: str) -> str:
    cells = iter(titles(language, rows * len(header), header))
    lines = ["| " + " | ".join(next(cells) for _ in header) + " |" for _ in range(rows)]
    return "\n".join(["| " + " | ".join(header) + " |", "|" + " --- |" * len(header), *lines])


def _without_tables(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if "|" not in line).strip()


def _names(language: str, number: int) -> list[str]:
    words = WORDS[language]
    return [words[i % len(words)] + (str(i // len(words) + 1) if i >= len(words) else "") for i in range(number)]


@register
class MinTableRows(LaidOut):
    """A markdown table with at least `count` different rows below its header, no cell of them empty."""

    type: Literal["layout:min_table_rows"] = "layout:min_table_rows"
    count: Annotated[Count, Draw.range(2, 6)]

    phrases: ClassVar = {
        "en": (
            "Include a markdown table with at least {count} row{s} below its header, all different, no cell empty.",
            "Use a markdown table: a header and {count} or more rows, every cell filled.",
        ),
        "zh": ("包含一个markdown表格，表头之下至少有{count}行不同的内容，没有空单元格。",),
    }
    notes: ClassVar = {"en": "table of {count} row{s}", "zh": "{count}行的表格"}
    examples: ClassVar = (
        Example(
            {"count": 1},
            passes="| Fruit | Colour |\n|---|---|\n| Apple | red |",
            fails="| Fruit | Colour |\n|---|---|\n| Apple | |",
        ),
        Example({"count": 1}, passes="|水果|颜色|\n|-|-|\n|苹果|红|", fails="|水果|颜色|\n|苹果|红|", language="zh"),
    )

    def judge(self, text: Text, context: Context) -> Verdict:
        found = 0
        for table in tables(text.raw):
            rows = list(_filled(table))
            found = max(found, len(rows) - repeats(rows))
        return verdict_if(found >= self.count, f"{found} different filled rows, at least {self.count} wanted")

    def lay_out(self, text: str, language: str) -> str:
        return f"{text}\n{_table(_names(language, 2), self.count, language)}".lstrip()


@register
class TableSize(LaidOut):
    """One markdown table, with exactly `rows` different rows below its header and `columns` columns, no cell empty."""

    type: Literal["layout:table_size"] = "layout:table_size"
    rows: Annotated[int, Field(ge=1, le=100), Draw.range(2, 5)]
    columns: Annotated[int, Field(ge=1, le=100), Draw.range(2, 4)]

    phrases: ClassVar = {
        "en": (
            "Include one markdown table with exactly {rows} row{r} (not counting the header) and {columns} column{c},"
            " no cell empty.",
            "Use exactly one markdown table: {columns} column{c}, a header and {rows} different row{r}, every cell"
            " filled.",
        ),
        "zh": ("包含且只包含一个markdown表格：{columns}列，表头之下恰好{rows}行，内容不同且没有空单元格。",),
    }
    notes: ClassVar = {"en": "table of {rows} row{r}, {columns} column{c}", "zh": "{rows}行{columns}列的表格"}
    examples: ClassVar = (
        Example(
            {"rows": 1, "columns": 2},
            passes="| Fruit | Colour |\n|---|---|\n| Apple | red |",
            fails="| Fruit |\n|---|\n| Apple |",
        ),
        Example(
            {"rows": 1, "columns": 2},
            passes="|水果|颜色|\n|-|-|\n|苹果|红|",
            fails="|水果|颜色|\n|-|-|\n|苹果|红|\n|梨|绿|",
            language="zh",
        ),
    )

    def slots(self, language: str) -> dict[str, Any]:
        ends = {"r": "" if self.rows == 1 else "s", "c": "" if self.columns == 1 else "s"}
        return {**super().slots(language), **ends}

    def judge(self, text: Text, context: Context) -> Verdict:
        found = tables(text.raw)
        if len(found) != 1:
            return verdict_if(False, f"found {len(found)} tables, wanted one")
        rows, header = list(_filled(found[0])), found[0].header
        same = len(rows) == len(found[0].body) == self.rows and len(header) == self.columns and all(header)
        shown = f"{len(rows)} of {len(found[0].body)} rows filled, {len(header)} columns"
        return verdict_if(
            same and not repeats(rows), f"{shown}; wanted {self.rows} different rows, {self.columns} columns"
        )

    def lay_out(self, text: str, language: str) -> str:
        table = _table(_names(language, self.columns), self.rows, language)
        return f"{_without_tables(text)}\n{table}".lstrip()


def _column_names(names: tuple[str, ...]) -> tuple[str, ...]:
    if any(re.search(r"[\n|\"]", name) or name != name.strip() for name in names):
        raise ValueError("column names must be single lines without pipes, quotes and outer blanks")
    if repeats(names):
        raise ValueError("column names must differ")
    return names


def _some_names(rng: Random, language: str) -> tuple[str, ...]:
    return tuple(rng.sample(WORDS[language], rng.randint(2, 4)))


Columns = Annotated[
    tuple[NonBlank, ...], Field(min_length=1, max_length=50), AfterValidator(_column_names), Draw(_some_names)
]


@register
class TableHeader(LaidOut):
    """A markdown table whose header names exactly these columns in order, with at least one filled row."""

    type: Literal["layout:table_header"] = "layout:table_header"
    columns: Columns

    phrases: ClassVar = {
        "en": (
            "Include a markdown table with exactly these columns, in this order: {names}; fill at least one row.",
            "Use a markdown table whose header reads {names}, with a filled row or more below.",
        ),
        "zh": ("包含一个markdown表格，表头依次为：{names}，并至少填写一行。",),
    }
    notes: ClassVar = {"en": "table: {names}", "zh": "表格：{names}"}
    examples: ClassVar = (
        Example(
            {"columns": ("Fruit", "Colour")},
            passes="| Fruit | Colour |\n|---|---|\n| Apple | red |",
            fails="| Colour | Fruit |\n|---|---|\n| red | Apple |",
        ),
        Example(
            {"columns": ("水果", "颜色")},
            passes="|水果|颜色|\n|-|-|\n|苹果|红|",
            fails="|水果|颜色|\n|-|-|\n|苹果||",
            language="zh",
        ),
    )

    def slots(self, language: str) -> dict[str, Any]:
        return {"names": ("、" if language == "zh" else ", ").join(self.columns)}

    def judge(self, text: Text, context: Context) -> Verdict:
        wanted = [squeeze(name) for name in self.columns]
        found = tables(text.raw)
        good = any(list(map(squeeze, table.header)) == wanted and any(_filled(table)) for table in found)
        return verdict_if(good, f"{len(found)} tables, {'one' if good else 'none'} with this header and a filled row")

    def lay_out(self, text: str, language: str) -> str:
        return f"{text}\n{_table(list(self.columns), 1, language)}".lstrip()


class CsvField(NamedTuple):
    """A field of a CSV record and whether it stood in double quotes."""

    text: str
    quoted: bool


@lru_cache(maxsize=8)
def _field(delimiter: str) -> re.Pattern[str]:
    mark = re.escape(delimiter)
    return re.compile(rf'[ ]*+"((?:[^"]++|"")*+)"[ ]*+(?={mark}|\r?\n|\Z)|((?![ ]*")[^{mark}\r\n]*+)')


def csv_records(text: str, delimiter: str, most: int) -> list[list[CsvField]] | None:
    """Read CSV, at most so many fields; None where a quoted field is malformed.

    Example:
        >>> csv_records('a,"b, c"', ",", 9)
        [[CsvField(text='a', quoted=False), CsvField(text='b, c', quoted=True)]]
    """
    pattern, place = _field(delimiter), 0
    records: list[list[CsvField]] = [[]]
    for _ in range(most + 1):
        found = pattern.match(text, place)
        if found is None:
            return None
        quoted = found[1] is not None
        records[-1].append(CsvField(found[1].replace('""', '"') if quoted else found[2].strip(" "), quoted))
        place = found.end()
        if place >= len(text):
            return records
        if text[place] != delimiter:
            records.append([])
        place += 2 if text.startswith("\r\n", place) else 1
    return records


@register
class Csv(LaidOut):
    """The whole answer is CSV: a header with these columns and `rows` different rows, no field empty, no code fence."""

    type: Literal["format:csv"] = "format:csv"
    columns: Columns
    rows: Annotated[Count, Draw.range(2, 6)]
    delimiter: Annotated[Literal["comma", "tab", "semicolon", "pipe"], Draw.choice("comma", "tab", "semicolon")] = (
        "comma"
    )
    quoted: Annotated[bool, Draw.choice(False, True)] = False
    special: Annotated[bool, Draw.choice(False, True)] = False

    phrases: ClassVar = {
        "en": (
            "Answer only with CSV data, {delimiter}-delimited, without a code fence: a header with the columns {names}"
            " and exactly {rows} different row{r}, no field empty.{extra}",
            "Write {rows} row{r} of {delimiter}-delimited CSV under the header {names}, and nothing else.{extra}",
        ),
        "zh": (
            "只输出CSV数据（{delimiter}分隔，不要代码块）：表头为{names}，其下恰好{rows}行不同的数据，没有空字段。{extra}",
        ),
    }
    notes: ClassVar = {"en": "CSV, {rows} row{r}", "zh": "CSV，{rows}行"}
    examples: ClassVar = (
        Example(
            {"columns": ("id", "fruit"), "rows": 2},
            passes="id,fruit\n1,apple\n2,pear",
            fails="id,fruit\n1,apple\n2,",
        ),
        Example(
            {"columns": ("编号", "水果"), "rows": 1, "quoted": True},
            passes='"编号","水果"\n"1","苹果"',
            fails="编号,水果\n1,苹果",
            language="zh",
        ),
    )

    def slots(self, language: str) -> dict[str, Any]:
        zh = language == "zh"
        names = {"comma": "逗号", "tab": "制表符", "semicolon": "分号", "pipe": "竖线"}
        asked = [
            "每个字段都用双引号括起来。" if zh else "Enclose every field in double quotes." if self.quoted else "",
            "至少一个双引号括起来的字段含有特殊字符。" if zh else "Quote one field with a special character in it.",
        ]
        extra = [ask for ask, wanted in zip(asked, (self.quoted, self.special), strict=True) if wanted]
        return {
            "rows": self.rows,
            "r": "" if self.rows == 1 else "s",
            "delimiter": names[self.delimiter] if zh else self.delimiter,
            "names": "、".join(self.columns) if zh else ", ".join(self.columns),
            "extra": "".join(extra) if zh else "".join(f" {ask}" for ask in extra),
        }

    def judge(self, text: Text, context: Context) -> Verdict:
        most = (self.rows + 2) * len(self.columns)
        records = csv_records(text.stripped, _DELIMITERS[self.delimiter], most)
        problem = "a field is not quoted properly" if records is None else self._problem(records)
        return verdict_if(not problem, problem or f"a header and {self.rows} rows of {len(self.columns)} fields")

    def _problem(self, records: list[list[CsvField]]) -> str:
        body, fields = records[1:], [field for record in records for field in record]
        if [field.text for field in records[0]] != list(self.columns):
            return f"header {quoted(', '.join(field.text for field in records[0]), 60)}"
        if len(body) != self.rows or any(len(row) != len(self.columns) for row in body):
            return f"{len(body)} rows of {sorted({len(row) for row in body})} fields, wanted {self.rows}"
        if any(says_nothing(field.text) for field in fields):
            return "an empty field"
        if repeats(["\t".join(field.text for field in row) for row in body]):
            return "two rows are alike"
        if self.quoted and not all(field.quoted for field in fields):
            return "a field without double quotes"
        if self.special and not any(field.quoted and _SPECIAL.search(field.text) for row in body for field in row):
            return "no quoted field with a special character"
        return ""

    def lay_out(self, text: str, language: str) -> str:
        delimiter = _DELIMITERS[self.delimiter]
        said = [" ".join(text.replace('"', "").replace(delimiter, " ").split())] if has_word(text) else []
        cells = [*said, *titles(language, self.rows * len(self.columns), self.columns)]
        cells[0] = f"{cells[0]}!" if self.special else cells[0]
        quoted = [f'"{cell}"' if self.quoted or (self.special and not i) else cell for i, cell in enumerate(cells)]
        header = [f'"{name}"' if self.quoted or delimiter in name else name for name in self.columns]
        width = len(header)
        lines = [header, *(quoted[row * width : (row + 1) * width] for row in range(self.rows))]
        return "\n".join(delimiter.join(line) for line in lines)
