"""What a context lets through: pictures are small, and few."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paribus.spec import context as module
from paribus.spec.context import PICTURE_SIDE, Context, Picture, Report


def reported(pixels: np.ndarray) -> np.ndarray:
    heard: list[Report] = []
    Context(seed=0, emit=heard.append).picture("image", pixels)
    (report,) = heard
    assert isinstance(report, Picture)
    assert report.name == "image"
    return report.pixels


@given(st.integers(1, 300), st.integers(1, 300), st.integers(0, 5))
def test_a_large_picture_becomes_the_means_of_its_blocks(height: int, width: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    found = reported(pixels)
    assert max(found.shape[:2]) <= PICTURE_SIDE
    side = next(side for side in range(1, 10) if side * PICTURE_SIDE >= max(height, width))
    for row, column in ((0, 0), (found.shape[0] - 1, found.shape[1] - 1)):
        block = pixels[row * side : (row + 1) * side, column * side : (column + 1) * side]
        np.testing.assert_allclose(found[row, column], block.mean(axis=(0, 1)), atol=0.5)
    if side == 1:
        np.testing.assert_array_equal(found, pixels)


def test_what_is_shown_does_not_change_when_the_image_does() -> None:
    pixels = np.zeros((8, 8, 3), np.uint8)
    found = reported(pixels)
    pixels[:] = 255
    assert (found == 0).all()


def test_of_each_name_at_most_two_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    heard: list[Report] = []
    context = Context(seed=0, emit=heard.append)
    for step in range(300):
        now = 100.0 + step / 100
        context.picture("image", np.full((4, 4, 3), step % 256, np.uint8))
        context.picture("other", np.zeros((4, 4, 3), np.uint8))
    names = [report.name for report in heard if isinstance(report, Picture)]
    assert names == ["image", "other"] * 6
    assert context == Context(seed=0, emit=context.emit)


def test_a_context_that_nobody_listens_to_takes_pictures_too() -> None:
    Context(seed=0).picture("image", np.zeros((4, 4, 3), np.uint8))


@pytest.mark.parametrize(
    "pixels",
    [np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8), np.zeros((4, 4, 1), np.uint8), np.zeros((0, 4, 3), np.uint8)],
)
def test_what_is_no_picture_is_refused(pixels: np.ndarray) -> None:
    with pytest.raises(TypeError, match="picture 'image' is"):
        Context(seed=0).picture("image", pixels)
