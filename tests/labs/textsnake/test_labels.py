"""Labels meet a slow reference, pixel by pixel, and turn with the text."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from paribus.errors import DataError
from paribus.labs.textsnake.geometry import axis
from paribus.labs.textsnake.labels import Labels, encode

from .outlines import arc, texts, wave

Floats = NDArray[np.float64]
SIZE = 256


def reference(polygon: Floats, left: int, top: int, right: int, bottom: int) -> tuple[Floats, ...]:
    """Return, for each pixel: is it in the polygon; by how much it is on the centre line; radius, cosine and sine."""
    found = axis(polygon)
    rows, columns = np.mgrid[top:bottom, left:right]
    points = shapely.points(columns.ravel(), rows.ravel())
    inside = shapely.contains(shapely.Polygon(polygon), points)
    whole = shapely.LineString(found.centres)
    along = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(found.centres, axis=0), axis=1))])
    start = min(found.radii[0] / 2, along[-1] / 4)
    stop = along[-1] - min(found.radii[-1] / 2, along[-1] / 4)
    place = shapely.line_locate_point(whole, points)
    radius = np.interp(place, along, found.radii)
    margin = np.maximum(radius / 5, 0.5) - shapely.distance(whole, points)
    margin = np.minimum(margin, np.minimum(place - start, stop - place))
    c, s = np.interp(place, along, np.cos(found.angles)), np.interp(place, along, np.sin(found.angles))
    size = np.hypot(c, s)
    return tuple(values.reshape(rows.shape) for values in (inside, margin, radius, c / size, s / size))


@settings(max_examples=25)
@given(texts(least=6))
def test_each_pixel_is_what_its_distance_to_the_centre_line_says(polygon: Floats) -> None:
    whole = encode([polygon], (SIZE, SIZE + 3))
    (left, top), (right, bottom) = polygon.min(axis=0).astype(int) - 2, polygon.max(axis=0).astype(int) + 3
    box = np.s_[top:bottom, left:right]
    assert whole.text.sum() == whole.text[box].sum()
    found = Labels(**{name: values[box] for name, values in vars(whole).items()})
    inside, margin, radius, cos, sin = reference(polygon, left, top, right, bottom)
    clear = np.abs(margin) > 0.1  # else the two lines of many points may differ
    np.testing.assert_array_equal(found.centre[clear], margin[clear] > 0)
    np.testing.assert_array_equal(found.text, inside)
    on = found.centre & clear
    np.testing.assert_allclose(found.radius[on], radius[on], atol=0.1)
    np.testing.assert_allclose(found.cos[on], cos[on], atol=0.03)
    np.testing.assert_allclose(found.sin[on], sin[on], atol=0.03)
    np.testing.assert_allclose(np.hypot(found.cos, found.sin)[found.centre], 1, atol=1e-5)
    for values in (found.radius, found.cos, found.sin):
        assert values.dtype == np.float32
        assert not values[~found.centre].any()


def same(one: Labels, other: Labels, move: object, cos: int, sin: int) -> None:
    """Assert that *other* is *one* moved, with its directions changed by signs."""
    for name, sign in (("text", 1), ("centre", 1), ("radius", 1), ("cos", cos), ("sin", sin)):
        expected = move(getattr(one, name))  # type: ignore[operator]
        np.testing.assert_allclose(getattr(other, name), expected * sign, atol=1e-3, err_msg=name)


@settings(max_examples=30)
@given(texts(), st.integers(-20, 20), st.integers(-20, 20))
def test_labels_move_with_the_text(polygon: Floats, right: int, down: int) -> None:
    one = encode([polygon], (SIZE, SIZE))
    other = encode([polygon + np.array([right + 20, down + 20])], (SIZE + 40, SIZE + 40))
    same(one, other, lambda values: np.pad(values, ((20 + down, 20 - down), (20 + right, 20 - right))), 1, 1)


@settings(max_examples=30)
@given(texts())
def test_labels_flip_and_turn_with_the_text(polygon: Floats) -> None:
    one = encode([polygon], (SIZE, SIZE))
    x, y = polygon.T
    last = SIZE - 1
    same(one, encode([np.stack([last - x, y], axis=1)], (SIZE, SIZE)), np.fliplr, -1, 1)
    same(one, encode([np.stack([x, last - y], axis=1)], (SIZE, SIZE)), np.flipud, 1, -1)
    quarter = encode([np.stack([y, last - x], axis=1)], (SIZE, SIZE))  # to the left
    swapped = Labels(text=one.text, centre=one.centre, radius=one.radius, cos=one.sin, sin=one.cos, ignored=one.ignored)
    same(swapped, quarter, np.rot90, 1, -1)


@given(texts(least=3))
def test_a_centre_line_is_in_one_piece_however_thin(polygon: Floats) -> None:
    found = encode([polygon], (SIZE, SIZE))
    assert ndimage.label(found.centre, np.ones((3, 3)))[1] == 1
    assert not (found.centre & ~found.text).any()


def test_directions_run_as_the_text_is_read() -> None:
    polygon = wave(20, 50, 160, 20, 10)
    found = encode([polygon], (100, 200))
    assert (found.cos[found.centre] > 0.5).all()
    back = encode([np.roll(polygon, len(polygon) // 2, axis=0)], (100, 200))  # the same text upside down
    np.testing.assert_array_equal(back.centre, found.centre)
    np.testing.assert_allclose(back.cos, -found.cos, atol=1e-6)


def test_instances_are_drawn_together_and_what_is_ignored_is_no_text() -> None:
    polygons = [arc(60, 60, 40, 12, -2.9, -0.2), wave(10, 90, 100, 16, 5), arc(60, 160, 40, 12, -2.9, -0.2)]
    found = encode(polygons[:2], (200, 128), ignored=polygons[2:])
    apart = [encode([polygon], (200, 128)) for polygon in polygons]
    np.testing.assert_array_equal(found.text, apart[0].text | apart[1].text)
    np.testing.assert_array_equal(found.radius, apart[0].radius + apart[1].radius)
    np.testing.assert_array_equal(found.ignored, apart[2].text)
    assert not encode([], (5, 7)).text.any()


def test_text_that_leaves_the_image_is_cut_off() -> None:
    polygon = wave(20, 50, 160, 20, 10)
    whole, part = encode([polygon], (100, 200)), encode([polygon - (60, 45)], (40, 90))
    for name in ("text", "centre", "radius", "cos", "sin"):
        np.testing.assert_allclose(getattr(part, name), getattr(whole, name)[45:85, 60:150], atol=1e-3)
    assert not encode([polygon - 1000], (40, 90)).text.any()


def test_text_shorter_than_high_keeps_a_centre_line() -> None:
    letter = np.array([[10, 10], [14, 10], [18, 10.1], [18, 40], [14, 40], [10, 40.1]], dtype=float)
    assert encode([letter], (50, 50)).centre.sum() > 3


def test_errors_name_the_polygon() -> None:
    with pytest.raises(DataError, match="polygon 1 of 2"):
        encode([wave(20, 50, 160, 20, 10), np.zeros((4, 2))], (100, 200))
    with pytest.raises(DataError, match="ignored polygon 1 of 2: a polygon of shape"):
        encode([], (100, 200), ignored=[wave(20, 50, 160, 20, 10), np.zeros((3, 2))])
    with pytest.raises(DataError, match="polygon 0 of 1: a polygon that crosses itself at 30, 20"):
        encode([[[10, 10], [50, 30], [50, 10], [10, 30]]], (64, 64))
    assert encode([], (64, 64), ignored=[[[10, 10], [50, 30], [50, 10], [10, 30]]]).ignored.any()
    with pytest.raises(DataError, match=r"polygon 0 of 1: a polygon has a coordinate of 6e\+301; pixels"):
        encode([np.array([[10, 10], [60, 10], [60, 30], [10, 30]]) * 1e300], (64, 64))
    for shape in ((0, 4), (64, 64, 3), (64,), 10, (10.5, 5), "ab"):
        with pytest.raises(DataError, match=r"shape .*\(rows, columns\)"):
            encode([], shape)  # type: ignore[arg-type]


@settings(max_examples=30)
@given(texts())
def test_a_closed_outline_has_the_same_labels(polygon: Floats) -> None:
    one, closed = (encode([points], (SIZE, SIZE)) for points in (polygon, np.concatenate([polygon, polygon[:1]])))
    for name, values in vars(one).items():
        np.testing.assert_array_equal(getattr(closed, name), values, err_msg=name)
