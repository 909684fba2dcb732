"""Where groups stand in the image: turned, tilted, and clear of each other."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from paribus.data.curved_text.instances import crosses_itself
from paribus.data.curved_text.layout import Group
from paribus.data.curved_text.setting import project

Doubles = NDArray[np.float64]
CELL = 4
"""Pixels to a cell of the map of what is taken."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Placed:
    """A group at its place."""

    group: Group
    polygons: tuple[Doubles, ...]
    """(2n, 2) of each of its texts."""
    frame: Doubles
    """(3, 3) from the group's plane to the image."""
    plate: Doubles | None


class Board:
    """The map of what is taken."""

    def __init__(self, side: int) -> None:
        self.side = side
        self.edge = -(-side // CELL) + 8
        """Cells before the image's first: so much of the board lies around the image, as wide as itself."""
        self.taken = np.zeros((3 * self.edge, 3 * self.edge), dtype=np.uint8)

    def put(
        self, group: Group, scene_turn: float, random: np.random.Generator, tries: int, over: bool
    ) -> Placed | None:
        """Take a free place for a group and return it; None where none was found. *over*: it may leave the image."""
        frame = _frame(group, scene_turn, random)
        polygons = [setting.polygon(frame) for setting in group.settings]
        if not polygons:
            return None
        low, high = _extent(polygons)
        room = self.side - 5.0
        if not over and (high - low).max() > room:
            shrink = room / float((high - low).max())
            if min(setting.height for setting in group.settings) * shrink < 9:
                return None
            frame = np.diag([shrink, shrink, 1.0]) @ frame
            polygons = [setting.polygon(frame) for setting in group.settings]
            low, high = _extent(polygons)
        for setting, polygon in zip(group.settings, polygons, strict=True):
            if setting.curve.kind != "line" and crosses_itself(polygon):
                return None
        plate = None if group.plate is None else project(frame, group.plate)
        outlines = polygons if plate is None else [*polygons, plate]
        first, last = _extent(outlines)
        corner = np.floor(first / CELL) * CELL
        size = np.ceil((last - corner) / CELL).astype(int) + 2
        shape = np.zeros((size[1], size[0]), dtype=np.uint8)
        for outline in outlines:
            cv2.fillPoly(shape, [np.round((outline - corner) / CELL * 16).astype(np.int32)], 1, shift=4)
        wide = np.zeros((size[1] + 4, size[0] + 4), dtype=np.uint8)
        wide[2:-2, 2:-2] = shape
        wide = np.asarray(cv2.dilate(wide, np.ones((3, 3), np.uint8)), dtype=np.uint8)
        if over:
            starts = np.stack([self._over_border(high - low, random) for _ in range(tries)])
            cells = np.round((starts - (low - corner)) / CELL).astype(np.int64)
        else:
            least = np.ceil((1 - (low - corner)) / CELL)
            most = np.floor((self.side - 2 - (high - corner)) / CELL)
            if (most < least).any():
                return None
            cells = (least + np.floor(random.random((tries, 2)) * (most - least + 1))).astype(np.int64)
        for x, y in (cells + self.edge).tolist():
            if min(x, y) < 2 or max(x + wide.shape[1], y + wide.shape[0]) > len(self.taken):
                continue
            if not (self.taken[y : y + shape.shape[0], x : x + shape.shape[1]] & shape).any():
                self.taken[y - 2 : y - 2 + wide.shape[0], x - 2 : x - 2 + wide.shape[1]] |= wide
                move = CELL * (np.array([x, y]) - self.edge) - corner
                return Placed(
                    group=group,
                    polygons=tuple(polygon + move for polygon in polygons),
                    frame=np.array([[1.0, 0, move[0]], [0, 1, move[1]], [0, 0, 1]]) @ frame,
                    plate=None if plate is None else plate + move,
                )
        return None

    def _over_border(self, size: Doubles, random: np.random.Generator) -> Doubles:
        start = random.uniform(-0.2 * size, self.side - 0.8 * size)
        axis = int(random.integers(2))
        share = random.uniform(0.2, 0.85)
        start[axis] = -share * size[axis] if random.random() < 0.5 else self.side - (1 - share) * size[axis]
        return np.asarray(start)


def _extent(outlines: list[Doubles]) -> tuple[Doubles, Doubles]:
    ends = np.concatenate(outlines)
    return np.asarray(ends.min(axis=0)), np.asarray(ends.max(axis=0))


def _frame(group: Group, scene_turn: float, random: np.random.Generator) -> Doubles:
    """Draw turn, stretch, slant and tilt of a group's plane."""
    draw = random.random()
    if draw < 0.62:
        turn = random.normal(0, 4)
    elif draw < 0.88 or group.round:
        turn = random.normal(0, 18)
    elif draw < 0.96:
        turn = random.uniform(-65, 65)
    else:
        turn = random.choice([-90.0, 90.0]) + random.normal(0, 4)
    angle = np.deg2rad(scene_turn + turn)
    stretch = float(np.clip(np.exp(random.normal(0, 0.06 if group.round else 0.14)), 0.75, 1.35))
    slant = random.normal(0, 0.10) if random.random() < 0.4 else 0.0
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]]) @ np.array(
        [[stretch, slant, 0], [0, 1 / stretch, 0], [0, 0, 1]]
    )
    if random.random() < 0.6:
        reach = max(setting.reach for setting in group.settings)
        tilt = np.clip(random.normal(0, 0.16, 2), -0.32, 0.32) / reach * (1.0, 0.6)
        matrix = np.array([[1.0, 0, 0], [0, 1, 0], [tilt[0], tilt[1], 1]]) @ matrix
    return np.asarray(matrix, dtype=np.float64)
