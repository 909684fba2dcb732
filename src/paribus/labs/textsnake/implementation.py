"""The code that a field's value stands for, so that a difference can be shown as source."""

from __future__ import annotations

from typing import Any

from paribus.labs.textsnake.backbones import Residual, Slim, Vgg16
from paribus.labs.textsnake.circles import circled
from paribus.labs.textsnake.contours import contours, rotated_boxes
from paribus.labs.textsnake.decode import decode
from paribus.labs.textsnake.experiments import Oracle, Shipped, Training
from paribus.labs.textsnake.labels import encode
from paribus.labs.textsnake.loss import hardest
from paribus.labs.textsnake.sliding import slid
from paribus.labs.textsnake.striding import _read, _read_there
from paribus.labs.textsnake.training import train
from paribus.labs.textsnake.weights_file import load_weights

_BY_VALUE: dict[tuple[str, Any], object] = {
    ("network.backbone", "vgg16"): Vgg16,
    ("network.backbone", "resnet18"): Residual,
    ("network.backbone", "resnet50"): Residual,
    ("network.backbone", "slim"): Slim,
    ("decoding.representation", "disks"): decode,
    ("decoding.representation", "contours"): contours,
    ("decoding.representation", "rotated_boxes"): rotated_boxes,
    ("refinements.cross_sections", False): _read_there,
    ("refinements.cross_sections", True): _read,
    ("refinements.straight_ends", False): circled,
    ("refinements.straight_ends", True): slid,
}
_BY_TYPE: dict[type, object] = {Training: train, Shipped: load_weights, Oracle: encode}


def implementation(path: str, value: Any) -> object | None:
    """Return the function or class that computes what the field at *path* says with *value*, or None."""
    if path == "loss.hard_negatives":
        return hardest if value is not None else None
    if isinstance(value, str | bool):
        return _BY_VALUE.get((path, value))
    return _BY_TYPE.get(type(value))
