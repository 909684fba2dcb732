"""The centre line of a text instance, from its outline: where its ends are, and how far its two sides lie apart."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from paribus.data.pixels import misplaced
from paribus.errors import DataError
from paribus.labs.textsnake.compiled import compiled
from paribus.labs.textsnake.refinements import REFINED, Refinements

Floats = NDArray[np.float64]

SAMPLES = 64
"""Anchor points on each side line."""
POINTS = 64
"""Points of a centre line."""
ALIKE, USUAL = 0.25, 0.5
"""What two edges gain as ends that have as many points on either side, and that the usual order says, in units of M."""
CLEAR = 1e-12
"""Two sides cross where the products of their areas are below minus so many lengths of the outline to the fourth."""
ROUNDS = 3
"""How often a centre line is moved to the middle of its two sides."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Axis:
    """The symmetric axis of a text instance from its head to its tail, of M points.

    ``centres`` (M, 2): x right and y down, in pixels. ``radii`` (M,): pixels to the side lines. ``angles`` (M,): of the
    tangent, in radians, ``atan2(dy, dx)``: 0 is to the right, pi / 2 is down.
    """

    centres: Floats
    radii: Floats
    angles: Floats


def axis(polygon: ArrayLike, refinements: Refinements = REFINED) -> Axis:
    """Return the centre line of the text that *polygon* outlines (Long et al., ECCV 2018, "label generation").

    An edge ``e_i`` is an end the more, the nearer ``M(e_i) = cos(e_{i-1}, e_{i+1})`` is to -1: its neighbours run
    opposite ways. Of a quadrangle the shorter pair of opposite edges are the ends. Between the ends lie two side lines;
    equally many anchors are sampled on them, and the centres are the means of those that correspond. The radius is the
    distance to the side lines; the angle is that of a line fitted to the centres nearby.

    *refinements* ``narrow_ends``: ``M`` alone mistakes bends for ends where few points outline much curvature, so that
    among the edges of small ``M`` those two are taken between which the text is long and narrow, and in doubt those
    that have as many points on one side as on the other or that the usual order says (top side, then bottom side back).
    ``recentred``: anchors correspond where each is the point of its side nearest to their mean; then radii are those of
    the largest circles between the sides, however the points are spread, and the centres lie at equal distances.
    Without, anchors lie at equal shares of their side's length, and the radius is half the distance of two.

    *polygon* (K, 2), K at least 4: x and y in pixels, from anywhere, either way round; the first point may be repeated
    at the end. The head is the end nearer along the outline to the first point; so the axis of a polygon in the usual
    order runs as the text is read. Raises :class:`~paribus.errors.DataError` for a polygon with fewer points, a number
    that is not finite or far out, no area, or sides that cross (that only touch, they may).
    """
    points = outline(polygon)
    clean, order = _merged(points)
    one, other = _crossing(clean)
    if one != other:
        x, y = _meeting(clean, one, other)
        at = f"{x:.5g}, {y:.5g}"
        raise DataError(f"a polygon that crosses itself at {at}; points in order round the text are expected")
    if len(clean) < 3 or abs(_area(clean)) <= 1e-9 * _length(clean) ** 2:
        raise DataError(f"a polygon of {len(points)} points has no area: an axis needs an outline with an inside")
    first, last = _ends(clean, order and len(clean) % 2 == 0, refinements.narrow_ends)
    top, bottom = _sides(clean, first, last)
    centres, radii, angles = _axis(top, bottom, refinements.recentred)
    return Axis(centres=centres, radii=radii, angles=angles)


def outline(polygon: ArrayLike) -> Floats:
    """Return *polygon* as an array (K, 2) of float64, or raise :class:`~paribus.errors.DataError` where it is none."""
    try:
        points = np.require(polygon, np.float64, ("C", "W"))  # for read-only ones all would be compiled once more
    except (TypeError, ValueError):
        raise DataError("a polygon is an array (points, 2) of x and y; this one is no array of numbers") from None
    if points.ndim != 2 or points.shape[1] != 2 or len(points) < 4:
        raise DataError(f"a polygon of shape {points.shape}: it must be (points, 2) with at least 4 points")
    if wrong := misplaced(points):
        raise DataError(f"a polygon has {wrong}")
    return points


