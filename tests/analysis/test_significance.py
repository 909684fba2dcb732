from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from paribus.analysis.significance import holm, label_permutation, more_divergences, sign_flip


@given(st.lists(st.integers(-5, 5), min_size=1, max_size=8))
def test_sign_flip_visits_every_pattern(values: list[int]) -> None:
    d = 0.1 * np.array(values)
    patterns = itertools.product((-1, 1), repeat=len(values))
    sums = [abs(sum(s * v for s, v in zip(signs, values, strict=True))) for signs in patterns]
    assert sign_flip(d) == pytest.approx(sum(s >= abs(sum(values)) for s in sums) / len(sums))


def test_sign_flip_agrees_with_scipy_exactly_and_by_sampling() -> None:
    d = np.random.default_rng(1).normal(0.4, 1, 12)
    reference = scipy.stats.permutation_test(
        (d,), np.mean, permutation_type="samples", n_resamples=np.inf, vectorized=False
    )
    assert sign_flip(d) == pytest.approx(reference.pvalue)
    long = np.random.default_rng(1).normal(0.3, 1, 25)
    assert sign_flip(long) == pytest.approx(scipy.stats.ttest_1samp(long, 0).pvalue, abs=0.02)
    assert sign_flip(long) == sign_flip(long)


def test_label_permutation_agrees_with_scipy() -> None:
    rng = np.random.default_rng(2)
    c, t = rng.normal(0, 1, 7), rng.normal(1, 1, 5)
    reference = scipy.stats.permutation_test((t, c), lambda x, y: np.mean(x) - np.mean(y), n_resamples=np.inf)
    assert label_permutation(c, t) == pytest.approx(reference.pvalue, abs=0.006)


def test_holm_by_hand_and_against_its_definition() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []
    missing = holm([0.01, math.nan])
    assert missing[0] == pytest.approx(0.02)  # the missing test is still one of two
    assert math.isnan(missing[1])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_rejects_as_the_stepwise_procedure_does(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    for alpha in (0.01, 0.05, 0.3):
        rejected: set[int] = set()
        for index in sorted(range(len(p_values)), key=lambda i: p_values[i]):
            if p_values[index] * (len(p_values) - len(rejected)) > alpha:
                break
            rejected.add(index)
        assert {i for i, p in enumerate(adjusted) if p <= alpha} == rejected


@given(st.integers(0, 12), st.integers(0, 12))
def test_divergence_is_an_exact_binomial_test(arm_only: int, control_only: int) -> None:
    p = more_divergences(arm_only, control_only)
    if arm_only + control_only:
        reference = scipy.stats.binomtest(arm_only, arm_only + control_only, alternative="greater")
        assert p == pytest.approx(reference.pvalue)
    else:
        assert p == 1.0
