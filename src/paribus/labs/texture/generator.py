"""A texture network: one pass from noise to a texture of any size, which always tiles.

Ulyanov, Lebedev, Vedaldi & Lempitsky (2016), "Texture Networks: Feed-forward Synthesis of Textures and Stylized
Images", figure 2; with instance norm in place of batch norm, after Ulyanov, Vedaldi & Lempitsky (2017), "Improved
Texture Networks". Every padding is circular, so the right edge continues at the left and the bottom at the top.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from paribus.data.pictures import Picture
from paribus.errors import ConfigError
from paribus.labs.texture.blocks import Convolution
from paribus.labs.texture.colours import Colours
from paribus.labs.texture.pixels import to_picture
from paribus.nn.initial import untouched_rng
from paribus.spec.seed import Streams
from paribus.train.arithmetic import autocast
from paribus.train.precision import learning

SLOPE = 0.01


class Generator(nn.Module):
    """From noise at several scales, the coarsest first, to one texture.

    Each scale's noise passes three convolutions (3x3, 3x3, 1x1); it joins what came from the scale below, doubled in
    size; three more convolutions follow. The last scale ends in a 1x1 convolution to three coordinates, which are those
    of the texture's own colours: their mean and principal directions (the paper gives red, green and blue at once). So
    an untrained network has the right colours, and one for a grey texture makes grey ones.

    Args:
        width: channels that each scale adds.
        levels: scales; the coarsest is ``2 ** (levels - 1)`` times smaller than the texture.
    """

    mean: Tensor
    directions: Tensor

    def __init__(self, *, width: int = 8, levels: int = 5) -> None:
        super().__init__()
        if width < 1 or levels < 1:
            raise ConfigError(f"a texture network has a width and levels of at least 1; here {width} and {levels}")
        self.width, self.levels = width, levels
        with untouched_rng():
            self.entries = nn.ModuleList(_block(3, width) for _ in range(levels))
            self.joins = nn.ModuleList(_block(width * place, width * place) for place in range(2, levels + 1))
            self.last = nn.Conv2d(width * levels, 3, 1)
        self.register_buffer("mean", torch.full((1, 3, 1, 1), 0.5))
        self.register_buffer("directions", 0.25 * torch.eye(3)[:, :, None, None])

    def paint_with(self, colours: Colours) -> None:
        """Take *colours* for those of the textures."""
        self.mean.copy_(colours.mean[None, :, :, None])
        self.directions.copy_((colours.directions * colours.deviations)[:, :, None, None])

    def forward(self, noise: Sequence[Float[Tensor, "B 3 h w"]]) -> Float[Tensor, "B 3 H W"]:
        """Return the textures that the pyramids *noise* give, coarsest first; values are in [0, 1], or nearly."""
        x = self.entries[0](noise[0])
        for z, entry, join in zip(noise[1:], list(self.entries)[1:], self.joins, strict=True):
            x = join(torch.cat([F.interpolate(x, size=z.shape[-2:], mode="nearest"), entry(z)], dim=1))
        coordinates = self.last(x)
        with torch.autocast(coordinates.device.type, enabled=False):
            return self.mean + F.conv2d(coordinates.to(self.mean.dtype), self.directions)


def pyramid(
    streams: Streams, *, size: tuple[int, int], levels: int, count: int = 1, name: str = "noise"
) -> list[Float[Tensor, "B 3 h w"]]:
    """Return uniform noise in [0, 1) at *levels* scales, coarsest first, for *count* textures of *size* (H, W).

    Each scale is drawn from its own stream, ``NAME/level=K``, 0 the finest. Its sides are those of the texture divided
    by 2^K, rounded up.
    """
    found = []
    for level in reversed(range(levels)):
        shape = (count, 3, *(-(-side // 2**level) for side in size))
        drawn = torch.from_numpy(streams.generator(f"{name}/level={level}").random(shape, dtype="float32"))
        found.append(drawn.contiguous(memory_format=torch.channels_last))
    return found


@torch.inference_mode()
def synthesize(generator: Generator, *, size: tuple[int, int], seed: int = 0, precision: str = "bfloat16") -> Picture:
    """Return one texture of *size* (H, W), uint8; it tiles without a seam.

    Args:
        generator: a trained one; see :func:`paribus.labs.texture.weights_file.load_weights` for one from a file.
        size: height and width in pixels, at least 1.
        seed: another seed gives another piece of the texture.
        precision: of the convolutions, see :mod:`paribus.train.precision`.
    """
    if min(size) < 1:
        raise ConfigError(f"a texture has sides of at least one pixel; here {size[1]}x{size[0]}")
    noise = pyramid(Streams(seed), size=size, levels=generator.levels)
    with autocast("cpu", learning(precision)):
        return to_picture(generator(noise))


def _block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        Convolution(inputs, outputs, 3, padding="circular", slope=SLOPE),
        Convolution(outputs, outputs, 3, padding="circular", slope=SLOPE),
        Convolution(outputs, outputs, 1, padding="circular", slope=SLOPE),
    )
