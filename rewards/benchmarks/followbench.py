"""FollowBench: which items a rule scores, and the rule of each (Jiang et al., ACL 2024).

A rule gives one verdict for an item, which counts as its hard and its soft score. Everything else is for the judge.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

from rewards.benchmarks import followbench_answers as answers
from rewards.benchmarks.followbench_answers import Judging
from rewards.benchmarks.followbench_checks import Group
from rewards.benchmarks.followbench_groups import FORMAT_GROUPS, MIXED_GROUPS, follows
from rewards.errors import RaifError, unknown_name

Language = Literal["en", "zh"]
LEVELS = range(6)  # level 0 is the seed instruction, which nothing scores

_ANSWERED: Mapping[str, Mapping[str, Callable[[str, int, str], Judging]]] = {
    "content": {"E2E": answers.exact, "WIKIEVENTS": answers.lines, "CONLL2003": answers.listed},
    "situation": {
        "BBH_logical": answers.last_choice,
        "BBH_time": answers.last_date,
        "gsm_8k": answers.last_amount,
        "self_made_space": answers.phrase,
    },
    "style": {},
    "format": {},
    "mixed": {"text_editing": answers.exact},
}
_JUDGED = {
    "content": "COGNAC|helpful_base|oasst|quora|reddit|sharegpt|t0_zsnoopt_data",
    "situation": "coding|helpful_base|humaneval|self-made|vicuna",
    "style": "helpful_base|koala|oasst|quora|reddit|vicuna",
    "format": "helpful_base|koala|oasst|quora|reddit|vicuna",
    "mixed": "NewsCommentary|Open Subtitles|ROCStories|Tedtalks|WritingPrompts|synthetic_data_generation",
}
_ADVICE = "Use the item files of YJiangcm/FollowBench as they are published."


@dataclass(frozen=True)
class FollowRule:
    """What decides an item without a judge: `name` says which rule, `judge` applies it in either profile."""

    name: str
    judge: Judging

    def check(self, answer: str, *, official: bool = False) -> tuple[bool, str]:
        """Return whether an answer passes and what was found, by the corrected or by the published reading.

        Example:
            >>> row = {"example_id": 1, "source": "E2E", "level": 2, "target": "name[Zum Bock]"}
            >>> rule = rule_for("content", row, "en")
            >>> rule.check(" name[Zum Bock]"), rule.check(" name[Zum Bock]", official=True)[0]
            ((True, 'equals the target'), False)
        """
        return self.judge(answer, official)


def rule_for(kind: str, row: Mapping[str, Any], language: Language) -> FollowRule | None:
    """Return the rule of an item, None where the judge decides and for the seed of a group (level 0).

    `kind` is the type its file is named after; `row` has `example_id`, `source`, `level` and `target`.

    Raises:
        RaifError: the type, the language, the source or the level is unknown, or the target cannot be read.
    """
    if kind not in (*_ANSWERED, "example"):
        raise unknown_name("FollowBench type", kind, (*_ANSWERED, "example"), _ADVICE)
    if language not in get_args(Language):
        raise unknown_name("FollowBench language", language, get_args(Language), _ADVICE)
    where = f"FollowBench {language} {kind}, group {row.get('example_id')}, level {row.get('level')}"
    group, source, level, target = (row.get(key) for key in ("example_id", "source", "level", "target"))
    if not isinstance(source, str) or not isinstance(target, str):
        raise RaifError(f"{where}: source {source!r} and target {target!r} must be text. {_ADVICE}")
    if type(level) is not int or level not in LEVELS:
        raise RaifError(f"{where}: the level must be a whole number from 0 to 5. {_ADVICE}")
    try:
        rule = _rule(kind, group, source, level, target, language)
    except RaifError as error:
        raise RaifError(f"{where}: {error}") from error
    return rule if level else None


def _rule(kind: str, group: object, source: str, level: int, target: str, language: Language) -> FollowRule | None:
    if kind == "example":
        return FollowRule("template", answers.template(target))
    steps = _steps(kind, group, source, language)
    if steps:
        name = source if kind == "mixed" else f"{kind} {group}"
        return FollowRule(name, partial(follows, steps, level, language))
    known, judged = _ANSWERED[kind], _JUDGED[kind].split("|")
    if source in known:
        return FollowRule(source, known[source](target, level, language)) if level else None
    if source not in judged and source not in MIXED_GROUPS[language]:
        raise unknown_name("source", source, (*known, *judged), _ADVICE)
    return None


def _steps(kind: str, group: object, source: str, language: Language) -> Group | None:
    if kind == "mixed":
        return MIXED_GROUPS[language].get(source)
    return FORMAT_GROUPS[language].get(group) if kind == "format" and isinstance(group, int) else None
