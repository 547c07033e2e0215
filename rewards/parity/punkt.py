"""Sentences as NLTK's English Punkt model splits them, without NLTK and without its tables.

Punkt asks of every full stop before white space or a closing mark whether its word is an abbreviation, an initial,
a number or an ellipsis; if it is, the next word decides. What the model learned from newspapers about single words is
replaced by short lists: common abbreviations, and common words by whether they begin a sentence after one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice, pairwise
from unicodedata import category

from rewards.memo import Memo

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
_BLANKS = "\t\n\v\f\r "
# What the official engine holds to be white space; `\s` of `re` also has the four ASCII separators 1C-1F.
_WS = "\\t-\\r \\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
_BREAKING = "\\)\";}\\]*:@'({\\[‘’“”«»?!"
_CLOSING = "\"')\\]}‘’“”«»"


def _stops(words: frozenset[str], size: int) -> str:
    """Return a pattern for the last letters of the words, a full stop after them."""
    return "|".join(sorted({f"{word[-size:]}[.]" for word in words if word[-size:].isalpha() and len(word) >= size}))


# A mark that certainly ends a sentence: `?`, `!`, or a full stop after a word that is no abbreviation, a closing mark,
# a blank, or a number that a capital follows; then closing marks (group 1) and blanks, and no further closing mark.
# Else, before blanks, group 2 is the next chunk, which the match leaves out. Else group 3 is what follows the first
# mark of a chunk (up to ASCII white space), and group 4, which the match leaves out, the chunk after the gap. A mark
# inside a word or at the end of the text is skipped.
_MARK = re.compile(
    rf"[.?!](?:(?:(?<=[?!])(?:(?<=[^{_BLANK}].)[?!]*+)?+|(?<=[)\]}}\"”%*{_BLANK}][.])"
    rf"|(?<=[a-z]{{3}}[.])(?<!{_stops(_ABBREVIATIONS, 3)})"
    rf"|(?<=[{_BLANK}][a-z]{{2}}[.])(?<!{_stops(_ABBREVIATIONS, 2)})"
    rf"|(?<=[A-Z]{{4}}[.])(?<!{_stops(_ABBREVIATIONS, 4).upper()})"
    rf"|(?<=[0-9][.])(?=[{_BLANK}]+[A-Z])(?![{_BLANK}]+(?i:{'|'.join(sorted(_AFTER_NUMBER))})))"
    rf"([{_CLOSING}]*)[{_BLANK}]+(?=[^{_WS}{_CLOSING}\x1c-\x1f])"
    rf"|[{_BLANK}]++(?=([^{_WS}\x1c-\x1f][^{_WS}]*))"
    rf"|(?![A-Za-z0-9]|[{_WS}]*\Z)([^{_BLANK}]*)[{_WS}]*(?=([^{_WS}]*)))"
)
_CANDIDATE = re.compile(rf"[.?!](?=[{_BREAKING}]|[{_WS}]+[^{_WS}])")
_LAST_CANDIDATE = re.compile(rf"(?s:.*){_CANDIDATE.pattern}")
_CLOSERS = re.compile(rf"([{_CLOSING}]+?)(?:[{_WS}]+|(?=--)|$)", re.MULTILINE)
_GAP = re.compile(rf"[{_WS}]*")
_CHUNK = re.compile(rf"[^{_WS}]*")
_SPACE = re.compile(rf"[{_BLANK}]")

_MULTI = rf"-{{2,}}|\.{{2,}}|(?:\.[{_WS}]){{2}}\."
_WORD_END = rf"[{_WS}]|\Z|[{_BREAKING}]|{_MULTI}|,(?=\Z|[{_WS}]|[{_BREAKING}]|{_MULTI})"
_WORD = rf"(?:[^{_WS}{_BREAKING}.,-]++|(?!{_WORD_END})[^{_WS}])*"
_TOKEN = re.compile(rf"{_MULTI}|[^(\"`{{\[:;&#*@)}}\]\-,{_WS}]{_WORD}|[^{_WS}]")
_NUMBER = re.compile(r"-?[.,]?\d[\d,.\-]*")
_INSIDE = frozenset(";:,.!?")
_LONE_MARKS = frozenset(".?!")
_CLOSING_MARKS = frozenset("\"')]}‘’“”«»")

# What a token before a full stop asks of the next one, any of which ends the sentence, and what the next one gives.
_OPENER, _NO_NAME, _NO_HEADING, _ANYTHING, _BREAK_INSIDE, _CERTAIN = (1 << place for place in range(6))
_NOTHING, _ENDS = _BREAK_INSIDE, _ANYTHING | _BREAK_INSIDE


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
    start, size = 0, len(text.rstrip())
    after, after_end = "", 0
    for match in _MARK.finditer(text):
        kind = match.lastindex
        if kind == 1:
            yield start, match.end(1)
            start = match.end()
            continue
        mark, following = match.span()
        end = mark + 1 if kind == 2 else match.end(3)
        chunk = after if end == after_end else text[_chunk_start(text, mark) : end]
        after = match[kind or 4]
        after_end = following + len(after)
        if kind == 2:
            wanted = _WANTED[chunk]
            if wanted != _ENDS and not wanted & _GIVEN[after]:
                continue
            if after[0] not in _CLOSING_MARKS:
                yield start, end
                start = following
                continue
            breaks = [(end, following)]
        else:
            breaks = _breaks(text, chunk, end, following, after)
            if text[following - 1] not in _BLANKS:
                after_end = 0
        for end, following in breaks:
            closers = _CLOSERS.match(text, following, size) if text[following] in _CLOSING_MARKS else None
            yield start, closers.end(1) if closers else end
            start = closers.end() if closers else following
    if start < size:
        yield start, size


def _breaks(text: str, chunk: str, end: int, following: int, after: str) -> list[tuple[int, int]]:
    """Return the end of each sentence that ends in a chunk, and where what follows begins."""
    plan = _PLANS[chunk] if after else _planned(chunk, "")
    if end == len(chunk) + 1:  # an oddity of the official code
        plan = plan[-1:]
    if after.isspace() or (after[:1] == "." and chunk[-2:-1].isspace()):  # where tokens reach across the gap
        given = _BREAK_INSIDE if _breaks_inside(text[end - len(chunk) : following + len(after)]) else 0
    else:
        given = _GIVEN[after] if after else 0
    given |= _CERTAIN
    return [(end - left, end - rest if rest else following) for left, rest, wanted in plan if wanted & given]


def _planned(chunk: str, more: str = " x") -> list[tuple[int, int, int]]:
    """Return which marks of a chunk may end a sentence: only the last can, and the first if the chunk begins with it.

    For each, how many characters of the chunk are left after it, how many after white space, and what it asks for.
    """
    if chunk.rstrip(".").isalnum():
        return [(0, 0, _WANTED[chunk])] if more else []
    last = _LAST_CANDIDATE.match(chunk + more)
    if not last:
        return []
    final = _planned_mark(chunk, last.end())
    return [_planned_mark(chunk, 1), final] if last.end() > 1 and _CANDIDATE.match(chunk + more) else [final]


def _planned_mark(chunk: str, end: int) -> tuple[int, int, int]:
    size, following, stop = len(chunk), end, end + 1
    if not chunk[end:stop].strip():
        following = _skip(_GAP, chunk, end)
        stop = _skip(_CHUNK, chunk, following) if following > end else stop
    if following == size:
        return size - end, 0, _WANTED[chunk[:end]]
    return size - end, size - following, _CERTAIN if _any_ends(_TOKEN.findall(chunk[:stop])) else 0


def _skip(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


def _chunk_start(text: str, position: int) -> int:
    """Return the index after the last ASCII white space before `position`."""
    width = 32
    while True:
        low = max(0, position - width)
        last = text[low:position].rpartition(" ")[2].rpartition("\n")[2]
        if last and not last.isalnum():
            last = _SPACE.split(last)[-1]
        if len(last) < position - low or low == 0:
            return position - len(last)
        width *= 8


def _breaks_inside(context: str) -> bool:
    """Whether a token of the context, other than the last, ends a sentence."""
    return _any_ends([token for line in context.split("\n") if line.strip() for token in _TOKEN.findall(line)])


def _any_ends(tokens: list[str]) -> bool:
    if not _LONE_MARKS.isdisjoint(tokens[:-1]):
        return True
    return any(token[-1] == "." and _wanted_by(token) & _given_by(after) for token, after in pairwise(tokens))


def _wanted(chunk: str) -> int:
    """Return what a chunk that ends in a mark asks of the next one."""
    if chunk[:-1].isalnum():
        return _wanted_by(chunk) if chunk[-1] == "." else _ENDS
    if chunk.rstrip(".").isalnum():
        return _NOTHING | _OPENER
    tokens = _TOKEN.findall(chunk)
    return _ENDS if _any_ends(tokens) else _wanted_by(tokens[-1])


def _given(chunk: str) -> int:
    """Return what a chunk gives to a full stop before it."""
    if chunk.isalnum() or (chunk[-1] == "." and chunk[:-1].isalnum()):
        return _given_by(chunk)
    tokens = _TOKEN.findall(chunk)
    return _given_by(tokens[0]) | (_BREAK_INSIDE if _any_ends(tokens) else 0)


_PLANS = Memo(_planned)
_WANTED = Memo(_wanted)
_GIVEN = Memo(_given)


def _wanted_by(token: str) -> int:
    if token in _LONE_MARKS:
        return _ENDS
    if token[-1] != ".":
        return _NOTHING
    if len(token) == 2 and _is_letter(token[0]):
        return _NOTHING if token[0].lower() in _LETTERS else _NOTHING | _NO_NAME
    if not token.strip("."):
        return _NOTHING | _OPENER
    if token[-2] == ".":
        return _NOTHING
    if _NUMBER.fullmatch(token):
        return _NOTHING | _NO_HEADING
    return _NOTHING | _OPENER if _is_abbreviation(token) else _ENDS


def _given_by(token: str) -> int:
    if token in _INSIDE or token[0].islower():
        return _ANYTHING
    if not token[0].isupper():
        return _ANYTHING | _NO_HEADING | _NO_NAME
    kind = _kind(token)
    found = _ANYTHING if kind in _AFTER_NUMBER else _ANYTHING | _NO_HEADING
    if kind in _OPENING:
        found |= _OPENER
    # After an initial a capitalised word goes on, unless it is an ordinary word.
    ordinary = kind in _OPENING or kind in _ORDINARY or _ORDINARY_ENDING.fullmatch(kind)
    return found | _NO_NAME if ordinary and kind != "i" else found


def _is_abbreviation(token: str) -> bool:
    kind = token[:-1].lower()
    tail = kind.rpartition("-")[2]
    return kind in _ABBREVIATIONS or tail in _ABBREVIATIONS or tail in _LETTERS


def _kind(token: str) -> str:
    """Return the word type of a token: lower case, without a full stop that ends a sentence."""
    kind = token.lower()
    return kind[:-1] if len(kind) > 1 and kind[-1] == "." and not _is_abbreviation(token) else kind


def _is_letter(char: str) -> bool:
    if char.isascii():
        return char.isalpha() or char == "_"
    kind = category(char)
    return kind[0] in "LM" or kind in {"Nl", "Pc"} or "\u24b6" <= char <= "\u24e9"
