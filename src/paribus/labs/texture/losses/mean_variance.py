"""Mean and standard deviation of each channel by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class MeanVariance:
    """The squared differences of means and standard deviations, 1 / N sum ((m - m^)^2 + (s - s^)^2).

    s^2 is the mean of (F - m)^2 plus *epsilon*, so that a channel that is constant has a gradient.

    Source: Li, Wang, Liu & Hou (2017), "Demystifying Neural Style Transfer", section 4.2; Huang & Belongie (2017),
    equation 13, who do not square.
    """

    epsilon: float = 1e-5

    def target(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 2 C"]:
        """Return the means and the standard deviations of each image's channels."""
        rows = features.flatten(2)
        variance = rows.var(dim=2, correction=0)
        return torch.stack([rows.mean(dim=2), (variance + self.epsilon).sqrt()], dim=1)

    def __call__(
        self,
        features: Float[Tensor, "B C H W"],
        target: Float[Tensor, "T 2 C"],
        random: np.random.Generator | None = None,
    ) -> Float[Tensor, " B"]:
        """Return the loss of each image."""
        gap = self.target(features) - target
        return gap.square().sum(dim=(1, 2)) / features.shape[1]
