"""A fast, private langdetect: the same profiles, the same seeded draws, the same label, without its global state.

langdetect (Shuyo 2010; the Python port 1.0.9) draws n-grams of a text at random and multiplies their probabilities
until one of 55 languages stands out, seven times over. Its detector walks over the text character by character and
shares one unseeded generator. Here the n-grams of a word are looked up once and remembered, the draws come from a
generator seeded for each text, and the trials stop as soon as the remaining ones cannot change the winner.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Collection
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
_CERTAIN = 0.99999
_BLOCKS, _BLOCK = 20, 50  # a thousand n-grams after the first; the products of fifty cannot vanish
_STREAM = 32_768  # 32-bit words: seven trials of 1,001 draws, of which up to half are refused, and 12 Gaussians' worth


class Detection(NamedTuple):
    """The most likely language with its mean probability over the trials."""

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
        self._rows_of_word = lru_cache(maxsize=65536)(self._look_up)

    def _fill(self, column: int, frequencies: dict[str, int], totals: list[int]) -> None:
        """Enter the n-grams of one language, as shares of all its n-grams of the same length."""
        known = [
            (self.rows[gram], count / totals[len(gram) - 1]) for gram, count in frequencies.items() if len(gram) < 4
        ]
        rows, shares = zip(*known, strict=True)
        self.matrix[list(rows), column] = shares

    def grams(self, text: str) -> list[int]:
        """Return the rows of the known n-grams of a normalised text, in langdetect's order."""
        *words, last = text.split(" ")
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
    found = most_likely(text)
    return found.language if found else None


def most_likely(text: str, candidates: Collection[str] = ()) -> Detection | None:
    """Return the most likely language of a text, among the candidates if any are given.

    Returns `unknown` where no language reaches a probability of 0.1, and None where the text has no known n-gram.
    """
    profiles = _profiles()
    grams = profiles.grams(_prepare(text, profiles))
    if not grams:
        return None
    allowed = np.array([not candidates or language in candidates for language in profiles.languages], dtype=float)
    prior, draws = allowed / allowed.sum(), _Draws()
    totals = np.zeros(len(prior))
    for left in range(_TRIALS - 1, -1, -1):
        totals += _trial(grams, profiles.matrix, prior, draws) / _TRIALS
        second, first = np.partition(totals, -2)[-2:]
        if first > second + left / _TRIALS:
            break
    best = int(totals.argmax())
    probability = float(totals[best]) * _TRIALS / (_TRIALS - left)
    return Detection(profiles.languages[best], probability) if totals[best] > 0.1 else Detection("unknown", 0.0)


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


def _trial(grams: list[int], matrix: Array, prior: Array, draws: _Draws) -> Array:
    """Multiply the probabilities of n-grams drawn at random until one language has nearly everything.

    langdetect looks at the shares after the first n-gram and after every fifth of the following thousand. Here the
    n-grams are drawn in blocks, and the first look at which a language stands out is found afterwards.
    """
    weight = (0.5 + draws.gauss() * 0.05) / 10_000
    (first,), (draws.position,) = draws.indices(len(grams), 1)
    shares: Array = prior * (matrix[grams[first]] + weight)
    shares /= shares.sum()
    for _ in range(_BLOCKS):
        if shares.max() > _CERTAIN:
            break
        indices, positions = draws.indices(len(grams), _BLOCK)
        factors = matrix[[grams[index] for index in indices]] + weight
        fives = factors[0::5] * factors[1::5] * factors[2::5] * factors[3::5] * factors[4::5]
        fives[0] *= shares
        looks = np.multiply.accumulate(fives, axis=0)
        certain = looks.max(axis=1) > _CERTAIN * looks.sum(axis=1)
        look = int(certain.argmax()) if certain.any() else len(looks) - 1
        shares = looks[look] / looks[look].sum()
        draws.position = positions[5 * look + 4]
    return shares
