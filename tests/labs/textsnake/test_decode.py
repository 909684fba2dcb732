"""Instances come back from their labels, whatever the maps' type, sign and noise; and their outlines are simple."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from paribus.errors import ConfigError, DataError
from paribus.labs.textsnake import compiled as compiling
from paribus.labs.textsnake.components import above, components
from paribus.labs.textsnake.contours import contours, rotated_boxes
from paribus.labs.textsnake.decode import Acts, _decoded, decode
from paribus.labs.textsnake.geometry import _axis, _ends, _merged, _sides
from paribus.labs.textsnake.instance import Instance
from paribus.labs.textsnake.labels import _fill, encode
from paribus.labs.textsnake.outlining import MOST, outlined

from .outlines import arc, iou, ribbon, texts, wave

Floats = NDArray[np.float64]
Maps = list[NDArray[Any]]
SIZE = 256


def maps(*polygons: Floats, size: int = SIZE) -> Maps:
    """Return the maps of a detector that makes no mistake."""
    labels = encode(polygons, (size, size))
    return [labels.text.astype(np.float32), labels.centre.astype(np.float32), labels.radius, labels.cos, labels.sin]


def noisy(clean: Maps, seed: int = 0, probability: float = 0.05, pixels: float = 0.5) -> Maps:
    draws = np.random.default_rng(seed).normal(size=(5, *clean[0].shape)).astype(np.float32)
    scales = (probability, probability, pixels, probability, probability)
    found = [values + scale * draw for values, scale, draw in zip(clean, scales, draws, strict=True)]
    return [values.clip(0, 1) for values in found[:2]] + found[2:]


def same(one: list[Instance], other: list[Instance]) -> None:
    assert len(one) == len(other)
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a.polygon, b.polygon)
        np.testing.assert_array_equal(a.disks, b.disks)
        assert a.score == b.score


@given(texts())
def test_text_of_twelve_pixels_and_more_comes_back(polygon: Floats) -> None:
    (found,) = decode(*maps(polygon))
    assert iou(found.polygon, polygon) > 0.85
    assert found.score == 1
    (seen,) = decode(*noisy(maps(polygon)))
    assert iou(seen.polygon, polygon) > 0.85


def test_curved_text_comes_back_nearly_whole() -> None:
    polygons = [arc(130 + 250 * (i % 2), 90 + 120 * (i // 2), 80, 24, -2.7, -0.4, 12) for i in range(8)]
    for seed in range(3):
        found = decode(*noisy(maps(*polygons, size=512), seed))
        assert len(found) == 8
        best = [max(iou(instance.polygon, polygon) for instance in found) for polygon in polygons]
        assert np.mean(best) > 0.95


@given(texts())
def test_the_outline_is_in_the_usual_order_and_the_disks_lie_in_it_in_theirs(polygon: Floats) -> None:
    (found,) = decode(*maps(polygon))
    n = len(polygon) // 2
    height = np.linalg.norm(polygon[0] - polygon[-1])
    assert np.linalg.norm(found.polygon[0] - polygon[0]) < height / 3
    assert np.linalg.norm(found.polygon[-1] - polygon[-1]) < height / 3
    centres, radii = found.disks[:, :2], found.disks[:, 2]
    assert np.linalg.norm(centres[0] - polygon[[0, -1]].mean(axis=0)) < height / 2
    assert np.linalg.norm(centres[-1] - polygon[[n - 1, n]].mean(axis=0)) < height / 2
    assert (np.linalg.norm(np.diff(centres, axis=0), axis=1) <= radii[:-1] / 2 + 2).all()  # they overlap
    region = shapely.Polygon(found.polygon)
    for x, y, r in found.disks:
        point = shapely.Point(x, y)
        assert region.contains(point)
        # an end's disk reaches half a radius beyond the text, for the line is cut by no more
        assert region.buffer(0.65 * r + 1).contains(point.buffer(r))
    for x, y, r in found.disks[4:-4]:
        assert region.buffer(0.1 * r + 0.5).contains(shapely.Point(x, y).buffer(r))


@settings(max_examples=30)
@given(texts(), st.integers(0, 9))
def test_halves_give_what_the_same_numbers_give_as_floats(polygon: Floats, seed: int) -> None:
    halves = [values.astype(np.float16) for values in noisy(maps(polygon), seed)]
    same(decode(*halves), decode(*[values.astype(np.float32) for values in halves]))


def test_every_half_is_compared_as_the_float_that_it_is() -> None:
    every = np.arange(65536, dtype=np.uint16).view(np.float16)[None]
    for threshold in (0.4, 0.6, 0.5, 1e-9, float(np.float16(0.4)), 0.99999):
        with np.errstate(invalid="ignore"):
            expected = every.astype(np.float32) > np.float32(threshold)
        np.testing.assert_array_equal(above(every, threshold, "t"), expected)
        np.testing.assert_array_equal(above(every.astype(np.float32), threshold, "t"), expected)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("huge", [1e20, -3e38])
def test_directions_and_radii_beyond_all_reason_do_no_harm(huge: float) -> None:
    polygon = wave(30, 128, 190, 24, 10)
    clean = maps(polygon)
    for k in (2, 3, 4):
        for where in (np.s_[:], np.s_[::7, ::5]):
            broken = [values.copy() for values in clean]
            broken[k][where] = huge
            for instance in decode(*broken):
                assert np.isfinite(instance.polygon).all()
                assert (instance.disks[:, 2] <= np.hypot(SIZE, SIZE) + 1e-3).all()
    (found,) = decode(*clean[:3], np.where(clean[3] > 0, 1e20, clean[3]).astype(np.float32), 0 * clean[4])
    assert iou(found.polygon, polygon) > 0.85  # a cosine of 1: the text runs nearly level


def test_one_compilation_serves_halves_floats_and_what_is_read_only() -> None:
    polygon = wave(30, 128, 190, 24, 10)
    clean = maps(polygon)
    decode(*clean)
    encode([polygon], (SIZE, SIZE), ignored=[polygon])
    compiled_functions = (components, _decoded, _merged, _ends, _sides, _axis, _fill)
    before = [len(function.signatures) for function in compiled_functions]  # type: ignore[attr-defined]
    frozen = [values.astype(kind) for values in clean for kind in (np.float16, np.float32)]
    for values in (*frozen, polygon):
        values.setflags(write=False)
    expected = decode(*clean)
    same(decode(*frozen[1::2]), expected)
    assert len(decode(*frozen[::2])) == 1
    np.testing.assert_array_equal(encode([polygon], (SIZE, SIZE), ignored=[polygon]).ignored, clean[0] > 0)
    assert [len(function.signatures) for function in compiled_functions] == before  # type: ignore[attr-defined]
    assert len(components.signatures) == len(_decoded.signatures) == 1  # type: ignore[attr-defined]


def test_more_disks_than_text_has_get_a_hull_and_soon() -> None:
    rungs = np.empty((MOST + 1, 4))
    angles = np.linspace(np.pi, 60 * np.pi, MOST + 1)
    for side, width in ((0, 1), (2, -1)):
        rungs[:, side] = (5 * angles + width) * np.cos(angles)
        rungs[:, side + 1] = (5 * angles + width) * np.sin(angles)
    points = np.empty((4 * len(rungs) + 22, 2))
    exact = points[: outlined(rungs, MOST, points)].copy()
    assert shapely.Polygon(exact).is_valid
    assert len(exact) == 2 * MOST
    rough = shapely.Polygon(points[: outlined(rungs, MOST + 1, points)])
    expected = shapely.MultiPoint(rungs.reshape(-1, 2)).convex_hull
    assert rough.symmetric_difference(expected).area < 1e-6 * expected.area


def test_functions_are_compiled_where_nothing_can_be_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def njit(cache: bool = False) -> Any:
        if cache:
            raise RuntimeError("cannot cache function 'one': no locator available for file '/nowhere.py'")
        return lambda function: lambda x: function(x) + 100

    monkeypatch.setattr(compiling, "njit", njit)
    assert compiling.compiled(lambda x: x + 1)(1) == 102


def test_what_is_kept_of_other_versions_goes_when_a_new_one_comes(tmp_path: Path) -> None:
    old, new, other = "a._f_0123456789ab-3.py311.nbi", "a._f_ba9876543210-3.py311.1.nbc", "a.cpython-311.pyc"
    for name in (old, new, other):
        (tmp_path / name).touch()
    compiling.tidy(tmp_path, "ba9876543210")  # not new: another process may use the older one
    assert len(list(tmp_path.iterdir())) == 3
    compiling.tidy(tmp_path, "cccccccccccc")
    assert [path.name for path in tmp_path.iterdir()] == [other]
    compiling.tidy(tmp_path / "nowhere", "cccccccccccc")


@settings(max_examples=30)
@given(texts(), st.sampled_from(("pixels", "halves")), st.integers(0, 9))
def test_a_network_unsure_of_the_direction_finds_the_same_text(polygon: Floats, where: str, seed: int) -> None:
    clean = maps(polygon)
    if where == "pixels":
        sign = np.where(np.random.default_rng(seed).random((SIZE, SIZE)) < 0.3, -1, 1)
    else:
        middle = polygon.mean(axis=0)
        sign = np.where(np.arange(SIZE) < middle[0] - 5, -1, 1)[None]
    (one,), (other,) = decode(*clean), decode(*clean[:3], clean[3] * sign, clean[4] * sign)
    assert iou(one.polygon, other.polygon) > 0.99
    if where == "pixels":  # most say the right one
        assert np.linalg.norm(one.disks[0] - other.disks[0]) < 1
    (back,) = decode(*clean[:3], -clean[3], -clean[4])
    assert np.linalg.norm(one.disks[0] - back.disks[-1]) < 1


@pytest.mark.parametrize("scale", [0.5, 3, 8, 40])
@pytest.mark.parametrize("acts", [Acts(), Acts(centralize=False), Acts(stride=False), Acts(slide=False)])
def test_noise_gives_simple_outlines(scale: float, acts: Acts) -> None:
    draws = np.random.default_rng(3).random((5, 96, 101)).astype(np.float32)
    found = decode(draws[0], draws[1], draws[2] * scale, draws[3] * 2 - 1, draws[4] * 2 - 1, acts=acts)
    assert len(found) > 5
    for instance in found:
        assert shapely.Polygon(instance.polygon).is_valid
        assert 0 < instance.score <= 1
        assert len(instance.disks) >= 1
    for instance in contours(draws[0], tr_threshold=0.6) + rotated_boxes(draws[0], tr_threshold=0.6):
        assert shapely.Polygon(instance.polygon).is_valid


def test_what_stands_in_for_a_missing_act() -> None:
    curved, narrowing = arc(128, 150, 90, 24, -2.8, -0.3, 12), wave(30, 128, 190, 24, 0)
    narrowing = ribbon((narrowing[:12] + narrowing[12:][::-1]) / 2, np.linspace(40, 14, 12))
    scores = {}
    for name, acts in (("all", Acts()), ("stride", Acts(stride=False)), ("slide", Acts(slide=False)),
                       ("centralize", Acts(centralize=False))):  # fmt: skip
        scores[name] = [
            np.mean([iou(i.polygon, polygon) for i in decode(*noisy(maps(polygon)), acts=acts)])
            for polygon in (curved, narrowing)
        ]
    assert scores["stride"][0] < 0.6 < 0.95 < scores["all"][0]
    assert scores["slide"][1] < 0.8 < 0.95 < scores["all"][1]
    assert scores["centralize"][0] < scores["all"][0]
    (straight,) = decode(*maps(curved), acts=Acts(stride=False))
    assert np.linalg.matrix_rank(np.diff(straight.disks[:, :2], axis=0), tol=1e-6) == 1
    (constant,) = decode(*maps(narrowing), acts=Acts(slide=False))
    assert np.ptp(constant.disks[:, 2]) == 0


def test_lines_too_small_and_text_that_is_none_are_left_out() -> None:
    clean = maps(wave(30, 128, 190, 24, 10))
    assert len(decode(*clean)) == 1
    pixels = int(clean[1].sum())
    assert len(decode(*clean[:2], np.full_like(clean[2], pixels / 0.2 + 9), *clean[3:])) == 0  # fewer than 0.2 r
    hollow = clean[0] * (clean[1] > 0)  # text is only where the line is: a fifth of what the circles cover
    assert len(decode(hollow, *clean[1:])) == 0
    assert decode(*np.zeros((5, 9, 7), np.float32)) == []
    assert decode(np.ones((9, 7)), np.zeros((9, 7)), *np.zeros((3, 9, 7))) == []


def test_a_line_that_closes_to_a_ring_ends() -> None:
    y, x = np.mgrid[:SIZE, :SIZE] - 128.3
    away, angle = np.hypot(x, y), np.arctan2(y, x)
    found = decode(
        np.abs(away - 80) < 12, np.abs(away - 80) < 2.4, np.full((SIZE, SIZE), 12), -np.sin(angle), np.cos(angle)
    )
    assert len(found) == 1
    assert shapely.Polygon(found[0].polygon).is_valid
    assert 60 < len(found[0].disks) < 100  # once round: 2 pi 80 / 6


def test_numbers_that_are_none_are_no_text_and_do_no_harm() -> None:
    clean = maps(wave(30, 128, 190, 24, 10))
    for kind in (np.float16, np.float32):
        broken = [values.astype(kind) for values in clean]
        for k, values in enumerate(broken):
            values[::7, 3 + k :: 5] = (np.nan, np.inf, -np.inf)[k % 3]
        for instance in decode(*broken):
            assert np.isfinite(instance.polygon).all()
            assert np.isfinite(instance.disks).all()
    nothing = np.full((9, 9), np.nan, np.float16)
    assert decode(nothing, nothing, nothing, nothing, nothing) == []


def test_tensors_of_every_type_and_maps_that_lie_apart_in_memory() -> None:
    clean = noisy(maps(wave(30, 128, 190, 24, 10)))
    expected = decode(*clean)
    same(decode(*[torch.tensor(values, requires_grad=True) for values in clean]), expected)
    same(decode(*np.moveaxis(np.stack(clean, axis=-1), -1, 0)), expected)
    same(decode(*[values.astype(np.float64) for values in clean]), expected)
    rounded = [torch.tensor(values).bfloat16() for values in clean]
    same(decode(*rounded), decode(*[values.float() for values in rounded]))


def test_decoding_takes_no_torch() -> None:
    code = "import sys; from paribus.labs.textsnake import contours, decode, labels; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_what_is_no_map_is_refused() -> None:
    flat = np.zeros((4, 5))
    with pytest.raises(DataError, match="cos"):
        decode(flat, flat, flat, flat.T, flat)
    with pytest.raises(DataError, match="tr"):
        decode(flat[0], flat, flat, flat, flat)
    with pytest.raises(ConfigError, match="tcl_threshold"):
        decode(flat, flat, flat, flat, flat, tcl_threshold=1.5)
    wrong: Any
    for wrong in (2.0, 1.0, 0.0, float("nan"), "a", None):
        for find in (contours, rotated_boxes, lambda tr, tr_threshold: decode(*[tr] * 5, tr_threshold=tr_threshold)):
            with pytest.raises(ConfigError, match="tr_threshold"):
                find(flat, tr_threshold=wrong)


@given(st.integers(1, 40), st.integers(1, 40), st.floats(0.05, 0.95), st.integers(0, 99))
def test_components_are_those_of_scipy(rows: int, columns: int, share: float, seed: int) -> None:
    one, other = np.random.default_rng(seed).random((2, rows, columns)).astype(np.float32)
    pixels, begins = components(above(one, 1 - share, "one") & above(other, 0.1, "other"))
    expected, count = ndimage.label((one > np.float32(1 - share)) & (other > np.float32(0.1)), np.ones((3, 3)))
    assert len(begins) - 1 == count
    found = np.zeros(rows * columns, int)
    for k in range(count):
        found[pixels[begins[k] : begins[k + 1]]] = expected.ravel()[pixels[begins[k]]]
    np.testing.assert_array_equal(found.reshape(rows, columns), expected)


def test_contours_and_boxes_of_a_rectangle() -> None:
    tr = np.zeros((40, 60), np.float16)
    tr[10:20, 5:45] = 0.75
    tr[30, 50] = 1  # a pixel is no text
    square = np.array([[4.5, 9.5], [44.5, 9.5], [44.5, 19.5], [4.5, 19.5]])
    (contour,), (box,) = contours(tr), rotated_boxes(tr)
    assert contour.score == box.score == 0.75
    assert contour.disks.shape == box.disks.shape == (0, 3)
    np.testing.assert_allclose(box.polygon, square, atol=1e-5)
    assert iou(contour.polygon, square) > 0.95


def test_a_contour_follows_what_a_box_cannot() -> None:
    polygon = arc(128, 150, 90, 24, -2.8, -0.3, 12)
    tr = maps(polygon)[0]
    (contour,), (box,) = contours(tr), rotated_boxes(tr)
    assert iou(contour.polygon, polygon) > 0.95
    assert iou(box.polygon, polygon) < 0.6
    assert box.polygon[1, 0] > box.polygon[0, 0]
    assert shapely.Polygon(box.polygon).buffer(1).contains(shapely.Polygon(polygon))
