"""Synthesis: it lowers its loss, tiles, keeps to the source's colours, has any size and resumes to the bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from paribus.errors import ConfigError
from paribus.labs.texture.coarse_to_fine import Found, resized, sizes
from paribus.labs.texture.colours import Colours
from paribus.labs.texture.experiments import Config, Look, Optimisation
from paribus.labs.texture.eye import Eye
from paribus.labs.texture.losses import LOSSES
from paribus.labs.texture.measure import seam
from paribus.labs.texture.padding import padding
from paribus.labs.texture.stylisation import Balance, stylise
from paribus.labs.texture.synthesis import fitting, synthesise
from paribus.nn.networks.load import load
from paribus.nn.networks.names import Fixed
from paribus.spec.context import Context, Picture, Progress, Report, Scalars
from paribus.spec.seed import Streams
from paribus.train import optimise as machine
from paribus.train.arithmetic import reproducible

RANDOM = Fixed(weights="random")
LOOK = Look(layers=("relu1_1", "pool1", "pool2"))


def eye(loss: str = "gram", border: str = "reflect", look: Look = LOOK) -> Eye:
    return Eye.of(Config(network=RANDOM, look=look, loss=loss, border=border, precision="float32"), Streams(0))


def waves(height: int, width: int, grey: bool = False) -> Tensor:
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    channels = [0.5 + 0.3 * torch.sin(0.7 * rows + (0 if grey else c) + 0.4 * columns) for c in range(3)]
    return torch.stack(channels)[None].float()


def make(size: tuple[int, int] = (32, 32), scales: int = 2, steps: int = 6, **more: object) -> Found:
    settings: dict[str, object] = {"eye": eye(), "count": 1, "context": Context(seed=0), **more}
    source = settings.pop("source", waves(40, 36))
    seeing = settings.pop("eye")
    with reproducible("cpu"):
        return synthesise(source, seeing, size=size, steps=steps, method=Optimisation(scales=scales), **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize("loss", LOSSES)
def test_the_images_come_nearer_to_the_source(loss: str) -> None:
    source, seeing = waves(40, 36), eye(loss)
    found = make(eye=seeing, steps=25, count=2)
    target = seeing.toward(source, Streams(0))

    def distance(images: Tensor) -> Tensor:
        return target(seeing.features(images), np.random.default_rng(0))

    noise = Colours.of(source).noise(torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0)))
    assert torch.all(distance(found.images) < 0.5 * distance(noise.clamp(0, 1)).mean())
    assert found.images.shape == (2, 3, 32, 32)
    assert float(found.images.min()) >= 0
    assert float(found.images.max()) <= 1
    assert float((found.images[0] - found.images[1]).abs().mean()) > 0.01
    assert found.strip.dtype == np.uint8
    assert found.strip.shape[1:] == (32, 32, 3)


@pytest.mark.parametrize("size", [(17, 40), (64, 23)])
def test_any_size_comes_out(size: tuple[int, int]) -> None:
    assert make(size, steps=2).images.shape[2:] == size


def test_an_image_of_the_batch_is_what_it_is_alone() -> None:
    both, alone = make(count=2, steps=3), make(count=1, steps=3)
    torch.testing.assert_close(both.images[:1], alone.images, atol=1e-3, rtol=0)


def test_a_grey_source_makes_grey_images() -> None:
    found = make(source=waves(40, 36, grey=True))
    assert float((found.images.amax(dim=1) - found.images.amin(dim=1)).max()) < 1e-5


def test_colours_of_noise_are_those_of_the_image() -> None:
    image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * torch.tensor([0.2, 0.5, 1.0])[
        None, :, None, None
    ] + torch.linspace(0, 0.3, 64)
    normal = torch.randn(1, 3, 300, 300, generator=torch.Generator().manual_seed(1))
    noise = Colours.of(image).noise(normal)
    expected, found = (np.cov(part[0].flatten(1).numpy()) for part in (image, noise))
    np.testing.assert_allclose(found, expected, atol=0.02 * expected.max())
    np.testing.assert_allclose(noise.mean((0, 2, 3)), image.mean((0, 2, 3)), atol=5e-3)
    assert torch.equal(Colours.of(image).nearest(normal), normal)


def test_with_joined_edges_features_move_with_the_image() -> None:
    """What a network sees of a torus moves with it, by steps of its stride; without joined edges it does not."""
    network = load(RANDOM, Streams(0))
    images = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    moved = images.roll((8, 12), dims=(2, 3))
    for mode, same in (("circular", True), ("zeros", False)):
        with padding(network, mode):
            here, there = (network.features(x, ("pool2",))["pool2"] for x in (images, moved))
        assert torch.allclose(here.roll((2, 3), dims=(2, 3)), there, atol=1e-4) is same
    assert all(module.padding_mode == "zeros" for module in network.modules() if isinstance(module, nn.Conv2d))


def test_padding_is_put_back_after_an_error() -> None:
    network = load(RANDOM, Streams(0))
    with pytest.raises(ZeroDivisionError), padding(network, "circular"):
        raise ZeroDivisionError
    assert all(module.padding_mode == "zeros" for module in network.modules() if isinstance(module, nn.Conv2d))


def test_joined_edges_make_an_image_that_tiles() -> None:
    smooth = resized(waves(12, 12), (48, 48))
    tiled = make(eye=eye(border="circular"), source=smooth, steps=40, scales=1)
    loose = make(eye=eye(border="zeros"), source=smooth, steps=40, scales=1)
    assert seam(tiled.images) < 0.12
    assert seam(loose.images) > 0.2


def test_a_size_that_cannot_tile_is_one_line() -> None:
    with pytest.raises(ConfigError, match=r"30x32 cannot tile.*multiples of 4.*32x32 can") as caught:
        make((32, 30), eye=eye(border="circular"))
    assert "\n" not in str(caught.value)
    assert make((32, 36), eye=eye(border="circular"), steps=1).images.shape[2:] == (32, 36)


def test_scales_halve_down_to_what_a_network_can_see() -> None:
    assert sizes((100, 60), 3) == [(25, 15), (50, 30), (100, 60)]
    assert sizes((96, 64), 3, 8) == [(24, 16), (48, 32), (96, 64)]
    assert fitting(256, 3) == 3
    assert fitting(40, 3) == 2
    assert fitting(10, 3) == 1


def test_a_smaller_image_is_the_average_of_the_larger() -> None:
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    assert float(resized(image, (16, 16)).mean()) == pytest.approx(float(image.mean()), abs=0.01)
    assert float(resized(image, (16, 16)).std()) < 0.6 * float(image.std())
    assert resized(image, (32, 32)) is image


@pytest.mark.parametrize("loss", ["gram", "sliced"])
@pytest.mark.parametrize("stop", [3, 8, 14])
def test_an_interrupted_synthesis_goes_on_to_the_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loss: str, stop: int
) -> None:
    class Interrupted(Exception):  # noqa: N818
        pass

    monkeypatch.setattr(machine, "CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr(machine, "SHOW_SECONDS", 0.0)

    def until(report: Report) -> None:
        if isinstance(report, Progress) and report.done == stop:
            raise Interrupted

    straight = make(eye=eye(loss), scales=2, steps=8)
    with pytest.raises(Interrupted):
        make(eye=eye(loss), scales=2, steps=8, context=Context(seed=0, scratch=tmp_path, emit=until))
    first: list[int] = []
    again = Context(seed=0, scratch=tmp_path, emit=lambda r: first.append(r.done) if isinstance(r, Progress) else None)
    resumed = make(eye=eye(loss), scales=2, steps=8, context=again)
    assert torch.equal(straight.images, resumed.images)
    assert np.array_equal(straight.losses, resumed.losses)
    assert np.array_equal(straight.strip, resumed.strip)
    assert min(first) >= stop


def test_progress_and_curves_are_those_of_one_optimisation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "SHOW_SECONDS", 0.0)
    reports: list[Report] = []
    make(scales=2, steps=5, context=Context(seed=0, emit=reports.append))
    progress = [(report.done, report.total) for report in reports if isinstance(report, Progress)]
    assert progress == [(done, 10) for done in range(1, 11)]
    steps = [report.step for report in reports if isinstance(report, Scalars)]
    assert steps == sorted(set(steps))
    assert steps[-1] == 10
    assert any(isinstance(report, Picture) for report in reports)


def test_style_transfer_keeps_the_content_and_takes_the_style() -> None:
    content = torch.linspace(0.2, 0.8, 40).expand(1, 3, 32, 40).contiguous()
    style, seeing = waves(36, 36), eye()
    distances = []
    for weight in (0.0, 100.0):
        found = stylise(
            content,
            style,
            seeing,
            scales=2,
            steps=15,
            descent=Optimisation().descent,
            context=Context(seed=0),
            balance=Balance(content=weight),
        )
        assert found.images.shape == content.shape
        target = seeing.toward(style, Streams(0))
        styled = float(target(seeing.features(found.images), np.random.default_rng(0)))
        distances.append((styled, float((found.images - content).square().mean())))
    (style_first, moved_first), (style_then, moved_then) = distances
    assert style_first < style_then
    assert moved_then < moved_first
    begun = float(target(seeing.features(content), np.random.default_rng(0)))
    assert style_first < 0.5 * begun


def test_average_pooling_takes_the_place_of_maximum_pooling() -> None:
    for pooling, kind in (("average", nn.AvgPool2d), ("max", nn.MaxPool2d)):
        network = Eye.of(Config(network=RANDOM, pooling=pooling), Streams(0)).network
        assert isinstance(network.stages["pool1"], kind)


def test_an_image_that_wraps_grows_as_its_tiling_does() -> None:
    image = torch.rand(1, 3, 16, 12, generator=torch.Generator().manual_seed(0))
    moved = resized(image.roll((4, 3), dims=(2, 3)), (32, 24), wraps=True)
    torch.testing.assert_close(resized(image, (32, 24), wraps=True).roll((8, 6), dims=(2, 3)), moved)
    assert not torch.allclose(resized(image, (32, 24)).roll((8, 6), dims=(2, 3)), moved, atol=0.01)
