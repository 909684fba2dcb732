"""Fixed networks: their layers are torchvision's own, random ones follow the seed, and bad weights get one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import safetensors.torch
import torch
import torchvision
from PIL import Image
from torch import Tensor

from paribus.errors import ConfigError, DataError, ParibusError, RunError
from paribus.nn.initial import untouched_rng
from paribus.nn.networks.embed import folded, record, save_embedded
from paribus.nn.networks.layered import AveragePool, Layered, ResidualBlock
from paribus.nn.networks.load import CIFAR10, load, small
from paribus.nn.networks.names import EMBEDDED, NETWORKS, Fixed, embedded, embedded_path, fixed
from paribus.spec.seed import Streams

IMAGES = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def _torchvision(name: str, tmp_path: Path) -> tuple[torch.nn.Module, Path]:
    """torchvision's network with weights of its own, and a file of these."""
    with untouched_rng():
        torch.manual_seed(1)
        raw = torchvision.models.get_model(name, weights=None).eval()
    path = tmp_path / f"{name}.safetensors"
    safetensors.torch.save_file({key: tensor.clone() for key, tensor in raw.state_dict().items()}, path)
    return raw, path


def _normalised(images: Tensor) -> Tensor:
    return torchvision.transforms.functional.normalize(images, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "vgg16_bn"])
def test_a_file_of_torchvisions_weights_gives_torchvisions_outputs(name: str, tmp_path: Path) -> None:
    raw, path = _torchvision(name, tmp_path)
    network = load(Fixed(name=name, weights=str(path)), Streams(0))
    with torch.inference_mode():
        torch.testing.assert_close(network.logits(IMAGES), raw(_normalised(IMAGES)), rtol=1e-3, atol=1e-4)
    assert len(network.classes) == 1000
    assert str(path) in network.in_words


@pytest.mark.parametrize(("name", "layer", "index"), [("vgg16", "relu3_3", 16), ("vgg19", "relu4_1", 21)])
def test_vgg_layers_are_counted_as_in_the_paper(name: str, layer: str, index: int) -> None:
    network = load(Fixed(name=name, weights="random"), Streams(0))
    with torch.inference_mode():
        features = network.features(IMAGES, ("conv1_1", layer))
        torchvisions = network.raw.features[:index](_normalised(IMAGES))  # type: ignore[operator,index,union-attr]
        whole = network.raw.eval()(_normalised(IMAGES))  # type: ignore[operator,union-attr]
        torch.testing.assert_close(network.logits(IMAGES), whole, rtol=1e-3, atol=1e-4)
    torch.testing.assert_close(features[layer], torchvisions, rtol=1e-3, atol=1e-4)
    assert list(features) == ["conv1_1", layer]
    assert features["conv1_1"].min() < 0  # no ReLU has written over it
    assert network.layers[-1] == "fc8"


def test_random_weights_follow_the_seed() -> None:
    one, same, other = (load(Fixed(weights="random"), Streams(seed)) for seed in (0, 0, 1))
    with torch.inference_mode():
        assert torch.equal(one.logits(IMAGES), same.logits(IMAGES))
        assert not torch.equal(one.logits(IMAGES), other.logits(IMAGES))
    assert not any(parameter.requires_grad for parameter in one.parameters())
    assert not one.training


def _trained(batch_norm: bool, name: str = "small_vgg") -> Layered:
    with untouched_rng():
        torch.manual_seed(2)
        return small(name, batch_norm=batch_norm)


