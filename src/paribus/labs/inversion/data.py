"""Photographs as tensors: those that are inverted, and crops of others for a decoder to learn from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from torch import Tensor

from paribus.data.photographs import photograph
from paribus.data.pictures import square
from paribus.nn.pixels import to_tensor
from paribus.spec.seed import Streams


def originals(names: Sequence[str], side: int) -> Float[Tensor, "B 3 S S"]:
    """Return the middles of the photographs called *names*, resized to *side*, values in [0, 1]."""
    return to_tensor(np.stack([square(photograph(name), side) for name in names])).contiguous()


def crops(names: Sequence[str], side: int, count: int, streams: Streams, stream: str) -> Float[Tensor, "B 3 S S"]:
    """Return *count* random squares of the photographs called *names*, resized to *side*, values in [0, 1].

    A square's side is uniform from a third of the photograph's shorter side to the whole of it; half of the squares are
    mirrored.
    """
    generator = streams.generator(stream)
    found = np.empty((count, side, side, 3), dtype=np.uint8)
    for place in range(count):
        picture = photograph(names[int(generator.integers(len(names)))])
        size, across, down, mirrored = generator.random(4)
        height, width = picture.shape[:2]
        edge = round(min(height, width) * (1 + 2 * size) / 3)
        top, left = round(down * (height - edge)), round(across * (width - edge))
        pixels = square(picture[top : top + edge, left : left + edge], side)
        found[place] = pixels[:, ::-1] if mirrored < 0.5 else pixels
    return to_tensor(found).contiguous()
