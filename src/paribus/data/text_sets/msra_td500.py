"""MSRA-TD500: lines of text in any direction, in 300 + 200 photographs (Yao et al., CVPR 2012).

Images and annotations together in ``train`` and ``test``: ``IMG_0030.JPG`` and ``IMG_0030.gt``, a line for each text:
``index difficult x y w h theta``. The rectangle of width w and height h with its upper left corner at x, y is turned
about its centre by theta, in radians, clockwise as seen. Difficult is do-not-care.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from paribus.data.text_sets.annotation import Annotation, BrokenAnnotation, annotation, count, numbers, text_lines
from paribus.data.text_sets.layout import Format
from paribus.data.text_sets.sequence import Entry
from paribus.errors import DataError

FIELDS = 7


def parse(path: Path) -> Iterator[Entry]:
    """Yield the entries of a ``.gt`` file."""
    for place, line in text_lines(path):
        yield place, partial(_line, place, line)


def _line(place: str, line: str) -> Annotation:
    fields = line.split()
    if len(fields) != FIELDS:
        raise DataError(f"{place}: {count(len(fields), 'field')}; {FIELDS} are expected: index difficult x y w h theta")
    x, y, width, height, theta = numbers(place, fields[2:])
    if width <= 0 or height <= 0:
        raise DataError(f"{place}: width {width:g} and height {height:g}; both above 0 are expected")
    if abs(theta) > math.pi:
        raise DataError(f"{place}: theta is {theta:g}; radians between -pi and pi are expected")
    middle_x, middle_y = x + width / 2, y + height / 2
    cos, sin = math.cos(theta), math.sin(theta)
    corners = [(-width / 2, -height / 2), (width / 2, -height / 2), (width / 2, height / 2), (-width / 2, height / 2)]
    points = [(middle_x + cos * dx - sin * dy, middle_y + sin * dx + cos * dy) for dx, dy in corners]
    if fields[1] not in ("0", "1"):
        raise BrokenAnnotation(f"{place}: difficult is {fields[1]!r}; 0 or 1 is expected", points)
    return annotation(place, points, ignore=fields[1] == "1")


FORMAT = Format(
    title="MSRA-TD500",
    images={split: (split, f"MSRA-TD500/{split}") for split in ("train", "test")},
    annotations={split: (split, f"MSRA-TD500/{split}") for split in ("train", "test")},
    suffixes=frozenset({".gt"}),
    parse=parse,
    key=str.lower,
)