@pytest.mark.parametrize("name", EMBEDDED)
def test_folding_batch_norm_changes_nothing_and_a_file_keeps_it(name: str, tmp_path: Path) -> None:
    model = _trained(batch_norm=True, name=name)
    model.train()
    for seed in range(5):  # so that the running statistics are something
        model(torch.rand(16, 3, 32, 32, generator=torch.Generator().manual_seed(seed)))
    model.eval()
    weights = folded(model.stages)
    path = tmp_path / "mine.safetensors"
    save_embedded(path, weights, {"in_words": "a test"})
    network = load(Fixed(name=name, weights=str(path)), Streams(0))
    images = torch.rand(4, 3, 32, 32, generator=torch.Generator().manual_seed(9))
    plain = _trained(batch_norm=False, name=name).eval()
    plain.stages.load_state_dict(weights)
    with torch.inference_mode():
        expected = model.logits(images)
        torch.testing.assert_close(plain.logits(images), expected, rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(network.logits(images), expected, rtol=2e-2, atol=1e-2)  # float16 on the way


@pytest.mark.parametrize("which", tuple(embedded()), ids=str)
def test_embedded_weights_are_small_and_tell_where_they_are_from(which: Fixed) -> None:
    network = load(which, Streams(0))
    assert embedded_path(which).stat().st_size < 4 * 2**20
    assert "CIFAR-10" in network.in_words
    assert network.in_words.startswith(which.name)
    with torch.inference_mode():
        assert network.logits(IMAGES).isfinite().all()


@pytest.mark.parametrize(("inputs", "outputs", "stride"), [(4, 4, 1), (4, 6, 1), (4, 6, 2)])
def test_a_residual_block_is_torchvisions(inputs: int, outputs: int, stride: int) -> None:
    with untouched_rng():
        torch.manual_seed(3)
        ours = ResidualBlock(inputs, outputs, stride=stride, batch_norm=True)
        shortcut = ours.shortcut if isinstance(ours.shortcut, torch.nn.Sequential) else None
        theirs = torchvision.models.resnet.BasicBlock(inputs, outputs, stride, shortcut)
    theirs.conv1, theirs.bn1 = ours.conv1
    theirs.conv2, theirs.bn2 = ours.conv2
    images = torch.rand(2, inputs, 9, 12, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours.eval()(images), theirs.eval()(images))


def test_the_plain_network_is_the_resnet_without_its_shortcuts() -> None:
    """Where every shortcut is silenced, and the weights are the same, so are the outputs."""
    resnet, plain = (load(Fixed(name=name, weights="random"), Streams(0)) for name in ("small_resnet", "small_plain"))
    own, fewer = resnet.stages.state_dict(), plain.stages.state_dict()
    assert {name for name in own if name not in fewer} == {
        f"layer{group}_1.shortcut.{part}" for group in (2, 3, 4) for part in ("weight", "bias")
    }
    assert all(torch.equal(own[name], tensor) for name, tensor in fewer.items()), "they begin with the same weights"
    assert resnet.layers == plain.layers
    with torch.inference_mode():
        assert not torch.allclose(resnet.logits(IMAGES), plain.logits(IMAGES))
        for module in resnet.modules():
            if isinstance(module, ResidualBlock):
                module.shortcut = Silent()
        torch.testing.assert_close(resnet.logits(IMAGES), plain.logits(IMAGES))


class Silent(torch.nn.Module):
    """Whatever comes in, nought goes out."""

    def forward(self, x: Tensor) -> Tensor:
        """Return what adds nothing."""
        return torch.zeros(())


def test_features_stop_after_the_deepest_layer_asked_for() -> None:
    network = load(Fixed(weights="random"), Streams(0))
    del network.stages["fc"]
    assert network.features(IMAGES, ("relu2_1",))["relu2_1"].shape == (2, 64, 32, 32)


@pytest.mark.parametrize("shape", [(7, 7), (2, 2), (9, 13), (14, 7), (1, 30)])
def test_average_pooling_is_torchs(shape: tuple[int, int]) -> None:
    images = torch.rand(2, 3, *shape, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(AveragePool(7)(images), torch.nn.AdaptiveAvgPool2d(7)(images))


def test_an_image_that_is_too_small_for_a_layer_is_named() -> None:
    network = load(Fixed(name="vgg16", weights="random"), Streams(0))
    with pytest.raises(ConfigError, match=r"images of 20x64 pixels are too small for layer 'pool5'"):
        network.features(torch.rand(1, 3, 20, 64), ("pool5",))


def test_a_file_of_weights_is_pinned(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_embedded(path, folded(_trained(batch_norm=False).stages), {})
    pinned = fixed(f"small_vgg:{path}")
    assert pinned.weights.startswith(f"{path}#")
    load(pinned, Streams(0))
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(DataError, match="has changed"):
        load(pinned, Streams(0))
    assert fixed(f"small_vgg:{path}") != pinned


def test_names() -> None:
    assert fixed("vgg19") == Fixed(name="vgg19", weights="imagenet")
    assert fixed("vgg19:random") == Fixed(name="vgg19", weights="random")
    assert fixed("small_vgg") == Fixed()
    for name, known in NETWORKS.items():
        for weights in known:
            assert fixed(f"{name}:{weights}").name == name


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda folder: fixed("vgg91"), "did you mean 'vgg19'"),
        (lambda folder: Fixed(name="vgg19", weights="cifar10"), "vgg19 has no weights 'cifar10'; imagenet, random or"),
        (lambda folder: load(Fixed(weights=f"{folder}/none.pth"), Streams(0)), "none.pth: no such file"),
        (lambda folder: load(Fixed(weights=_file(folder, b"junk")), Streams(0)), "not a file of weights"),
        (lambda folder: load(Fixed(weights=_other(folder)), Streams(0)), "not the weights of small_vgg"),
        (lambda folder: load(Fixed(weights=_numbered(folder)), Streams(0)), "holds no table of named weights"),
        (
            lambda folder: load(Fixed(weights="random"), Streams(0)).features(IMAGES, ("relu1_3",)),
            "no layer 'relu1_3'; did you mean",
        ),
    ],
)
def test_what_is_wrong_gets_one_line(make: object, says: str, tmp_path: Path) -> None:
    with pytest.raises(ParibusError, match=says) as raised:
        make(tmp_path)  # type: ignore[operator]
    assert isinstance(raised.value, ConfigError | DataError)
    assert "\n" not in str(raised.value)


