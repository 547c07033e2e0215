"""Text primitives of the parity profile; the expected values are those of NLTK 3.10.4 and the official splitter."""

from __future__ import annotations

import pytest

from rewards import memo
from rewards.parity import punkt, splitter, treebank
from tests.hostile import MIXTURES, random_hostile

SENTENCES = [
    ("", []),
    ("  \n ", []),
    ("No mark at all", ["No mark at all"]),
    ("One. Two.  Three.", ["One.", "Two.", "Three."]),
    ("no space.Here it merges", ["no space.Here it merges"]),
    ("lower case. goes on", ["lower case.", "goes on"]),
    (
        "Dr. Ada met Mrs. Lee on Jan. 5 at 9 a.m. in St. Louis.",
        ["Dr. Ada met Mrs. Lee on Jan. 5 at 9 a.m. in St. Louis."],
    ),
    ("He came at 5 p.m. However, nobody was there.", ["He came at 5 p.m.", "However, nobody was there."]),
    ("Use it, e.g. Here it breaks.", ["Use it, e.g.", "Here it breaks."]),
    ("J. K. Rowling wrote it. So did C. S. Lewis.", ["J. K. Rowling wrote it.", "So did C. S. Lewis."]),
    ("Vitamin C. The end.", ["Vitamin C. The end."]),
    ("Pick A. The rest is B. Smith went.", ["Pick A.", "The rest is B. Smith went."]),
    ("1. First item\n2. second item\n3. Third", ["1.", "First item\n2. second item\n3.", "Third"]),
    ("1. Review it.", ["1. Review it."]),
    ("It grew 3.5 percent to 2.75. Then it fell.", ["It grew 3.5 percent to 2.75.", "Then it fell."]),
    ("Born in 1990. She left.", ["Born in 1990.", "She left."]),
    ("Wait... What? So... however. Well... the end.", ["Wait... What?", "So... however.", "Well... the end."]),
    ("Really?! Yes!!! No...", ["Really?!", "Yes!!!", "No..."]),
    ("!!! ??? ...", ["!", "!!", "?", "??", "..."]),
    ("use !? now", ["use !", "?", "now"]),
    (" !! go", [" !!", "go"]),
    ('He said "Stop." Then he left.', ['He said "Stop."', "Then he left."]),
    ("(It works.) [Does it?] {Yes.} Fine", ["(It works.)", "[Does it?]", "{Yes.}", "Fine"]),
    ("“Curly.” «Chevron!» ‘Single?’ end", ["“Curly.”", "«Chevron!»", "‘Single?’", "end"]),
    ('He asked, "Why?" and left.', ['He asked, "Why?"', "and left."]),
    ("**Bold.** Next *one.* End", ["**Bold.", "** Next *one.", "* End"]),
    ("`code.py` runs. x.y() too", ["`code.py` runs.", "x.y() too"]),
    ("See https://a.org/b.html?c=d. It works.", ["See https://a.org/b.html?c=d.", "It works."]),
    ("中文句子。没有空格！还是一句？ 是. 对", ["中文句子。没有空格！还是一句？ 是.", "对"]),
    ("Wow! 🎉 Party. 🎈 Yes", ["Wow!", "🎉 Party.", "🎈 Yes"]),
    ("Line one.\nLine two\n\nLine three!", ["Line one.", "Line two\n\nLine three!"]),
    ("a.b.c. d", ["a.b.c.", "d"]),
    ("Inc. , then", ["Inc. , then"]),
    ("Mr. Yahoo!Inc is odd", ["Mr. Yahoo!Inc is odd"]),
    ("End. -- Dash", ["End.", "-- Dash"]),
    ('"End." -- Dash', ['"End."', "-- Dash"]),
    ("Café crème. Éclair. ñu", ["Café crème.", "Éclair.", "ñu"]),
    ("The non\xa0breaking. \xa0Gap here.", ["The non\xa0breaking.", "Gap here."]),
    ("Pre-Mr. Smith", ["Pre-Mr. Smith"]),
    ("sep\x1c. \x1c Next", ["sep\x1c.", "\x1c Next"]),
    ("One.\n\x1c Two. 3", ["One.\n\x1c Two.", "3"]),
    ("Who  rang the?I.\x85 --", ["Who  rang the?I.", "--"]),
    ("Mr.\xa0Lee left.\xa0He ran. Soon", ["Mr.\xa0Lee left.", "He ran.", "Soon"]),
    ("Ask the. The end! .) b", ["Ask the.", "The end!", ".)", "b"]),
    ("a.)\xa0b.) c. x", ["a.)\xa0b.)", "c. x"]),
    ("go .\xa0. . on", ["go .", ". .", "on"]),
    ('x." Yes.) No.\u3000Maybe', ['x."', "Yes.)", "No.", "Maybe"]),
    ("é. É. И. и. 花. 草", ["é. É. И. и.", "花.", "草"]),
    ("12. 34. The 5. who", ["12.", "34.", "The 5. who"]),
    ("e.g.?What. i.e. The", ["e.g.?What.", "i.e.", "The"]),
]

