"""The parts of curved_text, each against an independent reference."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from paribus.data.curved_text.camera import draw_camera, photograph
from paribus.data.curved_text.curve import KNOTS, arc, draw_curve, from_heading
from paribus.data.curved_text.faces import faces, level_for, set_strip
from paribus.data.curved_text.instances import area, bend, clip, crosses_itself
from paribus.data.curved_text.layout import badge, parallel, single, stack
from paribus.data.curved_text.place import Board
from paribus.data.curved_text.setting import Setting, project
from paribus.data.curved_text.style import LUMA, contrasting, draw_style
from paribus.data.split import SPLITS


def generator(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("kind", ["line", "arc", "wave", "free"])
def test_finding_a_place_on_a_curve_undoes_going_there(kind: str) -> None:
    for seed in range(20):
        random = generator(seed)
        curve = draw_curve(kind, 200.0, 30.0, random)  # type: ignore[arg-type]
        s, d = random.uniform(-100, 100, 50), random.uniform(-15, 15, 50)
        x, y = curve.at(s, d).T
        found = curve.find(x, y)
        assert np.abs(found[0] - s).max() < 0.15
        assert np.abs(found[1] - d).max() < 0.15


def test_an_arc_is_a_part_of_a_circle() -> None:
    curve = arc(100.0, 40.0)
    x, y = curve.at(np.linspace(-50, 50, 9), 7.0).T
    assert np.allclose(np.hypot(x, y - 40.0), 33.0, atol=0.02)
    hanging = arc(100.0, -40.0).at(np.linspace(-50, 50, 9), 7.0)
    assert np.allclose(np.hypot(hanging[:, 0], hanging[:, 1] + 40.0), 47.0, atol=0.02)


def test_a_curve_keeps_its_length_and_is_never_too_tight() -> None:
    s = np.linspace(-60, 60, KNOTS)
    curve = from_heading("free", s, 9 * np.sin(s / 4), 20.0)
    assert np.abs(curve.bend).max() * 10 <= 0.7501
    assert np.hypot(np.diff(curve.x), np.diff(curve.y)).sum() == pytest.approx(120, rel=0.01)
    assert curve.y[0] == pytest.approx(curve.y[-1], abs=1e-6)


def test_strips_hold_the_ink_and_nothing_else() -> None:
    for split in SPLITS:
        for face in faces(split):
            strip, top = set_strip(face, level_for(40), "Ag4", 0.0)
            assert strip[0].any()
            assert strip[-1].any()
            assert strip[:, 0].any()
            assert strip[:, -1].any()
            assert top < 0 < top + len(strip)  # ink above the base line, and the g below it
            wide, _ = set_strip(face, level_for(40), "Ag4", 0.5)
            assert wide.shape[1] == pytest.approx(strip.shape[1] + level_for(40), abs=2)


def test_every_face_draws_what_words_are_made_of() -> None:
    for split in SPLITS:
        for face in set(faces(split)):
            inks = {
                letter: set_strip(face, 34, letter, 0.0)[0].tobytes()
                for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!?.,:&#%-()'"
            }
            assert all(inks.values())
            assert len(set(inks.values())) >= len(inks) - 2  # cmr10's I and l, Amatic's capitals: a few are alike


def settings_of(seed: int) -> list[tuple[Setting, np.ndarray]]:
    random = generator(seed)
    style = draw_style("train", random)
    make = (single, single, stack, badge, parallel)[seed % 5]
    group = make("train", float(random.uniform(14, 80)), 400.0, style, random)
    placed = Board(1024).put(group, 0.0, random, 20, False)
    return [] if placed is None else [(setting, placed.frame) for setting in placed.group.settings]


def test_every_inked_pixel_of_a_strip_lands_in_the_polygon_and_is_drawn_there() -> None:
    count = 0
    for seed in range(40):
        for setting, frame in settings_of(seed):
            polygon = setting.polygon(frame)
            strip = setting.strip if setting.rim is None else setting.rim
            v, u = np.nonzero(strip > 127)
            s = (u - strip.shape[1] / 2 + 0.5) * setting.scale
            d = (v - strip.shape[0] / 2 + 0.5) * setting.scale
            place = project(frame @ setting.plane, setting.curve.at(s, d))
            inside = shapely.contains_xy(shapely.Polygon(polygon), *place.T)
            assert inside.mean() >= 0.99, setting.text
            low = np.floor(polygon.min(axis=0)).astype(int) - 20
            size = np.ceil(polygon.max(axis=0)).astype(int) + 20 - low
            ink, rim = setting.ink(frame, polygon, (*low, *size))
            drawn = ink if rim is None else rim
            x, y = np.round(place - low).astype(int).T
            assert (drawn[y, x] > 12).mean() > 0.97, setting.text
            rows, columns = np.nonzero(drawn > 127)  # and nothing is drawn elsewhere
            far, _ = cKDTree(place).query(np.stack([columns, rows], axis=1) + low)
            assert np.max(far) < 1.5 + setting.scale, setting.text
            count += 1
    assert count > 50


@given(st.integers(0, 10**6))
@settings(max_examples=60, deadline=None)
def test_a_band_is_cut_at_the_border_as_its_polygon_is(seed: int) -> None:
    random = generator(seed)
    curve = draw_curve("wave", 120.0, 20.0, random)
    s = np.linspace(-60, 60, 200)
    middle = random.uniform(0, 100, 2)
    top, bottom = curve.at(s, -10.0) + middle, curve.at(s, 10.0) + middle
    whole = shapely.Polygon(np.concatenate([top, bottom[::-1]]))
    seen = whole.intersection(shapely.box(0, 0, 99, 99))
    left = clip(top, bottom, 0.0, 99.0)
    if left is None:
        assert seen.area < 0.05 * whole.area
        return
    polygon = np.concatenate([left[0], left[1][::-1]])
    assert polygon.min() >= -1e-9
    assert polygon.max() <= 99 + 1e-9
    cut = shapely.Polygon(polygon)
    assert cut.difference(seen.buffer(0.1)).area < 0.01 * whole.area
    sure = seen.buffer(-1.5)  # where the band is thinner than 3 pixels it may end
    largest = max(getattr(sure, "geoms", [sure]), key=lambda part: part.area)
    assert largest.difference(cut).area < 0.02 * whole.area


def test_area_bend_and_crossing() -> None:
    square = np.array([[0.0, 0], [4, 0], [4, 2], [0, 2]])
    assert area(square) == 8
    assert area(square[::-1]) == -8
    assert bend(square) == 0
    assert not crosses_itself(square)
    assert crosses_itself(square[[0, 2, 1, 3]])
    bent = np.array([[0.0, 0], [2, 1], [4, 0], [4, 2], [2, 3], [0, 2]])
    assert bend(bent) == pytest.approx(0.5)


def test_contrast_is_what_was_asked_for_where_there_is_room() -> None:
    random = generator(0)
    for _ in range(200):
        colour, behind = random.uniform(0, 255, 3), float(random.uniform(0, 255))
        found = contrasting(colour, behind, 90.0)
        assert abs(float(found @ LUMA) - behind) > 86
        assert found.min() >= 0
        assert found.max() <= 255


def test_a_perfect_camera_changes_nothing_and_a_real_one_little() -> None:
    image = np.asarray(generator(1).integers(60, 180, (128, 128, 3)), dtype=np.uint8)
    image = np.asarray(np.kron(image[::8, ::8], np.ones((8, 8, 1), np.uint8)))
    for seed in range(30):
        camera = draw_camera(generator(seed))
        seen = photograph(camera, image)
        assert seen.shape == image.shape
        assert seen.dtype == np.uint8
        assert np.corrcoef(seen.ravel(), image.ravel())[0, 1] > 0.3


def test_groups_on_a_board_do_not_meet() -> None:
    random = generator(7)
    board = Board(512)
    shapes = []
    for _ in range(30):
        group = single("train", 30.0, 200.0, draw_style("train", random), random)
        placed = board.put(group, 0.0, random, 10, False)
        if placed is not None:
            shapes += [shapely.Polygon(polygon) for polygon in placed.polygons]
    assert len(shapes) > 5
    assert shapely.unary_union(shapes).area == pytest.approx(sum(shape.area for shape in shapes))
    assert shapely.unary_union(shapes).bounds[0] > 0
    assert shapely.unary_union(shapes).bounds[2] < 511
