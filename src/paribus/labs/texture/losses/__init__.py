"""What makes two textures alike at one layer of a network: LOSSES by name.

A loss is a value. ``loss.target(features)`` is made once of the features of the texture that is to be met, and
``loss(features, target)`` gives (B,), how far each image of a batch is from it. Sizes of image and target may differ;
a target of one image serves a whole batch.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from jaxtyping import Float
from torch import Tensor

from paribus.labs.texture.losses.covariance import Covariance
from paribus.labs.texture.losses.gram import Gram
from paribus.labs.texture.losses.histogram import Histogram
from paribus.labs.texture.losses.mean_variance import MeanVariance
from paribus.labs.texture.losses.sliced import SlicedWasserstein
from paribus.labs.texture.losses.sorting import Sorted


class TextureLoss(Protocol):
    """A loss between features of one layer and a target made of another image's."""

    def target(self, features: Float[Tensor, "B C H W"]) -> Tensor:
        """Return what the loss has to know of *features* to compare others with them."""
        ...

    def __call__(
        self, features: Float[Tensor, "B C H W"], target: Tensor, random: np.random.Generator | None = None
    ) -> Float[Tensor, " B"]:
        """Return the loss of each image; *random* is for those that draw."""
        ...


LOSSES: dict[str, TextureLoss] = {
    "gram": Gram(),
    "covariance": Covariance(),
    "mean_variance": MeanVariance(),
    "histogram": Histogram(),
    "sorted": Sorted(),
    "sliced": SlicedWasserstein(),
}
"""The names are those of ``paribus.labs.texture.experiments.LOSS_NAMES``."""
