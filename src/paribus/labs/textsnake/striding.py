"""From the pixels of one centre line to the points of an axis: centralising and striding (figure 5, acts a and b)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paribus.labs.textsnake.compiled import compiled

Floats = NDArray[np.float64]

FINE = 0.25
"""Pixels between the places looked at on a normal."""


@compiled
def _slot(slots: NDArray[np.int32], left: int, top: int, x: float, y: float) -> int:
    """Return which pixel of the component lies at (x, y), or -1."""
    column, row = int(np.floor(x + 0.5)) - left, int(np.floor(y + 0.5)) - top
    if column < 0 or row < 0 or row >= slots.shape[0] or column >= slots.shape[1]:
        return -1
    return slots[row, column] - 1


@compiled
def _read(
    slots: NDArray[np.int32],
    left: int,
    top: int,
    values: NDArray[np.float32],
    x: float,
    y: float,
    dx: float,
    dy: float,
    found: Floats,
) -> None:
    """Read the axis on the normal through (x, y), which lies on the line; (dx, dy) is forward.

    *found* gets x and y of the middle between the normal's intersections with the border; the mean radius between them;
    the unit tangent there, forward; and how much the maps say the same of forward.
    """
    here = _slot(slots, left, top, x, y)
    c, s = values[here, 1], values[here, 2]
    sign = 1.0 if c * dx + s * dy >= 0 else -1.0
    size = np.sqrt(c * c + s * s)
    if size > 1e-3:
        dx, dy = sign * c / size, sign * s / size
    radius, cos, sin, count, vote = 0.0, 0.0, 0.0, 0, 0.0
    bounds = (0.0, 0.0)
    for way in (-1.0, 1.0):
        reach = 0.0 if way < 0 else FINE
        while True:
            k = _slot(slots, left, top, x - way * reach * dy, y + way * reach * dx)
            if k < 0:
                break
            c, s = values[k, 1], values[k, 2]
            agreed = c * dx + s * dy
            sign = 1.0 if agreed >= 0 else -1.0
            radius += values[k, 0]
            cos += sign * c
            sin += sign * s
            vote += agreed
            count += 1
            reach += FINE
        bounds = (reach - FINE, bounds[0])
    shift = (bounds[0] - bounds[1]) / 2
    found[0], found[1] = x - shift * dy, y + shift * dx
    found[2] = radius / count
    size = np.sqrt(cos * cos + sin * sin)
    if size > 1e-3 * count:
        dx, dy = cos / size, sin / size
    found[3], found[4], found[5] = dx, dy, vote / count


@compiled
def _met(points: Floats, count: int, spared: int, x: float, y: float, away: float) -> bool:
    """Whether one of the points, but for the last *spared*, lies nearer than *away* to (x, y)."""
    for k in range(count - spared):
        if (points[k, 0] - x) ** 2 + (points[k, 1] - y) ** 2 < away * away:
            return True
    return False


@compiled
def _stride(
    slots: NDArray[np.int32],
    left: int,
    top: int,
    values: NDArray[np.float32],
    start: Floats,
    centralize: bool,
    points: Floats,
    limit: int,
    other: Floats,
    others: int,
) -> int:
    """Stride from *start* forward until the line ends; write what is read at each place and return how many there are."""
    count = 0
    here, found = start.copy(), np.empty(6)
    while count < limit:
        whole = max(here[2] / 2, 1.0)
        step = whole
        reached = False
        while step >= 0.25:
            x, y = here[0] + step * here[3], here[1] + step * here[4]
            for aside in (0.0, 1.0, -1.0):  # a ragged border or a hole of a pixel does not end the line
                qx, qy = x - aside * here[4], y + aside * here[3]
                if _slot(slots, left, top, qx, qy) >= 0:
                    reached = True
                    break
            if reached:
                break
            step -= 0.5
        if not reached:
            break
        _read(slots, left, top, values, qx, qy, here[3], here[4], found)
        if not centralize:
            found[0], found[1] = qx, qy
        ahead = (found[0] - here[0]) * here[3] + (found[1] - here[1]) * here[4]
        if ahead < 0.25 or _met(points, count, 2, found[0], found[1], 0.8 * whole):
            break
        if _met(other, others, 0, found[0], found[1], 0.8 * whole):
            break
        here[:] = found
        points[count] = found
        count += 1
        if step < whole:
            break
    return count


@compiled
def walked(
    slots: NDArray[np.int32],
    left: int,
    top: int,
    xs: NDArray[np.int32],
    ys: NDArray[np.int32],
    values: NDArray[np.float32],
    centralize: bool,
    stride: bool,
) -> tuple[Floats, float]:
    """Return the axis of one component, rows of x, y, r, dx, dy in order, and how much the maps agree with its way.

    *xs*, *ys* (N,): its pixels; *values* (N, 4): radius, cosine and sine there. *slots*: 1 + the place of each pixel in
    these, 0 off the component, from column *left* and row *top*.
    """
    n = len(xs)
    mx = my = 0.0
    for k in range(n):
        mx += xs[k]
        my += ys[k]
    mx, my = mx / n, my / n
    nearest, first = np.inf, 0
    for k in range(n):
        away = (xs[k] - mx) ** 2 + (ys[k] - my) ** 2
        if away < nearest:
            nearest, first = away, k
    start = np.empty(6)
    _read(slots, left, top, values, xs[first], ys[first], values[first, 1], values[first, 2], start)
    if not centralize:
        start[0], start[1] = xs[first], ys[first]
    if start[3] == 0 and start[4] == 0:
        start[3] = 1.0
    if not stride:
        return _straight(xs, ys, start), start[5]
    limit = n + 4
    none = np.empty((0, 6))
    forward, backward = np.empty((limit, 6)), np.empty((limit, 6))
    ahead = _stride(slots, left, top, values, start, centralize, forward, limit, none, 0)
    start[3], start[4] = -start[3], -start[4]
    behind = _stride(slots, left, top, values, start, centralize, backward, limit, forward, ahead)
    start[3], start[4] = -start[3], -start[4]
    line = np.empty((ahead + behind + 1, 5))
    vote = start[5]
    for k in range(behind):
        line[behind - 1 - k] = backward[k, :5]
        line[behind - 1 - k, 3:] *= -1
        vote -= backward[k, 5]
    line[behind] = start[:5]
    for k in range(ahead):
        line[behind + 1 + k] = forward[k, :5]
        vote += forward[k, 5]
    return line, vote


@compiled
def _straight(xs: NDArray[np.int32], ys: NDArray[np.int32], start: Floats) -> Floats:
    """Return the straight axis through *start* along its tangent as far as the component goes."""
    low = high = 0.0
    for k in range(len(xs)):
        along = (xs[k] - start[0]) * start[3] + (ys[k] - start[1]) * start[4]
        low, high = min(low, along), max(high, along)
    count = 2 + int((high - low) / max(start[2] / 2, 1.0))
    line = np.empty((count, 5))
    for k in range(count):
        along = low + (high - low) * k / (count - 1)
        line[k] = start[:5]
        line[k, 0] += along * start[3]
        line[k, 1] += along * start[4]
    return line
