"""What is written: words, numbers and made-up strings; none belongs to two parts.

A word belongs to the part that a hash of its letters and digits names, in whatever case and with whatever marks it is
set, so a word that is met in training is never met in validation or test. Numbers and made-up strings obey the same
rule: they are drawn until one belongs to the part.
"""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

import numpy as np

from paribus.data.split import Split

CONSONANTS = "bcdfghjklmnprstvwz"
VOWELS = "aeiou"
MARKS = ("{}!", "{}.", "{}?", "{},", "{}:", "({})", "'{}'", "{}'s", "-{}-", "#{}", "{} &")
_SHARES = 20


def part_of(word: str) -> Split:
    """Return the part that *word* belongs to: 14 of 20 words are for training, 3 each for validation and test."""
    plain = "".join(letter for letter in word.lower() if letter.isalnum())
    place = int.from_bytes(hashlib.sha256(plain.encode()).digest()[:4], "little") % _SHARES
    return "train" if place < 14 else "validation" if place < 17 else "test"


@cache
def words(split: Split) -> tuple[str, ...]:
    """Return the words of a part, in lower case and in the order of the list."""
    listed = (files(__package__) / "words.txt").read_text(encoding="ascii").split()
    return tuple(word for word in listed if part_of(word) == split)


def draw_word(split: Split, random: np.random.Generator, longest: int = 14) -> str:
    """Draw a word of a part, in one of the usual cases: of 1 to *longest* letters, not counting marks.

    Where none of the kind that was drawn is short enough, it is a word of the list; the shortest of the part, of two or
    three letters, where *longest* is less than that.
    """
    kind = random.random()
    for _ in range(400):
        if kind < 0.80:
            listed = words(split)
            word = listed[int(random.integers(len(listed)))]
        else:
            word = _number(random) if kind < 0.92 else _invented(random)
        if len(word) <= longest and part_of(word) == split:
            break
    else:
        listed = words(split)
        short = [one for one in listed if len(one) <= longest] or [min(listed, key=len)]
        word = short[int(random.integers(len(short)))]
    case = random.random()
    word = word.upper() if case < 0.48 else word.capitalize() if case < 0.76 else word
    if random.random() < 0.06 and len(word) + 2 <= longest:
        marked = MARKS[int(random.integers(len(MARKS)))].format(word)
        word = marked if part_of(marked) == split else word  # a mark may bring a letter
    return word


def draw_line(split: Split, count: int, random: np.random.Generator, longest: int) -> str:
    """Draw a line of up to *count* words, all in one case, of at most *longest* letters with the spaces."""
    case = random.random()
    line: list[str] = []
    left = longest
    for _ in range(count):
        if left < 3:
            break
        word = draw_word(split, random, min(left, 12))
        line.append(word.upper() if case < 0.6 else word.capitalize() if case < 0.85 else word.lower())
        left -= len(line[-1]) + 1
    return " ".join(line)


def _number(random: np.random.Generator) -> str:
    kind = random.random()
    if kind < 0.5:
        return str(int(10 ** random.uniform(1, 5)))
    if kind < 0.65:
        return f"{int(random.integers(1, 100))}.{int(random.integers(0, 100)):02d}"
    if kind < 0.8:
        return f"{int(random.integers(0, 24))}:{int(random.integers(0, 60)):02d}"
    if kind < 0.9:
        return f"{int(random.integers(5, 96))}%"
    return f"{int(random.integers(1900, 2030))}"


def _invented(random: np.random.Generator) -> str:
    if random.random() < 0.3:  # a plate or a code
        letters = "".join(chr(65 + int(number)) for number in random.integers(0, 26, int(random.integers(1, 4))))
        return f"{letters}{int(random.integers(1, 1000))}"
    parts = []
    for _ in range(int(random.integers(2, 5))):
        parts.append(CONSONANTS[int(random.integers(len(CONSONANTS)))] + VOWELS[int(random.integers(len(VOWELS)))])
    if random.random() < 0.5:
        parts.append(CONSONANTS[int(random.integers(len(CONSONANTS)))])
    return "".join(parts)
