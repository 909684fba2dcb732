"""Random square crops of photographs: what style networks are trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from paribus.data.image_folder import SUFFIXES
from paribus.data.pictures import Picture, read_picture
from paribus.errors import DataError
from paribus.nn.pixels import to_tensor
from paribus.spec.seed import Streams


@dataclass(frozen=True, eq=False)
class Crops:
    """Photographs of one shorter side, and how they are drawn from.

    Args:
        pictures: (H, W, 3) uint8 each, no side below *side*.
        side: of the crops, in pixels.
    """

    pictures: Sequence[Picture]
    side: int

    @classmethod
    def of(cls, pictures: Sequence[Picture], *, side: int, shorter: int) -> Crops:
        """Return *pictures* made smaller or larger so that the shorter side of each is *shorter* pixels."""
        if not pictures:
            raise DataError("no photographs to take crops of; at least one is expected")
        if shorter < side:
            raise DataError(f"crops of {side} pixels cannot come from photographs whose shorter side is {shorter}")
        return cls([_scaled(picture, shorter) for picture in pictures], side)

    def draw(self, streams: Streams, name: str, count: int) -> Float[Tensor, "B 3 H W"]:
        """Return *count* crops from stream *name*, half of them flipped, values in [0, 1]."""
        random = streams.generator(name)
        found = np.empty((count, self.side, self.side, 3), dtype=np.uint8)
        for place in range(count):
            picture = self.pictures[int(random.integers(len(self.pictures)))]
            top, left = (int(random.integers(length - self.side + 1)) for length in picture.shape[:2])
            crop = picture[top : top + self.side, left : left + self.side]
            found[place] = crop[:, ::-1] if random.random() < 0.5 else crop
        return to_tensor(found)


def photographs_in(folder: Path, *, most: int = 2000) -> list[Picture]:
    """Return the photographs in *folder* and the folders within, the first *most* by name.

    Raises:
        DataError: there are none, or one is broken.
    """
    return [read_picture(path) for path in paths_in(folder, most=most)]


def paths_in(folder: Path, *, most: int = 2000) -> list[Path]:
    """Return the files that :func:`photographs_in` reads.

    Raises:
        DataError: there are none.
    """
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)[:most]
    if not paths:
        raise DataError(f"{folder}: no photographs in this folder; PNG, JPEG, WebP, TIFF or the like are expected")
    return paths


def _scaled(picture: Picture, shorter: int) -> Picture:
    scale = shorter / min(picture.shape[:2])
    height, width = (max(shorter, round(length * scale)) for length in picture.shape[:2])
    return np.array(Image.fromarray(picture).resize((width, height), Image.Resampling.LANCZOS))
