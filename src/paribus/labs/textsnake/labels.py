"""What a text detector is taught of every pixel: is it text, does it lie on a centre line, and the axis there."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paribus.errors import DataError
from paribus.labs.textsnake.compiled import compiled
from paribus.labs.textsnake.geometry import Axis, Floats, axis, outline
from paribus.labs.textsnake.refinements import REFINED, Refinements

CUT = 0.5
"""What a centre line loses at each end, in radii there."""
WIDTH = 0.2
"""How far a centre line is widened to each side, in radii."""
THINNEST = 0.5 + 1e-6
"""Half the width in pixels of the thinnest centre line: narrower ones would break into pieces."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Labels:
    """The maps (H, W) of an image; pixel (row y, column x) is the point (x, y), not a square.

    ``text``: in a text instance. ``centre``: on a centre line. ``radius`` in pixels, ``cos`` and ``sin`` of the tangent
    (x right, y down, along the order of reading): float32, 0 off the centre lines. ``ignored``: in an instance of which
    nothing is asked.
    """

    text: NDArray[np.bool_]
    centre: NDArray[np.bool_]
    radius: NDArray[np.float32]
    cos: NDArray[np.float32]
    sin: NDArray[np.float32]
    ignored: NDArray[np.bool_]


def encode(
    polygons: Sequence[ArrayLike],
    shape: tuple[int, int],
    *,
    ignored: Sequence[ArrayLike] = (),
    refinements: Refinements = REFINED,
) -> Labels:
    """Return the maps of an image of *shape* (rows, columns) with the text instances *polygons*.

    After Long et al. (ECCV 2018), "label generation". A pixel is text where it lies in a polygon or on a centre line.
    From each :func:`~paribus.labs.textsnake.geometry.axis` half a radius is cut at both ends; a pixel is on the centre
    line where its distance to what is left is at most ``r / 5``, r the radius at the nearest point, and it lies beside
    the line, not before or behind it. Radius and tangent are those of the nearest point. Where the lines of two
    instances cross, the later one is drawn over the other. What lies outside the image is left out.

    *refinements* ``quarter_cut``: of an axis shorter than two radii a quarter of its length is cut at each end, so that
    something is left. ``pixel_line``: the line is as wide as ``max(r / 5, 0.5)`` to each side, nowhere thinner than a
    pixel, and may so reach beyond a thin polygon. ``narrow_ends`` and ``recentred`` are those of the axis.
    Raises :class:`~paribus.errors.DataError` for a polygon that :func:`axis` refuses, or one of *ignored* that is
    no outline, naming its place.
    """
    try:
        rows, columns = map(operator.index, shape)
    except (TypeError, ValueError):
        rows = columns = 0
    if min(rows, columns) < 1:
        raise DataError(f"labels of shape {shape}: (rows, columns), both whole and at least 1, are expected")
    text, skip = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    centre = np.zeros(shape, np.bool_)
    radius, cos, sin = np.zeros(shape, np.float32), np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    for place, polygon in enumerate(polygons):
        try:
            found = axis(polygon, refinements)
        except DataError as error:
            raise DataError(
                f"polygon {place} of {len(polygons)}: {error}; pass what is unreadable as ignored"
            ) from None
        _fill(outline(polygon), text)
        line, radii, tangents = shrunk(found, refinements)
        if len(line) > 0:
            thinnest = THINNEST if refinements.pixel_line else 0.0
            _draw(line, radii, tangents, thinnest, text, centre, radius, cos, sin)
    for place, polygon in enumerate(ignored):
        try:
            _fill(outline(polygon), skip)
        except DataError as error:
            raise DataError(f"ignored polygon {place} of {len(ignored)}: {error}") from None
    return Labels(text=text, centre=centre, radius=radius, cos=cos, sin=sin, ignored=skip)


def shrunk(whole: Axis, refinements: Refinements = REFINED) -> tuple[Floats, Floats, Floats]:
    """Return points (M, 2), radii (M,) and unit tangents (M, 2) of an axis cut at both ends, as :func:`encode` does.

    M is 0 where nothing is left.
    """
    return _shrunk(whole.centres, whole.radii, whole.angles, refinements.quarter_cut)


@compiled
def _shrunk(centres: Floats, radii: Floats, angles: Floats, quarter_cut: bool) -> tuple[Floats, Floats, Floats]:
    n = len(centres)
    along = np.zeros(n)
    for k in range(1, n):
        along[k] = along[k - 1] + np.hypot(centres[k, 0] - centres[k - 1, 0], centres[k, 1] - centres[k - 1, 1])
    length = along[n - 1]
    start, stop = CUT * radii[0], length - CUT * radii[n - 1]
    if quarter_cut:
        start, stop = min(start, length / 4), max(stop, length - length / 4)
    if start >= stop:
        return np.empty((0, 2)), np.empty(0), np.empty((0, 2))
    line, r, tangents = np.empty((n, 2)), np.empty(n), np.empty((n, 2))
    k = 0
    for i in range(n):
        at = start + (stop - start) * i / (n - 1)
        while k < n - 2 and along[k + 1] < at:
            k += 1
        span = along[k + 1] - along[k]
        part = min(max((at - along[k]) / span, 0.0), 1.0) if span > 0 else 0.0
        line[i] = centres[k] + part * (centres[k + 1] - centres[k])
        r[i] = radii[k] + part * (radii[k + 1] - radii[k])
        c = np.cos(angles[k]) + part * (np.cos(angles[k + 1]) - np.cos(angles[k]))
        s = np.sin(angles[k]) + part * (np.sin(angles[k + 1]) - np.sin(angles[k]))
        size = max(np.hypot(c, s), 1e-12)
        tangents[i, 0], tangents[i, 1] = c / size, s / size
    return line, r, tangents


