"""``paribus inversion invert``: any picture in, a PNG out that knows its experiment; errors in one line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
from PIL import Image

from paribus.cli import main
from paribus.errors import ChangeError, ConfigError
from paribus.labs.inversion.experiments import Config, Decoder
from paribus.labs.inversion.verbs import configured
from paribus.nn.networks.load import load
from paribus.nn.networks.names import Fixed, file_digest
from paribus.spec.context import Context, Diverged
from paribus.spec.registry import experiment
from paribus.spec.seed import Streams
from paribus.train import optimise

SETTINGS = ["--layer", "relu1_1", "--weights", "random", "--steps", "4", "--size", "40"]


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_: tmp_path / "cache")


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    rows, columns = np.mgrid[0:30, 0:60]
    pixels = np.stack([4 * columns, 8 * rows, np.full_like(rows, 99)], axis=2).astype(np.uint8)
    Image.fromarray(pixels).convert("RGBA").save(tmp_path / "slope.png")
    return tmp_path / "slope.png"


def call(*arguments: str) -> int:
    return main(list(arguments))


def test_a_picture_comes_back_with_its_experiment(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, strip = tmp_path / "new" / "out.png", tmp_path / "strip.png"
    assert call("inversion", "invert", str(picture), *SETTINGS, "--out", str(out), "--strip", str(strip)) == 0
    said = capsys.readouterr()
    assert said.out.startswith(f"{out}: 40x20, inversion/features=small_vgg:random:relu1_1/steps=4/float32, ")
    with Image.open(out) as image, Image.open(strip) as course:
        assert image.size == (40, 20)
        assert image.mode == "RGB"
        name = image.text["paribus:experiment"]  # type: ignore[attr-defined]
        assert image.text["paribus:network"] == "small_vgg (random)"  # type: ignore[attr-defined]
        assert course.height == 20
        assert course.width > 5 * 40
        last = np.asarray(course.convert("RGB"))[:, -40:]
        assert np.array_equal(last, np.asarray(image))
    config = experiment(name).config
    assert (config.steps, config.features.layers, config.features.network.weights) == (4, ("relu1_1",), "random")
    assert not list((tmp_path / "cache").rglob("checkpoint"))


def test_several_starts_stand_side_by_side(picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, alone = tmp_path / "three.png", tmp_path / "one.png"
    assert call("inversion", "invert", str(picture), *SETTINGS, "--out", str(alone)) == 0
    capsys.readouterr()
    assert call("inversion", "invert", str(picture), *SETTINGS, "--starts", "3", "--out", str(out)) == 0
    name = "inversion/features=small_vgg:random:relu1_1/steps=4/starts=3/float32"
    said = capsys.readouterr().out
    assert said.startswith(f"{out}: 3 of 40x20, {name}, ")
    assert said.rstrip().endswith("dB from each other")
    with Image.open(out) as image, Image.open(alone) as first:
        assert image.size == (120, 20)
        assert image.text["paribus:experiment"] == name  # type: ignore[attr-defined]
        assert float(image.text["paribus:agreement"]) > 0  # type: ignore[attr-defined]
        pixels = np.asarray(image).astype(int)
        assert abs(pixels[:, :40] - np.asarray(first)).max() <= 2
        assert abs(pixels[:, :40] - pixels[:, 40:80]).max() > 10
    assert call("inversion", "invert", str(picture), "--change", "decoder", "--starts", "2", "--out", str(out)) == 2
    assert "a decoder starts from no noise" in capsys.readouterr().err


def test_interrupted_it_goes_on_and_ends_with_the_same_bits(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(optimise, "SHOW_SECONDS", 0.0)
    straight, resumed = tmp_path / "straight.png", tmp_path / "resumed.png"
    assert call("inversion", "invert", str(picture), *SETTINGS, "--out", str(straight)) == 0
    seen: list[int] = []
    progress = Context.progress

    def heard(context: Context, done: int, total: int) -> None:
        seen.append(done)
        if seen == [1, 2, 3]:
            raise KeyboardInterrupt
        progress(context, done, total)

    monkeypatch.setattr(Context, "progress", heard)
    assert call("inversion", "invert", str(picture), *SETTINGS, "--out", str(resumed)) == 130
    assert capsys.readouterr().err.splitlines()[-1] == "stopped; the same command goes on from step 3"
    assert not resumed.exists()
    assert list((tmp_path / "cache").rglob("checkpoint"))
    assert call("inversion", "invert", str(picture), *SETTINGS, "--out", str(resumed)) == 0
    assert seen == [1, 2, 3, 3, 4]  # step 3 is told once more on Ctrl-C, and not done again
    assert resumed.read_bytes() == straight.read_bytes()
    assert not list((tmp_path / "cache").rglob("checkpoint"))


@pytest.mark.parametrize(
    "change", ["layer=conv1_1", "weights=random", "features=small_vgg:random:relu2_1", "variation=1", "lbfgs"]
)
def test_a_change_is_done_and_not_only_named(change: str) -> None:
    config, name = configured(None, None, None, None, [change])
    assert name == f"inversion/{change}" + "/float32" * ("random" in change)
    assert experiment(name).config == config
    assert config != experiment("inversion/base").config


def test_what_would_be_named_and_not_done_is_refused() -> None:
    with pytest.raises(ConfigError, match="means nothing"):
        configured(None, None, None, None, ["side=32"])
    with pytest.raises(ConfigError, match="give one of them"):
        configured(None, "random", None, None, ["layer=conv1_1"])
    with pytest.raises(ConfigError, match="decoder"):
        configured(None, None, None, 50, ["decoder"])


def test_random_weights_are_not_computed_in_bfloat16_unless_another_precision_is_asked_for() -> None:
    for changes, precision in (([], "float32"), (["float16"], "float16"), (["float32"], "float32")):
        assert configured(None, "random", None, None, changes)[0].precision == precision


@pytest.mark.parametrize("change", ["deep_prior", "decoder"])
def test_every_method_takes_a_picture(change: str) -> None:
    config, name = configured(None, "random", "relu1_1", None, [change])
    assert name == f"inversion/features=small_vgg:random:relu1_1/{change}/float32"
    assert experiment(name).config == config


def test_the_options_are_changes_of_the_lab() -> None:
    assert configured(None, None, "relu3_2", None, [])[1] == "inversion/base"
    assert configured(None, None, None, None, ["weights=random", "float32"])[1] == "inversion/weights=random/float32"
    assert configured("resnet18", "random", None, None, [])[1] == "inversion/features=resnet18:random:layer2_1/float32"
    assert configured("small_resnet", None, None, None, [])[1] == "inversion/features=small_resnet:cifar10:layer3_1"
    assert configured(None, None, "relu1_1+fc", 50, ["lbfgs"])[1] == "inversion/layer=relu1_1+fc/lbfgs/steps=50"
    assert configured("vgg16", None, "fc8", None, [])[1] == "inversion/features=vgg16:imagenet:fc8"
    own = configured("resnet18", "/some/where/mine.pth", "layer1_2", None, [])
    assert own[0].features.network.weights == "/some/where/mine.pth"
    assert own[1] == "inversion/features=resnet18:mine.pth:layer1_2"
    with pytest.raises(ChangeError):
        configured(None, None, "relu3_2", None, ["lbfgs", "decoder"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.png"], ["nowhere.png", "no such file"]),
        (["{picture}", "--layer", "relu9_9"], ["relu9_9"]),
        (["{picture}", "--layer", "???"], ["conv1_1"]),
        (["{picture}", "--network", "vgg61"], ["vgg61", "did you mean"]),
        (["{picture}", "--weights", "imagenet"], ["small_vgg", "imagenet"]),
        (["{picture}", "--change", "jiter=2"], ["jiter", "jitter"]),
        (["{picture}", "--size", "16"], ["16x8", "16 a side", "--size 32 would do"]),
    ],
)
def test_what_is_wrong_is_one_line(
    picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: list[str]
) -> None:
    filled = [argument.format(picture=picture) for argument in arguments]
    assert call("inversion", "invert", *filled, "--steps", "2", "--out", str(tmp_path / "out.png")) == 2
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    for word in words:
        assert word in said
    assert not (tmp_path / "out.png").exists()


def test_home_is_no_way_to_overwrite_the_picture(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    before = picture.read_bytes()
    assert call("inversion", "invert", str(picture), *SETTINGS, "--out", "~/slope.png") == 2
    assert "overwrite" in capsys.readouterr().err
    assert picture.read_bytes() == before


@pytest.mark.parametrize(("change", "advised"), [([], True), (["--change", "lbfgs"], False)])
def test_a_divergence_exits_with_one_and_advises_what_applies(
    picture: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    change: list[str],
    advised: bool,
) -> None:
    def diverges(*_: object) -> None:
        raise Diverged("the loss became nan")

    monkeypatch.setattr("paribus.labs.inversion.picture.invert_picture", diverges)
    assert call("inversion", "invert", str(picture), *SETTINGS, *change, "--out", str(tmp_path / "o.png")) == 1
    assert ("constant_rate" in capsys.readouterr().err) == advised


def test_options_that_contradict_each_other_or_are_empty_are_refused() -> None:
    with pytest.raises(ConfigError, match="both name weights"):
        configured("small_vgg:random", "cifar10", None, None, [])
    with pytest.raises(ConfigError, match="--layer is empty"):
        configured(None, None, "", None, [])


def test_a_png_tells_the_name_of_a_file_and_no_folder(picture: Path, tmp_path: Path) -> None:
    weights = tmp_path / "secret" / "mine.safetensors"
    weights.parent.mkdir()
    state = load(Fixed(weights="random"), Streams(0)).stages.state_dict()
    safetensors.torch.save_file({name: value.contiguous() for name, value in state.items()}, weights)
    out, strip = tmp_path / "out.png", tmp_path / "strip.png"
    options = [
        "--layer",
        "relu1_1",
        "--weights",
        str(weights),
        "--steps",
        "2",
        "--out",
        str(out),
        "--strip",
        str(strip),
    ]
    assert call("inversion", "invert", str(picture), *options) == 0
    for written in (out, strip):
        with Image.open(written) as image:
            texts: dict[str, str] = image.text  # type: ignore[attr-defined]
        digest = file_digest(weights)
        assert texts["paribus:network"] == f"small_vgg (mine.safetensors {digest})"
        config, _ = configured(None, str(weights), "relu1_1", 2, [])
        named = experiment(texts["paribus:experiment"]).config
        assert named.features.network.weights == f"mine.safetensors#{digest}"
        assert replace(named, features=config.features) == config
        for text in texts.values():
            assert str(tmp_path) not in text
            assert "secret" not in text
        assert str(tmp_path).encode() not in written.read_bytes()


@pytest.mark.parametrize(("size", "side"), [("16", 16), ("20", 20), ("128", 30)])
def test_a_decoder_takes_small_pictures(
    size: str, side: int, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """The picture has 60x30 pixels; the middle square is cut out first, so that 16 pixels are enough."""
    configured_as, brief_decoder = configured, Decoder(steps=2, batch_size=1, width=2)

    def brief(*options: Any) -> tuple[Config, str]:
        config, name = configured_as(*options)
        return replace(config, method=brief_decoder), name

    monkeypatch.setattr("paribus.labs.inversion.verbs.configured", brief)
    out = tmp_path / "out.png"
    options = ["--layer", "relu1_1", "--weights", "random", "--change", "decoder", "--size", size, "--out", str(out)]
    assert call("inversion", "invert", str(picture), *options) == 0
    assert "the middle square" in capsys.readouterr().out
    with Image.open(out) as image:
        assert image.size == (side, side)
        name = image.text["paribus:experiment"]  # type: ignore[attr-defined]
    assert experiment(name).config.side == side
    assert experiment(name).config.method == Decoder()


@pytest.mark.parametrize(
    ("width", "height", "made"),
    [
        (1000, 100, (160, 16)),
        (100, 1000, (16, 160)),
        (400, 300, (128, 96)),
        (1000, 16, (1000, 16)),
        (997, 99, (162, 16)),
    ],
)
def test_a_long_picture_keeps_as_many_pixels_as_are_needed(
    tmp_path: Path, width: int, height: int, made: tuple[int, int]
) -> None:
    Image.fromarray(np.full((height, width, 3), 90, np.uint8)).save(tmp_path / "pan.png")
    out = tmp_path / "out.png"
    options = ["--layer", "relu1_1", "--weights", "random", "--steps", "1", "--out", str(out)]
    assert call("inversion", "invert", str(tmp_path / "pan.png"), *options) == 0
    with Image.open(out) as image:
        assert image.size == made


def test_a_size_too_small_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "pan.png"
    Image.fromarray(np.full((99, 997, 3), 90, np.uint8)).save(path)
    assert call("inversion", "invert", str(path), "--size", "128", "--out", str(tmp_path / "out.png")) == 2
    said = "128x13 pixels at this size; at least 16 a side are needed, and --size 162 would do"
    assert capsys.readouterr().err == f"error: {path}: {said}\n"


@pytest.mark.parametrize(("size", "made"), [((1, 1), "16x16"), ((30, 15), "32x16"), ((7, 9), "16x21")])
def test_a_picture_of_few_pixels_is_enlarged_and_that_is_said(
    size: tuple[int, int], made: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "small.png", tmp_path / "out.png"
    Image.fromarray(np.full((size[1], size[0], 3), 90, np.uint8)).save(path)
    options = ["--layer", "relu1_1", "--weights", "random", "--steps", "1", "--out", str(out)]
    assert call("inversion", "invert", str(path), *options) == 0
    with Image.open(out) as image:
        assert "{}x{}".format(*image.size) == made
    said = f"note: {path}: {size[0]}x{size[1]} pixels, enlarged to {made}; at least 16 a side are needed"
    assert said in capsys.readouterr().err.splitlines()


def test_only_a_png_is_written(picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out.jpg"
    for options in (["--out", str(out)], ["--out", str(tmp_path / "out.png"), "--strip", str(out)]):
        assert call("inversion", "invert", str(picture), *SETTINGS, *options) == 2
        said = capsys.readouterr().err
        assert f"{options[-2]} {out}: what is written is a .png file" in said
        assert len(said.splitlines()) == 1
    assert not out.exists()


def test_a_size_beyond_the_memory_is_one_line(
    picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def greedy(*_: object) -> None:
        np.ones((1 << 50,), np.uint8)

    monkeypatch.setattr("paribus.labs.inversion.picture.invert_picture", greedy)
    assert call("inversion", "invert", str(picture), *SETTINGS, "--out", str(tmp_path / "out.png")) == 2
    said = capsys.readouterr().err
    assert said == "error: 40x20 pixels are too many for this memory; a smaller --size makes them fewer\n"
