"""Scenes of curved text: what they depend on, what is kept apart between the parts, and what their polygons promise."""

import hashlib
import itertools
import re
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
import shapely
from numpy.typing import NDArray

from paribus.data.curved_text import SIZES, Scene, TextInstance, compose, edition, scene
from paribus.data.curved_text.faces import TYPEFACES, faces
from paribus.data.curved_text.grounds import PHOTOGRAPHS
from paribus.data.curved_text.style import Style
from paribus.data.curved_text.words import MARKS, draw_word, part_of, words
from paribus.data.split import SPLITS, Split
from paribus.errors import DataError

COUNT = 14


@cache
def some(split: str = "train", side: int = 512) -> tuple[Scene, ...]:
    return tuple(scene(split, index, side=side) for index in range(COUNT))  # type: ignore[arg-type]


def instances(split: str = "train", side: int = 512) -> list[TextInstance]:
    return [instance for one in some(split, side) for instance in one.instances]


def heights(instance: TextInstance) -> NDArray[np.float64]:
    half = len(instance.polygon) // 2
    return np.asarray(np.hypot(*(instance.polygon[:half] - instance.polygon[half:][::-1]).T))


def fingerprint(one: Scene) -> str:
    found = hashlib.sha256(one.image.tobytes())
    for instance in one.instances:
        found.update(instance.polygon.tobytes() + f"{instance.text}{instance.curved}{instance.legible}".encode())
    return found.hexdigest()


def test_a_scene_depends_on_its_arguments_alone_in_every_process() -> None:
    code = (
        "import hashlib, sys; from paribus.data.curved_text import scene;"
        "sys.path.insert(0, sys.argv[1]); from test_curved_text import fingerprint;"
        "print(fingerprint(scene('test', 5)), fingerprint(scene('train', 4, seed=3, side=256)))"
    )
    here = str(__file__).rsplit("/", 1)[0]
    found = subprocess.run([sys.executable, "-c", code, here], capture_output=True, text=True, check=True)
    other, same = fingerprint(scene("train", 4, seed=3, side=256)), fingerprint(scene("test", 5))
    assert found.stdout.split() == [same, other]
    assert len({other, same, fingerprint(scene("train", 4, seed=2, side=256)), fingerprint(scene("test", 6))}) == 4


def test_what_is_asked_for_must_exist() -> None:
    assert SIZES["validation"] == SIZES["test"] == 500
    assert SIZES["train"] >= 1_000_000
    with pytest.raises(DataError, match="split 'valid': one of train, validation, test"):
        scene("valid", 0)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="scene 500 of test: 0 to 499"):
        scene("test", 500)
    with pytest.raises(DataError, match="side=64: 128 to 1024"):
        scene("test", 0, side=64)


def test_another_drawing_library_is_another_edition(monkeypatch: pytest.MonkeyPatch) -> None:
    before = edition()
    assert before == edition()
    monkeypatch.setattr("cv2.__version__", "0.0.1")
    assert before != edition()


