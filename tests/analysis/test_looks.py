from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from paribus.analysis.looks import ONCE, EverySeed
from paribus.errors import ConfigError


@pytest.mark.parametrize("max_n", [3, 10, 30])
@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.1])
def test_bounds_keep_the_rate_they_were_set_for(max_n: int, alpha: float) -> None:
    """On fresh Gaussian studies, with another formula for t and the bounds as t values."""
    looks, studies = EverySeed(max_n), 40_000
    x = np.random.default_rng(5).standard_normal((studies, max_n))
    crossed_two, crossed_one = np.zeros(studies, bool), np.zeros(studies, bool)
    for n in range(3, max_n + 1):
        t = x[:, :n].mean(1) / (x[:, :n].std(1, ddof=1) / np.sqrt(n))
        crossed_two |= np.abs(t) > student.isf(looks.level(alpha, n, 2) / 2, n - 1)
        crossed_one |= t > student.isf(looks.level(alpha, n, 1), n - 1)
    error = 4 * np.sqrt(alpha / studies)
    assert crossed_two.mean() == pytest.approx(alpha, abs=error)
    assert crossed_one.mean() == pytest.approx(alpha, abs=error)


def test_a_single_look_costs_nothing() -> None:
    looks = EverySeed(3)
    for p in (0.001, 0.01, 0.05, 0.4):
        assert looks.adjust(p, 3, 2) == pytest.approx(p, rel=0.1)
        assert looks.adjust(p, 3, 1) == pytest.approx(p, rel=0.1)
        assert ONCE.adjust(p, 9, 2) == ONCE.level(p, 9, 2) == p


@pytest.mark.parametrize("sides", [1, 2])
def test_level_is_the_inverse_of_adjust(sides: int) -> None:
    looks = EverySeed(20)
    for alpha in (0.001, 0.05, 0.2):
        for n in (3, 10, 20):
            level = looks.level(alpha, n, sides)
            assert looks.adjust(level * (1 - 1e-9), n, sides) <= alpha
            assert looks.adjust(level * 1.02, n, sides) > alpha
    assert looks.level(0.05, 5, sides) < looks.level(0.05, 20, sides) < 0.05


def test_more_seeds_than_planned_are_refused() -> None:
    with pytest.raises(ConfigError, match="at most 5"):
        EverySeed(5).adjust(0.01, 6, 2)
