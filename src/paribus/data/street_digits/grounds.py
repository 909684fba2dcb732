"""Surfaces that house numbers hang on: painted, planked, brick, wooden, metal and tiled walls, and photographs.

The drawn surfaces of each part come from a random stream of their own; no photograph serves two parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from paribus.data.split import Split
from paribus.data.street_digits.labels import stream
from paribus.data.street_digits.layout import SIZE
from paribus.data.street_digits.paint import draw_colours
from paribus.errors import DataError

SIDE = 256
Texture = NDArray[np.float32]

PHOTOGRAPHS: dict[Split, tuple[tuple[str, str], ...]] = {
    "train": (
        ("skimage", "data/brick.png"),
        ("skimage", "data/coffee.png"),
        ("skimage", "data/chelsea.png"),
        ("skimage", "data/grass.png"),
        ("skimage", "data/motorcycle_left.png"),
        ("sklearn", "datasets/images/china.jpg"),
    ),
    "validation": (("skimage", "data/coins.png"), ("skimage", "data/rocket.jpg"),
                   ("sklearn", "datasets/images/flower.jpg")),
    "test": (("skimage", "data/gravel.png"), ("skimage", "data/camera.png"), ("skimage", "data/astronaut.png")),
}  # fmt: skip
"""Photographs that come with scikit-image (CC0 and public domain) and scikit-learn (CC-BY)."""
PATCHES = 8
"""Pieces taken from each photograph."""
VARIANTS = 8
"""Drawings of each kind of surface."""


@dataclass(frozen=True, eq=False)
class Ground:
    """The grounds of a shard; every array has one row for each crop."""

    split: Split
    photographed: NDArray[np.bool_]
    which: NDArray[np.float64]
    """Place of the texture among its kind, in 0..1."""
    colour: Texture
    strength: NDArray[np.float32]
    """Of a drawn texture: its standard deviation in 0..255. Of a photograph: its share of the mix, 0..1."""
    zoom: NDArray[np.float64]
    """Window pixels to a texture's pixel."""
    angle: NDArray[np.float64]
    centre: NDArray[np.float64]

    @staticmethod
    def draw(split: Split, count: int, random: np.random.Generator) -> Ground:
        """Draw the grounds of a shard."""
        photographed = random.random(count) < 0.22
        turned = random.random(count) < 0.15
        drawn, mixed = np.exp(random.normal(np.log(8.0), 0.7, count)), random.uniform(0.2, 1.0, count)
        return Ground(
            split=split,
            photographed=photographed,
            which=random.random(count),
            colour=draw_colours(count, random),
            strength=np.where(photographed, mixed, drawn).astype(np.float32),
            zoom=np.exp(random.normal(np.log(1.4), 0.5, count)),
            angle=np.where(turned, random.uniform(0, 360, count), random.normal(0, 3, count)),
            centre=random.uniform(0.25, 0.75, (count, 2)) * SIDE,
        )

    def surfaces(self, rows: range) -> Texture:
        """Return the bare surfaces (n, 40, 40, 3) of some crops, in about 0..255."""
        sources = textures(self.split)
        ground = np.empty((len(rows), SIZE, SIZE, 3), dtype=np.float32)
        for index, row in enumerate(rows):
            source = sources[int(self.photographed[row])]
            texture = source[int(self.which[row] * len(source))]
            x, y = self.centre[row]
            matrix = cv2.getRotationMatrix2D((x, y), self.angle[row], self.zoom[row])
            matrix[:, 2] += SIZE / 2 - self.centre[row]
            cv2.warpAffine(texture, matrix, (SIZE, SIZE), dst=ground[index],
                           flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)  # fmt: skip
        chosen = slice(rows.start, rows.stop)
        tinted = np.where(self.photographed[chosen], 1 - self.strength[chosen], 1).astype(np.float32)
        ground *= self.strength[chosen, None, None, None]
        ground += (tinted[:, None] * self.colour[chosen])[:, None, None, :]
        return ground


@cache
def textures(split: Split) -> tuple[tuple[Texture, ...], tuple[Texture, ...]]:
    """Return the drawn and the photographed surfaces of a part, each (256, 256, 3).

    Drawn ones are deviations from a mean colour, with mean 0 and standard deviation 1; photographs are in 0..255.
    """
    random = stream(f"{split}/grounds")
    drawn = tuple(_standard(kind(random)) for kind in KINDS for _ in range(VARIANTS))
    photographs = tuple(
        _patch(_photograph(package, name), random) for package, name in PHOTOGRAPHS[split] for _ in range(PATCHES)
    )
    return drawn, photographs


def cloud(random: np.random.Generator, cells_y: int, cells_x: int) -> Texture:
    """Return smooth noise (256, 256) with about that many bumps down and across."""
    coarse = random.standard_normal((cells_y + 3, cells_x + 3)).astype(np.float32)
    return _float(cv2.resize(coarse, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))


def _plaster(random: np.random.Generator) -> Texture:
    grain = random.uniform(0.1, 0.6)
    return _float(cloud(random, 3, 3) + 0.6 * cloud(random, 12, 12) + grain * cloud(random, 80, 80))


