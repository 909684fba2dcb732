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
LEAST = 1e-6
"""Pixels: what a radius of 0 counts as beside others, so that the way to it is covered."""


def circled(disks: Floats) -> Floats | None:
    """Return the border (K, 2) of what a circle covers that slides from each of *disks* (x, y, r) to the next.

    None where all radii vanish. A hole, which a ring has, is part of what the border surrounds.
    """
    if not disks[:, 2].any():
        return None
    circles = shapely.buffer(shapely.points(disks[:, :2]), np.maximum(disks[:, 2], LEAST), quad_segs=QUARTER)
    between = shapely.convex_hull(shapely.union(circles[:-1], circles[1:]))
    pieces = shapely.get_parts(shapely.union_all([*circles, *between]))
    largest = shapely.simplify(shapely.Polygon(pieces[np.argmax(shapely.area(pieces))].exterior), FINE)
    return np.asarray(shapely.get_coordinates(largest)[:-1]) if shapely.area(largest) > 0 else None


def text_share(polygon: Floats, text: NDArray[np.bool_]) -> float:
    """Return which share of the pixels in *polygon* is *text* (H, W); 0 where it holds no pixel."""
    rows, columns = text.shape
    left, top = np.clip(np.floor(polygon.min(axis=0)), 0, (columns, rows)).astype(int)
    right, bottom = np.clip(np.ceil(polygon.max(axis=0)) + 1, 0, (columns, rows)).astype(int)
    inside = filled(polygon - (left, top), (bottom - top, right - left))
    return float(text[top:bottom, left:right][inside].mean()) if inside.any() else 0.0
