"""SynthText: 858,750 photographs with words drawn into them (Gupta, Vedaldi & Zisserman, CVPR 2016).

``gt.mat`` beside the folders of images: ``imnames`` (1, N), names as ``8/ballet_106_0.jpg``; ``wordBB`` (1, N), for
each image the corners of its n words as (2, 4, n), or (2, 4) for a single one, x and y from the upper left corner on;
``txt`` (1, N), its texts, each of one or more words parted by spaces and line ends, in the order of wordBB. There is
one split, ``train``. Many words reach beyond their image and some lie outside it: read it with ``skip_broken``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from paribus.data.text_sets.annotation import Annotation, annotation, count
from paribus.data.text_sets.mat import load_variable
from paribus.data.text_sets.sequence import AnnotatedImages, Entry
from paribus.errors import DataError, UnknownName, suggest

SPLITS = ("train",)
CORNERS = (2, 4)


def read(directory: Path, split: str, skip_broken: bool) -> AnnotatedImages:
    """Return all images; see :func:`paribus.data.text_sets.read`. The table is read at once, its entries when asked."""
    if split not in SPLITS:
        raise UnknownName(f"SynthText has no split {split!r}{suggest(split, SPLITS)}")
    places = (directory, directory / "SynthText")
    folder = next((place for place in places if (place / "gt.mat").is_file()), None)
    if folder is None:
        raise DataError(f"{directory}: no gt.mat; that of SynthText is expected, beside its folders of images")
    path = folder / "gt.mat"
    tables = {name: load_variable(path, name).ravel() for name in ("imnames", "wordBB", "txt")}
    lengths = {name: len(table) for name, table in tables.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise DataError(f"{path}: tables of different lengths ({told}); an entry for each image is expected in each")
    names = [str(np.asarray(name).item()) if np.size(name) == 1 else "" for name in tables["imnames"]]
    known, problems = [], []
    for index, name in enumerate(names):
        if os.path.isabs(name) or ".." in Path(name).parts:
            problems.append(f"{path}: image {index + 1}: {name} leads out of {folder}; a path within it is expected")
        elif name and os.path.isfile(os.path.join(folder, name)):
            known.append(index)
        else:
            problems.append(f"{path}: image {index + 1}: {name or 'its name'} is missing; it is expected in {folder}")
    if problems and not skip_broken:
        raise DataError(problems[0] + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""))
    return AnnotatedImages(
        [folder / names[index] for index in known],
        partial(_entries, path, known, tables["wordBB"], tables["txt"]),
        skip_broken=skip_broken,
        problems=problems,
    )


def _entries(path: Path, known: Sequence[int], boxes: Any, texts: Any, index: int) -> Iterable[Entry]:
    return _words(f"{path}: image {known[index] + 1}", boxes[known[index]], texts[known[index]])


def _words(place: str, boxes: Any, texts: Any) -> Iterator[Entry]:
    corners = np.asarray(boxes)
    if corners.ndim == 2:
        corners = corners[..., None]
    if corners.ndim != 3 or corners.shape[:2] != CORNERS or corners.dtype.kind not in "fiu":
        shape = "x".join(map(str, np.shape(boxes)))
        raise DataError(f"{place}: wordBB of {shape}, {corners.dtype}; numbers, 2x4xwords, are expected")
    words = " ".join(str(text) for text in np.ravel(texts)).split()
    if len(words) != corners.shape[2]:
        raise DataError(
            f"{place}: {count(len(words), 'word')} and {corners.shape[2]} boxes; a box for each word is expected"
        )
    for number, word in enumerate(words):
        where = f"{place}: word {number + 1}"
        yield where, partial(_word, where, corners[:, :, number].T, word)


def _word(place: str, points: Any, word: str) -> Annotation:
    return annotation(place, points, text=word)
