"""Losses for classification: cross-entropy, and two squared distances to compare it with.

Each takes outputs x of shape (N, K), a target (N labels, or a distribution (N, K) as label mixing makes) and the
simplex function that turns outputs into probabilities, and returns the mean over the batch, or with
``reduction="none"`` one number for each example. Sums over classes are sums, not means.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal, Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

from paribus.errors import ConfigError
from paribus.nn import simplex as simplices
from paribus.nn.simplex import Simplex, distribution

Reduction = Literal["mean", "none"]


class Loss(Protocol):
    """What every loss of this module looks like."""

    def __call__(self, x: Tensor, target: Tensor, simplex: Simplex, reduction: Reduction = "mean") -> Tensor:
        """Return the mean loss over the batch, or each example's."""


def _reduced(per_example: Tensor, reduction: Reduction) -> Tensor:
    return per_example.mean() if reduction == "mean" else per_example


def _squared(prediction: Tensor, target: Tensor) -> Tensor:
    q = distribution(target, prediction.shape[1]).to(prediction.dtype)
    return (prediction - q).square().sum(dim=1)


def cross_entropy(
    x: Float[Tensor, "batch classes"],
    target: Int[Tensor, " batch"] | Float[Tensor, "batch classes"],
    simplex: Simplex,
    reduction: Reduction = "mean",
) -> Float[Tensor, " *shape"]:
    """Return the cross-entropy -Σ_i q_i log p_i(x) in nats; for the sigmoid the K binary ones (see Simplex.loss)."""
    return _reduced(simplex.loss(x, target), reduction)


def squared_distance(
    x: Float[Tensor, "batch classes"],
    target: Int[Tensor, " batch"] | Float[Tensor, "batch classes"],
    simplex: Simplex,
    reduction: Reduction = "mean",
) -> Float[Tensor, " *shape"]:
    """Return the squared Euclidean distance Σ_i (p_i(x) - q_i)², in [0, 2]: the Brier score (Brier 1950)."""
    return _reduced(_squared(simplex.probability(x), target), reduction)


def regression(
    x: Float[Tensor, "batch classes"],
    target: Int[Tensor, " batch"] | Float[Tensor, "batch classes"],
    simplex: Simplex,
    reduction: Reduction = "mean",
) -> Float[Tensor, " *shape"]:
    """Return Σ_i (x_i - q_i)²: the outputs themselves are drawn to the one-hot label; *simplex* has no part in it."""
    return _reduced(_squared(x if x.dtype == torch.float64 else x.float(), target), reduction)


def sparsemax_loss(
    x: Float[Tensor, "batch classes"],
    target: Int[Tensor, " batch"] | Float[Tensor, "batch classes"],
    simplex: Simplex,
    reduction: Reduction = "mean",
) -> Float[Tensor, " *shape"]:
    """Return the loss that belongs to sparsemax (see simplex.sparsemax_loss); ConfigError with another simplex."""
    if simplex.name != "sparsemax":
        raise ConfigError(f"sparsemax_loss goes with the simplex 'sparsemax', not with {simplex.name!r}")
    return _reduced(simplices.sparsemax_loss(x, target), reduction)


LOSSES: Mapping[str, Loss] = MappingProxyType(
    {
        "cross_entropy": cross_entropy,
        "squared_distance": squared_distance,
        "regression": regression,
        "sparsemax_loss": sparsemax_loss,
    }
)
"""Every loss by name."""
