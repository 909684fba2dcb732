"""The backbones: five stages of features, each at half the resolution of the one before."""

from __future__ import annotations

from http.client import HTTPException
from itertools import pairwise
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

from paribus.errors import DataError

SLIM = (16, 32, 64, 128, 192)
"""Channels of the slim backbone's stages."""


class Backbone(Protocol):
    """What a merging branch stands on."""

    channels: tuple[int, ...]
    """Channels of the stages, from the finest to the coarsest."""

    def __call__(self, images: Tensor) -> list[Tensor]:
        """Return the features of each stage, for images (B, 3, H, W)."""
        ...


class Block(nn.Module):
    """A residual block of two 3x3 convolutions (He et al. 2016, figure 2), which may halve the resolution."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(outputs)
        same = stride == 1 and inputs == outputs
        self.skip: nn.Module = (
            nn.Identity()
            if same
            else nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))
        )

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d i j"]:
        inner = torch.relu(self.first_norm(self.first(features)))
        return torch.relu(self.second_norm(self.second(inner)) + self.skip(features))


class Slim(nn.Module):
    """A stem and four stages of two residual blocks each: 1.9 million weights, 2 GMAC at 512x512."""

    def __init__(self) -> None:
        super().__init__()
        self.channels = SLIM
        self.stem = nn.Sequential(
            nn.Conv2d(3, SLIM[0], 3, 2, 1, bias=False), nn.BatchNorm2d(SLIM[0]), nn.ReLU(True)
        )  # fmt: skip
        self.stages = nn.ModuleList(
            nn.Sequential(Block(before, width, 2), Block(width, width)) for before, width in pairwise(SLIM)
        )

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> list[Tensor]:
        found = [self.stem(images)]
        for stage in self.stages:
            found.append(stage(found[-1]))
        return found


class Vgg16(nn.Module):
    """The convolutions of VGG-16 (Simonyan and Zisserman 2015), each stage with the pooling at its end."""

    channels = (64, 128, 256, 512, 512)

    def __init__(self, weights: Any) -> None:
        super().__init__()
        from torchvision.models import vgg16

        layers = list(vgg16(weights=weights).features)
        ends = [index + 1 for index, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)]
        self.stages = nn.ModuleList(
            nn.Sequential(*layers[start:end]) for start, end in zip([0, *ends], ends, strict=False)
        )

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> list[Tensor]:
        found = [self.stages[0](images)]
        for stage in self.stages[1:]:
            found.append(stage(found[-1]))
        return found


class Residual(nn.Module):
    """ResNet-18 or -50 (He et al. 2016) without its classifier; the first stage is the stem before its pooling."""

    def __init__(self, name: str, weights: Any) -> None:
        super().__init__()
        import torchvision.models

        net = getattr(torchvision.models, name)(weights=weights)
        wide = 4 if name == "resnet50" else 1
        self.channels = (64, 64 * wide, 128 * wide, 256 * wide, 512 * wide)
        self.stages = nn.ModuleList(
            [
                nn.Sequential(net.conv1, net.bn1, net.relu),
                nn.Sequential(net.maxpool, net.layer1),
                net.layer2,
                net.layer3,
                net.layer4,
            ]
        )

    def forward(self, images: Float[Tensor, "b 3 h w"]) -> list[Tensor]:
        found = [self.stages[0](images)]
        for stage in self.stages[1:]:
            found.append(stage(found[-1]))
        return found


def backbone(name: str, weights: str) -> Any:
    """Return the backbone *name* with *weights* ``imagenet`` or ``random``.

    Raises:
        DataError: ImageNet's weights are not here and cannot be downloaded whole, or their file is damaged.
    """
    if name == "slim":
        return Slim()
    if weights != "imagenet":
        return _of_torchvision(name, None)
    try:
        return _of_torchvision(name, "IMAGENET1K_V1")
    except (OSError, EOFError, RuntimeError, HTTPException, UnpicklingError) as error:
        reason = " ".join(str(getattr(error, "reason", error)).split())[:120] or type(error).__name__
        file = _kept(name)
        if file.exists():
            told = f"its ImageNet weights in {file} cannot be read ({reason}); delete that file and connect once"
        else:
            told = f"torchvision could not download its ImageNet weights ({reason}); connect and try again"
        raise DataError(f"{name}: {told}, or start from random weights: .../from_scratch") from None


def _of_torchvision(name: str, weights: str | None) -> Any:
    return Vgg16(weights) if name == "vgg16" else Residual(name, weights)


def _kept(name: str) -> Path:
    """Return where torchvision keeps the ImageNet weights of *name* that it has downloaded."""
    from torchvision.models import get_model_weights

    url: str = get_model_weights(name)["IMAGENET1K_V1"].url
    return Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
