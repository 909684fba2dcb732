"""Training of textures and styles in one pass: two steps, to the bit, through files, and by the recipes."""

from __future__ import annotations

import hashlib
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image

from paribus.data.photographs import photograph
from paribus.data.pictures import Picture, resized
from paribus.errors import ConfigError, DataError
from paribus.labs.texture import adain, fast_style
from paribus.labs.texture.adain import Decoder
from paribus.labs.texture.content_loss import content_loss
from paribus.labs.texture.crops import Crops, photographs_in
from paribus.labs.texture.experiments import STYLED, Look
from paribus.labs.texture.eye import Eye
from paribus.labs.texture.fast_style import StyleNetwork
from paribus.labs.texture.generator import Generator, synthesize
from paribus.labs.texture.log_eye import LogEye, teaching
from paribus.labs.texture.losses import LOSSES
from paribus.labs.texture.measure import patch_distance
from paribus.labs.texture.pixels import to_tensor
from paribus.labs.texture.style_loss import StyleLoss, measured
from paribus.labs.texture.train_adain import train_adain
from paribus.labs.texture.train_fast_style import train_fast_style
from paribus.labs.texture.train_generator import diversity, train_texture_network
from paribus.labs.texture.weights_file import load_weights, record, save_weights, shipped, shipped_path
from paribus.nn.networks.layered import Layered
from paribus.nn.networks.load import load
from paribus.nn.networks.names import Fixed
from paribus.spec.context import Context, Report, Scalars
from paribus.spec.seed import Streams
from paribus.train.arithmetic import reproducible

RECIPES = Path(__file__).parents[3] / "recipes"
LAYERS = ("relu1_1", "relu2_1")


@pytest.fixture(scope="module")
def network() -> Layered:
    return load(Fixed(weights="random"), Streams(0))


@pytest.fixture(scope="module")
def grass() -> Picture:
    return resized(photograph("grass"), longest=64)


def small(texture: Picture, network: Layered, context: Context, steps: int = 2, loss: str = "gram") -> Generator:
    with reproducible("cpu"):
        eye = Eye(network, Look(layers=LAYERS), LOSSES[loss], precision="bfloat16")
        return train_texture_network(
            to_tensor(texture), eye, context=context, steps=steps, batch=2, side=16, width=2, levels=2
        )


