"""From two side lines to a simple polygon."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paribus.labs.textsnake.compiled import compiled

Floats = NDArray[np.float64]

SAME = 1e-6
"""Points nearer to each other than so many pixels are one."""
MOST = 2002
"""Of more rungs the outline is their convex hull: looking for crossings takes time that grows with their square."""


@compiled
def outlined(rungs: Floats, count: int, points: Floats) -> int:
    """Write the polygon round the rungs, the side above and then the side below back; return how many corners it has.

    *rungs*: rows of x and y above, x and y below. The polygon is always simple: where a side crosses itself the loop is
    cut off; where that is not enough, or there are more than 2,002 rungs, it is the convex hull; and there is none (0)
    where that has no area.
    """
    if count > MOST:
        return _hull_of(rungs, count, points)
    for k in range(count):
        points[k, 0], points[k, 1] = rungs[k, 0], rungs[k, 1]
    above = unlooped(points, 0, distinct(points, 0, count))
    for k in range(count):
        points[above + k, 0], points[above + k, 1] = rungs[count - 1 - k, 2], rungs[count - 1 - k, 3]
    n = distinct(points, 0, unlooped(points, above, distinct(points, above, above + count)))
    if n > 1 and abs(points[0, 0] - points[n - 1, 0]) + abs(points[0, 1] - points[n - 1, 1]) < SAME:
        n -= 1
    if is_simple(points, n):
        return n
    return _hull_of(rungs, count, points)


@compiled
def _hull_of(rungs: Floats, count: int, points: Floats) -> int:
    for k in range(count):
        points[2 * k, 0], points[2 * k, 1] = rungs[k, 0], rungs[k, 1]
        points[2 * k + 1, 0], points[2 * k + 1, 1] = rungs[k, 2], rungs[k, 3]
    return hull(points, 2 * count)


@compiled
def distinct(points: Floats, begin: int, end: int) -> int:
    """Drop those of the points *begin* to *end* that repeat their predecessor; return where they end now."""
    kept = begin
    for k in range(begin, end):
        if kept > begin and abs(points[k, 0] - points[kept - 1, 0]) + abs(points[k, 1] - points[kept - 1, 1]) < SAME:
            continue
        points[kept, 0], points[kept, 1] = points[k, 0], points[k, 1]
        kept += 1
    return kept


@compiled
def _turn(ax: float, ay: float, bx: float, by: float, px: float, py: float) -> float:
    return (bx - ax) * (py - ay) - (by - ay) * (px - ax)


@compiled
def _meet(points: Floats, a: int, b: int, c: int, d: int) -> bool:
    """Whether the segments from point a to b and from c to d meet; touching counts."""
    ax, ay, bx, by = points[a, 0], points[a, 1], points[b, 0], points[b, 1]
    cx, cy, dx, dy = points[c, 0], points[c, 1], points[d, 0], points[d, 1]
    if max(ax, bx) < min(cx, dx) or max(cx, dx) < min(ax, bx) or max(ay, by) < min(cy, dy) or max(cy, dy) < min(ay, by):
        return False
    if _turn(ax, ay, bx, by, cx, cy) * _turn(ax, ay, bx, by, dx, dy) > 0:
        return False
    return _turn(cx, cy, dx, dy, ax, ay) * _turn(cx, cy, dx, dy, bx, by) <= 0


@compiled
def is_simple(points: Floats, n: int) -> bool:
    """Whether the polygon of the first n points has an area, and no edge meets another but where they follow."""
    if n < 3:
        return False
    area = 0.0
    for k in range(n):
        after = k + 1 if k + 1 < n else 0
        beyond = after + 1 if after + 1 < n else 0
        ax, ay, bx, by = points[k, 0], points[k, 1], points[after, 0], points[after, 1]
        cx, cy = points[beyond, 0], points[beyond, 1]
        area += _turn(points[0, 0], points[0, 1], ax, ay, bx, by)
        if (bx - ax) * (cx - bx) + (by - ay) * (cy - by) < 0 and abs(_turn(ax, ay, bx, by, cx, cy)) < 1e-9:
            return False  # it turns back on itself
        for i in range(k + 2, n - 1):
            if _meet(points, k, after, i, i + 1):
                return False
        if 0 < k < n - 2 and _meet(points, k, after, n - 1, 0):
            return False
    return abs(area) > 1e-6


@compiled
def unlooped(points: Floats, begin: int, end: int) -> int:
    """Cut the loops off the line of the points *begin* to *end* where it crosses itself; return where it ends now."""
    k = begin
    while k < end - 3:
        cut = False
        for i in range(end - 2, k + 1, -1):
            if not _meet(points, k, k + 1, i, i + 1):
                continue
            ax, ay, bx, by = points[k, 0], points[k, 1], points[k + 1, 0], points[k + 1, 1]
            cx, cy, dx, dy = points[i, 0], points[i, 1], points[i + 1, 0], points[i + 1, 1]
            one, other = _turn(cx, cy, dx, dy, ax, ay), _turn(cx, cy, dx, dy, bx, by)
            part = one / (one - other) if one != other else 0.0
            points[k + 1, 0], points[k + 1, 1] = ax + part * (bx - ax), ay + part * (by - ay)
            for rest in range(i + 1, end):
                points[k + 2 + rest - i - 1, 0], points[k + 2 + rest - i - 1, 1] = points[rest, 0], points[rest, 1]
            end -= i - k - 1
            cut = True
            break
        k = max(k - 1, begin) if cut else k + 1
    return end


@compiled
def hull(points: Floats, n: int) -> int:
    """Replace the first n points by their convex hull (Andrew's monotone chain) and return its size; 0 without area."""
    gap = n
    while gap > 1:  # in order of x, then y: Shell's sort
        gap = max(gap * 5 // 11, 1)
        for k in range(gap, n):
            x, y = points[k, 0], points[k, 1]
            i = k
            while i >= gap and (points[i - gap, 0] > x or (points[i - gap, 0] == x and points[i - gap, 1] > y)):
                points[i, 0], points[i, 1] = points[i - gap, 0], points[i - gap, 1]
                i -= gap
            points[i, 0], points[i, 1] = x, y
    found = np.empty((2 * n + 2, 2))
    count = 0
    for sweep in range(2):
        floor = count + 1
        for step in range(n):
            k = step if sweep == 0 else n - 1 - step
            while count > floor and _turn(found[count - 2, 0], found[count - 2, 1], found[count - 1, 0],
                                          found[count - 1, 1], points[k, 0], points[k, 1]) <= 1e-9:  # fmt: skip
                count -= 1
            found[count, 0], found[count, 1] = points[k, 0], points[k, 1]
            count += 1
        count -= 1
    if count > n or not is_simple(found, count):
        return 0
    for k in range(count):
        points[k, 0], points[k, 1] = found[k, 0], found[k, 1]
    return count
