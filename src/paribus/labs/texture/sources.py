"""The images whose textures are to be met: real photographs at one scale, and a second view of the same texture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from paribus.data.photographs import TEXTURES, photograph
from paribus.data.pictures import square
from paribus.labs.texture.experiments import SETS, Config
from paribus.labs.texture.pixels import to_tensor
from paribus.spec.seed import Streams


@dataclass(frozen=True, eq=False)
class Sample:
    """A texture, as an experiment sees it.

    Args:
        source: (1, 3, S, S), what is to be met.
        other: (1, 3, S, S), more of the same, which no synthesis sees: how near real images come to each other.
        name: of the photograph.
    """

    source: Tensor
    other: Tensor
    name: str


def sample(config: Config, streams: Streams) -> Sample:
    """Return the source of *config* for a seed; what is drawn comes from the stream ``source``.

    A texture is shown at twice the images' side: the source is a random part of its left half, the other one of its
    right half. Any other photograph is shown whole, and the other one is its mirror image. A source with a period is
    one random patch of the texture, repeated; the other one begins at another place of it.
    """
    size, period = config.budget.size, config.source.period
    group = SETS.get(config.source.of)
    name = group[streams.seed % len(group)] if group else config.source.of
    random = streams.generator("source")
    if period:
        whole = square(photograph(name), 2 * size if name in TEXTURES else size)
        top, left = random.integers(0, whole.shape[0] - period + 1, size=2)
        patch = whole[top : top + period, left : left + period]
        views = [_repeated(patch, size, shift) for shift in ((0, 0), random.integers(1, period, size=2))]
    elif name in TEXTURES:
        whole = square(photograph(name), 2 * size)
        tops = random.integers(0, size + 1, size=2)
        views = [whole[top : top + size, left : left + size] for top, left in zip(tops, (0, size), strict=True)]
    else:
        whole = square(photograph(name), size)
        views = [whole, whole[:, ::-1]]
    source, other = (_tensor(view) for view in views)
    return Sample(source, other, name)


def _repeated(patch: NDArray[np.uint8], size: int, shift: tuple[int, int] | NDArray[np.int64]) -> NDArray[np.uint8]:
    rows, columns = ((np.arange(size) + start) % len(patch) for start in shift)
    repeated: NDArray[np.uint8] = patch[np.ix_(rows, columns)]
    return repeated


def _tensor(view: NDArray[np.uint8]) -> Float[Tensor, "1 3 H W"]:
    return to_tensor(np.ascontiguousarray(view))
