"""Sentences as NLTK's English Punkt model splits them, without NLTK and without its tables.

Punkt asks of every full stop before white space or a closing mark whether its word is an abbreviation, an initial,
a number or an ellipsis; if it is, the next word decides. What the model learned from newspapers about single words is
replaced by short lists: common abbreviations, and common words by whether they begin a sentence after one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from unicodedata import category

_ABBREVIATIONS = frozenset(
    """
    a.m adm ave bros chg cie co col corp cos ct dec dr ft gen inc jr lt ltd maj messrs mg mr mrs ms ok p.m ph.d prof rep
    reps sen sr st sw va vs w.va yr a.d a.a d.c l.a m.b.a u.k u.n u.s u.s.a u.s.s.r c.v n.v s.a s.p.a a.c h.m
    jan feb aug sep sept oct nov tues wed fri ala ariz calif colo conn fla ga ill kan ky mich minn nev okla ore pa tenn
    vt wash wis n.c n.d n.h n.j n.m n.y s.c d.h e.f e.l e.m g.k j.c j.j j.k j.p j.r l.p r.i r.j
    r.k w.c w.w
    """.split()
)
# A stop after one of these letters never ends a sentence; after the others it depends on the next word.
_LETTERS = frozenset("cdefghklmnprstvw")
# Newspaper headings: "1. Review ..." stays in one sentence.
_AFTER_NUMBER = frozenset(
    "business commodities corrections credit dividend financing insider international leisure letters notable "
    "review who".split()
)

# Ordinary words that, capitalised after an abbreviation or an ellipsis, begin a sentence.
_OPENING = frozenset(
    """
    able above absolutely according adding address addressing aim almost along although altogether always among
    amount analysis ancient anyone anything application apply applying approach arrange article artificial ask
    assert assume assuming attention audience available awareness bachelor basic basil basket begin behind behold
    being believe beneath besides better between beyond body borrow both bread break bright build but calculate call
    camera cancel candidate capture carry certainly challenges character characters check choose chorus circuit
    clarity clerk clever cloud cold collaborate collaboration combined combining communicate compare complain
    complete compliance conclusion conditions conduct consider considering consistency constraints contact contain
    contains content context copy correct cost course craft create creating critics cultural curious currently
    customer dark decrease deep define definition deliver describe description designed designing desktop despite
    details determine develop developing different discover discuss discussion distant dive dividing doctor does
    dogs double dynamic eager early echoes echoing efficiency either elements else emotional emotions emphasizing
    encourage encouraging engage engagement engineer engineers enhanced enjoy enough ensure enter entire equation
    establish established ethical evaluation even event ever example examples excellent exercise expand experience
    explain explanation explore extract eyes fade familiar families famous fashion fear feature features feeling
    figure file final finally finish flexibility focusing follow following format furthermore gather generate
    generated gentle gift given giving global gratitude gravity growing happy he headline heavy helps hence her here
    hers highlight him historical hollow honest hour hours however i idea ideal if image imagine implement
    implementation implemented importance improve improved improving in include including incorporate incorporating
    incorrect increased indeed individuals ingredients initial innovation innovative input inside instead
    instructions into introducing invest it journey kids kitchen knowledge known lack ladder language leaders learn
    least lemon length lets letters lies list listen living looking maintain manage many meanwhile mental mention
    message mind mine minimal minute mix moment moreover morning most multiple mysteries narrative narrow nature
    need needs negative neighbor neither nevertheless non nor note nothing number numbers nuts objective objectives
    ocean odd okay onto opportunities ordinary original overall partial participate patient peer per perfect
    performance person personal phone physical play please points political position positive potential pounds
    powerful practice prepare present private problem process product program programming prompt protect prove
    provide provided provides psychological publisher put question questions rapid rarely reality reasoning
    recognize reflect reflecting refrain regarding regular regularly remember requirements respect respond response
    result results right rob rough sailor same scene schedule score script season section seemed select semester
    sense sentence separate separated setting shadow shared significant similarly simple sin since sincerely single
    skills slowly smooth so socially sodium solar solution solve solving some someone sometimes soon sorry species
    specific specifically speed spend started starting staying steady step still stories string structure style
    substitution subtracting such suddenly suggest sum suppose taking tall task tea teacher teaching team
    technological ten terms text thank thanks the them theoretical theory there therefore these they think this
    though thought through throughout thus tips title together tomorrow traditional transfer translate treat trees
    true try trying turn type ultimately under understand unfortunately unique unless unlike upon us user using
    utilize various very vibrant village virtual wait warm weekend weight welcome were wet when whereas whether
    which while whom wide window wisdom within without words working writer writing written yes yesterday yet your
    zero
    """.split()
)
# Ordinary words that do not (they stand in names and titles too). Neither list holds names or rare words.
_ORDINARY = frozenset(
    """
    a ability about account across act action add added additional advanced after again against age all also am an
    and another answer any are armed around art as assistant at avoid away b back background balance bank based be
    bears beautiful beauty because been before below benefits best big bill black blue book books born brief budget
    building business buy by c called can candy capital case cat cats central century certain change children
    chocolate city class clean clearly close code coffee color come common community company complex computer
    concept continue control coordinating costs could count cover current customers d dance data day days decision
    democratic der design development did do dog don down dry during each easy economic education end energy engine
    environmental error evening every everyone everything false family far farmer feel few field financial find
    first five focus food for forest form foster found four free fresh friends from full function future game garden
    gas general get gets getting give go good got government grace gradually great green group growth guide had half
    hammer harbor hard has have having health heart heat help hey hidden high his history home hope how human ice
    identify impact includes increase information intelligence interest international introduce introduction is
    issues its job join just keep keeping key know knowing land large last late later lead learning left legal less
    let letter level life light like limit limited line lines little local long look lost love lower machine made
    magic main major make making man mark market marketing mass materials may maybe me means measure meet memory
    methods might military minutes mirror model models modern money monitor month more move movie much music must my
    name named natural near network networking never new news next night no nobody none not notice now of off offer
    offering offers often old on once one only open option options or order other others our out output outside over
    own paper part pay peace people perhaps perspective place plan planning plus pocket point policy popular
    possible post power president price principles produce professional project public quality quickly quiet quite
    rather reach read real really records red reduce reducing reference report request research resources rest
    return review rice risk road rock role rose run running s safety said salt save say science scientists search
    second security see seek service set several share sharp she short should show shows signal silver six sleep
    slide small social soft software something somewhere south space special sports star stars start state stay
    steps stone stop story strategies strong student students study subject summary summer sun support sure system
    systems table take talk tasks techniques technology tell test tests than that their theme then third those three
    time times to today too total toward trade training transportation travel trust twice two understanding universe
    until up urban use used usually value visit want was watch water way we week well what whatever wheel where
    white who whose why will winter with word work world would write year years you young
    """.split()
)
_ORDINARY_ENDING = re.compile(r".{3,}(?:ing|ed|[st]ion|ment|[ae]nce|[ae]nt|ous|ive|ure)|.{4,}ly")

_BLANK = "\\t-\\r "
# What the official engine holds to be white space; `\s` of `re` also has the four ASCII separators 1C-1F.
_WS = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
_BREAKING = "\\)\";}\\]*:@'({\\[‘’“”«»?!"
_CLOSING = "\"')\\]}‘’“”«»"


def _stops(words: frozenset[str], size: int) -> str:
    """Return a pattern for the last letters of the words, a full stop after them."""
    return "|".join(sorted({f"{word[-size:]}[.]" for word in words if word[-size:].isalpha() and len(word) >= size}))


# A mark that certainly ends a sentence: `?`, `!`, or a full stop after a word that is no abbreviation, a closing mark,
# a blank, or a number that a capital follows; then closing marks (group 1) and blanks, and no further closing mark.
# Else, group 2 is what follows the first mark of a chunk (up to ASCII white space), and group 3, which the match leaves
# out, the chunk after the gap. A mark inside a word or at the end of the text is skipped.
_MARK = re.compile(
    rf"[.?!](?:(?:(?<=[?!])(?:(?<=[^{_BLANK}].)[?!]*+)?+|(?<=[)\]}}\"”%*{_BLANK}][.])"
    rf"|(?<=[a-z]{{3}}[.])(?<!{_stops(_ABBREVIATIONS, 3)})"
    rf"|(?<=[{_BLANK}][a-z]{{2}}[.])(?<!{_stops(_ABBREVIATIONS, 2)})"
    rf"|(?<=[A-Z]{{4}}[.])(?<!{_stops(_ABBREVIATIONS, 4).upper()})"
    rf"|(?<=[0-9][.])(?=[{_BLANK}]+[A-Z])(?![{_BLANK}]+(?i:{'|'.join(sorted(_AFTER_NUMBER))})))"
    rf"([{_CLOSING}]*)[{_BLANK}]+(?=[^{_WS}{_CLOSING}\x1c-\x1f])"
    rf"|(?![A-Za-z0-9]|[{_WS}]*\Z)([^{_BLANK}]*)[{_WS}]*(?=([^{_WS}]*)))"
)
_CANDIDATE = re.compile(rf"[.?!](?=[{_BREAKING}]|[{_WS}]+[^{_WS}])")
_LAST_CANDIDATE = re.compile(rf"(?s:.*){_CANDIDATE.pattern}")
_CLOSERS = re.compile(rf"[{_CLOSING}]+?(?:[{_WS}]+|(?=--)|$)", re.MULTILINE)
_GAP = re.compile(rf"[{_WS}]*")
_CHUNK = re.compile(rf"[^{_WS}]*")
_SPACE = re.compile(rf"[{_BLANK}]")
_LONG = 10_000  # characters from which on it pays to remember decisions
_NEAR = 8  # characters before a mark that mostly hold the start of its chunk

_MULTI = rf"-{{2,}}|\.{{2,}}|(?:\.[{_WS}]){{2}}\."
_WORD_END = rf"[{_WS}]|\Z|[{_BREAKING}]|{_MULTI}|,(?=\Z|[{_WS}]|[{_BREAKING}]|{_MULTI})"
_TOKEN = re.compile(rf"{_MULTI}|[^(\"`{{\[:;&#*@)}}\]\-,{_WS}](?:(?!{_WORD_END})[^{_WS}])*|[^{_WS}]")
_NUMBER = re.compile(r"-?[.,]?\d[\d,.\-]*")
_INSIDE = frozenset(";:,.!?")
_CLOSING_MARKS = frozenset("\"')]}‘’“”«»")

# For each break, counted from a mark: the end of the sentence without closing marks, the start of what follows, and
# whether that begins with a closing mark.
_Breaks = list[tuple[int, int, bool]]


def sentences(text: str) -> list[str]:
    """Split a text as `nltk.sent_tokenize` does.

    Example:
        >>> sentences("Dr. Ada left at 5 p.m. on Monday. She was tired.")
        ['Dr. Ada left at 5 p.m. on Monday.', 'She was tired.']
        >>> sentences('"Stop!" he said. 1. Nobody did...')
        ['"Stop!"', 'he said.', '1.', 'Nobody did...']
    """
    return [text[start:end] for start, end in spans(text)]


def iter_sentences(text: str) -> Iterator[str]:
    """Yield the sentences one by one, for checks that are often certain after a few.

    Example:
        >>> next(iter_sentences("One. Two? Three"))
        'One.'
    """
    return (text[start:end] for start, end in spans(text))


def count_sentences(text: str, limit: int | None = None) -> int:
    """Count the sentences of a text, up to a limit.

    Example:
        >>> count_sentences("One. Two? Three"), count_sentences("One. Two? Three", 2)
        (3, 2)
    """
    return len(list(islice(spans(text), limit)))


def spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield start and end of each sentence; closing quotes and brackets belong to the sentence they close."""
    known: dict[str, _Breaks] | None = {} if len(text) > _LONG else None
    start, size = 0, len(text.rstrip())
    for match in _MARK.finditer(text):
        if match.lastindex == 1:
            yield start, match.end(1)
            start = match.end()
            continue
        mark = match.start()
        for end, following, is_closed in (
            _known_breaks(text, match, known) if known is not None else _breaks(text, match)
        ):
            closers = _CLOSERS.match(text, mark + following, size) if is_closed else None
            yield start, closers.start() + len(closers[0].rstrip()) if closers else mark + end
            start = closers.end() if closers else mark + following
    if start < size:
        yield start, size


