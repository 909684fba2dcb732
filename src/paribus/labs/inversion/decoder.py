"""The learnt inverse: an up-convolutional network from features to images, trained on other photographs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from paribus.labs.inversion.album import trained
from paribus.labs.inversion.data import crops
from paribus.labs.inversion.experiments import Config, Decoder
from paribus.labs.inversion.found import Found
from paribus.labs.inversion.loss import FeatureDistance
from paribus.nn.initial import initialise, untouched_rng
from paribus.spec.context import Context
from paribus.spec.seed import Streams
from paribus.train.arithmetic import autocast
from paribus.train.loop import StepLoss
from paribus.train.precision import learning

SMALLEST_MAP = 4
"""Vectors are unfolded to maps of about this side, as halving the image's sides leads to it."""
LARGEST_WIDTH = 128

LARGEST_GRADIENT = 1.0
"""The norm to which a longer gradient is shortened where a vector is decoded (Pascanu, Mikolov & Bengio 2013): such
decoders are the deepest and break down without it. Of ``average`` norms reach 100, where 0.6 is the largest of
``relu3_2``."""


class UpConvolutional(nn.Module):
    """A decoder that doubles the resolution step by step, and takes features in where their resolution is reached.

    A doubling is unpooling with zeros and a convolution of 5x5 in one, as a transposed convolution; each is followed by
    a convolution of 3x3. Leaky ReLUs of slope 0.2 in between, linear at the end. Features are centred and scaled by two
    numbers a layer, measured at the beginning, so that a network's own scale does not matter.

    Source: Dosovitskiy & Brox (2016), "Inverting Visual Representations with Convolutional Networks", section 3.1.

    Args:
        examples: features by layer, (B, C, h, w) or (B, C), from which shapes and scales are taken.
        side: of the square images that it makes.
        width: channels at full resolution.
    """

    def __init__(self, examples: Mapping[str, Tensor], side: int, width: int) -> None:
        super().__init__()
        self.layers = tuple(examples)
        smallest = min(found.shape[-1] if found.ndim == 4 else SMALLEST_MAP for found in examples.values())
        self.sides = [side]
        while abs(-(-self.sides[-1] // 2) - smallest) < abs(self.sides[-1] - smallest):
            self.sides.append(-(-self.sides[-1] // 2))
        self.places = {name: self._level(found) for name, found in examples.items()}
        widths = [min(width * 2**level, LARGEST_WIDTH) for level in range(len(self.sides))]
        self.unfold = nn.ModuleDict()
        self.merge, self.up = nn.ModuleList(), nn.ModuleList()
        entering = [0] * len(self.sides)
        for index, (name, found) in enumerate(examples.items()):
            entering[self.places[name]] += found.shape[1] if found.ndim == 4 else widths[-1]
            if found.ndim == 2:
                self.unfold[str(index)] = nn.Linear(found.shape[1], widths[-1] * self.sides[-1] ** 2)
        for level, channels in enumerate(widths):
            above = channels if level + 1 < len(widths) else 0
            self.merge.append(nn.Conv2d(entering[level] + above, channels, 3, padding=1))
        for fine, coarse in pairwise(widths):
            self.up.append(nn.ConvTranspose2d(coarse, fine, 5, stride=2, padding=2, output_padding=1))
        self.last = nn.Conv2d(widths[0], 3, 3, padding=1)
        values = [found.detach().float() for found in examples.values()]
        self.register_buffer("means", torch.stack([value.mean() for value in values]))
        self.register_buffer("scales", torch.stack([value.std() for value in values]).clamp_min(1e-6))

    def _level(self, found: Tensor) -> int:
        """Return the level whose resolution is nearest to that of *found*; vectors enter at the coarsest."""
        if found.ndim == 2:
            return len(self.sides) - 1
        return min(range(len(self.sides)), key=lambda level: abs(self.sides[level] - found.shape[-1]))

    def forward(self, features: Mapping[str, Tensor]) -> Float[Tensor, "B 3 S S"]:
        """Return images, values about in [0, 1]."""
        x: Tensor | None = None
        for level in reversed(range(len(self.sides))):
            side = self.sides[level]
            parts = [self._entered(features[name], place) for place, name in self._entering(level)]
            parts = [part if part.shape[-1] == side else F.interpolate(part, size=(side, side)) for part in parts]
            if x is not None:
                parts.append(F.leaky_relu(self.up[level](x)[:, :, :side, :side], 0.2))
            x = F.leaky_relu(self.merge[level](torch.cat(parts, dim=1)), 0.2)
        found: Tensor = self.last(x)
        return 0.5 + found.float()

    def _entering(self, level: int) -> list[tuple[int, str]]:
        return [(place, name) for place, name in enumerate(self.layers) if self.places[name] == level]

    def _entered(self, values: Tensor, place: int) -> Tensor:
        scaled = (values - self.means[place]) / self.scales[place]  # type: ignore[index]  # a buffer, a tensor
        if values.ndim == 4:
            return scaled
        side = self.sides[-1]
        unfolded: Tensor = self.unfold[str(place)](scaled)
        return F.leaky_relu(unfolded.view(len(unfolded), -1, side, side), 0.2)


def decode(config: Config, method: Decoder, distance: FeatureDistance, context: Context) -> Found:
    """Train a decoder on crops of other photographs, and return what it makes of the wanted features."""
    streams, device = context.streams, context.device
    decoder = build(config, method, distance, streams, device)

    def make() -> Tensor:
        with autocast(device, learning(config.precision)):
            found: Tensor = decoder(distance.wanted)
        return found

    def loss(step: int) -> StepLoss:
        images = crops(method.photographs, config.side, method.batch_size, streams, f"crops/step={step}").to(device)
        with torch.no_grad():
            features = distance.features(images)
        with autocast(device, learning(config.precision)):
            found = decoder(features)
        error = (found - images).square().mean()
        return StepLoss(error, error.detach())

    largest = LARGEST_GRADIENT if decoder.unfold else math.inf
    return trained(decoder, make, loss, steps=method.steps, schedule=method.schedule, context=context, largest=largest)


def build(config: Config, method: Decoder, distance: FeatureDistance, streams: Streams, device: str) -> UpConvolutional:
    """Return a decoder with initial weights from the trial's streams, its scales from a batch of crops."""
    first = crops(method.photographs, config.side, method.batch_size, streams, "crops/scales").to(device)
    with torch.no_grad(), untouched_rng():
        decoder = UpConvolutional(distance.features(first), config.side, method.width)
    initialise(decoder, streams)
    with torch.no_grad():
        decoder.last.weight.mul_(0.1)  # so that it begins at grey
    return decoder.to(device)
