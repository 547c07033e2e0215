"""Two readings of langdetect's language profiles: its own label, quickly, and the most probable of some candidates.

langdetect (Shuyo 2010; the Python port 1.0.9) draws n-grams of a text at random and multiplies their probabilities
until one of 55 languages stands out, seven times over. Its detector walks over the text character by character and
shares one unseeded generator. Here the n-grams of a word are looked up once and remembered, the draws come from a
generator seeded for each text, and the trials stop as soon as the remaining ones cannot change the winner.
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import NamedTuple

import numpy as np
from langdetect.detector import Detector
from langdetect.detector_factory import PROFILES_DIRECTORY
from langdetect.utils.ngram import NGram
from numpy.typing import NDArray

Array = NDArray[np.float64]
_LATIN = re.compile(r"[A-z]")  # the range of langdetect, the six marks between Z and a included
_BEYOND_LATIN = re.compile("[\u0300-\U0010ffff]")
_CAPITALS = re.compile(r"[^\W\d_a-z]{2}")  # may be two capitals
_SPACES = re.compile(" {2,}")
_MAX_CACHED_WORD = 40
_TRIALS = 7
_WEIGHT = 0.5 / 10_000  # what an n-gram counts in a language that does not know it
_SAMPLE = 100  # words
_CERTAIN = 0.99999
_BLOCKS, _BLOCK = 20, 50  # a thousand n-grams after the first; the products of fifty cannot vanish
_STREAM = 32_768  # 32-bit words: seven trials of 1,001 draws, of which up to half are refused, and 12 Gaussians' worth


class Detection(NamedTuple):
    """The most probable language among the candidates, with its share of the probability."""

    language: str
    probability: float


class _Characters(dict[int, str]):
    """Translation table to langdetect's character classes, filled as characters are met."""

    def __missing__(self, code: int) -> str:
        normal: str = NGram.normalize(chr(code))
        self[code] = normal
        return normal


class _Profiles:
    """The n-gram probabilities of all languages, a row for each n-gram, and the rows of the words met so far."""

    def __init__(self) -> None:
        files = [path for path in sorted(Path(PROFILES_DIRECTORY).iterdir()) if not path.name.startswith(".")]
        profiles = [json.loads(path.read_bytes()) for path in files]
        self.languages = tuple(str(profile["name"]) for profile in profiles)
        grams = dict.fromkeys(gram for profile in profiles for gram in profile["freq"])
        self.rows = {gram: row for row, gram in enumerate(grams)}
        self.matrix = np.zeros((len(self.rows), len(profiles)))
        for column, profile in enumerate(profiles):
            self._fill(column, profile["freq"], profile["n_words"])
        self.characters = _Characters()
        self._logarithms: dict[frozenset[str], tuple[tuple[str, ...], Array]] = {}
        self._rows_of_word = lru_cache(maxsize=65536)(self._look_up)

    def _fill(self, column: int, frequencies: dict[str, int], totals: list[int]) -> None:
        """Enter the n-grams of one language, as shares of all its n-grams of the same length."""
        known = [
            (self.rows[gram], count / totals[len(gram) - 1]) for gram, count in frequencies.items() if len(gram) < 4
        ]
        rows, shares = zip(*known, strict=True)
        self.matrix[list(rows), column] = shares

    def logarithms(self, candidates: frozenset[str]) -> tuple[tuple[str, ...], Array]:
        """Return the candidates that have a profile, and the smoothed log-probabilities under them."""
        if candidates not in self._logarithms:
            columns = [column for column, language in enumerate(self.languages) if language in candidates]
            smoothed = np.log(self.matrix[:, columns] + _WEIGHT)
            self._logarithms[candidates] = tuple(self.languages[column] for column in columns), smoothed
        return self._logarithms[candidates]

    def grams(self, words: list[str]) -> list[int]:
        """Return the rows of the known n-grams of normalised words, in langdetect's order."""
        *words, last = words
        found: list[int] = []
        for word in words:
            if word:
                found += self._rows_of_word(word, True) if len(word) < _MAX_CACHED_WORD else self._look_up(word, True)
        return found + self._look_up(last, False) if last else found

    def _look_up(self, word: str, closed: bool) -> list[int]:
        """Return the rows of one word; `closed` when a blank follows, which n-grams then include."""
        padded, get = (f" {word} " if closed else f" {word}"), self.rows.get
        capital = _CAPITALS.search(word) is not None
        found: list[int | None] = []
        for end in range(1, len(padded)):
            if capital and padded[end].isupper() and padded[end - 1].isupper():
                continue  # inside a word in capitals
            last = end + 1
            # One, two and three characters that end here; a blank alone says nothing.
            if padded[end] != " ":
                found.append(get(padded[end]))
            found.append(get(padded[end - 1 : last]))
            if end > 1:
                found.append(get(padded[end - 2 : last]))
        return [row for row in found if row is not None]