def _known_breaks(text: str, match: re.Match[str], known: dict[str, _Breaks]) -> _Breaks:
    """Return the breaks of a chunk; what was decided for the same characters in this text is decided for these."""
    mark = match.start()
    if mark <= _NEAR:
        return _breaks(text, match)
    key = text[mark - _NEAR : match.end(3)]
    found = known.get(key)
    if found is None:
        found = _breaks(text, match)
        if _SPACE.search(key, 0, _NEAR):  # else the start of the chunk matters too
            known[key] = found
    return found


def _breaks(text: str, match: re.Match[str]) -> _Breaks:
    """Return what each sentence that a mark of this chunk ends has after the mark that the match begins with.

    Only the last possible mark of a chunk counts, and the first if the chunk begins with it.
    """
    mark, following = match.span()
    if not match[2] and following > mark + 1:
        context = text[_chunk_start(text, mark) : match.end(3)]
        return [(1, following - mark, text[following] in _CLOSING_MARKS)] if _is_break(context) else []
    gaps = [(end, _skip(_GAP, text, end)) for end in _ends(text, mark, following + 1)]
    return [
        (end - mark, following - mark, text[following : following + 1] in _CLOSING_MARKS)
        for end, following in gaps
        if _is_break(_context(text, end, following))
    ]


