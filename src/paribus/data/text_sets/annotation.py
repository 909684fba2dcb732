"""One text as it was annotated, and what makes an annotation a broken one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from paribus.data.pixels import misplaced
from paribus.errors import DataError

Size = tuple[int, int]
LEAST_POINTS = 4


@dataclass(frozen=True, eq=False)
class Annotation:
    """One text of an image."""

    polygon: NDArray[np.float64]
    """Its outline, (N, 2) with N at least 4, x and y in pixels from the upper left corner, read-only; not closed."""
    text: str = ""
    """What it reads, where the data set says so."""
    ignore: bool = False
    """Do-not-care: too small, blurred or hidden to be read."""
    orientation: str = ""
    """Total-Text's: ``c`` curved, ``h`` horizontal, ``m`` of another direction, ``#`` do-not-care; else empty."""
    broken: bool = False
    """Do-not-care because what was annotated is broken: about here there is text."""


@dataclass(frozen=True, eq=False)
class AnnotatedImage:
    """An image and its texts."""

    path: Path
    instances: tuple[Annotation, ...]
    size: Size
    """Width and height as stored, in pixels; (0, 0) of an image that was left out as its file cannot be read."""


class BrokenAnnotation(DataError):  # noqa: N818 - it reads as what it says
    """An annotation that is broken, and the points (N, 2) by which one knows about where its text is."""

    def __init__(self, message: str, points: ArrayLike) -> None:
        super().__init__(message)
        self._points = np.asarray(points, dtype=np.float64).reshape(-1, 2)

    def place(self) -> Annotation | None:
        """Return the smallest rectangle round the points, as do-not-care, or None where it has no area."""
        box = None if misplaced(self._points) else shapely.oriented_envelope(shapely.MultiPoint(self._points))
        if not isinstance(box, shapely.Polygon) or not box.area:
            return None
        return region(shapely.get_coordinates(box)[:-1])


def region(corners: ArrayLike) -> Annotation:
    """Return the do-not-care of *corners*, (N, 2), within which nothing more is known."""
    polygon = np.array(corners, dtype=np.float64)
    polygon.flags.writeable = False
    return Annotation(polygon, ignore=True, broken=True)


def annotation(
    place: str, points: ArrayLike, *, text: str = "", ignore: bool = False, orientation: str = ""
) -> Annotation:
    """Return the annotation of *points*, (N, 2); a last point that repeats the first is left out.

    Raises:
        DataError: naming *place*: one that is not finite, or no area; of fewer than four points, or a crossing, it is a
            BrokenAnnotation.
    """
    polygon = np.array(points, dtype=np.float64).reshape(-1, 2)
    if len(polygon) > 1 and (polygon[0] == polygon[-1]).all():
        polygon = polygon[:-1]
    if len(polygon) < LEAST_POINTS:
        told = f"{place}: a polygon of {count(len(polygon), 'point')}; at least {LEAST_POINTS} are expected"
        raise BrokenAnnotation(told, polygon)
    if wrong := misplaced(polygon):
        raise DataError(f"{place}: {wrong}")
    shape = shapely.Polygon(polygon)
    if shape.convex_hull.area == 0:
        raise DataError(f"{place}: a polygon without area; points round the text are expected")
    if not shape.is_valid:
        at = ", ".join(shapely.is_valid_reason(shape).partition("[")[2].rstrip("]").split())
        told = f"{place}: a polygon that meets itself at {at}; points in order round the text are expected"
        raise BrokenAnnotation(told, polygon)
    polygon.flags.writeable = False
    return Annotation(polygon, text, ignore, orientation)


def inside(place: str, found: Annotation, size: Size) -> Annotation:
    """Return *found* if its box shares area with an image of *size*; partly outside, it is kept as it is."""
    if not within(found, size):
        box = ", ".join(f"{value:g}" for value in (*found.polygon.min(0), *found.polygon.max(0)))
        raise DataError(
            f"{place}: the box {box} lies wholly outside its image of {size[0]}x{size[1]};"
            " x and y in pixels, from the upper left corner, are expected"
        )
    return found


def within(found: Annotation, size: Size) -> bool:
    """Tell whether the box of *found* shares area with an image of *size*."""
    return bool((found.polygon.max(0) > 0).all() and (found.polygon.min(0) < size).all())


def numbers(place: str, fields: Iterable[str]) -> list[float]:
    """Return the finite numbers that *fields* are; DataError names *place* and the first that is none."""
    result = []
    for field in fields:
        try:
            value = float(field.replace("_", "no"))  # float reads 1_0 as 10
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise DataError(f"{place}: {field.strip()!r} is not a number; a coordinate in pixels is expected")
        result.append(value)
    return result


def pairs(place: str, values: Sequence[float]) -> list[tuple[float, float]]:
    """Return x1, y1, x2, y2, ... as points; DataError names *place* where one number is left over."""
    if len(values) % 2:
        raise DataError(
            f"{place}: {count(len(values), 'number')}, which is odd; an x and a y for each point is expected"
        )
    return list(zip(values[::2], values[1::2], strict=True))


def count(number: int, noun: str) -> str:
    """Return ``1 point`` or ``3 points``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def text_lines(path: Path) -> list[tuple[str, str]]:
    """Return the lines of a UTF-8 file, with or without byte order mark, that are not blank, each with its place.

    Raises:
        DataError: the file cannot be read, or is of another encoding; it names the line.
    """
    try:
        data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}: line {line}: the byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        ) from None
    lines = enumerate(text.replace("\r\n", "\n").split("\n"), 1)
    return [(f"{path}: line {number}", line) for number, line in lines if line.strip()]
