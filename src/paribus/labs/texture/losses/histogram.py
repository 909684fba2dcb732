"""Histogram matching: each value is drawn to the one that has its place in the target's histogram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

_SMALLEST = 1e-12


@dataclass(frozen=True)
class Histogram:
    """The squared distance to histogram-matched features, 1 / (N M) sum (F - R(F))^2, R held fixed in the gradient.

    R sends a value to the one at which the target's cumulative histogram is as high as its own channel's. Histograms
    have *bins* bins of equal width over a channel's range; within a bin values lie evenly. A channel that is constant
    is spread over the target's values in the order of its positions; other ties, such as zeros after a ReLU, are not:
    they go to the target's least value together, where sorting would move them apart.

    Source: Risser, Wilmot & Barnes (2017), "Stable and Controllable Neural Texture Synthesis and Style Transfer Using
    Histogram Losses", equation 3, who take 256 bins.
    """

    bins: int = 256

    def target(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C K"]:
        """Return for each channel its least value, its bins' width and its cumulative histogram, bins + 1 heights."""
        rows = features.flatten(2)
        low, width = self._range(rows)
        return torch.cat([low, width, self._cumulative(rows, low, width)], dim=2)

    def __call__(
        self,
        features: Float[Tensor, "B C H W"],
        target: Float[Tensor, "T C K"],
        random: np.random.Generator | None = None,
    ) -> Float[Tensor, " B"]:
        """Return the loss of each image."""
        return (features.flatten(2) - self.matched(features, target)).square().mean(dim=(1, 2))

    @torch.no_grad()
    def matched(self, features: Float[Tensor, "B C H W"], target: Float[Tensor, "T C K"]) -> Float[Tensor, "B C M"]:
        """Return the values R(F)."""
        rows = features.flatten(2)
        low, width = self._range(rows)
        cumulative = self._cumulative(rows, low, width)
        place = ((rows - low) / width).clamp(0, self.bins)
        even = (torch.arange(rows.shape[2], device=rows.device, dtype=rows.dtype) + 0.5) / rows.shape[2]
        height = torch.where(width <= _SMALLEST, even, _between(cumulative, place))
        target = target.expand(rows.shape[0], -1, -1).contiguous()
        low, width, cumulative = target[:, :, :1], target[:, :, 1:2], target[:, :, 2:].contiguous()
        right = torch.searchsorted(cumulative, height.contiguous(), right=False).clamp(1, self.bins)
        below, above = cumulative.gather(2, right - 1), cumulative.gather(2, right)
        share = ((height - below) / (above - below).clamp_min(_SMALLEST)).clamp(0, 1)
        return low + (right - 1 + share) * width

    def _range(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        low, high = rows.amin(dim=2, keepdim=True), rows.amax(dim=2, keepdim=True)
        return low, ((high - low) / self.bins).clamp_min(_SMALLEST)

    def _cumulative(self, rows: Tensor, low: Tensor, width: Tensor) -> Tensor:
        bin_of = ((rows - low) / width).long().clamp(0, self.bins - 1)
        counts = rows.new_zeros(*rows.shape[:2], self.bins).scatter_add_(2, bin_of, torch.ones_like(rows))
        summed = counts.cumsum(dim=2) / rows.shape[2]
        return torch.cat([torch.zeros_like(low), summed], dim=2)


def _between(heights: Tensor, place: Tensor) -> Tensor:
    """Return the values of *heights* at real places along the last axis, linear in between."""
    left = place.long().clamp(0, heights.shape[2] - 2)
    below, above = heights.gather(2, left), heights.gather(2, left + 1)
    return below + (above - below) * (place - left)
