"""A network as a sequence of named layers, whose features can be asked for by name."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from difflib import get_close_matches

import torch
from jaxtyping import Float
from torch import Tensor, nn

from paribus.errors import ConfigError
from paribus.nn.window import Layer, PerPixel

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
VGG_NAMES = {
    "vgg16": ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512)),
    "vgg19": ((64, 64), (128, 128), (256,) * 4, (512,) * 4, (512,) * 4),
}
SMALL_VGG = ((32, 32), (64, 64), (128, 128), (256, 256))
"""The channels of the embedded VGG's 3x3 convolutions; pooling follows every group but the last."""
SMALL_RESNET = (32, 64, 128, 256)
"""The channels of the embedded ResNet's blocks; all but the first halve the sides."""


class Layered(nn.Module):
    """A feed-forward network whose layers have names.

    Args:
        stages: the layers in order, ``name -> module``; each takes what the one before gives.
        classes: the names of the outputs of the last layer.
        size: the side of the square images that it was trained on, in pixels.
        mean: per channel, subtracted from images in [0, 1] first.
        std: per channel, divided by after that.
        in_words: what the network is, for reports.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        stages: OrderedDict[str, nn.Module],
        *,
        classes: Sequence[str],
        size: int,
        mean: Sequence[float],
        std: Sequence[float],
        in_words: str = "",
    ) -> None:
        super().__init__()
        self.stages = nn.ModuleDict(stages)
        self.classes, self.size, self.in_words = tuple(classes), size, in_words
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers' names, in order."""
        return tuple(self.stages)

    def features(self, images: Float[Tensor, "B 3 H W"], layers: Sequence[str]) -> dict[str, Tensor]:
        """Return the features of *images*, values in [0, 1], at each of *layers*; nothing after the last is computed.

        Raises:
            ConfigError: where a layer has no such name.
        """
        wanted = set(layers)
        for name in layers:
            self.check(name)
        found: dict[str, Tensor] = {}
        x = self._standardised(images)
        for name, stage in self.stages.items():
            if not wanted:
                break
            x = self._step(name, stage, x, images)
            if name in wanted:
                found[name] = x
                wanted.discard(name)
        return {name: found[name] for name in layers}

    def _step(self, name: str, stage: nn.Module, x: Tensor, images: Tensor) -> Tensor:
        try:
            found: Tensor = stage(x)
        except RuntimeError as error:
            height, width = x.shape[2:] if x.ndim == 4 else (2, 2)
            if min(height, width) > 1:
                raise
            raise ConfigError(
                f"images of {images.shape[2]}x{images.shape[3]} pixels are too small for layer {name!r}: "
                f"nothing is left of them there"
            ) from error
        return found

    def check(self, name: str) -> None:
        """Raise where no layer is called *name*."""
        if name not in self.stages:
            near = get_close_matches(name, self.layers, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"one of {', '.join(self.layers)} is expected"
            raise ConfigError(f"the network has no layer {name!r}; {hint}")

    def logits(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B K"]:
        """Return the outputs of the last layer for *images* with values in [0, 1]."""
        last = self.layers[-1]
        return self.features(images, (last,))[last]

    forward = logits

    def in_sequence(self) -> list[Layer]:
        """Return what is run one after the other, for :func:`paribus.nn.window.in_sequence`."""
        return [PerPixel(self._standardised), *self.stages.values()]

    def _standardised(self, images: Tensor) -> Tensor:
        return (images - self.mean.to(images.dtype)) / self.std.to(images.dtype)


class AveragePool(nn.Module):
    """The mean over each cell of a grid of *cells* x *cells* over the image: torch's adaptive average pooling.

    Rows and columns are averaged by a matrix each, so it has a gradient on every device that repeats to the bit.
    """

    def __init__(self, cells: int) -> None:
        super().__init__()
        self.cells = cells

    def forward(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C cells cells"]:
        """Return the means of the cells of *images*."""
        if images.shape[2:] == (self.cells, self.cells):
            return images
        down, across = (self._weights(length, images) for length in images.shape[2:])
        return torch.einsum("ih,bchw,jw->bcij", down, images, across)

    def _weights(self, length: int, like: Tensor) -> Tensor:
        """Return (cells, length): the share of each row of the image in each cell."""
        weights = torch.zeros(self.cells, length)
        for cell in range(self.cells):
            start, end = cell * length // self.cells, -(-(cell + 1) * length // self.cells)
            weights[cell, start:end] = 1 / (end - start)
        return weights.to(like)


class ResidualBlock(nn.Module):
    """relu(shortcut(x) + conv2(relu(conv1(x)))): He et al. (2016), "Deep residual learning", equations 1 and 2.

    Args:
        inputs: channels of x.
        outputs: channels of what is returned.
        stride: of the first convolution and of the shortcut.
        batch_norm: whether each convolution is followed by it, as in training; else it has a bias.
        shortcut: without, relu(conv2(relu(conv1(x)))), a block of their plain network (section 3.3).

    The shortcut is x itself, or a 1x1 convolution of it where channels or sides differ (option B).
    """

    def __init__(self, inputs: int, outputs: int, *, stride: int, batch_norm: bool, shortcut: bool = True) -> None:
        super().__init__()
        self.conv1 = _convolution(inputs, outputs, 3, stride, batch_norm)
        self.relu1 = nn.ReLU()
        self.conv2 = _convolution(outputs, outputs, 3, 1, batch_norm)
        same = stride == 1 and inputs == outputs
        self.shortcut: nn.Module | None = None
        if shortcut:
            self.shortcut = nn.Identity() if same else _convolution(inputs, outputs, 1, stride, batch_norm)
        self.relu2 = nn.ReLU()

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D h w"]:
        """Return the block's features of *x*."""
        found: Tensor = self.conv2(self.relu1(self.conv1(x)))
        if self.shortcut is not None:
            found = self.shortcut(x) + found
        result: Tensor = self.relu2(found)
        return result


def _convolution(inputs: int, outputs: int, side: int, stride: int, batch_norm: bool) -> nn.Module:
    convolution = nn.Conv2d(inputs, outputs, side, stride, padding=side // 2, bias=not batch_norm)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs)) if batch_norm else convolution


def small_vgg_stages(classes: int, batch_norm: bool = False) -> OrderedDict[str, nn.Module]:
    """Return the layers of the embedded VGG; with *batch_norm* as it is trained, without as it is shipped."""
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    inputs = 3
    for group, widths in enumerate(SMALL_VGG, start=1):
        for place, width in enumerate(widths, start=1):
            stages[f"conv{group}_{place}"] = _convolution(inputs, width, 3, 1, batch_norm)
            stages[f"relu{group}_{place}"] = nn.ReLU()
            inputs = width
        if group < len(SMALL_VGG):
            stages[f"pool{group}"] = nn.MaxPool2d(2)
    stages["average"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    stages["fc"] = nn.Linear(inputs, classes)
    return stages


def small_resnet_stages(
    classes: int, batch_norm: bool = False, *, shortcut: bool = True
) -> OrderedDict[str, nn.Module]:
    """Return the layers of the embedded ResNet; with *batch_norm* as it is trained, without as it is shipped.

    Without *shortcut* they are those of the embedded plain network, the same but for the shortcuts.

    Named as torchvision's are: ``conv1``, ``relu1``, ``layer1_1`` to ``layer4_1``, ``average``, ``fc``. As He et al.
    (2016, section 4.2) do for CIFAR-10 it begins with a 3x3 convolution at full resolution, without pooling.
    """
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    stages["conv1"] = _convolution(3, SMALL_RESNET[0], 3, 1, batch_norm)
    stages["relu1"] = nn.ReLU()
    inputs = SMALL_RESNET[0]
    for group, width in enumerate(SMALL_RESNET, start=1):
        stride = 1 + (group > 1)
        block = ResidualBlock(inputs, width, stride=stride, batch_norm=batch_norm, shortcut=shortcut)
        stages[f"layer{group}_1"] = block
        inputs = width
    stages["average"] = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    stages["fc"] = nn.Linear(inputs, classes)
    return stages


def vgg_stages(network: nn.Module, groups: tuple[tuple[int, ...], ...]) -> OrderedDict[str, nn.Module]:
    """Return the layers of torchvision's VGG *network*, named as Simonyan & Zisserman (2015) count them.

    Batch norm belongs to its convolution: ``conv1_1`` is what follows it. Dropout is left out: the network is fixed.
    """
    parts = list(network.get_submodule("features"))  # type: ignore[call-overload]
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    at = 0
    for group, widths in enumerate(groups, start=1):
        for place in range(1, len(widths) + 1):
            convolution = parts[at]
            at += 1
            if isinstance(parts[at], nn.BatchNorm2d):
                convolution = nn.Sequential(convolution, parts[at])
                at += 1
            stages[f"conv{group}_{place}"] = convolution
            stages[f"relu{group}_{place}"] = nn.ReLU()
            at += 1
        stages[f"pool{group}"] = parts[at]
        at += 1
    classifier = list(network.get_submodule("classifier"))  # type: ignore[call-overload]
    linear = [part for part in classifier if isinstance(part, nn.Linear)]
    stages["fc6"] = nn.Sequential(AveragePool(7), nn.Flatten(), linear[0])
    stages["relu6"] = nn.ReLU()
    stages["fc7"] = linear[1]
    stages["relu7"] = nn.ReLU()
    stages["fc8"] = linear[2]
    return stages


def resnet_stages(network: nn.Module) -> OrderedDict[str, nn.Module]:
    """Return the layers of torchvision's ResNet *network*: ``conv1``, ``pool1``, ``layer1_1``, ..., ``fc``."""
    part: Callable[[str], nn.Module] = network.get_submodule
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    stages["conv1"] = nn.Sequential(part("conv1"), part("bn1"))
    stages["relu1"] = nn.ReLU()
    stages["pool1"] = part("maxpool")
    for group in range(1, 5):
        for place, block in enumerate(part(f"layer{group}").children(), start=1):
            stages[f"layer{group}_{place}"] = block
    stages["average"] = nn.Sequential(part("avgpool"), nn.Flatten())
    stages["fc"] = part("fc")
    return stages


def without_inplace(network: nn.Module) -> nn.Module:
    """Return *network* with every ReLU writing to new memory, so that the features before it stay what they are."""
    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.inplace = False
    return network
