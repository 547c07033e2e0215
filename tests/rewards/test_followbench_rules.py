"""FollowBench's rules: on the published items and stored scores, and check by check on answers made up here."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest

from rewards.benchmarks.followbench import FollowRule, Language, rule_for
from rewards.errors import RaifError
from tests.rewards.growth import grows_linearly

KINDS = ("content", "situation", "style", "format", "mixed", "example")
REPLAY = "replay_en_Meta-Llama-3-8B-Instruct"
SUMMARIES = ("cnn_dailymail", "xsum", "samsum", "gigaword", "arxiv")


@pytest.fixture(scope="module")
def followbench(shared_dir: Path) -> Path:
    folder = shared_dir / "data" / "followbench"
    if not folder.is_dir():
        pytest.skip(f"no FollowBench files at {folder}")
    return folder


def items(folder: Path, kind: str, language: str = "en") -> list[dict[str, Any]]:
    rows = json.loads((folder / language / f"{kind}_constraints.json").read_text(encoding="utf-8"))
    assert isinstance(rows, list)
    return rows


def rule(kind: str, source: str, level: int, target: str = "", language: Language = "en", group: int = 1) -> FollowRule:
    row = {"example_id": group, "source": source, "level": level, "target": target}
    found = rule_for(kind, row, language)
    assert found is not None
    return found


def verdicts(kind: str, source: str, answer: str, language: Language = "en", group: int = 1) -> str:
    """Return how an answer fares at levels 1 to 5 of a group by the strict profile, `y` or `n` each."""
    checks = (rule(kind, source, level, "", language, group).check(answer)[0] for level in range(1, 6))
    return "".join("ny"[passed] for passed in checks)


@pytest.mark.parametrize(
    ("language", "scored", "by_rule"),
    [("en", (125, 110, 150, 150, 85, 200), (60, 40, 0, 10, 40, 200)),
     ("zh", (115, 110, 150, 150, 65, 200), (50, 40, 0, 5, 35, 200))],
)  # fmt: skip
def test_as_many_items_are_scored_by_rule_as_published(
    followbench: Path, language: Language, scored: tuple[int, ...], by_rule: tuple[int, ...]
) -> None:
    counts: Counter[str] = Counter()
    rules: Counter[str] = Counter()
    for kind in KINDS:
        for row in items(followbench, kind, language):
            found = rule_for(kind, row, language)
            assert row["level"] or found is None
            counts[kind] += bool(row["level"])
            rules[kind] += found is not None
    assert tuple(counts[kind] for kind in KINDS) == scored
    assert tuple(rules[kind] for kind in KINDS) == by_rule


def test_the_official_profile_gives_every_stored_rule_score(followbench: Path) -> None:
    lines = (followbench / REPLAY / "per_item.jsonl").read_text(encoding="utf-8").splitlines()
    stored = [json.loads(line) for line in lines]
    by_rule = {
        (one["type"], one["example_id"], one["source"], one["level"]): one["hard"]
        for one in stored
        if one["scored_by"] != "judge"
    }
    passed = Counter[str]()
    for kind in KINDS:
        with gzip.open(
            followbench / REPLAY / "outputs" / f"{kind}_constraint.jsonl.gz", "rt", encoding="utf-8"
        ) as file:
            outputs = [json.loads(line) for line in file]
        answers = {one["prompt_new"]: one["choices"][0]["message"]["content"] for one in outputs}
        for row in items(followbench, kind):
            found = rule_for(kind, row, "en")
            if found is None:
                continue
            answer = answers[row["instruction"]]
            score = by_rule.pop((kind, row["example_id"], row["source"], row["level"]))
            assert found.check(answer, official=True)[0] == bool(score), (kind, row["example_id"], row["level"])
            passed[f"{kind} official"] += score
            passed[f"{kind} strict"] += found.check(answer)[0]
    assert not by_rule  # no stored score is without its rule
    assert {name: number for name, number in passed.items() if number} == {
        "situation official": 22,
        "situation strict": 22,
        "format official": 2,
        "format strict": 1,  # two sentences where the instruction wants fewer than two
        "example strict": 8,  # a blank before the frame, and answers of several lines
    }


def test_gold_answers_match_their_templates(followbench: Path) -> None:
    rows = items(followbench, "example")
    rules = [rule_for("example", row, "en") for row in rows]
    pairs = [(found, row["answer"]) for found, row in zip(rules, rows, strict=True) if found]
    assert sum(found.check(answer, official=True)[0] for found, answer in pairs) == 195
    assert sum(found.check(answer)[0] for found, answer in pairs) == len(pairs) == 200


def test_gold_summaries_pass_every_level(followbench: Path) -> None:
    gold = {row["source"]: row["target"] for row in items(followbench, "mixed") if not row["level"]}
    for source in SUMMARIES:
        for level in range(1, 6):
            for official in (True, False):
                assert rule("mixed", source, level).check(gold[source], official=official)[0], (source, level)


@pytest.mark.parametrize("language", get_args(Language))
def test_targets_pass_their_own_rules(followbench: Path, language: Language) -> None:
    checked = Counter[str]()
    for kind in ("content", "situation", "mixed"):
        for row in items(followbench, kind, language):
            found = rule_for(kind, row, language)
            if found is None or row["source"] in SUMMARIES:
                continue
            answer = row["target"]
            if row["source"] == "WIKIEVENTS":
                assert f"extract {row['level']} event" in row["instruction"]
                answer = "\n".join(answer.split("\n")[: row["level"]])
            if row["source"] == "CONLL2003":
                answer = json.loads(answer.replace("'", '"'))[-1]
            for official in (True, False):
                assert found.check(answer, official=official)[0], row["target"]
            checked[kind] += 1
    assert (
        dict(checked)
        == {
            "en": {"content": 60, "situation": 40, "mixed": 15},
            "zh": {"content": 50, "situation": 40, "mixed": 10},
        }[language]
    )


@pytest.mark.parametrize(
    ("kind", "row", "language", "message"),
    [
        ("contents", {"source": "E2E", "level": 1, "target": "x"}, "en", "did you mean 'content'"),
        ("content", {"source": "E2E", "level": 1, "target": "x"}, "fr", "FollowBench language 'fr'"),
        ("content", {"source": "E3E", "level": 1, "target": "x"}, "en", "unknown source 'E3E'; did you mean 'E2E'"),
        ("style", {"source": "E2E", "level": 1, "target": "x"}, "en", "unknown source 'E2E'"),
        ("content", {"source": "E2E", "level": 1, "target": " "}, "en", "target is empty"),
        ("content", {"source": "E2E", "level": 6, "target": "x"}, "en", "whole number from 0 to 5"),
        ("content", {"source": "E2E", "level": True, "target": "x"}, "en", "whole number from 0 to 5"),
        ("content", {"source": "E2E", "level": 1}, "en", "must be text"),
        ("content", {"source": "WIKIEVENTS", "level": 2, "target": "one"}, "en", "lists 1 events"),
        ("content", {"source": "CONLL2003", "level": 1, "target": "open('x')"}, "en", "no list"),
        ("content", {"source": "CONLL2003", "level": 1, "target": "[1, 2]"}, "en", "no list of names"),
        ("content", {"source": "CONLL2003", "level": 1, "target": "[" * 9000}, "en", "no list"),
        ("content", {"source": "CONLL2003", "level": 1, "target": "['a']" + " " * 10000}, "en", "no list"),
        ("situation", {"source": "BBH_logical", "level": 1, "target": "A"}, "en", "no option"),
        ("situation", {"source": "BBH_time", "level": 1, "target": "1/2/2000"}, "en", "no date"),
        ("situation", {"source": "gsm_8k", "level": 1, "target": "14"}, "en", "no sum"),
        ("example", {"source": "any", "level": 1, "target": "{answer}"}, "en", "the template"),
        ("example", {"source": "any", "level": 1, "target": "{instruction}\n{answer}{answer}"}, "en", "the template"),
    ],
)  # fmt: skip
def test_a_broken_item_is_refused(kind: str, row: dict[str, Any], language: Any, message: str) -> None:
    with pytest.raises(RaifError) as caught:
        rule_for(kind, {"example_id": 3, **row}, language)
    assert message in str(caught.value)


def test_the_judge_keeps_what_no_rule_scores() -> None:
    for kind, source, group in (("style", "koala", 1), ("format", "koala", 29), ("content", "COGNAC", 2)):
        assert rule_for(kind, {"example_id": group, "source": source, "level": 2, "target": ""}, "en") is None
    assert rule_for("format", {"example_id": 30, "source": "koala", "level": 2, "target": ""}, "zh") is None


@pytest.mark.parametrize(
    ("found", "answer", "official", "strict"),
    [
        (rule("mixed", "text_editing", 1, "so be it"), "so be it\n", False, True),
        (rule("mixed", "text_editing", 1, "so be it"), "So be it", False, False),
        (rule("content", "CONLL2003", 1, "['Graz', 'Linz']"), " Linz", False, True),
        (rule("content", "CONLL2003", 1, "['Graz', 'Linz']"), "Linz.", False, False),
        (rule("content", "WIKIEVENTS", 2, "a\nb\nc"), "a", True, False),
        (rule("content", "WIKIEVENTS", 2, "a\nb\nc"), "a\n\n c", False, True),
        (rule("content", "WIKIEVENTS", 2, "a\nb\nc"), "a\nd", False, False),
        (rule("content", "WIKIEVENTS", 2, "a\nb\nc"), "a\na", True, False),
        (rule("situation", "BBH_logical", 1, "(B)"), "Not (A), so （B）", False, True),
        (rule("situation", "BBH_logical", 1, "(B)"), "(B), not (C)", False, False),
        (rule("situation", "BBH_logical", 1, "(B)"), "B", False, False),
        (rule("situation", "BBH_time", 1, "01/02/2000"), "01/02/2000", True, True),
        (rule("situation", "BBH_time", 1, "01/02/2000"), "101/02/20001", True, False),
        (rule("situation", "gsm_8k", 1, "$14"), "So $14.50", True, False),
        (rule("situation", "gsm_8k", 1, "$14"), "So $14.00.", True, True),
        (rule("situation", "gsm_8k", 1, "$1400"), "So $1,400.", False, True),
        (rule("situation", "gsm_8k", 1, "$14"), "From $14 to $15", False, False),
        (rule("situation", "gsm_8k", 1, "14美元", "zh"), "一共3美元加11 美元，共14 美元", False, True),
        (rule("situation", "gsm_8k", 1, "14美元", "zh"), "一共2.14美元", True, False),
        (rule("situation", "self_made_space", 1, "4th floor"), "on the 14th floor", True, False),
        (rule("situation", "self_made_space", 1, "4楼", "zh"), "他在4楼", True, True),
        (rule("example", "any", 1, "{instruction}\n{{'Bot': '{answer}'}}"), "{'Bot': 'a (b) [c]'}", True, True),
        (rule("example", "any", 1, "{instruction}\n{{'Bot': '{answer}'}}"), "{'Bot': 'a\nb'}", False, True),
        (rule("example", "any", 1, "{instruction}\n[Bot]\n{answer}"), "[Bot]\n", True, False),
        (rule("example", "any", 1, "{instruction}\n[Bot]\n{answer}"), "B\nyes", False, False),
        (rule("example", "any", 1, "{instruction}\naXa{answer}aXa"), "aXaXa", False, False),
    ],
)  # fmt: skip
def test_answers_with_a_target(found: FollowRule, answer: str, official: bool, strict: bool) -> None:
    assert (found.check(answer, official=True)[0], found.check(answer)[0]) == (official, strict)


NEWS = "The Potter star is 18. Mr. Low, an {a}, spent £1.5 wisely. His {b} have {c} it all."


@pytest.mark.parametrize(
    ("source", "answer", "levels"),
    [
        ("cnn_dailymail", NEWS.format(a="actor", b="films", c="earned"), "yyyyy"),
        ("cnn_dailymail", NEWS.format(a="actor", b="films", c="to earn"), "yyyyn"),
        ("cnn_dailymail", NEWS.format(a="actor in lavish suits", b="films", c="earned"), "yyynn"),
        ("cnn_dailymail", NEWS.format(a="actors' man", b="films", c="earned"), "yyyyy"),
        ("cnn_dailymail", NEWS.format(a="factor", b="films", c="earned"), "yynnn"),
        ("cnn_dailymail", NEWS.format(a="actor", b="films, " + "so " * 9, c="earned"), "ynnnn"),
        ("cnn_dailymail", "Here it is:\n" + NEWS.format(a="actor", b="films", c="earned"), "nnnnn"),
        ("xsum", "Crews are slowly clearing roads while rescue operations go on.", "yyyyy"),
        ("xsum", "Crews are slowly clearing roads.", "yyyyn"),
        ("xsum", "Work is ongoing in an operation in the town's building.", "yyynn"),
        ("xsum", "Crews in newton  Stewart are clearing roads in one operation.", "yynnn"),
        ("xsum", "Crews are clearing roads" + " and more roads" * 6 + ".", "ynnnn"),
        ("samsum", "Kim's got stuff to do but doesn't do it.", "yyyyy"),
        ("samsum", "Kim has stuff to do, but does nothing...", "yyyyn"),
        ("samsum", "Procrastinating, Kim has stuff to do.", "yyynn"),
        ("samsum", "Kim is stuffy.", "yynnn"),
        ("gigaword", "two killed by blast in well-known southern town", "yyyyy"),
        ("gigaword", "two killed by bombing of well-known southern town", "yyyyn"),
        ("gigaword", "bus blast kills two in well-known southern town", "yyynn"),
        ("gigaword", "Two killed by blast in well-known southern town", "yynnn"),
        ("gigaword", "two killed by blast in well-known southern town.", "ynnnn"),
        ("gigaword", "two killed by blast - in a southern town", "ynnnn"),
        ("gigaword", "", "nnnnn"),
        ("arxiv", "“We edit the activations of a model.”", "yyyyy"),
        ("arxiv", "We edit the activations of transformers.", "yyyyn"),
        ("arxiv", "We edit the weights of a model.", "yyynn"),
        ("arxiv", "Well, activations are edited.", "yynnn"),
    ],
)  # fmt: skip
def test_english_summaries_level_by_level(source: str, answer: str, levels: str) -> None:
    assert verdicts("mixed", source, answer) == levels


@pytest.mark.parametrize(
    ("source", "answer", "levels"),
    [
        ("cnn_dailymail", "波特今年18岁。这位演员很节俭。他的电影已经上映。", "yyyyy"),
        ("cnn_dailymail", "波特今年18岁。这位演员很节俭。他的电影上映。", "yyyyn"),
        ("cnn_dailymail", "波特今年18岁。这位演员不奢侈。他的电影已经上映。", "yyynn"),
        ("cnn_dailymail", "波特今年18岁。他很节俭。他的电影已经上映。", "yynnn"),
        ("cnn_dailymail", "波特今年18岁。这位演员非常非常非常非常非常非常节俭。他的电影已经上映。", "ynnnn"),
        ("xsum", "多地正在开展清理操作。", "yyyyy"),
        ("xsum", "多地正在清理道路。", "yyyyn"),
        ("xsum", "多地开展清理操作。", "yyynn"),
        ("xsum", "牛顿斯图尔特正在清理道路。", "yynnn"),
        ("samsum", "金不想做琐碎的事。", "yyyyy"),
        ("samsum", "金，不想做琐碎的事。", "yyyyn"),
        ("samsum", "拖沓的金不做琐碎的事。", "yyynn"),
        ("gigaword", "客车爆炸至少两死", "yyyyy"),
        ("gigaword", "客车在路上爆炸了", "yyyyn"),
        ("gigaword", "公交车上发生爆炸", "yyynn"),
        ("gigaword", "客车爆炸至少2死", "yynnn"),
        ("gigaword", "客车爆炸至少死2人", "nnnnn"),
        ("gigaword", "客车爆炸，至少两死", "ynnnn"),
        ("arxiv", "我们修改模型的激活。", "yyyyy"),
        ("arxiv", "我们修改transformer模型的激活。", "yyyyn"),
        ("arxiv", "我们GPT的激活有效。", "yyyyy"),
        ("arxiv", "他们修改模型的激活。", "yynnn"),
    ],
)  # fmt: skip
def test_chinese_summaries_level_by_level(source: str, answer: str, levels: str) -> None:
    assert verdicts("mixed", source, answer, "zh") == levels


LONG = "Wipe it with a soft dry cloth every single day so that no dust or crumbs can ever scratch the wood."
CARE = [f"{number}. {LONG} {LONG}" for number in (1, 2, 3)]


@pytest.mark.parametrize(
    ("paragraphs", "levels", "official"),
    [
        ([*CARE, "Those are suggestions."], "nnnny", True),
        ([*CARE[:2], CARE[2] + " 'Those are suggestions.'"], "ynnny", False),
        (CARE, "yyyyn", False),
        (CARE[::-1], "yyynn", False),
        ([LONG, LONG, "Wipe it."], "yynnn", False),
        ([LONG, LONG, f"{LONG} {LONG} {LONG}"], "ynnnn", False),
        ([LONG, LONG], "nnnnn", False),
        ([], "nnnnn", False),
    ],
)  # fmt: skip
def test_advice_in_three_paragraphs(paragraphs: list[str], levels: str, official: bool) -> None:
    answer = "\n\n".join(paragraphs)
    assert verdicts("format", "helpful_base", answer, group=22) == levels
    assert rule("format", "helpful_base", 5, group=22).check(answer, official=True)[0] == official


def test_chinese_advice_in_three_paragraphs() -> None:
    said = "请您每天都要用柔软而干燥的布轻轻地擦拭桌子的表面。"
    lines = [f"{number}、{said}{said}" for number in (1, 2, 3)]
    assert verdicts("format", "helpful_base", "\n".join(lines), "zh", 22) == "yyyyn"
    assert verdicts("format", "helpful_base", "\n\n".join([*lines, "这些是建议。"]), "zh", 22) == "nnnny"
    longer = [line + said for line in lines]  # three sentences: level 2 allows them, level 4 does not
    assert verdicts("format", "helpful_base", "\n".join(longer), "zh", 22) == "yyynn"


DETAIL = "Innovation creates new jobs in every state and gives our people better pay."


@pytest.mark.parametrize(
    ("points", "levels"),
    [
        ([f"**Jobs**: {DETAIL}"] * 5, "yyyyy"),
        ([f"1. **Jobs**\n{DETAIL}"] * 5, "yyyyy"),
        ([f"* **Jobs** – {DETAIL}"] * 5, "yyyyy"),
        ([f"**Jobs**\n\n{DETAIL}"] * 5, "yyyyy"),
        ([f"**{DETAIL}**"] * 5, "yyyyn"),
        ([f"**Jobs**: {DETAIL.replace('new', 'newly')}"] * 5, "yyynn"),
        ([f"**Jobs**: {DETAIL}"] * 4 + ["**Pay**: It grows."], "yynnn"),
        ([f"**Jobs**: {DETAIL} {DETAIL}"] * 5, "ynnnn"),
        ([f"**Jobs**: {DETAIL}"] * 4, "nnnnn"),
    ],
)
def test_a_speech_with_five_points(points: list[str], levels: str) -> None:
    answer = "\n\n".join(["Good evening.", *points, "Thank you."])
    assert verdicts("format", "koala", answer, group=30) == levels


def test_the_official_speech_bans_the_characters_of_the_suffix() -> None:
    found = rule("format", "koala", 4, group=30)
    for word, official, strict in (("really", True, False), ("-ly", False, False), ("real", True, True)):
        answer = "\n\n".join([f"**Jobs**: {DETAIL}"] * 5) + f"\n\nThanks, {word} so."
        # The last block is no point, so only the suffix tells these answers apart.
        assert (found.check(answer, official=True)[0], found.check(answer)[0]) == (official, strict), word


@pytest.mark.parametrize(
    "piece", ["*", "**a", "1", "a", "' ", "$1", "is ", "1.", "\n\n", '"“', "在", " ", "(A", "one-", "**a**\nb\n", "a\n"]
)
def test_long_answers_of_one_piece_are_judged_at_once(piece: str) -> None:
    def check_all(answer: str) -> None:
        for language in get_args(Language):
            for source in SUMMARIES:
                rule("mixed", source, 5, "", language).check(answer)
            rule("format", "helpful_base", 5, "", language, 22).check(answer)
        for official in (True, False):
            rule("format", "koala", 5, "", "en", 30).check(answer, official=official)
            rule("situation", "gsm_8k", 1, "3美元", "zh").check(answer, official=official)
            rule("situation", "BBH_logical", 1, "(B)").check(answer, official=official)
            rule("example", "any", 1, "{instruction}\na{answer}").check(answer, official=official)

    assert grows_linearly(check_all, lambda count: piece * count, 30_000)
