"""Images as a page shows them: the frames of an optimisation in one row, and single ones, no larger than is of use."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FRAMES = 8
"""How many frames of a strip are shown at most."""
GAP = 3
"""Pixels between frames, transparent."""


def film(strip: NDArray[np.uint8], *, longest: int) -> NDArray[np.uint8]:
    """Return frames of *strip*, (T, H, W, 3), the first to the last in even steps, as one image (h, w, 4) with alpha.

    No side of a frame is longer than *longest*.
    """
    chosen = np.linspace(0, len(strip) - 1, min(len(strip), FRAMES)).round().astype(int)
    frames = [reduced(strip[place], longest=longest) for place in chosen]
    height, width = frames[0].shape[:2]
    row = np.zeros((height, len(frames) * (width + GAP) - GAP, 4), dtype=np.uint8)
    for place, frame in enumerate(frames):
        left = place * (width + GAP)
        row[:, left : left + width, :3] = frame
        row[:, left : left + width, 3] = 255
    return row


def reduced(image: NDArray[np.uint8], *, longest: int) -> NDArray[np.uint8]:
    """Return *image*, (H, W, 3), with no side longer than *longest*; one that fits stays as it is, to the bit."""
    from PIL import Image

    height, width = image.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return image
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))


def magnification(longest: int, side: int) -> float:
    """Return how many CSS pixels a pixel takes for *longest* of them to fill *side*; a whole number where it is > 1."""
    return side // longest if longest <= side else side / longest
