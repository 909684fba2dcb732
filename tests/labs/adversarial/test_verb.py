"""The verb that attacks a picture of one's own."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
from elsewhere import elsewhere, without_autocast
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from paribus.cli import main
from paribus.data.photographs import photograph
from paribus.labs.adversarial.attacks.search import Search


def test_the_verb_attacks_a_picture_of_any_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(photograph("cat")).convert("L").save(tmp_path / "cat.jpg")
    out = tmp_path / "out" / "panel.png"
    assert main(["adversarial", "attack", str(tmp_path / "cat.jpg"), "--out", str(out), "--steps", "20"]) == 0
    text = capsys.readouterr().out
    assert "before" in text
    assert "after" in text
    with Image.open(out) as picture:
        assert picture.info["paribus:experiment"].startswith("adversarial/cifar10/small_vgg/by_pgd")
        assert "times" in picture.info["paribus:amplified"]
        assert picture.size[0] > 3 * 160


def test_the_verb_computes_where_it_is_told_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paribus.cli.conducting.check_device", lambda device: None)
    asked: list[str] = []
    monkeypatch.setattr(Search, "offer", _seen(Search.offer, asked))
    picture, out = tmp_path / "cat.png", tmp_path / "out.png"
    Image.fromarray(photograph("cat")[:64, :64]).save(picture)
    pixels = []
    with without_autocast(), elsewhere() as there:
        for device in ("cpu", there):
            arguments = ["--steps", "2", "--eps", "0.1", "--device", device, "--out", str(out)]
            assert main(["adversarial", "attack", str(picture), "--target", "dog", *arguments]) == 0
            with Image.open(out) as written:
                pixels.append(np.asarray(written))
    assert set(asked) == {"cpu", there}
    assert np.array_equal(pixels[0], pixels[1])


def _seen(offer: Callable[..., Tensor], asked: list[str]) -> Callable[..., Tensor]:
    def heard(search: Search, points: Tensor, *rest: Tensor, exact: bool = False) -> Tensor:
        asked.append(points.device.type)
        return offer(search, points, *rest, exact=exact)

    return heard


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.png"], "no such file"),
        (["--target", "dgo"], "did you mean 'dog'"),
        (["--attack", "carlini_wagner"], "measures in l2"),
        (["--network", "small_vg"], "did you mean 'small_vgg'"),
        (["--eps", "0"], "above 0"),
        (["--device", "cuda:99"], "--device cpu works everywhere"),
        (["--device", "gpu"], "write cpu, cuda, cuda:N or mps"),
    ],
)
def test_the_verb_says_in_one_line_what_is_wrong(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.fromarray(np.zeros((40, 30, 3), np.uint8)).save(tmp_path / "black.png")
    first = [] if arguments[0].endswith(".png") else [str(tmp_path / "black.png")]
    assert main(["adversarial", "attack", *first, *arguments, "--out", str(tmp_path / "out.png")]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out.png").exists()


def test_a_failed_download_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        print("\r 12%", end="", file=sys.stderr)  # what torch says of its progress is shown
        raise URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", unreachable)
    Image.fromarray(np.zeros((40, 30, 3), np.uint8)).save(tmp_path / "black.png")
    out = str(tmp_path / "out.png")
    assert main(["adversarial", "attack", str(tmp_path / "black.png"), "--network", "resnet18", "--out", out]) == 1
    said, error = capsys.readouterr()
    assert said == ""
    assert error.startswith("\r 12%error: the ImageNet weights of resnet18 could not be downloaded")
    assert error.count("\n") == 1


def _slope() -> NDArray[np.uint8]:
    rows, columns = np.mgrid[0:32, 0:32]
    return np.stack([8 * columns, 8 * rows, 4 * (rows + columns)], axis=2).astype(np.uint8)


def _grain() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(110, 146, (32, 32, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("pixels", "by", "norm", "eps"),
    [
        (_slope(), "pgd", "l2", 0.3),
        (_slope(), "pgd", "l1", 5.0),
        (_slope(), "pgd", "linf", 0.011),
        (_grain(), "fgsm", "l1", 12.15685),  # 31 numbers may move by hardly less than 100 of 255
    ],
)
def test_the_picture_that_is_written_keeps_the_bound(
    pixels: NDArray[np.uint8], by: str, norm: str, eps: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, out = tmp_path / "picture.png", tmp_path / "out.png"
    Image.fromarray(pixels).save(picture)
    arguments = ["--norm", norm, "--eps", str(eps), "--attack", by, "--out", str(out)]
    code = main(["adversarial", "attack", str(picture), *arguments])
    said = capsys.readouterr().out
    assert code in (0, 1)
    if code == 0:
        with Image.open(out) as panel:  # of three squares with sides of 160 and gaps of 8
            before, after = (np.asarray(panel)[:160:5, left : left + 160 : 5].astype(int) for left in (0, 336))
        assert np.array_equal(before, pixels)
        size = {"linf": np.abs(after - before).max(), "l2": np.linalg.norm(after - before),
                "l1": np.abs(after - before).sum()}[norm] / 255  # fmt: skip
        assert 0 < size <= eps
        (line,) = (line for line in said.splitlines() if line.startswith("perturbation"))
        assert f"{ {'linf': 'largest'}.get(norm, norm) } {size:.4g}" in line


def test_a_bound_that_no_pixel_can_keep_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(tmp_path / "black.png")
    out = str(tmp_path / "out.png")
    assert main(["adversarial", "attack", str(tmp_path / "black.png"), "--eps", "0.003", "--out", out]) == 2
    assert "at least 1/255" in capsys.readouterr().err


def test_the_picture_is_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    picture = tmp_path / "black.png"
    Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(picture)
    before = picture.read_bytes()
    assert main(["adversarial", "attack", str(picture), "--out", str(tmp_path / "." / "black.png")]) == 2
    assert "would overwrite the picture" in " ".join(capsys.readouterr().err.split())
    assert picture.read_bytes() == before
