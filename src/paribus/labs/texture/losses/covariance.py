"""Centred covariance: which features rise and fall together, whatever their means."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Covariance:
    """The squared difference of covariance matrices, 1 / (4 N^2) sum (C - C^)^2.

    C = (F - m)(F - m)^T / M with m the channels' means, so the Gram matrix over M is C + m m^T: what the Gram loss
    knows of the means is left out.
    """

    def target(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C C"]:
        """Return the covariance matrix of each image's features over positions."""
        rows = features.flatten(2)
        rows = rows - rows.mean(dim=2, keepdim=True)
        return rows @ rows.mT / rows.shape[2]

    def __call__(
        self,
        features: Float[Tensor, "B C H W"],
        target: Float[Tensor, "T C C"],
        random: np.random.Generator | None = None,
    ) -> Float[Tensor, " B"]:
        """Return the loss of each image."""
        gap = self.target(features) - target
        return gap.square().sum(dim=(1, 2)) / (4 * features.shape[1] ** 2)
