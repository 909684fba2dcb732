"""From a detector's maps to text instances (Long et al., ECCV 2018, section 3.3 and figure 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.errors import ConfigError
from paribus.labs.textsnake.compiled import compiled
from paribus.labs.textsnake.components import Ints, comparable, components, plane
from paribus.labs.textsnake.instance import Instance
from paribus.labs.textsnake.sliding import covered, outlined, slid
from paribus.labs.textsnake.striding import walked

Floats = NDArray[np.float64]

SMALLEST = 0.2
"""A centre line of fewer pixels than this many mean radii is none."""
FILLED = 0.5
"""An instance of which less than this share is text is none."""


@dataclass(frozen=True, kw_only=True)
class Acts:
    """Which acts of the decoder are done, and what stands in for each that is not.

    ``centralize``: a point is moved along its normal to the middle between the borders of the centre line; without, it
    stays where a stride took it. ``stride``: the axis is followed by strides of r / 2 along the tangent of where they
    land; without, it is a straight line along the tangent at the middle of the component, as long as that is.
    ``slide``: the text is what a circle covers that is slid along the axis with the radius read there; without, every
    circle has the component's mean radius.
    """

    centralize: bool = True
    stride: bool = True
    slide: bool = True


def decode(
    tr: Any,
    tcl: Any,
    radius: Any,
    cos: Any,
    sin: Any,
    *,
    tr_threshold: float = 0.4,
    tcl_threshold: float = 0.6,
    acts: Acts = Acts(),  # noqa: B008 - it is frozen
) -> list[Instance]:
    """Return the text instances of five maps (H, W): float16 or float32 arrays, or tensors on any device.

    *tr* and *tcl* are probabilities of text and of a centre line; *radius* (pixels), *cos* and *sin* are read where both
    exceed their thresholds. Each connected component of those pixels is one instance. From the pixel nearest to its
    middle, centralised, strides of r / 2 lead to both ends, the last one as long as the line allows; at every place the
    normal is read from border to border and radius and tangent are means over it. A tangent that points the other way
    than the one before is turned round, and in the end the axis runs as most of the maps say. The outline is that of
    circles slid along the axis, but square at the ends, and it reaches as far as the text region does (at most r, where
    that goes on: r / 2, which the labels cut off). The score is the mean of *tr* over the component.

    Left out are components of fewer pixels than 0.2 mean radii, and instances of which less than half is text region.
    The cost is linear in the pixels. Raises :class:`~paribus.errors.DataError` for maps that differ in shape.
    """
    for name, value in (("tr_threshold", tr_threshold), ("tcl_threshold", tcl_threshold)):
        if not 0 <= value < 1:
            raise ConfigError(f"{name} is {value}: it must be at least 0 and less than 1")
    tr = plane(tr, "tr")
    tcl, radius, cos, sin = (
        plane(values, name, tr.shape)
        for values, name in ((tcl, "tcl"), (radius, "radius"), (cos, "cos"), (sin, "sin"))
    )
    text, low, high = comparable(tr, tr_threshold)
    line, line_low, line_high = comparable(tcl, tcl_threshold)
    ys, xs, begins = components(text, low, high, line, line_low, line_high)
    if len(ys) == 0:
        return []
    values = np.empty((len(ys), 4), np.float32)
    for k, source in enumerate((radius, cos, sin, tr)):
        values[:, k] = source[ys, xs]
    disks, points, disk_ends, point_ends, scores = _decoded(
        text, low, high, ys, xs, begins, values, acts.centralize, acts.stride, acts.slide
    )
    found = []
    disk = point = 0
    for disk_end, point_end, score in zip(disk_ends.tolist(), point_ends.tolist(), scores.tolist(), strict=True):
        found.append(Instance(polygon=points[point:point_end], disks=disks[disk:disk_end], score=score))
        disk, point = disk_end, point_end
    return found


@compiled
def _decoded(
    tr: NDArray[Any],
    low: Any,
    high: Any,
    ys: Ints,
    xs: Ints,
    begins: Ints,
    values: NDArray[np.float32],
    centralize: bool,
    stride: bool,
    slide: bool,
) -> tuple[Floats, Floats, NDArray[np.int64], NDArray[np.int64], Floats]:
    """Return the disks and corners of all instances, where those of each end, and the scores."""
    n = len(begins) - 1
    largest = 0
    boxes = np.empty((n, 4), np.int32)
    for k in range(n):
        part = slice(begins[k], begins[k + 1])
        boxes[k, 0], boxes[k, 1] = np.min(xs[part]), ys[begins[k]]
        boxes[k, 2], boxes[k, 3] = np.max(xs[part]) + 1 - boxes[k, 0], ys[begins[k + 1] - 1] + 1 - boxes[k, 1]
        largest = max(largest, boxes[k, 2] * boxes[k, 3])
    memory = np.zeros(largest, np.int32)
    disks, points = np.empty((256, 3)), np.empty((512, 2))
    disk_ends, point_ends, scores = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n)
    count = disk = point = 0
    for k in range(n):
        first, end = begins[k], begins[k + 1]
        mean = score = 0.0
        for i in range(first, end):
            for v in range(3):
                if not np.isfinite(values[i, v]):
                    values[i, v] = 0
            values[i, 0] = max(values[i, 0], 0)
            mean += values[i, 0]
            score += values[i, 3]
        mean, score = mean / (end - first), score / (end - first)
        if mean <= 0 or end - first < SMALLEST * mean:
            continue
        left, top, wide, tall = boxes[k, 0], boxes[k, 1], boxes[k, 2], boxes[k, 3]
        slots = memory[: wide * tall].reshape((tall, wide))
        for i in range(first, end):
            slots[ys[i] - top, xs[i] - left] = i - first + 1
        line, vote = walked(slots, left, top, xs[first:end], ys[first:end], values[first:end], centralize, stride)
        for i in range(first, end):
            slots[ys[i] - top, xs[i] - left] = 0
        if not slide:
            line[:, 2] = mean
        if vote < 0:
            line = line[::-1].copy()
            line[:, 3:] *= -1
        rungs = slid(tr, low, high, line)
        if covered(tr, low, high, rungs) < FILLED:
            continue
        polygon = outlined(rungs)
        if len(polygon) == 0:
            continue
        disks, points = _roomy(disks, disk + len(line)), _roomy(points, point + len(polygon))
        disks[disk : disk + len(line)] = line[:, :3]
        points[point : point + len(polygon)] = polygon
        disk, point = disk + len(line), point + len(polygon)
        disk_ends[count], point_ends[count], scores[count] = disk, point, min(score, 1.0)
        count += 1
    return disks[:disk], points[:point], disk_ends[:count], point_ends[:count], scores[:count]


@compiled
def _roomy(rows: Floats, needed: int) -> Floats:
    """Return the rows with room for *needed* of them."""
    if needed <= len(rows):
        return rows
    more = np.empty((2 * needed, rows.shape[1]))
    more[: len(rows)] = rows
    return more
