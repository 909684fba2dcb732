"""How much the polygons of an image share, pair by pair: the tables that every protocol reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from paribus.data.pixels import misplaced
from paribus.errors import DataError

Floats = NDArray[np.float64]
Regions = NDArray[np.object_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Overlaps:
    """Tables of G ground truths by P predictions, each (G, P), float64, 0..1; 0 where a region has no area."""

    recall: Floats
    """Area of the intersection / area of the ground truth (Total-Text calls it sigma)."""
    precision: Floats
    """Area of the intersection / area of the prediction (Total-Text calls it tau)."""
    iou: Floats
    """Area of the intersection / area of the union."""


def overlaps(ground_truths: Sequence[ArrayLike], predictions: Sequence[ArrayLike]) -> Overlaps:
    """Return the shared areas of each pair of polygons, (N, 2) with N at least 3, in pixels or any one unit.

    Raises:
        DataError: a polygon is not (N, 2), not finite or farther out than any picture.
    """
    return compare(
        regions([outline(each, f"ground truth {index}") for index, each in enumerate(ground_truths)]),
        regions([outline(each, f"prediction {index}") for index, each in enumerate(predictions)]),
    )


def outline(polygon: ArrayLike, what: str) -> Floats:
    """Return *polygon* as (N, 2) float64; *what* names it in a DataError where it is none."""
    try:
        points = np.asarray(polygon, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what}: its polygon is not numbers ({error}); an array (N, 2) is expected") from None
    if points.ndim != 2 or points.shape[1] != 2:
        raise DataError(f"{what}: its polygon has the shape {points.shape}; (N, 2) is expected")
    if wrong := misplaced(points):
        raise DataError(f"{what}: its polygon has {wrong}")
    return points


def regions(outlines: Sequence[Floats]) -> Regions:
    """Return what each of the K *outlines* encloses, (K,) shapely geometries.

    An outline that crosses itself encloses all that it goes round, in either direction: a bow-tie both of its
    triangles, a ribbon that runs over its own tail their union. One with fewer than three points, or on one line,
    encloses nothing.
    """
    result: Regions = np.full(len(outlines), shapely.Polygon(), dtype=object)
    whole = [index for index, points in enumerate(outlines) if len(points) >= 3]
    if whole:
        counts = [len(outlines[index]) for index in whole]
        rings = shapely.linearrings(
            np.concatenate([outlines[index] for index in whole]), indices=np.repeat(np.arange(len(whole)), counts)
        )
        shapes = shapely.polygons(rings)
        broken = ~shapely.is_valid(shapes)
        if broken.any():
            shapes[broken] = shapely.make_valid(shapes[broken], method="structure", keep_collapsed=False)
        result[whole] = shapes
    return result


def compare(ground_truths: Regions, predictions: Regions) -> Overlaps:
    """Return the tables for regions, as :func:`regions` makes them; only pairs whose boxes meet are intersected."""
    shared = np.zeros((len(ground_truths), len(predictions)))
    truth_area, predicted_area = _areas(ground_truths), _areas(predictions)
    if shared.size:
        left: Any = shapely.bounds(ground_truths)[:, None]
        right: Any = shapely.bounds(predictions)[None]
        meet = ((left[..., :2] < right[..., 2:]) & (right[..., :2] < left[..., 2:])).all(-1)  # bounds of none are nan
        rows, columns = meet.nonzero()
        shared[rows, columns] = shapely.area(shapely.intersection(ground_truths[rows], predictions[columns]))
    union = truth_area[:, None] + predicted_area - shared
    return Overlaps(
        recall=_share(shared, truth_area[:, None]),
        precision=_share(shared, predicted_area),
        iou=_share(shared, union),
    )


def _areas(shapes: Regions) -> Floats:
    return np.asarray(shapely.area(shapes), dtype=np.float64).reshape(len(shapes))


def _share(part: Floats, whole: Floats) -> Floats:
    whole = np.broadcast_to(whole, part.shape)
    return np.clip(np.divide(part, whole, out=np.zeros_like(part), where=whole > 0), 0, 1)
