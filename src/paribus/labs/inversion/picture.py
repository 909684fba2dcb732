"""The inversion of one picture of a user's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from paribus.labs.inversion.experiments import Config
from paribus.labs.inversion.measure import agreement, signal_to_noise
from paribus.labs.inversion.run import invert, kept, row
from paribus.spec.context import Context, Diverged
from paribus.train.arithmetic import reproducible


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """What came back of a picture.

    Args:
        picture: (H, W, 3); of several starts (H, starts W, 3), side by side.
        strip: (T, H, W, 3), the first from start to end.
        psnr: its signal-to-noise ratio in decibels, of several the mean.
        agreement: that between two of several, see :func:`.measure.agreement`; None of one.
    """

    picture: NDArray[np.uint8]
    strip: NDArray[np.uint8]
    psnr: float
    agreement: float | None


def invert_picture(config: Config, image: Float[Tensor, "1 3 H W"], context: Context) -> Reconstruction:
    """Keep the configuration's features of *image*, values in [0, 1], and return what an inversion makes of them.

    Raises:
        Diverged: the image or its loss is not finite.
        ConfigError: the network has no such layer.
    """
    with reproducible(context.device):
        image = image.to(context.device).repeat(config.starts, 1, 1, 1)
        found = invert(config, kept(config, image, context), image.shape, context)
    if not bool(torch.isfinite(found.images).all()):
        raise Diverged("the image is not finite")
    ratio = float(np.mean(signal_to_noise(image, found.images)))
    agreed = float(agreement(found.images.clamp(0, 1), config.starts)[0]) if config.starts > 1 else None
    return Reconstruction(row(found.images), found.strip, ratio, agreed)
