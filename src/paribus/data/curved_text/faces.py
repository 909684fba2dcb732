"""Typefaces and the strips of ink that they set; no superfamily serves two parts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFont

from paribus.data.split import Split
from paribus.data.street_digits.glyphs import font_path

TYPEFACES: dict[Split, dict[str, tuple[str, ...]]] = {
    "train": {
        "font-roboto": ("Roboto-Light", "Roboto-Regular", "Roboto-Bold", "Roboto-Black", "Roboto-BoldItalic"),
        "font-lato": ("Lato-Light", "Lato-Regular", "Lato-Bold", "Lato-Black", "Lato-BoldItalic"),
        "font-source-serif-pro": ("SourceSerifPro-Light", "SourceSerifPro-Regular", "SourceSerifPro-Bold",
                                  "SourceSerifPro-Black", "SourceSerifPro-SemiboldIt"),
        "font-source-sans-pro": ("SourceSansPro-Light", "SourceSansPro-Regular", "SourceSansPro-Bold",
                                 "SourceSansPro-Black", "SourceSansPro-SemiboldIt"),
        "font-fredoka-one": ("FredokaOne-Regular",) * 3,
        "font-amatic-sc": ("AmaticSC-Regular", "AmaticSC-Bold", "AmaticSC-Bold"),
        "matplotlib": ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono-Bold", "DejaVuSerif", "DejaVuSerif-Bold",
                       "cmr10", "cmb10", "cmti10", "cmtt10", "cmss10"),
    },
    "validation": {
        "font-caladea": ("Caladea-Regular", "Caladea-Bold", "Caladea-Italic", "Caladea-BoldItalic"),
        "font-rhd": ("RedHatDisplay-Regular", "RedHatDisplay-Bold", "RedHatDisplay-Black", "RedHatDisplay-Italic"),
        "font-fjallaone": ("FjallaOne-Regular",) * 2,
    },
    "test": {
        "font-manrope": ("Manrope-Light", "Manrope-Regular", "Manrope-SemiBold", "Manrope-ExtraBold"),
        "font-intuitive": ("Intuitive",) * 2,
        "matplotlib": ("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    },
}  # fmt: skip
"""Faces by the package that ships them; a face that is named more often is drawn more often.

All faces of a superfamily (Source, DejaVu, Computer Modern: one design with and without serifs) are of one part.
"""

LEVELS = (14, 22, 34, 52, 80, 120)
"""Sizes, in pixels to the em, in which letters are kept: strips are seldom reduced to less than 0.6 of theirs."""


@dataclass(frozen=True, eq=False)
class Letter:
    """The ink of one letter, as small as it can be."""

    ink: NDArray[np.uint8]
    left: int
    """Pixels from the pen to the ink."""
    top: int
    """Pixels from the base line down to the ink: negative for ink above it."""
    advance: float


@cache
def faces(split: Split) -> tuple[str, ...]:
    """Return the files of the faces of a part."""
    return tuple(str(font_path(package, face)) for package, listed in TYPEFACES[split].items() for face in listed)


@cache
def _font(path: str, level: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, level, layout_engine=ImageFont.Layout.BASIC)


@cache
def _letter(path: str, level: int, letter: str) -> Letter:
    font = _font(path, level)
    mask, (left, top) = font.getmask2(letter, mode="L", anchor="ls")
    width, height = mask.size
    ink = np.frombuffer(bytes(mask), dtype=np.uint8).reshape(height, width) if width and height else _NOTHING
    rows, columns = np.flatnonzero(ink.any(axis=1)), np.flatnonzero(ink.any(axis=0))
    if not len(rows):
        return Letter(_NOTHING, 0, 0, font.getlength(letter))
    cropped = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()
    return Letter(cropped, int(left + columns[0]), int(top + rows[0]), font.getlength(letter))


_NOTHING = np.zeros((0, 0), dtype=np.uint8)


def level_for(em: float) -> int:
    """Return the size in which letters of *em* pixels to the em are kept."""
    return next((level for level in LEVELS if level >= 0.95 * em), LEVELS[-1])


def set_strip(
    path: str, level: int, text: str, spacing: float, hop: NDArray[np.float64] | None = None
) -> tuple[NDArray[np.uint8], int]:
    """Return the ink (H, W) of a line of *text*, cropped to it, and the row of its top below the base line.

    *spacing* is added between letters, in ems; *hop* moves each letter up and down, in ems.
    """
    pen = 0.0
    placed: list[tuple[int, int, NDArray[np.uint8]]] = []
    for index, character in enumerate(text):
        letter = _letter(path, level, character)
        if letter.ink.size:
            drop = round(hop[index] * level) if hop is not None else 0
            placed.append((round(pen) + letter.left, letter.top + drop, letter.ink))
        pen += letter.advance + spacing * level
    if not placed:
        return np.zeros((1, 1), dtype=np.uint8), 0
    left = min(x for x, _, _ in placed)
    top = min(y for _, y, _ in placed)
    width = max(x + ink.shape[1] for x, _, ink in placed) - left
    height = max(y + ink.shape[0] for _, y, ink in placed) - top
    strip = np.zeros((height, width), dtype=np.uint8)
    for x, y, ink in placed:
        place = strip[y - top : y - top + ink.shape[0], x - left : x - left + ink.shape[1]]
        np.maximum(place, ink, out=place)
    return strip, top
