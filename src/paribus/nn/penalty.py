"""Penalties on the weights, Σ|w|^p for p = 2, 1 and 1/2, and how many weights they drive to zero."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from paribus.errors import ConfigError

SMOOTHING = 1e-3
"""The radius δ around zero within which the penalty is a parabola, in the unit of the weights."""


def penalised_weights(module: nn.Module) -> dict[str, nn.Parameter]:
    """Return the trainable parameters of two or more dimensions, by name: weights of convolutions and linear layers.

    Biases, the scales and shifts of normalisation layers and a pooling layer's learnt exponent have fewer, and no
    penalty: they do not decide which inputs a unit looks at.
    """
    return {name: p for name, p in module.named_parameters() if p.ndim >= 2 and p.requires_grad}


def weight_penalty(weights: Iterable[Tensor], p: float, smoothing: float = SMOOTHING) -> Float[Tensor, ""]:
    """Return Σ [(w² + δ²)^(p/2) - δ^p], which is Σ|w|^p with its corner at zero rounded off within |w| < δ.

    The gradient of |w|^p at zero does not exist for p <= 1, and for p < 1 it grows without bound next to it. Here it
    is p w (w² + δ²)^(p/2 - 1), zero at zero. Gradient descent with rate η on the penalty times c settles there if
    η c p δ^(p - 2) < 2: at p = 1/2 and δ = 1e-3 if η c < 1.2e-4. For p = 2 the smoothing cancels.

    Raises ConfigError unless p > 0 and δ > 0.
    """
    if not (0 < p < math.inf and 0 < smoothing < math.inf):
        raise ConfigError(f"the weight penalty has p = {p} and smoothing {smoothing}; both must be positive")
    total = torch.zeros(())
    for weight in weights:
        if p == 2:
            value = weight.square().sum()
        else:
            # hypot does not overflow where the square would.
            value = (torch.hypot(weight, weight.new_tensor(smoothing)).pow(p) - smoothing**p).sum()
        total = total.to(value) + value
    return total


def weight_scale(module: nn.Module) -> dict[str, float]:
    """Return the root mean square of each penalised weight tensor, by name; taken at the start it is a yardstick."""
    return {name: float(w.detach().square().mean().sqrt()) for name, w in penalised_weights(module).items()}


def sparsity(module: nn.Module, threshold: float = 1e-2, scale: Mapping[str, float] | None = None) -> float:
    """Return the fraction in [0, 1] of all penalised weights with |w| < threshold · scale[name].

    With ``scale=weight_scale(module)`` taken at initialisation, "zero" means small beside the layer's first weights,
    and layers of different width are counted alike: a Gaussian layer of unchanged size then has a fraction of about
    0.8 · threshold. Without it the threshold is absolute.
    """
    weights = penalised_weights(module)
    if not weights:
        raise ConfigError("sparsity needs a module with weights of two or more dimensions; this one has none")
    below = sum(
        int((w.detach().abs() < threshold * (1.0 if scale is None else scale[name])).sum())
        for name, w in weights.items()
    )
    return below / sum(w.numel() for w in weights.values())
