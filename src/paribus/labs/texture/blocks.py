"""What feed-forward networks for textures and styles are built of: padded convolutions with instance norm."""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from paribus.labs.texture.circular import circular

Padding = Literal["circular", "replicate"]
EPSILON = 1e-5


class InstanceNorm(nn.Module):
    """Normalise each channel of each image over its pixels, then scale and shift it.

    y = weight (x - mean) / sqrt(variance + 1e-5) + bias, mean and (biased) variance over height and width.

    Ulyanov, Vedaldi & Lempitsky (2016), "Instance Normalization: The Missing Ingredient for Fast Stylization", equation
    2. Where channels lie last in memory it is fastest as group norm with one channel to a group, but the gradient of
    that is slow; in training it is batch norm of each image by itself. All three are the same function.

    Args:
        channels: of the input.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """Return *x* normalised, in its own precision."""
        if torch.is_grad_enabled():
            weight, bias = self.weight, self.bias
            return torch.cat(
                [
                    torch.batch_norm(one, weight, bias, None, None, True, 0.0, EPSILON, False)
                    for one in torch.split(x, 1)
                ]
            )
        return torch.group_norm(x, x.shape[1], self.weight.to(x.dtype), self.bias.to(x.dtype), EPSILON)


class Convolution(nn.Module):
    """A convolution that keeps the size of its input (or halves it), then instance norm and a leaky ReLU if asked for.

    Args:
        inputs, outputs: channels.
        side: of the kernel, odd.
        stride: 1, or 2 to halve height and width, which are even then.
        padding: what lies beyond the edges: the other side (``circular``), or the nearest pixel (``replicate``), which
            unlike mirroring is defined for images of any size.
        norm: whether instance norm follows.
        slope: of the leaky ReLU below 0, after that; ``None`` leaves it out.
    """

    def __init__(
        self,
        inputs: int,
        outputs: int,
        side: int,
        *,
        stride: int = 1,
        padding: Padding,
        norm: bool = True,
        slope: float | None = 0.0,
    ) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, side, stride=stride, bias=not norm)
        self.norm = InstanceNorm(outputs) if norm else nn.Identity()
        self.margin, self.padding, self.slope = side // 2, padding, slope

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D h w"]:
        """Return the convolution of *x*, normalised and rectified."""
        if self.padding == "circular":
            x = circular(x, self.margin)
        elif self.margin:
            x = F.pad(x, (self.margin,) * 4, mode=self.padding)
        x = self.norm(self.convolution(x))
        return x if self.slope is None else F.leaky_relu(x, self.slope)
