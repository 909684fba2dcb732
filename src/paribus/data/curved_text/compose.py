"""A scene from its number: ground, clutter, text, what hides it, and the photograph of all."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version

import cv2
import numpy as np
import PIL.features
from numpy.typing import NDArray

from paribus.data.curved_text.camera import draw_camera, photograph
from paribus.data.curved_text.clutter import draw_clutter, draw_occluder
from paribus.data.curved_text.faces import TYPEFACES
from paribus.data.curved_text.grounds import draw_ground, surfaces
from paribus.data.curved_text.instances import CURVED, Scene, TextInstance, area, bend, crosses_itself
from paribus.data.curved_text.layout import badge, parallel, single, stack
from paribus.data.curved_text.paint import Painted, contrast_of, paint_group
from paribus.data.curved_text.place import Board, Placed
from paribus.data.curved_text.style import Style, draw_colour, draw_style
from paribus.data.split import SPLITS, Split
from paribus.errors import DataError
from paribus.spec.seed import Streams

Bytes = NDArray[np.uint8]
Doubles = NDArray[np.float64]

VERSION = 2
"""The generator's version: any change that alters a scene raises it."""
BROUGHT_BY = ("pillow", "scikit-image", "scikit-learn")
"""The packages that bring photographs or read them."""
SIZES: dict[Split, int] = {"train": 1_000_000, "validation": 500, "test": 500}
"""Scenes of each part."""
SMALLEST = 7.5
"""Text lower than this many pixels is not legible."""
HIDDEN = 0.35
"""Share of the scenes in which something stands in front of the text."""
FAINTEST = 10.0
"""Text that differs from its surroundings by less than this is not legible: see ``contrast_of``."""


def edition() -> str:
    """Name the generator's version and what can alter a pixel when it changes: libraries, typefaces and photographs."""
    drawn_by = f"{cv2.__version__} {np.__version__} {PIL.features.version('freetype2')} {_brought_by()}"
    return f"v{VERSION}-{hashlib.sha256(drawn_by.encode()).hexdigest()[:8]}"


@cache
def _brought_by() -> str:
    """Name the packages that bring typefaces and photographs or read them, with their versions."""
    found = []
    for package in sorted({*BROUGHT_BY, *(package for listed in TYPEFACES.values() for package in listed)}):
        try:
            found.append(f"{package}=={version(package)}")
        except PackageNotFoundError:  # what needs it says so
            found.append(f"{package}: none")
    return " ".join(found)


def scene(split: Split, index: int, *, seed: int = 0, side: int = 512) -> Scene:
    """Return scene *index* of a part, an image (side, side, 3) and the text in it.

    It depends on the four arguments alone, through the stream ``curved_text/<version>/<split>/<index>`` of *seed*.
    *index* lies in [0, SIZES[split]), *side* in [128, 1024]; text is about as large in pixels whatever the side, so a
    smaller image holds less of it. Raises :class:`~paribus.errors.DataError` for other values.
    """
    if split not in SPLITS:
        raise DataError(f"split {split!r}: one of {', '.join(SPLITS)} is expected")
    if not 0 <= index < SIZES[split]:
        raise DataError(f"curved_text: scene {index} of {split}: 0 to {SIZES[split] - 1:,} are there")
    if not 128 <= side <= 1024:
        raise DataError(f"curved_text: side={side}: 128 to 1024 pixels are expected")
    random = Streams(seed).generator(f"curved_text/{VERSION}/{split}/{index}")
    image = draw_ground(split, side, random)
    draw_clutter(image, random)
    worn = surfaces(split)[int(random.integers(len(surfaces(split))))]
    painted = [
        text for group, style in _fill(split, side, random) for text in paint_group(image, group, style, worn, random)
    ]
    hidden = _hide(image, painted, random)
    camera = draw_camera(random)
    seen = photograph(camera, image)
    found = []
    for text, covered in zip(painted, hidden, strict=True):
        shown = _shown(text, side)
        if shown is not None:
            readable = (
                text.height >= SMALLEST
                and camera.softness < 0.17 * text.height
                and covered < 0.5
                and area(shown) >= 0.5 * area(text.polygon)
                and contrast_of(seen, text) >= FAINTEST
            )
            curved = bend(text.polygon) >= CURVED
            found.append(TextInstance(polygon=shown, text=text.setting.text, curved=curved, legible=bool(readable)))
    return Scene(image=seen, instances=tuple(found))


def _shown(text: Painted, side: int) -> Doubles | None:
    """Return what the image shows of a text's polygon, or None where that is next to nothing."""
    if text.polygon.min() >= 0 and text.polygon.max() <= side - 1:
        return text.polygon
    cut = text.setting.cut_polygon(text.frame, side)
    return None if cut is None or crosses_itself(cut) or area(cut) < 9 else cut


def _fill(split: Split, side: int, random: np.random.Generator) -> list[tuple[Placed, Style]]:
    """Draw groups of text and find places for them."""
    board = Board(side)
    share = (side / 512) ** 2
    density = random.random()
    if density < 0.25:
        count, low, high = random.uniform(1, 3.5), 24.0, 115.0
    elif density < 0.7:
        count, low, high = random.uniform(3, 9), 16.0, 80.0
    else:
        count, low, high = random.uniform(9, 22), 12.0, 40.0
    groups = max(1, int(count * share + random.random()))
    scene_turn = random.normal(0, 3)
    house = draw_style(split, random) if random.random() < 0.3 else None
    placed = []
    sizes = np.sort(np.exp(random.uniform(np.log(low), np.log(high), groups)))[::-1]
    for em in sizes:
        style = house if house is not None and random.random() < 0.6 else draw_style(split, random)
        kind = random.random()
        make = single if kind < 0.72 else stack if kind < 0.84 else badge if kind < 0.93 else parallel
        room = side * float(random.uniform(0.4, 0.9))
        group = make(split, float(em), room, style, random)
        found = board.put(group, scene_turn, random, 24, False)
        if found is not None:
            placed.append((found, style))
    if random.random() < 0.2:
        for _ in range(int(random.integers(1, 4))):
            style = draw_style(split, random)
            group = single(split, float(np.exp(random.uniform(2.9, 4.2))), side * 0.6, style, random)
            found = board.put(group, scene_turn, random, 6, True)
            if found is not None:
                placed.append((found, style))
    return placed


def _hide(image: Bytes, painted: list[Painted], random: np.random.Generator) -> Doubles:
    """Put things in front of some texts, and return the share of each text's ink that they hide."""
    hidden = np.zeros(len(painted))
    if not painted or random.random() >= HIDDEN:
        return hidden
    side = image.shape[0]
    cover = np.zeros((side, side), dtype=np.uint8)
    for _ in range(int(random.integers(1, 4))):
        mask = draw_occluder(side, painted[int(random.integers(len(painted)))].polygon, random)
        colour = np.empty_like(image)
        colour[:] = draw_colour(random).astype(np.uint8)
        mask[mask < 100] = 0
        cv2.copyTo(colour, mask, image)
        cover |= mask
    for position, text in enumerate(painted):
        left, top, width, height = text.box
        behind = cover[top : top + height, left : left + width] > 0
        if behind.any():
            hidden[position] = text.ink[behind].sum(dtype=np.int64) / max(text.ink.sum(dtype=np.int64), 1)
    return hidden
