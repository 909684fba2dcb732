"""Mixup: training on convex combinations of pairs of examples and of their labels.

Zhang, Cissé, Dauphin & Lopez-Paz 2018, "mixup: beyond empirical risk minimization", eq. 1:
x̃ = λ x_i + (1 - λ) x_j and ỹ = λ y_i + (1 - λ) y_j with λ ~ Beta(α, α).
"""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from paribus.errors import ConfigError
from paribus.nn.simplex import distribution


def draw_mix(alpha: float, count: int, generator: np.random.Generator) -> tuple[float, Int[Tensor, " count"]]:
    """Return λ ~ Beta(α, α) in [0, 1] and a permutation of *count* examples; α = 0 means λ = 1, no mixing.

    One λ for the batch and partners from the same batch, as in the paper's code. The permutation is drawn first: it
    is the same whatever α is.

    Raises ConfigError for α < 0.
    """
    if not alpha >= 0:
        raise ConfigError(f"mixup's alpha is {alpha}; it must be zero or more")
    permutation = torch.from_numpy(generator.permutation(count))
    weight = float(generator.beta(alpha, alpha)) if alpha > 0 else 1.0
    return weight, permutation


def mix_inputs(
    inputs: Float[Tensor, "batch ..."], weight: float, permutation: Int[Tensor, " batch"]
) -> Float[Tensor, "batch ..."]:
    """Return λ x + (1 - λ) x[permutation] with λ = *weight* in [0, 1]."""
    return torch.lerp(inputs[permutation], inputs, weight)


def mix_labels(
    labels: Int[Tensor, " batch"], weight: float, permutation: Int[Tensor, " batch"], classes: int
) -> Float[Tensor, "batch classes"]:
    """Return the distribution (N, K) that has λ on the label and 1 - λ on the partner's label."""
    return mix_inputs(distribution(labels, classes), weight, permutation)