class _Draws:
    """The draws of `random.Random(0)` from any place of its stream, without walking through it.

    Every text starts a generator of its own with the same seed, so the stream is the same 32-bit words each time:
    `getrandbits(k)` takes the upper k bits of one word, `random()` two words, and `gauss()` makes two values at once.
    """

    def __init__(self) -> None:
        self._words = _stream()
        self.position = 0
        self._spare: float | None = None

    def gauss(self) -> float:
        if self._spare is not None:
            value, self._spare = self._spare, None
            return value
        angle, radius = self._random() * math.tau, math.sqrt(-2.0 * math.log(1.0 - self._random()))
        self._spare = math.sin(angle) * radius
        return math.cos(angle) * radius

    def _random(self) -> float:
        high, low = self._words[self.position : self.position + 2].tolist()
        self.position += 2
        return float(((high >> 5) * 67108864 + (low >> 6)) * (1.0 / 9007199254740992.0))

    def indices(self, size: int, count: int) -> tuple[list[int], list[int]]:
        """Return the next `count` indices below `size`, and where the stream stands after each of them."""
        bits = size.bit_length()
        begin, length = self.position, 2 * count + 64
        while True:
            candidates = self._words[begin : begin + length] >> np.uint32(32 - bits)
            taken = (candidates < size).nonzero()[0][:count]
            if len(taken) == count or begin + length >= _STREAM:
                return candidates[taken].tolist(), (taken + (begin + 1)).tolist()
            length *= 2


@lru_cache(maxsize=1)
def _profiles() -> _Profiles:
    return _Profiles()


@lru_cache(maxsize=1)
def _stream() -> NDArray[np.uint32]:
    generator = Random(0)
    return np.array([generator.getrandbits(32) for _ in range(_STREAM)], dtype=np.uint32)


def detect(text: str) -> str | None:
    """Return the label that langdetect with seed 0 gives, or None where it finds no features.

    Example:
        >>> detect("The cat sat on the mat and looked at the moon."), detect("12345")
        ('en', None)
    """
    profiles = _profiles()
    grams = profiles.grams(_prepare(text, profiles).split(" "))
    if not grams:
        return None
    draws, totals = _Draws(), np.zeros(len(profiles.languages))
    for left in range(_TRIALS - 1, -1, -1):
        totals += _trial(grams, profiles.matrix, draws) / _TRIALS
        second, first = np.partition(totals, -2)[-2:]
        if first > second + left / _TRIALS:
            break
    best = int(totals.argmax())
    return profiles.languages[best] if totals[best] > 0.1 else "unknown"


def closest(text: str, candidates: frozenset[str]) -> Detection | None:
    """Return the candidate under whose n-grams a text is most probable, or None where no n-gram is known.

    All words count, or an even sample of a long text; nothing is drawn at random.

    Example:
        >>> closest("La casa es muy grande y bonita.", frozenset({"en", "es", "pt"})).language
        'es'
    """
    profiles = _profiles()
    words = _prepare(text, profiles).split(" ")
    rows = profiles.grams(words[:: 1 + len(words) // _SAMPLE])
    if not rows:
        return None
    languages, logarithms = profiles.logarithms(candidates)
    scores = logarithms[rows].sum(axis=0)
    best = int(scores.argmax())
    return Detection(languages[best], float(1.0 / np.exp(scores - scores[best]).sum()))


def _prepare(text: str, profiles: _Profiles) -> str:
    """Return the text as langdetect sees it: no addresses, one blank at a time, characters normalised."""
    if "://" in text:
        text = Detector.URL_RE.sub(" ", text)
    if "@" in text:
        text = Detector.MAIL_RE.sub(" ", text)
    if not text.isascii():
        text = NGram.normalize_vi(text)
    text = _SPACES.sub(" ", text[:10_000])
    if not text.isascii() and 2 * len(_LATIN.findall(text)) < _beyond_latin(text):
        text = _LATIN.sub("", text)
    return text.translate(profiles.characters)


def _beyond_latin(text: str) -> int:
    found = _BEYOND_LATIN.findall(text)
    return sum(not "\u1e00" <= character <= "\u1eff" for character in found)


def _trial(grams: list[int], matrix: Array, draws: _Draws) -> Array:
    """Multiply the probabilities of n-grams drawn at random until one language has nearly everything.

    langdetect looks at the shares after the first n-gram and after every fifth of the following thousand. Here the
    n-grams are drawn in blocks, and the first look at which a language stands out is found afterwards.
    """
    weight = (0.5 + draws.gauss() * 0.05) / 10_000
    indices, positions = draws.indices(len(grams), 1 + _BLOCK)
    factors = matrix[[grams[index] for index in indices]] + weight
    looks = np.empty((1 + _BLOCK // 5, matrix.shape[1]))
    looks[0] = factors[0]  # all languages are alike before the first n-gram
    for block in range(_BLOCKS):
        if block:
            indices, positions = draws.indices(len(grams), _BLOCK)
            factors, positions = matrix[[grams[index] for index in [0, *indices]]] + weight, [0, *positions]
        looks[1:] = factors[1::5] * factors[2::5] * factors[3::5] * factors[4::5] * factors[5::5]
        shares: Array = np.multiply.accumulate(looks, axis=0, out=looks)
        certain = shares.max(axis=1) > _CERTAIN * shares.sum(axis=1)
        look = int(certain.argmax())
        if certain[look]:
            break
        look = len(looks) - 1
        draws.position = positions[5 * look]
        looks[0] = shares[look] / shares[look].sum()
    draws.position = positions[5 * look]
    final: Array = shares[look] / shares[look].sum()
    return final
