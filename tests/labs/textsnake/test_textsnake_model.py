"""The network: shapes, units, streams, and files of weights."""

from __future__ import annotations

import warnings
from dataclasses import asdict, replace
from http.client import IncompleteRead
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import torch

from paribus.data.curved_text import SIZES
from paribus.errors import ConfigError, DataError
from paribus.labs.textsnake.backbones import backbone
from paribus.labs.textsnake.experiments import BASELINE, SLIM, TEST_SCENES, Network, Scoring
from paribus.labs.textsnake.export import Maps5, folded
from paribus.labs.textsnake.model import build, scaled
from paribus.labs.textsnake.training import frozen
from paribus.labs.textsnake.weights_file import KIND, load_weights, save_weights
from paribus.nn.networks.embed import save_embedded
from paribus.spec.seed import Streams

RANDOM = replace(BASELINE.network, weights="random")


def pixels(count: int, height: int, width: int) -> torch.Tensor:
    """Return noise of 0 to 255, always the same."""
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0)) * 255


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
    maps = model(scaled(pixels(2, 64, 96)))
    assert maps.text.shape == maps.centre.shape == (2, 2, 64, 96)
    assert maps.radius.shape == (2, 64, 96)
    assert torch.allclose(maps.cos**2 + maps.sin**2, torch.ones(2, 64, 96), atol=1e-4)
    softmax = [torch.softmax(scores, dim=1)[:, 1] for scores in (maps.text, maps.centre)]
    assert torch.allclose(maps.probabilities()[:, :2], torch.stack(softmax, dim=1), atol=1e-6)
    assert not network.log_radius or bool((maps.radius > 0).all())


def test_the_paper_s_merging_branch_has_no_batch_norm() -> None:
    for network, norms in ((RANDOM, 0), (replace(RANDOM, merge_norm=True), 9)):
        assert sum(isinstance(part, torch.nn.BatchNorm2d) for part in build(network, Streams(0)).modules()) == norms


def test_networks_of_one_seed_share_what_their_names_share() -> None:
    slim, other, another_seed = (
        build(SLIM, Streams(0)),
        build(replace(SLIM, head=8), Streams(0)),
        build(SLIM, Streams(1)),
    )
    same = slim.backbone.stages[0][0].first.weight
    assert torch.equal(same, other.backbone.stages[0][0].first.weight)
    assert not torch.equal(same, another_seed.backbone.stages[0][0].first.weight)


@pytest.mark.parametrize("network", [SLIM, replace(SLIM, merge_norm=False)])
def test_folding_batch_norm_changes_no_map(network: Network) -> None:
    model = build(network, Streams(0))
    images = pixels(4, 64, 64)
    model.train()(scaled(images))  # so that the running statistics are not those of a new layer
    with torch.no_grad():
        expected = frozen(model)(scaled(images)).probabilities()
        assert expected[:, :2].std() > 0.01, "or there is nothing to compare"
        torch.testing.assert_close(folded(model)(scaled(images)).probabilities(), expected, atol=2e-4, rtol=1e-4)
        torch.testing.assert_close(Maps5(model)(images), expected, atol=2e-4, rtol=1e-4)
    assert not any(isinstance(part, torch.nn.BatchNorm2d) for part in folded(model).modules())


def test_weights_come_back_from_their_file(tmp_path: Path) -> None:
    model = frozen(build(SLIM, Streams(0)))
    save_weights(tmp_path / "own.safetensors", model, {"seed": 0})
    again = load_weights(tmp_path / "own.safetensors")
    images = scaled(pixels(1, 64, 64))
    assert again.network == SLIM
    assert torch.allclose(model(images).text, again(images).text, atol=0.05)  # half precision
    with pytest.raises(DataError, match="no such file"):
        load_weights(tmp_path / "none.safetensors")
    (tmp_path / "text.safetensors").write_text("text")
    with pytest.raises(DataError, match="not a file of weights"):
        load_weights(tmp_path / "text.safetensors")
    with pytest.raises(DataError, match="no detector 'slimm'"):
        load_weights("slimm")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"network": None}, "lacks 'network'"),
        ({"network": {"backbone": "slim"}}, "lacks 'merge'"),
        ({"network": {"colour": 1}}, "colour"),
        ({"network": {"head": 8}}, "others"),
        ({"network": {"head": 0}}, "others"),
        ({"network": {"head": "many"}}, "others"),
        ({"network": {"merge": 5}}, "others"),
        ({"network": {"merge": [1, 2]}}, "four"),
        ({"network": {"backbone": "vgg"}}, "vgg16"),
        ({"network": ["slim"]}, "others"),
        ({"weights": {"predict.bias": torch.zeros(5)}}, "predict.bias"),
        ({"weights": {"surplus": torch.zeros(5)}}, "surplus"),
    ],
)
def test_a_record_of_another_network_is_one_line(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    model = build(SLIM, Streams(0))
    path = tmp_path / "other.safetensors"
    record: dict[str, Any] = {"kind": KIND, "network": asdict(SLIM)}
    match change.get("network", {}):
        case None:
            del record["network"]
        case {"backbone": "slim"} as network:
            record["network"] = network
        case dict() as fields:
            record["network"] |= fields
        case other:
            record["network"] = other
    save_embedded(path, {**model.state_dict(), **change.get("weights", {})}, record)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, of layers without channels
        with pytest.raises(DataError, match=words) as caught:
            load_weights(path)
    assert "other.safetensors" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_mistyped_path_is_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret.safetensors").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    for wrong in (str(tmp_path), f"{tmp_path}/none", "./none", "folder/", tmp_path, Path("slim"), "none.safetensors"):
        with pytest.raises(DataError, match="no such file of weights") as caught:
            load_weights(wrong)
        assert "secret" not in str(caught.value)
    with pytest.raises(DataError, match=r"no detector 'folder'; (slim, or )?the path of a"):
        load_weights("folder")


def test_imagenet_weights_that_cannot_be_had_are_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network here")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)
    with pytest.raises(DataError, match=r"could not download .*from_scratch"):
        backbone("vgg16", "imagenet")
    for error in (RuntimeError('invalid hash value (expected "a",\n got "b")'), IncompleteRead(b"half")):
        monkeypatch.setattr("torch.hub.download_url_to_file", Mock(side_effect=error))
        with pytest.raises(DataError, match=r"could not download .*(hash|IncompleteRead).*; connect") as caught:
            backbone("resnet18", "imagenet")
        assert "\n" not in str(caught.value)
    kept = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    torch.save({"fc.bias": torch.zeros(3)}, kept)
    whole = kept.read_bytes()
    for data in (b"", b"no weights", b"PK\x03\x04" + bytes(99), whole[: len(whole) // 2], whole):
        kept.write_bytes(data)
        with pytest.raises(DataError, match=rf"{kept} cannot be read .*delete that file .*from_scratch") as caught:
            backbone("resnet18", "imagenet")
        assert "\n" not in str(caught.value)


def test_networks_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ConfigError, match="slim"):
        Network(backbone="slim")
    with pytest.raises(ConfigError, match="vgg16"):
        Network(backbone="vgg")
    with pytest.raises(ConfigError, match="four"):
        Network(merge=(1, 2))


def test_more_test_scenes_than_there_are_are_refused() -> None:
    assert SIZES["test"] == TEST_SCENES
    assert Scoring(scenes=TEST_SCENES).scenes == TEST_SCENES
    for scenes in (0, TEST_SCENES + 1):
        with pytest.raises(ConfigError, match=f"scoring.scenes is {scenes}; 1 to 500 are expected"):
            Scoring(scenes=scenes)
