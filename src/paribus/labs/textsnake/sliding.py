"""From the points of an axis to an outline: circles slid along it (figure 5, act c), its ends and a simple polygon."""

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
        if 0 <= last and reach - last > 1.5:
            total += last + 0.25
            count += 1
    return total / count if count else r / 2


@compiled
def slid(tr: NDArray[Any], low: Any, high: Any, line: Floats) -> Floats:
    """Return rungs (D, 4) across the text, x and y above and x and y below, for an axis *line* (N, 5) of x, y, r, dx, dy.

    Circles of radius r slid along an axis are bounded by ``centre +- r n``, n its normal; the first and the last rung
    lie where the text ends, square.
    """
    n = len(line)
    rungs = np.empty((n + 2, 4))
    for k in range(n):
        dx, dy = line[k, 3], line[k, 4]
        if n > 2 and 0 < k < n - 1:
            ax, ay = line[k + 1, 0] - line[k - 1, 0], line[k + 1, 1] - line[k - 1, 1]
            size = np.sqrt(ax * ax + ay * ay)
            if size > 0 and (ax * dx + ay * dy) > 0:
                dx, dy = dx + ax / size, dy + ay / size
                size = np.sqrt(dx * dx + dy * dy)
                dx, dy = dx / size, dy / size
        x, y, r = line[k, 0], line[k, 1], line[k, 2]
        rungs[k + 1, 0], rungs[k + 1, 1] = x + r * dy, y - r * dx
        rungs[k + 1, 2], rungs[k + 1, 3] = x - r * dy, y + r * dx
    for k, at, way in ((0, 0, -1.0), (n - 1, n + 1, 1.0)):
        x, y, r, dx, dy = line[k, 0], line[k, 1], line[k, 2], way * line[k, 3], way * line[k, 4]
        reach = _end(tr, low, high, x, y, r, dx, dy)
        x, y = x + reach * dx, y + reach * dy
        dx, dy = way * dx, way * dy
        rungs[at, 0], rungs[at, 1] = x + r * dy, y - r * dx
        rungs[at, 2], rungs[at, 3] = x - r * dy, y + r * dx
    return rungs


@compiled
def covered(tr: NDArray[Any], low: Any, high: Any, rungs: Floats) -> float:
    """Return how much of the area between the rungs is text: of a grid of points, each with the area that it stands for."""
    inside = total = 0.0
    for k in range(len(rungs) - 1):
        ax, ay, bx, by = rungs[k, 0], rungs[k, 1], rungs[k, 2], rungs[k, 3]
        cx, cy, dx, dy = rungs[k + 1, 0], rungs[k + 1, 1], rungs[k + 1, 2], rungs[k + 1, 3]
        area = abs((dx - ax) * (cy - by) - (dy - ay) * (cx - bx))
        hits = 0
        for i in range(8):
            u = (i + 0.5) / 8
            for j in range(3):
                v = (j + 0.5) / 3
                x = (1 - v) * ((1 - u) * ax + u * bx) + v * ((1 - u) * cx + u * dx)
                y = (1 - v) * ((1 - u) * ay + u * by) + v * ((1 - u) * cy + u * dy)
                hits += is_text(tr, low, high, x, y)
        inside += area * hits / 24
        total += area
    return inside / total if total > 0 else 0.0


@compiled
def outlined(rungs: Floats) -> Floats:
    """Return the polygon round the rungs, the side above and then the side below back; always a simple one.

    Where a side crosses itself the loop is cut off; where that is not enough, the convex hull is the answer.
    """
    n = len(rungs)
    one, other = np.empty((n, 2)), np.empty((n, 2))
    for k in range(n):
        one[k, 0], one[k, 1] = rungs[k, 0], rungs[k, 1]
        other[k, 0], other[k, 1] = rungs[k, 2], rungs[k, 3]
    one, other = _unlooped(one), _unlooped(other)
    points = np.empty((len(one) + len(other), 2))
    count = 0
    for k in range(len(points)):
        x, y = one[k] if k < len(one) else other[len(points) - 1 - k]
        if count and np.hypot(x - points[count - 1, 0], y - points[count - 1, 1]) < 1e-6:
            continue
        points[count, 0], points[count, 1] = x, y
        count += 1
    points = points[:count]
    return points if is_simple(points) else _hull(points)


@compiled
def _side(a: Floats, b: Floats, p: Floats) -> float:
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


@compiled
def _cross(a: Floats, b: Floats, c: Floats, d: Floats) -> bool:
    """Whether the segments ab and cd meet; touching counts."""
    if max(a[0], b[0]) < min(c[0], d[0]) or max(c[0], d[0]) < min(a[0], b[0]):
        return False
    if max(a[1], b[1]) < min(c[1], d[1]) or max(c[1], d[1]) < min(a[1], b[1]):
        return False
    return _side(a, b, c) * _side(a, b, d) <= 0 and _side(c, d, a) * _side(c, d, b) <= 0


@compiled
def is_simple(points: Floats) -> bool:
    """Whether the polygon has an area and no edge of it meets another but at the corner between them."""
    n = len(points)
    if n < 3:
        return False
    area = 0.0
    for k in range(n):
        a, b = points[k], points[(k + 1) % n]
        area += (a[0] - points[0, 0]) * (b[1] - points[0, 1]) - (a[1] - points[0, 1]) * (b[0] - points[0, 0])
        c = points[(k + 2) % n]
        if (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]) < 0 and abs(_side(a, b, c)) < 1e-9:
            return False  # it turns back on itself
        for i in range(k + 2, n - 1 if k == 0 else n):
            if _cross(a, b, points[i], points[(i + 1) % n]):
                return False
    return abs(area) > 1e-6


@compiled
def _unlooped(line: Floats) -> Floats:
    """Return the line without the loops where it crosses itself."""
    kept = line.copy()
    count = len(kept)
    k = 0
    while k < count - 3:
        cut = False
        for i in range(count - 2, k + 1, -1):
            a, b, c, d = kept[k], kept[k + 1], kept[i], kept[i + 1]
            if not _cross(a, b, c, d):
                continue
            one, other = _side(c, d, a), _side(c, d, b)
            part = one / (one - other) if one != other else 0.0
            kept[k + 1, 0], kept[k + 1, 1] = a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])
            for rest in range(i + 1, count):
                kept[k + 2 + rest - i - 1] = kept[rest]
            count -= i - k - 1
            cut = True
            break
        if not cut:
            k += 1
        else:
            k = max(k - 1, 0)
    return kept[:count].copy()


@compiled
def _hull(points: Floats) -> Floats:
    """Return the convex hull (Andrew's monotone chain); no points where it has no area."""
    n = len(points)
    order = np.argsort(points[:, 0], kind="mergesort")
    for k in range(1, n):  # equal x: by y
        i = k
        while i > 0 and points[order[i - 1], 0] == points[order[i], 0] and points[order[i - 1], 1] > points[order[i], 1]:
            order[i - 1], order[i] = order[i], order[i - 1]
            i -= 1
    hull = np.empty((2 * n + 2, 2))
    count = 0
    for sweep in range(2):
        floor = count + 1 if sweep else 1
        for step in range(n):
            p = points[order[step]] if sweep == 0 else points[order[n - 1 - step]]
            while count > floor and _side(hull[count - 2], hull[count - 1], p) <= 1e-9:
                count -= 1
            hull[count] = p
            count += 1
        count -= 1
    found = hull[:count].copy()
    return found if count >= 3 and is_simple(found) else np.empty((0, 2))
