"""FollowBench (Jiang et al. 2024): an instruction grows by one constraint a level, and an answer is due at each level.

A judge sees how the instruction grew and says of every added constraint whether the answer meets it; some items are
decided by rules. HSR is the share of items with all constraints met, SSR the mean share of constraints met, CSL the
mean number of levels, from the first, that are met without a gap. The five types and the five levels weigh the same;
the type `example` is decided by rules alone and reported apart.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, cast

from raif.benchmarks.figures import Breakdown, Figure, ScoreRow
from raif.benchmarks.followbench_judge import ask, constraint_question, form, last_words, read_official, read_verdicts
from raif.benchmarks.followbench_stored import read_stored
from raif.benchmarks.items import Question, QuestionItem, QuestionRollout, QuestionVerdict, conversation
from raif.benchmarks.judging import Judging, nothing_asked, readable, user_call
from raif.benchmarks.loading import locate, make_items, read_rows, text_of
from raif.benchmarks.protocol import Asking, Benchmark, Stored
from rewards.benchmarks.followbench import Language, rule_for
from rewards.errors import RaifError

TYPES = ("content", "situation", "style", "format", "mixed")
EXAMPLE = "example"
LEVELS = (1, 2, 3, 4, 5)
RAIF_CSL = 3.68  # what RAIF divides CSL by: that of Qwen2.5-72B-Instruct
UNREADABLE = -1.0  # what the published code counts for such a reply, in place of 0
_FOLDERS = {"en": ("en", "data"), "zh": ("zh", "data_zh")}
_ITEMS = {"en": 820, "zh": 790}
_HAN = re.compile(r"[\u4e00-\u9fff]")
_MAIN = {"part": "types"}
_EACH = ("language", "type")


def make() -> FollowBench:
    """Return the adapter."""
    return FollowBench()


def _level(quantity: str, level: int, where: Mapping[str, str]) -> Figure:
    labels = {**where, "level": str(level)}
    return Figure(f"{quantity}_{level}", f"{quantity.upper()} level {level}", quantity, labels, _EACH)


def _levels(where: Mapping[str, str]) -> tuple[Figure, ...]:
    return tuple(_level(quantity, level, where) for quantity in ("hsr", "ssr") for level in LEVELS)


def _raif(language: str) -> tuple[Figure, ...]:
    """Return the eleven values of a language that RAIF averages."""
    where = {**_MAIN, "language": language}
    return Figure("csl", "CSL", "csl", where, _EACH, scale=RAIF_CSL), *_levels(where)


class FollowBench(Benchmark):
    """The adapter of FollowBench."""

    name: ClassVar[str] = "followbench"
    title: ClassVar[str] = "FollowBench"
    where: ClassVar[str] = (
        "Give the folder with en/ and zh/, or with data/ and data_zh/ as in the repository YJiangcm/FollowBench, or "
        "the folder of one language; each holds content_constraints.json and five more."
    )
    languages: ClassVar[tuple[str, ...]] = ("en", "zh", "both")
    figures: ClassVar[tuple[Figure, ...]] = (
        Figure("hsr", "HSR", "hsr", _MAIN, (*_EACH, "level")),
        Figure("ssr", "SSR", "ssr", _MAIN, (*_EACH, "level")),
        Figure("csl", "CSL", "csl", _MAIN, _EACH, percent=False),
        *_levels(_MAIN),
        Figure("hsr_weighted", "HSR, weighted by level", "hsr_weighted", _MAIN, _EACH),
        Figure("ssr_weighted", "SSR, weighted by level", "ssr_weighted", _MAIN, _EACH),
        Figure("example", "Example (rule)", "hsr", {"part": EXAMPLE}, (*_EACH, "level")),
        Figure("example_csl", "CSL of example (rule)", "csl", {"part": EXAMPLE}, _EACH, percent=False),
        Figure("raif_22", "RAIF's mean of 22 values", mean_of=(*_raif("en"), *_raif("zh"))),
        Figure("raif_11_en", "RAIF's 11 values, en", mean_of=_raif("en")),
        Figure("raif_11_zh", "RAIF's 11 values, zh", mean_of=_raif("zh")),
    )
    breakdowns: ClassVar[tuple[Breakdown, ...]] = (
        Breakdown("set", "Type", (Figure("csl", "CSL", "csl", nest=_EACH, percent=False), *_levels({}))),
    )
    citation: ClassVar[str] = "FollowBench, arXiv 2310.20410; YJiangcm/FollowBench@6278f4c"

    def load(self, data: str, language: str = "") -> list[QuestionItem]:
        """Read the six files of a language, or of both."""
        if Path(data).is_file():
            raise RaifError(
                f"{data} is a file; a level needs the levels before it, and a score all types. {self.where}"
            )
        chosen = ("en", "zh") if language == "both" else (language or "en",)
        return [item for each in chosen for kind in (*TYPES, EXAMPLE) for item in _load(data, each, kind, self.where)]

    def edition(self, items: Sequence[QuestionItem]) -> str:
        languages = sorted({item.language for item in items})
        return ", ".join(_edition([item for item in items if item.language == each], each) for each in languages)

    def judging(self, item: QuestionItem, answer: str, asking: Asking) -> Judging:
        """Ask once about all constraints of an item, if no rule decides it; officially there is no second try."""
        if ruled := self.by_rule(item, answer):
            return nothing_asked(ruled.values())
        return _judging(item, answer, asking)

    def by_rule(self, item: QuestionItem, answer: str) -> dict[str, QuestionVerdict]:
        rule = rule_for(item.context["type"], item.context["row"], cast(Language, item.language))
        if rule is None:
            return {}
        (passed, evidence), (published, _) = rule.check(answer), rule.check(answer, official=True)
        key = item.questions[0].id
        return {key: QuestionVerdict(id=key, value=float(passed), reason=evidence, official=float(published))}

    def scores(
        self, items: Sequence[QuestionItem], rollouts: Sequence[QuestionRollout], *, official: bool
    ) -> list[ScoreRow]:
        """Return a row an item, and one for the CSL of each group of which all five levels are evaluated."""
        by_id = {item.id: item for item in items}
        rows: list[ScoreRow] = []
        groups: dict[tuple[str, int], dict[int, tuple[QuestionItem, float]]] = defaultdict(dict)
        for rollout in rollouts:
            item = by_id[rollout.instruction_id]
            hard, soft = _satisfied(rollout.answers, official)
            rows.append(_row(item, hard, soft))
            groups[_group(item), rollout.sample][int(item.labels["level"])] = (item, hard)
        whole = [levels for levels in groups.values() if len(levels) == len(LEVELS)]
        return rows + [_csl_row(levels) for levels in whole]

    def stored(self, place: Path, items: Sequence[QuestionItem]) -> Stored:
        """Read a file of answers, or a folder with `outputs` and `verdicts`; see `read_stored`."""
        return read_stored(place, items)

    def note(self, metrics: Mapping[str, Any]) -> str:
        return (
            "HSR is the mean over the five types and five levels (example is apart); RAIF's table, and that of "
            "`raif evaluate suite`, show the mean of 22 values (raif_22: CSL/3.68, HSR and SSR of each level, en and "
            "zh). Published figures "
            "are judged by GPT-4 (the repository's later default: gpt-4o-mini) with the benchmark's own prompt and "
            "average tables that were rounded first; the parity figures count an unreadable verdict as -1 "
            "(as 0 in the judge mode `question`)."
        )


def _edition(items: Sequence[QuestionItem], language: str) -> str:
    """Return how many items of a language there are and, if not all, which types and levels are not there at all."""
    if len(items) == _ITEMS[language]:
        return f"{language} {len(items)} items"
    found = {name: {item.labels[name] for item in items} for name in ("type", "level")}
    lacking = [kind for kind in (*TYPES, EXAMPLE) if kind not in found["type"]]
    lacking += [f"level {level}" for level in LEVELS if str(level) not in found["level"]]
    without = f"; without {', '.join(lacking)}" if lacking else ""
    return f"{len(items)} of {_ITEMS[language]} items ({language}{without})"


# ---- loading ------------------------------------------------------------------------------------------------------


def _load(data: str, language: str, kind: str, where: str) -> list[QuestionItem]:
    file = f"{kind}_constraints.json"
    path = locate(data, [*(f"{folder}/{file}" for folder in _FOLDERS[language]), file], where)
    rows = read_rows(path)
    _check_language(path, rows, language)
    made = make_items(path, rows, lambda row, number: _item(rows, row, number, kind, language), "FollowBench")
    items = [item for item in made if item is not None]
    for group, count in Counter(map(_group, items)).items():
        if count != len(LEVELS):
            raise RaifError(f"{path} is of another version: group {group} has {count} levels, not {len(LEVELS)}.")
    return items


def _check_language(path: Path, rows: Sequence[Mapping[str, Any]], language: str) -> None:
    """Refuse the folder of the other language: it holds files of the same names."""
    chinese = sum(bool(_HAN.search(str(row.get("instruction")))) for row in rows) * 2 > len(rows)
    if chinese != (language == "zh"):
        found = "zh" if chinese else "en"
        raise RaifError(f"{path} holds {found} items where {language} was expected; give --language {found}.")


def _item(
    rows: Sequence[Mapping[str, Any]], row: Mapping[str, Any], number: int, kind: str, language: str
) -> QuestionItem | None:
    """Return an item, None for the seed of a group; the rows before it are the levels that it grew from."""
    level, first = row["level"], 1 if kind == EXAMPLE else 0
    if type(level) is not int or not first <= level <= LEVELS[-1]:
        raise RaifError(f"level {level!r} is not one of {first} to {LEVELS[-1]}")
    path = rows[max(number - level + first, 0) : number + 1]
    needed = [(row["example_id"], n) for n in range(first, level + 1)]
    if [(step["example_id"], step["level"]) for step in path] != needed:
        raise RaifError(f"the levels below level {level} of group {row['example_id']} do not stand before it, in order")
    if level == 0:
        return None
    group = f"{language}/{kind}/{row['example_id']}"
    known = {key: row[key] for key in ("example_id", "source", "level", "target")}
    steps = [text_of(step, "instruction", blank=step["level"] == 0) for step in path]  # some seeds are empty
    rule = rule_for(kind, known, cast(Language, language))
    return QuestionItem(
        id=f"{group}/{level}", prompt=steps[-1], conversation=conversation(steps[-1]),
        questions=_questions(kind, steps, language) if rule is None else (_rule_question(kind, level, rule.name),),
        labels={"language": language, "type": kind, "level": str(level), "source": row["source"]},
        problem=group, language=language, context={"type": kind, "row": known, "path": steps},
    )  # fmt: skip


def _questions(kind: str, steps: Sequence[str], language: str) -> tuple[Question, ...]:
    return tuple(
        Question(id=str(n), text=constraint_question(before, after, language), labels={"type": (kind,)})
        for n, (before, after) in enumerate(pairwise(steps), 1)
    )


def _rule_question(kind: str, level: int, name: str) -> Question:
    text = f"Does the answer pass the rule {name} at level {level}?"
    return Question(id="rule", text=text, by="rule", rule=name, labels={"type": (kind,)})


# ---- judging and scores -------------------------------------------------------------------------------------------


def _judging(item: QuestionItem, answer: str, asking: Asking) -> Judging:
    count, language = len(item.questions), item.language
    call = user_call("item", ask(item.context["type"], item.context["path"], answer, language))
    reminder = "" if asking.official else form(count, language)
    said, replies = yield from readable(call, lambda reply: read_verdicts(reply, count), reminder)
    values = [None] * count if said is None else [float(yes) for yes in said]
    published = read_official(replies[0], count, language)
    official = [UNREADABLE] * count if published is None else [float(yes) for yes in published]
    reason = last_words(replies[-1])
    return [
        QuestionVerdict(id=question.id, value=value, reason=reason, official=counted)
        for question, value, counted in zip(item.questions, values, official, strict=True)
    ]


def _group(item: QuestionItem) -> str:
    return item.problem or item.id


def _satisfied(answers: Sequence[QuestionVerdict], official: bool) -> tuple[float, float]:
    """Return hard and soft: unreadable counts as no, officially as -1 in both."""
    values = [(answer.official if official else answer.value) or 0.0 for answer in answers]
    if min(values) < 0:
        return UNREADABLE, UNREADABLE
    return float(min(values) >= 1), sum(values) / len(values)


def _row(item: QuestionItem, hard: float, soft: float) -> ScoreRow:
    level = int(item.labels["level"])
    values = {
        "hsr": (hard, 1.0),
        "ssr": (soft, 1.0),
        "hsr_weighted": (level * hard, float(level)),
        "ssr_weighted": (level * soft, float(level)),
    }
    return ScoreRow(_group(item), values, {**_cell(item), "level": item.labels["level"]}, _cell(item)["set"])


def _csl_row(levels: Mapping[int, tuple[QuestionItem, float]]) -> ScoreRow:
    """Return how many levels of a group are satisfied before the first that is not."""
    item = levels[LEVELS[0]][0]
    length = next((level - 1 for level in LEVELS if levels[level][1] < 1), LEVELS[-1])
    return ScoreRow(_group(item), {"csl": (float(length), 1.0)}, _cell(item), _cell(item)["set"])


def _cell(item: QuestionItem) -> dict[str, str]:
    language, kind = item.labels["language"], item.labels["type"]
    part = EXAMPLE if kind == EXAMPLE else _MAIN["part"]
    return {"language": language, "type": kind, "set": f"{language}/{kind}", "part": part}