@pytest.mark.parametrize("loss", ["gram", "sliced"])
def test_a_texture_network_repeats_to_the_bit(loss: str, grass: Picture, network: Layered) -> None:
    first, second = (small(grass, network, Context(seed=0), loss=loss) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    other = small(grass, network, Context(seed=1), loss=loss)
    assert not torch.equal(first.last.weight, other.last.weight)


def test_a_texture_network_comes_nearer_its_texture(grass: Picture, network: Layered) -> None:
    curve: list[float] = []

    def emit(report: Report) -> None:
        if isinstance(report, Scalars):
            curve.append(report.values["train_loss"])

    small(grass, network, Context(seed=0, emit=emit), steps=60)
    assert curve[-1] < 0.2 * curve[0]


def test_a_style_loss_is_nothing_at_its_target_and_one_at_zero(grass: Picture, network: Layered) -> None:
    image = torch.from_numpy(np.array(grass)).permute(2, 0, 1)[None].float() / 255
    random = np.random.default_rng(0)
    features = measured(network, image, LAYERS, "float32")
    loss = StyleLoss.toward(features, LOSSES["gram"], random)
    assert float(loss(features, random)) == pytest.approx(0, abs=1e-10)
    nothing = {layer: torch.zeros_like(found) for layer, found in features.items()}
    assert float(loss(nothing, random)) == pytest.approx(1)


def test_a_network_is_taught_by_the_logs_of_gram_and_covariance(grass: Picture, network: Layered) -> None:
    one = Eye(network, Look(layers=LAYERS), LOSSES["gram"])
    both, source, random = teaching(one), to_tensor(grass), np.random.default_rng(0)
    assert isinstance(both, LogEye)
    features = one.features(source.flip(3) * 0.9)
    parts = [
        Eye(network, Look(layers=LAYERS), LOSSES[loss]).toward(source, Streams(0))(features, random)
        for loss in ("gram", "covariance")
    ]
    wanted = (parts[0].log() + parts[1].log()) / 2
    torch.testing.assert_close(both.toward(source, Streams(0))(features, random), wanted)
    assert teaching(other := Eye(network, Look(layers=LAYERS), LOSSES["sliced"])) is other


def test_a_network_taught_by_logs_comes_nearer_in_gram_and_in_covariance(grass: Picture, network: Layered) -> None:
    source, look = to_tensor(grass), Look(layers=LAYERS)

    def lost(steps: int) -> list[float]:
        with reproducible("cpu"):
            generator = train_texture_network(
                source,
                teaching(Eye(network, look, LOSSES["gram"])),
                context=Context(seed=0),
                steps=steps,
                batch=1,
                side=16,
                width=2,
                levels=2,
            )
        image, random = to_tensor(synthesize(generator, size=(64, 64))), np.random.default_rng(0)
        eyes = [Eye(network, look, LOSSES[loss]) for loss in ("gram", "covariance")]
        return [float(eye.toward(source, Streams(0))(eye.features(image), random)) for eye in eyes]

    assert all(late < 0.5 * early for early, late in zip(lost(1), lost(60), strict=True))


def test_the_gravel_that_ships_is_near_gravel() -> None:
    source = to_tensor(resized(photograph("gravel"), longest=256))
    made = to_tensor(synthesize(load_weights(Generator, "gravel"), size=(256, 256), seed=7))
    noise = torch.randn(source.shape, generator=torch.Generator().manual_seed(0))
    grey = source.mean() + source.std() * noise.mean(dim=1, keepdim=True) * 3**0.5
    near, far = (float(patch_distance(image.expand(1, 3, -1, -1), source)) for image in (made, grey.clamp(0, 1)))
    assert near < 0.1 * far


def test_diversity_falls_as_the_nearest_neighbours_part() -> None:
    images = torch.rand(3, 3, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    rows = images.flatten(1).numpy()
    nearest = [
        min(np.sqrt(np.square(one - other).mean()) for place, other in enumerate(rows) if place != own)
        for own, one in enumerate(rows)
    ]
    assert float(diversity(images)) == pytest.approx(-np.log(nearest).mean())
    assert float(diversity(images * 2)) < float(diversity(images))


def test_diversity_takes_two_textures(grass: Picture, network: Layered) -> None:
    eye = Eye(network, Look(layers=LAYERS), LOSSES["gram"])
    with pytest.raises(ConfigError, match="at least 2 is expected"):
        train_texture_network(to_tensor(grass), eye, context=Context(seed=0), batch=1, diversity_weight=1.0)


def test_content_is_what_its_formula_says() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(size=(2, 2, 3, 4, 5))
    wanted = [np.square(a - b).sum() / np.square(b).sum() for a, b in zip(one, other, strict=True)]
    np.testing.assert_allclose(content_loss(torch.from_numpy(one), torch.from_numpy(other)), wanted)
    wanted = [np.square(a - other[0]).sum() / np.square(other[0]).sum() for a in one]  # one photograph for all
    np.testing.assert_allclose(content_loss(torch.from_numpy(one), torch.from_numpy(other[:1])), wanted)


def test_style_networks_repeat_to_the_bit(grass: Picture, network: Layered) -> None:
    photo = resized(photograph("cat"), longest=48)

    def trained() -> tuple[torch.nn.Module, torch.nn.Module]:
        with reproducible("cpu"):
            fast = train_fast_style(
                grass,
                [photo],
                network,
                context=Context(seed=0),
                steps=2,
                batch=1,
                side=16,
                shorter=24,
                width=2,
                blocks=1,
            )
            decoder = train_adain(
                [photo], [grass], network, context=Context(seed=0), group=2, steps=2, batch=2, side=16, shorter=24
            )
        return fast, decoder

    for first, second in zip(trained(), trained(), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_crops_have_their_side_and_come_from_all_photographs() -> None:
    flat = [np.full((40, 60, 3), value, dtype=np.uint8) for value in (0, 100, 200)]
    crops = Crops.of(flat, side=16, shorter=20)
    assert {picture.shape for picture in crops.pictures} == {(20, 30, 3)}
    found = crops.draw(Streams(0), "crops", 64)
    assert found.shape == (64, 3, 16, 16)
    assert {round(float(image.mean()) * 255) for image in found} == {0, 100, 200}
    assert torch.equal(found, crops.draw(Streams(0), "crops", 64))
    with pytest.raises(DataError, match="crops of 32 pixels"):
        Crops.of(flat, side=32, shorter=20)
    with pytest.raises(DataError, match="at least one"):
        Crops.of([], side=16, shorter=20)


def test_a_folder_without_photographs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no photographs in this folder"):
        photographs_in(tmp_path)


def test_weights_come_back_from_their_file_in_half_precision(tmp_path: Path) -> None:
    for model in (Generator(width=3, levels=2), StyleNetwork(width=2, blocks=1), Decoder(group=2)):
        path = tmp_path / "weights.safetensors"
        save_weights(path, model, {"in_words": "a test"})
        found = load_weights(type(model), path)
        assert record(path)["in_words"] == "a test"
        for name, tensor in found.state_dict().items():
            torch.testing.assert_close(tensor, model.state_dict()[name].half().float(), rtol=0, atol=0)


def test_wrong_files_of_weights_are_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    with pytest.raises(DataError, match="no such file of weights"):
        load_weights(Generator, path)
    save_weights(path, Decoder(group=2), {})
    with pytest.raises(DataError, match="holds an AdaIN decoder, not a texture network"):
        load_weights(Generator, path)
    path.write_bytes(b"not weights")
    with pytest.raises(DataError, match="not a file of weights that can be read"):
        load_weights(Generator, path)
    safetensors.torch.save_file({"a": torch.zeros(1)}, path)
    with pytest.raises(DataError, match="another program"):
        load_weights(Generator, path)
    with pytest.raises(DataError, match="'nothing' names no texture network"):
        load_weights(Generator, "nothing")
    with pytest.raises(DataError, match=r"ends in \.safetensors"):
        save_weights(tmp_path / "weights.pt", Generator(), {})


@pytest.mark.parametrize("kind", [Generator, StyleNetwork, Decoder])
def test_what_ships_loads_is_small_and_says_where_it_is_from(kind: type, network: Layered) -> None:
    photo = resized(photograph("cat"), longest=40)
    for name in shipped(kind):
        path = shipped_path(kind, name)
        assert path.stat().st_size <= 4e6
        known = record(path)
        assert all(known[key] for key in ("in_words", "data", "command", "network", "machine", "date", "torch"))
        assert known["score"]["n"] >= 3
        if kind is not Generator:
            assert len(known["photographs"]["names"]) == int(re.findall(r"(\d+) photographs", known["data"])[0])
            assert not set(STYLED) & {Path(name).stem for name in known["photographs"]["names"]}
        model = load_weights(kind, name)
        if isinstance(model, Generator):
            assert synthesize(model, size=(20, 30)).shape == (20, 30, 3)
        elif isinstance(model, StyleNetwork):
            assert fast_style.stylize(model, photo).shape == photo.shape
        else:
            assert adain.stylize(model, network, photo, photo).shape == photo.shape


@pytest.mark.parametrize("recipe", ["texture_network", "fast_style", "adain"])
def test_recipes_run_two_steps(recipe: str, tmp_path: Path, grass: Picture) -> None:
    """Those of what ships as their records say that they were typed, where folders of these names lie."""
    shown = {"texture_network": ["pictures/grass.png"]}
    for name, kind in (("fast_style", StyleNetwork), ("adain", Decoder)):
        words = shlex.split(record(shipped_path(kind, shipped(kind)[0]))["command"])
        assert words[:2] == ["python", f"recipes/{name}.py"]
        shown[name] = words[2:]
    for folder in ("pictures", "imagenet_samples", "dtd"):
        (tmp_path / folder).mkdir()
        Image.fromarray(resized(photograph("cat"), longest=64)).save(tmp_path / folder / "cat.png")
        Image.fromarray(grass).save(tmp_path / folder / "grass.png")
    out, more = tmp_path / "weights.safetensors", ["--weights", "random", "--steps", "2"]
    done = subprocess.run(
        [sys.executable, str(RECIPES / f"{recipe}.py"), *shown[recipe], *more, "--out", str(out), "--scratch", "tmp"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    known = record(out)
    assert known["steps"] == 2
    assert known["network"] == "small_vgg (random)"
    typed = ["python", f"recipes/{recipe}.py", *(Path(word).name for word in shown[recipe]), *more]
    assert shlex.split(known["command"]) == typed
    if recipe != "texture_network":
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted((tmp_path / "dtd").iterdir())))
        assert known["photographs"] == {"names": ["cat.png", "grass.png"], "digest": digest.hexdigest()[:16]}
