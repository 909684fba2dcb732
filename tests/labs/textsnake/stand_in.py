"""Weights that no training made, and a network that knows where the text is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from paribus.labs.textsnake.experiments import SLIM
from paribus.labs.textsnake.labels import encode
from paribus.labs.textsnake.model import TextSnake, build
from paribus.labs.textsnake.weights_file import save_weights
from paribus.spec.seed import Streams


def random_network() -> TextSnake:
    """Return a slim network of random weights, batch norms included, whose probabilities are neither 0 nor 1."""
    model = build(SLIM, Streams(0))
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for part in model.modules():
            if isinstance(part, torch.nn.BatchNorm2d):
                for values, low, high in (
                    (part.weight, 0.8, 1.2),
                    (part.bias, -0.1, 0.1),
                    (part.running_mean, -0.2, 0.2),
                    (part.running_var, 0.8, 1.5),
                ):
                    assert values is not None
                    values.copy_(torch.rand(values.shape, generator=random) * (high - low) + low)
    return model.eval()


def everything_is_text(path: Path) -> Path:
    """Write weights to *path* of a network that takes every picture for one line of text, from left to right."""
    model = build(SLIM, Streams(0))
    with torch.no_grad():
        model.predict.weight.zero_()
        assert model.predict.bias is not None
        model.predict.bias.copy_(torch.tensor([0.0, 9.0, 0.0, 9.0, 2.5, 1.0, 0.0]))
    save_weights(path, model, {})
    return path


class Oracle:
    """The maps of *polygons*, which lie in a picture of *width*, when it is looked at without padding in its width."""

    def __init__(self, polygons: list[ArrayLike], width: int) -> None:
        self.polygons = [np.asarray(polygon, dtype=np.float64) for polygon in polygons]
        self.width = width
        self.seen: tuple[int, ...] = ()

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.seen = picture.shape
        rows, columns = picture.shape[:2]
        scale = columns / self.width
        labels = encode([(polygon + 0.5) * scale - 0.5 for polygon in self.polygons], (rows, columns))
        return np.stack([labels.text, labels.centre, labels.radius, labels.cos, labels.sin]).astype(np.float32)