TOKENS = [
    ("It's 5 o'clock; don't you know?", ["It", "'s", "5", "o'clock", ";", "do", "n't", "you", "know", "?"]),
    (
        "I'd've gone, they'll go. We've won. 'Tis John's.",
        ["I'd", "'ve", "gone", ",", "they", "'ll", "go", ".", "We", "'ve", "won", ".", "'", "Tis", "John", "'s", "."],
    ),
    (
        "Cannot gonna GOTTA lemme wanna, d'ye more'n gimme",
        ["Can", "not", "gon", "na", "GOT", "TA", "lem", "me", "wan", "na", ",", "d", "'ye", "more", "'n", "gim", "me"],
    ),
    (
        '"Hello," she said. "(Go)" ""x""',
        ["``", "Hello", ",", "''", "she", "said", ".", "``", "(", "Go", ")", "''", "``", "''", "x", "''", "''"],
    ),
    ("Line\n\"quoted\" and ''double''", ["Line", "''", "quoted", "''", "and", "``", "double", "''"]),
    ("``x'' `y` ```z```", ["``", "x", "''", "`", "y", "`", "``", "`", "z", "``", "`"]),
    (
        "$3.88, 3,000:30 and 50% #1 @me & co; a:b a,b ,5 :x ,,y",
        [
            "$",
            "3.88",
            ",",
            "3,000:30",
            "and",
            "50",
            "%",
            "#",
            "1",
            "@",
            "me",
            "&",
            "co",
            ";",
            "a",
            ":",
            "b",
            "a",
            ",",
            "b",
            ",5",
            ":",
            "x",
            ",",
            ",y",
        ],
    ),
    (
        "well-known -- dash—em–en…dots.. and ...",
        ["well-known", "--", "dash", "—", "em", "–", "en…dots", "..", "and", "..."],
    ),
    ("«Bonjour» “hi” ‘a’ „b”", ["«", "Bonjour", "»", "“", "hi", "”", "‘", "a", "’", "„", "b", "”"]),
    (
        "(a)[b]{c}<d> *e* **f**",
        ["(", "a", ")", "[", "b", "]", "{", "c", "}", "<", "d", ">", "*", "e", "*", "*", "*", "f", "*", "*"],
    ),
    ("End with U.S. (yes.)", ["End", "with", "U.S", ".", "(", "yes", ".", ")"]),
    ("The dogs' bones' x's' y", ["The", "dogs", "'", "bones", "'", "x", "'s", "'", "y"]),
    ("rock 'n' roll 'em '90s 're", ["rock", "'n", "'", "roll", "'", "em", "'", "90s", "'re"]),
    ("f(x)=y* a/b\\c ~ ^ | _u_", ["f", "(", "x", ")", "=y", "*", "a/b\\c", "~", "^", "|", "_u_"]),
    ("中文，句子。don’t", ["中文，句子。don", "’", "t"]),
    ("A.\tB.\xa0C", ["A", ".", "B", ".", "C"]),
    ("\x00 \ud800. x", ["\x00", "\ud800", ".", "x"]),
    ("'S 'LL n't N'T can't CAN'T", ["'S", "'LL", "n't", "N'T", "ca", "n't", "CA", "N'T"]),
    (
        "É'y Xy' 'Ab dogs', CAN'T 's' x's'",
        ["É'y", "Xy", "'", "'", "Ab", "dogs", "'", ",", "CA", "N'T", "'s", "'", "x's", "'"],
    ),
    (
        'a"b ("c") `"d ""e 3..4--5---x ``y',
        "a '' b ( `` c '' ) ` `` d `` '' e 3 .. 4 -- 5 -- -x `` y".split(),
    ),
    ("D'YE more'n, cannot's X'Y. o'clock", "D 'YE more 'n , can not 's X'Y . o'clock".split()),
    ('“"a" ["b"] ,"; "." x.")', "“ `` a '' [ `` b '' ] , '' ; `` . '' x . '' )".split()),
    ("2²'s é's K'a ǅ", ["2²", "'s", "é", "'s", "K'a", "ǅ"]),
]

