from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from paribus.analysis.intervals import Estimate, Part, crossed, paired


def loops(d: np.ndarray) -> tuple[float, float]:
    """The two variances of the crossed model by the definitions of the mean squares, one cell at a time."""
    S, E = d.shape
    grand = sum(sum(row) for row in d.tolist()) / (S * E)
    row_mean = [sum(d[s].tolist()) / E for s in range(S)]
    column_mean = [sum(d[:, e].tolist()) / S for e in range(E)]
    seed = E * sum((m - grand) ** 2 for m in row_mean) / (S - 1)
    example = S * sum((m - grand) ** 2 for m in column_mean) / (E - 1)
    residual = sum((d[s, e] - row_mean[s] - column_mean[e] + grand) ** 2 for s in range(S) for e in range(E))
    return seed / (S * E), max(0.0, example - residual / ((S - 1) * (E - 1))) / (S * E)


@given(st.integers(2, 6), st.integers(2, 30), st.integers(0, 2**32 - 1))
def test_crossed_agrees_with_loops(S: int, E: int, seed: int) -> None:
    d = np.random.default_rng(seed).integers(-1, 2, (S, E)).astype(np.int8)
    seeds, examples = loops(d)
    estimate = crossed(d)
    assert estimate.difference == pytest.approx(d.mean())
    assert estimate.seed.se == pytest.approx(math.sqrt(seeds), abs=1e-9)
    assert (estimate.example.se if estimate.example else 0.0) == pytest.approx(math.sqrt(examples), abs=1e-7)
    assert (estimate.seed.df, estimate.example.df if estimate.example else E - 1) == (S - 1, E - 1)


def test_without_an_examples_part_crossed_is_the_paired_t() -> None:
    d = np.random.default_rng(0).choice([-1, 0, 1], (5, 400)).astype(np.int8)
    rows = d.mean(1)
    alone, both = paired(np.zeros(5), rows), crossed(d)
    assert both.seed.se == pytest.approx(alone.seed.se)
    assert both.half_width(0.05) >= alone.half_width(0.05) * (1 - 1e-12)


@given(st.floats(0.01, 10), st.floats(0.01, 10), st.integers(2, 20), st.floats(1e-6, 0.4))
def test_the_tail_of_two_parts_inverts_their_half_width(a: float, b: float, df: int, p: float) -> None:
    estimate = Estimate(0.0, Part(a, df), Part(b, 500))
    assert estimate.tail(estimate.half_width(2 * p)) == pytest.approx(p, rel=1e-6)
    assert estimate.tail(-estimate.half_width(2 * p)) == pytest.approx(1 - p, rel=1e-6)
    squares = (a * student.isf(p, df)) ** 2 + (b * student.isf(p, 500)) ** 2
    assert estimate.half_width(2 * p) == pytest.approx(math.sqrt(squares))


def test_two_parts_are_never_narrower_than_one() -> None:
    part = Part(1.0, 4)
    for other in (1e-6, 0.1, 1.0, 10.0):
        both = Estimate(0.0, part, Part(other, 99))
        assert both.half_width(0.05) >= max(part.half_width(0.05), Part(other, 99).half_width(0.05))
        assert both.tail(2.0) >= part.tail(2.0)


def test_seeds_that_agree_leave_no_interval_and_a_sign_test() -> None:
    d = np.tile(np.array([1, 0, 0, 0, -1, 0, 1, 1], dtype=np.int8), (4, 1))
    estimate = crossed(d)
    assert estimate.seed.se == 0
    assert estimate.example is not None
    assert math.isnan(estimate.half_width(0.05))
    assert estimate.two_sided() >= 2.0**-3
    assert estimate.outside(0.9) == 1.0


def test_only_outcomes_that_agree_one_by_one_are_equivalent_without_a_spread() -> None:
    same = crossed(np.zeros((4, 8), dtype=np.int8))
    assert same.outside(0.25) == pytest.approx(0.75**8)
    assert (same.outside(0.0), same.outside(1.0), same.outside(2.0)) == (1.0, 0.0, 0.0)
    tied = crossed(np.tile(np.array([1, -1, 0, 0], dtype=np.int8), (4, 1)))
    assert (tied.difference, tied.seed.se, tied.outside(0.25)) == (0.0, 0.0, 1.0)
