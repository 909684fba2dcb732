"""Views of annotated photographs: outlines move with their pixels, and what nobody could read is not asked for."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner

from paribus.data.text_sets import read
from paribus.data.text_sets.annotation import annotation
from paribus.errors import DataError
from paribus.labs.textsnake import train_verb
from paribus.labs.textsnake.data import Views
from paribus.labs.textsnake.verbs import app
from paribus.labs.textsnake.views import LOWEST, view
from paribus.labs.textsnake.weights_file import load_weights
from paribus.nn.networks.embed import record

SIDE = 160
BAR = np.array([[60, 100], [240, 100], [240, 160], [60, 160]], dtype=np.float64)


def photographs(folder: Path, count: int) -> Path:
    """Write *count* pictures of a white bar on grey, as Total-Text's training images."""
    images, outlines = folder / "Images" / "Train", folder / "Groundtruth" / "Polygon" / "Train"
    images.mkdir(parents=True)
    outlines.mkdir(parents=True)
    for index in range(count):
        picture = np.full((240, 320, 3), 20 * index, dtype=np.uint8)
        cv2.fillPoly(picture, [BAR.astype(np.int32)], (255, 255, 255))
        Image.fromarray(picture).save(images / f"img{index}.png")
        x, y = (" ".join(f"{value:.0f}" for value in BAR[:, axis]) for axis in (0, 1))
        (outlines / f"poly_gt_img{index}.txt").write_text(
            f"x: [[{x}]], y: [[{y}]], ornt: [u'h'], transcriptions: [u'bar']\n"
        )
    return folder


@pytest.mark.parametrize("enlarged", [1, 7])
def test_outlines_move_with_their_pixels(enlarged: int) -> None:
    picture = np.zeros((240 * enlarged, 320 * enlarged, 3), dtype=np.uint8)
    outline = (BAR + 0.5) * enlarged - 0.5
    cv2.fillPoly(picture, [outline.round().astype(np.int32)], (255, 255, 255))
    asked = 0
    for index in range(40):
        seen = view(picture, [annotation("bar", outline)], SIDE, np.random.default_rng(index))
        assert seen.image.shape == (SIDE, SIDE, 3)
        for polygon in seen.texts:
            asked += 1
            inside = cv2.fillPoly(np.zeros((SIDE, SIDE), np.uint8), [polygon.round().astype(np.int32)], 1) > 0
            white = seen.image.mean(axis=2) > 95
            assert (inside & white).sum() > 0.9 * (inside | white).sum()
    assert asked > 20


def test_what_is_too_low_or_marked_is_not_asked_for_and_what_is_outside_is_left_out() -> None:
    picture = np.zeros((240, 320, 3), dtype=np.uint8)
    low = np.array([[60, 100], [240, 100], [240, 103], [60, 103]], dtype=np.float64)
    far = BAR + 5000
    for index in range(20):
        random = np.random.default_rng(index)
        seen = view(picture, [annotation("low", low), annotation("far", far)], SIDE, random)
        assert seen.texts == ()
        assert len(seen.ignored) <= 1
        marked = view(picture, [annotation("bar", BAR, ignore=True)], SIDE, random)
        assert marked.texts == ()
        labels = marked.labels()
        assert not labels.text.any()
        assert labels.ignored.any() == bool(marked.ignored)
    assert LOWEST > 3


def test_every_photograph_comes_once_before_any_comes_again_and_views_repeat(tmp_path: Path) -> None:
    images = read("total_text", photographs(tmp_path, 5), "train")
    views = Views(images, SIDE, seed=3)
    once = [views[index] for index in range(10)]
    for (pixels, labels), (again, labels_again) in zip(
        once, map(Views(images, SIDE, 3).__getitem__, range(10)), strict=True
    ):
        assert torch.equal(pixels, again)
        assert torch.equal(labels, labels_again)
    assert not torch.equal(once[0][0], Views(images, SIDE, seed=4)[0][0])
    seen: list[Path] = []
    whole = type(images).__getitem__
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(images), "__getitem__", lambda self, index: seen.append(index) or whole(self, index))
        for index in range(10):
            views[index]
    assert sorted(seen[:5]) == sorted(seen[5:]) == list(range(5))


def test_a_broken_photograph_is_an_error_or_left_out(tmp_path: Path) -> None:
    folder = photographs(tmp_path, 2)
    (folder / "Images" / "Train" / "img0.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"img0\.png"):
        [Views(read("total_text", folder, "train"), SIDE, 0)[index] for index in range(2)]
    kept = Views(read("total_text", folder, "train", skip_broken=True), SIDE, 0)
    assert all(len(kept[index][0]) == 3 for index in range(4))


def test_train_writes_a_detector_and_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train_verb, "SIDE", 128)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_: tmp_path / "cache")
    folder, out = photographs(tmp_path / "set", 3), tmp_path / "own.safetensors"
    asked = ["train", "--data", "total_text", "--ground-truth", str(folder), "--steps", "3", "--out"]
    found = CliRunner().invoke(app, [*asked, str(out)], catch_exceptions=False)
    assert found.exit_code == 0
    assert record(out)["images"] == 3
    assert not any((tmp_path / "cache").rglob("checkpoint"))
    before, after = load_weights("slim").state_dict(), load_weights(out).state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)

    whole = Views.__getitem__

    def interrupted(self: Views, index: int) -> object:
        if index >= 8:
            raise KeyboardInterrupt
        return whole(self, index)

    monkeypatch.setattr("paribus.train.loop.CHECKPOINT_SECONDS", 0.0)
    with monkeypatch.context() as patch:
        patch.setattr(Views, "__getitem__", interrupted)
        stopped = CliRunner().invoke(app, [*asked, str(tmp_path / "again.safetensors")], catch_exceptions=False)
    assert stopped.exit_code != 0
    assert any((tmp_path / "cache").rglob("checkpoint"))
    CliRunner().invoke(app, [*asked, str(tmp_path / "again.safetensors")], catch_exceptions=False)
    again = load_weights(tmp_path / "again.safetensors").state_dict()
    assert all(torch.equal(value, again[name]) for name, value in after.items())
