"""Language identification: script first, then the n-gram profiles of langdetect without its random draws."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from rewards.detector import closest

#: ISO 639-1 codes that `language:response` accepts, with their names in English and Chinese.
LANGUAGES: dict[str, tuple[str, str]] = {
    "en": ("English", "英语"), "zh": ("Chinese", "中文"), "es": ("Spanish", "西班牙语"),
    "pt": ("Portuguese", "葡萄牙语"), "fr": ("French", "法语"), "de": ("German", "德语"),
    "it": ("Italian", "意大利语"), "ru": ("Russian", "俄语"), "bg": ("Bulgarian", "保加利亚语"),
    "ja": ("Japanese", "日语"), "ko": ("Korean", "韩语"), "ar": ("Arabic", "阿拉伯语"),
    "fa": ("Persian", "波斯语"), "ur": ("Urdu", "乌尔都语"), "hi": ("Hindi", "印地语"),
    "mr": ("Marathi", "马拉地语"), "ne": ("Nepali", "尼泊尔语"), "bn": ("Bengali", "孟加拉语"),
    "pa": ("Punjabi", "旁遮普语"), "gu": ("Gujarati", "古吉拉特语"), "ta": ("Tamil", "泰米尔语"),
    "te": ("Telugu", "泰卢固语"), "kn": ("Kannada", "卡纳达语"), "ml": ("Malayalam", "马拉雅拉姆语"),
    "th": ("Thai", "泰语"), "vi": ("Vietnamese", "越南语"), "he": ("Hebrew", "希伯来语"),
    "uk": ("Ukrainian", "乌克兰语"), "pl": ("Polish", "波兰语"),
    "sw": ("Swahili", "斯瓦希里语"), "fi": ("Finnish", "芬兰语"), "nl": ("Dutch", "荷兰语"),
}  # fmt: skip

_UNIQUE_SCRIPT = {
    "HIRAGANA": "ja", "KATAKANA": "ja", "HANGUL": "ko", "BENGALI": "bn", "GURMUKHI": "pa", "GUJARATI": "gu",
    "TAMIL": "ta", "TELUGU": "te", "KANNADA": "kn", "MALAYALAM": "ml", "THAI": "th", "HEBREW": "he",
}  # fmt: skip
_SHARED_SCRIPT = {
    "LATIN": frozenset("en es pt fr de it vi sw fi nl pl".split()),
    "CYRILLIC": frozenset({"ru", "bg", "uk"}),
    "ARABIC": frozenset({"ar", "fa", "ur"}),
    "DEVANAGARI": frozenset({"hi", "mr", "ne"}),
}
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_WEIGHTS = {"CJK": 4, "HIRAGANA": 3, "KATAKANA": 3, "HANGUL": 2}  # letters of an alphabet that say as much
MIN_LETTERS = 20  # below this many letters n-grams guess between languages of one script
_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalpha())


class Guess(NamedTuple):
    """The language of a text, or None with the reason why it cannot be decided."""

    language: str | None
    reason: str


@lru_cache(maxsize=65536)
def _script(character: str) -> str:
    return unicodedata.name(character, "UNKNOWN").split()[0]


@lru_cache(maxsize=16)  # asked twice for one response: may it be the language, and which is it
def _scripts(prose: str) -> Counter[str]:
    """Count the letters of each script, weighted by how much one says."""
    plain = len(prose.encode("ascii", "ignore").translate(None, _NO_LETTERS))
    scripts = Counter({"LATIN": plain} if plain else {})
    if prose.isascii():
        return scripts
    for character, times in Counter(_NOT_ASCII.findall(prose)).items():
        if character.isalpha():
            script = _script(character)
            scripts[script] += times * _WEIGHTS.get(script, 1)
    return scripts


@lru_cache(maxsize=16)  # the constraints of one response ask one after another
def guess_language(prose: str) -> Guess:
    """Guess the language of prose from its scripts and, within one script, from langdetect.

    Pass text without mathematics and code (`Text.prose`); formulas are what misleads detectors most.

    Example:
        >>> guess_language("汤姆现在有七个苹果。").language
        'zh'
        >>> guess_language("12 + 7")
        Guess(language=None, reason='no letters')
    """
    scripts = _scripts(prose)
    if not scripts:
        return Guess(None, "no letters")
    if scripts["HIRAGANA"] + scripts["KATAKANA"] > 0.1 * scripts.total():
        return Guess("ja", "kana")
    main, count = scripts.most_common(1)[0]
    if count <= 0.5 * scripts.total():
        return Guess(None, f"no script has a majority: {dict(scripts.most_common(3))}")
    if main == "CJK":
        return Guess("zh", "Han characters")
    if main in _UNIQUE_SCRIPT:
        return Guess(_UNIQUE_SCRIPT[main], f"{main.title()} script")
    if main not in _SHARED_SCRIPT:
        return Guess(None, f"{main.title()} script is not among the known languages")
    if count < MIN_LETTERS:
        return Guess(None, f"{count} {main.title()} letters are too few to tell languages apart")
    return _detect(prose, _SHARED_SCRIPT[main])


def _detect(prose: str, candidates: frozenset[str]) -> Guess:
    # Restricting the candidates to languages of the script keeps Latin text from becoming, say, Indonesian.
    found = closest(prose.lower(), candidates)
    if found is None:
        return Guess(None, "the detector found no features")
    return Guess(found.language, f"detected with probability {found.probability:.2f}")


def script_allows(prose: str, language: str) -> bool:
    """Tell whether the main script of the text can be the given language at all."""
    scripts = _scripts(prose)
    if not scripts:
        return False
    main = scripts.most_common(1)[0][0]
    if main == "CJK":
        return language in {"zh", "ja"}
    if main in _UNIQUE_SCRIPT:
        return _UNIQUE_SCRIPT[main] == language
    return language in _SHARED_SCRIPT.get(main, frozenset())
