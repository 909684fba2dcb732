"""From a detector's maps to text instances (Long et al., ECCV 2018, figure 5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.labs.textsnake.circles import circled, text_share
from paribus.labs.textsnake.compiled import compiled
from paribus.labs.textsnake.components import Ints, above, components, plane
from paribus.labs.textsnake.instance import Instance
from paribus.labs.textsnake.outlining import outlined
from paribus.labs.textsnake.refinements import REFINED, Refinements
from paribus.labs.textsnake.sliding import covered, slid
from paribus.labs.textsnake.striding import most, walked

Floats = NDArray[np.float64]

SMALLEST = 0.2
"""A centre line of fewer pixels than this many mean radii is none."""
FEWEST = 4
"""Nor is one of fewer pixels than this, where that is refined."""
FILLED = 0.5
"""An instance of which less than this share is text is none."""


@dataclass(frozen=True, kw_only=True)
class Acts:
    """Which acts of the decoder are done, and what stands in for each that is not.

    ``centralize``: a point is moved along its normal to the middle between the borders of the centre line; without, it
    stays where a stride took it. ``stride``: the axis is followed by strides of r / 2, r and the tangent as read where
    each starts; without, it is a straight line along the tangent at the middle of the component, as long as that is.
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
    acts: Acts = Acts(),
    refinements: Refinements = REFINED,
) -> list[Instance]:
    """Return the text instances of five maps (H, W): float16 or float32 arrays, or tensors on any device.

    *tr* and *tcl* are probabilities of text and of a centre line; *radius* (pixels), *cos* and *sin* are read where
    both exceed their thresholds, each between 0 and 1. There, numbers that are not finite and negative radii count as
    0, cosines and sines beyond -1 and 1 as these, and radii beyond the map's diagonal as that.

    Each connected component of those pixels is one instance. From the pixel nearest to its middle, centralised, strides
    of r / 2 lead to both ends, the last one as long as the line allows. The outline is that of circles slid along the
    axis, always a simple polygon; the score is the mean of *tr* over the component. Left out are components of fewer
    pixels than 0.2 mean radii, and instances of which less than half is text region.

    *refinements* ``cross_sections``: at every place the normal is read from border to border, and radius and tangent
    are means over it; a tangent that points the other way than the one before is turned round, and in the end the axis
    runs as most of the maps say. ``pixel_strides``: a stride is a pixel long at least, and passes a hole or a ragged
    border of a pixel. ``straight_ends``: the outline is cut straight at the ends: along the border of the text region
    where that is within r of the line's end, else r / 2 beyond it, which is what labels cut off. ``four_pixels``:
    components of fewer pixels, which have no direction, are left out.

    With ``straight_ends`` an instance of more than 2,000 disks, which is no text, gets the convex hull of its circles'
    ends as its outline, and the cost is linear in the pixels; where an axis returns to itself, and where an outline
    crosses itself, is found in time that grows as n log n with the n disks of an instance, unless these wind on and on
    through one place. Without, an instance takes a millisecond or more.
    Raises :class:`~paribus.errors.DataError` for maps that differ in shape and
    :class:`~paribus.errors.ConfigError` for a threshold that is not more than 0 and less than 1.
    """
    tr = plane(tr, "tr")
    tcl, radius, cos, sin = (
        plane(values, name, tr.shape) for values, name in ((tcl, "tcl"), (radius, "radius"), (cos, "cos"), (sin, "sin"))
    )
    text = above(tr, tr_threshold, "tr_threshold")
    pixels, begins = components(text & above(tcl, tcl_threshold, "tcl_threshold"))
    if len(pixels) == 0:
        return []
    values = np.empty((4, len(pixels)), np.float32)
    for k, source in enumerate((radius, cos, sin, tr)):
        values[k] = source.take(pixels)
    disks, points, disk_ends, point_ends, scores = _decoded(
        text,
        pixels,
        begins,
        values,
        acts.centralize,
        acts.stride,
        acts.slide,
        refinements.cross_sections,
        refinements.pixel_strides,
        refinements.straight_ends,
        FEWEST if refinements.four_pixels else 1,
    )
    found = []
    disk = point = 0
    for disk_end, point_end, score in zip(disk_ends.tolist(), point_ends.tolist(), scores.tolist(), strict=True):
        own, polygon = disks[disk:disk_end], points[point:point_end]
        disk, point = disk_end, point_end
        if not refinements.straight_ends:
            border = circled(own)
            if border is None or text_share(border, text) < FILLED:
                continue
            polygon = border
        found.append(Instance(polygon=polygon, disks=own, score=score))
    return found


