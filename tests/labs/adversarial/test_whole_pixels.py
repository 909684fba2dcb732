"""Rounded to whole values of 255 an image stays in the ball of its norm, exactly, and loses less than one value."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from paribus.labs.adversarial.attacks.bounds import Ball
from paribus.labs.adversarial.norms import NORMS
from paribus.labs.adversarial.whole_pixels import in_whole_pixels

SHAPE = (2, 3, 4, 5)


@pytest.mark.parametrize("norm", NORMS)
@given(
    seed=st.integers(0, 10**6),
    moved=st.integers(1, 60),
    levels=st.integers(1, 90),
    lack=st.sampled_from((0.0, 1e-4, 0.01, 0.4)),
    free=st.booleans(),
)
@example(seed=0, moved=31, levels=84, lack=1e-4, free=False)
def test_a_rounded_change_keeps_its_bound(
    norm: str, seed: int, moved: int, levels: int, lack: float, free: bool
) -> None:
    """So many numbers of 60 move by hardly less than so many of 255, to the very bound, or all by any."""
    random = np.random.default_rng(seed)
    values = random.integers(0, 256, SHAPE)
    original = torch.from_numpy(values).float() / 255
    step = np.zeros(SHAPE)
    for row in step.reshape(2, -1):
        row[random.permutation(60)[:moved]] = levels - lack
    step *= np.where(values < 128, 1, -1) / 255
    one = np.abs(step[0])
    eps = {"linf": one.max(), "l2": math.sqrt((one**2).sum()), "l1": one.sum(),
           "l0": float((one > 0).any(axis=0).sum())}[norm]  # fmt: skip
    ball = Ball.around(original, eps, norm)
    if free:
        step = random.normal(0, 0.3, SHAPE)
    points = ball.project(original + torch.from_numpy(step).float())
    found = in_whole_pixels(points, original, norm=norm, eps=eps)
    levels_of = found.double().numpy() * 255
    assert np.abs(levels_of - levels_of.round()).max() < 1e-4
    for row, (after, before) in enumerate(zip(levels_of.round().astype(int), values, strict=True)):
        change = np.abs(after - before)
        size = {"linf": change.max() / 255, "l2": math.sqrt((change**2).sum()) / 255, "l1": change.sum() / 255,
                "l0": int((change > 0).any(axis=0).sum())}[norm]  # fmt: skip
        assert size <= eps
        exact = np.abs(points[row].double().numpy() * 255 - before)
        assert (change <= exact + 1e-3).all()
        assert (change > exact - 1 - 1e-3).all()


def test_what_is_a_whole_value_but_for_float32_stays_and_the_gradient_passes() -> None:
    before, after = torch.arange(0, 247).view(1, 1, 13, 19), torch.arange(8, 255).view(1, 1, 13, 19)
    points = (after.float() / 255).expand(1, 3, 13, 19).requires_grad_()
    found = in_whole_pixels(points, (before.float() / 255).expand(1, 3, 13, 19), norm="linf", eps=8 / 255)
    assert torch.equal(found, points)
    (slope,) = torch.autograd.grad(found.sum(), points)
    assert torch.equal(slope, torch.ones_like(points))
