"""To the letter of the paper, and each refinement of it by itself."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage

from paribus.data.curved_text import scene
from paribus.errors import ConfigError
from paribus.labs.textsnake.changes import CHANGES
from paribus.labs.textsnake.circles import circled, text_share
from paribus.labs.textsnake.data import labels_of, truth
from paribus.labs.textsnake.decode import decode
from paribus.labs.textsnake.experiments import BASELINE, Config, Decoding
from paribus.labs.textsnake.geometry import axis
from paribus.labs.textsnake.labels import encode
from paribus.labs.textsnake.refinements import REFINED, TO_THE_LETTER, Refinements
from paribus.spec.registry import experiment

from .outlines import arc, iou, texts, wave

Floats = NDArray[np.float64]
NAMES = [field.name for field in fields(Refinements)]
SIZE = 256


def test_the_baseline_is_the_paper_and_every_refinement_a_change() -> None:
    assert BASELINE.refinements == TO_THE_LETTER == Refinements()
    assert not any(vars(TO_THE_LETTER).values())
    assert all(vars(REFINED).values())
    assert {change.name for change in CHANGES} >= {"refined", *NAMES}
    every = "/".join(f"{name}=yes" for name in NAMES)
    assert experiment(f"textsnake/oracle/{every}").config == experiment("textsnake/oracle/refined").config
    none = "/".join(f"{name}=no" for name in NAMES)
    assert experiment(f"textsnake/oracle/refined/{none}").config == experiment("textsnake/oracle").config


def test_outlines_and_boxes_have_no_disks_to_refine() -> None:
    for whole in (TO_THE_LETTER, REFINED):
        Config(decoding=Decoding(representation="contours"), refinements=whole)
    with pytest.raises(ConfigError, match="contours know no disks"):
        Config(decoding=Decoding(representation="contours"), refinements=replace(REFINED, straight_ends=False))


def by_turn(polygon: Floats) -> set[int]:
    """Return the two edges, not neighbours, between whose own neighbours the cosines add up to least."""
    edges = np.roll(polygon, -1, axis=0) - polygon
    edges /= np.linalg.norm(edges, axis=1, keepdims=True)
    n = len(polygon)
    turns = [float(edges[k - 1] @ edges[(k + 1) % n]) for k in range(n)]
    pairs = [(turns[i] + turns[j], i, j) for i in range(n) for j in range(i + 2, n - (i == 0))]
    return set(min(pairs)[1:])


@given(texts(), st.integers(0, 2**32 - 1))
def test_the_ends_are_the_edges_of_least_m(polygon: Floats, seed: int) -> None:
    polygon = polygon + np.random.default_rng(seed).normal(0, 0.5, polygon.shape)  # no two edges alike
    if len(polygon) == 4 or not shapely.Polygon(polygon).is_valid:
        return
    found = axis(polygon, TO_THE_LETTER).centres[[0, -1]]
    middles = (polygon + np.roll(polygon, -1, axis=0)) / 2
    expected = middles[sorted(by_turn(polygon))]
    assert min(np.abs(found - expected).max(), np.abs(found[::-1] - expected).max()) < 1e-9


def test_by_m_alone_a_bend_may_be_an_end() -> None:
    polygon = arc(100, 100, 50, 18, -np.pi, 0, 4)
    true = (polygon[0] + polygon[-1]) / 2
    near = [
        np.linalg.norm(axis(polygon, how).centres[[0, -1]] - true, axis=1).min()
        for how in (REFINED, replace(REFINED, narrow_ends=False))
    ]
    assert near[0] < 1e-9 < 9 < near[1]


@given(texts())
def test_the_axis_is_the_mean_of_points_at_equal_shares_of_the_sides(polygon: Floats) -> None:
    found, n = axis(polygon, replace(REFINED, recentred=False)), len(polygon) // 2
    share = np.linspace(0, 1, len(found.radii))
    sides = [shapely.LineString(side) for side in (polygon[:n], polygon[n:][::-1])]
    above, below = (
        shapely.get_coordinates(shapely.line_interpolate_point(side, share, normalized=True)) for side in sides
    )
    np.testing.assert_allclose(found.centres, (above + below) / 2, atol=1e-6)
    np.testing.assert_allclose(found.radii, np.linalg.norm(above - below, axis=1) / 2, atol=1e-6)


def test_half_a_radius_is_cut_and_text_shorter_than_high_has_no_line() -> None:
    whole = replace(REFINED, quarter_cut=False)
    letter = np.array([[10, 10], [14, 10], [18, 10.1], [18, 40], [14, 40], [10, 40.1]], dtype=float)
    long = wave(20, 128, 200, 30, 0)
    for how in (REFINED, whole):
        assert encode([letter], (50, 50), refinements=how).centre.any() == how.quarter_cut
        assert encode([letter], (50, 50), refinements=how).text.any()
        columns = np.flatnonzero(encode([long], (SIZE, SIZE), refinements=how).centre.any(axis=0))
        start, stop = 20 + 15 / 2, 220 - 15 / 2
        assert columns[0] == np.ceil(start)
        assert columns[-1] == np.floor(stop)


@settings(max_examples=25)
@given(texts(least=3))
def test_a_line_is_as_thin_as_a_fifth_of_the_radius_says(polygon: Floats) -> None:
    thin, least = (
        encode([polygon], (SIZE, SIZE), refinements=how) for how in (replace(REFINED, pixel_line=False), REFINED)
    )
    away = shapely.distance(shapely.LineString(axis(polygon).centres), shapely.points(*np.nonzero(thin.centre)[::-1]))
    assert (away <= thin.radius[thin.centre] / 5 + 0.1).all()  # of two lines of many points
    assert not (thin.centre & ~least.centre).any()
    if axis(polygon).radii.min() / 5 > 0.6:
        np.testing.assert_array_equal(thin.centre, least.centre)


def test_a_thin_line_breaks() -> None:
    text = wave(20, 100, 160, 4, 20)
    broken = encode([text], (200, 200), refinements=replace(REFINED, pixel_line=False)).centre
    assert ndimage.label(broken, np.ones((3, 3)))[1] > 1


def test_a_slid_circle_covers_what_closed_forms_say() -> None:
    capsule = circled(np.array([[10, 20, 5], [30, 20, 5]], dtype=float))
    assert capsule is not None
    assert shapely.Polygon(capsule).area == pytest.approx(np.pi * 25 + 2 * 5 * 20, rel=2e-3)
    np.testing.assert_allclose([capsule.min(axis=0), capsule.max(axis=0)], [[5, 15], [35, 25]], atol=0.05)
    cone = circled(np.array([[0, 0, 8], [20, 0, 2]], dtype=float))  # its sides touch both circles
    slant = np.arccos((8 - 2) / 20)
    area = (8 + 2) * np.sqrt(20**2 - 6**2) + (np.pi - slant) * 8**2 + slant * 2**2
    assert cone is not None
    assert shapely.Polygon(cone).area == pytest.approx(area, rel=3e-3)
    ring = np.array([[60 + 40 * np.cos(a), 60 + 40 * np.sin(a), 6] for a in np.linspace(0, 2 * np.pi, 60)])
    border = circled(ring)
    assert border is not None
    assert shapely.Polygon(border).area == pytest.approx(np.pi * 46**2, rel=5e-3)  # the hole is part of it
    apart = circled(np.array([[0, 0, 3], [50, 0, 0], [90, 0, 0]], dtype=float))
    assert apart is not None
    assert shapely.Polygon(apart).is_valid
    assert shapely.contains(shapely.Polygon(apart), shapely.Point(30, 0)), "the way to a radius of 0 is covered"
    assert circled(np.zeros((1, 3))) is None
    assert circled(np.array([[4, 4, 0], [9, 4, 0]], dtype=float)) is None


def test_the_share_of_text_counts_pixels() -> None:
    text = np.zeros((40, 60), bool)
    text[:20] = True
    square = np.array([[9.5, 9.5], [29.5, 9.5], [29.5, 29.5], [9.5, 29.5]])
    assert text_share(square, text) == pytest.approx(0.5)
    assert text_share(square - (0, 10), text) == 1
    assert text_share(square - (20, 25), text) == 1  # what leaves the image is no pixel
    assert text_share(square + 500, text) == 0
    assert text_share(square / 1000 + 5.2, text) == 0


@pytest.mark.parametrize("radius", [0.5, 0.6, 1, 5])
def test_short_strides_lead_to_both_ends(radius: float) -> None:
    maps = np.zeros((5, 9, 140), np.float32)
    maps[0, 2:7], maps[1, 4, 20:120], maps[2], maps[3] = 1, 1, radius, 1
    (found,) = decode(*maps, refinements=replace(REFINED, pixel_strides=False))
    assert found.disks[:, 0].min() <= 20.5
    assert found.disks[:, 0].max() >= 118.5


def test_what_is_read_is_of_the_text_itself() -> None:
    random = np.random.default_rng(0)
    how, changed = replace(REFINED, cross_sections=False), 0
    for _ in range(60):
        maps = np.zeros((5, 60, 60), np.float32)
        maps[0, :40] = 1
        maps[1, 5:30, 5:55] = ndimage.gaussian_filter(random.normal(size=(25, 50)), 1) > 0.02
        maps[2:5, :] = np.array([3, 1, 0])[:, None, None]
        maps[3:5] = np.stack([np.cos(angle := random.uniform(-3, 3, (60, 60))), np.sin(angle)])
        other = maps.copy()
        maps[:2, 50:55, 50:55], other[:2, 50:55, 50:55] = 1, 1
        other[2, 50:55, 50:55] = 9
        one, two = (
            [text.disks.tolist() for text in decode(*each, refinements=how) if text.disks[:, 1].max() < 45]
            for each in (maps, other)
        )
        changed += one != two
    assert changed == 0


def test_small_lines_are_found_to_the_letter() -> None:
    maps = np.zeros((5, 30, 30), np.float32)
    maps[0, 5:15, 5:15] = 1
    maps[1, 9:11, 9] = 1
    maps[2], maps[3] = 5, 1
    assert decode(*maps) == []
    (found,) = decode(*maps, refinements=replace(REFINED, four_pixels=False))
    assert len(found.disks) >= 1


@pytest.mark.parametrize("how", [TO_THE_LETTER, *(replace(REFINED, **{name: False}) for name in NAMES)],
                         ids=["all", *NAMES])  # fmt: skip
def test_text_comes_back_without_a_refinement(how: Refinements) -> None:
    polygon = arc(128, 150, 90, 24, -2.8, -0.3, 12)
    maps = truth(encode([polygon], (SIZE, SIZE), refinements=how))
    (found,) = decode(*maps, refinements=how)
    assert shapely.Polygon(found.polygon).is_valid
    assert iou(found.polygon, polygon) > 0.85
    (best,) = decode(*truth(encode([polygon], (SIZE, SIZE))))
    assert iou(best.polygon, polygon) > iou(found.polygon, polygon) - 1e-3


@pytest.mark.parametrize("name", NAMES)
def test_each_refinement_does_something_and_noise_gives_valid_outlines_without_it(name: str) -> None:
    how = replace(REFINED, **{name: False})
    bent = arc(100, 100, 50, 18, -np.pi, 0, 4)
    letter = np.array([[180, 10], [184, 10], [188, 10.1], [188, 40], [184, 40], [180, 40.1]], dtype=float)
    small = wave(20, 200, 160, 4, 20)
    one, other = (encode([bent, letter, small], (SIZE, SIZE), refinements=each) for each in (REFINED, how))
    labelled = any((values != vars(other)[map_name]).any() for map_name, values in vars(one).items())
    draws = np.random.default_rng(3).random((5, 96, 101)).astype(np.float32)
    noise = [draws[0], draws[1], draws[2] * 3, draws[3] * 2 - 1, draws[4] * 2 - 1]
    found, refined = decode(*noise, refinements=how), decode(*noise)
    assert all(shapely.Polygon(text.polygon).is_valid for text in found)
    decoded = len(found) != len(refined) or any(
        not np.array_equal(a.polygon, b.polygon) for a, b in zip(found, refined, strict=True)
    )
    assert (labelled, decoded) == (NAMES.index(name) < 4, NAMES.index(name) >= 4)


def test_what_the_refinements_are_worth_on_scenes() -> None:
    means = []
    for how in (REFINED, TO_THE_LETTER):
        one = scene("test", 3)
        found = decode(*truth(labels_of(one, how)), refinements=how)
        true = [text.polygon for text in one.instances if text.legible]
        means.append(np.mean([max(iou(text, each.polygon) for each in found) for text in true]))
    assert means[0] > 0.95 > means[1] > 0.8
