"""From the disks of an axis to an outline to the letter of the paper: the border of what slid circles cover."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from paribus.labs.textsnake.labels import filled

Floats = NDArray[np.float64]

QUARTER = 16
"""Corners of a quarter of a circle: it lies within r / 800 of the true one."""
FINE = 0.02
"""Pixels by which the border may be simplified."""


def circled(disks: Floats) -> Floats | None:
    """Return the border (K, 2) of what a circle covers that slides from each of *disks* (x, y, r) to the next.

    Where that falls into pieces, which takes radii that vanish, it is the border of the largest; None without an area.
    A hole, which a ring has, is part of it.
    """
    circles = shapely.buffer(shapely.points(disks[:, :2]), disks[:, 2], quad_segs=QUARTER)
    between = shapely.convex_hull(shapely.union(circles[:-1], circles[1:]))
    pieces = shapely.get_parts(shapely.union_all([*circles, *between]))
    if len(pieces) == 0:
        return None
    largest = shapely.simplify(shapely.Polygon(pieces[np.argmax(shapely.area(pieces))].exterior), FINE)
    points = np.asarray(shapely.get_coordinates(largest)[:-1])
    return points if shapely.area(largest) > 0 else None


def text_share(polygon: Floats, text: NDArray[np.bool_]) -> float:
    """Return which share of the pixels in *polygon* is *text* (H, W); 0 where it holds no pixel."""
    rows, columns = text.shape
    left, top = np.clip(np.floor(polygon.min(axis=0)), 0, (columns, rows)).astype(int)
    right, bottom = np.clip(np.ceil(polygon.max(axis=0)) + 1, 0, (columns, rows)).astype(int)
    inside = filled(polygon - (left, top), (bottom - top, right - left))
    return float(text[top:bottom, left:right][inside].mean()) if inside.any() else 0.0
