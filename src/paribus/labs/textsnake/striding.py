"""From the pixels of one centre line to the points of an axis: centralising and striding (figure 5, acts a and b).

Points are rows of x, y, r, dx, dy, vote: the place, the radius there, the unit tangent, and how much the
maps agree that forward is the way of reading (-1 to 1). A component lies in ``slots``, the box round it with 1 + the
place of each of its pixels in ``values`` (radius, cosine, sine; any N), and 0 elsewhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paribus.labs.textsnake.compiled import compiled

Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]

FINE = 0.25
"""Pixels between the places looked at on a normal."""
BESIDE = 0.75
"""Pixels between the three normals of a point: their mean smooths the steps of a border of pixels."""


@compiled
def _slot(slots: NDArray[np.int32], left: int, top: int, x: float, y: float) -> int:
    """Return which pixel of the component lies at (x, y), or -1."""
    column, row = int(np.floor(x + 0.5)) - left, int(np.floor(y + 0.5)) - top
    if column < 0 or row < 0 or row >= slots.shape[0] or column >= slots.shape[1]:
        return -1
    return int(slots[row, column]) - 1


@compiled
def _tangent(values: NDArray[np.float32], k: int, dx: float, dy: float) -> tuple[float, float]:
    """Return the unit tangent that the maps tell of a pixel, or (dx, dy) where they tell of none."""
    c, s = values[1, k], values[2, k]
    size = np.sqrt(c * c + s * s)
    if size > 1e-3:
        return c / size, s / size
    return dx, dy


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
    centralize: bool,
    points: Floats,
    place: int,
) -> None:
    """Write what the normal through (x, y), on the component, tells into a row of *points*; (dx, dy) is forward.

    Centralised, the point is the middle between the normal's intersections with the border: the mean of three normals.
    Radius and tangent are means over these, tangents turned to lead forward.
    """
    tx, ty = _tangent(values, _slot(slots, left, top, x, y), dx, dy)
    if tx * dx + ty * dy < 0:
        tx, ty = -tx, -ty
    dx, dy = tx, ty
    radius = cos = sin = vote = shift = 0.0
    count = normals = 0
    for along in (0.0, BESIDE, -BESIDE):
        px, py = x + along * dx, y + along * dy
        if _slot(slots, left, top, px, py) < 0:
            continue
        before = after = 0.0
        for way in (-1.0, 1.0):
            reach = 0.0 if way < 0 else FINE
            while True:
                k = _slot(slots, left, top, px - way * reach * dy, py + way * reach * dx)
                if k < 0:
                    break
                c, s = values[1, k], values[2, k]
                agreed = c * dx + s * dy
                sign = 1.0 if agreed >= 0 else -1.0
                radius += values[0, k]
                cos += sign * c
                sin += sign * s
                vote += agreed
                count += 1
                reach += FINE
            before, after = after, reach - FINE
        shift += (after - before) / 2
        normals += 1
    if centralize:
        shift /= normals
        x, y = x - shift * dy, y + shift * dx
    size = np.sqrt(cos * cos + sin * sin)
    if size > 1e-3 * count:
        dx, dy = cos / size, sin / size
    points[place, 0], points[place, 1], points[place, 2] = x, y, radius / count
    points[place, 3], points[place, 4], points[place, 5] = dx, dy, vote / count


@compiled
def _read_there(
    slots: NDArray[np.int32],
    left: int,
    top: int,
    values: NDArray[np.float32],
    x: float,
    y: float,
    dx: float,
    dy: float,
    centralize: bool,
    points: Floats,
    place: int,
) -> None:
    """Write what :func:`_read` does, of one normal, with radius and tangent as the maps say at the point itself."""
    here = _slot(slots, left, top, x, y)
    dx, dy = _tangent(values, here, dx, dy)
    if centralize:
        before = after = 0.0
        while _slot(slots, left, top, x - (after + FINE) * dy, y + (after + FINE) * dx) >= 0:
            after += FINE
        while _slot(slots, left, top, x + (before + FINE) * dy, y - (before + FINE) * dx) >= 0:
            before += FINE
        shift = (after - before) / 2
        middle = _slot(slots, left, top, x - shift * dy, y + shift * dx)
        if middle >= 0:  # else it lies in a notch between two places looked at
            here, x, y = middle, x - shift * dy, y + shift * dx
            dx, dy = _tangent(values, here, dx, dy)
    points[place, 0], points[place, 1], points[place, 2] = x, y, values[0, here]
    points[place, 3], points[place, 4], points[place, 5] = dx, dy, 1.0


@compiled
def _grown(box: Box, points: Floats, k: int) -> Box:
    x, y = points[k, 0], points[k, 1]
    return min(box[0], x), min(box[1], y), max(box[2], x), max(box[3], y)


@compiled
def _apart(points: Floats, k: int) -> float:
    """Return how far it is from point k to the next."""
    return float(np.sqrt((points[k + 1, 0] - points[k, 0]) ** 2 + (points[k + 1, 1] - points[k, 1]) ** 2))


@compiled
def _returns(
    points: Floats, k: int, way: int, first: int, last: int, x: float, y: float, near: float, longest: float
) -> bool:
    """Whether a point from the k-th on, to the first or the last, lies nearer to (x, y) than *near*.

    No two points that follow are further apart than *longest*, so after one that is far away as many are passed over as
    it takes to come near; along a line that leads away these are ever more.
    """
    while first <= k <= last:
        away = (points[k, 0] - x) ** 2 + (points[k, 1] - y) ** 2
        if away < near**2:
            return True
        k += way * max(1, int((np.sqrt(away) - near) / (1.001 * longest)))
    return False


@compiled
def _stride(
    slots: NDArray[np.int32],
    left: int,
    top: int,
    values: NDArray[np.float32],
    centralize: bool,
    cross_sections: bool,
    pixel_strides: bool,
    points: Floats,
    first: int,
    last: int,
    way: int,
    limit: int,
) -> int:
    """Stride from the last point on (*way* 1) or from the first point back (-1) until the line ends.

    It also ends where it comes back to itself, for a ring has no end, and where a stride leads less than a quarter of a
    pixel on.

    The points so far are the rows *first* to *last*; return how many follow.
    """
    count = 0
    here = last if way > 0 else first
    longest, box = 0.0, (np.inf, np.inf, -np.inf, -np.inf)  # round all points but the last two
    for k in range(first, last):
        longest = max(longest, _apart(points, k))
    for k in range(first + 2, last + 1):  # on the way back
        box = _grown(box, points, k)
    while count < limit:
        dx, dy = way * points[here, 3], way * points[here, 4]
        whole = max(points[here, 2] / 2, 1.0) if pixel_strides else points[here, 2] / 2
        step = whole
        x = y = 0.0
        reached = False
        while step >= 0.25 and not reached:
            for aside in (0.0, 1.0, -1.0):  # a ragged border or a hole of a pixel does not end the line
                x = points[here, 0] + step * dx - aside * dy
                y = points[here, 1] + step * dy + aside * dx
                if _slot(slots, left, top, x, y) >= 0:
                    reached = True
                if reached or not pixel_strides:
                    break
            if not reached:
                step -= 0.5
        if not reached:
            break
        there = here + way
        if cross_sections:
            _read(slots, left, top, values, x, y, way * dx, way * dy, centralize, points, there)
        else:
            _read_there(slots, left, top, values, x, y, way * dx, way * dy, centralize, points, there)
        x, y = points[there, 0], points[there, 1]
        if (x - points[here, 0]) * dx + (y - points[here, 1]) * dy < 0.25:
            break
        longest = max(longest, _apart(points, min(here, there)))
        near = 0.8 * whole  # a line that closes to a ring ends where it began
        if max(box[0] - x, box[1] - y, x - box[2], y - box[3]) < near and _returns(
            points, here - 2 * way, -way, first, last, x, y, near, longest
        ):
            return count
        if first <= here - way <= last:
            box = _grown(box, points, here - way)
        count += 1
        here = there
        first, last = min(first, here), max(last, here)
        if step < whole:
            break
    return count


@compiled
def most(pixels: int, pixel_strides: bool) -> int:
    """Return how many strides there may be each way on so many pixels, one or four of them a pixel."""
    return (pixels if pixel_strides else 4 * pixels) + 4


@compiled
def walked(
    slots: NDArray[np.int32],
    left: int,
    top: int,
    pixels: NDArray[np.int64],
    columns: int,
    values: NDArray[np.float32],
    begin: int,
    end: int,
    centralize: bool,
    stride: bool,
    cross_sections: bool,
    pixel_strides: bool,
    points: Floats,
) -> tuple[int, int]:
    """Write the axis of the component of *pixels* *begin* to *end* into *points* and return its first and its last row.

    *pixels*: places in the flattened map of so many *columns*. *points* has room for twice :func:`most` and one row.
    """
    n = end - begin
    mx = my = 0.0
    for k in range(begin, end):
        mx += pixels[k] % columns
        my += pixels[k] // columns
    mx, my = mx / n, my / n
    nearest, start = np.inf, begin
    for k in range(begin, end):
        away = (pixels[k] % columns - mx) ** 2 + (pixels[k] // columns - my) ** 2
        if away < nearest:
            nearest, start = away, k
    x, y = float(pixels[start] % columns), float(pixels[start] // columns)
    limit = most(n, pixel_strides)
    middle = limit
    if cross_sections:
        _read(slots, left, top, values, x, y, 1.0, 0.0, centralize, points, middle)
    else:
        _read_there(slots, left, top, values, x, y, 1.0, 0.0, centralize, points, middle)
    if stride:
        last = middle + _stride(
            slots, left, top, values, centralize, cross_sections, pixel_strides, points, middle, middle, 1, limit
        )
        first = middle - _stride(
            slots, left, top, values, centralize, cross_sections, pixel_strides, points, middle, last, -1, limit
        )
        return first, last
    x, y, dx, dy = points[middle, 0], points[middle, 1], points[middle, 3], points[middle, 4]
    low = high = 0.0
    for k in range(begin, end):
        along = (pixels[k] % columns - x) * dx + (pixels[k] // columns - y) * dy
        low, high = min(low, along), max(high, along)
    count = 2 + min(int((high - low) / max(points[middle, 2] / 2, 1.0)), n)
    for i in range(count):
        k = count - 1 - i  # row 0 last: it may be the middle itself
        points[k] = points[middle]
        points[k, 0] = x + (low + (high - low) * k / (count - 1)) * dx
        points[k, 1] = y + (low + (high - low) * k / (count - 1)) * dy
    return 0, count - 1
