"""The terms of the loss against loops and closed forms, and their gradients in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from paribus.labs.inversion.descent import start
from paribus.labs.inversion.experiments import Prior
from paribus.labs.inversion.loss import FeatureDistance, improbability, shifted
from paribus.nn.networks.layered import Layered
from paribus.nn.networks.load import load
from paribus.nn.networks.names import Fixed
from paribus.spec.seed import Streams


@pytest.fixture(scope="module")
def network() -> Layered:
    return load(Fixed(weights="random"), Streams(0)).double()


def images(count: int, side: int = 12, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("layers", [("conv1_1",), ("relu2_1",), ("fc",), ("relu1_1", "average")])
def test_the_distance_of_features_is_that_of_a_loop(network: Layered, layers: tuple[str, ...]) -> None:
    wanted, found = images(2), images(2, seed=1)
    distance = FeatureDistance(network, layers, wanted, "float32")
    for place in range(2):
        parts = []
        for name in layers:
            ours = network.features(found[place : place + 1], (name,))[name].flatten().tolist()
            theirs = network.features(wanted[place : place + 1], (name,))[name].flatten().tolist()
            gap = sum((a - b) ** 2 for a, b in zip(ours, theirs, strict=True))
            parts.append(gap / sum(b**2 for b in theirs))
        assert float(distance(found)[place]) == pytest.approx(sum(parts), rel=1e-9)
    assert float(distance(wanted).abs().max()) == 0.0


def test_the_distance_of_a_linear_layer_has_the_gradient_of_its_closed_form() -> None:
    """For f(x) = Ax the gradient is 2 A'A (x - x0) / |A x0|^2."""
    from collections import OrderedDict

    layer = torch.nn.Conv2d(3, 5, 3, bias=False, dtype=torch.float64)
    stages: OrderedDict[str, torch.nn.Module] = OrderedDict(conv1_1=layer)
    linear = Layered(stages, classes=(), size=6, mean=(0.0,) * 3, std=(1.0,) * 3).double()
    wanted, found = images(1, 6), images(1, 6, seed=1).requires_grad_(True)
    (gradient,) = torch.autograd.grad(FeatureDistance(linear, ("conv1_1",), wanted, "float32")(found).sum(), found)
    units = torch.eye(108, dtype=torch.float64).view(108, 3, 6, 6)
    matrix = layer(units).flatten(1).detach().numpy().T
    x, x0 = found.detach().flatten().numpy(), wanted.flatten().numpy()
    expected = 2 * matrix.T @ matrix @ (x - x0) / np.sum((matrix @ x0) ** 2)
    np.testing.assert_allclose(gradient.flatten().numpy(), expected, rtol=1e-9, atol=1e-12)


def test_the_gradient_of_the_feature_distance(network: Layered) -> None:
    distance = FeatureDistance(network, ("conv2_1", "conv1_2"), images(1, 6), "float32")
    assert torch.autograd.gradcheck(distance, (images(1, 6, seed=1).requires_grad_(True),), fast_mode=True)


@pytest.mark.parametrize("beta", [1.0, 2.0, 3.0])
def test_the_prior_is_that_of_a_loop(beta: float) -> None:
    prior = Prior(alpha=6.0, bound=0.7, beta=beta, variation=1.3)
    x = images(2, 5)
    for place, found in enumerate(improbability(x, prior).tolist()):
        a = x[place].numpy()
        norm = sum(abs(2 * value - 1) ** 6 for value in a.flatten()) / a.size
        total = 0.0
        for channel in a:
            for row in range(5):
                for column in range(5):
                    right = channel[row, column + 1] - channel[row, column] if column < 4 else 0.0
                    down = channel[row + 1, column] - channel[row, column] if row < 4 else 0.0
                    total += (right**2 + down**2) ** (beta / 2)
        assert found == pytest.approx(0.7 * norm + 1.3 * total / a.size, rel=1e-3 if beta < 2 else 1e-9)


