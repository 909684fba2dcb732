"""How a texture network is taught: by the ratios of two losses, for their values lie orders of magnitude apart.

Gram matrices of features after a ReLU are mostly the product of their means. A network meets these first, and the
thousandth part that remains holds the shapes; it can also be met by a few spots of extreme contrast. The covariance is
that remainder, but says nothing of the means. Logarithms let both count alike however small they get.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from paribus.labs.texture.eye import Eye
from paribus.labs.texture.losses import LOSSES, TextureLoss
from paribus.labs.texture.losses.gram import Gram
from paribus.labs.texture.style_loss import StyleLoss
from paribus.spec.seed import Streams

_SMALLEST = 1e-12


@dataclass(frozen=True, eq=False)
class LogLoss(StyleLoss):
    """The mean of the natural logarithms of this loss and of another: -4.6 where both are met to a hundredth.

    Args:
        also: the other.
    """

    also: StyleLoss = field(kw_only=True)

    def __call__(
        self, features: Mapping[str, Float[Tensor, "B C H W"]], random: np.random.Generator
    ) -> Float[Tensor, " B"]:
        """Return the loss of each image whose *features* these are."""
        both = [style.mean(style.parts(features, random)) for style in (self, self.also)]
        return torch.stack(both).clamp_min(_SMALLEST).log().mean(dim=0)


@dataclass(frozen=True, eq=False)
class LogEye(Eye):
    """An eye that compares twice at each layer, by :class:`LogLoss`.

    Args:
        also: what is compared beside ``loss``.
    """

    also: TextureLoss = field(kw_only=True)

    def toward(self, source: Float[Tensor, "T 3 H W"], streams: Streams) -> LogLoss:
        """Return the loss of images that are to look like *source*."""
        one = super().toward(source, streams)
        other = Eye(self.network, self.look, self.also, self.border, self.precision).toward(source, streams)
        return LogLoss(one.loss, one.targets, one.scales, one.weights, also=other)


def teaching(eye: Eye) -> Eye:
    """Return the *eye* that teaches a network what this one sees: with covariance where it sees Gram matrices."""
    if not isinstance(eye.loss, Gram):
        return eye
    return LogEye(eye.network, eye.look, eye.loss, eye.border, eye.precision, also=LOSSES["covariance"])


def taught(loss: str) -> str:
    """Return in words what :func:`teaching` lets count for an eye whose loss is called *loss*."""
    return "the logarithms of gram and covariance" if isinstance(LOSSES[loss], Gram) else loss
