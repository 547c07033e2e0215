"""What the families that count words, letters, numbers and sentences accept and refuse, case by case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import pytest

from rewards import Context, Response, Status, known_constraints, parse_constraint
from rewards.constraints.counting_emoji import count_emoji
from rewards.errors import RaifError
from rewards.numerals import find_numbers
from rewards.parity.equivalents import ifbench_words, ifeval_length, iftrain_words
from rewards.syllables import syllables
from rewards.text import Text
from rewards.verbs import is_verb
from rewards.wordforms import kind, written_words

FAMILIES = ("length", "letters", "counting", "ratio", "words", "sentences")
THAI = "สวัสดีครับ นี่คือภาษาไทย"


class Case(NamedTuple):
    """Arguments of a type with texts that satisfy and texts that violate it."""

    arguments: Mapping[str, Any]
    satisfied: tuple[str, ...]
    violated: tuple[str, ...]


def case(satisfied: tuple[str, ...], violated: tuple[str, ...], **arguments: Any) -> Case:
    return Case(arguments, satisfied, violated)


NO_Z = {"letter": "z", "let_frequency": 1, "let_relation": "less than"}
FOX = "The quick brown fox jumps over the lazy dog."
CASES: dict[str, Case] = {
    "length:min_words": case(("a b c", "今天好", "नमस्ते दुनिया नमस्ते"), ("a-b c", "- - - x", "今天"), limit=3),
    "length:max_words": case(("a b", "don't 3.14", "天气"), ("a b c", "a.b.c", "天气好"), limit=2),
    "length:words": case(("A well-known fact.", "天气好。", "\\frac{1}{2} it"), ("A fact.", "天气很好。"), count=3),
    "length:words_range": case(("a b", "a b c", "天气好"), ("a", "a b c d", "今天天气"), low=2, high=3),
    "length:about_words": case(
        ("a b c", "a b c d e", "今天天气"), ("a b", "a b c d e f", "今天"), target=4, tolerance_percent=25
    ),
    "length:min_unique_words": case(("a b c", "山高水"), ("a b A", "don't don’t x", "山山山水"), count=3),
    "length:min_characters": case(("abcd e", "天气很好。"), ("a  b\n c d", "天气好。"), limit=5),
    "length:max_characters": case(("a  b c", "e\u0301e\u0301e\u0301"), ("abcd", "天气好。"), limit=3),
    "length:characters_range": case(("ab", "a b c", "天气。"), ("a", "abcd", "天气很好"), low=2, high=3),
    "length:min_sentences": case(
        ("Dr. Lee came. He left.", "One\nTwo", "天晴了。走吧！", "क्या? हाँ।"),
        ("It costs $3.50 etc. in all.", "天晴了，走吧。"),
        limit=2,
    ),
    "length:max_sentences": case(
        ("It is 3.14, e.g. here.", "天晴了，走吧。"),
        ("It is. It was.", "```\nOne. Two.\n```", "天晴了。走吧。"),
        limit=1,
    ),
    "length:sentences": case(
        ("Is it? It is.", '"No!" He left.', "是吗？是的。"), ("Is it?", "a.b", "好。好。好。"), count=2
    ),
    "length:max_sentence_words": case(
        ("1. It is so. It was.", "天气好。走。"), ("It is. It was not so.", "天气很好。"), limit=3
    ),
    "length:min_sentence_words": case(
        ("It is so. It was so.", "天气好。下雨了。"), ("It is. It was not.", "走。"), limit=3
    ),
    "length:min_lines": case(("a\n\nb", "一\n二"), ("a", "a\n \n", "一。二。"), limit=2),
    "length:max_lines": case(("a b\n\n", "一。二。"), ("a\nb", "一\n\n二"), limit=1),
    "length:lines": case(("a\n\nb", "一\n二"), ("a", "a\nb\nc", "一二"), count=2),
    "length:max_line_characters": case(
        ("abcd\nef g", "  abcd  ", "天气很好"), ("abcde", "a\nab cd", "天气很好。"), limit=4
    ),
    "length:min_paragraphs": case(("a\n\nb", "a\r\n\r\nb", "一\n \n二"), ("a\nb", "a\n\n***", "一。二。"), limit=2),
    "length:max_paragraphs": case(("a\nb", "a\n\n---", "一\n二"), ("a\n\nb", "一\n\n二"), limit=1),
    "length:paragraphs": case(
        ("a\n***\nb", "***\na\n***\nb\n***", "a *** b", "一\n***\n二"),
        ("a\n\nb", "a ***b*** c", "a\n***\n***\nb", "a\n***\nb\n***\nc", "a\n---\nb"),
        count=2,
        separator="stars",
    ),
    "length:paragraph_sentences": case(
        ("Is it? Yes.\n\nIt is. Good.", "好。走。"), ("Is it? Yes.\n\nIt is.", "好。"), count=2
    ),
    "length:max_paragraph_words": case(("a b\n\nc d", "天气\n\n很好"), ("a b c", "a b\nc", "天气好"), limit=2),
    "length:composition": case(
        ("It rains.\n* * *\nWe stay.", "It rains.\n***\nWe stay.", "下雨。\n* * *\n回家。"),
        ("It rains.\n\nWe stay.", "It rains.\n* * *\nWe stay in.", "It rains. So.\n***\nWe stay.", "It rains."),
        paragraphs=2,
        sentences=1,
        words=2,
    ),
    "letters:min_frequency": case(
        ("Banana", "A a a", "他说banana"), ("An ant", "ááá", "\\alpha aa"), letter="a", count=3
    ),
    "letters:max_frequency": case(("Ann", "\\alpha b", "天气"), ("A a", "他说banana"), letter="a", count=1),
    "letters:frequency": case(("An ant", "他说aA"), ("An", "Banana"), letter="a", count=2),
    "letters:forbidden": case(("It is so.", "天气很好。", "\\beta is so"), ("EGG", "He is so."), letter="e"),
    "letters:min_letters": case(("abc!", "天气好", "ééé"), ("ab 123", "天气12"), limit=3),
    "letters:max_letters": case(("ab 123!", "天气12"), ("abc", "天气好"), limit=2),
    "letters:max_distinct_vowels": case(("That is it", "rhythm", "天气很好"), ("education", "a e í"), count=2),
    "counting:numbers": case(
        ("1,000 of 3.14", "1/2", "10:30", "1. a\n2. b", "第三天来了二十人", "有１２个和３个"),
        ("2024-01-15", "H2O and 5", "one two", "十分高兴，一起走了一个7", "1 2 3"),
        count=2,
    ),
    "counting:min_numbers": case(("5–6", "1e5 2", "三百里，二〇二四年"), ("7", "x1 y2", "一个，两样"), count=2),
    "counting:number_sequence": case(
        ("14, 21, 28", "14,21,28", "- 14\n- 21\n- 28", "依次是14、21、28。"),
        ("7 14 21 28", "1. 14\n2. 21\n3. 28", "28 21 14", "142128", "fourteen"),
        numbers=(14, 21, 28),
    ),
    "counting:conjunctions": case(
        ("and/or", "But now, FOR you", "山和水，但是很远", "“and” so"),
        ("and And and,", "band sort forest", "和平很美，但是远"),
        count=2,
    ),
    "counting:min_pronouns": case(
        ("She's hers", "it it", "我们和她"), ("theory", "he-he-he", "其他人的吉他，我"), count=2
    ),
    "counting:person_names": case(
        ("Emma's Liam", "Mia-Noah", "艾玛Emma和Ava"), ("Emma Emma", "EMMA liam", "Miami Avalon", "艾玛"), count=2
    ),
    "counting:min_emoji": case(("ok 👍🏽 🇫🇷", "1️⃣ 👨‍👩‍👧", "好😀😀"), ("👨‍👩‍👧 ok", "© ★ :)", "好😀"), count=2),
    "counting:max_emoji": case(("👨‍👩‍👧 ok", "© ✓ x", "好"), ("👍👍 x", "好😀😀"), count=1),
    "counting:emoji": case(("👍🏽 x", "❤️ x", "好😀"), ("x", "👍👍 x", "好★"), count=1),
    "counting:marks_all": case(
        ("So?! Yes, it: a; b. Wow! No?", "真的？！是，你看：好；走。好！去吗？"),
        ("So?! Yes, it: a; b.", "So. Yes, it: a; b! No?", "真的？！是，你看：好；走。"),
    ),
    "ratio:max_stop_words": case(
        ("Rivers carry the water", "河水流向大海"), ("It is the river", "don't go", "这是我的了"), percent=25
    ),
    "ratio:statements_to_questions": case(
        ("It is. So. Why?", "“It is. So.” (Why?)", "好。走。吗？"),
        ("Wow!", "no end mark", "It is. Why?", "好。吗？"),
        statements=2,
    ),
    "ratio:sentence_balance": case(
        ("(Yes.) No? Wow!", '"It is. Is it? It is!"', "是。吗？啊！"),
        ("words only", "Yes. No?", "Yes. Yes. No? Wow!", "是。吗？"),
    ),
    "ratio:overlap": case(
        ("The quick brown fox stays at", "the quick brown fox, well, is"),
        (FOX, "x y z", "hi", "天气很好"),
        reference=FOX,
        percent=50,
    ),
    "ratio:min_unique_share": case(("a b c", "山高水长"), ("a A", "the cat the cat", "高高兴兴"), percent=75),
    "words:max_repeats": case(("a b a", "好好学"), ("a A, a", "the the THE", "好好好"), limit=2),
    "words:unique": case(
        ("a. b! c?", "- well-known\n- well", "山高水长"),
        ("Run, run", "山外有山"),
    ),
    "words:max_lowercase": case(
        ("The river", "HELLO ok", "天气ok"), ("the river", "привет мир", "天气ok啊so"), limit=1
    ),
    "words:no_shared_initial": case(
        ("A cat runs.", "a — — b", "山高，水长"), ('"tall" tree', "red dog.\nDark", "山高，山大")
    ),
    "words:no_next_letter": case(("zebra apple", "banana apple", "1 2", "天气"), ("a boy", "cat\n“dog”", "а б")),
    "words:script_every_nth": case(
        ("a ことば b 言葉", "a 言葉 b 7"), ("a b", "a neko b neko", "one", "a 7 b 7"), every=2, script="japanese"
    ),
    "words:start_verb": case(
        ("Go home.", '"Consider this."', "WALK NOW", "Whirring by, it stops.", "请看。"),
        ("The dog.", "Morning comes.", "Work is fun.", "我看。"),
    ),
    "words:alphabetical": case(("Young zebras are big.", "“Apple” **bread**"), ("apple candy", "a-b c", "天气", "a 2")),
    "words:consonant_cluster": case(("This sky - bright!", "well-built"), ("This is", "stone 42", "天气很好")),
    "words:prime_lengths": case(("It's the river", "好的，很清楚"), ("This", "re-do it", "天气很好")),
    "words:min_word_length": case(("They don't know", "很清楚，没问题"), ("They do", "好的，没问题"), limit=3),
    "words:max_word_length": case(("a-b it's", "很清楚"), ("They never", "没有问题"), limit=3),
    "words:palindromes": case(
        ("A civic radar.", "level,kayak", "上海自来水来自海上，蜜蜂采蜂蜜。"),
        ("Level level", "noon mom", "radar's level's", "aaaaa bbbbb"),
        count=2,
    ),
    "words:syllables_alternate": case(
        ("The river runs.", "cat river sun market", "好的，很清楚"), ("river water", "the the", "你好，世界")
    ),
    "sentences:increment": case(
        ("It rains. It rains hard.", "1. Go on.\n2. Go on now.", "好。走吧。"),
        ("It rains.", "It rains. So it does, too.", "好。我们走吧。"),
        step=1,
    ),
    "sentences:growing": case(
        ("It rains. It rains so hard.", "好。我们走吧。"), ("It rains.", "It is. So be it. Now.", "走吧。好。"), step=1
    ),
    "sentences:equal_length": case(
        ("Cats nap. Dogs run.", "“Cats nap. Dogs run.”", "猫爱鱼。狗看门。"),
        ("Cats nap. Cats run.", "Cats nap.", "Cats. Doggy.", "猫爱鱼。狗爱鱼。"),
        count=2,
    ),
    "sentences:initials": case(
        ('"Give it." Off we go.', "1. Give.\n2. Offer.", "**Go. On.**"),
        ("Give it off.", "Off. Give.", "Give. Off. Now."),
        letters="go",
    ),
    "sentences:alliteration": case(
        ("We go. Big bears run. Six silly seals.", "A cat. “Big” bears."),
        ("Big bears run.", "Big bears. Tiny toads.", "We go. Big big. No.", "天天好。"),
    ),
    "sentences:min_alliteration": case(
        ("Big brown bears.", "他说big brown bears"), ("big big big", "Big bears. Brown", "大大大"), count=3
    ),
    "sentences:chain": case(
        ('I see "Tom." Tom, he left.', "**We run. Run, now.**", "前面有山。山上有树。"),
        ("I see Tom.", "I see Tom. Tom's here.", "有山。有树。"),
    ),
}
TABLE = [
    (name, number, status)
    for name, one in CASES.items()
    for status, texts in ((Status.SATISFIED, one.satisfied), (Status.VIOLATED, one.violated))
    for number in range(len(texts))
]


@pytest.mark.parametrize(("name", "number", "status"), TABLE)
def test_verdict(name: str, number: int, status: Status) -> None:
    one = CASES[name]
    text = (one.satisfied if status is Status.SATISFIED else one.violated)[number]
    verdict = parse_constraint({"type": name, **one.arguments}).check(Response(None, text), Context())
    assert verdict.status is status, (text, verdict)


def test_every_type_of_these_families_has_cases() -> None:
    assert {name for name in known_constraints() if name.partition(":")[0] in FAMILIES} == CASES.keys()
    assert all(len(one.satisfied) > 1 and len(one.violated) > 1 for one in CASES.values())


@pytest.mark.parametrize("name", ["length:min_words", "length:sentences", "sentences:chain", "words:unique"])
def test_scripts_that_do_not_separate_words_are_unscored(name: str) -> None:
    constraint = parse_constraint({"type": name, **CASES[name].arguments})
    assert constraint.check(Response(None, THAI), Context()).status is Status.UNSCORED


def test_words_that_no_list_knows_are_unscored() -> None:
    for name, text in (("words:start_verb", "Water boils."), ("words:syllables_alternate", "The brr 1234 так")):
        verdict = parse_constraint({"type": name}).check(Response(None, text), Context())
        assert verdict.status is Status.UNSCORED
        assert verdict.evidence


@pytest.mark.parametrize(
    "bad",
    [
        {"type": "length:words_range", "low": 5, "high": 4},
        {"type": "length:characters_range", "low": 5, "high": 4},
        {"type": "counting:person_names", "count": 3, "names": ["Ann", "Bo"]},
        {"type": "ratio:overlap", "reference": "too short", "percent": 50},
        {"type": "sentences:initials", "letters": "a b"},
        {"type": "letters:forbidden", "letter": "!"},
    ],
)
def test_arguments_that_contradict_each_other_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(RaifError, match="bad arguments"):
        parse_constraint(bad)


@pytest.mark.parametrize(
    ("translate", "kwargs", "wanted"),
    [
        (ifeval_length.words, {"num_words": 8.0, "relation": "less than"}, "length:max_words"),
        (ifeval_length.letter_frequency, NO_Z, "letters:forbidden"),
        (iftrain_words.letters, {"N": 5, "relation": "at least"}, "letters:min_letters"),
        (ifbench_words.word_range, {"min_words": 3.0, "max_words": 5.0}, "length:words_range"),
    ],
)
def test_official_arguments_become_types(
    translate: Callable[[Mapping[str, Any]], Mapping[str, Any]], kwargs: dict[str, Any], wanted: str
) -> None:
    assert parse_constraint(translate(kwargs)).type == wanted
    assert ifeval_length.words({"num_words": 8.0, "relation": "less than"})["limit"] == 7


def test_helpers_on_tricky_text() -> None:
    assert find_numbers("AB12 3rd 1,2,3 ٣ v2.0") == ["3", "1", "2", "3", "٣"]
    assert count_emoji(Text("🏳️‍🌈🏴󠁧󠁢󠁥󠁮󠁧󠁿👩🏽‍💻#️⃣")) == 4
    assert kind("Really?! 🎉”") == "question"
    assert written_words(Text("नमस्ते 你好,世界 \\boxed{x_y}")) == ("नमस्ते", "你好", "世界", "x", "y")
    assert [sorted(syllables(word)) for word in ("wanted", "jumped", "table", "safety")] == [[2], [1], [2], [2]]
    assert [is_verb(word) for word in ("Don't", "Nicely", "Trying", "Cats")] == [True, False, True, None]
