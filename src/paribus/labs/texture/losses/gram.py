"""Gram matrices: which features occur together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Gram:
    """The squared difference of Gram matrices, 1 / (4 N^2 M^2) sum (G - G^)^2 with G = F F^T, F of shape (N, M).

    N is the number of channels, M that of positions. Each matrix is divided by its own M, so images of different sizes
    can be compared; where sizes agree it is the formula.

    Source: Gatys, Ecker & Bethge (2015), "Texture Synthesis Using Convolutional Neural Networks", equations 2 and 4.
    """

    def target(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C C"]:
        """Return the Gram matrix of each image, divided by the number of positions."""
        rows = features.flatten(2)
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