@compiled
def _length(points: Floats) -> float:
    total = 0.0
    for k in range(len(points)):
        following = points[(k + 1) % len(points)]
        total += np.hypot(following[0] - points[k, 0], following[1] - points[k, 1])
    return total


@compiled
def _area(points: Floats) -> float:
    total = 0.0
    for k in range(len(points)):
        x, y = points[k, 0] - points[0, 0], points[k, 1] - points[0, 1]
        after = (k + 1) % len(points)
        total += x * (points[after, 1] - points[0, 1]) - y * (points[after, 0] - points[0, 0])
    return total / 2


@compiled
def _merged(points: Floats) -> tuple[Floats, bool]:
    """Return the points but for those that repeat the one before, and whether that is all.

    Last ones that repeat the first close the outline: they are left out, and do not count as a repetition.
    """
    end = len(points)
    small = 1e-3 * _length(points)
    while end > 1 and _near(points[end - 1], points[0], small):
        end -= 1
    kept = points[:end].copy()
    count = 1
    for k in range(1, end):
        if not _near(points[k], kept[count - 1], small):
            kept[count] = points[k]
            count += 1
    while count > 1 and _near(kept[count - 1], kept[0], small):
        count -= 1
    return kept[:count].copy(), count == end


@compiled
def _near(one: Floats, other: Floats, small: float) -> bool:
    return bool(np.hypot(one[0] - other[0], one[1] - other[1]) <= small)


@compiled
def _aside(a: Floats, b: Floats, p: Floats) -> float:
    """Return twice the area of the triangle a, b, p: its sign says on which side of the line from a to b p lies."""
    return float((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0]))


@compiled
def _crossing(points: Floats) -> tuple[int, int]:
    """Return two edges of the outline that cross, by their first points, or twice the same where none do."""
    n = len(points)
    least = -CLEAR * _length(points) ** 4
    for i in range(n - 2):
        a, b = points[i], points[i + 1]
        left, right = min(a[0], b[0]), max(a[0], b[0])
        for k in range(i + 2, n - 1 if i == 0 else n):
            c, d = points[k], points[k + 1 if k + 1 < n else 0]
            if max(c[0], d[0]) < left or min(c[0], d[0]) > right:
                continue
            if _aside(a, b, c) * _aside(a, b, d) < least and _aside(c, d, a) * _aside(c, d, b) < least:
                return i, k
    return 0, 0


def _meeting(points: Floats, one: int, other: int) -> Floats:
    """Return the point (2,) at which two edges that cross do so."""
    a, b, c, d = (points[k % len(points)] for k in (one, one + 1, other, other + 1))
    before, after = _aside(c, d, a), _aside(c, d, b)
    return np.asarray(a + (b - a) * before / (before - after))


@compiled
def _turn(points: Floats, edge: int) -> float:
    """Return M of the edge from point *edge* to the next: the cosine between the edges before and after it."""
    n = len(points)
    a, b, c, d = points[(edge - 1) % n], points[edge], points[(edge + 1) % n], points[(edge + 2) % n]
    before, after = np.hypot(b[0] - a[0], b[1] - a[1]), np.hypot(d[0] - c[0], d[1] - c[1])
    product = (b[0] - a[0]) * (d[0] - c[0]) + (b[1] - a[1]) * (d[1] - c[1])
    return float(product / max(before * after, 1e-300))