def _file(folder: Path, data: bytes) -> str:
    (folder / "weights.pth").write_bytes(data)
    return str(folder / "weights.pth")


def test_a_download_that_fails_is_a_run_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr(torchvision.models, "get_model", unreachable)
    with pytest.raises(RunError, match=r"vgg19 could not be downloaded.*small_vgg") as raised:
        load(Fixed(name="vgg19", weights="imagenet"), Streams(0))
    assert raised.value.exit_code == 1


def test_the_address_of_a_download_is_not_printed_but_its_progress_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(*_: object, **__: object) -> None:
        print(" 12%", end="", file=sys.stderr)
        raise URLError("no route to host")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.download_url_to_file", unreachable)
    with pytest.raises(RunError, match="resnet18 could not be downloaded"):
        load(Fixed(name="resnet18", weights="imagenet"), Streams(0))
    assert capsys.readouterr() == ("", " 12%")


def test_weights_of_another_network_are_told_in_a_few_words(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    stages = _trained(batch_norm=False).stages
    save_embedded(path, folded(stages), {})
    with pytest.raises(ConfigError) as raised:
        load(fixed(f"resnet18:{path}"), Streams(0))
    assert str(raised.value) == (
        f"{path}: not the weights of resnet18: of 122 tensors 100 missing (conv1.weight, ...), 16 unexpected "
        "(conv1_1.bias, ...), 2 of another shape (fc.weight, ...)"
    )
    weights = folded(stages)
    weights["conv1_1.weight"] = weights["conv1_1.weight"][:1]
    save_embedded(path, weights, {})
    with pytest.raises(ConfigError, match=r"of 18 tensors 1 of another shape \(conv1_1.weight\)$"):
        load(fixed(f"small_vgg:{path}"), Streams(0))


def _numbered(folder: Path) -> str:
    torch.save({0: torch.zeros(2)}, folder / "numbered.pth")
    return str(folder / "numbered.pth")


def _other(folder: Path) -> str:
    safetensors.torch.save_file({"a": torch.zeros(2)}, folder / "other.safetensors")
    return str(folder / "other.safetensors")


def _recipe(name: str, *options: str, folder: Path) -> subprocess.CompletedProcess[str]:
    script = Path(__file__).parents[2] / "recipes" / f"{name}.py"
    typed = [sys.executable, str(script), str(folder), "--scratch", str(folder / "scratch"), *options]
    return subprocess.run(typed, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "options"), [("small_vgg", ["--adversarial"]), ("small_resnet", []), ("small_plain", [])]
)
def test_a_recipe_trains_what_the_package_loads(name: str, options: list[str], tmp_path: Path) -> None:
    """One step on noise: what ships was trained by the same script on CIFAR-10."""
    random, out = np.random.default_rng(0), tmp_path / "out.safetensors"
    for part, count in (("train", 32), ("test", 1)):
        for kind in CIFAR10:
            (tmp_path / part / kind).mkdir(parents=True)
            for place in range(count):
                pixels = random.integers(0, 256, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / part / kind / f"{place}.png")
    done = _recipe(name, *options, "--passes", "1", "--out", str(out), folder=tmp_path)
    assert done.returncode == 0, done.stderr
    known = record(out)
    assert known["steps"] == 1
    assert known["in_words"].startswith(f"{name} {'adversarially ' if options else ''}trained on CIFAR-10")
    assert known["command"] == " ".join(["python", f"recipes/{name}.py", "DIR", *options, "--scratch", "DIR"])
    assert load(Fixed(name=name, weights=str(out)), Streams(0)).logits(IMAGES).isfinite().all()


def test_a_recipe_refuses_weights_that_do_not_ship_before_it_trains(tmp_path: Path) -> None:
    done = _recipe("small_resnet", "--adversarial", folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.endswith("no robust weights of small_resnet ship; of small_vgg they do\n")
