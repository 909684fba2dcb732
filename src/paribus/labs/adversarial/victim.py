"""The network under attack: a fixed one, or a small one that is trained here."""

from __future__ import annotations

import re
from collections import OrderedDict

from torch import Tensor, nn

from paribus.errors import ConfigError
from paribus.labs.adversarial.experiments import Config, Trained, learnt
from paribus.nn.initial import initialise, untouched_rng
from paribus.nn.networks.load import load
from paribus.nn.window import Layer, PerPixel
from paribus.spec.seed import Streams

CENTRE, SCALE = 0.5, 4.0
"""Pixels enter the small network as (x - 1/2) * 4: about zero mean and unit spread."""
_REMEDY = "take data of its classes, such as cifar10 for small_vgg, or a victim that is trained"
_WORDNET = re.compile(r"n\d{8}")


class SmallNetwork(nn.Module):
    """Convolutions with stride and ReLU, and a linear layer on all that is left.

    Args:
        widths: channels of each convolution; the first of 5x5 with stride 4, the others of 3x3 with stride 2.
        classes: outputs.
        size: side of the images, in pixels.
    """

    def __init__(self, widths: tuple[int, ...], classes: int, size: int = 32) -> None:
        super().__init__()
        layers: OrderedDict[str, nn.Module] = OrderedDict()
        inputs, side = 3, size
        for index, width in enumerate(widths):
            kernel, stride = (5, 4) if index == 0 else (3, 2)
            layers[f"conv{index + 1}"] = nn.Conv2d(inputs, width, kernel, stride, kernel // 2)
            layers[f"relu{index + 1}"] = nn.ReLU()
            inputs, side = width, (side + 2 * (kernel // 2) - kernel) // stride + 1
        self.features = nn.Sequential(layers)
        self.classifier = nn.Linear(inputs * side * side, classes)

    def forward(self, images: Tensor) -> Tensor:
        """Return logits (B, K) for images (B, 3, H, W) in [0, 1]."""
        found: Tensor = self.classifier(self.features(_scaled(images)).flatten(1))
        return found

    def in_sequence(self) -> list[Layer]:
        """Return what is run one after the other, for :func:`paribus.nn.window.in_sequence`."""
        return [PerPixel(_scaled), self.features, nn.Flatten(), self.classifier]


def _scaled(images: Tensor) -> Tensor:
    return (images - CENTRE) * SCALE


def build(victim: Trained, classes: int, streams: Streams) -> SmallNetwork:
    """Return the untrained network, its weights from the trial's streams."""
    with untouched_rng():
        network = SmallNetwork(victim.widths, classes)
    initialise(network, streams)
    return network


def fixed(config: Config, classes: tuple[str, ...], streams: Streams) -> nn.Module:
    """Return the fixed network of *config*, whose classes must be the data's *classes*: in number, order and name.

    Random weights and a file's name nothing, so of them the number alone counts. Where the classes of the data are
    WordNet's numbers, as in the folders of ImageNet, they are in the order of an ImageNet network without its names.
    """
    if isinstance(config.victim, Trained):
        raise ConfigError("the victim is trained, not fixed")
    network = load(config.victim, streams)
    if len(network.classes) != len(classes):
        raise ConfigError(
            f"{config.victim} knows {len(network.classes)} classes, {config.data} has {len(classes)}; {_REMEDY}"
        )
    source = learnt(config.victim)
    if source is None or (source == "imagenet" and all(_WORDNET.fullmatch(name) for name in classes)):
        return network
    for place, (own, other) in enumerate(zip(network.classes, classes, strict=True)):
        if own != other:
            raise ConfigError(f"class {place} of {config.victim} is {own!r}, of {config.data} {other!r}; {_REMEDY}")
    return network


def frozen(network: nn.Module) -> nn.Module:
    """Return *network* in evaluation mode, with no gradient for its weights, so that attacks do not compute any."""
    network.eval()
    for parameter in network.parameters():
        parameter.requires_grad_(False)
        parameter.grad = None
    return network
