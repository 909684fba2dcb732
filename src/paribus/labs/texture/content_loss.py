"""How far an image's content is from a photograph's, by the features of a fixed network at one layer."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def content_loss(features: Float[Tensor, "B C H W"], target: Float[Tensor, "#B C H W"]) -> Float[Tensor, " B"]:
    """Return |F - F^|^2 / |F^|^2 of each image: 0 is met, 1 is an image without features.

    Gatys, Ecker & Bethge (2016), equation 1; Johnson, Alahi & Fei-Fei (2016), equation 2; here relative to the target.

    Args:
        features: F, of the images.
        target: F^, of the photographs: of as many, or of one for all.
    """
    gap, whole = (part.square().mean(dim=(1, 2, 3)) for part in (features - target, target))
    return gap / whole.clamp_min(1e-12)
