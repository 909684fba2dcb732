"""Ink on the ground: plate, shadow, outline, colour, gradient and wear."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from paribus.data.curved_text.place import CELL, Placed
from paribus.data.curved_text.setting import Setting
from paribus.data.curved_text.style import LUMA, Style, contrasting, draw_colour

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Box = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False, kw_only=True)
class Painted:
    """One text that was painted."""

    setting: Setting
    polygon: Doubles
    """(2n, 2) the whole of it, also where it leaves the image."""
    frame: Doubles
    """(3, 3) from the group's plane to the image."""
    box: Box
    """Left, top, width and height of the part of the image that the masks cover."""
    ink: Bytes
    """(height, width) the letters."""
    rim: Bytes | None
    """(height, width) the letters with their outline, where they have one."""

    @property
    def height(self) -> float:
        """Its mean height in pixels."""
        return _height(self.polygon)


def paint_group(image: Bytes, placed: Placed, style: Style, worn: Bytes, random: np.random.Generator) -> list[Painted]:
    """Paint a group into an *image* (side, side, 3), and return those of its texts that lie in it.

    *worn* (n, n) is a cloud of noise around 128 by which paint comes off.
    """
    colour, second = draw_colour(random), draw_colour(random)
    if placed.plate is not None:
        _paint_plate(image, placed.plate, style, random)
    mean, spread = _behind(image, placed)
    contrast = style.contrast if style.faint else max(style.contrast, min(1.6 * spread, 120.0))
    colour = contrasting(colour, float(mean @ LUMA), contrast)
    if style.outline:
        second = contrasting(second, float(colour @ LUMA), 70.0)
    found = []
    for setting, polygon in zip(placed.group.settings, placed.polygons, strict=True):
        unit = setting.em * _height(polygon) / setting.height
        box = _box(polygon, image.shape[0], int(2 + unit * 0.35) if style.shadow else 3)
        if box is None:
            continue
        ink, rim = setting.ink(placed.frame, polygon, box)
        left, top, width, height = box
        view = image[top : top + height, left : left + width]
        if style.shadow:
            _shade(view, ink if rim is None else rim, style, unit)
        if style.hollow and rim is not None:
            ink, rim = np.asarray(cv2.subtract(rim, ink), dtype=np.uint8), None
        if rim is not None:
            _cover(view, rim, second, style.opacity)
        _cover(view, _wear(ink, worn, style.wear, random) if style.wear else ink, colour, style.opacity, style.gradient)
        found.append(Painted(setting=setting, polygon=polygon, frame=placed.frame, box=box, ink=ink, rim=rim))
    return found


def contrast_of(photograph: Bytes, painted: Painted) -> float:
    """Return how much a text differs from what is around it in a photograph (side, side, 3).

    It is the largest difference, over the channels, between the means of letters, outline and surroundings, less
    than which the surroundings' standard deviation does not count: difference - 0.35 standard deviations, 0..255.
    """
    left, top, width, height = painted.box
    view = photograph[top : top + height, left : left + width]
    whole = painted.ink if painted.rim is None else painted.rim
    around = np.zeros((height, width), dtype=np.uint8)
    cv2.fillPoly(around, [np.round((painted.polygon - (left, top)) * 16).astype(np.int32)], 255, shift=4)
    around[whole > 40] = 0
    letters = (painted.ink > 150).astype(np.uint8)
    if not letters.any() or not around.any():
        return 0.0
    ground, spread = (np.asarray(value)[:, 0] for value in cv2.meanStdDev(view, mask=around))
    means = [ground, np.asarray(cv2.mean(view, mask=letters))[:3]]
    if painted.rim is not None:
        outline = ((painted.rim > 150) & (painted.ink < 40)).astype(np.uint8)
        if outline.any():
            means.append(np.asarray(cv2.mean(view, mask=outline))[:3])
    apart = max(float(np.abs(one - other).max()) for one in means[1:] for other in means)
    return apart - 0.35 * float(spread.mean())


def _height(polygon: Doubles) -> float:
    half = len(polygon) // 2
    return float(np.hypot(*(polygon[:half] - polygon[half:][::-1]).T).mean())


