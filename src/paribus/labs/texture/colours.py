"""The colours of an image: noise that has them, and images that have no others."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

FLAT = 1e-6
"""Variance, of values in [0, 1], below which colours are taken not to vary."""


@dataclass(frozen=True, eq=False)
class Colours:
    """The colours of an image: their mean (3, 1), and the directions (3, 3) and deviations (3,) of their variation."""

    mean: Tensor
    directions: Tensor
    deviations: Tensor

    @classmethod
    def of(cls, image: Float[Tensor, "1 3 H W"]) -> Colours:
        """Return the colours of *image*."""
        rows = image[0].flatten(1).double()
        mean = rows.mean(dim=1, keepdim=True)
        variances, directions = torch.linalg.eigh((rows - mean) @ (rows - mean).T / rows.shape[1])
        deviations = variances.clamp_min(0).sqrt() * (variances > FLAT)
        return cls(mean.to(image), directions.to(image), deviations.to(image))

    def noise(self, normal: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
        """Return *normal* numbers with the mean and the covariance of these colours."""
        shaped = self.directions @ (self.deviations[:, None] * normal.flatten(2))
        return (self.mean + shaped).reshape(normal.shape)

    def nearest(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
        """Return the nearest images whose colours vary only where these do: grey ones for a grey image."""
        if bool((self.deviations > 0).all()):
            return images
        kept = self.directions[:, self.deviations > 0]
        rows = images.flatten(2) - self.mean
        return (self.mean + kept @ (kept.T @ rows)).reshape(images.shape)
