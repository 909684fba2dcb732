"""A network in 16 bits: what is rounded and what is not, and gradients that float16 could not hold by themselves."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from paribus.errors import ConfigError
from paribus.train.arithmetic import autocast, computed
from paribus.train.precision import PRECISIONS, check_precision, learning

UNIT = {"float32": 2.0**-24, "bfloat16": 2.0**-8, "float16": 2.0**-11}
"""The largest relative error of rounding once."""


def _drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def _network(images: Tensor) -> dict[str, Tensor]:
    """Two convolutions and a linear layer, with the features of the first and the answers of the last.

    All are smooth: rounding decides on which side of a ReLU's corner a number lies.
    """
    first = torch.tanh(F.conv2d(images, _drawn(8, 3, 3, 3, seed=1) / 5, _drawn(8, seed=2), padding=1))
    second = F.avg_pool2d(torch.tanh(F.conv2d(first, _drawn(16, 8, 3, 3, seed=3) / 8, padding=1)), 4).flatten(1)
    return {"first": first, "last": F.linear(second, _drawn(5, 64, seed=4) / 8, _drawn(5, seed=5))}


def _slope(images: Tensor, precision: str, loss: Callable[[dict[str, Tensor]], Tensor]) -> Tensor:
    variable = images.clone().requires_grad_()
    (slope,) = torch.autograd.grad(loss(computed(_network, variable, precision)), variable)
    return slope


def test_emulated_float16_rounds_factors_and_results_and_sums_in_float32() -> None:
    """By a loop: numpy's float16 for what is rounded, float64 for the sums."""
    image, kernel, bias = _drawn(1, 3, 6, 6), _drawn(4, 3, 3, 3, seed=1), _drawn(4, seed=2)
    with autocast("cpu", "float16"):
        found = F.conv2d(image, kernel, bias)
        other = image * 1.0
    assert found.dtype == torch.float16
    assert torch.equal(other, image)  # products alone are rounded
    x, w, b = (value.numpy().astype(np.float16).astype(np.float64) for value in (image, kernel, bias))
    for channel, top, left in np.ndindex(4, 4, 4):
        exact = (x[0, :, top : top + 3, left : left + 3] * w[channel]).sum() + b[channel]
        assert abs(float(found[0, channel, top, left]) - exact) <= abs(exact) * UNIT["float16"] + 1e-5


def test_emulated_float16_is_torchs_own_but_for_a_rounding() -> None:
    image = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    with autocast("cpu", "float16"):
        ours = _network(image)
    with torch.autocast("cpu", torch.float16):
        theirs = _network(image)
    for name in ours:
        assert ours[name].dtype == theirs[name].dtype == torch.float16
        assert torch.allclose(ours[name].float(), theirs[name].float(), rtol=4 * UNIT["float16"], atol=2e-3)
    left, right = _drawn(2, 3, 4), _drawn(2, 4, 5, seed=1)
    for product in (lambda: left @ right, lambda: torch.bmm(left, right), lambda: left[0].mm(right[0]),
                    lambda: torch.einsum("bij,bjk->bik", left, right),
                    lambda: torch.addmm(_drawn(5), left[0], right[0])):  # fmt: skip
        with autocast("cpu", "float16"):
            one = product()
        with torch.autocast("cpu", torch.float16):
            other = product()
        assert one.dtype == other.dtype == torch.float16
        assert torch.allclose(one.float(), other.float(), rtol=4 * UNIT["float16"], atol=4e-3)
    ours_again = F.conv2d(image, _drawn(8, 3, 3, 3, seed=1))
    assert ours_again.dtype == torch.float32  # afterwards all is as before


@pytest.mark.parametrize("precision", PRECISIONS)
def test_what_is_computed_is_near_float64_and_in_float32_at_least(precision: str) -> None:
    images = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    found = computed(_network, images, precision)
    exact = _network_in_float64(images)
    for name, value in found.items():
        assert value.dtype == torch.float32
        error = (value.double() - exact[name]).abs().max() / exact[name].abs().max()
        assert error < 8 * UNIT[precision]
        assert precision == "float32" or error > UNIT[precision] / 8
    assert computed(lambda x: {"x": x.sqrt()}, images.double(), precision)["x"].dtype == torch.float64


def _network_in_float64(images: Tensor) -> dict[str, Tensor]:
    first = torch.tanh(
        F.conv2d(images.double(), _drawn(8, 3, 3, 3, seed=1).double() / 5, _drawn(8, seed=2).double(), padding=1)
    )
    second = torch.tanh(F.conv2d(first, _drawn(16, 8, 3, 3, seed=3).double() / 8, padding=1))
    answers = F.linear(
        F.avg_pool2d(second, 4).flatten(1), _drawn(5, 64, seed=4).double() / 8, _drawn(5, seed=5).double()
    )
    return {"first": first, "last": answers}


@settings(max_examples=30, deadline=None)
@given(
    small=st.sampled_from([1e-20, 1e-12, 1e-8, 1e-4, 1.0, 1e4, 1e10]),
    place=st.integers(0, 2),
    precision=st.sampled_from(PRECISIONS),
)
def test_a_gradient_of_any_size_comes_back_and_no_other_image_decides_it(
    small: float, place: int, precision: str
) -> None:
    images = torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    weights = torch.ones(3)
    weights[place] = small

    def loss(found: dict[str, Tensor]) -> Tensor:
        parts = found["first"].square().flatten(1).mean(dim=1) + found["last"].square().sum(dim=1)
        return (weights * parts).sum()

    exact, slope = _slope(images, "float32", loss) / weights.view(-1, 1, 1, 1), _slope(images, precision, loss)
    for row in range(3):
        far = (slope[row] / weights[row] - exact[row]).norm() / exact[row].norm()
        assert far < 16 * UNIT[precision] + 1e-5
    alone = _slope(images[place : place + 1], precision, lambda found: weights[place] * found["last"].square().sum())
    beside = _slope(images, precision, lambda found: (weights * found["last"].square().sum(dim=1)).sum())[place]
    assert float((alone[0] - beside).abs().max()) <= 16 * UNIT[precision] * float(beside.abs().max())


def test_without_its_scale_float16_would_lose_the_gradient() -> None:
    images = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0)).requires_grad_()
    with autocast("cpu", "float16"):
        found = _network(images)
    (lost,) = torch.autograd.grad(1e-9 * found["last"].float().square().sum(), images)
    assert not bool(lost.any())
    assert bool(_slope(images.detach(), "float16", lambda found: 1e-9 * found["last"].square().sum()).any())


def test_where_nothing_is_lost_the_gradient_is_nought() -> None:
    images = torch.rand(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    slope = _slope(images, "float16", lambda found: found["last"][0].square().sum())
    assert bool(slope[0].any())
    assert not bool(slope[1].any())


def test_what_learns_beside_float16_is_in_float32() -> None:
    assert [learning(precision) for precision in PRECISIONS] == ["float32", "bfloat16", "float32"]


def test_another_precision_is_refused_by_the_fields_name() -> None:
    for field, value in itertools.product(("precision", "protocol.precision"), ("half", "")):
        with pytest.raises(ConfigError, match=f"{field} is {value!r}; one of float32, bfloat16, float16 is expected"):
            check_precision(field, value)
