"""Outlines of text whose centre lines are known, for the tests of this folder."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely
from hypothesis import strategies as st
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def ribbon(centres: Floats, heights: float | Floats) -> Floats:
    """Return the outline (2 K, 2) of text of a height along centres (K, 2): above in their order, then below back."""
    tangents = np.gradient(centres, axis=0)
    tangents /= np.linalg.norm(tangents, axis=1, keepdims=True)
    normals = np.stack([tangents[:, 1], -tangents[:, 0]], axis=1)
    half = np.broadcast_to(np.asarray(heights, dtype=float) / 2, len(centres))[:, None]
    return np.concatenate([centres + half * normals, (centres - half * normals)[::-1]])


def arc(x: float, y: float, radius: float, height: float, start: float, stop: float, count: int = 8) -> Floats:
    """Return the outline of text on a circle round (x, y) from angle *start* to *stop*, *count* points a side."""
    angles = np.linspace(start, stop, count)[:, None]
    direction = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    half = height / 2 * np.sign(stop - start)
    return np.array([x, y]) + np.concatenate([(radius + half) * direction, ((radius - half) * direction)[::-1]])


def wave(x: float, y: float, length: float, height: float, swing: float, count: int = 12, turns: float = 1) -> Floats:
    """Return the outline of text on a sine of amplitude *swing* that begins at (x, y)."""
    share = np.linspace(0, 1, count)
    return ribbon(np.stack([x + length * share, y + swing * np.sin(2 * np.pi * turns * share)], axis=1), height)


def turned(points: Floats, angle: float, about: tuple[float, float]) -> Floats:
    """Return the points turned by an angle about a point."""
    c, s = np.cos(angle), np.sin(angle)
    return (points - about) @ np.array([[c, s], [-s, c]]) + about


@st.composite
def texts(draw: Any, least: float = 12, most: float = 36, size: int = 256) -> Floats:
    """Draw an outline in an image of *size*: a line, an arc or a wave, of 4 to 32 points, at any angle."""
    height = draw(st.floats(least, most))
    middle = size / 2 + draw(st.floats(-8, 8))
    kind = draw(st.sampled_from(("line", "arc", "wave")))
    length = draw(st.floats(2 * height, 190))
    count = draw(st.integers(8, 16))
    if kind == "line":
        share = np.linspace(0, 1, draw(st.integers(2, 6)))
        found = ribbon(np.stack([middle + length * (share - 0.5), np.full(len(share), middle)], axis=1), height)
    elif kind == "arc":
        radius = draw(st.floats(1.5 * height, 6 * height))
        span = min(length / radius, 1.3 * np.pi)
        found = arc(0, 0, radius, height, -np.pi / 2 - span / 2, -np.pi / 2 + span / 2, count)
        found = found - (found.min(axis=0) + found.max(axis=0)) / 2 + middle
        if np.abs(found - size / 2).max() > size / 2 - 4:  # a large arc: part of it
            found = arc(middle, middle, 80, height, -2.2, -0.9, count)
    else:
        swing = draw(st.floats(0, 0.05)) * length * length / (length + 4 * height)
        found = wave(middle - length / 2, middle, length, height, swing, count)
    return turned(found, draw(st.floats(-np.pi, np.pi)), (size / 2, size / 2)) + 0.0123


def iou(one: Floats, other: Floats) -> float:
    """Return the intersection over the union of two polygons."""
    a, b = shapely.Polygon(one), shapely.Polygon(other)
    return float(a.intersection(b).area / a.union(b).area)
