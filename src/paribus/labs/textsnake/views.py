"""Views of annotated photographs: each turned, cropped, enlarged and retouched at random, for a detector to learn from.

Source: Long et al. (2018), "Implementation Details": random rotation, crops of 0.24 to 1.69 times the area and of a
shape of 0.33 to 3, then noise, blur and lightness.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from paribus.data.text_sets import Annotation
from paribus.errors import DataError
from paribus.labs.textsnake.geometry import axis
from paribus.labs.textsnake.labels import Labels, encode

Picture = NDArray[np.uint8]
TURN = 15.0
"""Most degrees by which a view is turned, either way; the paper gives no range."""
AREA = (0.24, 1.69)
"""Least and largest area of a crop, in areas of the photograph."""
SHAPE = (1 / 3, 3.0)
"""Least and largest width of a crop by its height, before it is made a square."""
LOWEST = 8.0
"""Pixels; of text that is lower in a view nothing is asked."""


@dataclass(frozen=True, eq=False)
class View:
    """A square of a photograph: pixels (S, S, 3), the outlines of what is to be found, and of what is not asked."""

    image: Picture
    texts: tuple[NDArray[np.float64], ...]
    ignored: tuple[NDArray[np.float64], ...]

    def labels(self) -> Labels:
        """Return what a detector is taught of the view."""
        return encode(self.texts, (len(self.image), len(self.image)), ignored=self.ignored)


def view(picture: Picture, annotations: Sequence[Annotation], side: int, random: np.random.Generator) -> View:
    """Return a random view of *picture* (H, W, 3) of *side* x *side* pixels.

    Text with its middle beyond the view's borders, lower than LOWEST pixels there, or outlined so that it has no axis,
    is not asked for. Around the photograph its border goes on.
    """
    move = _moved(picture.shape[:2], side, random)
    image = _retouched(_warped(picture, move, side), random)
    texts: list[NDArray[np.float64]] = []
    ignored: list[NDArray[np.float64]] = []
    for one in annotations:
        polygon = one.polygon @ move[:, :2].T + move[:, 2]
        if (polygon.max(0) < 0).any() or (polygon.min(0) > side - 1).any():
            continue
        (ignored if one.ignore or not _readable(polygon, side) else texts).append(polygon)
    return View(image, tuple(texts), tuple(ignored))


def _moved(shape: tuple[int, int], side: int, random: np.random.Generator) -> NDArray[np.float64]:
    """Return the affine map (2, 3) from the photograph's pixels to the view's."""
    height, width = shape
    area = random.uniform(*AREA) * height * width
    ratio = np.exp(random.uniform(*np.log(SHAPE)))
    crop = np.sqrt([area * ratio, area / ratio])
    free = np.abs(np.array([width, height]) - crop) / 2
    middle = np.array([width, height]) / 2 - 0.5 + random.uniform(-free, free)
    angle = np.deg2rad(random.uniform(-TURN, TURN))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = np.diag(side / crop) @ turn
    return np.column_stack([linear, (side - 1) / 2 - linear @ middle])


def _warped(picture: Picture, move: NDArray[np.float64], side: int) -> Picture:
    """Return the view; where it is smaller than half the photograph, that is first shrunk without aliases."""
    height, width = picture.shape[:2]
    scale = 2 * np.linalg.svd(move[:, :2], compute_uv=False).max()
    if scale < 1:
        small = max(1, round(width * scale)), max(1, round(height * scale))
        shrunk = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
        back = np.array([width / small[0], height / small[1]])
        move = np.column_stack([move[:, :2] * back, move[:, 2] + move[:, :2] @ (0.5 * back - 0.5)])
        picture = np.asarray(shrunk, dtype=np.uint8)
    found = cv2.warpAffine(picture, move, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(found, dtype=np.uint8)


def _retouched(image: Picture, random: np.random.Generator) -> Picture:
    """Return *image* lighter or darker, and of three views one blurred and one with noise; text stays legible."""
    found = image.astype(np.float32) * random.uniform(0.7, 1.3) + random.uniform(-25, 25)
    if random.random() < 1 / 3:
        found = np.asarray(cv2.GaussianBlur(found, (0, 0), random.uniform(0.3, 1.2)), dtype=np.float32)
    if random.random() < 1 / 3:
        found += random.normal(0, random.uniform(1, 10), found.shape).astype(np.float32)
    return found.clip(0, 255).round().astype(np.uint8)


def _readable(polygon: NDArray[np.float64], side: int) -> bool:
    try:
        found = axis(polygon)
    except DataError:
        return False
    middle = found.centres[len(found.centres) // 2]
    return bool(((middle >= 0) & (middle < side)).all() and 2 * found.radii.mean() >= LOWEST)
