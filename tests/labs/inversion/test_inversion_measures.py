"""Measures of a reconstruction against closed forms, loops and properties."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from paribus.labs.inversion.measure import (
    above_mean,
    agreement,
    judged_layers,
    looks_unlike,
    signal_to_noise,
    similarity,
)
from paribus.nn.networks.layered import Layered
from paribus.nn.networks.load import load
from paribus.nn.networks.names import Fixed
from paribus.spec.seed import Streams


def images(count: int, side: int = 20, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, side, side, generator=torch.Generator().manual_seed(seed)) * 0.5 + 0.25


def test_the_signal_to_noise_ratio_is_its_formula() -> None:
    x = images(2)
    found = signal_to_noise(x, x + torch.tensor([0.1, -0.01]).view(2, 1, 1, 1))
    np.testing.assert_allclose(found, [20.0, 40.0], atol=1e-3)
    assert signal_to_noise(x, x).tolist() == [100.0, 100.0]
    outside = torch.full_like(x, 7.0)
    np.testing.assert_allclose(signal_to_noise(x, outside), signal_to_noise(x, torch.ones_like(x)))


@settings(max_examples=30, deadline=None)
@given(starts=st.integers(2, 5), photographs=st.integers(1, 3), seed=st.integers(0, 1000))
def test_agreement_is_the_ratio_between_all_pairs(starts: int, photographs: int, seed: int) -> None:
    x = images(starts * photographs, 5, seed)
    found = agreement(x, starts)
    for place in range(photographs):
        own = x[place::photographs].double().numpy()
        apart = [np.mean((own[i] - own[j]) ** 2) for i in range(starts) for j in range(i)]
        assert found[place] == pytest.approx(-10 * math.log10(np.mean(apart)), rel=1e-9)
    assert agreement(x[:1].repeat(starts, 1, 1, 1), starts).tolist() == [100.0]


def test_structural_similarity_is_the_mean_over_windows() -> None:
    x, y = images(1, 9), images(1, 9, seed=1)
    values = []
    for channel in range(3):
        a, b = x[0, channel].double().numpy(), y[0, channel].double().numpy()
        for row in range(3):
            for column in range(3):
                p, q = a[row : row + 7, column : column + 7], b[row : row + 7, column : column + 7]
                covariance = np.cov(p.ravel(), q.ravel())
                top = (2 * p.mean() * q.mean() + 0.01**2) * (2 * covariance[0, 1] + 0.03**2)
                bottom = (p.mean() ** 2 + q.mean() ** 2 + 0.01**2) * (covariance[0, 0] + covariance[1, 1] + 0.03**2)
                values.append(top / bottom)
    assert float(similarity(x, y)[0]) == pytest.approx(np.mean(values), rel=1e-5)
    assert float(similarity(x, x)[0]) == pytest.approx(1.0)


@pytest.fixture(scope="module", params=["small_vgg", "resnet18"])
def judge(request: pytest.FixtureRequest) -> Layered:
    return load(Fixed(name=request.param, weights="random"), Streams(0))


def test_a_judge_compares_the_last_map_of_each_resolution(judge: Layered) -> None:
    layers = judged_layers(judge, images(1, 64))
    expected = {
        "relu1_1": ("relu1_2", "relu2_2", "relu3_2", "relu4_2"),
        "relu1": ("relu1", "layer1_2", "layer2_2", "layer3_2", "layer4_2"),
    }
    assert layers == expected["relu1" if "relu1" in judge.layers else "relu1_1"]


def test_how_unlike_images_look_is_that_of_a_loop(judge: Layered) -> None:
    x, y = images(1, 32), images(1, 32, seed=1)
    parts = []
    for name in judged_layers(judge, x):
        a, b = (judge.features(z, (name,))[name][0].double().numpy() for z in (x, y))
        places = []
        for row in range(a.shape[1]):
            for column in range(a.shape[2]):
                p, q = a[:, row, column], b[:, row, column]
                norms = [math.sqrt(sum(v**2)) or 1.0 for v in (p, q)]
                places.append(sum((p / norms[0] - q / norms[1]) ** 2))
        parts.append(sum(places) / len(places))
    assert float(looks_unlike(judge, x, y)) == pytest.approx(sum(parts) / len(parts), rel=1e-3)


def test_how_unlike_images_look_is_symmetric_zero_for_equal_ones_and_grows_with_noise(judge: Layered) -> None:
    x, noise = images(2, 32), torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(2))
    assert looks_unlike(judge, x, x).tolist() == [0.0, 0.0]
    near, far = looks_unlike(judge, x, x + 0.02 * noise), looks_unlike(judge, x, x + 0.2 * noise)
    assert bool((near < far).all())
    assert bool((far < 4).all())
    torch.testing.assert_close(looks_unlike(judge, x + 0.2 * noise, x), far)


def test_above_the_mean_colour_is_the_variance_over_the_squared_error() -> None:
    x = images(2)
    np.testing.assert_allclose(above_mean(x, x.mean(dim=(2, 3), keepdim=True).expand_as(x)), 0.0, atol=1e-4)
    variance = x.double().var(dim=(2, 3), correction=0).mean(dim=1).numpy()
    np.testing.assert_allclose(above_mean(x, x + 0.1), 10 * np.log10(variance / 0.01), atol=1e-3)
