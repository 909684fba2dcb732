"""The simplex functions against plain loops, their gradients, and what they do at 0/0 and log 0."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.optimize
import scipy.special
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from paribus.errors import DataError
from paribus.nn.simplex import SIMPLEX, distribution, sparsemax_loss, stuck

NAMES = sorted(SIMPLEX)
TINY = float(np.finfo(np.float32).tiny)
CAN_DIE = ("abs_max", "square_max", "non_negative_max")

WEIGHTS = {
    "abs_max": abs,
    "square_max": lambda v: v * v,
    "plus_one_abs_max": lambda v: 1 + abs(v),
    "non_negative_max": lambda v: max(0.0, v),
    "taylor": lambda v: 1 + v + v * v / 2,
    "sigmoid": lambda v: 1 / (1 + math.exp(-v)),
    "softmax": math.exp,
}


def projection(row: list[float]) -> list[float]:
    """Project on the simplex by finding τ with Σ max(0, x - τ) = 1 by bisection."""
    tau = scipy.optimize.brentq(lambda t: sum(max(0.0, v - t) for v in row) - 1, min(row) - 1, max(row), xtol=1e-14)
    return [max(0.0, v - tau) for v in row]


def reference(name: str, row: list[float]) -> list[float]:
    if name == "sparsemax":
        return projection(row)
    weights = [WEIGHTS[name](v) for v in row]
    return [w / math.fsum(weights) for w in weights]


def outputs(count: int = 7, classes: int = 10, scale: float = 2.0, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(3).normal(size=(count, classes)) * scale).to(dtype)


finite = st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=True) | st.floats(-3, 3, width=32) | st.just(0.0)
rows = st.tuples(st.integers(1, 3), st.integers(1, 6)).flatmap(lambda shape: arrays(np.float32, shape, elements=finite))


@pytest.mark.parametrize("name", NAMES)
def test_probability_is_the_formula(name):
    x = outputs()
    expected = [reference(name, row) for row in x.tolist()]
    torch.testing.assert_close(SIMPLEX[name].probability(x), torch.tensor(expected, dtype=x.dtype))


@pytest.mark.parametrize("name", NAMES)
def test_log_probability_is_the_logarithm(name):
    x = outputs()
    p = np.array([reference(name, row) for row in x.tolist()])
    expected = np.log(np.maximum(p, np.finfo(np.float64).tiny))
    torch.testing.assert_close(SIMPLEX[name].log_probability(x), torch.from_numpy(expected))


@pytest.mark.parametrize("name", NAMES)
@given(x=rows)
@settings(max_examples=80, deadline=None)
def test_rows_are_distributions_and_nothing_is_nan(name, x):
    tensor = torch.from_numpy(x).requires_grad_()
    simplex = SIMPLEX[name]
    p = simplex.probability(tensor)
    assert bool((p >= 0).all())
    torch.testing.assert_close(p.sum(dim=1), torch.ones(len(x)))
    log_p = simplex.log_probability(tensor)
    labels = torch.zeros(len(x), dtype=torch.int64)
    loss = simplex.loss(tensor, labels)
    for value in (p, log_p, loss):
        assert bool(torch.isfinite(value).all())
        (gradient,) = torch.autograd.grad(value.sum(), tensor, retain_graph=True)
        assert bool(torch.isfinite(gradient).all())


@pytest.mark.parametrize("name", NAMES)
@given(x=rows, data=st.data())
@settings(max_examples=40, deadline=None)
def test_permuting_classes_permutes_probabilities(name, x, data):
    order = data.draw(st.permutations(range(x.shape[1])))
    tensor = torch.from_numpy(x)
    simplex = SIMPLEX[name]
    torch.testing.assert_close(
        simplex.probability(tensor[:, order]), simplex.probability(tensor)[:, order], rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize("name", CAN_DIE)
@pytest.mark.parametrize("factor", [1e-30, 1e-3, 1e30])
def test_homogeneous_functions_do_not_see_the_scale(name, factor):
    x = outputs(dtype=torch.float32).requires_grad_()
    scaled = (x.detach() * factor).requires_grad_()
    torch.testing.assert_close(SIMPLEX[name].probability(scaled), SIMPLEX[name].probability(x))
    labels = x.detach().argmax(dim=1)
    (gradient,) = torch.autograd.grad(SIMPLEX[name].loss(x, labels).sum(), x)
    (scaled_gradient,) = torch.autograd.grad(SIMPLEX[name].loss(scaled, labels).sum(), scaled)
    torch.testing.assert_close(scaled_gradient * factor, gradient, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["softmax", "sparsemax"])
def test_shift_invariant_functions_do_not_see_an_offset(name):
    x = outputs()
    torch.testing.assert_close(SIMPLEX[name].probability(x + 1000.0), SIMPLEX[name].probability(x))


@pytest.mark.parametrize("name", NAMES)
def test_gradients_by_finite_differences(name):
    x = outputs(4, 5).requires_grad_()
    simplex = SIMPLEX[name]
    labels = simplex.probability(x.detach()).argmax(dim=1)
    q = torch.full((4, 5), 0.2, dtype=torch.float64)
    assert torch.autograd.gradcheck(simplex.probability, (x,))
    assert torch.autograd.gradcheck(lambda v: simplex.loss(v, labels), (x,))
    if name not in ("sparsemax", "non_negative_max"):
        assert torch.autograd.gradcheck(simplex.log_probability, (x,))
        assert torch.autograd.gradcheck(lambda v: simplex.loss(v, q), (x,))


def test_softmax_and_sigmoid_losses_are_torchs():
    x = outputs(dtype=torch.float32)
    labels = torch.arange(7)
    torch.testing.assert_close(SIMPLEX["softmax"].loss(x, labels), F.cross_entropy(x, labels, reduction="none"))
    q = distribution(labels, 10)
    expected = [
        -sum(
            math.log(reference_sigmoid(v)) if i == label else math.log(1 - reference_sigmoid(v))
            for i, v in enumerate(row)
        )
        for row, label in zip(x.tolist(), labels.tolist(), strict=True)
    ]
    torch.testing.assert_close(SIMPLEX["sigmoid"].loss(x, labels), torch.tensor(expected))
    torch.testing.assert_close(SIMPLEX["sigmoid"].loss(x, q), torch.tensor(expected))


def reference_sigmoid(v: float) -> float:
    return float(scipy.special.expit(v))


@pytest.mark.parametrize("name", NAMES)
def test_bfloat16_is_computed_in_float32(name):
    x = outputs(scale=10, dtype=torch.bfloat16)
    for function in (SIMPLEX[name].probability, SIMPLEX[name].log_probability):
        value = function(x)
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, function(x.float()), rtol=0, atol=0)


# What happens at 0/0 and at log 0.


def limit(name: str, row: list[float], label: int, epsilon: float) -> float:
    """The cross-entropy with every weight raised by epsilon."""
    weights = [WEIGHTS[name](v) + epsilon for v in row]
    return -math.log(weights[label] / math.fsum(weights))


@pytest.mark.parametrize("name", CAN_DIE)
def test_a_dead_row_is_uniform_costs_log_k_and_teaches_nothing(name):
    x = torch.zeros(2, 4)
    if name == "non_negative_max":
        x[1] = torch.tensor([-1.0, -2.0, -1e30, 0.0])
    x.requires_grad_()
    simplex = SIMPLEX[name]
    assert simplex.dead(x).tolist() == [True, True]
    torch.testing.assert_close(simplex.probability(x), torch.full((2, 4), 0.25))
    labels = torch.tensor([1, 3])
    loss = simplex.loss(x, labels)
    torch.testing.assert_close(loss, torch.full((2,), math.log(4)))
    for row, label in zip(x.tolist(), labels.tolist(), strict=True):
        assert limit(name, row, label, 1e-12) == pytest.approx(math.log(4))
    assert not stuck(simplex, x, labels).any()
    assert torch.equal(torch.autograd.grad(loss.sum(), x)[0], torch.zeros(2, 4))


def test_dead_counts_only_rows_without_any_weight():
    x = torch.tensor([[0.0, 0.0], [-1.0, 0.0], [1e-20, -1.0], [0.0, TINY / 2]])
    assert SIMPLEX["non_negative_max"].dead(x).tolist() == [True, True, False, True]
    assert SIMPLEX["abs_max"].dead(x).tolist() == [True, False, False, True]
    for name in set(NAMES) - set(CAN_DIE):
        assert not SIMPLEX[name].dead(x).any()


def test_a_stuck_example_has_the_floored_loss_and_no_gradient():
    x = torch.tensor([[-1.0, 2.0, 3.0], [0.0, 2.0, 3.0], [0.5, 2.0, 3.0]], requires_grad=True)
    labels = torch.zeros(3, dtype=torch.int64)
    simplex = SIMPLEX["non_negative_max"]
    loss = simplex.loss(x, labels)
    assert stuck(simplex, x, labels).tolist() == [True, True, False]
    assert loss[:2].tolist() == pytest.approx([-math.log(TINY)] * 2)
    assert float(loss[2].detach()) == pytest.approx(math.log(11))
    (gradient,) = torch.autograd.grad(loss.sum(), x)
    assert torch.equal(gradient[:2], torch.zeros(2, 3))
    assert gradient[2].tolist() == pytest.approx([1 / 5.5 - 1 / 0.5, 1 / 5.5, 1 / 5.5])


def test_a_stuck_example_keeps_its_gradient_where_the_loss_has_no_floor():
    label = torch.tensor([1])
    for name, row, loss in (
        ("sparsemax", [5.0, 0.0, 0.0], sparsemax_loss),
        ("softmax", [200.0, 0.0, 0.0], SIMPLEX["softmax"].loss),
    ):
        x = torch.tensor([row], requires_grad=True)
        assert stuck(SIMPLEX[name], x, label).tolist() == [True]
        (gradient,) = torch.autograd.grad(loss(x, label).sum(), x)
        assert gradient.tolist() == [[1.0, -1.0, 0.0]]


def test_the_gradient_explodes_like_one_over_x_above_the_floor():
    for magnitude in (1e-3, 1e-20, 1e-36):
        x = torch.tensor([[magnitude, 1.0]], requires_grad=True)
        (gradient,) = torch.autograd.grad(SIMPLEX["abs_max"].loss(x, torch.tensor([0])).sum(), x)
        assert float(gradient[0, 0]) == pytest.approx(-1 / magnitude, rel=2e-3)


@pytest.mark.parametrize("name", ["abs_max", "square_max", "plus_one_abs_max"])
def test_the_sign_does_not_matter_and_a_zero_has_no_slope(name):
    x = outputs()
    torch.testing.assert_close(SIMPLEX[name].probability(-x), SIMPLEX[name].probability(x))
    zero = torch.tensor([[0.0, 1.0, 2.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(SIMPLEX[name].probability(zero)[0, 0], zero)
    assert float(gradient[0, 0]) == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_nan_is_not_hidden(name):
    x = torch.tensor([[1.0, math.nan, 2.0], [1.0, 0.5, 2.0]])
    simplex = SIMPLEX[name]
    loss = simplex.loss(x, torch.tensor([2, 2]))
    assert loss.isnan().tolist() == [True, False]
    assert simplex.probability(x)[0].isnan().any()


# Sparsemax and its loss.


@pytest.mark.parametrize(
    ("row", "expected"),
    [([0.0, 0.0], [0.5, 0.5]), ([1.0, 0.0], [1.0, 0.0]), ([0.5, 0.0], [0.75, 0.25]), ([3.0, 3.0, 2.9], None)],
)
def test_sparsemax_at_ties_and_edges(row, expected):
    p = SIMPLEX["sparsemax"].probability(torch.tensor([row]))[0].tolist()
    assert p == pytest.approx(projection(row) if expected is None else expected)


def test_sparsemax_loss_is_the_difference_of_two_distances():
    # ½|q - x|² - ½|p* - x|² with p* the projection: the Fenchel-Young form of the same loss.
    x = outputs(6, 5, scale=1.0)
    labels = torch.tensor([0, 1, 2, 3, 4, 0])
    mixed = 0.3 * distribution(labels, 5).double() + 0.7 * distribution(labels.flip(0), 5).double()
    for target in (distribution(labels, 5).double(), mixed):
        q, rows = target.numpy(), x.numpy()
        p = np.array([projection(row) for row in x.tolist()])
        expected = 0.5 * ((q - rows) ** 2).sum(1) - 0.5 * ((p - rows) ** 2).sum(1)
        torch.testing.assert_close(sparsemax_loss(x, target), torch.from_numpy(expected))
    torch.testing.assert_close(sparsemax_loss(x, labels), sparsemax_loss(x, distribution(labels, 5)))


def test_sparsemax_loss_has_the_gradient_p_minus_q():
    x = outputs(6, 5, scale=1.0).requires_grad_()
    labels = torch.tensor([0, 1, 2, 3, 4, 0])
    assert torch.autograd.gradcheck(lambda v: sparsemax_loss(v, labels), (x,))
    (gradient,) = torch.autograd.grad(sparsemax_loss(x, labels).sum(), x)
    torch.testing.assert_close(gradient, SIMPLEX["sparsemax"].probability(x) - distribution(labels, 5))


@given(x=rows)
@settings(max_examples=60, deadline=None)
def test_sparsemax_loss_is_finite_and_not_negative(x):
    tensor = torch.from_numpy(x).requires_grad_()
    loss = sparsemax_loss(tensor, torch.zeros(len(x), dtype=torch.int64))
    (gradient,) = torch.autograd.grad(loss.sum(), tensor)
    assert bool(torch.isfinite(gradient).all())
    assert bool((loss >= -1e-6).all())


def test_a_target_with_the_wrong_number_of_classes_is_refused():
    with pytest.raises(DataError, match="3 classes and the output 4"):
        distribution(torch.zeros(2, 3), 4)
