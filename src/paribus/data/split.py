"""Seeded splits of a data set into training, validation and test parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from paribus.spec.seed import Streams

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")

SPLIT_SEED = 0
"""The seed of every split: a data set is divided in one way for all experiments, whatever their seeds."""


def proportional(counts: Sequence[int], total: int) -> list[int]:
    """Divide *total* in proportion to *counts*, by largest remainders; the parts sum to *total*."""
    exact = np.asarray(counts, dtype=np.float64) * total / max(1, sum(counts))
    parts = np.floor(exact).astype(int)
    order = np.argsort(parts - exact, kind="stable")
    parts[order[: total - int(parts.sum())]] += 1
    return [int(part) for part in parts]


def stratified_split(
    labels: NDArray[np.int64], validation: int, test: int, stream: str
) -> dict[Split, NDArray[np.int64]]:
    """Return the indices of each part, each class shared out in proportion; every part is in a seeded random order."""
    random = Streams(SPLIT_SEED).generator(f"split/{stream}")
    present, counts = np.unique(labels, return_counts=True)
    wanted = {
        "validation": proportional(counts.tolist(), validation),
        "test": proportional(counts.tolist(), test),
    }
    parts: dict[Split, list[NDArray[np.int64]]] = {split: [] for split in SPLITS}
    for position, label in enumerate(present):
        members = random.permutation(np.flatnonzero(labels == label))
        first, second = wanted["validation"][position], wanted["test"][position]
        parts["validation"].append(members[:first])
        parts["test"].append(members[first : first + second])
        parts["train"].append(members[first + second :])
    return {split: random.permutation(np.concatenate(parts[split])) for split in SPLITS}


def held_out_blocks(labels: NDArray[np.int64], count: int, stream: str) -> NDArray[np.bool_]:
    """Mark about *count* examples to hold out, in blocks of up to 50 consecutive ones.

    Of 64 seeded draws the one whose class frequencies lie nearest to the whole set's (total variation) is taken.
    Blocks keep neighbours together: in the cropped SVHN the digits of one photograph follow each other and overlap,
    so a split digit by digit would put parts of one photograph on both sides.
    """
    size = max(1, min(50, count // 8))
    blocks = -(-len(labels) // size)
    chosen = max(1, round(count / size))
    random = Streams(SPLIT_SEED).generator(f"split/{stream}")
    whole = np.bincount(labels) / len(labels)
    best, best_distance = np.zeros(len(labels), dtype=bool), np.inf
    for _ in range(64):
        picked = np.zeros(blocks, dtype=bool)
        picked[random.choice(blocks, size=min(chosen, blocks), replace=False)] = True
        mask = np.repeat(picked, size)[: len(labels)]
        part = np.bincount(labels[mask], minlength=len(whole)) / mask.sum()
        distance = float(np.abs(part - whole).sum())
        if distance < best_distance:
            best, best_distance = mask, distance
    return best
