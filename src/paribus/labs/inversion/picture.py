"""The inversion of one picture of a user's own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from paribus.labs.inversion.experiments import Config
from paribus.labs.inversion.measure import signal_to_noise
from paribus.labs.inversion.run import invert, kept
from paribus.nn.pixels import to_pictures
from paribus.spec.context import Context, Diverged
from paribus.train.arithmetic import reproducible


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """What came back of a picture.

    Args:
        picture: (H, W, 3).
        strip: (T, H, W, 3), from start to end.
        psnr: its signal-to-noise ratio in decibels.
    """

    picture: NDArray[np.uint8]
    strip: NDArray[np.uint8]
    psnr: float


def invert_picture(config: Config, image: Float[Tensor, "1 3 H W"], context: Context) -> Reconstruction:
    """Keep the configuration's features of *image*, values in [0, 1], and return what an inversion makes of them.

    Raises:
        Diverged: the image or its loss is not finite.
        ConfigError: the network has no such layer.
    """
    with reproducible(context.device):
        image = image.to(context.device)
        found = invert(config, kept(config, image, context), image.shape, context)
    if not bool(torch.isfinite(found.images).all()):
        raise Diverged("the image is not finite")
    return Reconstruction(to_pictures(found.images)[0], found.strip, float(signal_to_noise(image, found.images)[0]))
