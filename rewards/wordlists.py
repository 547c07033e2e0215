"""Closed lists of words that verifiers look up: names, conjunctions, pronouns, stop words."""

from __future__ import annotations

#: First names that `counting:person_names` asks for unless it is given others.
NAMES = {
    "en": tuple(
        "Emma Liam Sophia Jackson Olivia Noah Ava Lucas Isabella Mason Mia Ethan Charlotte Alexander Amelia"
        " Benjamin Harper Leo Zoe Daniel Chloe Samuel Lily Matthew Grace Owen Abigail Gabriel Ella Jacob"
        " Scarlett Nathan Victoria Elijah Layla Nicholas Audrey David Hannah Christopher Penelope Thomas Nora"
        " Andrew Aria Joseph Claire Ryan Stella Jonathan".split()
    ),
    "zh": tuple("小明 小红 小华 小丽 大伟 建国 秀英 志强 晓梅 文静 子轩 雨桐".split()),
}

#: Coordinating conjunctions, each with a sentence that uses it and no other.
CONJUNCTIONS = {
    "en": {
        "and": "It is short and clear.",
        "but": "It is short but complete.",
        "for": "It is worth a look, for it is short.",
        "nor": "It is not long, nor is it hard.",
        "or": "Read it once or twice.",
        "so": "It is short, so read on.",
        "yet": "It is simple yet useful.",
    },
    "zh": {
        "和": "步骤和结果都在这里。",
        "或者": "读一遍或者两遍都行。",
        "但是": "这很短，但是很完整。",
        "而且": "这很短，而且好懂。",
        "所以": "这很短，所以好懂。",
        "因此": "步骤不多，因此很快。",
        "然而": "然而这并不难。",
        "以及": "先看题目以及条件。",
        "并且": "这很短，并且好懂。",
        "可是": "这很短，可是很有用。",
        "与": "步骤与结果都在这里。",
        "或": "读一遍或两遍都行。",
        "但": "这很短，但很完整。",
        "而": "这很短而好懂。",
        "及": "先看题目及条件。",
    },
}

#: Chinese words that hold the character of a conjunction and are none.
NO_CONJUNCTIONS = tuple(
    "和平 和谐 和气 和解 和睦 和蔼 和尚 温和 饱和 缓和 总和 参与 给与 授与 与其 与否 或许 及时 及格 及早 普及"
    " 涉及 波及 来得及 来不及 反而 从而 而已 而今 不但 但愿".split()
)

#: English pronouns; in a contraction (`she's`) the part before the apostrophe is looked up.
PRONOUNS = frozenset(
    "i me we us you he him she her it they them my mine our ours your yours his hers its their theirs myself"
    " ourselves yourself yourselves himself herself itself themselves oneself this that these those who whom"
    " whose which what whoever whomever whatever whichever anybody anyone anything everybody everyone"
    " everything nobody nothing somebody someone something each either neither both all some any none".split()
)

#: English function words; contractions of them (`don't`, `it's`) count too.
STOP_WORDS = frozenset(
    # articles, pronouns and determiners
    "a an the i me my myself we us our ours ourselves you your yours yourself yourselves he him his himself she her"
    " hers herself it its itself they them their theirs themselves this that these those who whom what which"
    " all any both each few more most other some such no own same"
    # forms of to be, to have, to do and the modal verbs
    " am is are was were be been being have has had having do does did doing will can should"
    # prepositions
    " of at by for with about against between into through during before after above below to from up down in out on"
    " off over under until"
    # conjunctions, negations and small adverbs
    " and but if or because as while nor not only so than too very just now then once here there when where"
    " why how again further".split()
)
#: Chinese function characters: particles, prepositions, pronouns and small adverbs.
STOP_CHARACTERS = frozenset("的了着过是在和与及或而但也都就还很这那我你他她它们之其于以为被把对从到向给吗呢吧啊么且则")

#: The endings of contractions, as the last part of a word.
CONTRACTIONS = frozenset("s t d ll m re ve".split())

#: For each letter a word that holds it once.
LETTER_WORDS = {
    "a": "man",
    "b": "cab",
    "c": "city",
    "d": "day",
    "e": "red",
    "f": "fun",
    "g": "gold",
    "h": "hot",
    "i": "big",
    "j": "jump",
    "k": "kind",
    "l": "late",
    "m": "moon",
    "n": "one",
    "o": "so",
    "p": "park",
    "q": "quick",
    "r": "run",
    "s": "sun",
    "t": "time",
    "u": "up",
    "v": "van",
    "w": "wind",
    "x": "box",
    "y": "yard",
    "z": "zone",
}
#: Words that share few letters, for texts that must do without some.
SPARE_WORDS = ("yes", "ok", "an", "him", "sun", "cub", "fly", "why")
#: Twenty-six words from a to z that make a sentence.
ALPHABET_WORDS = tuple(
    "a bold captain drew every fish going home in jars keeping little maps near old piers quiet rivers shone"
    " then under violet winds xebecs yawed zigzagging".split()
)
#: Palindromes of five letters or more, by language (in Chinese each stands between marks or blanks).
PALINDROMES = {
    "en": tuple(
        "level radar civic kayak rotor refer madam tenet stats solos sagas minim racecar deified reviver".split()
    ),
    "zh": tuple(
        "上海自来水来自海上 黄山落叶松叶落山黄 雾锁山头山锁雾 天连水尾水连天 人人为我我为人人"
        " 我为人人人人为我 山西悬空寺空悬西山 花莲喷水池水喷莲花 画中人中画 蜜蜂采蜂蜜 牛奶产奶牛 油灯少灯油".split()
    ),
}
