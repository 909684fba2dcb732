"""The trained network as one graph from pixels to maps, and that graph as an ONNX file."""

from __future__ import annotations

import copy
import io
import logging
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from paribus.errors import ConfigError
from paribus.labs.textsnake.backbones import Block
from paribus.labs.textsnake.model import TextSnake, scaled
from paribus.whole import write_whole

OPSET = 18


class Maps5(nn.Module):
    """Pixels (B, 3, H, W) of 0 to 255 to text, centre line, radius, cos, sin (B, 5, H, W)."""

    def __init__(self, model: TextSnake) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensor:
        found: Tensor = self.model(scaled(image)).probabilities()
        return found


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
    """Write *model* as ONNX to *path*, whole or not at all: input ``image`` (1, 3, H, W), float32 of 0 to 255, H and W
    multiples of 32; output ``maps`` (1, 5, H, W)."""
    try:
        import onnx  # noqa: F401 - torch's exporter needs it and says so in many lines
    except ModuleNotFoundError:
        raise ConfigError("onnx is not installed; pip install 'paribus[onnx]' brings it") from None
    file = io.BytesIO()
    size = {2: "height", 3: "width"}
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's exporter to its own authors
        torch.onnx.export(
            Maps5(folded(model)),
            (torch.zeros(1, 3, 64, 64),),
            file,
            input_names=["image"],
            output_names=["maps"],
            dynamic_axes={"image": size, "maps": size},
            opset_version=OPSET,
            dynamo=False,
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, file.getvalue())
    return path
