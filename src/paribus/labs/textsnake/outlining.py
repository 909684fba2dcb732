"""From two side lines to a simple polygon."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paribus.labs.textsnake.compiled import compiled

Floats = NDArray[np.float64]

SAME = 1e-6
"""Points nearer to each other than so many pixels are one."""
MOST = 2002
"""Of more rungs the outline is their convex hull: text has fewer."""
LEAF = 4
"""Edges in the smallest box of a search for those that meet."""


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
    above = unlooped(points, distinct(points, 0, count))
    for k in range(count):
        points[above + k, 0], points[above + k, 1] = rungs[count - 1 - k, 2], rungs[count - 1 - k, 3]
    below = distinct(points, above, above + count) - above
    n = distinct(points, 0, above + unlooped(points[above:], below))
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
def _boxes(points: Floats, n: int, edges: int) -> Floats:
    """Return boxes (left, top, right, bottom) round the edges of a line; the last edge may lead back to point 0.

    They are a binary tree: box 1 holds all edges, box k what boxes 2 k and 2 k + 1 hold, and each of the second half,
    the leaves, four edges that follow, or none.
    """
    leaves = 1
    while leaves * LEAF < edges:
        leaves *= 2
    boxes = np.empty((2 * leaves, 4))
    for leaf in range(leaves):
        left = top = np.inf
        right = bottom = -np.inf
        for k in range(LEAF * leaf, min(LEAF * (leaf + 1), edges) + 1):
            x, y = points[k if k < n else 0, 0], points[k if k < n else 0, 1]
            left, top, right, bottom = min(left, x), min(top, y), max(right, x), max(bottom, y)
        box = boxes[leaves + leaf]
        box[0], box[1], box[2], box[3] = left, top, right, bottom
    for k in range(leaves - 1, 0, -1):
        one, other = boxes[2 * k], boxes[2 * k + 1]
        boxes[k, 0], boxes[k, 1] = min(one[0], other[0]), min(one[1], other[1])
        boxes[k, 2], boxes[k, 3] = max(one[2], other[2]), max(one[3], other[3])
    return boxes


@compiled
def _last_met(points: Floats, n: int, boxes: Floats, a: int, b: int, low: int, high: int) -> int:
    """Return the last of the edges *low* to *high* that meets the one from point a to point b, or -1.

    Edge k leads from point k to the next of the n points, and *high* itself is none of those asked for. Only what lies
    in a box that meets the edge's own is looked at: in a line without many crossings some multiple of log n.
    """
    left, right = min(points[a, 0], points[b, 0]), max(points[a, 0], points[b, 0])
    top, bottom = min(points[a, 1], points[b, 1]), max(points[a, 1], points[b, 1])
    leaves = len(boxes) // 2
    node = 1
    while True:
        if boxes[node, 0] <= right and boxes[node, 2] >= left and boxes[node, 1] <= bottom and boxes[node, 3] >= top:
            if node < leaves:
                node = 2 * node + 1
                continue
            first = LEAF * (node - leaves)
            for k in range(min(first + LEAF, high) - 1, max(first, low) - 1, -1):
                if _meet(points, a, b, k, k + 1 if k + 1 < n else 0):
                    return k
            if first <= low:
                return -1
        while node % 2 == 0:  # all below this one is done: on to its neighbour on the left
            node //= 2
        if node == 1:
            return -1
        node -= 1


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
    boxes = _boxes(points, n, n)
    for k in range(n - 2):
        if _last_met(points, n, boxes, k, k + 1, k + 2, n if k > 0 else n - 1) >= 0:
            return False
    return abs(area) > 1e-6


@compiled
def _leads_on(points: Floats, n: int, axis: int) -> bool:
    """Whether x (*axis* 0) or y (1) always grows, or always falls, along the first n points: then no two edges meet."""
    rising = points[1, axis] > points[0, axis]
    for k in range(n - 1):
        if points[k + 1, axis] == points[k, axis] or (points[k + 1, axis] > points[k, axis]) != rising:
            return False
    return True


@compiled
def unlooped(points: Floats, n: int) -> int:
    """Cut the loops off the line of the first n points where it crosses itself; return how many are left.

    The first edge that meets a later one is cut there together with the last that it meets, and what lies between goes.
    """
    if n < 4 or _leads_on(points, n, 0) or _leads_on(points, n, 1):
        return n
    boxes = _boxes(points, n, n - 1)
    k, after, back = 0, 1, False  # the line so far: points 0 to k, and then those from after on
    while after < n - 1:
        a, b, low = (k - 1, k, after) if back else (k, after, after + 1)
        i = _last_met(points, n, boxes, a, b, low, n - 1)
        if i >= 0:
            ax, ay, bx, by = points[a, 0], points[a, 1], points[b, 0], points[b, 1]
            cx, cy, dx, dy = points[i, 0], points[i, 1], points[i + 1, 0], points[i + 1, 1]
            one, other = _turn(cx, cy, dx, dy, ax, ay), _turn(cx, cy, dx, dy, bx, by)
            part = one / (one - other) if one != other else 0.0
            points[i, 0], points[i, 1] = ax + part * (bx - ax), ay + part * (by - ay)
            node = len(boxes) // 2 + i // LEAF
            while node > 0:  # rounding may put the crossing outside
                box = boxes[node]
                box[0], box[1] = min(box[0], points[i, 0]), min(box[1], points[i, 1])
                box[2], box[3] = max(box[2], points[i, 0]), max(box[3], points[i, 1])
                node //= 2
            k, after = a, i
            back = k > 0  # the edge before may now meet what is left
        elif back:
            back = False
        else:
            k += 1
            points[k, 0], points[k, 1] = points[after, 0], points[after, 1]
            after += 1
    points[k + 1, 0], points[k + 1, 1] = points[after, 0], points[after, 1]
    return k + 2


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
