"""DetEval for polygons: one-to-one, one-to-many (split) and many-to-one (merge) matches, as Total-Text counts them."""

from __future__ import annotations

from math import fsum

import numpy as np
from numpy.typing import NDArray

from paribus.labs.textsnake.evaluation.scores import Match

Floats = NDArray[np.float64]


def match(
    recall: Floats,
    precision: Floats,
    *,
    tr: float,
    tp: float,
    penalty: float,
    truths_at: Floats,
    predictions_at: Floats,
) -> list[Match]:
    """Return the matches of one image; each ground truth and each prediction is in one at most.

    With R_gp the area of the intersection over that of ground truth g, and P_gp over that of prediction p:

    1. one-to-one: p is the only one with R_gp > tr and the only one with P_gp > tp, and that for g alone; both count 1.
    2. split: g is not matched and overlaps two or more; of the free p with P_gp >= tp, the sum of R_gp is >= tr.
       g counts *penalty*, and so does each of its parts.
    3. merge: p is not matched and overlaps two or more; of the free g with R_gp >= tr, the sum of P_gp is >= tp.
       p counts *penalty*, and so does each g.

    Where just one candidate is left in step 2 or 3, it must have R_gp >= tr and P_gp >= tp, and counts 1. Two
    predictions on one ground truth, also where one repeats the other, are hence a split: the protocol is lenient here.

    Wolf & Jolion, Object count/area graphs for the evaluation of object detection and segmentation algorithms, IJDAR
    8(4), 2006; Ch'ng & Chan, Total-Text, ICDAR 2017. This differs from Total-Text's published programs where they
    would give more than there is: they call a ground truth found one-to-one if one prediction covers it and another
    lies within it, and one prediction over two words, each half of it, is one-to-one with both where tp is below 0.5
    (here it is a merge). The candidates of a merge must reach tr, as in their MATLAB program; the Python program says
    tp there, which finds more, and rounds R and P to two decimals. Which ground truth is split first and which
    prediction merges first is left to the order of the file there; here it is the ground truth with the largest sum of
    R_gp over P_gp >= tp, and the prediction with the largest sum of P_gp over R_gp >= tr, then the smallest row of
    *truths_at* or *predictions_at*, so that neither order matters.

    Args:
        recall: R, (G, P), 0..1.
        precision: P, (G, P), 0..1.
        tr: share of a ground truth that must be covered, 0..1.
        tp: share of a prediction that must lie on ground truth, 0..1.
        penalty: what a part of a split or a merge counts, 0..1 (0.8 in both sources).
        truths_at: (G, K), numbers that depend on the ground truth alone, as its box.
        predictions_at: (P, K), likewise of the predictions.
    """
    truths, predictions = recall.shape
    free_truth, free_prediction = np.ones(truths, bool), np.ones(predictions, bool)
    matches: list[Match] = []

    def add(kind: str, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> None:
        single = len(rows) == len(columns) == 1
        matches.append(
            Match(
                kind="one-to-one" if single else "split" if kind == "split" else "merge",
                ground_truths=tuple(int(row) for row in rows),
                predictions=tuple(int(column) for column in columns),
                credit=1.0 if single else penalty,
            )
        )
        free_truth[rows], free_prediction[columns] = False, False

    covers, within = recall > tr, precision > tp
    alone = covers & within & (covers.sum(1, keepdims=True) == 1) & (within.sum(1, keepdims=True) == 1)
    for row, column in np.argwhere(alone & (alone.sum(0) == 1)):
        add("split", np.array([row]), np.array([column]))

    for row in _order(np.where(precision >= tp, recall, 0), truths_at):
        if free_truth[row] and (recall[row] > 0).sum() >= 2:
            parts = ((precision[row] >= tp) & free_prediction).nonzero()[0]
            if len(parts) and fsum(recall[row, parts]) >= tr:
                add("split", np.array([row]), parts)

    for column in _order(np.where(recall >= tr, precision, 0).T, predictions_at):
        if free_prediction[column] and (precision[:, column] > 0).sum() >= 2:
            merged = ((recall[:, column] >= tr) & free_truth).nonzero()[0]
            if len(merged) and fsum(precision[merged, column]) >= tp:
                add("merge", merged, np.array([column]))
    return matches


def _order(shares: Floats, ties: Floats) -> NDArray[np.intp]:
    """Return the rows of *shares*, the largest sum first, then the smallest row of *ties*."""
    sums = np.array([fsum(row) for row in shares])  # of the same numbers in any order the same sum, unlike numpy's
    return np.asarray(np.lexsort((*ties.T[::-1], -sums)), dtype=np.intp)
