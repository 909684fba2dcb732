from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from paribus.analysis import Sequential, compare
from paribus.errors import ConfigError, DataError

RNG = np.random.default_rng(0)
C, T = RNG.normal(0.9, 0.01, 8), RNG.normal(0.905, 0.01, 8)


def test_paired_agrees_with_scipy() -> None:
    result, reference = compare(C, T), scipy.stats.ttest_rel(T, C)
    interval = reference.confidence_interval(0.95)
    assert result.p_value == pytest.approx(reference.pvalue)
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high))
    assert result.difference == pytest.approx(np.mean(T) - np.mean(C))
    assert result.sd == pytest.approx(np.std(T - C, ddof=1))
    assert result.correlation == pytest.approx(np.corrcoef(C, T)[0, 1])
    assert (result.n, result.method, result.generalises) == (8, "paired t", "new seeds on this test set")


def test_unpaired_agrees_with_welch_in_scipy() -> None:
    result, reference = compare(C, T[:5], paired=False), scipy.stats.ttest_ind(T[:5], C, equal_var=False)
    interval = reference.confidence_interval(0.95)
    assert result.p_value == pytest.approx(reference.pvalue)
    assert (result.low, result.high) == pytest.approx((interval.low, interval.high))
    assert (result.n, result.method) == (5, "Welch t, unpaired")


@pytest.mark.parametrize(("shift", "spread", "margin"), [(0.0, 1.0, 0.5), (0.4, 1.0, 1.5), (2.0, 1.0, 2.5), (0, 3, 1)])
def test_equivalence_is_the_inner_interval_within_the_margin(shift: float, spread: float, margin: float) -> None:
    d = shift + spread * np.array([-1.0, -0.5, 0.0, 0.2, 0.5, 0.8])
    inner = scipy.stats.ttest_1samp(d, 0).confidence_interval(0.90)
    inside = -margin < inner.low and inner.high < margin
    assert (compare(np.zeros(6), d, margin=margin).verdict == "equivalent") == inside


def test_words() -> None:
    noise = np.array([-0.1, 0.0, 0.1, 0.05, -0.05])
    assert compare(noise, noise[::-1] + 1).verdict == "better"
    assert compare(noise, noise[::-1] - 1).verdict == "worse"
    assert compare(noise, noise[::-1] - 1, margin=2).verdict == "equivalent"  # too small to matter comes first
    assert compare(noise, noise[::-1]).verdict == "undecided"


@pytest.mark.parametrize("n", [1, 2])
def test_one_or_two_seeds_conclude_nothing(n: int) -> None:
    result = compare([0.1] * n, [0.9] * n, margin=5)
    assert (result.verdict, result.n, result.more_seeds) == ("undecided", n, 3 - n)
    assert all(math.isnan(value) for value in (result.low, result.high, result.p_value))
    assert result.difference == pytest.approx(0.8)


@pytest.mark.parametrize("paired", [True, False])
def test_scores_that_tie_are_not_called_equivalent(paired: bool) -> None:
    for margin in (0.0, 0.01):
        result = compare([1.0] * 8, [1.0] * 8, margin=margin, paired=paired)
        assert (result.verdict, result.p_value, result.more_seeds) == ("undecided", 1.0, None)
        assert math.isnan(result.low)
        assert math.isnan(result.high)
    assert compare(C, C, margin=0.01).verdict == "undecided"


@pytest.mark.parametrize(("n", "verdict"), [(3, "undecided"), (5, "undecided"), (6, "better")])
def test_differences_without_spread_are_worth_a_sign_test(n: int, verdict: str) -> None:
    control = np.linspace(0.1, 0.7, n)  # in floating point the differences are not quite alike
    result = compare(control, control + 0.1)
    assert result.p_value == pytest.approx(2.0 ** (1 - n))
    assert (result.verdict, result.permutation_p) == (verdict, pytest.approx(2.0 ** (1 - n)))
    assert math.isnan(result.low)
    assert math.isnan(result.high)


@given(
    st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=3, max_size=12),
    st.sampled_from([0.0, 1.0, 20.0]),
    st.booleans(),
)
def test_symmetry_and_units(scores: list[tuple[int, int]], margin: float, paired: bool) -> None:
    c, t = np.array(scores, dtype=float).T
    there, back = compare(c, t, margin=margin, paired=paired), compare(t, c, margin=margin, paired=paired)
    scaled = compare(4 * c + 8, 4 * t + 8, margin=4 * margin, paired=paired)
    opposite = {"better": "worse", "worse": "better"}
    assert back.verdict == opposite.get(there.verdict, there.verdict)
    mirrored = (-there.difference, -there.high, -there.low)
    assert (back.difference, back.low, back.high) == pytest.approx(mirrored, nan_ok=True)
    assert scaled.verdict == there.verdict
    assert (scaled.low, scaled.p_value) == pytest.approx((4 * there.low, there.p_value), abs=1e-9, nan_ok=True)
    spread = np.ptp(t - c) > 0 if paired else np.ptp(t) > 0 or np.ptp(c) > 0
    assert there.low <= there.difference <= there.high if spread else math.isnan(there.low)
    assert 0 <= there.p_value <= 1


@pytest.mark.parametrize(
    ("control", "treated", "message"),
    [
        ([1, 2, math.nan], [1, 2, 3], "control: score 2 is nan"),
        ([1, 2, 3], [1, math.inf, 3], "treated: score 1 is inf"),
        ([1, 2, 3], [1, 2], "cannot be paired"),
        ([], [], "no scores"),
        ([[1, 2], [3, 4]], [1, 2], "array of shape"),
        (["a"], [1], "vector of numbers"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_one_line(control: list, treated: list, message: str) -> None:
    with pytest.raises(DataError, match=message) as error:
        compare(control, treated)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("design", [{"margin": -1}, {"margin": math.nan}, {"alpha": 0}, {"alpha": 0.5}, {"alpha": 5}])
def test_designs_without_meaning_are_refused(design: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        compare(C, T, **design)
    with pytest.raises(ConfigError):
        Sequential(**design)


def test_sequential_accumulates_one_by_one_or_in_blocks() -> None:
    single, block = Sequential(0.0, 0.05, 8), Sequential(0.0, 0.05, 8)
    for c, t in zip(C, T, strict=True):
        last = single.update(c, t)
    block.update(C[:5], T[:5])
    assert block.update(C[5:], T[5:]) == last
    assert last.n == single.n == 8
    assert last.low < compare(C, T).low  # looking along the way has its price
    assert last.p_value > compare(C, T).p_value


def test_sequential_keeps_to_its_plan() -> None:
    study = Sequential(0.0, 0.05, 4)
    assert study.update(0.1, 0.2).verdict == "undecided"
    with pytest.raises(ConfigError, match="at most 4"):
        study.update([1, 2, 3, 4], [1, 2, 3, 4])
    with pytest.raises(DataError):
        study.update(math.nan, 1.0)
    assert study.n == 1  # what was refused left no trace
    with pytest.raises(ConfigError, match="at least 3"):
        Sequential(max_n=2)


def test_sequential_says_each_word() -> None:
    noise = np.tile([-0.1, 0.05, 0.1, -0.05, 0.0], 4)
    zeros = np.zeros(20)
    assert Sequential(0.0, 0.05, 20).update(zeros, noise + 1).verdict == "better"
    assert Sequential(0.0, 0.05, 20).update(zeros, noise - 1).verdict == "worse"
    assert Sequential(0.5, 0.05, 20).update(zeros, noise).verdict == "equivalent"
    assert Sequential(0.0, 0.05, 20).update(zeros, noise).verdict == "undecided"
