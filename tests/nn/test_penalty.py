"""The weight penalty against a loop and its limits; which parameters count; sparsity."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from paribus.errors import ConfigError
from paribus.nn.penalty import SMOOTHING, penalised_weights, sparsity, weight_penalty, weight_scale
from paribus.nn.pooling import LpPool2d


def network() -> nn.Module:
    module = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), LpPool2d(4, learn=True), nn.Flatten(), nn.Linear(8, 3)
    )
    with torch.no_grad():
        module[0].weight.copy_(torch.linspace(-1, 1, 18).reshape(2, 1, 3, 3))
        module[4].weight.copy_(torch.linspace(0, 2, 24).reshape(3, 8))
    return module


@pytest.mark.parametrize("p", [2.0, 1.0, 0.5])
def test_penalty_is_the_sum_of_powers(p):
    weights = [torch.tensor([[0.5, -2.0], [0.1, 3.0]], dtype=torch.float64), torch.tensor([-0.7], dtype=torch.float64)]
    plain = sum(abs(v) ** p for w in weights for v in w.flatten().tolist())
    smoothed = sum((v * v + SMOOTHING**2) ** (p / 2) - SMOOTHING**p for w in weights for v in w.flatten().tolist())
    value = float(weight_penalty(weights, p))
    assert value == pytest.approx(smoothed, rel=1e-12)
    assert float(weight_penalty(weights, p, smoothing=1e-12)) == pytest.approx(plain, rel=1e-5)


@pytest.mark.parametrize("p", [2.0, 1.0, 0.5])
def test_penalty_gradient(p):
    w = torch.tensor([0.5, -2.0, 1e-4, 0.0, -3e-3], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda v: weight_penalty([v], p), (w,), eps=1e-8, atol=1e-4)
    (gradient,) = torch.autograd.grad(weight_penalty([w], p), w)
    delta = SMOOTHING if p != 2 else 0.0
    expected = [p * v * (v * v + delta**2) ** (p / 2 - 1) if v else 0.0 for v in w.tolist()]
    assert gradient.tolist() == pytest.approx(expected)


@given(w=st.floats(-(2.0**100), 2.0**100, width=32), p=st.sampled_from([1.0, 0.5]))
@settings(max_examples=100, deadline=None)
def test_penalty_is_finite_even_and_not_negative(w, p):
    tensor = torch.tensor([w, -w], requires_grad=True)
    value = weight_penalty([tensor], p)
    (gradient,) = torch.autograd.grad(value, tensor)
    assert math.isfinite(float(value.detach()))
    assert float(value.detach()) >= -1e-6
    assert bool(torch.isfinite(gradient).all())
    assert float(gradient[0]) == -float(gradient[1])


def test_gradient_descent_settles_at_zero_below_the_stated_rate_and_not_above():
    def last(rate: float) -> float:
        w = torch.tensor([2e-4], dtype=torch.float64)
        for _ in range(2000):
            w.requires_grad_()
            (gradient,) = torch.autograd.grad(weight_penalty([w], 0.5), w)
            w = (w - rate * gradient).detach()
        return abs(float(w))

    bound = 2 / (0.5 * SMOOTHING ** (0.5 - 2))
    assert last(0.9 * bound) < 1e-12
    assert last(1.2 * bound) > 1e-5


def test_only_weights_are_penalised():
    module = network()
    assert sorted(penalised_weights(module)) == ["0.weight", "4.weight"]
    module[0].weight.requires_grad_(False)
    assert sorted(penalised_weights(module)) == ["4.weight"]


def test_no_weights_cost_nothing():
    assert float(weight_penalty([], 1.0)) == 0


def test_sparsity_counts_weights_below_the_threshold():
    module = network()
    flat = [v for w in penalised_weights(module).values() for v in w.flatten().tolist()]
    assert sparsity(module, threshold=0.3) == sum(abs(v) < 0.3 for v in flat) / 42
    scale = weight_scale(module)
    assert scale["0.weight"] == pytest.approx(math.sqrt(sum(v * v for v in torch.linspace(-1, 1, 18).tolist()) / 18))
    expected = sum(
        abs(v) < 0.3 * scale[name] for name, w in penalised_weights(module).items() for v in w.flatten().tolist()
    )
    assert sparsity(module, threshold=0.3, scale=scale) == expected / 42
    with torch.no_grad():
        for w in penalised_weights(module).values():
            w.zero_()
    assert sparsity(module, scale=scale) == 1.0


def test_the_doc_is_right_about_a_gaussian_layer():
    module = nn.Linear(500, 400)
    with torch.no_grad():
        module.weight.copy_(torch.randn(400, 500, generator=torch.Generator().manual_seed(1)))
    assert sparsity(module, 1e-2, weight_scale(module)) == pytest.approx(0.8e-2, rel=0.1)


def test_bad_arguments_are_refused():
    with pytest.raises(ConfigError, match="p = 0"):
        weight_penalty([torch.ones(2)], 0)
    with pytest.raises(ConfigError, match="this one has none"):
        sparsity(nn.ReLU())
