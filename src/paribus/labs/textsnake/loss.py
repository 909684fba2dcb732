"""The loss: text region with hard negatives, centre line inside the region, and the geometry on the centre line.

Source: Long et al. (2018), "Training Objectives": L = w1 L_tr + w2 L_tcl + w3 L_r + w4 L_sin + w5 L_cos.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from paribus.labs.textsnake.experiments import LossWeights
from paribus.labs.textsnake.model import Maps, margin

LEAST_NEGATIVES = 1000
"""Negative pixels that count in a batch without any text."""


@dataclass(frozen=True, eq=False)
class Target:
    """The labels of a batch, each (B, H, W).

    Args:
        text: inside a text region.
        centre: on a centre line.
        radius: pixels, on the centre line.
        cos: of the orientation, on the centre line.
        sin: of the orientation, on the centre line.
        counted: where anything is asked at all: outside instances that nobody can read.
    """

    text: Bool[Tensor, "b h w"]
    centre: Bool[Tensor, "b h w"]
    radius: Float[Tensor, "b h w"]
    cos: Float[Tensor, "b h w"]
    sin: Float[Tensor, "b h w"]
    counted: Bool[Tensor, "b h w"]

    def first(self, count: int) -> Target:
        """Return the labels of the first *count* scenes."""
        parts = (self.text, self.centre, self.radius, self.cos, self.sin, self.counted)
        return Target(*(part[:count] for part in parts))


def losses(maps: Maps, target: Target, weights: LossWeights) -> dict[str, Tensor]:
    """Return the five weighted terms, scalars; the loss is their sum.

    ``text``: mean cross-entropy over positive pixels and the hardest negatives, at most ``weights.hard_negatives`` to a
    positive. ``centre``: mean cross-entropy over the pixels of text regions. ``radius``: mean smooth L1 of (r' - r) / r
    over the pixels of centre lines, ``cos`` and ``sin`` likewise of the differences. A mean over no pixel
    is 0.
    """
    inside = torch.nonzero((target.text & target.counted).flatten()).flatten()
    on_line = torch.nonzero((target.centre & target.counted).flatten()).flatten()

    def at(values: Tensor) -> Tensor:
        return values.flatten()[on_line]

    radius = at(target.radius)
    centre = _cross_entropy(margin(maps.centre).flatten()[inside], target.centre.flatten()[inside])
    return {
        "text": weights.text * text_loss(margin(maps.text), target.text, target.counted, weights.hard_negatives),
        "centre": weights.centre * _mean(centre),
        "radius": weights.radius * _mean(_smooth_l1((at(maps.radius) - radius) / radius)),
        "cos": weights.cos * _mean(_smooth_l1(at(maps.cos) - at(target.cos))),
        "sin": weights.sin * _mean(_smooth_l1(at(maps.sin) - at(target.sin))),
    }


def text_loss(
    margins: Float[Tensor, "b h w"],
    text: Bool[Tensor, "b h w"],
    counted: Bool[Tensor, "b h w"],
    hard_negatives: float | None,
) -> Tensor:
    """Return the mean cross-entropy of the text region over its pixels and the hardest *hard_negatives* to each.

    *margins* are scores of "inside" less scores of "outside".

    Online hard negative mining (Shrivastava, Gupta and Girshick 2016, section 4), over the batch. ``None`` counts all.
    """
    each = _cross_entropy(margins, text)
    positive, negative = each[text & counted], each[~text & counted]
    if hard_negatives is not None:
        wanted = int(hard_negatives * len(positive)) if len(positive) else LEAST_NEGATIVES
        negative = hardest(negative, wanted)
    return (positive.sum() + negative.sum()) / max(1, len(positive) + len(negative))


def hardest(values: Float[Tensor, " n"], count: int) -> Float[Tensor, " m"]:
    """Return the *count* largest of *values*, or all where there are fewer; among equal ones, any.

    The threshold is found by selection, in linear time; to sort half a million values takes ten times as long.
    """
    if count >= len(values):
        return values
    if count < 1:
        return values[:0]
    with torch.no_grad():
        threshold = torch.kthvalue(values, len(values) - count + 1).values
        above = torch.nonzero(values > threshold).flatten()
        equal = torch.nonzero(values == threshold).flatten()[: count - len(above)]
    return values[torch.cat([above, equal])]


def _cross_entropy(margins: Tensor, truth: Tensor) -> Tensor:
    """Return -log softmax(scores)[truth] of two classes: softplus of the wrong score minus the right one."""
    return F.softplus(torch.where(truth, -margins, margins))


def _smooth_l1(difference: Tensor) -> Tensor:
    """Return x^2 / 2 where |x| < 1, else |x| - 1/2 (Girshick 2015, equation 3)."""
    return F.smooth_l1_loss(difference, torch.zeros_like(difference), reduction="none")


def _mean(values: Tensor) -> Tensor:
    return values.sum() / max(1, values.numel())
