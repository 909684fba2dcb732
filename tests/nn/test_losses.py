"""The losses against plain loops; mixed labels; reductions."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from paribus.errors import ConfigError
from paribus.nn.losses import LOSSES, cross_entropy, regression, sparsemax_loss, squared_distance
from paribus.nn.mixing import mix_labels
from paribus.nn.simplex import SIMPLEX, distribution

X = torch.from_numpy(np.random.default_rng(5).normal(size=(6, 4)))
LABELS = torch.tensor([0, 1, 2, 3, 0, 1])
PERMUTATION = torch.tensor([3, 0, 1, 2, 5, 4])


def simplex_for(name: str) -> str:
    return "sparsemax" if name == "sparsemax_loss" else "softmax"


def test_squared_distance_and_regression_are_the_formulas():
    p = SIMPLEX["abs_max"].probability(X).tolist()
    brier, raw = [], []
    for row, outputs, label in zip(p, X.tolist(), LABELS.tolist(), strict=True):
        brier.append(sum((v - (i == label)) ** 2 for i, v in enumerate(row)))
        raw.append(sum((v - (i == label)) ** 2 for i, v in enumerate(outputs)))
    abs_max = SIMPLEX["abs_max"]
    assert squared_distance(X, LABELS, abs_max, reduction="none").tolist() == pytest.approx(brier)
    assert regression(X, LABELS, abs_max, reduction="none").tolist() == pytest.approx(raw)


def test_squared_distance_lies_between_zero_and_two():
    certain = torch.tensor([[0.0, 5.0], [5.0, 0.0]])
    loss = squared_distance(certain, torch.tensor([1, 1]), SIMPLEX["abs_max"], reduction="none")
    assert loss.tolist() == [0.0, 2.0]


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_the_mean_is_over_the_batch(name):
    simplex = SIMPLEX[simplex_for(name)]
    each = LOSSES[name](X, LABELS, simplex, reduction="none")
    assert each.shape == (6,)
    torch.testing.assert_close(LOSSES[name](X, LABELS, simplex), each.sum() / 6)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_mixed_labels_give_the_mixed_loss(name):
    # Linear in q up to a term that does not depend on x: for the squared losses λ(1 - λ) Σ (y - y')².
    weight = 0.3
    simplex, loss = SIMPLEX[simplex_for(name)], LOSSES[name]
    mixed = mix_labels(LABELS, weight, PERMUTATION, 4)
    each = loss(X, mixed, simplex, reduction="none")
    parts = weight * loss(X, LABELS, simplex, reduction="none") + (1 - weight) * loss(
        X, LABELS[PERMUTATION], simplex, reduction="none"
    )
    gap = weight * (1 - weight) * (distribution(LABELS, 4) - distribution(LABELS[PERMUTATION], 4)).square().sum(dim=1)
    constant = {"cross_entropy": 0.0, "squared_distance": 1.0, "regression": 1.0, "sparsemax_loss": 0.5}[name]
    torch.testing.assert_close(each, parts - constant * gap, check_dtype=False)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_gradients_by_finite_differences(name):
    simplex = SIMPLEX[simplex_for(name)]
    x = X.clone().requires_grad_()
    mixed = mix_labels(LABELS, 0.3, PERMUTATION, 4)
    assert torch.autograd.gradcheck(lambda v: LOSSES[name](v, mixed, simplex), (x,))


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_bfloat16_gives_a_float32_loss(name):
    loss = LOSSES[name](X.bfloat16(), LABELS, SIMPLEX[simplex_for(name)])
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, LOSSES[name](X.bfloat16().float(), LABELS, SIMPLEX[simplex_for(name)]))


def test_sigmoid_trains_each_class_on_its_own():
    x = X.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(cross_entropy(x, LABELS, SIMPLEX["sigmoid"], reduction="none").sum(), x)
    torch.testing.assert_close(gradient, torch.sigmoid(X) - distribution(LABELS, 4))


def test_sparsemax_loss_refuses_another_simplex():
    with pytest.raises(ConfigError, match="'sparsemax', not with 'softmax'"):
        sparsemax_loss(X, LABELS, SIMPLEX["softmax"])
