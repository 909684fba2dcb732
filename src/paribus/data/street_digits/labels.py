"""How many crops of each digit, and in which order: the published class counts of SVHN."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paribus.data.split import Split, proportional
from paribus.spec.seed import Streams

VERSION = 1
"""The generator's version: any change that alters a crop raises it, and old crops are then never read again."""
SEED = 0

TRAIN_COUNTS = (4948, 13861, 10585, 8497, 7458, 6882, 5727, 5595, 5045, 4659)
TEST_COUNTS = (1744, 5099, 4149, 2882, 2523, 2384, 1977, 2019, 1660, 1595)
COUNTS: dict[Split, tuple[int, ...]] = {
    "train": TRAIN_COUNTS,
    "validation": tuple(proportional(TRAIN_COUNTS, 6000)),
    "test": TEST_COUNTS,
}
"""Crops of the digits 0..9: those of SVHN's train and test (Netzer et al. 2011); validation in train's proportions."""


def stream(name: str) -> np.random.Generator:
    """Return the generator of a named stream of this version of street_digits."""
    return Streams(SEED).generator(f"street_digits/v{VERSION}/{name}")


def split_labels(split: Split) -> NDArray[np.int64]:
    """Return the label of every crop of a part, in its one seeded order."""
    labels = np.repeat(np.arange(10, dtype=np.int64), COUNTS[split])
    return stream(f"{split}/labels").permutation(labels)
