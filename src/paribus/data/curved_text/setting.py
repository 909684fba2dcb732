"""One text on its curve: where its ink goes, exactly, and the polygon around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from paribus.data.curved_text.curve import Curve
from paribus.data.curved_text.instances import clip

Doubles = NDArray[np.float64]
Bytes = NDArray[np.uint8]
CELL = 4
"""Pixels between the places for which a curve is inverted; in between the map is linear."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Setting:
    """A strip of ink on a curve in a plane."""

    text: str
    strip: Bytes
    """(H, W) ink, with ``pad`` empty pixels on each side."""
    rim: Bytes | None
    """(H, W) the ink with its outline, or None where there is no outline."""
    pad: int
    scale: float
    """Plane units to a pixel of the strip."""
    curve: Curve
    em: float
    """Plane units to an em."""
    plane: Doubles
    """(3, 3) from the curve's frame to the group's plane."""

    @property
    def height(self) -> float:
        """The ink's height in plane units, with the outline."""
        return float((self.strip.shape[0] - 2 * self.pad) * self.scale)

    @property
    def length(self) -> float:
        """The ink's length in plane units, with the outline."""
        return float((self.strip.shape[1] - 2 * self.pad) * self.scale)

    @property
    def reach(self) -> float:
        """How far it gets from the origin of the plane, in plane units, at most."""
        away = np.abs(self.plane[:2, 2]).max() + max(np.abs(self.curve.x).max(), np.abs(self.curve.y).max())
        return float(away + self.height / 2)

    def band(self, frame: Doubles, before: float, above: float, dense: int = 1) -> tuple[Doubles, Doubles]:
        """Return the top and bottom ends (n, 2) of cross-sections in the image, under the map *frame* of the plane.

        The band reaches *before* units beyond the ink at both ends and *above* units at both sides.
        """
        s = self.curve.vertices(self.height + 2 * above)
        s = s * ((self.length / 2 + before) / s[-1])
        if dense > 1:
            s = np.interp(np.linspace(0, 1, dense * (len(s) - 1) + 1), np.linspace(0, 1, len(s)), s)
        half = self.height / 2 + above
        both = np.concatenate([self.curve.at(s, -half), self.curve.at(s, half)])
        seen = project(frame @ self.plane, both)
        return seen[: len(s)], seen[len(s) :]

    def polygon(self, frame: Doubles) -> Doubles:
        """Return the polygon (2n, 2) around the ink: top from left to right, bottom from right to left."""
        top, bottom = self.band(frame, *self.margins())
        return np.concatenate([top, bottom[::-1]])

    def cut_polygon(self, frame: Doubles, side: int) -> Doubles | None:
        """Return what the image of *side* pixels shows of the polygon, or None where that is next to nothing."""
        left = clip(*self.band(frame, *self.margins(), dense=8), 0.0, side - 1.0)
        return None if left is None else np.concatenate([left[0], left[1][::-1]])

    def margins(self) -> tuple[float, float]:
        """Return the space between ink and polygon, in plane units, at the ends and at the sides."""
        return 0.4 + 0.01 * self.height, 0.4 + 0.02 * self.height

    def ink(self, frame: Doubles, polygon: Doubles, box: tuple[int, int, int, int]) -> tuple[Bytes, Bytes | None]:
        """Return the ink, and the ink with its outline, in a *box* (left, top, width, height) of the image."""
        left, top, width, height = box
        across, down = self.strip.shape[1] / 2 - 0.5, self.strip.shape[0] / 2 - 0.5
        whole = frame @ self.plane
        if self.curve.kind == "line":
            size = self.scale
            strip_to_plane = np.array([[size, 0, -size * across], [0, size, -size * down], [0, 0, 1]])
            matrix = np.array([[1.0, 0, -left], [0, 1, -top], [0, 0, 1]]) @ whole @ strip_to_plane

            def seen(strip: Bytes) -> Bytes:
                return np.asarray(cv2.warpPerspective(strip, matrix, (width, height)), dtype=np.uint8)
        else:
            columns, rows = -(-width // CELL) + 2, -(-height // CELL) + 2
            x = CELL * (np.arange(columns) - 0.5) - 0.5 + left
            y = CELL * (np.arange(rows) - 0.5) - 0.5 + top
            grid = np.stack([np.tile(x, rows), np.repeat(y, columns)], axis=-1)
            flat = project(np.asarray(np.linalg.inv(whole), dtype=np.float64), grid)
            s, d = self.curve.find(flat[:, 0], flat[:, 1])
            coarse = np.stack([s / self.scale + across, d / self.scale + down], axis=-1).astype(np.float32)
            fine = cv2.resize(coarse.reshape(rows, columns, 2), (columns * CELL, rows * CELL))
            fine = fine[CELL : CELL + height, CELL : CELL + width]
            near = np.zeros((height, width), dtype=np.uint8)  # what lies across the curve's centres is no part of it
            outline = np.round((polygon - (left, top)) * 16).astype(np.int32)
            cv2.fillPoly(near, [outline], 255, shift=4)
            cv2.polylines(near, [outline], True, 255, 3, shift=4)

            def seen(strip: Bytes) -> Bytes:
                warped: Any = cv2.remap(strip, fine, None, cv2.INTER_LINEAR)  # type: ignore[call-overload]
                return np.asarray(cv2.bitwise_and(warped, near), dtype=np.uint8)

        return seen(self.strip), None if self.rim is None else seen(self.rim)


def project(matrix: Doubles, points: Doubles) -> Doubles:
    """Return the images (n, 2) of *points* (n, 2) under a homography (3, 3)."""
    x, y = points[:, 0], points[:, 1]
    w = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2]
    return np.stack(
        [
            (matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2]) / w,
            (matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2]) / w,
        ],
        axis=-1,
    )
