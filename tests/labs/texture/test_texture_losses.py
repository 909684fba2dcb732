"""Texture losses: against loops and SciPy, their gradients in float64, and what must not change them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance
from torch import Tensor

from paribus.errors import ConfigError
from paribus.labs.texture.content_loss import content_loss
from paribus.labs.texture.log_eye import LogLoss
from paribus.labs.texture.losses import LOSSES
from paribus.labs.texture.losses.histogram import Histogram
from paribus.labs.texture.losses.sliced import SlicedWasserstein
from paribus.labs.texture.losses.sorting import quantiles
from paribus.labs.texture.style_loss import StyleLoss
from paribus.labs.texture.train_generator import diversity

Array = NDArray[np.float64]


def features(seed: int, count: int = 3, channels: int = 4, height: int = 5, width: int = 6) -> Tensor:
    drawn = np.random.default_rng(seed).normal(0.3, 1.0, (count, channels, height, width))
    return torch.from_numpy(drawn)


def stream() -> np.random.Generator:
    return np.random.default_rng(7)


def gram(x: Array, y: Array) -> float:
    """Gatys, Ecker & Bethge (2015), equations 2 and 4, entry by entry, for equal numbers of positions."""
    n, m = x.shape
    total = 0.0
    for i in range(n):
        for j in range(n):
            total += (sum(x[i, k] * x[j, k] for k in range(m)) - sum(y[i, k] * y[j, k] for k in range(m))) ** 2
    return total / (4 * n**2 * m**2)


def covariance(x: Array, y: Array) -> float:
    return float(((np.cov(x, bias=True) - np.cov(y, bias=True)) ** 2).sum() / (4 * len(x) ** 2))


def mean_variance(x: Array, y: Array) -> float:
    def deviation(rows: Array) -> Array:
        return np.sqrt(rows.var(axis=1) + 1e-5)

    return float(((x.mean(1) - y.mean(1)) ** 2 + (deviation(x) - deviation(y)) ** 2).mean())


def earth_movers(x: Array, y: Array) -> float:
    """The least mean squared distance over all assignments of positions, by the Hungarian method."""
    from scipy.optimize import linear_sum_assignment

    costs = []
    for a, b in zip(x, y, strict=True):
        square = (a[:, None] - b[None, :]) ** 2
        rows, columns = linear_sum_assignment(square)
        costs.append(square[rows, columns].mean())
    return float(np.mean(costs))


def sliced(x: Array, y: Array) -> float:
    directions = stream().standard_normal((len(x), len(x)))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return earth_movers(directions @ x, directions @ y)


def histogram(x: Array, y: Array, bins: int = 256) -> float:
    """Histogram matching by np.histogram and np.interp."""
    costs = []
    for a, b in zip(x, y, strict=True):
        counts_a, edges_a = np.histogram(a, bins)
        counts_b, edges_b = np.histogram(b, bins)
        heights_a = np.concatenate([[0.0], np.cumsum(counts_a) / len(a)])
        heights_b = np.concatenate([[0.0], np.cumsum(counts_b) / len(b)])
        height = np.interp(a, edges_a, heights_a)
        above = np.clip(np.searchsorted(heights_b, height), 1, bins)
        low, high = heights_b[above - 1], heights_b[above]
        share = np.clip((height - low) / np.maximum(high - low, 1e-12), 0, 1)
        matched = edges_b[above - 1] + share * (edges_b[above] - edges_b[above - 1])
        costs.append(((a - matched) ** 2).mean())
    return float(np.mean(costs))


REFERENCES: dict[str, Callable[[Array, Array], float]] = {
    "gram": gram,
    "covariance": covariance,
    "mean_variance": mean_variance,
    "histogram": histogram,
    "sorted": earth_movers,
    "sliced": sliced,
}
assert set(REFERENCES) == set(LOSSES)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_what_its_formula_says_for_each_image_of_a_batch(name: str) -> None:
    here, there = features(0), features(1)
    found = LOSSES[name](here, LOSSES[name].target(there), stream())
    rows = [(a.flatten(1).numpy(), b.flatten(1).numpy()) for a, b in zip(here, there, strict=True)]
    np.testing.assert_allclose(found.numpy(), [REFERENCES[name](a, b) for a, b in rows], rtol=1e-9)


@pytest.mark.parametrize("name", LOSSES)
def test_one_target_serves_a_batch(name: str) -> None:
    here, there = features(0), features(1, count=1)
    together = LOSSES[name](here, LOSSES[name].target(there), stream())
    alone = [LOSSES[name](here[i : i + 1], LOSSES[name].target(there), stream()) for i in range(3)]
    torch.testing.assert_close(together, torch.cat(alone))


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "histogram"])
def test_the_gradient_is_that_of_finite_differences(name: str) -> None:
    loss = LOSSES[name]
    here, target = features(0, count=2, height=3, width=3).requires_grad_(), loss.target(features(1, count=1))
    assert torch.autograd.gradcheck(lambda x: loss(x, target, stream()), (here,))


def test_the_gradient_of_the_content_loss_is_that_of_finite_differences() -> None:
    here, there = features(0, count=2, height=3, width=3).requires_grad_(), features(1, count=1, height=3, width=3)
    assert torch.autograd.gradcheck(lambda x: content_loss(x, there), (here,))
    (gradient,) = torch.autograd.grad(content_loss(here, there).sum(), here)
    assert float(gradient.abs().max()) > 1e-3


@pytest.mark.parametrize("name", [name for name in LOSSES if name != "histogram"])
def test_the_gradient_of_a_style_is_that_of_finite_differences(name: str) -> None:
    """Over two layers of different sizes, with weights that differ; LogLoss of this loss and of covariances."""
    shapes = {"fine": (3, 4, 3), "deep": (4, 2, 3)}
    there = {layer: features(9, 1, *shape) for layer, shape in shapes.items()}
    here = [features(place, 2, *shape).requires_grad_() for place, shape in enumerate(shapes.values())]
    weights = {"fine": 1.0, "deep": 3.0}
    style = StyleLoss.toward(there, LOSSES[name], stream(), weights)
    also = StyleLoss.toward(there, LOSSES["covariance"], stream(), weights)
    for loss in (style, LogLoss(style.loss, style.targets, style.scales, style.weights, also=also)):
        assert torch.autograd.gradcheck(
            lambda fine, deep, loss=loss: loss({"fine": fine, "deep": deep}, stream()), tuple(here)
        )
        gradients = torch.autograd.grad(loss(dict(zip(shapes, here, strict=True)), stream()).sum(), here)
        assert min(float(gradient.abs().max()) for gradient in gradients) > 1e-3


def test_the_gradient_of_the_diversity_is_that_of_finite_differences() -> None:
    images = torch.rand(4, 3, 3, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).requires_grad_()
    assert torch.autograd.gradcheck(diversity, (images,))
    (gradient,) = torch.autograd.grad(diversity(images), images)
    assert float(gradient.abs().max()) > 1e-3


def test_the_gradient_of_the_histogram_loss_holds_the_match_fixed() -> None:
    loss = Histogram()
    here, there = features(0).requires_grad_(), features(1)
    target = loss.target(there)
    loss(here, target).sum().backward()
    fixed = loss.matched(here.detach(), target).reshape(here.shape)
    expected = 2 * (here.detach() - fixed) / here[0].numel()
    torch.testing.assert_close(here.grad, expected)
    assert float(expected.abs().max()) > 1e-3


def test_a_dead_channel_is_drawn_to_all_values_of_the_target() -> None:
    loss, there = Histogram(), features(1, count=1, height=40, width=40)
    found = loss(torch.zeros_like(there), loss.target(there))
    assert float(found) == pytest.approx(float(there.square().mean()), rel=1e-3)


@pytest.mark.parametrize("name", LOSSES)
@given(seed=st.integers(0, 1000))
def test_a_texture_does_not_care_where_its_features_are(name: str, seed: int) -> None:
    here, target = features(seed), LOSSES[name].target(features(seed + 1))
    order = torch.from_numpy(np.random.default_rng(seed).permutation(30))
    moved = here.flatten(2)[:, :, order].reshape(here.shape)
    torch.testing.assert_close(LOSSES[name](moved, target, stream()), LOSSES[name](here, target, stream()))


@pytest.mark.parametrize("name", LOSSES)
def test_an_image_is_at_no_distance_from_itself_and_at_one_from_others(name: str) -> None:
    here = features(0)
    assert float(LOSSES[name](here, LOSSES[name].target(here), stream()).abs().max()) < 1e-9
    assert float(LOSSES[name](here, LOSSES[name].target(features(1)), stream()).min()) > 1e-4


@pytest.mark.parametrize("name", LOSSES)
def test_tiling_an_image_leaves_it_at_hardly_any_distance(name: str) -> None:
    here = features(0, height=24, width=24)
    tiled = here.repeat(1, 1, 2, 2)
    other = LOSSES[name](features(1, height=24, width=24), LOSSES[name].target(here), stream())
    assert torch.all(LOSSES[name](tiled, LOSSES[name].target(here), stream()) < 0.02 * other)


def test_quantiles_are_interpolated_between_the_middles_of_ranks() -> None:
    ranked = torch.from_numpy(np.sort(np.random.default_rng(0).normal(size=(2, 3, 10)), axis=2))
    for count in (4, 10, 17):
        places, there = (np.arange(count) + 0.5) / count, (np.arange(10) + 0.5) / 10
        expected = [[np.interp(places, there, row) for row in image] for image in ranked.numpy()]
        np.testing.assert_allclose(quantiles(ranked, count).numpy(), expected, atol=1e-12)


def test_sorted_values_of_different_sizes_come_near_the_exact_distance() -> None:
    random = np.random.default_rng(0)
    a, b = random.normal(0, 1, 4000), random.normal(0.5, 2, 3000)
    loss = LOSSES["sorted"]
    found = loss(torch.from_numpy(a).view(1, 1, 40, 100), loss.target(torch.from_numpy(b).view(1, 1, 30, 100)))
    fine = 600_000
    quantile = (np.arange(fine) + 0.5) / fine
    exact = np.mean((np.quantile(a, quantile) - np.quantile(b, quantile)) ** 2)
    assert float(found) == pytest.approx(exact, rel=0.01)
    assert float(found) ** 0.5 >= wasserstein_distance(a, b)  # Jensen


def test_sliced_wasserstein_sees_what_single_channels_do_not() -> None:
    """(x, x) against (x, -x): along (cos t, sin t) the squared distance is 2 - 2 |cos 2t|, on average 2 - 4 / pi."""
    normal = np.random.default_rng(0).normal(size=1000)
    x = np.concatenate([normal, -normal])
    x /= x.std()
    here, there = (torch.from_numpy(np.stack(part)).view(1, 2, 40, 50) for part in ((x, x), (x, -x)))
    assert float(LOSSES["sorted"](here, LOSSES["sorted"].target(there))) < 1e-12
    loss = SlicedWasserstein(directions=2000)
    assert float(loss(here, loss.target(there), stream())) == pytest.approx(2 - 4 / np.pi, rel=0.03)


def test_sliced_wasserstein_says_what_it_needs() -> None:
    loss = LOSSES["sliced"]
    with pytest.raises(ConfigError, match="directions"):
        loss(features(0), loss.target(features(1)))
