"""Original, perturbation and result side by side, with the factor by which the perturbation is amplified."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from paribus.nn.pixels import to_pictures

LEAST_SIDE = 160
"""Small images are enlarged by a whole factor until their shorter side has as many pixels, so that captions fit."""
GAP = 8
CAPTION = 28
FACTORS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def amplification(original: Tensor, result: Tensor) -> int:
    """Return the largest of :data:`FACTORS` by which the perturbation still lies within half of the range."""
    largest = float((result.double() - original.double()).abs().max())
    fitting = [factor for factor in FACTORS if factor * largest <= 0.5]
    return fitting[-1] if fitting else 1


def amplified(original: Tensor, result: Tensor, factor: int | None = None) -> tuple[NDArray[np.uint8], int]:
    """Return the difference of two images (3, H, W), (H, W, 3) with nothing as grey, and its factor.

    The factor is :func:`amplification`'s where none is given; beyond the range it is cut off.
    """
    if factor is None:
        factor = amplification(original, result)
    difference = (0.5 + factor * (result.double() - original.double())).float()
    return to_pictures(difference[None])[0], factor


def enlargement(side: int) -> int:
    """Return how many times an image whose shorter side has so many pixels is enlarged, a whole number."""
    return max(1, -(-LEAST_SIDE // side))


def panel(original: Tensor, result: Tensor, captions: tuple[str, str] = ("", "")) -> tuple[NDArray[np.uint8], float]:
    """Return the picture (H', W', 3) and the factor that is written on it.

    Args:
        original: (3, H, W) in [0, 1].
        result: the same, perturbed.
        captions: what stands under the original and under the result.
    """
    difference, factor = amplified(original, result)
    parts = [to_pictures(original[None])[0], difference, to_pictures(result[None])[0]]
    scale = enlargement(min(parts[0].shape[:2]))
    texts = (captions[0] or "original", f"perturbation x {factor}", captions[1] or "result")
    columns = [_captioned(np.kron(part, np.ones((scale, scale, 1), np.uint8)), text)
               for part, text in zip(parts, texts, strict=True)]  # fmt: skip
    gap = np.full((columns[0].shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([columns[0], gap, columns[1], gap, columns[2]], axis=1), float(factor)


def _captioned(picture: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    strip = np.full((CAPTION, picture.shape[1], 3), 255, np.uint8)
    size = 0.45
    while size > 0.2 and cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, 1)[0][0] > picture.shape[1] - 4:
        size -= 0.05
    cv2.putText(strip, text, (2, 18), cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), 1, cv2.LINE_AA)
    return np.concatenate([picture, strip])
