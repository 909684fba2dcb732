"""Strips of an optimisation: which frames, how large, and nothing invented between them."""

from __future__ import annotations

import base64
import dataclasses
import io
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from paribus.report.film import FRAMES, GAP, film, magnification, reduced
from paribus.report.page import render

from . import sample


@given(st.integers(1, 40), st.integers(1, 20), st.integers(1, 20))
def test_frames_stand_in_order_from_the_first_to_the_last(count: int, height: int, width: int) -> None:
    strip = np.broadcast_to(np.arange(count, dtype=np.uint8)[:, None, None, None], (count, height, width, 3))
    row = film(strip, longest=20)
    shown = min(count, FRAMES)
    assert row.shape == (height, shown * width + (shown - 1) * GAP, 4)
    values = [row[0, place * (width + GAP), 0] for place in range(shown)]
    assert values[0] == 0
    assert values[-1] == count - 1
    steps = np.diff(np.array(values, dtype=int))
    assert count == 1 or steps.max() - steps.min() <= 1
    assert int((row[..., 3] == 255).sum()) == shown * height * width
    assert set(np.unique(row[..., 3])) <= {0, 255}


def test_small_frames_are_kept_to_the_bit_and_large_ones_reduced() -> None:
    strip = np.random.default_rng(0).integers(0, 256, (3, 10, 16, 3), dtype=np.uint8)
    row = film(strip, longest=16)
    for place in range(3):
        np.testing.assert_array_equal(row[:, place * (16 + GAP) : place * (16 + GAP) + 16, :3], strip[place])
    assert film(strip, longest=8).shape == (5, 3 * 8 + 2 * GAP, 4)
    halved = reduced(strip[0], longest=8)
    blocks = strip[0].reshape(5, 2, 8, 2, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(halved, blocks, atol=1)
    assert reduced(strip[0], longest=16) is not None
    np.testing.assert_array_equal(reduced(strip[0], longest=16), strip[0])


@pytest.mark.parametrize(
    ("longest", "side", "factor"), [(32, 96, 3), (64, 96, 1), (96, 96, 1), (192, 96, 0.5), (40, 96, 2)]
)
def test_small_images_are_enlarged_by_whole_numbers(longest: int, side: int, factor: float) -> None:
    assert magnification(longest, side) == factor


def test_the_page_shows_strip_and_pictures_of_the_control_and_each_arm() -> None:
    material = sample.optimised()
    html = render(material)
    section = html[html.index('<section id="pictures"') : html.index('<section id="curves"')]
    found = re.findall(
        r'<img(?: class="(\w+)")? src="[^,]*,([^"]+)" width="(\d+)" height="(\d+)" alt="([^"]+)"', section
    )
    pictures = [(*rest, np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))) for _, data, *rest in found]
    arms = [arm for arm in (material.control, *material.arms) if arm.images is not None]
    assert len(pictures) == 3 * len(arms)
    for arm, place in zip(arms, range(0, len(pictures), 3), strict=True):
        assert arm.images is not None
        assert arm.images.strip is not None
        (width, height, alt, pixels), *singles = pictures[place : place + 3]
        np.testing.assert_array_equal(pixels, film(arm.images.strip, longest=96))
        assert alt.startswith(f"{arm.label}, seed 0")
        assert "start" in alt
        assert "end" in alt
        assert int(height) <= 96
        assert int(width) / int(height) == pytest.approx(pixels.shape[1] / pixels.shape[0], rel=0.02)
        assert [alt.rpartition(": ")[2] for _, _, alt, _ in singles] == ["original", "result"]
        for (width, height, _, pixels), original in zip(singles, arm.images.pictures.values(), strict=True):
            assert max(int(width), int(height)) <= 176
            assert pixels.shape[:2] == original.shape[:2] or max(pixels.shape) == 352
    (shown, *_) = re.findall(r"psnr ([\d.]+)", section)
    assert float(shown) == pytest.approx(material.control.scores.scores[0], abs=0.0501)
    assert "8 of 24 frames" in section
    assert material.arms[-1].images is None
    assert material.arms[-1].label not in section


def test_without_images_there_is_no_such_section() -> None:
    assert 'id="pictures"' not in render(sample.plain())
    assert "#pictures" not in render(sample.plain())


def test_many_arms_have_smaller_images() -> None:
    material = sample.optimised()
    places = [i % 4 for i in range(7)]
    many = dataclasses.replace(
        material,
        arms=tuple(material.arms[i] for i in places),
        verdicts=tuple(material.verdicts[i] for i in places),
    )
    html = render(many)
    section = html[html.index('<section id="pictures"') : html.index('<section id="curves"')]
    sides = [(int(width), int(height)) for width, height in re.findall(r'width="(\d+)" height="(\d+)"', section)]
    films, singles = sides[::3], sides[1::3] + sides[2::3]
    assert max(height for _, height in films) == 64
    assert max(max(side) for side in singles) == 112


def test_a_row_of_several_pictures_is_as_high_as_one() -> None:
    material = sample.optimised()
    control = material.control
    assert control.images is not None
    row = np.zeros((128, 512, 3), np.uint8)
    images = dataclasses.replace(control.images, strip=None, pictures={"row": row})
    html = render(dataclasses.replace(material, control=dataclasses.replace(control, images=images)))
    section = html[html.index('<section id="pictures"') :]
    assert re.search(r'width="512" height="128" alt="[^"]*row"', section)
