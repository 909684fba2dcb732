"""The photograph of a scene: focus, distance, exposure, sensor noise, JPEG, and the resize to 32x32."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


def photograph(scene: Floats, random: np.random.Generator) -> NDArray[np.uint8]:
    """Return the crops of *scene* (N, S, S, 3), in 0..255: (N, 32, 32, 3) RGB.

    Each window is first recorded at the few pixels that a far digit covers (median 26), with noise and JPEG there,
    and then enlarged or reduced to 32: most SVHN crops are enlarged so.
    """
    count, size = scene.shape[:2]
    side = np.clip(np.exp(random.normal(np.log(26), 0.45, count)), 9, size).astype(int)
    focus = np.abs(random.normal(0, 0.9, count)) * np.where(random.random(count) < 0.3, 2.0, 0.7)
    gain = np.exp(random.normal(-0.08, 0.28, count))
    offset = random.normal(6, 12, count)
    balance = np.exp(random.normal((-0.02, 0.0, 0.05), 0.05, (count, 3)))
    noise = np.exp(random.normal(np.log(3.0), 0.7, count))
    quality = random.integers(35, 95, count)
    phase = random.integers(0, 8, (count, 2))
    bank = random.standard_normal((1 << 18) + size * size * 3).astype(np.float32)
    place = random.integers(0, 1 << 18, count)
    crops = np.empty((count, 32, 32, 3), dtype=np.uint8)
    for row in range(count):
        image = scene[row]
        if focus[row] > 0.3:
            image = cv2.GaussianBlur(image, (0, 0), focus[row], borderType=cv2.BORDER_REPLICATE)
        pixels = int(side[row])
        image = cv2.resize(image, (pixels, pixels), interpolation=cv2.INTER_AREA)
        grain = bank[place[row] : place[row] + image.size].reshape(image.shape)
        image = image * (gain[row] * balance[row]).astype(np.float32) + np.float32(offset[row])
        image += grain * np.float32(noise[row])
        recorded = _jpeg(np.clip(np.rint(image), 0, 255).astype(np.uint8), int(quality[row]), phase[row])
        method = cv2.INTER_AREA if pixels > 32 else cv2.INTER_CUBIC
        crops[row] = cv2.resize(recorded, (32, 32), interpolation=method)
    return crops


def _jpeg(image: NDArray[np.uint8], quality: int, phase: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Compress as part of a larger photograph: its 8x8 blocks begin anywhere in the window."""
    top, left = int(phase[0]), int(phase[1])
    padded = cv2.copyMakeBorder(image, top, 0, left, 0, cv2.BORDER_REPLICATE)
    _, data = cv2.imencode(".jpg", padded, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return cv2.imdecode(data, cv2.IMREAD_COLOR)[top:, left:]
