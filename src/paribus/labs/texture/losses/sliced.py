"""Sliced Wasserstein distance: the joint distribution of all channels, seen along random directions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from paribus.errors import ConfigError
from paribus.labs.texture.losses.sorting import sorted_distance


@dataclass(frozen=True)
class SlicedWasserstein:
    """The squared difference of sorted projections, the mean over directions v of 1 / M sum_i ((v F)(i) - (v F^)(i))^2.

    Directions are drawn evenly from the unit sphere at each call. In expectation over them the loss is zero only where
    the distributions agree.

    Args:
        directions: how many; 0 for as many as there are channels, which the authors take.

    Source: Heitz, Vanhoey, Chambon & Belcour (2021), "A Sliced Wasserstein Loss for Neural Texture Synthesis",
    equations 5 and 6.
    """

    directions: int = 0

    def target(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C M"]:
        """Return the features, positions in a row: they are projected on directions that come later."""
        return features.flatten(2)

    def __call__(
        self,
        features: Float[Tensor, "B C H W"],
        target: Float[Tensor, "T C K"],
        random: np.random.Generator | None = None,
    ) -> Float[Tensor, " B"]:
        """Return the loss of each image along directions drawn from *random*."""
        if random is None:
            raise ConfigError("the sliced Wasserstein loss draws directions: give it a generator of a named stream")
        channels = features.shape[1]
        drawn = random.standard_normal((self.directions or channels, channels))
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
        directions = torch.from_numpy(drawn).to(features)
        here = (directions @ features.flatten(2)).sort(dim=2).values
        there = (directions @ target).sort(dim=2).values
        return sorted_distance(here, there)
