"""The two tenses that FollowBench asks for, by their forms: an auxiliary and a participle, in Chinese a particle."""

from __future__ import annotations

import re

_BETWEEN = r"(?:\s+(?:not|now|still|also|just|already|always|never|again|currently|[a-z]+ly)){0,2}\s+"
_PARTICIPLES = (
    "been become begun bought broken brought built caught chosen come cut done drawn driven earned eaten fallen felt"
    " fought found flown forgotten given gone got gotten grown had heard held hit hurt kept known laid led left lent"
    " let lost made meant met paid put read risen run said seen sent set shown shut sold sought spent spoken spread"
    " stood stolen stuck sung sworn taken taught thought thrown told understood withdrawn won worn written"
).replace(" ", "|")
_NO_PARTICIPLES = "ongoing|nothing|something|anything|everything|king|thing|morning|evening|string|spring"
_IS = r"(?:\b(?:am|is|are)|(?:it|he|that|there)['’]s|['’](?:m|re))"
_PATTERNS = {
    ("perfect", "en"): rf"\b(?:has|have|['’]ve){_BETWEEN}(?:[a-z]{{2,20}}ed|{_PARTICIPLES})\b",
    ("progressive", "en"): rf"{_IS}{_BETWEEN}(?!(?:{_NO_PARTICIPLES})\b)[a-z]{{2,20}}ing\b",
    ("perfect", "zh"): "已|了|过",
    ("progressive", "zh"): "正|着|在.{1,12}中",
}
_TENSES = {key: re.compile(pattern, re.IGNORECASE) for key, pattern in _PATTERNS.items()}


def has_tense(text: str, tense: str, language: str) -> bool:
    """Return whether a text has a present perfect or present progressive form; `tense` is perfect or progressive.

    Example:
        >>> has_tense("She has recently won it.", "perfect", "en"), has_tense("She has a cup.", "perfect", "en")
        (True, False)
        >>> has_tense("Work is ongoing.", "progressive", "en"), has_tense("他们正在修路。", "progressive", "zh")
        (False, True)
    """
    return _TENSES[tense, language].search(text) is not None
