"""What a PNG of the verbs says: an experiment only where that is configured like what was done, else what was done."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
from PIL import Image

from paribus.cli import main
from paribus.data.photographs import photograph
from paribus.data.pictures import resized
from paribus.errors import ConfigError, DataError
from paribus.labs.texture.adain import Decoder
from paribus.labs.texture.asked import at_size, configured, descent_of, told_of_style
from paribus.labs.texture.experiments import BASELINE, LOSS_NAMES, StyleTransfer
from paribus.labs.texture.generator import Generator
from paribus.labs.texture.weights_file import record, shipped_path
from paribus.nn.networks.load import load
from paribus.nn.networks.names import Fixed, embedded_path, file_digest
from paribus.spec.context import Context
from paribus.spec.registry import experiment, lab
from paribus.spec.same_examples import same_examples
from paribus.spec.seed import Streams

RANDOM = ("--network", "small_vgg:random", "--steps", 1)


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_: tmp_path / "cache")
    Image.fromarray(resized(photograph("grass"), longest=40)).save(tmp_path / "grass.png")
    Image.fromarray(resized(photograph("cat"), longest=50)).save(tmp_path / "cat.png")
    return tmp_path


def told(path: Path) -> dict[str, str]:
    with Image.open(path) as image:
        texts: dict[str, str] = image.text  # type: ignore[attr-defined]
    return {key.removeprefix("paribus:"): value for key, value in texts.items() if key.startswith("paribus:")}


def texture(*arguments: object) -> int:
    return main(["texture", *(str(argument) for argument in arguments)])


@pytest.mark.parametrize("loss", ["gram", "sliced"])
@pytest.mark.parametrize("changes", [[], ["adam", "scales=2"], ["tile", "float32"]])
@pytest.mark.parametrize(("steps", "side"), [(None, None), (None, 256), (100, 64), (7, 28), (50, 128)])
@pytest.mark.parametrize("network", ["small_vgg", "small_vgg:cifar10_robust", "vgg19:random"])
def test_the_name_resolves_to_what_is_done(
    network: str, loss: str, changes: list[str], steps: int | None, side: int | None
) -> None:
    config, name = configured(network, loss, changes, steps, side)
    assert experiment(name).config == config
    assert config.loss == loss
    assert config.budget.steps == (60 if steps is None else steps)
    assert config.budget.size == (side or 256)
    assert str(config.network).startswith(network.partition(":")[0])


def test_a_square_texture_names_its_experiment(pictures: Path) -> None:
    out, strip = pictures / "out.png", pictures / "strip.png"
    assert texture("synthesize", pictures / "grass.png", *RANDOM, "--size", 32, "--out", out, "--strip", strip) == 0
    assert told(out) == told(strip)
    config = experiment(told(out)["experiment"]).config
    assert config == replace(BASELINE, network=Fixed(weights="random"), budget=config.budget)
    assert (config.budget.steps, config.budget.size) == (1, 32)
    assert told(out)["size"] == "32x32"
    assert told(out)["source"] == "a picture of one's own, 40x40"


@pytest.mark.parametrize("size", ["40x24", "20"])
def test_a_texture_that_no_experiment_makes_tells_its_changes(pictures: Path, size: str) -> None:
    out = pictures / "out.png"
    assert texture("synthesize", pictures / "grass.png", *RANDOM, "--size", size, "--out", out) == 0
    said = told(out)
    assert "experiment" not in said
    assert said["changes"] == "random/steps=1"
    assert said["size"] == (size if "x" in size else f"{size}x{size}")
    assert (said["method"], said["network"], said["loss"]) == ("optimise", "small_vgg (random)", "gram")


@pytest.mark.parametrize(
    ("changes", "content", "layer", "size", "named"),
    [
        ([], 0.05, "relu3_1", (64, 64), "robust/steps=60/size=64/stylize"),
        ([], 0.2, "relu3_1", (256, 256), "robust/steps=60/content=0.2"),
        (
            ["scales=1", "adam"],
            0.05,
            "relu2_1",
            (64, 64),
            "content_layer=relu2_1/robust/scales=1/adam/steps=60/size=64",
        ),
        ([], 0.2, "relu2_1", (64, 64), None),
        ([], 0.05, "relu3_1", (64, 40), None),
        ([], 0.05, "relu3_1", (20, 20), None),
        ([], 0.05, "fc", (64, 64), None),
    ],
)
def test_a_photo_in_a_style_names_the_experiment_that_does_that(
    changes: list[str], content: float, layer: str, size: tuple[int, int], named: str | None
) -> None:
    config, name = configured("small_vgg:cifar10_robust", "gram", changes, None)
    said = told_of_style(config, name, size, content=content, layer=layer)
    assert ("experiment" in said, "changes" in said) == (named is not None, named is None)
    if named is not None:
        method = StyleTransfer(
            content=content, layer=layer, descent=descent_of(config).descent, scales=descent_of(config).scales
        )
        expected = replace(config, method=method, budget=replace(config.budget, size=size[0]))
        assert experiment(said["experiment"]).config == expected == experiment(f"texture/{named}").config


def test_style_transfer_of_a_square_names_its_experiment_and_any_other_its_changes(pictures: Path) -> None:
    out, square = pictures / "out.png", pictures / "square.png"
    cat, grass = pictures / "cat.png", pictures / "grass.png"
    Image.fromarray(photograph("cat")[:32, :32]).save(square)
    for photo in (cat, square):
        assert texture("stylize", photo, "--style", grass, "--steps", 1, "--change", "scales=1", "--out", out) == 0
        said = told(out)
        digest = file_digest(embedded_path(Fixed(weights="cifar10_robust")))
        assert said["network"] == f"small_vgg (cifar10_robust {digest})"
        assert (said["steps"], said["content"], said["layer"]) == ("1", "0.05", "relu3_1")
        if photo == cat:
            assert "experiment" not in said
            assert said["changes"] == "robust/scales=1/steps=1"
        else:
            assert experiment(said["experiment"]) == experiment("texture/robust/steps=1/size=32/stylize/scales=1")


def test_one_pass_over_a_square_names_its_experiment(pictures: Path) -> None:
    out, square = pictures / "out.png", pictures / "square.png"
    Image.fromarray(photograph("cat")[:32, :32]).save(square)
    for method, named in (
        (("adain", "--style", pictures / "grass.png"), "adain"),
        (("adain", "--style", pictures / "grass.png", "--alpha", 0.5), "alpha=0.5"),
        (("fast", "--weights", "flower"), "source=flower/fast_style"),
    ):
        assert texture("stylize", square, "--method", *method, "--out", out) == 0
        assert experiment(told(out)["experiment"]) == experiment(f"texture/{named}/size=32")


def test_what_a_trained_network_made_tells_which_file_it_was(pictures: Path) -> None:
    out, cat, grass = pictures / "out.png", pictures / "cat.png", pictures / "grass.png"
    assert texture("synthesize", "--weights", "gravel", "--size", "32", "--out", out) == 0
    gravel = shipped_path(Generator, "gravel")
    assert told(out) == {
        "method": "texture network",
        "weights": f"gravel ({file_digest(gravel)})",
        "network": "small_vgg (cifar10_robust)",
        "trained": record(gravel)["in_words"],
        "trained_on": record(gravel)["data"],
        "training_steps": "5000",
        "score": "patch_distance -0.0039 ± 0.035, autocorrelation_distance -0.0072, diversity 0.999, "
        "gram_on_random_vgg16 -0.0134 (n = 4, as texture/source=gravel/size=128, of which it has seen both parts)",
        "seed": "0",
        "size": "32x32",
    }
    assert texture("stylize", cat, "--style", grass, "--method", "adain", "--alpha", 0.5, "--out", out) == 0
    said, decoder = told(out), shipped_path(Decoder, "cifar10_robust")
    assert "experiment" not in said
    assert said["weights"] == f"cifar10_robust ({file_digest(decoder)})"
    assert (said["method"], said["alpha"]) == ("adain", "0.5")
    assert "100 photographs of ImageNet" in said["trained_on"]
    mean = record(decoder)["score"]["mean"]["transfer"]
    assert said["score"].startswith(f"transfer {mean:.3g} ± ")
    assert experiment(said["score"].rpartition(", ")[2].rstrip(")"))
    weights = pictures / "secret" / "mine.safetensors"
    train = ("train", grass, "--photographs", pictures, "--out", weights, "--steps", 1)
    assert texture(*train, "--network", "small_vgg:random") == 0
    assert texture("stylize", cat, "--method", "fast", "--weights", weights, "--out", out) == 0
    said = told(out)
    assert "experiment" not in said
    assert said["weights"] == f"mine.safetensors ({file_digest(weights)})"
    assert (said["method"], said["network"]) == ("fast", "small_vgg (random)")
    assert "secret" not in "".join(said.values())


def test_weights_of_a_file_are_named_by_their_content_and_no_folder(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, out = pictures / "secret" / "mine.safetensors", pictures / "out.png"
    weights.parent.mkdir()
    state = load(Fixed(weights="random"), Streams(0)).stages.state_dict()
    safetensors.torch.save_file({name: value.contiguous() for name, value in state.items()}, weights)
    network = f"small_vgg:{weights}"
    asked = ("synthesize", pictures / "grass.png", "--network", network, "--steps", 1, "--size", 32, "--out", out)
    assert texture(*asked) == 0
    said = told(out)
    assert "secret" not in "".join(said.values())
    assert said["network"] == f"small_vgg (mine.safetensors {file_digest(weights)})"
    config, _ = configured(network, "gram", [], 1, 32)
    found = experiment(said["experiment"]).config
    assert f"{weights.parent}/{found.network.weights}" == config.network.weights
    assert replace(found, network=config.network) == config


def test_a_texture_network_says_by_what_it_was_taught(pictures: Path) -> None:
    weights = pictures / "mine.safetensors"
    train = ("train", pictures / "grass.png", "--out", weights, "--steps", 1, "--network", "small_vgg:random")
    assert texture(*train) == 0
    assert "the logarithms of gram and covariance" in record(weights)["in_words"]
    assert texture(*train, "--loss", "sorted") == 0
    assert record(weights)["in_words"].endswith("small_vgg (random), sorted")
    assert "gram and covariance" in record(shipped_path(Generator, "gravel"))["in_words"]


@pytest.mark.parametrize("name", ["out.jpg", "out", "out.png.webp"])
@pytest.mark.parametrize("option", ["--out", "--strip"])
def test_only_a_png_is_written(pictures: Path, capsys: pytest.CaptureFixture[str], name: str, option: str) -> None:
    grass, cat, place = pictures / "grass.png", pictures / "cat.png", pictures / name
    other = () if option == "--out" else ("--out", pictures / "fine.png")
    for asked in (("synthesize", grass), ("stylize", cat, "--style", grass)):
        assert texture(*asked, *RANDOM, *other, option, place) == 2
        said = capsys.readouterr().err
        assert f"{option} {place}: what is written is a .png file" in said
        assert len(said.splitlines()) == 1
    assert not place.exists()


def test_a_size_is_an_option_and_no_change() -> None:
    with pytest.raises(ConfigError, match="size: it means nothing"):
        configured("small_vgg", "gram", ["size=64"], None)


@pytest.mark.parametrize("loss", ["adam", "max_pool", "first=1", "float32", "foo", "gramm"])
def test_a_loss_is_one_of_the_losses(loss: str) -> None:
    with pytest.raises(ConfigError, match=f"^--loss {loss}: ") as raised:
        configured("small_vgg", loss, [], None)
    said = str(raised.value)
    assert "did you mean 'gram'" in said if loss == "gramm" else all(name in said for name in LOSS_NAMES)


def test_a_change_of_the_method_is_refused_by_its_own_name() -> None:
    samples = {"content": "content=0.2", "content_layer": "content_layer=relu2_1", "alpha": "alpha=0.5"}
    names = [change.name for change in lab("texture").changes if change.path == "method"]
    assert set(samples) < set(names)
    for name in names:
        with pytest.raises(ConfigError, match=f"^--change {name}: ") as raised:
            configured("small_vgg", "gram", [samples.get(name, name)], None)
        assert ("--weights" in str(raised.value)) == (name == "feed_forward")


@pytest.mark.parametrize(
    ("shape", "asked", "made"),
    [
        ((120, 3150), None, (16, 420)),
        ((3150, 120), None, (420, 16)),
        ((200, 3000), None, (17, 256)),
        ((100, 200), None, (100, 200)),
        ((200, 3000), 240, (16, 240)),
        ((200, 3000), 128, "128x9 pixels at this size; at least 16 a side are needed, and --size 240 would do"),
        ((15, 200), None, (16, 213)),
        ((1, 1), None, (16, 16)),
        ((9, 7), 256, (21, 16)),
        ((15, 200), 100, "100x8 pixels at this size; at least 16 a side are needed, and --size 214 would do"),
    ],
)
def test_a_picture_is_as_large_as_its_shorter_side_needs(
    shape: tuple[int, int], asked: int | None, made: tuple[int, int] | str, tmp_path: Path
) -> None:
    path = tmp_path / "wide.png"
    Image.fromarray(np.zeros((*shape, 3), np.uint8)).save(path)
    if isinstance(made, str):
        with pytest.raises(DataError, match=f"^{re.escape(f'{path}: {made}')}$"):
            at_size(path, asked, usual=256, option="--size")
    else:
        assert at_size(path, asked, usual=256, option="--size").shape == (*made, 3)


def test_a_report_names_the_network_and_pairs_arms_of_two_networks() -> None:
    base, random, other = (experiment(f"texture/{name}") for name in ("base", "random", "network=vgg19"))
    assert base.lab.network_in_words is not None
    told = [base.lab.network_in_words(one.config) for one in (base, random, other)]
    digest = file_digest(embedded_path(Fixed(weights="cifar10")))
    assert told == [f"small_vgg (cifar10 {digest})", "small_vgg (random)", "vgg19 (imagenet)"]
    assert same_examples(base, random)


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        (("synthesize", "grass.png"), "synthesis.synthesise"),
        (("synthesize", "--weights", "gravel"), "generator.synthesize"),
        (("stylize", "cat.png", "--style", "grass.png"), "stylisation.stylise"),
        (("stylize", "cat.png", "--style", "grass.png", "--method", "adain"), "adain.stylize"),
        (("stylize", "cat.png", "--weights", "flower", "--method", "fast"), "fast_style.stylize"),
    ],
)
def test_a_size_beyond_the_memory_is_one_line(
    pictures: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    asked: tuple[str, ...],
    where: str,
) -> None:
    def greedy(*_: object, **__: object) -> None:
        np.ones((1 << 50,), np.uint8)

    monkeypatch.chdir(pictures)
    monkeypatch.setattr(f"paribus.labs.texture.{where}", greedy)
    size = "50x33" if asked[0] == "stylize" else "40x40"
    assert texture(*asked, "--size", size.partition("x")[0], "--out", "out.png") == 2
    said = capsys.readouterr().err
    assert said == f"error: {size} pixels are too many for this memory; a smaller --size makes them fewer\n"


@pytest.mark.parametrize("verb", ["synthesize", "stylize"])
def test_ctrl_c_says_where_the_same_command_goes_on(
    pictures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    """Two scales of three steps each, interrupted in the second."""
    monkeypatch.setattr("paribus.train.optimise.SHOW_SECONDS", 0.0)
    cat, grass = pictures / "cat.png", pictures / "grass.png"
    asked = (verb, grass, "--size", 36) if verb == "synthesize" else (verb, cat, "--style", grass)
    asked = (*asked, "--network", "small_vgg:random", "--steps", 3)
    straight, resumed = pictures / "straight.png", pictures / "resumed.png"
    assert texture(*asked, "--out", straight) == 0
    progress = Context.progress
    seen: list[int] = []

    def heard(context: Context, done: int, total: int) -> None:
        progress(context, done, total)
        seen.append(done)
        if len(seen) == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr(Context, "progress", heard)
    capsys.readouterr()
    assert texture(*asked, "--out", resumed) == 130
    said = capsys.readouterr().err.splitlines()
    assert said[-1] == "stopped; the same command goes on from step 4"
    assert not resumed.exists()
    assert texture(*asked, "--out", resumed) == 0
    assert resumed.read_bytes() == straight.read_bytes()
    assert not list(pictures.rglob("checkpoint"))


def test_ctrl_c_at_the_beginning_says_that_nothing_was_kept(
    pictures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def at_once(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("paribus.labs.texture.eye.Eye.toward", at_once)
    weights = pictures / "w.safetensors"
    for asked in (("synthesize", pictures / "grass.png", *RANDOM), ("train", pictures / "grass.png", *RANDOM)):
        assert texture(*asked, "--out", weights if asked[0] == "train" else pictures / "o.png") == 130
        assert capsys.readouterr().err == "stopped; nothing was kept yet\n"
