"""ICDAR 2015, incidental scene text: words in 1,000 + 500 photographs (Karatzas et al., ICDAR 2015).

Images ``ch4_training_images/img_1.jpg`` and ``ch4_test_images``; annotations
``ch4_training_localization_transcription_gt/gt_img_1.txt`` and ``Challenge4_Test_Task1_GT``: a line for each word, in
UTF-8 with a byte order mark, ``x1,y1,x2,y2,x3,y3,x4,y4,text``. The text may contain commas; ``###`` is do-not-care.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from paribus.data.text_sets.annotation import (
    Annotation,
    BrokenAnnotation,
    annotation,
    count,
    numbers,
    pairs,
    text_lines,
)
from paribus.data.text_sets.layout import Format
from paribus.data.text_sets.sequence import Entry
from paribus.errors import DataError

IGNORE = "###"
NUMBERS = 8


def parse(path: Path) -> Iterator[Entry]:
    """Yield the entries of a ``.txt`` file."""
    for place, line in text_lines(path):
        yield place, partial(_line, place, line)


def _line(place: str, line: str) -> Annotation:
    fields = line.split(",", NUMBERS)
    if len(fields) <= NUMBERS:
        told = f"{place}: {count(len(fields), 'field')}; {NUMBERS + 1} are expected: x1,y1,x2,y2,x3,y3,x4,y4,text"
        raise (
            BrokenAnnotation(told, pairs(place, numbers(place, fields))) if len(fields) == NUMBERS else DataError(told)
        )
    text = fields[NUMBERS].strip()
    return annotation(place, pairs(place, numbers(place, fields[:NUMBERS])), text=text, ignore=text == IGNORE)


FORMAT = Format(
    title="ICDAR 2015",
    images={
        "train": ("ch4_training_images", "train_images", "training_images", "imgs/training"),
        "test": ("ch4_test_images", "test_images", "imgs/test"),
    },
    annotations={
        "train": ("ch4_training_localization_transcription_gt", "train_gts", "train_gt", "annotations/training"),
        "test": (
            "Challenge4_Test_Task1_GT",
            "ch4_test_localization_transcription_gt",
            "test_gts",
            "test_gt",
            "annotations/test",
        ),
    },
    suffixes=frozenset({".txt"}),
    parse=parse,
    key=lambda stem: stem.lower().removeprefix("gt_"),
)
