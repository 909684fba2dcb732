"""Two rival representations from the text region alone: the contours of its components, and boxes round these."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from paribus.labs.textsnake.components import above, plane
from paribus.labs.textsnake.decode import FEWEST
from paribus.labs.textsnake.instance import Instance
from paribus.labs.textsnake.outlining import hull, is_simple

FINER = 4
"""How many times finer than the pixels a contour is traced."""
NO_DISKS = np.empty((0, 3))


def contours(tr: Any, *, tr_threshold: float = 0.4) -> list[Instance]:
    """Return the 8-connected components of text, each with its outer contour as its polygon and no disks.

    *tr* (H, W): probabilities of text, of which the score is the mean over the component. The contour runs round the
    pixels as squares, an eighth of a pixel outside, to within half a pixel; where that would cross itself, exactly; and
    where even that does, which takes a shape that meets itself, it is the convex hull. Components of fewer than four
    pixels are left out, as :func:`~paribus.labs.textsnake.decode.decode` leaves them out.
    Raises :class:`~paribus.errors.ConfigError` unless 0 < *tr_threshold* < 1, and
    :class:`~paribus.errors.DataError` for what is no map.
    """
    found = []
    for mask, left, top, score in _regions(plane(tr, "tr"), tr_threshold):
        fine = np.pad(mask.repeat(FINER, axis=0).repeat(FINER, axis=1), 1)
        joined = cv2.dilate(fine, np.ones((3, 3), np.uint8))  # pixels that meet at a corner hold together
        traced, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        exact = max(traced, key=cv2.contourArea)
        rough = cv2.approxPolyDP(exact, FINER / 2, True)
        for contour in (rough, exact):
            points = (contour[:, 0].astype(np.float64) - 0.5) / FINER - 0.5 + (left, top)
            if is_simple(points, len(points)):
                break
        else:
            points = points[: hull(points, len(points))]
        found.append(Instance(polygon=points, disks=NO_DISKS, score=score))
    return found


def rotated_boxes(tr: Any, *, tr_threshold: float = 0.4) -> list[Instance]:
    """Return the 8-connected components of text, each with the rectangle of smallest area round its pixels, no disks.

    *tr* (H, W), the score and the errors as for :func:`contours`. The first edge is a long one, from left to right
    (from the top down where it is upright), and the corners go round clockwise.
    """
    found = []
    for mask, left, top, score in _regions(plane(tr, "tr"), tr_threshold):
        (x, y), (width, height), angle = cv2.minAreaRect(np.argwhere(mask)[:, ::-1].astype(np.float32))
        turn = np.deg2rad(angle if width >= height else angle + 90)
        if np.cos(turn) < -1e-6 or (abs(np.cos(turn)) <= 1e-6 and np.sin(turn) < 0):
            turn += np.pi
        along, across = np.array([np.cos(turn), np.sin(turn)]), np.array([-np.sin(turn), np.cos(turn)])
        # pixels are squares: half a pixel more on each side
        along, across = along * (max(width, height) + 1) / 2, across * (min(width, height) + 1) / 2
        middle = np.array([x + left, y + top])
        corners = [middle - along - across, middle + along - across, middle + along + across, middle - along + across]
        found.append(Instance(polygon=np.array(corners), disks=NO_DISKS, score=score))
    return found


def _regions(tr: NDArray[Any], threshold: float) -> Iterator[tuple[NDArray[np.uint8], int, int, float]]:
    """Yield each component's mask in its box, the box's first column and row, and its mean probability."""
    text = above(tr, threshold, "tr_threshold").view(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(text, connectivity=8)
    for k in range(1, count):
        left, top, wide, tall, area = stats[k].tolist()
        if area < FEWEST:
            continue
        box = np.s_[top : top + tall, left : left + wide]
        mask = labels[box] == k
        yield mask.astype(np.uint8), left, top, min(float(tr[box][mask].mean(dtype=np.float64)), 1.0)
