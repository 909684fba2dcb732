from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from paribus.analysis.intervals import Estimate, Part, paired
from paribus.analysis.looks import ONCE, EverySeed, Looks
from paribus.analysis.power import POWER, difference_power, equivalence_power, more_pairs, projected


def simulated(effect: float, n: int, looks: Looks, alpha: float, margin: float) -> tuple[float, float]:
    """Shares of 4,000 Gaussian studies that find a difference, and that find it within the margin."""
    found = near = 0
    for d in np.random.default_rng(3).normal(effect, 1, (4000, n)):
        estimate = paired(np.zeros(n), d)
        found += estimate.two_sided() <= looks.level(alpha, n, 2)
        near += estimate.outside(margin) <= looks.level(alpha, n, 1)
    return found / 4000, near / 4000


@pytest.mark.parametrize(("effect", "n"), [(0.5, 10), (1.0, 5), (0.2, 30)])
@pytest.mark.parametrize("looks", [ONCE, EverySeed(30)])
def test_power_agrees_with_simulation(effect: float, n: int, looks: Looks) -> None:
    estimate = Estimate(effect, Part(1 / math.sqrt(n), n - 1))
    found, near = simulated(effect, n, looks, 0.05, 1.5)
    assert difference_power(estimate, looks.level(0.05, n, 2)) == pytest.approx(found, abs=0.03)
    # The usual approximation is cautious where there is little power, and close where there is enough.
    equivalence = equivalence_power(estimate, looks.level(0.05, n, 1), 1.5)
    assert equivalence <= near + 0.03
    assert equivalence >= min(near, 0.7) - 0.1


@pytest.mark.parametrize("looks", [ONCE, EverySeed(60)])
@pytest.mark.parametrize(("effect", "margin"), [(0.6, 0.0), (0.1, 0.9)])
def test_more_pairs_is_the_first_number_that_decides(effect: float, margin: float, looks: Looks) -> None:
    estimate = Estimate(effect, Part(1 / math.sqrt(5), 4))
    more = more_pairs(estimate, 5, margin=margin, alpha=0.05, looks=looks)
    assert more is not None

    def power(later: int) -> float:
        then = projected(estimate, 5, later)
        return max(
            difference_power(then, looks.level(0.05, later, 2)),
            equivalence_power(then, looks.level(0.05, later, 1), margin),
        )

    assert power(5 + more) >= POWER > power(5 + more - 1)


def test_the_textbook_number_of_pairs() -> None:
    # G*Power 3.1: paired t, effect 0.5 sd, two-sided 0.05, power 0.80 -> 34 pairs.
    assert more_pairs(Estimate(0.5, Part(1 / math.sqrt(4), 3)), 4, margin=0, alpha=0.05, looks=ONCE) == 30


def test_power_is_a_number_that_grows_with_n() -> None:
    for effect in (0.01, 0.3, 3.0):
        estimate = Estimate(effect, Part(1 / math.sqrt(3), 2))
        powers = [difference_power(projected(estimate, 3, later), 0.05) for later in range(3, 1004, 7)]
        assert all(0 <= power <= 1 for power in powers)
        assert all(later >= earlier - 1e-9 for earlier, later in itertools.pairwise(powers))


def test_hopeless() -> None:
    tiny = Estimate(0.001, Part(1 / math.sqrt(5), 4))
    assert more_pairs(tiny, 5, margin=0.0, alpha=0.05, looks=ONCE) is None
    assert more_pairs(Estimate(0.0, Part(0.0, 4)), 5, margin=0.0, alpha=0.05, looks=ONCE) is None
    # More seeds do not shrink what the examples add.
    assert more_pairs(Estimate(1.0, Part(1.0, 4), Part(1.0, 99)), 5, margin=0, alpha=0.05, looks=ONCE) is None
    assert more_pairs(Estimate(1.0, Part(1.0, 4), Part(0.1, 99)), 5, margin=0, alpha=0.05, looks=ONCE) is not None
    assert more_pairs(Estimate(0.4, Part(1 / math.sqrt(5), 4)), 5, margin=0, alpha=0.05, looks=EverySeed(10)) is None
    assert more_pairs(Estimate(3.0, Part(1 / math.sqrt(3), 2)), 3, margin=0, alpha=0.05, looks=EverySeed(3)) is None


def test_differences_without_spread_wait_for_the_sign_test() -> None:
    assert more_pairs(Estimate(0.1, Part(0.0, 2)), 3, margin=0.0, alpha=0.05, looks=ONCE) == 3
