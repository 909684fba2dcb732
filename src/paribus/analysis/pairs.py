"""Two arms side by side, seed by seed; and how much the pairing gains."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from paribus.analysis import intervals
from paribus.analysis.intervals import Estimate, Floats
from paribus.analysis.looks import MIN_PAIRS
from paribus.analysis.scores import ArmScores
from paribus.errors import DataError

Generalise = Literal["auto", "seeds", "examples"]

NEW_SEEDS = "new seeds on this test set"
NEW_EXAMPLES = "new seeds and new examples"
OTHER_TESTS = "new seeds, each arm on its own test set"


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """The seeds that two arms share, with their scores in the order of the seeds."""

    seeds: tuple[int, ...]
    """Seeds that both arms completed, sorted; none where unpaired."""
    control: Floats
    treated: Floats
    examples: NDArray[np.int8] | None
    """(n, E) outcome treated - control on each test example; None: the verdict is on this test set."""
    shared: int
    """Seeds in which both arms completed or diverged."""
    arm_only: int
    """Of these, seeds in which only the arm diverged."""
    control_only: int
    both: int
    """Seeds in which both diverged."""
    paired: bool = True
    """Whether entry i of both is of one seed; else they are all scores of two arms that share none."""
    one_test: bool = True
    """Whether both arms are tested on the same examples."""

    @property
    def n(self) -> int:
        """How many pairs there are; where unpaired, scores of the smaller side."""
        return min(len(self.control), len(self.treated))

    @property
    def generalises(self) -> str:
        if self.examples is not None:
            return NEW_EXAMPLES
        return NEW_SEEDS if self.one_test else OTHER_TESTS

    @property
    def hopeless(self) -> bool:
        """Whether one side diverged on every shared seed, three or more: more seeds would hardly make a pair."""
        worst = max(self.arm_only, self.control_only) + self.both
        return self.shared >= MIN_PAIRS and worst == self.shared

    def estimate(self) -> Estimate:
        """Return the difference with what is known of its error; needs two pairs."""
        if self.examples is not None:
            return intervals.crossed(self.examples)
        return (intervals.paired if self.paired else intervals.welch)(self.control, self.treated)


def pair(control: ArmScores, arm: ArmScores, generalise: Generalise = "auto", *, or_unpaired: bool = False) -> Pairs:
    """Pair *arm* with *control* by seed; *or_unpaired* keeps all scores of both where they share no seed.

    ``examples`` generalises over test examples too and refuses with :class:`DataError` where an outcome is missing,
    test sets differ or the metric is not the mean of the outcomes; ``auto`` then falls back to ``seeds``.
    """
    seeds = tuple(sorted(control.scores.keys() & arm.scores.keys()))
    examples = None
    if seeds and generalise != "seeds":
        problem = _unfit(control, arm, seeds)
        if problem is None:
            examples = np.stack([arm_row.astype(np.int8) - row for row, arm_row in _outcomes(control, arm, seeds)])
        elif generalise == "examples":
            raise DataError(f"cannot generalise to new examples: {problem}")
    paired = not or_unpaired or bool(control.seeds & arm.seeds)
    of_control, of_arm = (seeds, seeds) if paired else (tuple(control.scores), tuple(arm.scores))
    ended = (set(control.scores) | set(control.diverged)) & (set(arm.scores) | set(arm.diverged))
    return Pairs(
        seeds=seeds,
        control=np.array([control.scores[seed] for seed in of_control], dtype=np.float64),
        treated=np.array([arm.scores[seed] for seed in of_arm], dtype=np.float64),
        examples=examples,
        shared=len(ended),
        arm_only=len(ended & set(arm.diverged) - set(control.diverged)),
        control_only=len(ended & set(control.diverged) - set(arm.diverged)),
        both=len(set(control.diverged) & set(arm.diverged)),
        paired=paired,
        one_test=not arm.other_examples,
    )


def _outcomes(
    control: ArmScores, arm: ArmScores, seeds: tuple[int, ...]
) -> list[tuple[NDArray[np.int8], NDArray[np.int8]]]:
    left, right = control.correct or {}, arm.correct or {}
    return [(left[seed].astype(np.int8), right[seed].astype(np.int8)) for seed in seeds]


def _unfit(control: ArmScores, arm: ArmScores, seeds: tuple[int, ...]) -> str | None:
    """Return why the per-example outcomes cannot be used, or None."""
    if arm.other_examples:
        return f"arm {arm.name!r} is tested on other examples than {control.name!r}"
    sizes = set()
    for side in (control, arm):
        for seed in seeds:
            if side.correct is None or seed not in side.correct:
                return f"arm {side.name!r}, seed {seed} has no per-example outcomes"
            sizes.add(len(side.correct[seed]))
            if not math.isclose(side.correct[seed].mean(), side.scores[seed], rel_tol=1e-5, abs_tol=1e-6):
                return f"arm {side.name!r}, seed {seed}: the metric is not the mean of the per-example outcomes"
    if len(sizes) > 1:
        return f"arms {control.name!r} and {arm.name!r} were tested on sets of different sizes {sorted(sizes)}"
    if min(sizes) < 2:
        return "the test set has fewer than two examples"
    return None


class PairingGain(NamedTuple):
    """How many times pairing by seed cuts the variance of the difference, with its interval."""

    ratio: float
    low: float
    high: float
    correlation: float


def pairing_gain(control: ArrayLike, treated: ArrayLike, *, alpha: float = 0.05) -> PairingGain:
    r"""Measure how well pairing works: the variance of an unpaired difference over that of the paired one.

    .. math:: \frac{s_c^2 + s_t^2}{s_{t-c}^2} = \frac{1 + F}{2}, \qquad F = s_{t+c}^2 / s_{t-c}^2

    F is a ratio of two correlated variances, for which Morgan's and Pitman's interval is exact where the scores are
    bivariate normal, whatever the two arms' variances:

    .. math:: F \left(K \pm \sqrt{K^2 - 1}\right), \quad K = 1 + 2 (1 - r^2)\, t_{1-\alpha/2,\,n-2}^2 / (n - 2)

    with r the correlation of t + c and t - c. One pair of scores of the same seed an entry, three or more.

    Source: Pitman (1939), "A note on normal correlation", Biometrika 31; Morgan (1939), "A test for the significance
    of the difference between the two variances in a sample from a normal bivariate population", Biometrika 31.
    """
    c, t = scores_of(control, "control"), scores_of(treated, "treated")
    if len(c) != len(t) or len(c) < 3:
        raise DataError(f"pairing needs three or more pairs of the same seeds, not {len(c)} and {len(t)} scores")
    total, difference, n = t + c, t - c, len(c)
    if difference.std() <= intervals.rounding(c, t):
        return PairingGain(math.inf, math.nan, math.inf, correlation(c, t))
    F = float(total.var(ddof=1) / difference.var(ddof=1))
    r = correlation(total, difference)
    r = 0.0 if math.isnan(r) else r
    K = 1 + 2 * (1 - r * r) * float(stdtrit(n - 2, 1 - alpha / 2)) ** 2 / (n - 2)
    spread = math.sqrt(K * K - 1)
    return PairingGain((1 + F) / 2, (1 + F * (K - spread)) / 2, (1 + F * (K + spread)) / 2, correlation(c, t))


def correlation(a: Floats, b: Floats) -> float:
    """Return Pearson's correlation; NaN below three values or where one side does not vary."""
    noise = intervals.rounding(a, b)
    if len(a) < 3 or a.std() <= noise or b.std() <= noise:
        return math.nan
    return float(np.corrcoef(a, b)[0, 1])


def scores_of(values: ArrayLike, name: str) -> Floats:
    """Return *values* as a vector of finite scores, or say in one line what is wrong with them."""
    try:
        array = np.atleast_1d(np.asarray(values, dtype=np.float64))
    except (TypeError, ValueError):
        raise DataError(f"{name}: scores are a vector of numbers, one a seed") from None
    if array.ndim != 1:
        raise DataError(f"{name}: scores are a vector, one number a seed, not an array of shape {array.shape}")
    bad = np.flatnonzero(~np.isfinite(array))
    if len(bad):
        raise DataError(f"{name}: score {bad[0]} is {array[bad[0]]}; leave a diverged trial out and count it instead")
    return array