@pytest.mark.parametrize("beta", [1.0, 2.0, 3.0])
def test_the_gradient_of_the_prior(beta: float) -> None:
    prior = Prior(beta=beta)
    x = images(2, 5).requires_grad_(True)
    assert torch.autograd.gradcheck(lambda y: improbability(y, prior), (x,))


def test_a_prior_without_weights_is_zero_and_an_edge_costs_the_same_however_steep_it_is_under_beta_one() -> None:
    assert float(improbability(images(1), Prior(bound=0.0, variation=0.0)).abs().sum()) == 0.0
    steep, gentle = torch.zeros(1, 3, 4, 9, dtype=torch.float64), torch.zeros(1, 3, 4, 9, dtype=torch.float64)
    steep[..., 4:] = 1.0
    gentle[..., :] = torch.linspace(0, 1, 9)
    one, two = (Prior(bound=0.0, variation=1.0, beta=beta) for beta in (1.0, 2.0))
    assert float(improbability(steep, one)) == pytest.approx(float(improbability(gentle, one)), rel=1e-3)
    assert float(improbability(steep, two)) > 4 * float(improbability(gentle, two))


def test_a_shift_goes_round_the_edges_and_is_the_streams() -> None:
    x = images(3)
    assert shifted(x, 0, Streams(0), 0) is x
    moved = shifted(x, 2, Streams(0), 7)
    for place in range(3):
        rolls = [x[place].roll((down, right), (1, 2)) for down in range(-2, 3) for right in range(-2, 3)]
        assert any(torch.equal(moved[place], roll) for roll in rolls)
    assert torch.equal(moved, shifted(x, 2, Streams(0), 7))
    assert torch.equal(moved[:2], shifted(x[:2], 2, Streams(0), 7))  # an image's shift is its own
    draws = {tuple(shifted(x[:1], 2, Streams(0), step).flatten().tolist()) for step in range(200)}
    assert len(draws) == 25


def test_the_start_is_grey_with_noise_of_its_own_for_each_image() -> None:
    found = start(torch.Size((2, 3, 40, 40)), 0.1, Streams(3))
    assert float(found.mean()) == pytest.approx(0.5, abs=0.005)
    assert float(found.std()) == pytest.approx(0.1, rel=0.05)
    assert torch.equal(found[:1], start(torch.Size((1, 3, 40, 40)), 0.1, Streams(3)))
    assert not torch.equal(found[0], found[1])


def test_relative_to_grey_grey_is_at_one(network: Layered) -> None:
    wanted, found = images(2), images(2, seed=1)
    distance = FeatureDistance(network, ("relu2_1", "fc"), wanted, "float32", "grey")
    grey = torch.full_like(wanted, 0.5)
    np.testing.assert_allclose(distance(grey).numpy(), 2.0, rtol=1e-9)
    expected = torch.zeros(2, dtype=wanted.dtype)
    for name in ("relu2_1", "fc"):
        ours, theirs, usual = (network.features(x, (name,))[name].flatten(1) for x in (found, wanted, grey))
        expected += (ours - theirs).square().sum(1) / (usual - theirs).square().sum(1)
    np.testing.assert_allclose(distance(found).numpy(), expected.numpy(), rtol=1e-9)


def test_a_picture_that_is_nearly_grey_weighs_no_more_than_another() -> None:
    trained = load(Fixed(), Streams(0)).double()
    bright, apart = images(2), images(2, seed=1)
    faint = 0.5 + (bright - 0.5) / 1000
    itself, grey = (
        [
            float(FeatureDistance(trained, ("relu3_2",), wanted, "float32", to)(apart).max())
            for wanted in (bright, faint)
        ]
        for to in ("itself", "grey")
    )
    assert 0.1 < itself[1] / itself[0] < 10
    assert grey[1] / grey[0] > 1e4
