"""The steps that make a crop, each against an independent reference."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import distance_transform_edt

from paribus.data.split import SPLITS
from paribus.data.street_digits.camera import Camera
from paribus.data.street_digits.glyphs import FAR, HEIGHT, MARGIN, font_path, glyphs
from paribus.data.street_digits.grounds import Ground, textures
from paribus.data.street_digits.layout import SIZE, Layout
from paribus.data.street_digits.paint import Paint
from paribus.errors import DataError


def random() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.mark.parametrize("digit", [1, 4, 8])
def test_a_glyph_is_the_signed_distance_to_its_typefaces_outline(digit: int) -> None:
    glyph = glyphs("test")[0][digit]
    font = ImageFont.truetype(str(font_path("font-manrope", "Manrope-Light")), 600)
    image = Image.new("L", (900, 900))
    ImageDraw.Draw(image).text((150, 150), str(digit), font=font, fill=255)
    ink = np.asarray(image.crop(image.getbbox()))
    height = ink.shape[0]
    assert glyph.width == pytest.approx(ink.shape[1] / height, abs=0.01)
    border = round(MARGIN / HEIGHT * height)
    inside = np.pad(ink > 127, border)
    distance = (distance_transform_edt(inside) - distance_transform_edt(~inside)) / height
    rows = (np.arange(glyph.field.shape[0]) + 0.5) * inside.shape[0] / glyph.field.shape[0]
    columns = (np.arange(glyph.field.shape[1]) + 0.5) * inside.shape[1] / glyph.field.shape[1]
    expected = np.maximum(distance[rows.astype(int)[:, None], columns.astype(int)], FAR)
    assert np.abs(glyph.field - expected).max() < 0.03


def test_every_typeface_has_ten_digits_of_plausible_width() -> None:
    for split in SPLITS:
        for face in glyphs(split):
            assert len(face) == 10
            assert all(0.15 < glyph.width < 1.0 for glyph in face)
            assert all((glyph.field > 0).any() for glyph in face)
            assert face[1].width <= max(glyph.width for glyph in face)


def test_a_missing_typeface_says_which_package_brings_it() -> None:
    with pytest.raises(DataError, match="pip install font-nowhere"):
        font_path("font-nowhere", "Nowhere-Regular")


def test_drawn_surfaces_are_standardised_and_photographs_are_bytes() -> None:
    drawn, photographs = textures("validation")
    for texture in drawn:
        assert texture.shape == (256, 256, 3)
        assert abs(float(texture.mean())) < 0.25
        assert 0.6 < float(texture.std()) < 1.2
    assert all(photograph.min() >= 0 and photograph.max() <= 255 for photograph in photographs)


def test_the_digit_of_interest_covers_the_middle_of_the_window() -> None:
    labels = np.full(64, 1, dtype=np.int64)
    layout = Layout.draw("train", labels, random())
    digits, _, _ = layout.fields(range(64))
    covered = digits > 0
    middle = covered[:, :, SIZE // 2 - 8 : SIZE // 2 + 8].any(axis=(1, 2))
    assert middle.all()
    alone = replace(layout, sides=np.zeros((64, 2), dtype=bool)).fields(range(64))[0] > 0
    assert (alone <= covered).all()
    heights = alone.any(axis=2).sum(axis=1)
    assert np.corrcoef(heights, np.minimum(layout.height * SIZE, SIZE))[0, 1] > 0.8


def test_a_plate_holds_the_whole_number() -> None:
    layout = Layout.draw("train", np.arange(40, dtype=np.int64) % 10, random())
    layout = replace(layout, plated=np.ones(40, dtype=bool), bend_size=np.zeros(40), step=np.zeros(40))
    digits, _, plate = layout.fields(range(40))
    assert (plate[digits > 0.02] > 0).all()
    assert (plate < 0).any()


def test_a_surface_has_its_colour_and_its_strength() -> None:
    ground = Ground.draw("train", 48, random())
    ground = replace(ground, photographed=np.zeros(48, dtype=bool), strength=np.zeros(48, dtype=np.float32))
    assert np.allclose(ground.surfaces(range(48)), ground.colour[:, None, None, :])
    stronger = replace(ground, strength=np.full(48, 10, dtype=np.float32)).surfaces(range(48))
    assert 5 < np.median(stronger.std(axis=(1, 2))) < 15


def test_a_plain_digit_differs_from_its_ground_by_its_contrast() -> None:
    count = 32
    paint = Paint.draw(np.full(count, 0.9), random())
    none = np.zeros(count, dtype=np.float32)
    paint = replace(
        paint, contrast=np.full(count, 60, dtype=np.float32), weight=none, contour_width=none, relief=none, shadow=none,
        sheen=none, light=np.zeros((count, 2), dtype=np.float32), shade=np.tile(np.float32([0, 0, 1, 0]), (count, 1)),
        streak=np.zeros((count, 4), dtype=np.float32),
    )  # fmt: skip
    grounds = np.linspace(70, 190, count, dtype=np.float32)
    ground = np.tile(grounds[:, None, None, None], (1, SIZE, SIZE, 3))
    digits = np.full((count, SIZE, SIZE), -0.3, dtype=np.float32)
    digits[:, 10:30, 10:30] = 0.3
    outside = np.full_like(digits, -0.3)
    scene = paint.apply(slice(0, count), ground, digits, outside, outside)
    difference = scene[:, 20, 20].mean(axis=1) - grounds
    assert np.allclose(np.abs(difference), 60, atol=0.1)
    assert len(np.unique(np.sign(difference))) == 2
    assert np.allclose(scene[:, 0, 0], ground[:, 0, 0])


def test_the_camera_reaches_its_exposure_and_its_white_balance() -> None:
    camera = Camera.draw(20, random())
    camera = replace(camera, obeyed=np.ones(20), noise=np.zeros(20), quality=np.full(20, 100), focus=np.zeros(20))
    camera = replace(camera, balance=np.tile([1.0, 0.9, 0.8], (20, 1)), saturation=np.ones(20))
    for row in range(20):
        crop = camera.photograph(row, np.full((SIZE, SIZE, 3), 90, dtype=np.float32))
        assert np.abs(crop.mean(axis=(0, 1)) - camera.level[row] * np.array([1.0, 0.9, 0.8])).max() < 2


def test_a_far_camera_loses_detail_and_a_noisy_one_adds_it() -> None:
    scene = np.zeros((SIZE, SIZE, 3), dtype=np.float32)
    scene[:, ::2] = 200
    camera = Camera.draw(1, random())
    camera = replace(camera, noise=np.zeros(1), quality=np.array([95]), focus=np.zeros(1), side=np.array([SIZE]))
    near = camera.photograph(0, scene).std()
    far = replace(camera, side=np.array([12])).photograph(0, scene).std()
    assert far < 0.5 * near
    plain = np.full((SIZE, SIZE, 3), 100, dtype=np.float32)
    clean, noisy = (
        one.photograph(0, plain).std(axis=(0, 1)).max() for one in (camera, replace(camera, noise=np.full(1, 9)))
    )
    assert clean < 1
    assert noisy > 3
