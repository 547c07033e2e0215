"""Whether a text starts with a verb in the eyes of the tagger that the official verdicts rest on.

The tagger takes a capitalised word for a name unless what follows speaks for a verb: "Use the" starts with a verb,
"Use words" does not. Two small scales reproduce that: how much a word needs, and how much the next token gives.
They agree with the tagger on about 98 in 100 openings of English texts.
"""

from __future__ import annotations


def is_verb(tokens: list[str]) -> bool:
    """Return whether the first token of a text is tagged as a verb.

    Example:
        >>> [is_verb(text.split()) for text in ("Use the map", "Use maps", "Whirring and pulsing", "The map")]
        [True, False, True, False]
    """
    if len(tokens) == 1 and tokens[0].lower() in _VERBS_ALONE:
        return True
    return bool(tokens) and _given_by(tokens[1:2]) >= _needed_by(tokens[0])


def _given_by(following: list[str]) -> int:
    if not following:
        return 5
    token = following[0].lower()
    if token in _GIVEN:
        return _GIVEN[token]
    return 7 if token[0].isdigit() else 2 if token.endswith(("s", "ing")) else 0


def _needed_by(token: str) -> int:
    word = token.lower()
    if token in _NEEDED_BY_MARK:
        return _NEEDED_BY_MARK[token]
    if token == word:
        return _ALWAYS if word in _PLAIN_VERBS else _NEEDED.get(word, _by_ending(word) + 2) - 2
    if token == word.capitalize():
        return _NEEDED.get(word, _by_ending(word))
    return min(_NEEDED[word] + 4, 14) if word in _NEEDED else _NEVER


def _by_ending(word: str) -> int:
    long = len(word) > 4 and word.isalpha() and word not in _NO_VERBS
    return -3 if long and word.endswith(("ing", "ed")) else _NEVER


def _by_word(levels: dict[int, str]) -> dict[str, int]:
    return {word: level for level, words in levels.items() for word in words.split()}


_ALWAYS, _NEVER = -9, 99
_NO_VERBS = frozenset({"during", "indeed", "united"})

_NEEDED_WORDS = {
    -9: """
        according based being book categorize consider considering customize feeling following give given has
        including is king let lies lost made morning purchase rate regarding ring shares sing something speaking
        string structure take tap thing using
    """,
    0: """
        built call do evening expect have keep known pretend prioritize put rinse see sold taken throw try utilize
    """,
    5: """
        apologize arise assign assist assume attract be begin benefit capitalize catch check clarify classify
        develop does emphasize encourage engage estimate exist explain extend gain get go grow had hold italicize
        lead leave left lend link listen look lose love maximize minimize need optimize organize paid participate
        pay perform persuade play please prefer preserve produce promise promote propose protect prove provide
        publish pursue raise read realize recognize recommend remove reset resolve retain reverse revolutionize save
        send soar specify spend spring summarize switch symbolize teach tell tend think told transform verify
        visualize wake want watch weave welcome
    """,
    9: """
        adopt affect agree appeal append apply assure attempt attend bake bend blend boost borrow bring build came
        cherish choose collect come compose connect constitute contain continue contribute converse correct defend
        deliver depend deserve detect drink emerge evaluate evolve examine extract finish forget gone help identify
        improve join learn leverage lie lift live locate make note notify offer open operate own pack peak peel
        polish ponder pose pour prepare proofread pull recall receive redefine reduce refer refine reflect reject
        remain reply require resonate respect respond return reveal ride rise rotate secure seed seek serve shift
        shows simplify sketch sleep solve stay steal step stop stretch suppose sweep talk thank track train
        translate turn twist update visit work yield
    """,
    11: """
        achieve alleviate appreciate are articulate ask attack become believe break broke buy calculate care
        celebrate challenge change clean combine communicate compare compete compute concentrate conduct confirm
        construct consume contact control convey cook copy cover create cut debate deduce define delve demonstrate
        denote derive determine display dive draw drift drive elaborate enable enhance enjoy escape establish expand
        feel felt generate govern grab greet guess handle heal held hit hundred include increase infer inform
        inspect investigate involve lack lease limit list maintain manage mean merge modify move negotiate paint
        paraphrase perceive pick plant possess present prevent print push quit reach red refresh relaunch relax
        remember rent repeat rephrase represent research result retrieve review rewrite roam run said say seem
        select sell sent separate shine show simulate speak speed spread stack stand start state steer substitute
        subtract supply support tackle test thought treat use wish
    """,
    13: """
        absorb acquire add admit allow am announce answer appear argue arrange assemble assert attach avoid balance
        behold breed broken burn carry cause cease chase chop command commit complete conclude confess convert craft
        cry decide declare deny describe destroy deter discover discuss disrupt divide eat email employ empty
        exclude express fall feed focus follow form gather grasp guide hear hesitate hide illuminate illustrate
        imagine immerse imply incorporate infiltrate inspire install integrate interact intertwine introduce jump
        know label lay lit lock meet mitigate multiply navigate observe obtain order outline overcome pass pause
        refuse reload remind repair replace report reside rest restore satisfy scan seen set sit skip split stir
        strive study suggest summon swap swim tie torn travel type understand unfold upgrade uphold walk wander warn
        win withstand wrap write written
    """,
    14: "hope",
}
_NEEDED = _by_word(_NEEDED_WORDS)
_VERBS_ALONE = frozenset(
    """
    absorb achieve add adopt agree allow append appear apply ask attend become believe bring build buy choose collect
    come compete compose continue decide defend depend drink follow govern handle identify improve learn locate make
    open prepare receive reduce remember run sell simplify solve stop suppose win write written
    """.split()
)
_NEEDED_BY_MARK = {"*": 14, "[": 12, "|": 14, "+": 14, "“": 12, "•": 14}

_PLAIN_VERBS = frozenset(
    """
    according acquire adds am appears are assume based be became been began begun being believes built came comes
    consider considering continues did disclose do does done ensure establish expect expects fell follows gave gets
    given gives go goes gone grew had has have holds improve includes including intends is keep known lost made
    makes obtain owns paid provides reduce reflects replace represents requires rose run said says seems seen sells
    shown sold succeeds taken takes took using wants was went were written wrote
    """.split()
)

_GIVEN = _by_word(
    {
        -5: "is was 's has would also said got & ( ' ;",
        -4: "of ) .",
        -3: "are and",
        -2: ", have",
        3: "you each in for $ most into no after shall using any",
        4: "can then at did must both more now new to i",
        5: "careful sure she all two her every might just such down who even ... } he",
        7: "with an `` these one there from by much other ? off : that on my us how",
        9: "! up yourself when if their our n't its some",
        12: "the your his about this me what them out",
        13: "it",
        14: "a",
    }
)
