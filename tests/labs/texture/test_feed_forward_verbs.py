"""``paribus texture train``, and what its networks do in ``synthesize`` and ``stylize``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from paribus.cli import main
from paribus.data.photographs import photograph
from paribus.data.pictures import read_picture, resized
from paribus.labs.texture.generator import Generator
from paribus.labs.texture.weights_file import record, shipped


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_: tmp_path / "cache")
    folder = tmp_path / "pictures"
    folder.mkdir()
    Image.fromarray(resized(photograph("grass"), longest=40)).save(folder / "grass.png")
    Image.fromarray(resized(photograph("cat"), longest=50)).save(folder / "cat.png")
    return folder


def texture(*arguments: object) -> int:
    return main(["texture", *(str(argument) for argument in arguments)])


def test_a_texture_network_is_trained_and_then_makes_any_size_at_once(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights, out = tmp_path / "grass.safetensors", tmp_path / "out.png"
    train = ("train", pictures / "grass.png", "--out", weights, "--steps", 2, "--network", "small_vgg:random")
    assert texture(*train) == 0
    assert "texture network of grass.png" in capsys.readouterr().out
    assert texture("synthesize", "--weights", weights, "--size", "40x24", "--out", out, "--seed", 3) == 0
    assert "40x24" in capsys.readouterr().out
    made = read_picture(out)
    assert made.shape == (24, 40, 3)
    assert np.ptp(made.astype(int), axis=2).max() <= 1  # grass is grey
    assert not list((tmp_path / "cache").rglob("checkpoint"))


@pytest.mark.parametrize(("kind", "more"), [("TEXTURE_STEPS", ()), ("STYLE_STEPS", ("--photographs", "."))])
def test_a_network_takes_the_steps_of_its_kind_where_none_are_asked_for(
    kind: str, more: tuple[str, ...], pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from paribus.labs.texture import own_networks

    monkeypatch.chdir(pictures)
    monkeypatch.setattr(own_networks, kind, 3)
    weights = tmp_path / "grass.safetensors"
    assert texture("train", "grass.png", "--out", weights, "--network", "small_vgg:random", *more) == 0
    assert record(weights)["steps"] == 3


def test_a_texture_network_that_ships_is_used_by_its_name_which_help_tells(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.png"
    assert "gravel" in shipped(Generator)
    assert texture("synthesize", "--weights", "gravel", "--size", "40x24", "--out", out) == 0
    assert read_picture(out).shape == (24, 40, 3)
    assert texture("synthesize", "--weights", "sand", "--out", out) == 2
    assert "one of gravel" in " ".join(capsys.readouterr().err.split())
    texture("synthesize", "--help")
    assert "gravel" in capsys.readouterr().out


def test_a_style_network_is_trained_and_then_paints_a_photo_at_once(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights, out = tmp_path / "grass.safetensors", tmp_path / "out.png"
    train = ("train", pictures / "grass.png", "--photographs", pictures, "--out", weights)
    assert texture(*train, "--steps", 1, "--network", "small_vgg:random") == 0
    assert texture("stylize", pictures / "cat.png", "--method", "fast", "--weights", weights, "--out", out) == 0
    assert read_picture(out).shape == read_picture(pictures / "cat.png").shape
    capsys.readouterr()
    assert texture("synthesize", "--weights", weights, "--out", out) == 2
    assert "holds a style network, not a texture network" in capsys.readouterr().err


def test_adain_takes_any_style_and_what_ships(pictures: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    cat, grass = pictures / "cat.png", pictures / "grass.png"
    assert texture("stylize", cat, "--method", "adain", "--style", grass, "--out", out) == 0
    assert read_picture(out).shape == read_picture(cat).shape


def test_what_contradicts_itself_is_refused(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grass, out = pictures / "grass.png", tmp_path / "out.png"
    adain = "stylize", grass, "--method", "adain", "--style", grass
    for said, *arguments in (
        ("give a picture, or --weights", "synthesize"),
        ("give a picture, or --weights", "synthesize", grass, "--weights", "grass"),
        ("takes --weights of a style network", "stylize", grass, "--method", "fast", "--style", grass),
        ("takes --style", "stylize", grass, "--method", "adain"),
        ("a network is trained by paribus texture train", "synthesize", grass, "--change", "feed_forward"),
        ("ends in .safetensors", "train", grass),
        ("it means nothing for a picture", "synthesize", grass, "--change", "photographs"),
        ("--steps means nothing with --weights", "synthesize", "--weights", "grass", "--steps", 3),
        *(
            (f"{option} means nothing with --method adain", *adain, option, value)
            for option, value in (
                ("--strip", tmp_path / "s.png"),
                ("--loss", "sliced"),
                ("--network", "vgg16"),
                ("--content", 1),
                ("--layer", "relu2_1"),
            )
        ),
        ("--alpha means nothing with --method optimise", "stylize", grass, "--style", grass, "--alpha", 0.5),
        ("--loss means nothing with --weights", "synthesize", "--weights", "grass", "--loss", "sliced"),
        ("has no places", "stylize", grass, "--style", pictures / "cat.png", "--layer", "fc", "--steps", 1),
        ("does not tile", "stylize", grass, "--style", pictures / "cat.png", "--change", "tile", "--steps", 1),
        ("are the same file", "synthesize", grass, "--strip", out),
    ):
        assert texture(*arguments, "--out", out) == 2
        assert said in " ".join(capsys.readouterr().err.split())
    assert not out.exists()


def test_no_picture_is_overwritten(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    grass, cat = pictures / "grass.png", pictures / "cat.png"
    before = grass.read_bytes()
    for arguments in (("synthesize", grass), ("stylize", grass, "--style", cat), ("stylize", cat, "--style", grass)):
        assert texture(*arguments, "--out", pictures / ".." / pictures.name / "grass.png") == 2
        assert "would overwrite the picture" in " ".join(capsys.readouterr().err.split())
    assert grass.read_bytes() == before
