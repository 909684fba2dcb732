"""The network: a backbone of five stages, the branch that merges them, and the seven maps.

Source: Long et al. (2018), "Network Architecture".
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from paribus.labs.textsnake.backbones import backbone
from paribus.labs.textsnake.experiments import Network
from paribus.nn.initial import initialise, untouched_rng
from paribus.spec.seed import Streams

MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Mean and standard deviation of ImageNet's pixels in 0 to 1, by which inputs are scaled (torchvision's)."""
SMALLEST = 1e-6
"""Added under the root where cos and sin are made a unit vector."""
LOG_LIMITS = (-2.0, 7.0)
"""Logarithms of the radius beyond these, 0.14 and 1,097 pixels, are cut."""


@dataclass(frozen=True, eq=False)
class Maps:
    """What the network says of each pixel.

    Args:
        text: (B, 2, H, W) scores of "outside text" and "inside text".
        centre: (B, 2, H, W) scores of "off the centre line" and "on it".
        radius: (B, H, W), pixels.
        cos: (B, H, W) and
        sin: (B, H, W) of the orientation; cos^2 + sin^2 = 1.
    """

    text: Float[Tensor, "b 2 h w"]
    centre: Float[Tensor, "b 2 h w"]
    radius: Float[Tensor, "b h w"]
    cos: Float[Tensor, "b h w"]
    sin: Float[Tensor, "b h w"]

    def probabilities(self) -> Float[Tensor, "b 5 h w"]:
        """Return what decoding takes: probabilities of text and centre line, radius, cos, sin.

        A softmax over two scores is the logistic function of their difference.
        """
        return torch.stack(
            [torch.sigmoid(margin(self.text)), torch.sigmoid(margin(self.centre)), self.radius, self.cos, self.sin],
            dim=1,
        )


def margin(scores: Float[Tensor, "b 2 h w"]) -> Float[Tensor, "b h w"]:
    """Return by how much the second score exceeds the first."""
    no, yes = scores.unbind(1)
    return yes - no


def convolution(inputs: int, outputs: int, kernel: int, *, norm: bool) -> nn.Sequential:
    """Return convolution, batch norm where *norm* says so, and ReLU; the size stays as it is."""
    layers: list[nn.Module] = [nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=not norm)]
    return nn.Sequential(*layers, *([nn.BatchNorm2d(outputs)] if norm else []), nn.ReLU(True))


class Merge(nn.Module):
    """h_i = conv3x3(conv1x1([f_(6-i); up2(h_(i-1))])) (Long et al. 2018)."""

    def __init__(self, stage: int, below: int, outputs: int, *, norm: bool) -> None:
        super().__init__()
        self.squeeze = convolution(stage + below, outputs, 1, norm=norm)
        self.smooth = convolution(outputs, outputs, 3, norm=norm)

    def forward(self, stage: Float[Tensor, "b c h w"], below: Float[Tensor, "b d i j"]) -> Float[Tensor, "b e h w"]:
        found: Tensor = self.smooth(self.squeeze(torch.cat([stage, enlarged(below, 2)], dim=1)))
        return found


class TextSnake(nn.Module):
    """Images (B, 3, H, W), scaled as ImageNet's, H and W divisible by 32, to :class:`Maps` of the same size."""

    def __init__(self, network: Network, *, download: bool = True) -> None:
        super().__init__()
        self.network = network
        self.backbone = backbone(network.backbone, network.weights if download else "random")
        *stages, below = self.backbone.channels
        merges = []
        for stage, outputs in zip(reversed(stages), network.merge, strict=True):
            merges.append(Merge(stage, below, outputs, norm=network.merge_norm))
            below = outputs
        self.merges = nn.ModuleList(merges)
        self.smooth = convolution(below, network.head, 3, norm=network.merge_norm)
        self.predict = nn.Conv2d(network.head, 7, 1)

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> Maps:
        *stages, found = self.backbone(images)
        for stage, merge in zip(reversed(stages), self.merges, strict=True):
            found = merge(stage, found)
        left = images.shape[-1] // found.shape[-1]
        if self.network.full_resolution:
            raw = self.predict(self.smooth(enlarged(found, left))).float()
        else:
            raw = enlarged(self.predict(self.smooth(found)).float(), left)
        text, centre, radius, direction = raw.split([2, 2, 1, 2], dim=1)
        radius = radius.squeeze(1)
        cos, sin = (direction / torch.sqrt(direction.square().sum(1, keepdim=True) + SMALLEST**2)).unbind(1)
        return Maps(text, centre, torch.exp(radius.clamp(*LOG_LIMITS)) if self.network.log_radius else radius, cos, sin)


def build(network: Network, streams: Streams) -> TextSnake:
    """Return the network with every weight from its own stream, or from ImageNet where *network* says so.

    Raises:
        DataError: ImageNet's weights are not here and cannot be downloaded.
    """
    with untouched_rng():
        model = TextSnake(network)
    if network.weights == "random":
        initialise(model, streams)
    else:
        for name in ("merges", "smooth", "predict"):
            initialise(model.get_submodule(name), streams)
    with torch.no_grad():
        if network.log_radius:
            assert model.predict.bias is not None
            model.predict.bias[4] = 2.5  # 12 pixels, so that the first gradients are about shapes
    return model


def scaled(images: Float[Tensor, "b 3 h w"]) -> Float[Tensor, "b 3 h w"]:
    """Return images of 0 to 255 with ImageNet's mean 0 and standard deviation 1."""
    mean, std = (torch.tensor(values, device=images.device).view(1, 3, 1, 1) * 255 for values in (MEAN, STD))
    return (images - mean) / std


def enlarged(maps: Float[Tensor, "b c h w"], factor: int) -> Tensor:
    """Return *maps* enlarged bilinearly, pixels taken as areas; a factor of 1 leaves them."""
    return maps if factor == 1 else F.interpolate(maps, scale_factor=factor, mode="bilinear", align_corners=False)
