"""No attack, in no norm and no precision, leaves [0, 1] or its ball, whatever the image, the radius and the seed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from torch import Tensor

from adversarial.sample import PAIRS
from paribus.labs.adversarial.experiments import Protocol
from paribus.labs.adversarial.protocol import attack_named
from paribus.spec.seed import Streams
from paribus.train.precision import PRECISIONS

TOLERANCE = 1e-12
"""What a sum of 192 differences in float64 may be wrong by, as a share of eps: 192 roundings of 2^-53 each. The attacks
themselves have none: what they return is within eps, not about eps."""
LARGEST = {"linf": 1.5, "l2": 15.0, "l1": 200.0, "l0": 70.0}
"""Radii up to beyond the whole box of 3x8x8 numbers, 1, 13.9 and 192, and its 64 pixels."""


def _norm(moved: NDArray[np.float64], norm: str) -> float:
    """Return the norm of one image's change (3, H, W), by the words of its definition."""
    if norm == "l0":
        return float(sum(bool(moved[:, row, column].any()) for row in range(8) for column in range(8)))
    values = [abs(value) for value in moved.ravel().tolist()]
    return {"linf": max(values), "l2": math.sqrt(math.fsum(v * v for v in values)), "l1": math.fsum(values)}[norm]


@pytest.mark.parametrize(("by", "norm"), PAIRS)
@settings(max_examples=12)
@given(
    seed=st.integers(0, 10**6),
    size=st.floats(-3, 0),
    ratio=st.sampled_from((0.01, 0.5, 0.9, 1.1, 1.3)),
    dtype=st.sampled_from((torch.float32, torch.bfloat16)),
    precision=st.sampled_from(PRECISIONS),
    targeted=st.booleans(),
)
def test_an_attack_stays_in_the_ball_and_the_box(
    by: str, norm: str, seed: int, size: float, ratio: float, dtype: torch.dtype, precision: str, targeted: bool
) -> None:
    """Of a linear network whose every face is *ratio* times the radius away from the first image."""
    random = np.random.default_rng(seed)
    eps = max(1.0, round(10**size * LARGEST[norm])) if norm == "l0" else 10**size * LARGEST[norm]
    images = torch.from_numpy(random.random((2, 3, 8, 8)).round(random.integers(0, 4))).to(dtype)
    weights = torch.from_numpy(random.normal(0, 1, (4, 192))).float()
    between = (weights - weights[:1]).abs()
    gain = {"linf": between.sum(dim=1), "l2": between.norm(dim=1), "l1": between.amax(dim=1),
            "l0": between.sum(dim=1) / 64}[norm]  # fmt: skip
    first, lack = images[:1].float().flatten(1), ratio * eps * gain
    shown: list[Tensor] = []

    def model(points: Tensor) -> Tensor:
        shown.append(points.detach())
        logits: Tensor = (points.float().flatten(1) - first) @ weights.T - lack
        return logits

    labels = model(images).argmax(dim=1)
    target = (labels + 1) % 4 if targeted else None
    how = Protocol(norm=norm, eps=eps, steps=3, queries=4, searches=2, restarts=2, precision=precision)
    found = attack_named(by, how)(model, images, labels, streams=Streams(seed), target=target)
    assert found.images.dtype == dtype
    for points in (found.images, *shown):
        assert bool(((points >= 0) & (points <= 1)).all())
    before, after = (values.double().numpy() for values in (images, found.images))
    far = [_norm(moved, norm) for moved in after - before]
    assert max(far) <= eps * (1 + TOLERANCE)
    for place in torch.nonzero(found.success).flatten().tolist():
        assert float(found.distance[place]) == pytest.approx(far[place], rel=TOLERANCE)
