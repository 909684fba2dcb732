"""The network: shapes, units, streams, and files of weights."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from paribus.errors import ConfigError, DataError
from paribus.labs.textsnake.backbones import backbone
from paribus.labs.textsnake.experiments import BASELINE, SLIM, Network
from paribus.labs.textsnake.export import Maps5, folded
from paribus.labs.textsnake.model import build, scaled
from paribus.labs.textsnake.training import frozen
from paribus.labs.textsnake.weights_file import load_weights, save_weights
from paribus.spec.seed import Streams

RANDOM = replace(BASELINE.network, weights="random")


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("vgg16", (64, 128, 256, 512, 512)),
        ("resnet18", (64, 64, 128, 256, 512)),
        ("resnet50", (64, 256, 512, 1024, 2048)),
        ("slim", (16, 32, 64, 128, 192)),
    ],
)
def test_each_stage_halves_the_resolution(name: str, channels: tuple[int, ...]) -> None:
    found = backbone(name, "random")
    assert tuple(found.channels) == channels
    with torch.no_grad():
        stages = found.eval()(torch.zeros(1, 3, 64, 96))
    sides = [(64 >> step, 96 >> step) for step in range(1, 6)]
    assert [tuple(stage.shape) for stage in stages] == [(1, c, *side) for c, side in zip(channels, sides, strict=True)]


@pytest.mark.parametrize("network", [SLIM, replace(SLIM, full_resolution=True, log_radius=False), RANDOM])
def test_maps_have_the_image_s_size_and_directions_the_length_one(network: Network) -> None:
    model = frozen(build(network, Streams(0)))
    maps = model(scaled(torch.rand(2, 3, 64, 96) * 255))
    assert maps.text.shape == maps.centre.shape == (2, 2, 64, 96)
    assert maps.radius.shape == (2, 64, 96)
    assert torch.allclose(maps.cos**2 + maps.sin**2, torch.ones(2, 64, 96), atol=1e-4)
    softmax = [torch.softmax(scores, dim=1)[:, 1] for scores in (maps.text, maps.centre)]
    assert torch.allclose(maps.probabilities()[:, :2], torch.stack(softmax, dim=1), atol=1e-6)
    assert not network.log_radius or bool((maps.radius > 0).all())


def test_networks_of_one_seed_share_what_their_names_share() -> None:
    slim, other, another_seed = build(SLIM, Streams(0)), build(replace(SLIM, head=8), Streams(0)), build(SLIM, Streams(1))
    same = slim.backbone.stages[0][0].first.weight
    assert torch.equal(same, other.backbone.stages[0][0].first.weight)
    assert not torch.equal(same, another_seed.backbone.stages[0][0].first.weight)


def test_folding_batch_norm_changes_no_map() -> None:
    model = build(SLIM, Streams(0))
    images = torch.rand(4, 3, 64, 64) * 255
    model.train()(scaled(images))  # so that the running statistics are not those of a new layer
    with torch.no_grad():
        assert torch.allclose(Maps5(frozen(model))(images), Maps5(folded(model))(images), atol=2e-4, rtol=1e-4)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in folded(model).modules())


def test_weights_come_back_from_their_file(tmp_path: Path) -> None:
    model = frozen(build(SLIM, Streams(0)))
    save_weights(tmp_path / "own.safetensors", model, {"seed": 0})
    again = load_weights(tmp_path / "own.safetensors")
    images = scaled(torch.rand(1, 3, 64, 64) * 255)
    assert again.network == SLIM
    assert torch.allclose(model(images).text, again(images).text, atol=0.05)  # half precision
    with pytest.raises(DataError, match="no such file"):
        load_weights(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("text")
    with pytest.raises(DataError, match="not a file of weights"):
        load_weights(tmp_path / "text.safetensors")
    with pytest.raises(DataError, match="no detector 'slimm'"):
        load_weights("slimm")


def test_imagenet_weights_that_cannot_be_had_are_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network here")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    with pytest.raises(DataError, match="from_scratch"):
        backbone("vgg16", "imagenet")


def test_networks_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError, match="slim"):
        Network(backbone="slim")
    with pytest.raises(ConfigError, match="vgg16"):
        Network(backbone="vgg")
    with pytest.raises(ConfigError, match="four"):
        Network(merge=(1, 2))