def filled(polygon: Floats, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return where the pixels of a map of *shape* (rows, columns) have *polygon* (K, 2) wound round their centre."""
    mask = np.zeros(shape, np.bool_)
    _fill(np.ascontiguousarray(polygon), mask)
    return mask


@compiled
def _fill(points: Floats, mask: NDArray[np.bool_]) -> None:
    """Set the pixels whose centre has the polygon wound round it."""
    rows, columns = mask.shape
    n = len(points)
    low, high = np.min(points[:, 1]), np.max(points[:, 1])
    crossings, ways = np.empty(n), np.empty(n, np.int64)
    for y in range(int(max(np.ceil(low), 0)), int(min(np.floor(high), rows - 1)) + 1):
        count = 0
        for k in range(n):
            after = k + 1 if k + 1 < n else 0
            above, below = points[k, 1] <= y, points[after, 1] <= y
            if above == below:
                continue
            share = (y - points[k, 1]) / (points[after, 1] - points[k, 1])
            x = points[k, 0] + share * (points[after, 0] - points[k, 0])
            place = count
            while place > 0 and crossings[place - 1] > x:
                crossings[place], ways[place] = crossings[place - 1], ways[place - 1]
                place -= 1
            crossings[place], ways[place] = x, 1 if above else -1
            count += 1
        wound = 0
        for k in range(count - 1):
            wound += ways[k]
            if wound != 0:
                left = int(min(max(np.ceil(crossings[k]), 0), columns))
                right = int(min(max(np.ceil(crossings[k + 1]), 0), columns))
                mask[y, left:right] = True


@compiled
def _draw(
    line: Floats,
    radii: Floats,
    tangents: Floats,
    thinnest: float,
    text: NDArray[np.bool_],
    centre: NDArray[np.bool_],
    radius: NDArray[np.float32],
    cos: NDArray[np.float32],
    sin: NDArray[np.float32],
) -> None:
    """Draw a centre line: per segment, the pixels near it, each keeping the nearest point it has seen."""
    rows, columns = centre.shape
    n = len(line)
    widest = max(WIDTH * np.max(radii), thinnest)
    left, right = max(np.ceil(np.min(line[:, 0]) - widest), 0), min(np.floor(np.max(line[:, 0]) + widest), columns - 1)
    top, bottom = max(np.ceil(np.min(line[:, 1]) - widest), 0), min(np.floor(np.max(line[:, 1]) + widest), rows - 1)
    if left > right or top > bottom:
        return
    nearness = np.full((int(bottom - top) + 1, int(right - left) + 1), np.inf)
    for i in range(n - 1):
        k = 0 if i == 0 else n - 2 if i == 1 else i - 1  # both ends first: a pixel nearest to an end is none
        ax, ay, bx, by = line[k, 0], line[k, 1], line[k + 1, 0], line[k + 1, 1]
        dx, dy = bx - ax, by - ay
        square = dx * dx + dy * dy
        if square == 0:
            continue
        reach = max(WIDTH * max(radii[k], radii[k + 1]), thinnest)
        x0, x1 = max(np.ceil(min(ax, bx) - reach), left), min(np.floor(max(ax, bx) + reach), right)
        y0, y1 = max(np.ceil(min(ay, by) - reach), top), min(np.floor(max(ay, by) + reach), bottom)
        for y in range(int(y0), int(y1) + 1):
            for x in range(int(x0), int(x1) + 1):
                part = ((x - ax) * dx + (y - ay) * dy) / square
                beyond = (part < 0 and k == 0) or (part > 1 and k == n - 2)
                part = min(max(part, 0.0), 1.0)
                away = (x - ax - part * dx) ** 2 + (y - ay - part * dy) ** 2
                seen = nearness[y - int(top), x - int(left)]
                if away >= seen:
                    continue
                r = radii[k] + part * (radii[k + 1] - radii[k])
                if away > max(WIDTH * r, thinnest) ** 2:
                    continue
                nearness[y - int(top), x - int(left)] = away
                if beyond:
                    continue
                text[y, x] = centre[y, x] = True
                c = tangents[k, 0] + part * (tangents[k + 1, 0] - tangents[k, 0])
                s = tangents[k, 1] + part * (tangents[k + 1, 1] - tangents[k, 1])
                size = np.sqrt(c * c + s * s)
                radius[y, x], cos[y, x], sin[y, x] = r, c / size, s / size
