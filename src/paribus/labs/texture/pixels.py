"""One picture, (H, W, 3) uint8, and what networks take: (1, 3, H, W) with values in [0, 1]."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from paribus.data.pictures import Picture
from paribus.nn import pixels


def to_tensor(picture: Picture) -> Float[Tensor, "1 3 H W"]:
    """Return *picture* as float32 in [0, 1], channels last in memory."""
    return pixels.to_tensor(picture[None]).contiguous(memory_format=torch.channels_last)


def to_picture(image: Float[Tensor, "1 3 H W"]) -> Picture:
    """Return the *image* of values in [0, 1], others clipped, rounded to uint8."""
    picture: Picture = pixels.to_pictures(image)[0]
    return picture


def padded(image: Float[Tensor, "B 3 H W"], multiple: int) -> Float[Tensor, "B 3 h w"]:
    """Return *image* with its last row and column repeated until both sides are multiples of *multiple*."""
    down, across = (-length % multiple for length in image.shape[-2:])
    return F.pad(image, (0, across, 0, down), mode="replicate") if down or across else image
