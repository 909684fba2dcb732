"""SCUT-CTW1500: curved lines of text in 1,000 + 500 photographs (Liu et al., arXiv 1712.02170; 2019).

Three forms of annotation were published, and each is known by what is in it:

- ``ctw1500_train_labels/0001.xml``: ``<image><box><label>text</label><segs>x1,y1,...,x14,y14</segs></box></image>``
- ``gt_ctw1500/0001001.txt``, of the image ``1001.jpg``: ``x1,y1,...,x14,y14,####text``
- ``train/text_label_curve/0001.txt``, the oldest: 32 numbers, ``xmin,ymin,xmax,ymax`` of the box and 14 points as
  offsets from xmin, ymin.

Images in ``train_images`` and ``test_images``, or ``train/text_image`` and ``test/text_image``. The text ``###`` is
illegible and taken as do-not-care.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

from paribus.data.text_sets.annotation import Annotation, annotation, count, numbers, pairs, text_lines
from paribus.data.text_sets.layout import Format
from paribus.data.text_sets.sequence import Entry
from paribus.errors import DataError

IGNORE = "###"
SEPARATOR = ",####"
NUMBERS = 32


def parse(path: Path) -> Iterator[Entry]:
    """Yield the entries of an ``.xml`` or ``.txt`` file."""
    if path.suffix.lower() == ".xml":
        yield from _boxes(path)
    else:
        for place, line in text_lines(path):
            yield place, partial(_line, place, line)


def _boxes(path: Path) -> Iterator[Entry]:
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise DataError(f"{path}: not XML ({error}); boxes with label and segs are expected") from None
    except (OSError, UnicodeError, LookupError, ValueError) as error:
        raise DataError(f"{path}: cannot be read as XML ({error}); UTF-8 is expected") from None
    for number, box in enumerate(root.iter("box"), 1):
        yield f"{path}: box {number}", partial(_box, f"{path}: box {number}", box)


def _box(place: str, box: ElementTree.Element) -> Annotation:
    points = box.findtext("segs")
    if points is None or not points.strip():
        raise DataError(f"{place}: no <segs>; <segs>x1,y1,x2,y2,...</segs> is expected")
    text = (box.findtext("label") or "").strip()
    return annotation(place, pairs(place, numbers(place, points.split(","))), text=text, ignore=text == IGNORE)


def _line(place: str, line: str) -> Annotation:
    if SEPARATOR in line:
        points, _, text = line.partition(SEPARATOR)
        text = text.strip()
        return annotation(place, pairs(place, numbers(place, points.split(","))), text=text, ignore=text == IGNORE)
    values = numbers(place, line.strip().rstrip(",").split(","))
    if len(values) != NUMBERS:
        raise DataError(
            f"{place}: {count(len(values), 'number')}; {NUMBERS} are expected: xmin,ymin,xmax,ymax"
            f" and 14 points as offsets (or points and a text, x1,y1,...{SEPARATOR}text)"
        )
    return annotation(place, [(values[0] + x, values[1] + y) for x, y in pairs(place, values[4:])])


def _key(stem: str) -> str:
    """Return 1001 of both 1001 and 0001001."""
    return str(int(stem)) if stem.isascii() and stem.isdigit() else stem


FORMAT = Format(
    title="CTW1500",
    images={
        split: (
            f"{split}_images",
            f"{split}/text_image",
            f"ctw1500_{split}_images/{split}_images",
            f"ctw1500_{split}_images",
        )
        for split in ("train", "test")
    },
    annotations={
        "train": ("ctw1500_train_labels", "train_labels", "train/text_label_curve"),
        "test": ("gt_ctw1500", "gt_ctw_1500", "ctw1500_test_labels", "test_labels", "test/text_label_curve"),
    },
    suffixes=frozenset({".xml", ".txt"}),
    parse=parse,
    key=_key,
)
