"""Where the digits of a number stand: typeface, spacing, slant, perspective, and the plate behind them.

Every crop is a square window around one digit. The number lies in a frame of its own, in units of the digit's height;
one homography takes that frame to the window's pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from paribus.data.split import Split
from paribus.data.street_digits.glyphs import FAR, HEIGHT, MARGIN, Glyph, glyphs
from paribus.data.street_digits.labels import stream

SIZE = 40
"""Pixels of the window while the scene is composed; the camera reduces it."""
NEIGHBOUR = 0.62
"""Chance of a digit on each side: most SVHN numbers have two or three digits."""
DIGITS = np.array([8, 14, 12, 11, 10, 10, 9, 9, 9, 8]) / 100
"""Chance of each digit as a neighbour."""
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
BENDS = 128
PIXELS = np.stack(np.meshgrid(*[np.arange(SIZE, dtype=np.float32)] * 2), axis=-1)
"""The place (x, y) of each pixel."""


@cache
def bends(split: Split) -> Floats:
    """Return smooth movements of the window's pixels, (BENDS, 40, 40, 2), each of standard deviation about 1."""
    coarse = stream(f"{split}/bends").standard_normal((BENDS, 5, 5, 2)).astype(np.float32)
    smooth = np.stack([cv2.resize(one, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC) for one in coarse])
    return np.asarray(smooth / smooth.std(), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Layout:
    """The layouts of a shard; every array has one row for each crop."""

    split: Split
    labels: NDArray[np.int64]
    face: NDArray[np.int64]
    others: NDArray[np.int64]
    """(N, 4) the neighbours: two to the left, two to the right, nearest first."""
    sides: NDArray[np.bool_]
    """(N, 2) whether there are neighbours to the left, to the right."""
    gap: Doubles
    """Space between digits, in digit heights."""
    step: Doubles
    """How much lower each next digit stands, in digit heights."""
    height: Doubles
    """The digit's height, in window heights."""
    homography: Doubles
    """(N, 3, 3) from the number's frame to pixels."""
    shadow_move: Doubles
    """(N, 2) the offset of the digits' shadow, in window heights."""
    bend: NDArray[np.int64]
    """Which of the bends moves the outlines: numerals are cast, cut and painted by hand."""
    bend_size: Doubles
    """Standard deviation of that movement, in pixels."""
    plated: NDArray[np.bool_]
    plate_border: Doubles
    """(N, 2) of a plate, beside and above the number, in digit heights."""

    @staticmethod
    def draw(split: Split, labels: NDArray[np.int64], random: np.random.Generator) -> Layout:
        """Draw the layouts of a shard."""
        count = len(labels)
        height = np.clip(random.normal(0.80, 0.11, count), 0.52, 1.12)
        stairs = random.random(count) < 0.06
        return Layout(
            split=split,
            labels=labels,
            face=random.integers(0, len(glyphs(split)), count),
            others=random.choice(10, (count, 4), p=DIGITS),
            sides=random.random((count, 2)) < NEIGHBOUR,
            gap=np.clip(random.normal(0.12, 0.09, count), -0.04, 0.5),
            step=random.normal(0, 1, count) * np.where(stairs, 0.25, 0.015),
            height=height,
            homography=_homographies(height, random),
            shadow_move=random.uniform(-1, 1, (count, 2)) * random.uniform(0.02, 0.12, (count, 1)),
            bend=random.integers(0, BENDS, count),
            bend_size=np.minimum(np.abs(random.normal(0, 0.6, count)), 1.3),
            plated=random.random(count) < 0.28,
            plate_border=random.uniform(0.06, 0.35, (count, 2)),
        )

    def fields(self, rows: range) -> tuple[Floats, Floats, Floats]:
        """Return the distances (positive inside, in digit heights) to the digits, to their shadow and to the plate."""
        digits = np.full((len(rows), SIZE, SIZE), FAR, dtype=np.float32)
        shadow, plate = np.empty_like(digits), np.full_like(digits, FAR)
        for index, row in enumerate(rows):
            number = self._number(row)
            for glyph, centre, place in number:
                matrix = self.homography[row] @ _glyph_frame(glyph, centre, place * self.step[row])
                warped = cv2.warpPerspective(glyph.field, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR,
                                             borderMode=cv2.BORDER_CONSTANT, borderValue=FAR)  # fmt: skip
                np.maximum(digits[index], warped, out=digits[index])
            x, y = np.moveaxis(PIXELS + bends(self.split)[self.bend[row]] * np.float32(self.bend_size[row]), -1, 0)
            digits[index] = cv2.remap(digits[index], x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            move = np.eye(2, 3)
            move[:, 2] = self.shadow_move[row] * SIZE
            shadow[index] = cv2.warpAffine(digits[index], move, (SIZE, SIZE), borderMode=cv2.BORDER_REPLICATE)
            if self.plated[row]:
                first = min(centre - glyph.width / 2 for glyph, centre, _ in number)
                last = max(centre + glyph.width / 2 for glyph, centre, _ in number)
                plate[index] = _plate(self.homography[row], first, last, self.plate_border[row])
        return digits, shadow, plate

    def _number(self, row: int) -> list[tuple[Glyph, float, int]]:
        """Return the glyphs of a number with their centres and their places; the digit of interest is at 0."""
        face = glyphs(self.split)[self.face[row]]
        middle = face[self.labels[row]]
        number = [(middle, 0.0, 0)]
        for side, wanted, pair in zip(
            (-1, 1), self.sides[row], (self.others[row, :2], self.others[row, 2:]), strict=True
        ):
            edge = middle.width / 2
            for place, other in enumerate(pair if wanted else (), start=1):
                glyph = face[other]
                number.append((glyph, side * (edge + self.gap[row] + glyph.width / 2), side * place))
                edge += self.gap[row] + glyph.width
                if edge > 0.9:
                    break
        return number


def _glyph_frame(glyph: Glyph, centre: float, drop: float) -> Doubles:
    """Return the map from a glyph's pixels to the number's frame."""
    across = glyph.field.shape[1] / 2
    down = MARGIN + HEIGHT / 2
    return np.array([[1 / HEIGHT, 0, centre - across / HEIGHT], [0, 1 / HEIGHT, drop - down / HEIGHT], [0, 0, 1]])


def _homographies(height: Doubles, random: np.random.Generator) -> Doubles:
    """Draw turn, slant, width and tilt."""
    count = len(height)
    askew = random.random(count) < 0.1
    angle = np.deg2rad(random.normal(0, 1, count) * np.where(askew, 16.0, 5.0))
    stretch = np.exp(random.normal(0.0, 0.18, count))
    slant = random.normal(0, 0.13, count)
    cos, sin = np.cos(angle) * height, np.sin(angle) * height
    matrix = np.zeros((count, 3, 3))
    matrix[:, 0, 0], matrix[:, 0, 1] = cos * stretch, -sin + slant * cos
    matrix[:, 1, 0], matrix[:, 1, 1] = sin * stretch, cos + slant * sin
    matrix[:, :2, 2] = random.normal(0, 0.05, (count, 2))
    matrix[:, 2, :2] = random.normal(0, 0.10, (count, 2))
    matrix[:, 2, 2] = 1
    middle = (SIZE - 1) / 2
    return np.array([[SIZE, 0, middle], [0, SIZE, middle], [0, 0, 1]]) @ matrix


def _plate(homography: Doubles, first: float, last: float, border: Doubles) -> Floats:
    """Return the distance to the edge of a plate that holds a number from *first* to *last*."""
    y, x = np.ogrid[:SIZE, :SIZE]
    inverse = np.linalg.inv(homography)
    w = inverse[2, 0] * x + inverse[2, 1] * y + inverse[2, 2]
    u = (inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]) / w - (first + last) / 2
    v = (inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]) / w
    inside = np.minimum((last - first) / 2 + border[0] - np.abs(u), 0.5 + border[1] - np.abs(v))
    return np.asarray(inside, dtype=np.float32)
