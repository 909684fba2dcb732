"""The learning diagnostics on networks that are well, and on networks made ill on purpose."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from paribus.spec.finding import Finding
from paribus.train.diagnose import (
    LayerScale,
    few_examples,
    initial_loss,
    layer_scales,
    scales_finding,
    shuffled_labels,
)


@pytest.mark.parametrize(
    ("loss", "level"),
    [
        (math.log(10), "ok"),
        (2.6, "ok"),
        (9.0, "warning"),
        (0.4, "warning"),
        (math.nan, "warning"),
        (math.inf, "warning"),
    ],
)
def test_initial_loss(loss: float, level: str) -> None:
    assert initial_loss(loss, math.log(10)).level == level


@pytest.mark.parametrize("broken", ["activation", "gradient", "update"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_is_not_finite_in_any_layer_is_seen(broken: str, value: float, place: int) -> None:
    scales = [LayerScale(str(index), 1.0, 1.0, 0.001) for index in range(3)]
    assert {finding.level for finding in scales_finding(scales)} == {"ok"}
    scales[place] = replace(scales[place], **{broken: value})
    levels = [finding.level for finding in scales_finding(scales)]
    assert levels == ["warning" if name == broken else "ok" for name in ("activation", "gradient", "update")]


def test_a_single_layer_that_does_not_move_is_seen() -> None:
    scales = [LayerScale("a", 1.0, 1.0, 0.001), LayerScale("b", 1.0, 1.0, 0.0)]
    assert "weights of b hardly move" in list(scales_finding(scales))[2].meaning


def _levels(sizes: Sequence[float], rate: float = 0.01) -> dict[str, str]:
    generator = torch.Generator().manual_seed(0)
    layers = [nn.Linear(32, 32) for _ in sizes]
    with torch.no_grad():
        for layer, size in zip(layers, sizes, strict=True):
            layer.weight.copy_(size / math.sqrt(32) * torch.randn(32, 32, generator=generator))
            layer.bias.zero_()
    net = nn.Sequential(*layers)
    inputs = torch.randn(64, 32, generator=generator)

    def step() -> Tensor:
        loss: Tensor = net(inputs).square().mean()
        return loss

    found: list[Finding] = list(scales_finding(layer_scales(net, step, torch.optim.SGD(net.parameters(), lr=rate))))
    return {finding.check: finding.level for finding in found}


def test_layers_of_even_scale_are_well() -> None:
    assert set(_levels([1, 1, 1, 1]).values()) == {"ok"}


def test_a_signal_that_fades_is_seen() -> None:
    assert _levels([1, 0.01, 0.01, 1])["scale of activations"] == "warning"


def test_a_layer_without_gradient_is_seen() -> None:
    assert _levels([1, 1, 0, 1])["scale of gradients"] == "warning"


def test_updates_too_large_or_too_small_are_seen() -> None:
    assert _levels([1, 1, 1], rate=50.0)["size of updates"] == "note"
    assert _levels([1, 1, 1], rate=1e-9)["size of updates"] == "warning"


def test_measured_scales_are_root_mean_squares() -> None:
    net = nn.Sequential(nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[3.0, 4.0]]))
    inputs = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    (scale,) = layer_scales(net, lambda: net(inputs).sum(), torch.optim.SGD(net.parameters(), lr=0.5))
    assert scale.activation == pytest.approx(math.sqrt(12.5))
    assert scale.gradient == pytest.approx(1.0)
    assert scale.update == pytest.approx(0.5 / math.sqrt(12.5))


def test_few_examples() -> None:
    assert few_examples(1.0, 0.01, 100).level == "ok"
    assert few_examples(31 / 32, 0.3, 100).level == "warning"


def test_shuffled_labels_allow_for_chance() -> None:
    assert shuffled_labels(0.19, 0.17, 500, 60).level == "ok"
    assert shuffled_labels(0.30, 0.17, 500, 60).level == "warning"