@pytest.mark.parametrize("package", ["font-lato", "font-manrope", "matplotlib", "scikit-image", "scikit-learn"])
def test_other_typefaces_and_photographs_are_another_edition(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    before, version = edition(), compose.version
    monkeypatch.setattr(compose, "version", lambda name: "0.0.1" if name == package else version(name))
    compose._brought_by.cache_clear()
    after = edition()
    monkeypatch.undo()
    compose._brought_by.cache_clear()
    assert after != before == edition()


def superfamily(face: str) -> str:
    found = re.match("Source|DejaVu|cm|STIX|[A-Za-z]+", face)
    assert found
    return found[0]


def test_no_superfamily_no_photograph_and_no_word_serves_two_parts() -> None:
    for first, second in itertools.combinations(SPLITS, 2):
        families = [
            {superfamily(face) for names in TYPEFACES[split].values() for face in names} for split in (first, second)
        ]
        assert not families[0] & families[1]
        assert min(len(one) for one in families) >= 3
        assert not set(faces(first)) & set(faces(second))
        assert not set(PHOTOGRAPHS[first]) & set(PHOTOGRAPHS[second])
        assert not set(words(first)) & set(words(second))
    assert len(words("train")) > 2000
    assert min(len(words("validation")), len(words("test"))) > 400


@pytest.mark.parametrize("split", SPLITS)
def test_every_word_that_is_set_belongs_to_its_part(split: str) -> None:
    found = [word for instance in instances(split) for word in instance.text.split()]
    assert len(found) > 60
    for word in found:
        assert part_of(word) == split or not any(letter.isalnum() for letter in word), word


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("longest", [3, 14])
def test_every_word_that_is_drawn_belongs_to_its_part_and_is_short_enough(split: Split, longest: int) -> None:
    random = np.random.default_rng(5)
    found = [draw_word(split, random, longest) for _ in range(3000)]
    plain = ["".join(letter for letter in word if letter.isalnum()).lower() for word in found]
    assert {part_of(word) for word in plain} == {split}
    assert longest - 3 < max(map(len, plain)) <= longest
    assert min(map(len, plain)) >= 1
    if longest == 14:
        assert all(any(re.fullmatch(re.escape(mark).replace(re.escape("{}"), "[^ ]+"), word) for word in found)
                   for mark in MARKS)  # fmt: skip


def test_where_no_number_is_short_enough_a_word_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paribus.data.curved_text.words._number", lambda random: "123456789")
    found = {draw_word("test", np.random.default_rng(seed), 4) for seed in range(60)}
    assert max(map(len, found)) <= 4
    assert {part_of(word) for word in found} == {"test"}


def test_texts_are_short_and_both_straight_and_curved_ones_are_many() -> None:
    for split in SPLITS:
        found = instances(split)
        assert all(2 <= len(instance.text) <= 27 for instance in found)
        assert max(len(instance.text.split()) for instance in found) in (3, 4, 5)
        assert 0.35 < np.mean([instance.curved for instance in found]) < 0.68
        assert 0.75 < np.mean([instance.legible for instance in found]) < 0.99


@pytest.mark.parametrize("split", SPLITS)
def test_polygons_are_simple_clockwise_and_inside(split: str) -> None:
    for instance in instances(split):
        polygon = instance.polygon
        half = len(polygon) // 2
        assert len(polygon) == 2 * half >= 4
        assert polygon.min() >= 0
        assert polygon.max() <= 511
        assert shapely.LinearRing(polygon).is_simple, instance.text
        x, y = polygon.T
        assert sum(x[i - 1] * y[i] - x[i] * y[i - 1] for i in range(len(x))) > 0  # with y down: top comes first
        top, bottom = polygon[:half], polygon[half:][::-1]
        assert not shapely.LineString(top).intersects(shapely.LineString(bottom))


@pytest.mark.parametrize("split", SPLITS)
def test_instances_keep_clear_of_each_other(split: str) -> None:
    for one in some(split):
        shapes = [shapely.Polygon(instance.polygon) for instance in one.instances]
        for first, second in itertools.combinations(shapes, 2):
            assert first.intersection(second).area <= 0.01 * min(first.area, second.area)


def test_curved_is_what_strays_from_its_chord() -> None:
    for instance in instances():
        half = len(instance.polygon) // 2
        centre = (instance.polygon[:half] + instance.polygon[half:][::-1]) / 2
        if instance.polygon.min() > 0 and instance.polygon.max() < 511:  # whole
            along = (centre[-1] - centre[0]) / np.hypot(*(centre[-1] - centre[0]))
            stray = max(abs(float(np.cross([*along, 0], [*(place - centre[0]), 0])[2])) for place in centre)
            assert instance.curved == (stray / heights(instance).mean() >= 0.15)
            assert instance.curved or stray < 1e-6 or half > 2


def test_text_is_about_as_large_whatever_the_side() -> None:
    small, large = (np.array([heights(one).mean() for one in instances("train", side)]) for side in (192, 512))
    assert some("train", 192)[0].image.shape == (192, 192, 3)
    assert len(large) > 3 * len(small)
    assert 0.6 < np.median(small) / np.median(large) < 1.6
    assert np.quantile(large, 0.02) > 5
    assert np.quantile(large, 0.98) < 110


def test_what_is_wholly_hidden_is_not_legible(monkeypatch: pytest.MonkeyPatch) -> None:
    def all_of_it(side: int, polygon: object, random: object) -> NDArray[np.uint8]:
        return np.full((side, side), 255, dtype=np.uint8)

    monkeypatch.setattr(compose, "draw_occluder", all_of_it)
    monkeypatch.setattr(compose, "HIDDEN", 1.1)
    found = [scene("train", index, side=256) for index in range(6)]
    assert sum(len(one.instances) for one in found) > 5
    assert not any(instance.legible for one in found for instance in one.instances)


def clean(style: Style) -> Style:
    """Return a style whose ink alone changes the image."""
    values = {name: getattr(style, name) for name in style.__dataclass_fields__}
    return Style(**values | {"plate": "none", "shadow": 0.0, "faint": False, "contrast": 120.0, "opacity": 1.0})


def test_the_ink_lies_in_the_polygons_and_fills_them(monkeypatch: pytest.MonkeyPatch) -> None:
    from paribus.data.curved_text import style

    monkeypatch.setattr(compose, "draw_ground", lambda split, side, random: np.full((side, side, 3), 99, np.uint8))
    monkeypatch.setattr(compose, "draw_clutter", lambda image, random: None)
    monkeypatch.setattr(compose, "HIDDEN", 0.0)
    monkeypatch.setattr(compose, "photograph", lambda camera, image: image)
    monkeypatch.setattr(compose, "draw_style", lambda split, random: clean(style.draw_style(split, random)))
    places = np.stack(np.meshgrid(np.arange(512), np.arange(512)), axis=-1).reshape(-1, 2).astype(float)
    inks = outside = 0.0
    for index in range(8):
        one = scene("train", index)
        ink = np.abs(one.image.astype(int) - 99).max(axis=2)
        where = places[ink.ravel() > 0]
        weight = ink.ravel()[ink.ravel() > 0]
        taken = np.zeros(len(where), dtype=bool)
        for instance in one.instances:
            polygon = instance.polygon
            taken |= shapely.contains_xy(shapely.Polygon(polygon).buffer(0.01), *where.T)
            if not (polygon.min() > 0 and polygon.max() < 511):
                continue
            half = len(polygon) // 2
            own = shapely.points(where[shapely.contains_xy(shapely.Polygon(polygon), *where.T)])
            height = heights(instance).mean()
            sides = (polygon[:half], polygon[half:], polygon[[0, -1]], polygon[half - 1 : half + 1])
            for side in sides:
                nearest = shapely.distance(shapely.LineString(side), own).min()
                assert nearest < 1.7 + 0.06 * height, (instance.text, nearest, height)
        inks += weight.sum()
        outside += weight[~taken].sum()
    assert inks > 1e6
    assert outside < 0.005 * inks
