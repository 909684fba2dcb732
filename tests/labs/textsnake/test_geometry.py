"""The centre line of an outline: where its ends are, that it is in the middle, and that it turns with the outline."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from paribus.errors import DataError
from paribus.labs.textsnake.geometry import Axis, axis

from .outlines import arc, ribbon, texts, turned, wave

Floats = NDArray[np.float64]


def ends(found: Axis) -> Floats:
    return found.centres[[0, -1]]


def usual(polygon: Floats) -> Floats:
    """Return the middles of the first and the last edge across, of an outline in the usual order."""
    n = len(polygon) // 2
    return np.array([(polygon[0] + polygon[-1]) / 2, (polygon[n - 1] + polygon[n]) / 2])


@pytest.mark.parametrize(("start", "stop"), [(-2.8, -0.3), (0.4, 2.6), (2.6, 0.4)])
def test_the_axis_of_an_arc_is_the_arc_in_its_middle(start: float, stop: float) -> None:
    found = axis(arc(100, 90, 60, 20, start, stop, 40))
    away = found.centres - (100, 90)
    np.testing.assert_allclose(np.hypot(*away.T), 60, atol=0.1)
    np.testing.assert_allclose(found.radii, 10, atol=0.1)
    forward = np.arctan2(away[:, 1], away[:, 0]) + np.sign(stop - start) * np.pi / 2
    np.testing.assert_allclose(np.cos(found.angles - forward), 1, atol=1e-3)
    np.testing.assert_allclose(ends(found), usual(arc(100, 90, 60, 20, start, stop, 40)), atol=1e-9)
    steps = np.linalg.norm(np.diff(found.centres, axis=0), axis=1)
    np.testing.assert_allclose(steps, steps.mean(), rtol=1e-2)


@given(texts())
def test_the_usual_order_gives_the_ends_and_the_axis_runs_as_the_text_is_read(polygon: Floats) -> None:
    np.testing.assert_allclose(ends(axis(polygon)), usual(polygon), atol=1e-9)


@given(texts(), st.integers(0, 31), st.booleans())
def test_an_outline_may_begin_anywhere_and_run_either_way(polygon: Floats, first: int, back: bool) -> None:
    other = np.roll(polygon[::-1] if back else polygon, first, axis=0)
    one, two = axis(polygon), axis(other)
    if np.linalg.norm(one.centres[0] - two.centres[0]) > np.linalg.norm(one.centres[0] - two.centres[-1]):
        two = Axis(centres=two.centres[::-1], radii=two.radii[::-1], angles=two.angles[::-1] + np.pi)
    np.testing.assert_allclose(two.centres, one.centres, atol=1e-3)
    np.testing.assert_allclose(two.radii, one.radii, atol=1e-3)
    np.testing.assert_allclose(np.cos(two.angles - one.angles), 1, atol=1e-6)


@given(texts(), st.floats(-3, 3), st.floats(0.5, 4), st.floats(-300, 300), st.booleans())
def test_the_axis_turns_grows_moves_and_mirrors_with_the_outline(
    polygon: Floats, angle: float, scale: float, shift: float, mirrored: bool
) -> None:
    matrix = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    if mirrored:
        matrix = np.array([[-1, 0], [0, 1]]) @ matrix
    one, other = axis(polygon), axis(polygon @ matrix + shift)
    np.testing.assert_allclose(other.centres, one.centres @ matrix + shift, atol=1e-3)
    np.testing.assert_allclose(other.radii, one.radii * scale, atol=1e-3)
    forward = np.stack([np.cos(one.angles), np.sin(one.angles)], axis=1) @ matrix / scale
    np.testing.assert_allclose(np.stack([np.cos(other.angles), np.sin(other.angles)], axis=1), forward, atol=1e-3)


@given(texts())
def test_circles_on_the_axis_touch_both_sides_and_stay_within(polygon: Floats) -> None:
    found, n = axis(polygon), len(polygon) // 2
    above, below = shapely.LineString(polygon[:n]), shapely.LineString(polygon[n:])
    for centre, r in zip(found.centres[8:-8], found.radii[8:-8], strict=True):
        point = shapely.Point(centre)
        assert r == pytest.approx(point.distance(above), rel=0.1)
        assert r == pytest.approx(point.distance(below), rel=0.1)
        assert r <= min(point.distance(above), point.distance(below)) + 1e-9


def test_the_shorter_pair_of_opposite_edges_are_the_ends_of_a_quadrangle() -> None:
    wide = np.array([[0, 0], [100, 10], [100, 40], [0, 20]], dtype=float)
    np.testing.assert_allclose(ends(axis(wide)), [[0, 10], [100, 25]], atol=1e-9)
    np.testing.assert_allclose(ends(axis(wide[[1, 2, 3, 0]])), [[100, 25], [0, 10]], atol=1e-9)  # the nearer one first
    tall = np.array([[0, 0], [20, 0], [20, 90], [0, 90]], dtype=float)
    np.testing.assert_allclose(ends(axis(tall)), [[10, 0], [10, 90]], atol=1e-9)
    square = np.array([[0, 0], [20, 0], [20, 20], [0, 20]], dtype=float)
    np.testing.assert_allclose(ends(axis(square)), [[0, 10], [20, 10]], atol=1e-9)


def test_sides_of_different_numbers_of_points_and_repeated_points() -> None:
    polygon = wave(10, 50, 150, 20, 12, 12)
    fewer = np.delete(polygon, [14, 17], axis=0)  # 12 above, 10 below
    for outline in (fewer, np.roll(fewer, 5, axis=0), np.repeat(polygon, 2, axis=0)):
        found = ends(axis(outline))
        expected = usual(polygon)
        assert min(np.abs(found - expected).max(), np.abs(found[::-1] - expected).max()) < 1e-9
    triangle = np.array([[0, 0], [0, 0], [90, 5], [0, 10]], dtype=float)
    assert np.abs(np.diff(ends(axis(triangle)), axis=0)[0, 0]) == pytest.approx(90)


def box(made: tuple[float, float, int, float]) -> Floats:
    """Return an outline of a width and a height, at an angle, of so many points on each of the long sides."""
    width, height, count, angle = made
    upper = np.stack([np.linspace(0, width, count), np.zeros(count)], axis=1)
    return turned(np.concatenate([upper, upper[::-1] + np.array([0, height])]), angle, (0, 0)) + 300


@given(st.one_of(texts(), st.tuples(*[st.floats(4, 200)] * 2, st.integers(2, 8), st.floats(-3, 3)).map(box)))
def test_an_outline_may_be_closed(polygon: Floats) -> None:
    one, closed = axis(polygon), axis(np.concatenate([polygon, polygon[:1]]))
    for name, values in vars(one).items():
        np.testing.assert_array_equal(getattr(closed, name), values, err_msg=name)
    np.testing.assert_array_equal(axis(np.concatenate([polygon, polygon[:1], polygon[:1]])).centres, one.centres)


def test_what_closes_an_outline_is_its_last_point() -> None:
    wide = np.array([[0, 0], [100, 0], [100, 30], [0, 30], [0, 0]], dtype=float)
    np.testing.assert_allclose(ends(axis(wide)), [[0, 15], [100, 15]], atol=1e-9)
    np.testing.assert_allclose(axis(wide).angles, 0, atol=1e-9)


def test_few_points_on_a_half_circle_where_bends_look_like_ends() -> None:
    polygon = arc(100, 100, 50, 18, -np.pi, 0, 4)
    for first in range(8):
        found = ends(axis(np.roll(polygon, first, axis=0)))
        assert min(np.abs(found - usual(polygon)).max(), np.abs(found[::-1] - usual(polygon)).max()) < 1e-9


def test_text_that_narrows() -> None:
    found = axis(ribbon(np.stack([np.linspace(0, 200, 9), np.zeros(9)], axis=1), np.linspace(40, 20, 9)))
    np.testing.assert_allclose(found.radii, np.linspace(20, 10, len(found.radii)), rtol=0.02)


@pytest.mark.parametrize(
    "polygon", [np.zeros((3, 2)), np.zeros((4, 3)), np.zeros(8), [[0, 0], [1, 1], [2, 2], [3, 3]], "no polygon",
                [[0, 0], [np.nan, 1], [2, 2], [0, 3]], np.ones((6, 2))]
)  # fmt: skip
def test_what_is_no_outline_is_refused(polygon: object) -> None:
    with pytest.raises(DataError):
        axis(polygon)  # type: ignore[arg-type]


def test_an_outline_that_crosses_itself_is_refused_by_name() -> None:
    with pytest.raises(DataError, match=r"crosses itself at 30, 20; points in order round"):
        axis([[10, 10], [50, 30], [50, 10], [10, 30]])  # a bow-tie, whose area is 0
    polygon = arc(100, 100, 60, 20, -2.8, -0.3, 12)
    for one, other in ((3, 4), (2, 9), (5, 20)):
        order = np.arange(24)
        order[[one, other]] = other, one
        with pytest.raises(DataError, match="crosses itself"):
            axis(polygon[order])
    touching = np.array([[0, 0], [40, 0], [80, 0], [80, 20], [40, 0], [0, 20]], dtype=float)
    assert len(axis(touching).radii)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), min_size=4, max_size=9, unique=True))
def test_outlines_cross_where_two_of_their_edges_do(corners: list[tuple[int, int]]) -> None:
    edges = [shapely.LineString(pair) for pair in zip(corners, [*corners[1:], corners[0]], strict=True)]
    try:
        axis(corners)
        said = ""
    except DataError as error:
        said = str(error)
    crossing = any(one.crosses(other) and not one.touches(other) for one in edges for other in edges)
    if "no area" not in said:
        assert ("crosses itself" in said) == crossing
    if "crosses itself" in said:
        x, y = map(float, said.partition(" at ")[2].partition(";")[0].split(","))
        assert sum(edge.distance(shapely.Point(x, y)) < 0.01 for edge in edges) >= 2