def _stained(random: np.random.Generator) -> Texture:
    return _float(
        2.0 * np.maximum(cloud(random, 4, 8) - 0.6, 0) + 0.4 * cloud(random, 3, 20) + 0.2 * cloud(random, 60, 60)
    )


def _planks(random: np.random.Generator) -> Texture:
    period, phase = random.uniform(24, 90), random.uniform(0, 90)
    place = (np.arange(SIDE, dtype=np.float32)[:, None] + phase) / period
    within = place % 1.0
    gap = np.float32(random.uniform(0.05, 0.15))
    profile = 0.8 * (within - 0.5) - random.uniform(1, 4) * np.exp(-((within / gap) ** 2))
    return _float(np.repeat(profile, SIDE, axis=1) + 0.25 * cloud(random, 40, 6) + 0.2 * cloud(random, 4, 4))


def _bricks(random: np.random.Generator) -> Texture:
    height, joint = random.uniform(22, 56), random.uniform(2.5, 6)
    width = height * random.uniform(2.0, 3.2)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    row = np.floor(y / height)
    x = x + (row % 2) * width / 2
    column = np.floor(x / width)
    shades = random.standard_normal((16, 16)).astype(np.float32)
    wall = 0.6 * shades[row.astype(int) % 16, column.astype(int) % 16]
    mortar = (y % height < joint) | (x % width < joint)
    wall[mortar] = random.choice([-1.0, 1.0]) * random.uniform(1.0, 2.5)
    return _float(cv2.GaussianBlur(wall, (0, 0), 1.2) + 0.3 * cloud(random, 70, 70))


def _wood(random: np.random.Generator) -> Texture:
    bend = cloud(random, 2, 3) * random.uniform(3, 12)
    y = np.arange(SIDE, dtype=np.float32)[:, None] + bend
    rings = np.sin(y * random.uniform(0.08, 0.35) + 1.5 * cloud(random, 12, 2))
    grain = 0.7 * rings + 0.7 * cloud(random, 90, 5)
    return _float(np.ascontiguousarray(grain.T) if random.random() < 0.5 else grain)


def _metal(random: np.random.Generator) -> Texture:
    return _float(cloud(random, 2, 2) + 0.4 * cloud(random, 120, 2) + 0.15 * cloud(random, 100, 100))


def _bars(random: np.random.Generator) -> Texture:
    period = random.uniform(20, 70)
    x = (np.arange(SIDE, dtype=np.float32)[None, :] + random.uniform(0, 70)) % period / period
    bar = np.tanh(6 * (np.abs(x - 0.5) - random.uniform(0.15, 0.4)))
    return _float(np.repeat(bar, SIDE, axis=0) + 0.4 * cloud(random, 5, 5) + 0.1 * cloud(random, 80, 80))


def _tiles(random: np.random.Generator) -> Texture:
    size, joint = random.uniform(40, 110), random.uniform(2, 5)
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    shades = random.standard_normal((16, 16)).astype(np.float32)
    wall = 0.4 * shades[(y // size).astype(int) % 16, (x // size).astype(int) % 16]
    wall[(y % size < joint) | (x % size < joint)] = random.choice([-2.0, 2.0])
    return _float(cv2.GaussianBlur(wall, (0, 0), 1.0) + 0.2 * cloud(random, 50, 50) + 0.3 * cloud(random, 3, 3))


def _foliage(random: np.random.Generator) -> Texture:
    leaves = np.tanh(2 * cloud(random, 22, 22)) + np.tanh(2 * cloud(random, 45, 45))
    return _float(leaves + 0.8 * cloud(random, 5, 5))


KINDS: tuple[Callable[[np.random.Generator], Texture], ...] = (
    _plaster, _plaster, _stained, _planks, _bricks, _wood, _metal, _bars, _tiles, _foliage,
)  # fmt: skip


def _float(values: Any) -> Texture:
    return np.asarray(values, dtype=np.float32)


def _standard(grey: Texture) -> Texture:
    grey = (grey - grey.mean()) / (grey.std() + 1e-6)
    return _float(np.repeat(np.clip(grey, -3, 3)[..., None], 3, axis=2))


def _photograph(package: str, name: str) -> NDArray[np.uint8]:
    spec = find_spec(package)
    path = Path(spec.origin).parent / name if spec and spec.origin else None
    if path is None or not path.exists():
        raise DataError(f"street_digits: {name} of the package {package} is missing; reinstall it")
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _patch(photograph: NDArray[np.uint8], random: np.random.Generator) -> Texture:
    shorter = min(photograph.shape[:2])
    side = int(random.uniform(0.25, 0.9) * shorter)
    top = int(random.integers(0, photograph.shape[0] - side + 1))
    left = int(random.integers(0, photograph.shape[1] - side + 1))
    piece = photograph[top : top + side, left : left + side]
    if random.random() < 0.5:
        piece = np.ascontiguousarray(piece[:, ::-1])
    return _float(cv2.resize(piece, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
