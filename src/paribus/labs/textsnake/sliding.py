"""From the points of an axis to an outline: circles slid along it (figure 5, act c), and where it ends."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paribus.labs.textsnake.compiled import compiled

Floats = NDArray[np.float64]

ASIDE = 0.75
"""How far from the axis the outer rays run that look for an end, in radii."""


@compiled
def is_text(text: NDArray[np.bool_], x: float, y: float) -> bool:
    """Whether the text region holds the point; there is none beyond the image."""
    column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
    if column < 0 or row < 0 or row >= text.shape[0] or column >= text.shape[1]:
        return False
    return bool(text[row, column])


@compiled
def _end(text: NDArray[np.bool_], x: float, y: float, r: float, dx: float, dy: float) -> tuple[float, float]:
    """Return how far the text goes on beyond the end (x, y) of its centre line along (dx, dy): above and below.

    To the border of the text region, a line fitted to where three rays meet it, if they do within r (3 r / 2 the outer
    ones, for text that ends aslant); half of r, what labels cut off, where the middle one does not.
    """
    found = (-1.0, -1.0, -1.0)
    for aside in (-ASIDE, 0.0, ASIDE):
        px, py = x - aside * r * dy, y + aside * r * dx
        furthest = r + 1 if aside == 0 else 1.5 * r + 1
        reach = last = -r / 2
        while reach <= furthest and reach - last <= 1.5:
            if is_text(text, px + reach * dx, py + reach * dy):
                last = reach
            reach += 0.5
        found = (found[1], found[2], last + 0.25 if reach - last > 1.5 else np.inf)
    one, middle, other = found
    if not np.isfinite(middle):
        return r / 2, r / 2
    if not (np.isfinite(one) and np.isfinite(other)):
        return middle, middle
    mean, slope = (one + middle + other) / 3, min(max((other - one) / (2 * ASIDE), -r), r)
    return mean - slope, mean + slope


@compiled
def slid(text: NDArray[np.bool_], points: Floats, first: int, last: int, rungs: Floats) -> int:
    """Write rungs across the text, x and y above and x and y below, for the axis *points* first to last; their number.

    Circles of radius r slid along an axis are bounded by ``centre +- r n``, n its normal; the first and the last rung
    lie where the text ends. There are two more rungs than points.
    """
    count = last - first + 3
    for i in range(count):
        k = min(max(first + i - 1, first), last)
        x, y, r, dx, dy = points[k, 0], points[k, 1], points[k, 2], points[k, 3], points[k, 4]
        above = below = 0.0
        if i == 0:
            below, above = _end(text, x, y, r, -dx, -dy)
            above, below = -above, -below
        elif i == count - 1:
            above, below = _end(text, x, y, r, dx, dy)
        elif first < k < last:  # the tangent as read and as seen
            ax, ay = points[k + 1, 0] - points[k - 1, 0], points[k + 1, 1] - points[k - 1, 1]
            size = np.sqrt(ax * ax + ay * ay)
            if ax * dx + ay * dy > 0:
                dx, dy = dx + ax / size, dy + ay / size
                size = np.sqrt(dx * dx + dy * dy)
                dx, dy = dx / size, dy / size
        rungs[i, 0], rungs[i, 1] = x + r * dy + above * dx, y - r * dx + above * dy
        rungs[i, 2], rungs[i, 3] = x - r * dy + below * dx, y + r * dx + below * dy
    for side in (0, 2):
        _trim(rungs, side, 0, 1, count, points[first, 3], points[first, 4])
        _trim(rungs, side, count - 1, -1, count, -points[last, 3], -points[last, 4])
    return count


@compiled
def _trim(rungs: Floats, side: int, end: int, way: int, count: int, dx: float, dy: float) -> None:
    """Move what an end cuts off a side to the corner; (dx, dy) leads from this end into the text."""
    x, y = rungs[end, side], rungs[end, side + 1]
    for i in range(1, count - 1):
        k = end + way * i
        if (rungs[k, side] - x) * dx + (rungs[k, side + 1] - y) * dy > 0:
            break
        rungs[k, side], rungs[k, side + 1] = x, y


@compiled
def covered(text: NDArray[np.bool_], rungs: Floats, count: int) -> float:
    """Return how much of the area between the rungs is text: of a grid of points, each with the area it stands for."""
    inside = total = 0.0
    for k in range(count - 1):
        ax, ay, bx, by = rungs[k, 0], rungs[k, 1], rungs[k, 2], rungs[k, 3]
        cx, cy, dx, dy = rungs[k + 1, 0], rungs[k + 1, 1], rungs[k + 1, 2], rungs[k + 1, 3]
        area = abs((dx - ax) * (cy - by) - (dy - ay) * (cx - bx))
        hits = 0
        for i in range(8):
            u = (i + 0.5) / 8
            for j in range(2):
                v = (j + 0.5) / 2
                x = (1 - v) * ((1 - u) * ax + u * bx) + v * ((1 - u) * cx + u * dx)
                y = (1 - v) * ((1 - u) * ay + u * by) + v * ((1 - u) * cy + u * dy)
                if is_text(text, x, y):
                    hits += 1
        inside += area * hits / 16
        total += area
    return inside / total if total > 0 else 0.0