def _box(polygon: Doubles, side: int, around: int) -> Box | None:
    low = np.maximum(np.floor(polygon.min(axis=0)).astype(int) - around, 0)
    high = np.minimum(np.ceil(polygon.max(axis=0)).astype(int) + around + 1, side)
    if (high - low).min() < 2:
        return None
    return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])


def _behind(image: Bytes, placed: Placed) -> tuple[Doubles, float]:
    """Return the mean colour (3,) behind a group, and the standard deviation of the brightness there."""
    ends = np.concatenate(placed.polygons)
    side = image.shape[0]
    low = np.clip(np.floor(ends.min(axis=0)), 0, side - 2).astype(int)
    high = np.clip(np.ceil(ends.max(axis=0)), low + 2, side).astype(int)
    small = np.ascontiguousarray(image[low[1] : high[1] : CELL, low[0] : high[0] : CELL])
    mask = np.zeros(small.shape[:2], dtype=np.uint8)
    for polygon in placed.polygons:
        cv2.fillPoly(mask, [np.round((polygon - low) / CELL * 16).astype(np.int32)], 255, shift=4)
    mean, spread = cv2.meanStdDev(small, mask=mask if mask.any() else None)
    return np.asarray(mean[:, 0], dtype=np.float64), float(spread[:, 0] @ LUMA)


def _paint_plate(image: Bytes, plate: Doubles, style: Style, random: np.random.Generator) -> None:
    points = np.round(plate * 16).astype(np.int32)
    colour = draw_colour(random)
    if style.plate_opacity >= 1:
        cv2.fillPoly(image, [points], colour.tolist(), cv2.LINE_AA, 4)
    else:
        box = _box(plate, image.shape[0], 1)
        if box is not None:
            left, top, width, height = box
            view = image[top : top + height, left : left + width]
            mask = np.zeros((height, width), dtype=np.uint8)
            cv2.fillPoly(mask, [points - np.array([left, top]) * 16], 255, cv2.LINE_AA, 4)
            _cover(view, mask, colour, style.plate_opacity)
    if style.border:
        width = int(np.clip(style.border * 40, 1, 6))
        cv2.polylines(image, [points], True, draw_colour(random).tolist(), width, cv2.LINE_AA, 4)


def _cover(view: Bytes, mask: Bytes, colour: Doubles, opacity: float, gradient: float = 0.0) -> None:
    """Paint a *colour* where *mask* is, in place."""
    share = mask.astype(np.float32) * np.float32(opacity / 255)
    paint: Any
    if gradient:
        down = np.linspace(-0.5, 0.5, view.shape[0]) * gradient
        column = np.clip(colour + down[:, None], 0, 255).astype(np.uint8)
        paint = np.ascontiguousarray(np.broadcast_to(column[:, None, :], view.shape))
    else:
        paint = np.empty_like(view)
        paint[:] = np.clip(colour, 0, 255).astype(np.uint8)
    cv2.blendLinear(paint, np.ascontiguousarray(view), share, 1 - share, dst=paint)
    view[:] = paint


def _shade(view: Bytes, mask: Bytes, style: Style, unit: float) -> None:
    """Darken or lighten beside the ink, in place."""
    move = np.array([[1.0, 0, style.shadow_x * unit], [0, 1, style.shadow_y * unit]])
    cast: Any = cv2.warpAffine(mask, move, (mask.shape[1], mask.shape[0]))
    soft = style.shadow_softness * unit
    if soft > 0.4:
        cast = cv2.GaussianBlur(cast, (0, 0), soft)
    _cover(view, cast, np.full(3, 250.0 if style.glow else 8.0), style.shadow)


def _wear(ink: Bytes, worn: Bytes, share: float, random: np.random.Generator) -> Bytes:
    height, width = ink.shape
    y, x = int(random.integers(worn.shape[0])), int(random.integers(worn.shape[1]))
    rows = np.arange(y, y + height) % worn.shape[0]
    columns = np.arange(x, x + width) % worn.shape[1]
    noise = worn[np.ix_(rows, columns)]
    left = np.clip((noise.astype(np.int16) - int(128 + 50 * (share * 2 - 1.2))) * 8, 0, 255).astype(np.uint8)
    return np.asarray(cv2.multiply(ink, np.maximum(left, 70), scale=1 / 255), dtype=np.uint8)
