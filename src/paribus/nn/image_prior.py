"""What makes an array of numbers look like an image: norms that natural images have small."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from paribus.errors import ConfigError

SMOOTHING = 1e-8
"""Added under the power for an exponent below 2, whose gradient at 0 would be infinite."""


def total_variation(images: Float[Tensor, "B C H W"], beta: float = 2.0) -> Float[Tensor, " B"]:
    """Return the total variation of each image, the sum over pixels of (dx^2 + dy^2)^(beta / 2).

    dx and dy are the differences to the right and the lower neighbour, 0 at the border. Divided by C H W it is the
    averaged total variation. For beta < 2, 1e-8 is added to the sum in brackets and its own power subtracted, so that a
    constant image has exactly 0 and a gradient of 0.

    Source: Mahendran & Vedaldi (2015), "Understanding Deep Image Representations by Inverting Them", section 2.1; they
    leave out the last row and column, we count their differences inside the image.
    """
    if not beta > 0:
        raise ConfigError(f"the exponent of the total variation is {beta}; above 0 is expected")
    right, down = images.diff(dim=3).square(), images.diff(dim=2).square()
    if beta == 2:
        return right.sum(dim=(1, 2, 3)) + down.sum(dim=(1, 2, 3))
    from torch.nn.functional import pad

    energy = pad(right, (0, 1)) + pad(down, (0, 0, 0, 1))
    if beta < 2:
        count = energy[0].numel()
        smoothed: Tensor = (energy + SMOOTHING).pow(beta / 2).sum(dim=(1, 2, 3))
        return smoothed - count * float(SMOOTHING ** (beta / 2))
    powers: Tensor = energy.pow(beta / 2)
    return powers.sum(dim=(1, 2, 3))


def alpha_norm(images: Float[Tensor, "B C H W"], alpha: float = 6.0) -> Float[Tensor, " B"]:
    """Return sum |x|^alpha over each image, which a large alpha makes a soft bound; images are centred at 0.

    Source: Mahendran & Vedaldi (2015), section 2.1.
    """
    if not alpha >= 1:
        raise ConfigError(f"the exponent of the norm is {alpha}; at least 1 is expected")
    return images.abs().pow(alpha).sum(dim=(1, 2, 3))
