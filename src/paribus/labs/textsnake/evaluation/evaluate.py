"""Scores a set of predictions under one of four published protocols."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from paribus.errors import ConfigError, DataError, suggest
from paribus.labs.textsnake.evaluation import deteval, one_to_one
from paribus.labs.textsnake.evaluation.overlap import Regions, compare, outline, regions
from paribus.labs.textsnake.evaluation.scores import ImageScores, Match, Scores, credits, rates
from paribus.labs.textsnake.protocols import PROTOCOLS, Protocol

HALF = 0.5
"""Share of a prediction that lies on a broken annotation, above which it is dropped where no *care* is read."""


@dataclass(frozen=True, eq=False)
class GroundTruth:
    """One text as annotated."""

    polygon: NDArray[np.float64]
    """Its outline, (N, 2), x and y in pixels."""
    ignore: bool = False
    """Do-not-care: neither finding nor missing it counts."""
    text: str = ""
    broken: bool = False
    """Do-not-care because its annotation is broken: it only says about where the text is."""


@dataclass(frozen=True, eq=False)
class Prediction:
    """One text as detected."""

    polygon: NDArray[np.float64]
    """Its outline, (N, 2), x and y in pixels."""
    score: float = 1.0
    """How sure the detector is; no protocol here depends on it."""


def evaluate(
    ground_truth: Sequence[Sequence[Any]],
    predictions: Sequence[Sequence[Any]],
    protocol: Protocol = "deteval",
    tr: float = 0.7,
    tp: float = 0.6,
    *,
    penalty: float = 0.8,
    iou: float = 0.5,
    care: float = 0.5,
    only: Callable[[Any], bool] | None = None,
) -> Scores:
    """Return recall, precision and F of *predictions* over all images, under *protocol*.

    ========== =============================================================== =================================
    protocol   a ground truth and a prediction match                           thresholds that it reads
    ========== =============================================================== =================================
    deteval    see :func:`.deteval.match`; published with tr 0.7, tp 0.6 (what tr, tp, penalty, care
               Total-Text's authors recommend) and with tr 0.8, tp 0.4
    ctw1500    IoU of the polygons > *iou*, one-to-one                         iou, care
    icdar2015  IoU of the polygons > *iou*, one-to-one                         iou, care
    msra_td500 IoU of the levelled boxes > *iou*, directions within pi/8,      iou
               one-to-one; see :func:`.one_to_one.levelled_iou`
    ========== =============================================================== =================================

    Do-not-care: under the first three a prediction with more than *care* of its area within one do-not-care region is
    dropped before anything is matched, as the programs of Total-Text and ICDAR 2015 do (CTW1500 has no such regions,
    and its program no rule). Under msra_td500 a prediction is dropped that matches nothing, and would match a
    ``difficult`` text or lies with more than half its area where the annotation was ``broken``. Each dropped prediction
    counts neither for nor against.

    *only* scores a part of the texts, as curved ones apart from straight ones: it is called with each ground truth as
    given, and those for which it is false become do-not-care. (``only=lambda text: text.orientation == "c"`` for
    Total-Text's annotations.)

    An outline that crosses itself encloses all that it goes round. A prediction without area matches nothing and counts
    as wrong.

    Args:
        ground_truth: for each image its texts: objects with ``polygon``, (N, 2) in pixels, and perhaps ``ignore`` and
            ``broken`` (which is do-not-care as well), or such arrays themselves.
        predictions: for each image, in the same order, its detections: objects with ``polygon``, or arrays.
        protocol: one of PROTOCOLS.
        tr: share of a ground truth that must be covered, 0..1 (deteval).
        tp: share of a prediction that must lie on ground truth, 0..1 (deteval).
        penalty: what a part of a split or a merge counts, 0..1 (deteval).
        iou: least agreement of a pair, 0..1; equal to it is not enough.
        care: largest share of a prediction that may lie within a do-not-care region, 0..1.
        only: which ground truths count.

    Raises:
        DataError: the numbers of images differ; a polygon is not (N, 2), not finite, or that of a ground truth which
            counts has no area.
        ConfigError: no such protocol, or a threshold that is not in 0..1.
    """
    if protocol not in PROTOCOLS:
        raise ConfigError(f"there is no protocol {protocol!r}{suggest(str(protocol), PROTOCOLS)}")
    if len(ground_truth) != len(predictions):
        raise DataError(
            f"ground truth of {len(ground_truth)} images and predictions of {len(predictions)}; the same images in the"
            " same order are expected"
        )
    every = {"tr": tr, "tp": tp, "penalty": penalty, "iou": iou, "care": care}
    used = {"deteval": ("tr", "tp", "penalty", "care"), "msra_td500": ("iou",)}.get(protocol, ("iou", "care"))
    thresholds = {name: every[name] for name in used}
    for name, value in thresholds.items():
        if not 0 <= value <= 1 or (value == 0 and name in ("tr", "tp")):
            raise ConfigError(f"{name} is {value}; a share of 1 is expected, as {0.7 if name == 'tr' else 0.5}")
    images = tuple(
        _image(f"image {index}", truths, found, protocol, thresholds, only)
        for index, (truths, found) in enumerate(zip(ground_truth, predictions, strict=True))
    )
    pairs = [credits(image.matches) for image in images]
    found, right = (float(sum(pair[side] for pair in pairs)) for side in (0, 1))
    truths, predicted = sum(image.ground_truths for image in images), sum(image.predictions for image in images)
    recall, precision, f = rates(found, right, truths, predicted)
    return Scores(
        recall=recall,
        precision=precision,
        f=f,
        ground_truths=truths,
        predictions=predicted,
        recall_credit=found,
        precision_credit=right,
        protocol=protocol,
        thresholds=thresholds,
        images=images,
    )


def _image(
    place: str,
    truths: Sequence[Any],
    found: Sequence[Any],
    protocol: Protocol,
    thresholds: dict[str, float],
    only: Callable[[Any], bool] | None,
) -> ImageScores:
    """Return the scores of one image."""
    broken = np.array([bool(getattr(each, "broken", False)) for each in truths], dtype=bool)
    ignore = broken | np.array(
        [bool(getattr(each, "ignore", False)) or not (only is None or only(each)) for each in truths], dtype=bool
    )
    truth_lines = _outlines(truths, f"{place}, ground truth")
    found_lines = _outlines(found, f"{place}, prediction")
    truth_shapes, found_shapes = regions(truth_lines), regions(found_lines)
    rows = (~ignore).nonzero()[0]
    for row in rows:
        if shapely.area(truth_shapes[row]) == 0:
            raise DataError(f"{place}, ground truth {row}: its polygon has no area; drop it or mark it do-not-care")
    drop: NDArray[np.bool_]
    if protocol == "msra_td500":
        agreement = one_to_one.levelled_iou(truth_lines, found_lines)
        matches = _placed(one_to_one.match(agreement[rows], thresholds["iou"]), rows, np.arange(len(found)))
        drop = np.any(agreement[ignore] > thresholds["iou"], axis=0)
        drop |= np.any(compare(truth_shapes[broken], found_shapes).precision > HALF, axis=0)
        drop[[column for match in matches for column in match.predictions]] = False
    else:
        drop = np.any(compare(truth_shapes[ignore], found_shapes).precision > thresholds["care"], axis=0)
        matches = _by_area(truth_shapes, found_shapes, rows, (~drop).nonzero()[0], protocol, thresholds)
    counted = len(rows), len(found) - int(drop.sum())
    recall, precision, f = rates(*credits(matches), *counted)
    return ImageScores(
        recall=recall,
        precision=precision,
        f=f,
        ground_truths=counted[0],
        predictions=counted[1],
        matches=tuple(matches),
        ignored=tuple(int(row) for row in ignore.nonzero()[0]),
        dropped=tuple(int(column) for column in drop.nonzero()[0]),
    )


def _outlines(things: Sequence[Any], what: str) -> list[NDArray[np.float64]]:
    return [outline(getattr(each, "polygon", each), f"{what} {index}") for index, each in enumerate(things)]


def _by_area(
    truths: Regions,
    found: Regions,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
    protocol: Protocol,
    thresholds: dict[str, float],
) -> list[Match]:
    """Return the matches between the ground truths in *rows* and the predictions in *columns*."""
    tables = compare(truths[rows], found[columns])
    if protocol == "deteval":
        matches = deteval.match(
            tables.recall,
            tables.precision,
            tr=thresholds["tr"],
            tp=thresholds["tp"],
            penalty=thresholds["penalty"],
            truths_at=_boxes(truths[rows]),
            predictions_at=_boxes(found[columns]),
        )
    else:
        matches = one_to_one.match(tables.iou, thresholds["iou"])
    return _placed(matches, rows, columns)


def _boxes(shapes: Regions) -> NDArray[np.float64]:
    return np.nan_to_num(np.asarray(shapely.bounds(shapes), dtype=np.float64).reshape(-1, 4))


def _placed(matches: list[Match], rows: NDArray[np.intp], columns: NDArray[np.intp]) -> list[Match]:
    """Return *matches* between parts of the lists with the places in the whole lists."""
    return [
        Match(
            kind=match.kind,
            ground_truths=tuple(int(rows[row]) for row in match.ground_truths),
            predictions=tuple(int(columns[column]) for column in match.predictions),
            credit=match.credit,
        )
        for match in matches
    ]