LINE_TOKENS = [
    ("It's 5 o'clock; don't you know?", ["It", "'s", "5", "o'clock", ";", "do", "n't", "you", "know", "?"]),
    (
        "I'd've gone, they'll go. We've won. 'Tis John's.",
        ["I'd", "'ve", "gone", ",", "they", "'ll", "go.", "We", "'ve", "won.", "'", "Tis", "John", "'s", "."],
    ),
    (
        "Cannot gonna GOTTA lemme wanna, d'ye more'n gimme",
        ["Can", "not", "gon", "na", "GOT", "TA", "lem", "me", "wan", "na", ",", "d", "'ye", "more", "'n", "gim", "me"],
    ),
    (
        '"Hello," she said. "(Go)" ""x""',
        ["``", "Hello", ",", "''", "she", "said.", "``", "(", "Go", ")", "''", "``", "''", "x", "''", "''"],
    ),
    ("Line\n\"quoted\" and ''double''", ["Line", "''", "quoted", "''", "and", "``", "double", "''"]),
    ("``x'' `y` ```z```", ["``", "x", "''", "`", "y", "`", "``", "`", "z", "``", "`"]),
    (
        "$3.88, 3,000:30 and 50% #1 @me & co; a:b a,b ,5 :x ,,y",
        [
            "$",
            "3.88",
            ",",
            "3,000:30",
            "and",
            "50",
            "%",
            "#",
            "1",
            "@",
            "me",
            "&",
            "co",
            ";",
            "a",
            ":",
            "b",
            "a",
            ",",
            "b",
            ",5",
            ":",
            "x",
            ",",
            ",y",
        ],
    ),
    (
        "well-known -- dash—em–en…dots.. and ...",
        ["well-known", "--", "dash", "—", "em", "–", "en…dots", "..", "and", "..."],
    ),
    ("Two stops. In one line.", ["Two", "stops.", "In", "one", "line", "."]),
]

UPPER = [
    ("", 0),
    ("nothing here", 0),
    ("I AM. You are NOT", 3),
    ("DON'T WANNA. IT'S. We CANNOT", 8),
    ("NASA's U.S. X-ray WELL-KNOWN X=4 Y", 5),
    ('iPhone USA! (A) "B" É 𝐀 中A', 6),
    ("U.S.'S x\x1cY'S", 4),
    ("It's 5 o'clock; don't you know?", 0),
    ("I'd've gone, they'll go. We've won. 'Tis John's.", 0),
    ("Cannot gonna GOTTA lemme wanna, d'ye more'n gimme", 2),
]

