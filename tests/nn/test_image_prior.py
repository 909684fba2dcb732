"""Total variation and the alpha norm against loops and their gradients in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from paribus.errors import ConfigError
from paribus.nn.image_prior import alpha_norm, total_variation


def _images(seed: int, *shape: int) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def _loop(image: np.ndarray, beta: float) -> float:
    channels, height, width = image.shape
    total = 0.0
    for c in range(channels):
        for i in range(height):
            for j in range(width):
                dx = image[c, i, j + 1] - image[c, i, j] if j + 1 < width else 0.0
                dy = image[c, i + 1, j] - image[c, i, j] if i + 1 < height else 0.0
                total += (dx * dx + dy * dy) ** (beta / 2)
    return total


@pytest.mark.parametrize("beta", [1.0, 1.5, 2.0, 3.0])
def test_total_variation_is_the_loop(beta: float) -> None:
    images = _images(0, 3, 2, 5, 7)
    expected = [_loop(image.numpy(), beta) for image in images]
    smoothing = 1e-8 ** (beta / 2) * images[0].numel() if beta < 2 else 0
    np.testing.assert_allclose(total_variation(images, beta).numpy(), expected, rtol=1e-6, atol=smoothing)


@pytest.mark.parametrize("beta", [1.0, 1.5, 2.0, 3.0])
def test_its_gradient(beta: float) -> None:
    images = _images(1, 2, 1, 4, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: total_variation(x, beta), images)


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0, 3.0])
def test_a_constant_image_has_none_and_no_gradient(beta: float) -> None:
    images = torch.full((1, 3, 4, 4), 0.7, dtype=torch.float64, requires_grad=True)
    value = total_variation(images, beta)
    value.sum().backward()
    assert value.item() == pytest.approx(0, abs=1e-12)
    assert images.grad is not None
    assert images.grad.abs().max() == 0


@given(st.integers(0, 10**6), st.floats(0.1, 10))
def test_it_scales_with_its_power(seed: int, factor: float) -> None:
    images = _images(seed, 1, 1, 4, 4)
    ratio = total_variation(images * factor, 3.0) / total_variation(images, 3.0)
    assert ratio.item() == pytest.approx(factor**3, rel=1e-9)


def test_alpha_norm_is_its_formula_and_has_its_gradient() -> None:
    images = _images(2, 2, 3, 4, 4)
    np.testing.assert_allclose(alpha_norm(images, 6.0).numpy(), (np.abs(images.numpy()) ** 6).sum(axis=(1, 2, 3)))
    assert torch.autograd.gradcheck(lambda x: alpha_norm(x, 6.0), images.clone().requires_grad_())


def test_an_exponent_that_makes_no_sense() -> None:
    with pytest.raises(ConfigError, match="above 0"):
        total_variation(_images(0, 1, 1, 2, 2), 0.0)
    with pytest.raises(ConfigError, match="at least 1"):
        alpha_norm(_images(0, 1, 1, 2, 2), 0.5)
