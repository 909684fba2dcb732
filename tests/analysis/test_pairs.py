from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest

from paribus.analysis import ArmScores, pairing_gain
from paribus.analysis.pairs import NEW_EXAMPLES, NEW_SEEDS, OTHER_TESTS, pair
from paribus.errors import DataError


def arm(name: str, seeds: range, size: int = 20, shift: float = 0.0) -> ArmScores:
    correct = {s: np.random.default_rng((s, len(name))).random(size) > 0.4 - shift for s in seeds}
    return ArmScores(name=name, scores={s: float(c.mean()) for s, c in correct.items()}, correct=correct)


def test_only_shared_seeds_are_paired_in_order() -> None:
    control = ArmScores(name="c", scores={5: 0.5, 1: 0.1, 3: 0.3}, diverged=(7, 8), failed=(9,))
    other = ArmScores(name="a", scores={3: 0.4, 7: 0.6, 1: 0.2, 9: 0.9}, diverged=(5, 8))
    pairs = pair(control, other)
    assert pairs.seeds == (1, 3)
    assert pairs.control.tolist() == [0.1, 0.3]
    assert pairs.treated.tolist() == [0.2, 0.4]
    assert (pairs.shared, pairs.arm_only, pairs.control_only, pairs.both) == (5, 1, 1, 1)


def test_examples_are_used_where_every_paired_trial_has_them() -> None:
    control, other = arm("c", range(4)), arm("arm", range(1, 5))
    pairs = pair(control, other)
    assert pairs.generalises == NEW_EXAMPLES
    assert pairs.examples is not None
    assert pairs.examples.mean(1) == pytest.approx(pairs.treated - pairs.control)
    assert pair(control, other, "seeds").generalises == NEW_SEEDS


def test_examples_of_another_test_set_are_not_paired() -> None:
    control, other = arm("c", range(4)), dataclasses.replace(arm("arm", range(4)), other_examples=True)
    pairs = pair(control, other)
    assert (pairs.generalises, pairs.examples, pairs.n) == (OTHER_TESTS, None, 4)
    with pytest.raises(DataError, match="'arm' is tested on other examples than 'c'"):
        pair(control, other, "examples")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda a: ArmScores(name="arm", scores=a.scores), "seed 0 has no per-example"),
        (lambda a: ArmScores(name="arm", scores=a.scores, correct={0: a.correct[0]}), "seed 1 has no per-example"),
        (lambda a: ArmScores(name="arm", scores={s: 100 * x for s, x in a.scores.items()}, correct=a.correct), "mean"),
        (lambda a: arm("arm", range(3), size=25), "different sizes"),
    ],
)
def test_outcomes_that_do_not_fit_are_refused_or_passed_over(spoil, message: str) -> None:
    control, other = arm("c", range(3)), spoil(arm("arm", range(3)))
    assert pair(control, other).generalises == NEW_SEEDS
    with pytest.raises(DataError, match=message):
        pair(control, other, "examples")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"scores": {1: math.nan}}, "seed 1: the score is nan"),
        ({"scores": {1: 0.5}, "diverged": (1,)}, "seed 1 has more than one outcome"),
        ({"scores": {1: 0.5}, "correct": {1: np.array([0.0, 1.0])}}, "vector of booleans"),
    ],
)
def test_arms_that_contradict_themselves_are_refused(bad: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        ArmScores(name="a", **bad)


def test_pairing_gain_is_the_ratio_of_variances() -> None:
    rng = np.random.default_rng(4)
    shared = rng.normal(size=40)
    c, t = shared + 0.5 * rng.normal(size=40), shared + 0.5 * rng.normal(size=40)
    gain = pairing_gain(c, t)
    assert gain.ratio == pytest.approx((c.var(ddof=1) + t.var(ddof=1)) / (t - c).var(ddof=1))
    assert gain.correlation == pytest.approx(np.corrcoef(c, t)[0, 1])
    assert gain.low < gain.ratio < gain.high
    assert pairing_gain(7 - 3 * c, 7 - 3 * t) == pytest.approx(gain)
    assert pairing_gain(c, c + 1).ratio == math.inf
    with pytest.raises(DataError):
        pairing_gain(c, t[:30])
