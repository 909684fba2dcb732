"""The loss against a loop over pixels, and its gradient."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from paribus.labs.textsnake.experiments import LossWeights
from paribus.labs.textsnake.loss import LEAST_NEGATIVES, Target, hardest, losses, text_loss
from paribus.labs.textsnake.model import Maps


def _example(seed: int, size: int = 9, dtype: torch.dtype = torch.float64) -> tuple[Maps, Target]:
    draw = np.random.default_rng(seed)

    def real(*shape: int) -> Any:
        return torch.from_numpy(draw.standard_normal(shape)).to(dtype)

    shape = (2, size, size)
    text = torch.from_numpy(draw.random(shape) < 0.2)
    centre = text & torch.from_numpy(draw.random(shape) < 0.5)
    angle = real(*shape)
    target = Target(
        text, centre, real(*shape).abs() + 1, angle.cos(), angle.sin(), torch.from_numpy(draw.random(shape) < 0.9)
    )
    return Maps(real(2, 2, size, size), real(2, 2, size, size), real(*shape), real(*shape), real(*shape)), target


def _by_hand(maps: Maps, target: Target, weights: LossWeights) -> dict[str, float]:
    """One pixel after another."""

    def smooth(x: float) -> float:
        return 0.5 * x * x if abs(x) < 1 else abs(x) - 0.5

    positive, negative, terms = [], [], {name: [] for name in ("centre", "radius", "cos", "sin")}
    for place in np.ndindex(*target.text.shape):
        b, y, x = place
        if not target.counted[place]:
            continue
        inside = int(target.text[place])
        cross = -float(torch.log_softmax(maps.text[b, :, y, x], 0)[inside])
        (positive if inside else negative).append(cross)
        if inside:
            on = int(target.centre[place])
            terms["centre"].append(-float(torch.log_softmax(maps.centre[b, :, y, x], 0)[on]))
        if target.centre[place]:
            radius = float(target.radius[place])
            terms["radius"].append(smooth((float(maps.radius[place]) - radius) / radius))
            terms["cos"].append(smooth(float(maps.cos[place] - target.cos[place])))
            terms["sin"].append(smooth(float(maps.sin[place] - target.sin[place])))
    if weights.hard_negatives is not None:
        negative = sorted(negative, reverse=True)[: int(weights.hard_negatives * len(positive))]
    counted = positive + negative
    found = {name: getattr(weights, name) * sum(values) / len(values) for name, values in terms.items()}
    return {"text": weights.text * sum(counted) / len(counted), **found}


@pytest.mark.parametrize(
    "weights",
    [
        LossWeights(),
        LossWeights(hard_negatives=None),
        LossWeights(hard_negatives=1, text=6, centre=2, radius=3, cos=4, sin=5),
    ],
)
def test_each_term_is_what_a_loop_over_pixels_gives(weights: LossWeights) -> None:
    maps, target = _example(0)
    found = losses(maps, target, weights)
    assert {name: float(value) for name, value in found.items()} == pytest.approx(_by_hand(maps, target, weights))


@given(
    values=st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0, 2.0]), min_size=1, max_size=30),
    count=st.integers(-1, 35),
)
@settings(deadline=None)
def test_the_hardest_are_the_largest_also_where_many_are_equal(values: list[float], count: int) -> None:
    found = hardest(torch.tensor(values), count).tolist()
    assert sorted(found) == sorted(values)[len(values) - min(max(count, 0), len(values)) :]


def test_the_gradient_agrees_with_finite_differences() -> None:
    maps, target = _example(1, size=5)
    parts = [maps.text, maps.centre, maps.radius, maps.cos, maps.sin]

    def total(*inputs: torch.Tensor) -> torch.Tensor:
        return torch.stack(list(losses(Maps(*inputs), target, LossWeights()).values())).sum()

    assert torch.autograd.gradcheck(total, [part.requires_grad_() for part in parts])


def test_pixels_that_do_not_count_have_no_gradient() -> None:
    maps, target = _example(2)
    scores = maps.text.requires_grad_()
    losses(maps, target, LossWeights(hard_negatives=None))["text"].backward()
    assert scores.grad is not None
    silent = scores.grad.abs().sum(dim=1) == 0
    assert torch.equal(silent, ~target.counted)


def test_without_text_the_hardest_pixels_of_a_fixed_number_count() -> None:
    margins = torch.linspace(-3, 3, 4 * LEAST_NEGATIVES).reshape(1, 4, -1)
    nothing, all_of_it = torch.zeros_like(margins, dtype=torch.bool), torch.ones_like(margins, dtype=torch.bool)
    hard = torch.nn.functional.softplus(margins.flatten()[-LEAST_NEGATIVES:]).mean()
    assert float(text_loss(margins, nothing, all_of_it, 3.0)) == pytest.approx(float(hard))


def test_a_scene_without_legible_text_gives_finite_numbers() -> None:
    maps, target = _example(3)
    empty = Target(
        torch.zeros_like(target.text), torch.zeros_like(target.centre), target.radius, target.cos, target.sin,
        target.counted,
    )  # fmt: skip
    found = losses(maps, empty, LossWeights())
    assert all(math.isfinite(float(value)) for value in found.values())
    assert float(found["centre"]) == float(found["radius"]) == 0.0
