"""Lp pooling against a plain loop and torch's average and max pooling; its gradient; extreme inputs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from paribus.errors import ConfigError, DataError
from paribus.nn.pooling import LpPool2d, gaussian_window

POWERS = [1, 2, 4, 8, 12, 32]


def images(shape=(2, 3, 4, 6), dtype=torch.float64, relu=False, seed=1) -> torch.Tensor:
    x = torch.from_numpy(np.random.default_rng(seed).normal(size=shape)).to(dtype)
    return x.relu() if relu else x


def loop(x: torch.Tensor, layer: LpPool2d) -> torch.Tensor:
    """The formula, one window and one cell at a time, over the cells inside the image."""
    k, stride, pad = layer.kernel_size, layer.stride, layer.padding
    n, c, height, width = x.shape
    out = torch.empty(n, c, (height + 2 * pad - k) // stride + 1, (width + 2 * pad - k) // stride + 1, dtype=x.dtype)
    for index in np.ndindex(*out.shape):
        total = norm = 0.0
        for i in range(k):
            for j in range(k):
                row, column = index[2] * stride + i - pad, index[3] * stride + j - pad
                if not (0 <= row < height and 0 <= column < width):
                    continue
                g = 1.0
                if layer.sigma is not None:
                    centre = (k - 1) / 2
                    g = math.exp(-((i - centre) ** 2 + (j - centre) ** 2) / (2 * layer.sigma**2))
                total += g * abs(float(x[index[0], index[1], row, column])) ** layer.p
                norm += g
        out[index] = (total / norm) ** (1 / layer.p)
    return out


GEOMETRIES = [
    {"kernel_size": 2, "stride": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": 2, "stride": 3},
    {"kernel_size": 3, "stride": 1},
]


@pytest.mark.parametrize("p", [1, 2, 3, 2.5, 4, 8, 12, 32])
@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("window", ["uniform", "gaussian"])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_pooling_is_the_formula(p, geometry, window, layout):
    x = images((2, 3, 5, 6)).to(memory_format=layout)
    layer = LpPool2d(p, **geometry, window=window)
    y = layer(x)
    assert y.is_contiguous(memory_format=layout)
    torch.testing.assert_close(y, loop(x, layer))


@pytest.mark.parametrize("p", [1, 2, 3, 2.5, 4, 8, 12, 32])
@pytest.mark.parametrize("geometry", GEOMETRIES)
@pytest.mark.parametrize("window", ["uniform", "gaussian"])
def test_gradient_by_finite_differences(p, geometry, window):
    x = images((2, 2, 5, 6)).to(memory_format=torch.channels_last).requires_grad_()
    assert torch.autograd.gradcheck(LpPool2d(p, **geometry, window=window), (x,))


@pytest.mark.parametrize("p", [2, 4, 8, 12, 32, 3])
def test_gradient_is_the_closed_form(p):
    x = images((2, 2, 4, 4)).requires_grad_()
    y = LpPool2d(p)(x)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    inputs, outputs = x.detach(), y.detach()
    for index in np.ndindex(*x.shape):
        value, pooled = float(inputs[index]), float(outputs[index[0], index[1], index[2] // 2, index[3] // 2])
        expected = 0.25 * (abs(value) / pooled) ** (p - 1) * math.copysign(1, value)
        assert float(gradient[index]) == pytest.approx(expected, rel=1e-9, abs=1e-30)


def test_power_one_is_average_pooling_and_infinity_is_max_pooling():
    x = images(relu=True, dtype=torch.float32)
    torch.testing.assert_close(LpPool2d(1)(x), F.avg_pool2d(x, 2))
    torch.testing.assert_close(LpPool2d(math.inf)(x), F.max_pool2d(x, 2))
    padded = LpPool2d(1, 3, 2, 1)(x)
    torch.testing.assert_close(padded, F.avg_pool2d(x, 3, 2, 1, count_include_pad=False))


@pytest.mark.parametrize("p", POWERS)
def test_torchs_own_pooling_agrees_up_to_the_mean(p):
    x = images(relu=True) + 0.1
    torch.testing.assert_close(LpPool2d(p)(x), F.lp_pool2d(x, float(p), 2) * 4 ** (-1 / p))


values = st.floats(0, 2.0**100, width=32) | st.floats(0, 3, width=32) | st.just(0.0)
windows = arrays(np.float32, (2, 1, 2, 4), elements=values)


@given(x=windows, p=st.sampled_from([1, 2, 4, 8, 12, 32, 3, 1.5, 7.3]))
@settings(max_examples=200, deadline=None)
def test_it_lies_between_the_mean_and_the_maximum_and_near_the_maximum(x, p):
    tensor = torch.from_numpy(x).requires_grad_()
    y = LpPool2d(p)(tensor)
    largest = F.max_pool2d(tensor, 2)
    # n^(-1/p) max <= y <= max. Inputs below the smallest normal number may be rounded to zero.
    assert bool((y <= largest * (1 + 1e-5)).all())
    assert bool((y >= 4 ** (-1 / p) * largest * (1 - 1e-5) - 1e-37).all())
    assert bool((y >= F.avg_pool2d(tensor, 2) * (1 - 1e-5) - 1e-37).all())
    (gradient,) = torch.autograd.grad(y.sum(), tensor)
    assert bool(torch.isfinite(gradient).all())
    assert bool((gradient >= 0).all())
    assert bool((gradient <= 4 ** (-1 / p) * (1 + 1e-5)).all())
    assert bool((gradient[tensor == 0] == 0).all())


@given(x=windows)
@settings(max_examples=60, deadline=None)
def test_it_grows_with_p(x):
    tensor = torch.from_numpy(x)
    previous = LpPool2d(1)(tensor)
    for p in (1.5, 2, 3, 4, 8, 12, 32, math.inf):
        current = LpPool2d(p)(tensor)
        assert bool((current >= previous * (1 - 1e-5) - 1e-37).all())
        previous = current


@pytest.mark.parametrize("p", [*POWERS, 3, 7.3])
@pytest.mark.parametrize("factor", [1e-30, 0.3, 1e30])
@pytest.mark.parametrize("window", ["uniform", "gaussian"])
def test_it_is_homogeneous_with_a_gradient_that_does_not_see_the_scale(p, factor, window):
    layer = LpPool2d(p, 3, 2, 1, window=window)
    x = images(relu=True, dtype=torch.float32).requires_grad_()
    scaled = (x.detach() * factor).requires_grad_()
    y, scaled_y = layer(x), layer(scaled)
    torch.testing.assert_close(scaled_y / factor, y, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(
        torch.autograd.grad(scaled_y.sum(), scaled)[0], torch.autograd.grad(y.sum(), x)[0], rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("p", [*POWERS, 2.5])
@pytest.mark.parametrize("window", ["uniform", "gaussian"])
def test_an_empty_window_is_zero_without_gradient(p, window):
    x = torch.zeros(1, 1, 4, 4, requires_grad=True)
    y = LpPool2d(p, 3, 1, 1, window=window)(x)
    assert torch.equal(y, torch.zeros(1, 1, 4, 4))
    assert torch.equal(torch.autograd.grad(y.sum(), x)[0], torch.zeros(1, 1, 4, 4))


@pytest.mark.parametrize("p", POWERS)
def test_ties_share_the_gradient(p):
    x = torch.tensor([[[[3.0, 3.0], [0.0, 3.0]]]], requires_grad=True)
    y = LpPool2d(p)(x)
    assert float(y.detach()) == pytest.approx(3 * 0.75 ** (1 / p))
    (gradient,) = torch.autograd.grad(y.sum(), x)
    expected = 0.25 * 0.75 ** ((1 - p) / p)
    assert gradient.flatten().tolist() == pytest.approx([expected, expected, 0.0, expected])


@pytest.mark.parametrize("p", [*POWERS, 2.5])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_bfloat16_is_the_float32_result_rounded(p, layout):
    x = images((2, 3, 8, 8), torch.bfloat16, relu=True).to(memory_format=layout).requires_grad_()
    wide = x.detach().float().requires_grad_()
    y, expected = LpPool2d(p)(x), LpPool2d(p)(wide)
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), expected, rtol=2**-8, atol=0)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    (expected_gradient,) = torch.autograd.grad(expected.sum(), wide)
    torch.testing.assert_close(gradient.float(), expected_gradient, rtol=2**-7, atol=1e-6)


def test_it_works_under_autocast():
    x = images((2, 3, 8, 8), torch.float32, relu=True).to(memory_format=torch.channels_last).requires_grad_()
    layer = LpPool2d(4, 3, 2, 1, window="gaussian", learn=True)
    expected = torch.autograd.grad(layer(x).sum(), (x, layer.rho))
    with torch.autocast("cpu", torch.bfloat16):
        y = layer(x)
    for value, wanted in zip(torch.autograd.grad(y.sum(), (x, layer.rho)), expected, strict=True):
        torch.testing.assert_close(value, wanted)


def test_many_chunks_give_what_one_image_at_a_time_gives():
    x = images((40, 16, 32, 32), torch.float32, relu=True).to(memory_format=torch.channels_last).requires_grad_()
    layer = LpPool2d(12)
    y = layer(x)
    (gradient,) = torch.autograd.grad(y.square().sum(), x)
    for i in (0, 7, 8, 39):
        one = x[i : i + 1].detach().requires_grad_()
        y_one = layer(one)
        assert torch.equal(y_one[0], y[i])
        assert torch.equal(torch.autograd.grad(y_one.square().sum(), one)[0][0], gradient[i])


@pytest.mark.parametrize("p", [4, 2.5, 32])
def test_the_range_of_magnitudes_where_small_numbers_are_flushed(p):
    assert torch.set_flush_denormal(True)
    try:
        for size in (1.2e-38, 8e37):
            found = LpPool2d(p)(torch.full((1, 1, 2, 2), size))
            assert float(found) == pytest.approx(size, rel=1e-4)
        assert float(LpPool2d(p)(torch.full((1, 1, 2, 2), 2e38))) < 1e30
    finally:
        torch.set_flush_denormal(False)


def test_a_nan_is_not_hidden():
    for p in (2, 32, 2.5):
        x = torch.ones(1, 1, 2, 4)
        x[0, 0, 1, 2] = math.nan
        assert LpPool2d(p)(x).isnan().flatten().tolist() == [False, True]


def test_an_empty_batch_stays_empty():
    x = torch.zeros(0, 3, 4, 4, requires_grad=True)
    y = LpPool2d(4)(x)
    assert y.shape == (0, 3, 2, 2)
    y.sum().backward()


# The window and the learnt exponent.


def test_gaussian_window():
    window = gaussian_window(3, 0.75)
    expected = [[math.exp(-(i * i + j * j) / (2 * 0.75**2)) for j in (-1, 0, 1)] for i in (-1, 0, 1)]
    torch.testing.assert_close(window, torch.tensor(expected, dtype=torch.float64) / np.sum(expected))
    torch.testing.assert_close(gaussian_window(2, 0.3), torch.full((2, 2), 0.25, dtype=torch.float64))


@pytest.mark.parametrize("window", ["uniform", "gaussian"])
def test_a_constant_image_stays_as_it_is_up_to_the_border(window):
    x = torch.full((1, 2, 6, 6), 3.0)
    for p in (2, 32, 2.5):
        torch.testing.assert_close(LpPool2d(p, 3, 2, 1, window=window)(x), torch.full((1, 2, 3, 3), 3.0))


@pytest.mark.parametrize("p", [1.0001, 1.5, 2.0, 4.0, 32.0])
def test_a_learnt_exponent_starts_where_it_is_told(p):
    layer = LpPool2d(p, learn=True)
    assert layer.p == pytest.approx(p, rel=1e-6)
    x = images(relu=True, dtype=torch.float32)
    torch.testing.assert_close(layer(x), LpPool2d(p)(x), rtol=1e-4, atol=1e-6)
    assert [name for name, _ in layer.named_parameters()] == ["rho"]
    assert list(LpPool2d(p).parameters()) == []


@pytest.mark.parametrize("window", ["uniform", "gaussian"])
@pytest.mark.parametrize("p", [1.3, 4.0, 12.0])
def test_the_gradient_of_the_exponent_by_finite_differences(p, window):
    layer = LpPool2d(p, 3, 2, 1, window=window, learn=True).double()
    x = images((2, 2, 5, 6), relu=True).requires_grad_()

    def pooled(v: torch.Tensor, rho: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(layer, {"rho": rho}, (v,))

    positive = (x.detach() + 0.05).requires_grad_()
    assert torch.autograd.gradcheck(pooled, (positive, layer.rho))
    (slope,) = torch.autograd.grad(layer(x).sum(), layer.rho)
    step = 1e-6
    rho = layer.rho.detach()
    numeric = (pooled(x.detach(), rho + step).sum() - pooled(x.detach(), rho - step).sum()) / (2 * step)
    assert float(slope) == pytest.approx(float(numeric), rel=1e-5)


def test_descent_finds_the_exponent_that_made_the_data():
    x = images((4, 2, 8, 8), torch.float32, relu=True) + 0.1
    target, layer = LpPool2d(3.0)(x), LpPool2d(8.0, learn=True)
    optimiser = torch.optim.Adam(layer.parameters(), lr=0.2)
    for _ in range(150):
        optimiser.zero_grad()
        (layer(x) - target).square().mean().backward()
        optimiser.step()
    assert layer.p == pytest.approx(3.0, abs=0.02)
    assert f"p={layer.p:g}, learnt" in repr(layer)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 0.5}, "1 or more"),
        ({"p": math.nan}, "1 or more"),
        ({"p": 1.0, "learn": True}, "above 1"),
        ({"p": math.inf, "learn": True}, "finite"),
        ({"p": 2.0, "padding": 2}, "at most half"),
        ({"p": 2.0, "stride": 0}, "1 or more"),
        ({"p": 2.0, "sigma": 1.0}, "only a gaussian"),
        ({"p": 2.0, "window": "gaussian", "sigma": -1.0}, "above 0"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ConfigError, match=message):
        LpPool2d(**arguments)


def test_an_input_smaller_than_the_window_is_refused():
    with pytest.raises(DataError, match="1 x 4 input is smaller"):
        LpPool2d(2)(torch.ones(1, 1, 1, 4))


def test_a_second_derivative_is_refused_rather_than_wrong():
    x = images().requires_grad_()
    (gradient,) = torch.autograd.grad(LpPool2d(4)(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()
