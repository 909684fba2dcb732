"""Axes are those of a plain walk: with refinements or to the letter, and where a line comes back to itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from paribus.labs.textsnake.components import components
from paribus.labs.textsnake.striding import FINE, _read, _returns, _slot, most, walked

Floats = NDArray[np.float64]
Maps = tuple[NDArray[np.bool_], NDArray[np.float32]]
SIDE = 120


def as_read(slots: NDArray[np.int32], values: NDArray[np.float32], at: Floats, direction: Floats) -> Floats:
    """Return the row of a point to the letter: the middle of one normal, and what the maps say there."""

    def tangent(at: Floats) -> tuple[int, Floats]:
        k = _slot(slots, 0, 0, *at)
        found = values[1:, k].astype(np.float64)
        return k, found / np.linalg.norm(found) if np.linalg.norm(found) > 1e-3 else direction

    k, direction = tangent(at)
    dx, dy = direction
    normal = np.array([-dy, dx])
    steps = []
    for way in (-1, 1):
        count = 0
        while _slot(slots, 0, 0, *(at + way * (count + 1) * FINE * normal)) >= 0:
            count += 1
        steps.append(way * count * FINE)
    moved = at + sum(steps) / 2 * normal
    if _slot(slots, 0, 0, *moved) >= 0:  # the middle may lie in a notch
        at = moved
        k, direction = tangent(at)
    return np.array([*at, values[0, k], *direction, 1])


def plainly_strode(
    slots: NDArray[np.int32],
    values: NDArray[np.float32],
    points: Floats,
    first: int,
    last: int,
    way: int,
    limit: int,
    letter: bool,
) -> int:
    """Stride, and look at every point there is after every step."""
    count, here = 0, last if way > 0 else first
    while count < limit:
        dx, dy = way * points[here, 3], way * points[here, 4]
        whole = points[here, 2] / 2 if letter else max(points[here, 2] / 2, 1.0)
        step = whole
        places = []
        while step >= 0.25 and not places:
            tried = [
                (points[here, 0] + step * dx - aside * dy, points[here, 1] + step * dy + aside * dx)
                for aside in ((0.0,) if letter else (0.0, 1.0, -1.0))
            ]
            places = [(x, y) for x, y in tried if _slot(slots, 0, 0, x, y) >= 0]
            step -= 0 if places else 0.5
        if not places:
            break
        there = here + way
        if letter:
            points[there] = as_read(slots, values, np.array(places[0]), np.array([way * dx, way * dy]))
        else:
            _read(slots, 0, 0, values, *places[0], way * dx, way * dy, True, points, there)
        x, y = points[there, :2]
        if (x - points[here, 0]) * dx + (y - points[here, 1]) * dy < 0.25:
            break
        for k in range(first, last + 1):
            if abs(k - here) > 1 and (points[k, 0] - x) ** 2 + (points[k, 1] - y) ** 2 < (0.8 * whole) ** 2:
                return count
        count, here = count + 1, there
        first, last = min(first, here), max(last, here)
        if step < whole:
            break
    return count


def shape(kind: str, seed: int) -> Maps:
    """Return where a centre line is, and radius, cosine and sine there."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE] - random.uniform(SIDE / 2 - 9, SIDE / 2 + 9)
    away, angle = np.hypot(x, y), np.arctan2(y, x)
    radius = np.full((SIDE, SIDE), random.uniform(1, 12))
    if kind == "ring":
        where, angle = np.abs(away - random.uniform(8, 45)) < random.uniform(1, 6), angle + np.pi / 2
    elif kind == "spiral":
        pitch = random.uniform(6, 20)
        where = np.abs((away - pitch * angle / (2 * np.pi)) / pitch % 1 - 0.5) * pitch < random.uniform(0.8, 2)
        where, angle = where & (away > pitch) & (away < 50), angle + np.pi / 2
    elif kind == "line":
        angle = np.full((SIDE, SIDE), random.uniform(-np.pi, np.pi))
        where = np.abs(x * np.sin(angle) - y * np.cos(angle)) < random.uniform(0.8, 4)
    else:  # winding
        smooth = ndimage.gaussian_filter(random.normal(size=(3, SIDE, SIDE)), (0, 5, 5))
        smooth /= smooth.std(axis=(1, 2), keepdims=True)
        down, across = np.gradient(smooth[0])  # the line of one height, more or less along it
        angle = np.arctan2(down, across) + np.pi / 2 + 0.2 * smooth[1]
        where, radius = np.abs(smooth[0]) < 0.4, radius * np.exp(smooth[2] / 2)
    return where, np.stack([radius, np.cos(angle), np.sin(angle)]).astype(np.float32)


@pytest.mark.parametrize("letter", [False, True])
@pytest.mark.parametrize("kind", ["ring", "spiral", "line", "winding"])
def test_an_axis_is_that_of_a_plain_walk_that_looks_at_every_earlier_point(kind: str, letter: bool) -> None:
    longest = 0
    for seed in range(12):
        where, maps = shape(kind, seed)
        pixels, begins = components(where)
        values = maps.reshape(3, -1)[:, pixels]
        for begin, end in zip(begins[:-1].tolist(), begins[1:].tolist(), strict=True):
            n = end - begin
            slots = np.zeros((SIDE, SIDE), np.int32)
            slots.ravel()[pixels[begin:end]] = np.arange(begin, end) + 1
            limit = middle = most(n, not letter)
            points = np.full((2 * limit + 1, 6), np.nan)
            first, last = walked(
                slots, 0, 0, pixels, SIDE, values, begin, end, True, True, not letter, not letter, points
            )
            expected = np.full((2 * limit + 1, 6), np.nan)
            expected[middle] = points[middle]
            ahead = middle + plainly_strode(slots, values, expected, middle, middle, 1, limit, letter)
            back = middle - plainly_strode(slots, values, expected, middle, ahead, -1, limit, letter)
            assert (first, last) == (back, ahead)
            if letter:
                np.testing.assert_allclose(points, expected, atol=1e-5)  # the maps are float32
            else:
                np.testing.assert_array_equal(points, expected)
            longest = max(longest, last - first + 1)
    assert longest > 20


@given(st.integers(1, 300), st.floats(0.1, 20), st.floats(0, 3), st.integers(0, 9999))
def test_no_point_that_is_near_is_passed_over(n: int, near: float, ahead: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    points = np.zeros((n + 4, 6))
    points[2 : n + 2, :2] = random.normal((ahead, 0), 1, size=(n, 2)).cumsum(axis=0)
    line = points[2 : n + 2, :2]
    longest = float(np.linalg.norm(np.diff(line, axis=0), axis=1).max(initial=0.25))
    for x, y in line[random.integers(n)] + random.normal(0, near, size=(20, 2)):
        away = (line[:, 0] - x) ** 2 + (line[:, 1] - y) ** 2
        for k in (2, n + 1, 2 + int(random.integers(n))):
            assert _returns(points, k, 1, 2, n + 1, x, y, near, longest) == (away[k - 2 :] < near**2).any()
            assert _returns(points, k, -1, 2, n + 1, x, y, near, longest) == (away[: k - 1] < near**2).any()
