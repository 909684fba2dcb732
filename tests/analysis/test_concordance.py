"""How alike judges rank, against SciPy's Friedman test, full enumeration and closed forms."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import friedmanchisquare, rankdata

from paribus.analysis.concordance import Scores, concordances, kendall_w


def scores(values: Sequence[Sequence[Sequence[float]]]) -> Scores:
    """Return values (judges, things, seeds) as scores of a, b, ... by judges j0, j1, ..."""
    return {
        "abcdefgh"[thing]: {f"j{judge}": dict(enumerate(own[thing])) for judge, own in enumerate(values)}
        for thing in range(len(values[0]))
    }


@given(st.integers(0, 10_000), st.integers(2, 6), st.integers(3, 7), st.booleans())
def test_kendalls_w_is_friedmans_statistic_per_judge(seed: int, judges: int, things: int, ties: bool) -> None:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 3, (judges, things)).astype(float) if ties else rng.random((judges, things))
    if (values == values[:, :1]).all():
        return
    expected = friedmanchisquare(*values.T).statistic / (judges * (things - 1))
    assert kendall_w(rankdata(values, axis=1)) == pytest.approx(expected, abs=1e-12)


def test_judges_who_tie_all_do_not_agree() -> None:
    assert kendall_w(np.full((3, 4), 2.5)) == 0.0


def test_the_chance_is_that_of_all_rankings() -> None:
    ranks = [np.array(one, float) for one in itertools.permutations((1, 2, 3))]
    everyone = [kendall_w(np.array(panel)) for panel in itertools.product(ranks, repeat=3)]
    alike, most = np.array([[1, 2, 3]] * 3, float), np.array([[1, 2, 3], [1, 2, 3], [1, 3, 2]], float)
    for panel in (alike, most):
        (found,) = concordances(scores(panel[..., None].tolist()), {"m": ("j0", "j1", "j2")}, direction="min")
        expected = np.mean(np.array(everyone) >= kendall_w(panel) - 1e-9)
        assert found.w == pytest.approx(kendall_w(panel))
        assert found.p_value == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 - expected) / 20_000) + 1e-4)
        assert found.order[0] == "a"


def test_more_may_be_better() -> None:
    values = [[[1.0], [2.0], [3.0]]] * 2
    for direction, order in (("min", ("a", "b", "c")), ("max", ("c", "b", "a"))):
        (found,) = concordances(scores(values), {"m": ("j0", "j1")}, direction=direction)  # type: ignore[arg-type]
        assert found.order == order


def test_means_are_over_the_seeds_that_all_have_and_resamples_of_them_give_the_interval() -> None:
    rng = np.random.default_rng(0)
    level = np.arange(4.0)[None, :, None]
    values = level + rng.normal(0, 3.0, (3, 4, 10))
    given_scores = scores(values.tolist())
    del given_scores["b"]["j1"][7]  # type: ignore[attr-defined]
    (found,) = concordances(given_scores, {"m": ("j0", "j1", "j2")}, direction="min")
    assert found.seeds == (0, 1, 2, 3, 4, 5, 6, 8, 9)
    kept = values[:, :, found.seeds]
    assert found.w == pytest.approx(kendall_w(rankdata(kept.mean(axis=2), axis=1)))
    drawn = np.random.default_rng(1).integers(0, 9, (4000, 9))
    own = [kendall_w(rankdata(kept[:, :, rows].mean(axis=2), axis=1)) for rows in drawn]
    assert (found.low, found.high) == pytest.approx(np.quantile(own, (0.025, 0.975)), abs=0.06)
    assert found == concordances(given_scores, {"m": ("j0", "j1", "j2")}, direction="min")[0], "bits repeat"


def test_several_measures_pay_for_each_other_and_one_without_values_is_left_out() -> None:
    values = [[[1.0], [2.0], [3.0], [4.0]]] * 3
    found = concordances(
        scores(values), {"x": ("j0", "j1", "j2"), "none": ("j0", "k"), "y": ("j0", "j1")}, direction="min"
    )
    assert [one.measure for one in found] == ["x", "y"]
    assert found[0].adjusted_p == pytest.approx(2 * found[0].p_value)
    assert found[1].adjusted_p == pytest.approx(max(found[1].p_value, 2 * found[0].p_value))


def test_judges_who_rank_at_random_are_seldom_found_to_agree() -> None:
    rng = np.random.default_rng(3)
    small = 0
    for _ in range(200):
        (found,) = concordances(scores(rng.random((3, 4, 1)).tolist()), {"m": ("j0", "j1", "j2")}, direction="min")
        small += found.p_value <= 0.05
    assert small <= 20, "10 are expected, and 20 are more than three standard deviations above"


def test_what_a_judge_has_no_value_of_is_left_out_and_named() -> None:
    values = [[[1.0], [2.0], [3.0], [4.0]]] * 2
    lacking = {**scores(values), "diverged": {"j0": {}}}
    (found,) = concordances(lacking, {"m": ("j0", "j1")}, direction="min")
    assert found.order == ("a", "b", "c", "d")
    assert found.left_out == ("diverged",)
    few = {name: own for name, own in lacking.items() if name in ("a", "b", "diverged")}
    assert concordances(few, {"m": ("j0", "j1")}, direction="min") == (), "of two things an order says nothing"
