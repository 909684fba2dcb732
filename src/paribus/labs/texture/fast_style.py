"""Fast style transfer: one network for one style, one pass for a photograph of any size.

Johnson, Alahi & Fei-Fei (2016), "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", with instance
norm after Ulyanov et al. (2016). Deviations, for speed on a processor: half the channels, edges repeated instead of
mirrored, nearest upsampling and a convolution instead of a transposed one (Odena, Dumoulin & Olah 2016).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from paribus.data.pictures import Picture
from paribus.errors import ConfigError
from paribus.labs.texture.blocks import Convolution
from paribus.labs.texture.pixels import padded, to_picture, to_tensor
from paribus.nn.initial import untouched_rng
from paribus.train.arithmetic import autocast
from paribus.train.precision import learning

SCALE = 4
"""The body of the network works at a quarter of the image's size."""


class Residual(nn.Module):
    """x + f(x), with two 3x3 convolutions, and no ReLU after the sum (Johnson et al. 2016, supplement)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            Convolution(channels, channels, 3, padding="replicate"),
            Convolution(channels, channels, 3, padding="replicate", slope=None),
        )

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Return the sum."""
        grown: Tensor = self.body(x)
        return x + grown


class StyleNetwork(nn.Module):
    """From a photograph to the same in one style: two strided convolutions, residual blocks, and back.

    Args:
        width: channels at full size; twice as many at half, four times at a quarter.
        blocks: residual blocks.
    """

    def __init__(self, *, width: int = 16, blocks: int = 5) -> None:
        super().__init__()
        if width < 1 or blocks < 0:
            raise ConfigError(f"a style network has a width of at least 1 and blocks of at least 0; {width}, {blocks}")
        self.width, self.blocks = width, blocks
        with untouched_rng():
            self.down = nn.Sequential(
                Convolution(3, width, 9, padding="replicate"),
                Convolution(width, 2 * width, 3, stride=2, padding="replicate"),
                Convolution(2 * width, 4 * width, 3, stride=2, padding="replicate"),
            )
            self.body = nn.Sequential(*(Residual(4 * width) for _ in range(blocks)))
            self.to_half = Convolution(4 * width, 2 * width, 3, padding="replicate")
            self.to_full = Convolution(2 * width, width, 3, padding="replicate")
            self.last = Convolution(width, 3, 9, padding="replicate", norm=False, slope=None)

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
        """Return *images*, sides multiples of 4 and values in [0, 1], in the style: values in (0, 1)."""
        x = self.body(self.down(images))
        x = self.to_half(F.interpolate(x, scale_factor=2, mode="nearest"))
        x = self.to_full(F.interpolate(x, scale_factor=2, mode="nearest"))
        return torch.sigmoid(self.last(x).float())


@torch.inference_mode()
def stylize(network: StyleNetwork, photo: Picture, *, precision: str = "bfloat16") -> Picture:
    """Return *photo*, (H, W, 3) uint8 of any size, in the style that *network* was trained for."""
    height, width = photo.shape[:2]
    with autocast("cpu", learning(precision)):
        return to_picture(network(padded(to_tensor(photo), SCALE))[..., :height, :width])
