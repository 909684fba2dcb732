r"""Total-Text: curved words in 1,255 + 300 photographs (Ch'ng & Chan, ICDAR 2017).

Images in ``Images/Train`` and ``Images/Test``; annotations ``poly_gt_img11.mat`` or ``.txt`` of ``img11.jpg`` in
``Groundtruth/Polygon/Train`` and ``Test``. A ``.mat`` holds the table ``polygt`` (``gt`` in later
ones), a row for each text: ``x:``, xs,
``y:``, ys, transcription, orientation. A ``.txt`` holds the same as
``x: [[1 2 3 4]], y: [[1 2 3 4]], ornt: [u'c'], transcriptions: [u'word']``, long records over several lines.
Orientation ``#`` is do-not-care; such an entry of a single point, which the published evaluation passes over too,
marks nothing and is left out.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from paribus.data.text_sets.annotation import Annotation, BrokenAnnotation, annotation, numbers, text_lines
from paribus.data.text_sets.layout import Format
from paribus.data.text_sets.mat import load_variable
from paribus.data.text_sets.sequence import Entry
from paribus.errors import DataError

IGNORE = "#"
COLUMNS = 6
_RECORD = re.compile(
    r"\s*x:\s*\[\[(.*?)\]\]\s*,\s*y:\s*\[\[(.*?)\]\]\s*,\s*ornt:\s*(\[.*?\])\s*,\s*transcriptions:\s*(\[.*\])\s*",
    re.DOTALL,
)


def parse(path: Path) -> Iterator[Entry]:
    """Yield the entries of a ``.mat`` or ``.txt`` file."""
    return _table(path) if path.suffix.lower() == ".mat" else _records(path)


def _table(path: Path) -> Iterator[Entry]:
    table = load_variable(path, "polygt", "gt")
    if not table.size:
        return
    if table.ndim != 2 or table.shape[1] < COLUMNS or table.dtype != object:
        raise DataError(
            f"{path}: a table of {'x'.join(map(str, table.shape))}; a row of {COLUMNS} cells a text is expected:"
            " x:, xs, y:, ys, transcription, orientation"
        )
    for number, row in enumerate(table, 1):
        yield f"{path}: row {number}", partial(_row, f"{path}: row {number}", row)


def _row(place: str, row: Any) -> Annotation | None:
    try:
        xs, ys = (np.asarray(row[column]).astype(np.float64).ravel().tolist() for column in (1, 3))
    except (TypeError, ValueError) as error:
        raise DataError(f"{place}: coordinates that are not numbers ({error}); pixels are expected") from None
    text, orientation = (" ".join(str(part) for part in np.ravel(row[column])) for column in (4, 5))
    return _made(place, xs, ys, text, orientation)


def _records(path: Path) -> Iterator[Entry]:
    records: list[tuple[str, str]] = []
    for place, line in text_lines(path):
        if records and not line.lstrip().startswith("x:"):
            records[-1] = records[-1][0], f"{records[-1][1]}\n{line}"
        else:
            records.append((place, line))
    for place, record in records:
        yield place, partial(_record, place, record)


def _record(place: str, record: str) -> Annotation | None:
    found = _RECORD.fullmatch(record)
    if not found:
        raise DataError(
            f"{place}: {record.strip()[:60]!r} is no record; x: [[...]], y: [[...]], ornt: [u'c'],"
            " transcriptions: [u'...'] is expected"
        )
    xs, ys = (numbers(place, re.split(r"[\s,]+", found[part].strip())) for part in (1, 2))
    try:
        orientation, text = (_quoted(place, found[part]) for part in (3, 4))
    except DataError as error:
        raise BrokenAnnotation(str(error), list(zip(xs, ys, strict=False))) from None
    return _made(place, xs, ys, text, orientation)


def _quoted(place: str, listed: str) -> str:
    """Return the text of ``[u'text']``, or nothing of ``[]``."""
    try:
        values = ast.literal_eval(" ".join(listed.split("\n")))
    except (ValueError, SyntaxError):
        values = None
    if not isinstance(values, list) or len(values) > 1 or not all(isinstance(value, str) for value in values):
        raise DataError(f"{place}: {listed[:60]!r} is no quoted text; [u'...'] is expected")
    return values[0] if values else ""


def _made(place: str, xs: list[float], ys: list[float], text: str, orientation: str) -> Annotation | None:
    if len(xs) != len(ys):
        raise DataError(f"{place}: {len(xs)} numbers for x and {len(ys)} for y; as many of each are expected")
    if orientation == IGNORE and len(xs) == 1:
        return None
    ignore = orientation == IGNORE or text == IGNORE
    return annotation(place, list(zip(xs, ys, strict=True)), text=text, ignore=ignore, orientation=orientation)


def _key(stem: str) -> str:
    return stem.lower().removeprefix("poly_").removeprefix("gt_")


FORMAT = Format(
    title="Total-Text",
    images={
        split.lower(): (f"Images/{split}", split, f"totaltext/Images/{split}", f"imgs/{other}")
        for split, other in (("Train", "training"), ("Test", "test"))
    },
    annotations={
        split.lower(): (
            f"Groundtruth/Polygon/{split}",
            f"Groundtruth/{split}",
            f"Groundtruth/Text/Polygon/{split}",
            f"Annotation/groundtruth_polygonal_annotation/{split}",
            f"gt/Polygon/{split}",
            f"gt/{split}",
            f"txt_format/{split}",
            f"Polygon/{split}",
            f"annotations/{other}",
        )
        for split, other in (("Train", "training"), ("Test", "test"))
    },
    suffixes=frozenset({".mat", ".txt"}),
    parse=parse,
    key=_key,
)
