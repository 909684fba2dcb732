"""From the points of an axis to an outline: circles slid along it (figure 5, act c), and where it ends."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.labs.textsnake.compiled import compiled

Floats = NDArray[np.float64]


@compiled
def is_text(tr: NDArray[Any], low: Any, high: Any, x: float, y: float) -> bool:
    """Whether the text region holds the point; there is none beyond the image."""
    column, row = int(np.floor(x + 0.5)), int(np.floor(y + 0.5))
    if column < 0 or row < 0 or row >= tr.shape[0] or column >= tr.shape[1]:
        return False
    return bool((tr[row, column] > low) & (tr[row, column] <= high))


@compiled
def _end(tr: NDArray[Any], low: Any, high: Any, x: float, y: float, r: float, dx: float, dy: float) -> float:
    """Return how far the text goes on beyond the end (x, y) of its centre line along (dx, dy).

    To the border of the text region, where that lies within r; half of r, what labels cut off, where it does not.
    """
    total, count = 0.0, 0
    for aside in (-0.5, 0.0, 0.5):
        px, py = x - aside * r * dy, y + aside * r * dx
        reach, last = 0.25, -1.0
        while reach <= r + 1 and reach - last <= 1.5:
            if is_text(tr, low, high, px + reach * dx, py + reach * dy):
                last = reach
            reach += 0.5
        if last >= 0 and reach - last > 1.5:
            total += last + 0.25
            count += 1
    return total / count if count else r / 2


@compiled
def slid(tr: NDArray[Any], low: Any, high: Any, points: Floats, first: int, last: int, rungs: Floats) -> int:
    """Write rungs across the text, x and y above and x and y below, for the axis *points* first to last; return how many.

    Circles of radius r slid along an axis are bounded by ``centre +- r n``, n its normal; the first and the last rung
    lie where the text ends, square. There are two more rungs than points.
    """
    count = last - first + 3
    for i in range(count):
        k = min(max(first + i - 1, first), last)
        x, y, r, dx, dy = points[k, 0], points[k, 1], points[k, 2], points[k, 3], points[k, 4]
        if i == 0:
            reach = _end(tr, low, high, x, y, r, -dx, -dy)
            x, y = x - reach * dx, y - reach * dy
        elif i == count - 1:
            reach = _end(tr, low, high, x, y, r, dx, dy)
            x, y = x + reach * dx, y + reach * dy
        elif first < k < last:  # the tangent as read and as seen
            ax, ay = points[k + 1, 0] - points[k - 1, 0], points[k + 1, 1] - points[k - 1, 1]
            size = np.sqrt(ax * ax + ay * ay)
            if ax * dx + ay * dy > 0:
                dx, dy = dx + ax / size, dy + ay / size
                size = np.sqrt(dx * dx + dy * dy)
                dx, dy = dx / size, dy / size
        rungs[i, 0], rungs[i, 1], rungs[i, 2], rungs[i, 3] = x + r * dy, y - r * dx, x - r * dy, y + r * dx
    return count


@compiled
def covered(tr: NDArray[Any], low: Any, high: Any, rungs: Floats, count: int) -> float:
    """Return how much of the area between the rungs is text: of a grid of points, each with the area that it stands for."""
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
                if is_text(tr, low, high, x, y):
                    hits += 1
        inside += area * hits / 16
        total += area
    return inside / total if total > 0 else 0.0
