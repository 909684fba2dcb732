"""Inversion by moving the weights of a network that makes the image: a deep image prior."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from paribus.labs.inversion.album import trained
from paribus.labs.inversion.experiments import Config, DeepPrior
from paribus.labs.inversion.found import Found
from paribus.labs.inversion.loss import FeatureDistance
from paribus.nn.initial import initialise, normal, untouched_rng
from paribus.spec.context import Context
from paribus.spec.seed import Streams
from paribus.train.arithmetic import autocast
from paribus.train.loop import StepLoss
from paribus.train.precision import learning

LARGEST_INPUT = 0.1
"""The input is uniform from 0 to it, as in the source."""
SKIPPED = 4
"""Channels that go past the coarser resolutions."""


class Layer(nn.Module):
    """A convolution of 3x3, instance norm, a leaky ReLU of slope 0.2."""

    def __init__(self, entering: int, channels: int, stride: int = 1) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(entering, channels, 3, stride=stride, padding=1)
        self.norm = nn.InstanceNorm2d(channels, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        """Return the features (B, C, H, W) of *x*, or half of H and W."""
        return F.leaky_relu(self.norm(self.convolution(x)), 0.2)


class Hourglass(nn.Module):
    """From noise at full resolution down to coarse features and up to an image, with narrow ways past the middle.

    Source: Ulyanov, Vedaldi & Lempitsky (2018), "Deep Image Prior", supplementary figure 1; narrower here, with
    instance norm (theirs is batch norm on one image, which is the same) and the nearest neighbour for doubling.
    """

    def __init__(self, inputs: int, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.down, self.skip, self.up = nn.ModuleList(), nn.ModuleList(), nn.ModuleList()
        for entering, leaving in pairwise((inputs, *channels[1:])):
            self.skip.append(nn.Conv2d(entering, SKIPPED, 1))
            self.down.append(Layer(entering, leaving, stride=2))
        for fine, coarse in pairwise(channels):
            self.up.append(Layer(coarse + SKIPPED, fine))
        self.last = nn.Conv2d(channels[0], 3, 1)

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 3 H W"]:
        """Return images with values in (0, 1)."""
        past = []
        for skip, down in zip(self.skip, self.down, strict=True):
            past.append(skip(x))
            x = down(x)
        for up, beside in zip(reversed(self.up), reversed(past), strict=True):
            doubled = F.interpolate(x, scale_factor=2, mode="nearest")[:, :, : beside.shape[2], : beside.shape[3]]
            x = up(torch.cat([doubled, beside], dim=1))
        found: Tensor = self.last(x)
        return found.float().sigmoid()


def imagine(config: Config, method: DeepPrior, distance: FeatureDistance, shape: torch.Size, context: Context) -> Found:
    """Return images of the given (B, 3, H, W), each from an hourglass of its own, with features near the wanted."""
    streams, device = context.streams, context.device
    count, _, height, width = shape
    with untouched_rng():
        glasses = nn.ModuleList(Hourglass(method.inputs, method.channels) for _ in range(count))
    initialise(glasses, streams)
    glasses.to(device)
    inputs = torch.stack([_uniform(streams, place, (method.inputs, height, width)) for place in range(count)])
    inputs = inputs.to(device)

    def make(added: Tensor | None = None) -> Tensor:
        seen = inputs if added is None else inputs + added
        with autocast(device, learning(config.precision)):
            return torch.cat([glass(seen[place : place + 1]) for place, glass in enumerate(glasses)])

    def loss(step: int) -> StepLoss:
        added = normal(streams, f"perturbation/step={step}", tuple(inputs.shape), method.perturbation).to(device)
        features = distance(make(added))
        return StepLoss(config.feature_weight * features.sum(), features.detach().mean())

    return trained(glasses, make, loss, steps=config.steps, schedule=method.schedule, context=context)


def _uniform(streams: Streams, place: int, shape: tuple[int, ...]) -> Tensor:
    drawn = streams.generator(f"input/image={place}").random(shape, dtype=np.float32)
    return torch.from_numpy(drawn).mul_(LARGEST_INPUT)
