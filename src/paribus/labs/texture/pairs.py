"""What a trial stylises: a part of each photograph, and two parts of each style, one of them kept from every method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from paribus.data.photographs import photograph
from paribus.data.pictures import Picture
from paribus.labs.texture.experiments import SETS, STYLED, Config
from paribus.labs.texture.pixels import to_tensor
from paribus.spec.seed import Streams

PHOTO_SCALE = 1.5
"""The shorter side of a photograph over that of the part which is taken, as in the training of what ships."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Photographs and styles; every photograph gets every style.

    Args:
        photos: (P, 3, S, S), parts of photographs.
        styles: (T, 3, S, S), what they are to look like.
        others: (T, 3, S, S), other parts of the styles, which no method sees: what the result is compared with.
        style_names: of the T styles.
    """

    photos: Tensor
    styles: Tensor
    others: Tensor
    style_names: tuple[str, ...]

    @property
    def each(self) -> tuple[Float[Tensor, "B 3 S S"], Float[Tensor, "B 3 S S"]]:
        """The photograph and the style of each pair: the first style with all photographs, then the second."""
        photos, styles = len(self.photos), len(self.styles)
        return self.photos.repeat(styles, 1, 1, 1), self.styles.repeat_interleave(photos, dim=0)


def pairs(config: Config, streams: Streams) -> Pairs:
    """Return the photographs STYLED and the styles of *config*: its source, or every one of that group.

    The seed draws which square of a photograph is shown, two thirds of its shorter side, from ``photo/NAME``; and from
    ``style/NAME`` which half of the style is seen, and at what height the squares of both halves lie. The longer side
    of a style is twice the images'. A style that is periodic has a patch repeated instead, as a texture has.
    """
    size = config.budget.size
    names = SETS.get(config.source.of, (config.source.of,))
    photos = [_part(name, size, streams) for name in STYLED]
    halves = [_halves(name, size, config.source.period, streams) for name in names]
    seen, unseen = (torch.cat([_tensor(both[side]) for both in halves]) for side in (0, 1))
    return Pairs(torch.cat([_tensor(photo) for photo in photos]), seen, unseen, names)


def _part(name: str, size: int, streams: Streams) -> Picture:
    whole = photograph(name)
    whole = _scaled(whole, max(size, min(round(PHOTO_SCALE * size), *whole.shape[:2])) / min(whole.shape[:2]))
    random = streams.generator(f"photo/{name}")
    top, left = (int(random.integers(length - size + 1)) for length in whole.shape[:2])
    return whole[top : top + size, left : left + size]


def _halves(name: str, size: int, period: int, streams: Streams) -> tuple[Picture, Picture]:
    whole = photograph(name)
    whole = _scaled(whole, 2 * size / max(whole.shape[:2]))
    if whole.shape[0] > whole.shape[1]:
        whole = whole.transpose(1, 0, 2)  # halves lie side by side
    if whole.shape[0] < size:
        whole = _scaled(whole, size / whole.shape[0])
    random = streams.generator(f"style/{name}")
    first = bool(random.integers(2))
    tops = random.integers(whole.shape[0] - size + 1, size=2)
    left, right = whole[tops[0] :][:size, :size], whole[tops[1] :][:size, -size:]
    seen, unseen = (left, right) if first else (right, left)
    if period:
        seen, unseen = (_repeated(part, size, period) for part in (seen, unseen))
    return seen, unseen


def _repeated(part: NDArray[np.uint8], size: int, period: int) -> NDArray[np.uint8]:
    places = np.arange(size) % period
    repeated: NDArray[np.uint8] = part[np.ix_(places, places)]
    return repeated


def _scaled(picture: Picture, scale: float) -> Picture:
    height, width = (round(scale * length) for length in picture.shape[:2])
    return np.array(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))


def _tensor(picture: Picture) -> Tensor:
    return to_tensor(np.ascontiguousarray(picture))
