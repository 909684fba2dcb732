"""A texture by optimisation: noise, moved until a network sees in it what it sees in the source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from paribus.labs.texture.coarse_to_fine import Found, Loss, Size, coarse_to_fine, resized, sizes
from paribus.labs.texture.experiments import Look, Optimisation
from paribus.labs.texture.losses import TextureLoss
from paribus.labs.texture.padding import padding
from paribus.labs.texture.style_loss import StyleLoss, measured
from paribus.nn.initial import normal
from paribus.nn.networks.layered import Layered
from paribus.spec.context import Context
from paribus.spec.seed import Streams
from paribus.train.optimise import ImageLoss

SMALLEST = 16
"""No scale has a side below it: deep layers would see nothing but the border."""
OBJECTIVE = 1e4
"""What the loss is multiplied by for the optimiser: L-BFGS forgets pairs whose product is below 1e-10."""
FLAT = 1e-6
"""Variance, of values in [0, 1], below which colours are taken not to vary."""


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

    @property
    def weights(self) -> Mapping[str, float]:
        """What each layer counts."""
        return dict(zip(self.look.layers, self.look.weights or (1.0,) * len(self.look.layers), strict=True))

    def features(self, images: Float[Tensor, "B 3 H W"], border: str | None = None) -> dict[str, Tensor]:
        """Return what the network sees in *images* at each layer."""
        with padding(self.network, border or self.border):
            return measured(self.network, images, self.look.layers, self.precision)

    def toward(self, source: Float[Tensor, "1 3 H W"], streams: Streams) -> StyleLoss:
        """Return the loss of images that are to look like *source*."""
        border = "reflect" if self.border == "circular" else self.border
        random = streams.generator("directions/scale")
        with torch.no_grad():
            return StyleLoss.toward(self.features(source, border), self.loss, random, self.weights)


def synthesise(
    source: Float[Tensor, "1 3 H W"],
    eye: Eye,
    *,
    size: Size,
    count: int,
    steps: int,
    method: Optimisation,
    context: Context,
) -> Found:
    """Return *count* images of *size* that look like *source*, each from noise of its own in the source's colours.

    The source and the images shrink alike from scale to scale, so that a coarse scale is the same texture seen from
    farther away: it settles what fine layers do not see.

    Raises:
        ConfigError: the network has no such layers.
    """
    streams = context.streams
    tiles = eye.border == "circular"
    fit = fitting(min(*size, *source.shape[2:]), method.scales)
    stride = 2 ** sum(isinstance(stage, nn.MaxPool2d | nn.AvgPool2d) for stage in eye.network.stages.values())
    own = sizes(size, fit, stride if tiles else 1)
    theirs = sizes((source.shape[2], source.shape[3]), fit)
    colours = Colours.of(source)

    def loss_at(now: Size) -> Loss:
        style = eye.toward(resized(source, theirs[own.index(now)]), streams)

        def loss(images: Tensor, step: int) -> ImageLoss:
            parts = style.parts(eye.features(colours.nearest(images)), streams.generator(f"directions/step={step}"))
            return ImageLoss(OBJECTIVE * style.mean(parts), parts)

        return loss

    noise = torch.stack([normal(streams, f"start/image={place}", (3, *own[0])) for place in range(count)])
    start = colours.noise(noise.to(source)).clamp(0, 1)
    found = coarse_to_fine(loss_at, start, [(now, steps) for now in own], descent=method.descent, context=context)
    return Found(colours.nearest(found.images).clamp(0, 1), found.losses / OBJECTIVE, found.strip)


def fitting(side: int, scales: int) -> int:
    """Return how many of *scales* halvings leave a side of at least SMALLEST; one at least."""
    while scales > 1 and side / 2 ** (scales - 1) < SMALLEST:
        scales -= 1
    return scales


@dataclass(frozen=True, eq=False)
class Colours:
    """The colours of an image: their mean (3, 1), and the directions (3, 3) and deviations (3,) of their variation."""

    mean: Tensor
    directions: Tensor
    deviations: Tensor

    @classmethod
    def of(cls, image: Float[Tensor, "1 3 H W"]) -> Colours:
        """Return the colours of *image*."""
        rows = image[0].flatten(1).double()
        mean = rows.mean(dim=1, keepdim=True)
        variances, directions = torch.linalg.eigh((rows - mean) @ (rows - mean).T / rows.shape[1])
        deviations = variances.clamp_min(0).sqrt() * (variances > FLAT)
        return cls(mean.to(image), directions.to(image), deviations.to(image))

    def noise(self, normal: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
        """Return *normal* numbers with the mean and the covariance of these colours."""
        shaped = self.directions @ (self.deviations[:, None] * normal.flatten(2))
        return (self.mean + shaped).reshape(normal.shape)

    def nearest(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 3 H W"]:
        """Return the nearest images whose colours vary only where these do: grey ones for a grey image."""
        if bool((self.deviations > 0).all()):
            return images
        kept = self.directions[:, self.deviations > 0]
        rows = images.flatten(2) - self.mean
        return (self.mean + kept @ (kept.T @ rows)).reshape(images.shape)
