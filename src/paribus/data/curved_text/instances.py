"""What a scene is: an image and the instances of text in it; and how a polygon is cut at the image's border."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

CURVED = 0.15
"""The bend, in heights of the text, from which an instance counts as curved."""


@dataclass(frozen=True, eq=False, kw_only=True)
class TextInstance:
    """One word, or one short line of words that stand on a common curve."""

    polygon: NDArray[np.float64]
    """(2n, 2) x, y in pixels, the middle of the first pixel at (0, 0), n >= 2: the top side from left to right in the
    order of reading, then the bottom side from right to left."""
    text: str
    """What was set, whole even where a part of it is hidden or cut off by the border."""
    curved: bool
    """Whether the centre line bends: its farthest point from the chord between its ends lies at least ``CURVED``
    heights of the text away from it."""
    legible: bool
    """False: too small, too hidden, too blurred, too faint or too much cut off to read; neither to be found nor to be
    counted against."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Scene:
    """A photograph-like image and all the text in it."""

    image: NDArray[np.uint8]
    """(side, side, 3) RGB."""
    instances: tuple[TextInstance, ...]


def area(polygon: Doubles) -> float:
    """Return the area of a polygon (n, 2), by the shoelace formula; positive where x right, y down runs clockwise."""
    x, y = polygon[:, 0], polygon[:, 1]
    return 0.5 * float(x @ np.roll(y, -1) - y @ np.roll(x, -1))


def bend(polygon: Doubles) -> float:
    """Return how far the centre line of a polygon strays from its chord, in mean heights of the polygon."""
    half = len(polygon) // 2
    top, bottom = polygon[:half], polygon[half:][::-1]
    centre = (top + bottom) / 2
    height = float(np.hypot(*(top - bottom).T).mean())
    chord = centre[-1] - centre[0]
    length = float(np.hypot(*chord))
    if length < 1e-9:
        return float("inf")
    away = centre - centre[0]
    return float(np.abs(away[:, 0] * chord[1] - away[:, 1] * chord[0]).max()) / length / max(height, 1e-9)


def crosses_itself(polygon: Doubles) -> bool:
    """Say whether two sides of a polygon that are no neighbours cross."""
    a, b = polygon, np.roll(polygon, -1, axis=0)
    count = len(a)

    def side(p: Doubles, q: Doubles, r: Doubles) -> Doubles:
        return np.asarray(
            (q[..., 0] - p[..., 0]) * (r[..., 1] - p[..., 1]) - (q[..., 1] - p[..., 1]) * (r[..., 0] - p[..., 0])
        )

    first = side(a[:, None], b[:, None], a[None]) * side(a[:, None], b[:, None], b[None]) < -1e-9
    meet = first & first.T
    index = np.arange(count)
    apart = np.abs(index[:, None] - index[None])
    return bool(meet[(apart > 1) & (apart < count - 1)].any())


def clip(top: Doubles, bottom: Doubles, low: float, high: float) -> tuple[Doubles, Doubles] | None:
    """Cut a band, given by the ends (n, 2) of its cross-sections, at the square [low, high]^2.

    Each cross-section is cut (Liang and Barsky 1984), and the longest run of those that are left is kept: top and
    bottom stay in order. Returns None where fewer than two are left.
    """
    step = bottom - top
    start, end = np.zeros(len(top)), np.ones(len(top))
    for axis in (0, 1):
        speed = np.where(np.abs(step[:, axis]) < 1e-9, 1e-9, step[:, axis])
        enter, leave = (low - top[:, axis]) / speed, (high - top[:, axis]) / speed
        start = np.maximum(start, np.minimum(enter, leave))
        end = np.minimum(end, np.maximum(enter, leave))
    kept = end - start > 0.03
    edges = np.flatnonzero(np.diff(np.concatenate([[0], kept.astype(np.int8), [0]])))
    runs = [(int(last - first), int(first), int(last)) for first, last in edges.reshape(-1, 2)]
    if not runs or max(runs)[0] < 2:
        return None
    _, first, last = max(runs)
    run = slice(first, last)
    first_ends, last_ends = top[run] + start[run, None] * step[run], top[run] + end[run, None] * step[run]
    return np.clip(first_ends, low, high), np.clip(last_ends, low, high)
