"""One-to-one matching by a table of agreement, and the agreement of levelled boxes that MSRA-TD500 asks for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from paribus.labs.textsnake.evaluation.scores import Match

Floats = NDArray[np.float64]
LARGEST_ANGLE = np.pi / 8
"""Boxes that differ by this angle or more do not agree (Yao et al. 2012)."""


def match(agreement: Floats, threshold: float) -> list[Match]:
    """Return as many pairs with agreement above *threshold* as there can be, each row and each column in one at most.

    Of several ways the one with the largest total agreement is taken. Where no two ground truths share area and the
    threshold on IoU is 0.5 or more, a prediction can match one ground truth only, and the number of pairs is what
    the programs of ICDAR 2015 and CTW1500 count, which take the first or the best prediction for each.

    Args:
        agreement: (G, P), 0..1.
        threshold: 0..1; equal to it is not enough.
    """
    good = agreement > threshold
    most = min(good.shape) + 1
    rows, columns = linear_sum_assignment(np.where(good, 1 + agreement / most, 0), maximize=True)
    return [
        Match(kind="one-to-one", ground_truths=(int(row),), predictions=(int(column),))
        for row, column in zip(rows, columns, strict=True)
        if good[row, column]
    ]


def levelled_iou(ground_truths: Sequence[Floats], predictions: Sequence[Floats]) -> Floats:
    """Return how far the boxes of G by P outlines, (N, 2) each, agree: (G, P), 0..1.

    The box of an outline is the smallest rectangle round it. Both boxes of a pair are turned level about their own
    centres, the long side of the ground truth becoming horizontal; the value is the IoU of what results, and 0 where
    their directions differ by pi/8 or more. Yao, Bai, Liu, Ma & Tu, Detecting texts of arbitrary orientations in
    natural images, CVPR 2012. As an outline does not say which way its text runs, directions are compared modulo a
    quarter turn, width and height exchanged with it. Above an IoU of 0.5 that makes no difference where both boxes
    are at least 1.5 times as long as wide; nearly square ones do not depend on which side is longer by a pixel.
    """
    truth = np.array([smallest_rectangle(points) for points in ground_truths]).reshape(-1, 1, 5)
    found = np.array([smallest_rectangle(points) for points in predictions]).reshape(1, -1, 5)
    turn = found[..., 4] - truth[..., 4]
    quarters = np.round(turn / (np.pi / 2))
    angle = np.abs(turn - quarters * np.pi / 2)
    sizes = np.where((quarters % 2 == 1)[..., None], found[..., [3, 2]], found[..., 2:4])
    low = np.maximum(truth[..., :2] - truth[..., 2:4] / 2, found[..., :2] - sizes / 2)
    high = np.minimum(truth[..., :2] + truth[..., 2:4] / 2, found[..., :2] + sizes / 2)
    shared = np.clip(high - low, 0, None).prod(-1)
    union = truth[..., 2:4].prod(-1) + sizes.prod(-1) - shared
    iou = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    result: Floats = np.where(angle < LARGEST_ANGLE, iou, 0.0)
    return result


def smallest_rectangle(points: Floats) -> Floats:
    """Return the rectangle of least area round *points*, (N, 2): its centre x, y, long side, short side, and angle.

    One of its sides lies along an edge of the convex hull (Freeman & Shapira 1975), so each edge is tried. The angle is
    that of the long side against the x axis, in radians. Fewer than three points, or all on one line, have no area.
    """
    hull = shapely.get_coordinates(shapely.convex_hull(shapely.multipoints(points)))
    edges = np.diff(hull, axis=0)
    edges = edges[np.hypot(*edges.T) > 0]
    if not len(edges):
        return np.array([*(hull[0] if len(hull) else (0.0, 0.0)), 0.0, 0.0, 0.0])
    angles = np.arctan2(edges[:, 1], edges[:, 0])
    along = np.stack([np.cos(angles), np.sin(angles)], -1)
    across = np.stack([-along[:, 1], along[:, 0]], -1)
    spans = np.stack([along @ hull.T, across @ hull.T], 1)  # (edges, 2, points of the hull)
    low, high = spans.min(-1), spans.max(-1)
    best = int((high - low).prod(-1).argmin())
    middle = (low[best] + high[best]) / 2
    centre = middle[0] * along[best] + middle[1] * across[best]
    width, height = high[best] - low[best]
    angle = angles[best]
    if height > width:
        width, height, angle = height, width, angle + np.pi / 2
    return np.array([*centre, width, height, angle])
