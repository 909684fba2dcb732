"""A network that looks at textures: at which layers, and what it compares there."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor, nn

from paribus.errors import ConfigError
from paribus.labs.texture.experiments import Config, Look
from paribus.labs.texture.losses import LOSSES, TextureLoss
from paribus.labs.texture.padding import padding
from paribus.labs.texture.style_loss import StyleLoss, measured
from paribus.nn.networks.layered import Layered
from paribus.nn.networks.load import load
from paribus.spec.seed import Streams


@dataclass(frozen=True, eq=False)
class Eye:
    """A network, where it looks and what it compares: whatever a synthesis is measured by.

    Args:
        network: the fixed network.
        look: its layers and their weights.
        loss: what is compared at each.
        border: what convolutions see beyond the edges of an image that is made; ``reflect`` for the source always,
            which need not tile.
        precision: of the convolutions.
    """

    network: Layered
    look: Look
    loss: TextureLoss
    border: str = "reflect"
    precision: str = "float32"

    def __post_init__(self) -> None:
        for layer in self.look.layers:
            self.network.check(layer)

    @classmethod
    def of(cls, config: Config, streams: Streams) -> Eye:
        """Return the eye of an experiment; random weights come from *streams*."""
        network = load(config.network, streams)
        if config.pooling == "average":
            averaging(network)
        return cls(network, config.look, LOSSES[config.loss], config.border, config.precision)

    def to(self, device: str) -> Eye:
        """Return it on *device*."""
        return replace(self, network=self.network.to(device))

    @property
    def multiple(self) -> int:
        """What the sides of an image that tiles are multiples of: the stride of the deepest layer; else 1."""
        if self.border != "circular":
            return 1
        stages = list(self.network.stages.values())[: max(map(self.network.layers.index, self.look.layers)) + 1]
        strides = [getattr(module, "stride", 1) for stage in stages for module in stage.modules()]
        return math.prod(stride if isinstance(stride, int) else stride[0] for stride in strides)

    def check(self, size: tuple[int, int]) -> None:
        """Refuse a *size*, height and width, of images that could not tile."""
        if any(side % self.multiple for side in size):
            near = "x".join(str(max(1, round(side / self.multiple)) * self.multiple) for side in reversed(size))
            raise ConfigError(
                f"an image of {size[1]}x{size[0]} cannot tile: its sides have to be multiples of {self.multiple} "
                f"for layer {self.look.layers[-1]}; {near} can"
            )

    @property
    def weights(self) -> Mapping[str, float]:
        """What each layer counts."""
        return dict(zip(self.look.layers, self.look.weights or (1.0,) * len(self.look.layers), strict=True))

    def features(self, images: Float[Tensor, "B 3 H W"], border: str | None = None) -> dict[str, Tensor]:
        """Return what the network sees in *images* at each layer."""
        with padding(self.network, border or self.border):
            return measured(self.network, images, self.look.layers, self.precision)

    def toward(self, source: Float[Tensor, "T 3 H W"], streams: Streams) -> StyleLoss:
        """Return the loss of images that are to look like *source*: all like the one, or each like its own."""
        border = "reflect" if self.border == "circular" else self.border
        random = streams.generator("directions/scale")
        with torch.no_grad():
            return StyleLoss.toward(self.features(source, border), self.loss, random, self.weights)


def averaging(network: Layered) -> None:
    """Put average pooling in the place of every maximum pooling of *network*, of the same window and stride."""
    for name, stage in network.stages.items():
        if isinstance(stage, nn.MaxPool2d):
            network.stages[name] = nn.AvgPool2d(stage.kernel_size, stage.stride, stage.padding)
