"""The images whose textures are to be met: real photographs at one scale, and a second view of each texture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paribus.data.photographs import TEXTURES, photograph
from paribus.data.pictures import square
from paribus.labs.texture.experiments import SETS, Config, Source
from paribus.labs.texture.pixels import to_tensor
from paribus.spec.seed import Streams


@dataclass(frozen=True, eq=False)
class Sample:
    """The textures of a trial.

    Args:
        sources: (T, 3, S, S), what is to be met.
        others: (T, 3, S, S), more of the same, which no synthesis sees: what the result is compared with.
        names: of the T photographs.
    """

    sources: Tensor
    others: Tensor
    names: tuple[str, ...]


def sample(config: Config, streams: Streams) -> Sample:
    """Return the textures of *config*: every one of its group; the parts shown come from the streams ``source/NAME``.

    A texture is shown at twice the images' side: the source is a random part of its left half, the other one of its
    right half. Any other photograph is shown whole, and the other one is its mirror image. A source with a period is
    one random patch of the texture, repeated; the other one begins at another place of it.
    """
    names = SETS.get(config.source.of, (config.source.of,))
    views = [_views(name, config.source, config.budget.size, streams) for name in names]
    sources, others = (torch.cat([to_tensor(np.ascontiguousarray(pair[side])) for pair in views]) for side in (0, 1))
    return Sample(sources, others, names)


def _views(name: str, source: Source, size: int, streams: Streams) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    random, period = streams.generator(f"source/{name}"), source.period
    if period:
        whole = square(photograph(name), 2 * size if name in TEXTURES else size)
        top, left = random.integers(0, whole.shape[0] - period + 1, size=2)
        patch = whole[top : top + period, left : left + period]
        return _repeated(patch, size, (0, 0)), _repeated(patch, size, tuple(random.integers(1, period, size=2)))
    if name in TEXTURES:
        whole = square(photograph(name), 2 * size)
        here, there = random.integers(0, size + 1, size=2)
        return whole[here : here + size, :size], whole[there : there + size, size:]
    whole = square(photograph(name), size)
    return whole, whole[:, ::-1]


def _repeated(patch: NDArray[np.uint8], size: int, shift: tuple[int, ...]) -> NDArray[np.uint8]:
    rows, columns = ((np.arange(size) + start) % len(patch) for start in shift)
    repeated: NDArray[np.uint8] = patch[np.ix_(rows, columns)]
    return repeated
