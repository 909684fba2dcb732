"""The trained network as one graph from pixels to maps, and that graph as an ONNX file."""

from __future__ import annotations

import copy
import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from paribus.errors import ConfigError
from paribus.labs.textsnake.backbones import Block
from paribus.labs.textsnake.model import LOG_LIMITS, SMALLEST, TextSnake, enlarged, scaled
from paribus.whole import write_whole

OPSET = 18
COARSE = 2
"""What the finest merged maps are enlarged by: every backbone's first stage has half the image's resolution."""


class Early(nn.Module):
    """A folded merge without its concatenation: what comes from below is convolved with its part of the 1x1 weights
    before it is enlarged, when it has a quarter of the pixels, and then has fewer channels to enlarge."""

    def __init__(self, merge: nn.Module, stage: int) -> None:
        super().__init__()
        whole, self.smooth = merge.get_submodule("squeeze.0"), merge.get_submodule("smooth")
        assert isinstance(whole, nn.Conv2d)
        assert whole.bias is not None
        below = whole.in_channels - stage
        self.stage = nn.Conv2d(stage, whole.out_channels, 1)
        self.below = nn.Conv2d(below, whole.out_channels, 1, bias=False)
        self.stage.weight.data, self.below.weight.data = whole.weight.data[:, :stage], whole.weight.data[:, stage:]
        self.stage.bias = whole.bias

    def forward(self, stage: Tensor, below: Tensor) -> Tensor:
        found: Tensor = self.smooth(torch.relu(self.stage(stage) + enlarged(self.below(below), 2)))
        return found


class Maps5(nn.Module):
    """Pixels (B, 3, H, W) of 0 to 255 to text, centre line, radius, cos, sin (B, 5, H, W): as *model*, in fewer steps.

    Enlarging is linear, and so are convolutions of 1x1: they come first (:class:`Early`), and of a pair of scores only
    the difference is enlarged. The factor is a constant, as ONNX needs it.
    """

    def __init__(self, model: TextSnake) -> None:
        super().__init__()
        self.model = folded(model)
        channels = reversed(self.model.backbone.channels[:-1])
        self.merges = nn.ModuleList(map(Early, self.model.merges, channels))
        whole = self.model.predict
        self.predict = nn.Conv2d(whole.in_channels, 5, 1)
        for own, seven in zip(self.predict.parameters(), whole.parameters(), strict=True):
            own.data = torch.cat([seven[1:2] - seven[0:1], seven[3:4] - seven[2:3], seven[4:]])
        self.eval().requires_grad_(False)

    def forward(self, image: Tensor) -> Tensor:
        network = self.model.network
        *stages, found = self.model.backbone(scaled(image))
        for stage, merge in zip(reversed(stages), self.merges, strict=True):
            found = merge(stage, found)
        if network.full_resolution:
            raw = self.predict(self.model.smooth(enlarged(found, COARSE)))
        else:
            raw = enlarged(self.predict(self.model.smooth(found)), COARSE)
        radius, direction = raw[:, 2:3], raw[:, 3:]
        unit = direction / torch.sqrt(direction.square().sum(1, keepdim=True) + SMALLEST**2)
        radius = torch.exp(radius.clamp(*LOG_LIMITS)) if network.log_radius else radius
        return torch.cat([torch.sigmoid(raw[:, :2]), radius, unit], dim=1)


@torch.no_grad()
def folded(model: TextSnake) -> TextSnake:
    """Return a copy in which every batch norm has become part of the convolution before it; the maps stay the same."""
    model = copy.deepcopy(model).eval()
    for part in list(model.modules()):
        if isinstance(part, Block):
            part.first = fuse_conv_bn_eval(part.first, part.first_norm)
            part.second = fuse_conv_bn_eval(part.second, part.second_norm)
            part.first_norm, part.second_norm = nn.Identity(), nn.Identity()  # type: ignore[assignment]
        elif isinstance(part, nn.Sequential):
            for place in range(len(part) - 1):
                first, second = part[place], part[place + 1]
                if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                    part[place], part[place + 1] = fuse_conv_bn_eval(first, second), nn.Identity()
    return model


def export_onnx(model: TextSnake, path: Path) -> Path:
    """Write *model* as ONNX to *path*, whole or not at all, and return *path*.

    Input ``image`` (1, 3, H, W): float32, red, green and blue of 0 to 255, H and W multiples of 32. Output ``maps``
    (1, 5, H, W): as :class:`Maps5`.

    Raises:
        ConfigError: onnx is not installed.
        OSError: the disk is full or the folder cannot be written.
    """
    try:
        import onnx  # noqa: F401 - torch's exporter needs it and says so in many lines
    except ModuleNotFoundError:
        raise ConfigError("onnx is not installed; pip install 'paribus[onnx]' brings it") from None
    file = io.BytesIO()
    size = {2: "height", 3: "width"}
    with _hushed():
        torch.onnx.export(
            Maps5(model),
            (torch.zeros(1, 3, 64, 64),),
            file,  # type: ignore[arg-type]
            input_names=["image"],
            output_names=["maps"],
            dynamic_axes={"image": size, "maps": size},
            opset_version=OPSET,
            dynamo=False,  # the other exporter takes four times as long for the same graph
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, file.getvalue())
    return path


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep away what torch's exporter has to say to its own authors."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)