@compiled
def _decoded(
    text: NDArray[np.bool_],
    pixels: NDArray[np.int64],
    begins: Ints,
    values: NDArray[np.float32],
    centralize: bool,
    stride: bool,
    slide: bool,
    cross_sections: bool,
    pixel_strides: bool,
    straight_ends: bool,
    fewest: int,
) -> tuple[Floats, Floats, NDArray[np.int64], NDArray[np.int64], Floats]:
    """Return the disks and corners of all instances, where those of each end, and the scores.

    Without *straight_ends* there are no corners, and every component that has an axis is an instance as yet.
    """
    n = len(begins) - 1
    columns = text.shape[1]
    diagonal = np.float32(np.hypot(text.shape[0], columns))
    one = np.float32(1)
    boxes = np.empty((n, 4), np.int64)
    largest = longest = 0
    for k in range(n):
        left, right = columns, 0
        for i in range(begins[k], begins[k + 1]):
            x = pixels[i] % columns
            left, right = min(left, x), max(right, x)
        top, bottom = pixels[begins[k]] // columns, pixels[begins[k + 1] - 1] // columns
        boxes[k, 0], boxes[k, 1], boxes[k, 2], boxes[k, 3] = left, top, right - left + 1, bottom - top + 1
        largest, longest = max(largest, boxes[k, 2] * boxes[k, 3]), max(longest, begins[k + 1] - begins[k])
    memory = np.zeros(largest, np.int32)
    room = 2 * most(longest, pixel_strides) + 1
    line, rungs, polygon = np.empty((room, 6)), np.empty((room + 2, 4)), np.empty((2 * room + 4, 2))
    disks, points = np.empty((256, 3)), np.empty((512, 2))
    disk_ends, point_ends, scores = np.empty(n, np.int64), np.empty(n, np.int64), np.empty(n)
    count = disk = point = 0
    for k in range(n):
        begin, end = begins[k], begins[k + 1]
        if end - begin < fewest:
            continue
        mean = score = 0.0
        for i in range(begin, end):
            for v in range(3):
                if not np.isfinite(values[v, i]):
                    values[v, i] = 0
            values[0, i] = max(values[0, i], np.float32(0))
            mean += values[0, i]
            values[0, i] = min(values[0, i], diagonal)
            values[1, i], values[2, i] = min(max(values[1, i], -one), one), min(max(values[2, i], -one), one)
            score += values[3, i]
        mean, score = mean / (end - begin), score / (end - begin)
        if mean <= 0 or end - begin < SMALLEST * mean:
            continue
        left, top = boxes[k, 0], boxes[k, 1]
        slots = memory[: boxes[k, 2] * boxes[k, 3]].reshape((boxes[k, 3], boxes[k, 2]))
        for i in range(begin, end):
            slots[pixels[i] // columns - top, pixels[i] % columns - left] = i + 1
        first, last = walked(
            slots,
            left,
            top,
            pixels,
            columns,
            values,
            begin,
            end,
            centralize,
            stride,
            cross_sections,
            pixel_strides,
            line,
        )
        vote = 0.0
        for i in range(begin, end):
            slots[pixels[i] // columns - top, pixels[i] % columns - left] = 0
        for i in range(first, last + 1):
            vote += line[i, 5]
            if not slide:
                line[i, 2] = min(mean, float(diagonal))
        if vote < 0:
            _turn_round(line, first, last)
        corners = 0
        if straight_ends:
            rows = slid(text, line, first, last, rungs)
            if covered(text, rungs, rows) < FILLED:
                continue
            corners = outlined(rungs, rows, polygon)
            if corners == 0:
                continue
        disks, points = _roomy(disks, disk + last + 1 - first), _roomy(points, point + corners)
        for i in range(first, last + 1):
            disks[disk, 0], disks[disk, 1], disks[disk, 2] = line[i, 0], line[i, 1], line[i, 2]
            disk += 1
        for i in range(corners):
            points[point, 0], points[point, 1] = polygon[i, 0], polygon[i, 1]
            point += 1
        disk_ends[count], point_ends[count], scores[count] = disk, point, min(score, 1.0)
        count += 1
    return disks[:disk], points[:point], disk_ends[:count], point_ends[:count], scores[:count]


@compiled
def _turn_round(line: Floats, first: int, last: int) -> None:
    """Let the axis run from its last point to its first."""
    for i in range((last - first + 2) // 2):
        a, b = first + i, last - i
        for v in range(6):
            sign = 1.0 if v < 3 else -1.0
            one, other = line[a, v], line[b, v]
            line[a, v], line[b, v] = sign * other, sign * one


@compiled
def _roomy(rows: Floats, needed: int) -> Floats:
    """Return the rows with room for *needed* of them."""
    if needed <= len(rows):
        return rows
    more = np.empty((2 * needed, rows.shape[1]))
    more[: len(rows)] = rows
    return more
