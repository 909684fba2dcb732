"""Sorted features: the whole distribution of each channel by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import interpolate


@dataclass(frozen=True)
class Sorted:
    """The squared difference of sorted features, 1 / (N M) sum over channels c and ranks i of (F_c(i) - F^_c(i))^2.

    Of one channel it is the earth mover's distance with squared costs, which sorting solves in one dimension. Where the
    target has another number of positions its quantiles are interpolated.
    """

    def target(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C M"]:
        """Return each channel's values in rising order."""
        return features.flatten(2).sort(dim=2).values

    def __call__(
        self,
        features: Float[Tensor, "B C H W"],
        target: Float[Tensor, "T C K"],
        random: np.random.Generator | None = None,
    ) -> Float[Tensor, " B"]:
        """Return the loss of each image."""
        return sorted_distance(self.target(features), target)


def sorted_distance(ranked: Float[Tensor, "B C M"], target: Float[Tensor, "T C K"]) -> Float[Tensor, " B"]:
    """Return the mean over channels of the squared earth mover's distance of sorted values."""
    return (ranked - quantiles(target, ranked.shape[2])).square().mean(dim=(1, 2))


def quantiles(ranked: Float[Tensor, "T C K"], count: int) -> Float[Tensor, "T C M"]:
    """Return *count* values of each channel at the ranks (i + 1/2) / count, linear between the K that are there."""
    if ranked.shape[2] == count:
        return ranked
    return interpolate(ranked, size=count, mode="linear", align_corners=False)
