"""Any style in one pass: features of the photograph take on the mean and spread of those of the style.

Huang & Belongie (2017), "Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization".
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from paribus.data.pictures import Picture, resized
from paribus.errors import ConfigError
from paribus.labs.texture.blocks import Convolution
from paribus.labs.texture.pixels import padded, to_picture, to_tensor
from paribus.nn.initial import untouched_rng
from paribus.nn.networks.layered import SMALL_VGG, Layered
from paribus.train.arithmetic import autocast
from paribus.train.precision import learning

EPSILON = 1e-5
STYLE_SIDE = 256
"""A style is looked at with its longest side at this many pixels at most: strokes have a size."""


def channel_statistics(
    features: Float[Tensor, "B C H W"],
) -> tuple[Float[Tensor, "B C 1 1"], Float[Tensor, "B C 1 1"]]:
    """Return the mean and the standard deviation, sqrt(variance + 1e-5), of each channel, in float32."""
    variance, mean = torch.var_mean(features.float(), dim=(2, 3), correction=0, keepdim=True)
    return mean, (variance + EPSILON).sqrt()


def adain(content: Float[Tensor, "B C H W"], style: Float[Tensor, "B C h w"]) -> Float[Tensor, "B C H W"]:
    """Return *content* with the mean and the standard deviation of *style* in each channel.

    AdaIN(x, y) = sigma(y) (x - mu(x)) / sigma(x) + mu(y) (Huang & Belongie 2017, equation 8).

    Args:
        content: features of photographs.
        style: features of as many styles, of any size.
    """
    mean, deviation = channel_statistics(content)
    style_mean, style_deviation = channel_statistics(style)
    factor = style_deviation / deviation
    return content * factor.to(content.dtype) + (style_mean - mean * factor).to(content.dtype)


class Decoder(nn.Module):
    """From features of ``small_vgg`` at a layer ``reluG_1`` to the image: the encoder mirrored, without norm.

    Sizes are doubled bilinearly; the paper repeats pixels, of which a decoder of 350 steps left a grid.

    Args:
        group: 2, 3 or 4: the layer is the first ReLU of that group, at 1/2, 1/4 or 1/8 of the image's size.
    """

    def __init__(self, *, group: int = 3) -> None:
        super().__init__()
        if not 2 <= group <= len(SMALL_VGG):
            raise ConfigError(f"a decoder starts at group 2 to {len(SMALL_VGG)} of small_vgg; here {group}")
        self.group, self.layer, self.scale = group, f"relu{group}_1", 2 ** (group - 1)
        widths = [SMALL_VGG[place][0] for place in reversed(range(group))]
        with untouched_rng():
            self.stages = nn.ModuleList(
                nn.Sequential(
                    *([] if place == 0 else [_plain(wide, wide)]),
                    _plain(wide, narrow),
                )
                for place, (wide, narrow) in enumerate(pairwise(widths))
            )
            self.last = nn.Sequential(
                _plain(widths[-1], widths[-1]),
                Convolution(widths[-1], 3, 3, padding="replicate", norm=False, slope=None),
            )

    def forward(self, features: Float[Tensor, "B C h w"]) -> Float[Tensor, "B 3 H W"]:
        """Return images, as many times larger than *features* as pooling made those smaller; about [0, 1]."""
        x = features
        for stage in self.stages:
            x = F.interpolate(stage(x), scale_factor=2, mode="bilinear", align_corners=False)
        found: Tensor = self.last(x).float()
        return found


@torch.inference_mode()
def stylize(
    decoder: Decoder,
    encoder: Layered,
    photo: Picture,
    style: Picture,
    *,
    alpha: float = 1.0,
    precision: str = "bfloat16",
) -> Picture:
    """Return *photo* in the style of the picture *style*, both (H, W, 3) uint8 of any size.

    The decoder is given (1 - alpha) f(photo) + alpha AdaIN(f(photo), f(style)) (Huang & Belongie 2017, equation 14).

    Args:
        decoder: trained for features of *encoder* at its layer.
        encoder: the fixed network whose features it inverts.
        photo: what is shown.
        style: how; one that is longer than 256 pixels is made smaller first.
        alpha: 0 leaves the photo as it is, save for what encoder and decoder lose; 1 is the whole style.
        precision: of the convolutions, see :mod:`paribus.train.precision`.
    """
    if not 0 <= alpha <= 1:
        raise ConfigError(f"alpha blends photo and style, 0 to 1; here it is {alpha}")
    height, width = photo.shape[:2]
    content_image, style_image = (
        padded(to_tensor(picture), decoder.scale) for picture in (photo, resized(style, longest=STYLE_SIDE))
    )
    with autocast("cpu", learning(precision)):
        content, strokes = (
            encoder.features(image, (decoder.layer,))[decoder.layer] for image in (content_image, style_image)
        )
        mixed = torch.lerp(content, adain(content, strokes), alpha)
        return to_picture(decoder(mixed)[..., :height, :width])


def _plain(inputs: int, outputs: int) -> Convolution:
    return Convolution(inputs, outputs, 3, padding="replicate", norm=False)
