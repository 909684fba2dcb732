"""The lab's networks: the course's seven convolutions, and a residual network of under a million parameters."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paribus.labs.svhn.experiments import AveragePool, Config, MaxPool, Plain, Pool, Residual
from paribus.nn.initial import initialise, untouched_rng
from paribus.nn.pooling import LpPool2d
from paribus.spec.seed import Streams


class ConvNormReLU(nn.Sequential):
    """A 3x3 convolution, batch norm (Ioffe & Szegedy 2015, algorithm 1) and ReLU; the resolution stays."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.relu = nn.ReLU(inplace=True)


class Block(nn.Module):
    """A residual block with pre-activation: y = s(x) + conv(relu(norm(conv(relu(norm(x)))))).

    s is the identity, or a 1x1 convolution where the number of channels changes.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False) if inputs != outputs else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, outputs, H, W) for x of shape (N, inputs, H, W)."""
        y: Tensor = self.conv1(F.relu(self.norm1(x), inplace=True))
        y = self.conv2(F.relu(self.norm2(y), inplace=True))
        shortcut: Tensor = self.shortcut(x)
        return y.add_(shortcut)


class Network(nn.Module):
    """Groups of layers with pooling in between, the mean over the last map, and one linear layer."""

    def __init__(
        self, groups: list[nn.Module], pools: list[nn.Module], widths: list[int], classes: int, multi_stage: bool
    ) -> None:
        super().__init__()
        self.groups = nn.ModuleList(groups)
        self.pools = nn.ModuleList(pools)
        self.multi_stage = multi_stage
        self.classifier = nn.Linear(sum(widths) if multi_stage else widths[-1], classes)

    def features(self, x: Tensor) -> Tensor:
        """Return what the classifier sees, (N, F): the spatial means of the last group, or with multi-stage of all."""
        stages = []
        for index, group in enumerate(self.groups):
            x = group(x)
            if self.multi_stage or index == len(self.groups) - 1:
                stages.append(x.mean(dim=(2, 3)))
            if index < len(self.pools):
                x = self.pools[index](x)
        return stages[0] if len(stages) == 1 else torch.cat(stages, dim=1)

    def forward(self, x: Tensor, keep: Tensor | None = None) -> Tensor:
        """Return the K outputs, (N, K), for x of shape (N, 3, H, W); *keep* (N, F) multiplies the features."""
        features = self.features(x)
        scores: Tensor = self.classifier(features if keep is None else features * keep)
        return scores


def pooling(pool: Pool) -> nn.Module:
    """Return the layer that halves the resolution as *pool* says."""
    if isinstance(pool, MaxPool):
        return nn.MaxPool2d(2)
    if isinstance(pool, AveragePool):
        return nn.AvgPool2d(2)
    if pool.window == "gaussian":
        return LpPool2d(pool.p, kernel_size=3, stride=2, padding=1, window="gaussian", learn=pool.learnt)
    return LpPool2d(pool.p, kernel_size=2, stride=2, learn=pool.learnt)


def build(config: Config, classes: int, streams: Streams) -> Network:
    """Return the configuration's network with its initial weights, on the CPU, laid out channels last."""
    with untouched_rng():
        network = config.recipe.network
        groups, widths = _plain(network) if isinstance(network, Plain) else _residual(network)
        pools = [pooling(config.pool) for _ in groups[:-1]]
        model = Network(groups, pools, widths, classes, config.multi_stage)
    initialise(model, streams)
    return model.to(memory_format=torch.channels_last)


def _plain(network: Plain) -> tuple[list[nn.Module], list[int]]:
    groups: list[nn.Module] = []
    inputs = 3
    for channels in network.groups:
        layers = []
        for outputs in channels:
            layers.append(ConvNormReLU(inputs, outputs))
            inputs = outputs
        groups.append(nn.Sequential(*layers))
    return groups, [channels[-1] for channels in network.groups]


def _residual(network: Residual) -> tuple[list[nn.Module], list[int]]:
    groups: list[nn.Module] = []
    inputs = network.widths[0]
    for stage, (width, count) in enumerate(zip(network.widths, network.blocks, strict=True)):
        layers: list[nn.Module] = [nn.Conv2d(3, inputs, 3, padding=1, bias=False)] if stage == 0 else []
        for _ in range(count):
            layers.append(Block(inputs, width))
            inputs = width
        if stage == len(network.widths) - 1:
            layers += [nn.BatchNorm2d(inputs), nn.ReLU(inplace=True)]
        groups.append(nn.Sequential(*layers))
    return groups, list(network.widths)
