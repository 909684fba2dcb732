"""The photograph of a scene: light, focus, motion, resolution, colour, sensor noise and JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from paribus.spec.seed import Streams

Bytes = NDArray[np.uint8]
Doubles = NDArray[np.float64]
LIGHT = 32
"""Cells of the map of light along a side."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Camera:
    """How one photograph is taken."""

    light: Bytes
    """(LIGHT, LIGHT) gain, 128 for 1."""
    focus: float
    """Standard deviation of the blur, in pixels."""
    motion: Doubles | None
    """(k, k) kernel of a blur by motion."""
    moved: float
    """Its length, in pixels."""
    reduced: float
    """Resolution of the sensor relative to the image, at most 1."""
    response: Doubles
    """(3, 3) exposure, white balance and saturation."""
    noise: float
    """Standard deviation of the sensor's noise, 0..255."""
    noise_from: int
    quality: int | None
    """JPEG's quality; None: not compressed."""

    @property
    def softness(self) -> float:
        """The blur as a whole: the standard deviation of a Gaussian that blurs about as much, in pixels."""
        return float(np.sqrt(self.focus**2 + (0.29 * self.moved) ** 2 + (0.45 / self.reduced) ** 2 - 0.45**2))


def draw_camera(random: np.random.Generator) -> Camera:
    """Draw how a photograph is taken."""
    across = (np.arange(LIGHT) - (LIGHT - 1) / 2) / LIGHT
    gain = 1 + across[None, :] * random.normal(0, 0.35) + across[:, None] * random.normal(0, 0.35)
    if random.random() < 0.3:  # the edge of a large shadow
        angle, soft = random.uniform(0, 2 * np.pi), float(np.exp(random.uniform(-3.2, -1.2)))
        edge = (across[None, :] * np.cos(angle) + across[:, None] * np.sin(angle) - random.normal(0, 0.2)) / soft
        gain = gain * (1 - random.uniform(0.2, 0.55) * np.clip(edge + 0.5, 0, 1))
    if random.random() < 0.12:  # a lamp, or the sun in a window
        x, y = random.uniform(-0.5, 0.5, 2)
        away = (across[None, :] - x) ** 2 + (across[:, None] - y) ** 2
        gain = gain * (1 + random.uniform(0.3, 1.0) * np.exp(-away / random.uniform(0.01, 0.1)))
    if random.random() < 0.3:
        gain = gain * (1 - random.uniform(0.2, 0.9) * (across[None, :] ** 2 + across[:, None] ** 2))
    motion, moved = None, 0.0
    if random.random() < 0.12:
        moved = float(random.uniform(2, 9))
        motion = _line_kernel(moved, float(random.uniform(0, np.pi)))
    keep = random.uniform(0.6, 1.2)
    level = np.exp(random.normal(0, 0.18)) * (0.5 if random.random() < 0.06 else 1.0)
    balance = np.exp(random.normal(0, 0.05) * np.array([1.0, 0.0, -1.0]))
    return Camera(
        light=np.clip(gain * 128, 0, 255).astype(np.uint8),
        focus=float(random.uniform(0.4, 1.2) if random.random() < 0.85 else random.uniform(1.2, 2.8))
        if random.random() < 0.45
        else 0.0,
        motion=motion,
        moved=moved,
        reduced=float(random.uniform(0.4, 0.9)) if random.random() < 0.15 else 1.0,
        response=balance[:, None] * level * (keep * np.eye(3) + (1 - keep) / 3),
        noise=float(min(np.exp(random.normal(np.log(3), 0.7)), 16)) if random.random() < 0.7 else 0.0,
        noise_from=int(random.integers(1 << 18)),
        quality=int(random.integers(35, 95)) if random.random() < 0.6 else None,
    )


def photograph(camera: Camera, scene: Bytes) -> Bytes:
    """Return the photograph (side, side, 3) of a scene (side, side, 3)."""
    side = scene.shape[0]
    light = cv2.resize(camera.light, (side, side), interpolation=cv2.INTER_LINEAR)
    seen: Any = cv2.multiply(scene, cv2.merge([light, light, light]), scale=1 / 128)
    seen = cv2.transform(seen, camera.response)
    if camera.motion is not None:
        seen = cv2.filter2D(seen, -1, camera.motion, borderType=cv2.BORDER_REPLICATE)
    if camera.reduced < 1:
        small = max(8, round(side * camera.reduced))
        seen = cv2.resize(seen, (small, small), interpolation=cv2.INTER_AREA)
        seen = cv2.resize(seen, (side, side), interpolation=cv2.INTER_LINEAR)
    if camera.focus:
        seen = cv2.GaussianBlur(seen, (0, 0), camera.focus, borderType=cv2.BORDER_REPLICATE)
    if camera.noise:
        bank = _noises(side)
        noise = bank[camera.noise_from : camera.noise_from + seen.size].reshape(seen.shape)
        seen = cv2.addWeighted(seen, 1.0, noise, camera.noise / 32, -128 * camera.noise / 32)
    if camera.quality is not None:
        _, data = cv2.imencode(".jpg", seen[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, camera.quality])
        decoded: Any = cv2.imdecode(data, cv2.IMREAD_COLOR)
        seen = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)
    return np.asarray(seen, dtype=np.uint8)


@cache
def _noises(side: int) -> Bytes:
    """Return noise around 128 of standard deviation 32: enough for any start."""
    random = Streams(0).generator("curved_text/noise")
    short = random.standard_normal(1 << 20, dtype=np.float32)
    noise = np.clip(128.5 + 32 * short, 0, 255).astype(np.uint8)
    return np.resize(noise, (1 << 18) + 3 * side * side)


def _line_kernel(length: float, angle: float) -> Doubles:
    reach = int(np.ceil(length / 2)) + 1
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), dtype=np.float32)
    step = np.array([np.cos(angle), np.sin(angle)]) * length / 2
    ends = [tuple(round(float(value) * 16) for value in reach + sign * step) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_8, 4)
    return np.asarray(kernel / kernel.sum(), dtype=np.float64)
