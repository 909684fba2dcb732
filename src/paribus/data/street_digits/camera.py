"""The photograph of a scene: focus, distance, exposure, sensor noise, JPEG, and the resize to 32x32."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from paribus.data.street_digits.layout import SIZE

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
NOISES = 1 << 18


@dataclass(frozen=True, eq=False)
class Camera:
    """The photographs of a shard; every array has one row for each crop."""

    side: NDArray[np.int64]
    """Pixels that the window covers on the sensor: most SVHN crops are enlarged from fewer than 32."""
    focus: Doubles
    """Standard deviation of the blur, in scene pixels."""
    level: Doubles
    """Mean brightness that the exposure aims at, 0..255."""
    obeyed: Doubles
    """How far the exposure gets there, 0..1."""
    balance: Doubles
    """(N, 3) gain of each colour."""
    saturation: Doubles
    noise: Doubles
    """Standard deviation of the sensor's noise, 0..255."""
    quality: NDArray[np.int64]
    phase: NDArray[np.int64]
    """(N, 2) where JPEG's 8x8 blocks begin."""
    noises: Floats
    noise_from: NDArray[np.int64]

    @staticmethod
    def draw(count: int, random: np.random.Generator) -> Camera:
        """Draw the photographs of a shard."""
        side = np.clip(np.exp(random.normal(np.log(26), 0.42, count)), 10, SIZE).astype(int)
        blurred = random.random(count) < 0.25
        focus = np.abs(random.normal(0, 1, count)) * np.where(blurred, 1.5, 0.7)
        warmth = random.normal(-0.055, 0.05, count)
        return Camera(
            side=side,
            focus=np.minimum(focus, np.sqrt(np.maximum(2.1**2 - (0.4 * SIZE / side) ** 2, 0))),
            level=np.clip(random.normal(119, 40, count), 40, 205),
            obeyed=random.uniform(0.4, 1.0, count),
            balance=np.exp(warmth[:, None] * (1.0, 0.0, -1.0) + random.normal(0, 0.015, (count, 3))),
            saturation=random.uniform(0.5, 1.25, count),
            noise=np.minimum(np.exp(random.normal(np.log(2.5), 0.6, count)), 9.0),
            quality=random.integers(35, 95, count),
            phase=random.integers(0, 8, (count, 2)),
            noises=random.standard_normal(NOISES + 3 * SIZE * SIZE).astype(np.float32),
            noise_from=random.integers(0, NOISES, count),
        )

    def photograph(self, row: int, scene: Floats) -> NDArray[np.uint8]:
        """Return crop *row* of the shard, (32, 32, 3) RGB, from its scene (40, 40, 3)."""
        seen: Any = scene
        if self.focus[row] > 0.3:
            seen = cv2.GaussianBlur(seen, (0, 0), self.focus[row], borderType=cv2.BORDER_REPLICATE)
        side = int(self.side[row])
        seen = cv2.resize(seen, (side, side), interpolation=cv2.INTER_AREA)
        seen = cv2.transform(seen, self._response(row, max(1.0, float(seen.mean()))))
        start = self.noise_from[row]
        seen += self.noises[start : start + seen.size].reshape(seen.shape) * np.float32(self.noise[row])
        recorded = self._jpeg(row, cv2.convertScaleAbs(np.maximum(seen, 0, out=seen)))
        method = cv2.INTER_AREA if side > 32 else cv2.INTER_CUBIC
        return np.asarray(cv2.resize(recorded, (32, 32), interpolation=method), dtype=np.uint8)

    def _response(self, row: int, mean: float) -> Doubles:
        """Return the matrix of saturation, exposure and white balance."""
        gain = (self.level[row] / mean) ** self.obeyed[row]
        keep = self.saturation[row]
        saturate = keep * np.eye(3) + (1 - keep) / 3
        return np.asarray(self.balance[row][:, None] * gain * saturate, dtype=np.float64)

    def _jpeg(self, row: int, image: Any) -> Any:
        """Compress the crop as part of a larger photograph."""
        top, left = (int(offset) for offset in self.phase[row])
        padded = cv2.copyMakeBorder(image, top, 0, left, 0, cv2.BORDER_REPLICATE)
        _, data = cv2.imencode(".jpg", padded[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(self.quality[row])])
        decoded: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
        return decoded[top:, left:, ::-1]
