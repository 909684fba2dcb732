"""Searches that leave out what cannot meet find, to the bit, what comparing every edge with every other finds."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from paribus.labs.textsnake.outlining import LEAF, _boxes, _leads_on, is_simple, outlined, unlooped

Floats = NDArray[np.float64]
Point = tuple[float, float]


def turn(a: Point, b: Point, p: Point) -> float:
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    for i in range(2):
        if max(a[i], b[i]) < min(c[i], d[i]) or max(c[i], d[i]) < min(a[i], b[i]):
            return False
    return not turn(a, b, c) * turn(a, b, d) > 0 and turn(c, d, a) * turn(c, d, b) <= 0


def plainly_simple(points: list[Point]) -> bool:
    """Compare every edge of the polygon with every other."""
    n = len(points)
    if n < 3:
        return False
    for k in range(n):
        a, b, c = points[k], points[(k + 1) % n], points[(k + 2) % n]
        back = (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1]) < 0
        if back and abs(turn(a, b, c)) < 1e-9:
            return False
        for i in range(k + 2, n):
            if (i + 1) % n != k and meet(a, b, points[i], points[(i + 1) % n]):
                return False
    return abs(sum(turn(points[0], points[k], points[(k + 1) % n]) for k in range(n))) > 1e-6


def plainly_unlooped(points: list[Point]) -> list[Point]:
    """Compare every edge of the line with all that come later, anew after each cut."""
    points = list(points)
    k = 0
    while k < len(points) - 3:
        a, b = points[k], points[k + 1]
        met = [i for i in range(k + 2, len(points) - 1) if meet(a, b, points[i], points[i + 1])]
        if not met:
            k += 1
            continue
        c, d = points[met[-1]], points[met[-1] + 1]
        one, other = turn(c, d, a), turn(c, d, b)
        part = one / (one - other) if one != other else 0.0
        points[k + 1 : met[-1] + 1] = [(a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1]))]
        k = max(k - 1, 0)
    return points


KINDS = ("walk", "straying", "scattered", "lattice", "comb", "spiral", "ring", "band", "star", "wave", "one place")


def line(kind: str, n: int, seed: int) -> Floats:
    """Return n points: of lines that cross themselves often, now and then, or never, and of closed outlines."""
    random = np.random.default_rng(seed)
    share = np.linspace(0, 1, n)
    angle = 2 * np.pi * share * (1 - 1 / n)
    away = random.uniform(5, 50)
    if kind == "walk":
        return random.normal(size=(n, 2)).cumsum(axis=0)
    if kind == "straying":  # ahead, with a loop here and there
        return random.normal(random.uniform(0, 2), 1, size=(n, 2)).cumsum(axis=0)
    if kind == "scattered":
        return random.uniform(0, 100, size=(n, 2))
    if kind == "lattice":  # edges that touch, lie on each other and have no length
        return random.integers(0, random.integers(2, 30), size=(n, 2)).astype(float)
    if kind == "comb":
        return np.stack([np.arange(n) // 2, (np.arange(n) + 1) // 2 % 2 * 10.0], axis=1)
    if kind == "spiral":
        return ((5 + 40 * share) * np.stack([np.cos(3 * angle), np.sin(3 * angle)])).T
    if kind == "band":  # out on one spiral and back on another
        there, back = line("spiral", n - n // 2, seed), line("spiral", n // 2, seed)
        return np.concatenate([there, back[::-1] * random.uniform(0.9, 0.98)])
    if kind == "ring":
        return away * np.stack([np.cos(random.integers(1, 3) * angle), np.sin(angle)], axis=1)
    if kind == "star":  # simple, whatever the radii
        return random.uniform(1, away, n)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    if kind == "wave":
        return np.stack([300 * share, 5 * np.sin(40 * share) + random.normal(0, 0.1, n)], axis=1)
    return np.full((n, 2), away)


lines = st.builds(line, st.sampled_from(KINDS), st.integers(4, 120), st.integers(0, 9999))


def as_list(points: Floats) -> list[Point]:
    return [(x, y) for x, y in points.tolist()]


@given(lines)
def test_a_polygon_is_simple_where_no_two_of_its_edges_meet(points: Floats) -> None:
    assert is_simple(points, len(points)) == plainly_simple(as_list(points))


@given(lines)
def test_loops_are_cut_off_where_comparing_all_edges_cuts_them(points: Floats) -> None:
    expected = plainly_unlooped(as_list(points))
    left = unlooped(points, len(points))
    np.testing.assert_array_equal(points[:left], expected)


@pytest.mark.parametrize("kind", KINDS)
def test_long_lines_too(kind: str) -> None:
    for seed in range(2):
        points = line(kind, 400, seed)
        assert is_simple(points, len(points)) == plainly_simple(as_list(points))
        expected = plainly_unlooped(as_list(points))
        assert unlooped(points, len(points)) == len(expected)
        np.testing.assert_array_equal(points[: len(expected)], expected)


def test_the_kinds_are_of_both_kinds() -> None:
    simple = {kind for kind in KINDS if plainly_simple(as_list(line(kind, 60, 1)))}
    whole = {kind for kind in KINDS if len(plainly_unlooped(as_list(line(kind, 60, 1)))) == 60}
    assert {"star", "band"} <= simple
    assert {"star", "band", "spiral", "comb"} <= whole
    assert not {"walk", "scattered", "lattice", "one place"} & (simple | whole)


@given(lines)
def test_a_line_that_leads_on_has_no_edges_that_meet(points: Floats) -> None:
    for axis in (0, 1):
        steps = np.diff(points[:, axis])
        leads = bool((steps > 0).all() or (steps < 0).all())
        assert _leads_on(points, len(points), axis) == leads
        ordered = points[np.argsort(points[:, axis], kind="stable")]
        if _leads_on(ordered, len(ordered), axis):
            assert plainly_unlooped(as_list(ordered)) == as_list(ordered)


def test_few_points_have_no_loops_and_fewer_than_three_no_area() -> None:
    points = np.array([[0.0, 0.0], [1.0, 1.0], [1.0, 0.0]])
    assert [unlooped(points.copy(), n) for n in range(4)] == [0, 1, 2, 3]
    assert [is_simple(points, n) for n in range(4)] == [False, False, False, True]


@given(lines)
def test_every_box_holds_its_edges_and_no_more(points: Floats) -> None:
    n = len(points)
    boxes = _boxes(points, n, n)
    leaves = len(boxes) // 2
    for node in range(1, len(boxes)):
        first = last = node
        while first < leaves:
            first, last = 2 * first, 2 * last + 1
        begin, end = LEAF * (first - leaves), min(LEAF * (last + 1 - leaves), n)
        if begin < end:
            held = points[np.arange(begin, end + 1) % n]
            np.testing.assert_array_equal(boxes[node], [*held.min(axis=0), *held.max(axis=0)])


def test_eight_times_as_long_a_line_takes_little_more_than_eight_times_as_long() -> None:
    took = []
    for count in (250, 2000):
        along = np.linspace(0, 3 * count, count)
        rungs = np.stack([along - 2, 0.5 * along - 4, along + 2, 0.5 * along + 4], axis=1)
        points = np.empty((4 * count, 2))
        times = []
        for _ in range(9):
            start = time.thread_time()
            assert outlined(rungs, count, points) == 2 * count
            times.append(time.thread_time() - start)
        took.append(min(times))
    assert took[1] < 25 * took[0]  # 11 times: n log n; 64 times: every edge with every other
