"""The lab's images: which examples of a set a configuration sees, and as what numbers they enter the network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from paribus.data.catalogue import Split, load
from paribus.data.image_set import ImageSet
from paribus.errors import DataError
from paribus.labs.svhn.experiments import LABEL_SHARES, Config
from paribus.spec.seed import Streams

CENTRE, SCALE = 114.0, 1.0 / 50.0
"""Pixels enter as (x - 114) / 50: about SVHN's mean and standard deviation over all training pixels. The same numbers
serve every data set; batch norm after the first convolution takes up what is left."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Images (N, 32, 32, 3) uint8 and labels (N,) of one part, as tensors over the memory-mapped arrays."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: NDArray[np.int64], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the images *rows*, (B, 3, 32, 32) uint8 laid out channels last, and their labels (B,)."""
        images = torch.from_numpy(self.images[rows]).permute(0, 3, 1, 2)
        labels = torch.from_numpy(self.labels[rows])
        return images.to(device, non_blocking=True), labels.to(device, non_blocking=True)


def part(config: Config, split: Split) -> ImageSet:
    """Return one part of the configuration's data set within its budget, before anything depends on a seed."""
    limits = {
        "train": config.budget.train_examples,
        "validation": config.budget.validation_examples,
        "test": config.budget.test_examples,
    }
    found = load(config.data, split, limit=limits[split])
    wrong = np.flatnonzero((found.labels < 0) | (found.labels >= len(found.classes)))
    if len(wrong):
        raise DataError(
            f"{found.source}: label {found.labels[wrong[0]]} of {split} example {wrong[0]} lies outside "
            f"0..{len(found.classes) - 1}"
        )
    return found


def examples(config: Config, split: Split, streams: Streams) -> Examples:
    """Return the examples that a trial sees; only the training part depends on the trial's seed."""
    whole = part(config, split)
    images, labels = whole.images, whole.labels
    if split == "train" and (config.train_fraction < 1 or config.label_shares is not None):
        rows = np.arange(len(labels))
        if config.label_shares is not None:
            rows = skewed(labels, len(whole.classes), config.label_shares, streams)
        if config.train_fraction < 1:
            rows = nested(rows, config.train_fraction, streams)
        rows = np.sort(rows)
        images, labels = images[rows], labels[rows]
    return Examples(images, labels, whole.classes)


def nested(rows: NDArray[np.int64], fraction: float, streams: Streams) -> NDArray[np.int64]:
    """Return round(fraction * N) of N *rows*; with one seed a smaller fraction's rows lie in a larger one's."""
    count = max(1, round(fraction * len(rows)))
    return rows[streams.generator("subset").permutation(len(rows))[:count]]


def shares(shape: str, classes: int) -> NDArray[np.float64]:
    """Return the share of each class, most frequent first, (K,) summing to 1.

    ``even``: 1/K each. ``linear``: proportional to K, K - 1, ..., 1. ``long_tail``: proportional to 10^(-k / (K - 1)),
    so the first class has ten times the last (Cui et al. 2019, section 5.1). ``minority``: the second half of the
    classes has a tenth of the first half's share (Buda et al. 2018, "step imbalance").
    """
    ranks = np.arange(classes)
    weights = {
        "even": np.ones(classes),
        "linear": np.arange(classes, 0, -1, dtype=np.float64),
        "long_tail": 10.0 ** (-ranks / max(1, classes - 1)),
        "minority": np.where(ranks < (classes + 1) // 2, 1.0, 0.1),
    }[shape]
    total: float = weights.sum()
    return np.asarray(weights / total)


def skewed(labels: NDArray[np.int64], classes: int, shape: str, streams: Streams) -> NDArray[np.int64]:
    """Return rows whose classes have the shares of *shape*, in as many rows for every shape.

    The number of rows is the largest that every shape of :data:`LABEL_SHARES` can fill from these labels, so shapes
    differ in the distribution of labels and not in the amount of data. Classes rank by their frequency in *labels*.
    """
    counts = np.bincount(labels, minlength=classes)
    if counts.min() == 0:
        raise DataError(f"label_shares={shape}: class {int(counts.argmin())} has no training example")
    order = np.argsort(-counts, kind="stable")
    total = min(int(np.min(counts[order] / shares(each, classes))) for each in LABEL_SHARES)
    wanted = largest_remainders(shares(shape, classes), total)
    rows = []
    for rank, label in enumerate(order):
        members = np.flatnonzero(labels == label)
        rows.append(streams.generator(f"subset/class={label}").permutation(members)[: wanted[rank]])
    return np.concatenate(rows)


def largest_remainders(parts: NDArray[np.float64], total: int) -> NDArray[np.int64]:
    """Return whole numbers proportional to *parts* that sum to *total* (Hamilton's method)."""
    exact = parts * total
    whole = np.floor(exact).astype(np.int64)
    rest = total - int(whole.sum())
    whole[np.argsort(whole - exact, kind="stable")[:rest]] += 1
    return whole


def scaled(images: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return uint8 or float images (B, 3, H, W) in 0..255 as the network's input, (x - 114) / 50."""
    return images.to(dtype).sub_(CENTRE).mul_(SCALE)