def _ends(text: str, mark: int, limit: int) -> list[int]:
    first = _CANDIDATE.search(text, mark, limit)
    last = first and _LAST_CANDIDATE.match(text, first.start(), limit)
    if not first or not last:
        return []
    place = first.start()
    opens_chunk = last.end() > first.end() and _chunk_start(text, place) == place != 1
    return [first.end(), last.end()] if opens_chunk else [last.end()]


def _skip(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


def _context(text: str, end: int, following: int) -> str:
    """Return the chunk up to a mark and what follows: the next chunk, or the next character where no gap does."""
    stop = _skip(_CHUNK, text, following) if following > end else end + 1
    return text[_chunk_start(text, end - 1) : stop]


def _chunk_start(text: str, position: int) -> int:
    """Return the index after the last ASCII white space before `position`."""
    if position and text[position - 1] in " \n":
        return position
    width = 32
    while True:
        low = max(0, position - width)
        last = _SPACE.split(text[low:position])[-1]
        if len(last) < position - low or low == 0:
            return position - len(last)
        width *= 8


def _is_break(context: str) -> bool:
    return _remembered(context) if len(context) <= 64 else _breaks_inside(context)


def _breaks_inside(context: str) -> bool:
    """Whether a token of the context, other than the last, ends a sentence."""
    tokens = [token for line in context.split("\n") if line.strip() for token in _TOKEN.findall(line)]
    return any(map(_is_end, tokens, tokens[1:]))


_remembered = lru_cache(maxsize=4096)(_breaks_inside)


def _is_end(token: str, after: str) -> bool:
    """Decide one token by itself and by the token after it."""
    if token in {".", "?", "!"}:
        return True
    if token[-1] != ".":
        return False
    if not token.strip("."):
        return _begins_sentence(after)
    if token.endswith(".."):
        return False
    if len(token) == 2 and _is_letter(token[0]):
        return token[0].lower() not in _LETTERS and not _continues_initial(after)
    if _NUMBER.fullmatch(token):
        return not (_is_inside(after) or _kind(after) in _AFTER_NUMBER)
    return not _is_abbreviation(token) or _begins_sentence(after)


def _is_abbreviation(token: str) -> bool:
    kind = token[:-1].lower()
    tail = kind.rpartition("-")[2]
    return kind in _ABBREVIATIONS or tail in _ABBREVIATIONS or tail in _LETTERS


def _begins_sentence(token: str) -> bool:
    return token[0].isupper() and _kind(token) in _OPENING


def _continues_initial(token: str) -> bool:
    """Whether the token goes on after an initial: a lower-case word, or a capitalised one that is no ordinary word."""
    if _is_inside(token) or not token[0].isupper():
        return _is_inside(token)
    kind = _kind(token)
    return kind == "i" or not (kind in _OPENING or kind in _ORDINARY or _ORDINARY_ENDING.fullmatch(kind))


def _is_inside(token: str) -> bool:
    return token in _INSIDE or token[0].islower()


def _kind(token: str) -> str:
    """Return the word type of a token: lower case, without a full stop that ends a sentence."""
    kind = token.lower()
    return kind[:-1] if len(kind) > 1 and kind[-1] == "." and not _is_abbreviation(token) else kind


def _is_letter(char: str) -> bool:
    if char.isascii():
        return char.isalpha() or char == "_"
    kind = category(char)
    return kind[0] in "LM" or kind in {"Nl", "Pc"} or "\u24b6" <= char <= "\u24e9"