REGEX_SENTENCES = [
    ("", []),
    ("One. Two? Three!", ["One.", "Two?", "Three!"]),
    ("No mark", ["No mark"]),
    ("Dr. Ada and Mrs. B. Lee live on St. John's Ave. now", ["Dr. Ada and Mrs. B. Lee live on St. John's Ave.", "now"]),
    ("Visit a.com or b.org. Pi is 3.14. v1.2.3", ["Visit a.com or b.org.", "Pi is 3.14.", "v1.2.", "3"]),
    ("Wait... what.. ok", ["Wait...", "what..", "ok"]),
    ("Ph.D. of U.S. He left. U.S.A. it is. e.g. this", ["Ph.D. of U.S.", "He left.", "U.S.A. it is.", "e.g. this"]),
    ("Acme Inc. He sold. Acme Ltd. sold", ["Acme Inc", "He sold.", "Acme Ltd. sold"]),
    ('He said "Go." She said "Why?" and "No!" “Done.”', ['He said "Go".', 'She said "Why"?', 'and "No"!', "“Done”."]),
    ("x <prd> y <stop> z", ["x . y", "z"]),
    ("notes.txt and EaSt. wing", ["notes.", "txt and EaSt. wing"]),
    ("1. A\n2. B.\n\nC", ["1.", "A 2.", "B.  C"]),
    (" \tA. B. C. d.", ["A. B. C. d."]),
]

HOSTILE = [
    *".!?()\"'`*-,:\n\t \x00\x1c\ud800\u0301a中",
    "a.",
    ". ",
    "a. ",
    ".\n",
    "a'",
    '."',
    "1.2",
    "--",
    "<prd>",
    "cannot ",
]


@pytest.mark.parametrize(("text", "expected"), SENTENCES)
def test_sentences_are_those_of_punkt(text: str, expected: list[str]) -> None:
    assert punkt.sentences(text) == expected
    assert punkt.count_sentences(text) == len(expected)


@pytest.mark.parametrize(("text", "expected"), TOKENS)
def test_words_are_those_of_treebank(text: str, expected: list[str]) -> None:
    assert treebank.word_tokenize(text) == expected
    assert treebank.word_tokenize(text) == expected, "the remembered chunks give the same tokens"
    assert treebank.upper_count(text) == sum(token.isupper() for token in expected)


@pytest.mark.parametrize(("text", "expected"), LINE_TOKENS)
def test_one_line_has_one_final_stop(text: str, expected: list[str]) -> None:
    assert treebank.tokenize(text) == expected


@pytest.mark.parametrize(("text", "expected"), UPPER)
def test_upper_case_tokens_are_counted(text: str, expected: int) -> None:
    assert treebank.upper_count(text) == expected


@pytest.mark.parametrize(("text", "expected"), REGEX_SENTENCES)
def test_sentences_are_those_of_the_regex_splitter(text: str, expected: list[str]) -> None:
    assert splitter.sentences(text) == expected


@pytest.mark.parametrize("unit", HOSTILE)
def test_hostile_text_is_split_in_bounded_time(unit: str) -> None:
    text = unit * (20_000 // len(unit)) + "x"
    assert punkt.count_sentences(text) == len(punkt.sentences(text))
    assert treebank.upper_count(text) == 0
    assert len(treebank.word_tokenize(text)) <= len(text)
    assert splitter.sentences(text)


@pytest.mark.parametrize("text", random_hostile(3_000).values(), ids=MIXTURES)
def test_quick_ways_lead_where_the_rules_do(text: str) -> None:
    found = punkt.sentences(text)
    assert "".join("".join(found).split()) == "".join(text.split())
    assert punkt.count_sentences(text, 5) == min(5, len(found))
    tokens = [token for sentence in found for token in treebank._rewritten(sentence)]
    assert [token for sentence in found for token in treebank.tokenize(sentence)] == tokens
    assert treebank.word_tokenize(text) == tokens
    upper = sum(map(str.isupper, tokens))
    assert treebank.upper_count(text) == upper
    assert treebank.upper_count(text, 2) >= min(2, upper)


def test_a_full_memo_starts_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memo, "SIZE", 2)
    assert treebank.word_tokenize("seven new words stand in this line.")[-2:] == ["line", "."]
    assert len(treebank._INNER) <= 2