@compiled
def _ends(points: Floats, ordered: bool, narrow_ends: bool) -> tuple[int, int]:
    """Return the two edges that are ends, the head first; *ordered*: the usual order may be trusted in doubt."""
    n = len(points)
    best, first, last = np.inf, n - 1, n // 2 - 1
    lengths = np.array(
        [np.hypot(points[(k + 1) % n, 0] - points[k, 0], points[(k + 1) % n, 1] - points[k, 1]) for k in range(n)]
    )
    if n == 3:  # the shortest edge, and the opposite corner, which _sides counts to both sides
        return int(np.argmin(lengths)), -1
    if n == 4:  # where all are alike, the usual order decides
        narrow = lengths[0] + lengths[2] < (lengths[1] + lengths[3]) * (1 - 1e-9)
        return (0, 2) if narrow else (3, 1)
    turns = np.array([_turn(points, k) for k in range(n)])
    if not narrow_ends:
        first, last = _least(turns)
        return (first, last) if _along(points, first) < _along(points, last) else (last, first)
    likely = np.zeros(n, dtype=np.bool_)
    likely[np.argsort(turns)[:10]] = True
    scale = np.sqrt(abs(_area(points)))
    if ordered:
        likely[n - 1] = likely[n // 2 - 1] = True
        best = 2 + turns[first] + turns[last] - ALIKE - USUAL + _width(points, last, first) / scale
    for i in range(n):
        for j in range(i + 2, n):
            if not (likely[i] and likely[j]) or (i == 0 and j == n - 1):
                continue
            cost = 2 + turns[i] + turns[j]
            if 2 * (j - i) == n:
                cost -= ALIKE
                if ordered and j == n - 1:
                    cost -= USUAL
            if cost < best:
                cost += _width(points, i, j) / scale
            if cost < best:
                best, first, last = cost, i, j
    return (first, last) if _along(points, first) < _along(points, last) else (last, first)


@compiled
def _least(turns: Floats) -> tuple[int, int]:
    """Return the two edges of least M that do not touch: between ends there is a side."""
    n = len(turns)
    first, last = 0, 2
    for i in range(n):
        for j in range(i + 2, n - 1 if i == 0 else n):
            if turns[i] + turns[j] < turns[first] + turns[last]:
                first, last = i, j
    return first, last


@compiled
def _along(points: Floats, edge: int) -> float:
    """Return the way along the outline from the first point to the nearer end of an edge."""
    n = len(points)
    there = 0.0
    for k in range(edge):
        there += np.hypot(points[k + 1, 0] - points[k, 0], points[k + 1, 1] - points[k, 1])
    back = 0.0
    for k in range(edge + 1, n):
        back += np.hypot(points[(k + 1) % n, 0] - points[k, 0], points[(k + 1) % n, 1] - points[k, 1])
    return min(there, back)


@compiled
def _sides(points: Floats, first: int, last: int) -> tuple[Floats, Floats]:
    """Return both side lines from the edge *first* to the edge *last* (-1: the corner opposite, of a triangle)."""
    n = len(points)
    if last < 0:
        corner = (first + 2) % n
        top, bottom = np.empty((2, 2)), np.empty((2, 2))
        top[0], top[1] = points[(first + 1) % n], points[corner]
        bottom[0], bottom[1] = points[first], points[corner]
        return top, bottom
    count = (last - first) % n
    top, bottom = np.empty((count, 2)), np.empty((n - count, 2))
    for k in range(count):
        top[k] = points[(first + 1 + k) % n]
    for k in range(n - count):
        bottom[k] = points[(first - k) % n]
    return top, bottom


@compiled
def _shares(line: Floats) -> Floats:
    """Return how far along the line each of its points lies, from 0 to 1."""
    n = len(line)
    shares = np.zeros(n)
    for k in range(1, n):
        shares[k] = shares[k - 1] + np.hypot(line[k, 0] - line[k - 1, 0], line[k, 1] - line[k - 1, 1])
    if shares[n - 1] > 0:
        shares /= shares[n - 1]
        return shares
    for k in range(n):
        shares[k] = k / max(n - 1, 1)
    return shares


@compiled
def _sample(line: Floats, shares: Floats, count: int) -> Floats:
    """Return *count* points of the line at equal steps of *shares*."""
    found = np.empty((count, 2))
    k = 0
    for i in range(count):
        share = i / (count - 1)
        while k < len(line) - 2 and shares[k + 1] < share:
            k += 1
        if len(line) == 1:
            found[i] = line[0]
            continue
        span = shares[k + 1] - shares[k]
        part = min(max((share - shares[k]) / span, 0.0), 1.0) if span > 0 else 0.0
        found[i] = line[k] + part * (line[k + 1] - line[k])
    return found


@compiled
def _anchors(top: Floats, bottom: Floats, count: int) -> tuple[Floats, Floats]:
    """Return corresponding points of both sides: point for point where they have equally many, else by length."""
    one, other = _shares(top), _shares(bottom)
    if len(top) == len(bottom):
        one = (one + other) / 2
        other = one
    return _sample(top, one, count), _sample(bottom, other, count)


@compiled
def _width(points: Floats, first: int, last: int) -> float:
    """Return the mean distance of corresponding points of the two sides between two edges."""
    one, other = _anchors(*_sides(points, first, last), 9)
    total = 0.0
    for k in range(9):
        total += np.sqrt((one[k, 0] - other[k, 0]) ** 2 + (one[k, 1] - other[k, 1]) ** 2)
    return total / 9


@compiled
def _nearest(line: Floats, x: float, y: float) -> tuple[float, float, float]:
    """Return the point of the line nearest to (x, y), and its distance."""
    best, px, py = np.inf, line[0, 0], line[0, 1]
    for k in range(max(len(line) - 1, 1)):
        ax, ay = line[k, 0], line[k, 1]
        after = min(k + 1, len(line) - 1)
        dx, dy = line[after, 0] - ax, line[after, 1] - ay
        square = dx * dx + dy * dy
        part = min(max(((x - ax) * dx + (y - ay) * dy) / square, 0.0), 1.0) if square > 0 else 0.0
        qx, qy = ax + part * dx, ay + part * dy
        distance = (x - qx) ** 2 + (y - qy) ** 2
        if distance < best:
            best, px, py = distance, qx, qy
    return px, py, np.sqrt(best)


@compiled
def _axis(top: Floats, bottom: Floats, recentred: bool) -> tuple[Floats, Floats, Floats]:
    """Return centres, radii and angles between two side lines."""
    if recentred:
        one, other = _anchors(top, bottom, SAMPLES)
    else:
        one, other = _sample(top, _shares(top), POINTS), _sample(bottom, _shares(bottom), POINTS)
    centres = (one + other) / 2
    for _ in range(ROUNDS if recentred else 0):
        for k in range(1, SAMPLES - 1):
            ax, ay, above = _nearest(top, centres[k, 0], centres[k, 1])
            bx, by, below = _nearest(bottom, centres[k, 0], centres[k, 1])
            across = np.sqrt((ax - bx) ** 2 + (ay - by) ** 2)
            if across > 0:
                shift = (above - below) / 2 / across
                centres[k, 0] += shift * (ax - bx)
                centres[k, 1] += shift * (ay - by)
        centres = _sample(centres, _shares(centres), POINTS)
    radii, angles = np.empty(POINTS), np.empty(POINTS)
    for k in range(POINTS):
        if recentred:
            _ax, _ay, above = _nearest(top, centres[k, 0], centres[k, 1])
            _bx, _by, below = _nearest(bottom, centres[k, 0], centres[k, 1])
            radii[k] = min(above, below)
        else:
            radii[k] = np.hypot(one[k, 0] - other[k, 0], one[k, 1] - other[k, 1]) / 2
        low, high = max(k - 2, 0), min(k + 2, POINTS - 1)
        middle = (low + high) / 2
        dx = dy = 0.0
        for i in range(low, high + 1):
            dx += (i - middle) * centres[i, 0]
            dy += (i - middle) * centres[i, 1]
        angles[k] = np.arctan2(dy, dx)
    return centres, radii, angles
