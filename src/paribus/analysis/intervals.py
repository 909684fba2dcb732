"""Intervals of a mean difference: Student's t over seeds, Welch's t, and a crossed seeds x examples model.

Each gives an :class:`Estimate`, the difference with the parts of its standard error. One part a source of variance:
seeds always, test examples where their outcomes are known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Part:
    """What one source of variance adds to the standard error, with the degrees of freedom it is known by.

    Without any spread (``se`` = 0, differences all alike) Student's t has nothing to say. There is no interval then,
    and the p-value of no difference is that of the sign-flip test, 2^-(df + 1) on one side.
    """

    se: float
    df: float

    def half_width(self, level: float) -> float:
        """Return half the width of the two-sided 1 - *level* interval, se * t(1 - level / 2, df); NaN for no spread."""
        return math.nan if self.se == 0 else self.se * -float(stdtrit(self.df, level / 2))

    def tail(self, distance: float) -> float:
        """Return P(T >= distance / se)."""
        if self.se == 0:
            return 2.0 ** -(self.df + 1) if distance > 0 else 1.0
        return float(stdtr(self.df, -distance / self.se))


@dataclass(frozen=True)
class Estimate:
    r"""A difference with one or two parts of its error.

    Two independent parts join as their half-widths do,

    .. math:: h(\alpha)^2 = \sum_i \left(t_{1-\alpha/2,\,df_i}\, se_i\right)^2

    which is never narrower than either part alone. Source: Howe (1974), "Approximate confidence limits on the mean
    of X + Y where X and Y are two tabled independent random variables", JASA 69. Satterthwaite's degrees of freedom
    for the sum give intervals narrower by some 2 to 10 per cent, but let up to 7 per cent of A/A studies pass at
    alpha = 0.05 (``bench/power.py``).
    """

    difference: float
    seed: Part
    example: Part | None = None
    method: str = "paired t"
    agree: int = 0
    """Test examples, where both sides gave the same outcome on each of them under each seed; else 0."""

    def half_width(self, level: float) -> float:
        """Return half the width of the two-sided 1 - *level* interval; NaN where the seeds have no spread."""
        if self.example is None:
            return self.seed.half_width(level)
        return math.hypot(self.seed.half_width(level), self.example.half_width(level))

    def tail(self, distance: float) -> float:
        """Return the one-sided p of a truth *distance* below the estimate: half the alpha at which h reaches it."""
        if self.example is None:
            return self.seed.tail(distance)
        if distance <= 0:
            return 1.0 - self.tail(-distance) if distance < 0 else 0.5
        if self.seed.se == 0:
            return max(self.seed.tail(distance), self.example.tail(distance))
        low, high = -700.0, math.log(0.5)
        while high - low > 1e-9:
            middle = (low + high) / 2
            low, high = (middle, high) if self.half_width(2 * math.exp(middle)) > distance else (low, middle)
        return math.exp(high)

    def two_sided(self) -> float:
        """Return the two-sided p-value of a true difference of zero."""
        return min(1.0, 2 * self.tail(abs(self.difference)))

    def outside(self, margin: float) -> float:
        """Return the p-value of |truth| >= margin: two one-sided tests, TOST.

        Source: Schuirmann (1987), "A comparison of the two one-sided tests procedure and the power approach for
        assessing the equivalence of average bioavailability", J. Pharmacokinet. Biopharm. 15.

        Where the seeds have no spread it is 1: scores that tie, as those of success or failure do, leave a rare and
        large difference possible. It is (1 - margin)^E where both sides agree on all E examples, the chance of that
        did they differ on a share *margin* of them.
        """
        if self.agree:
            return max(0.0, 1.0 - margin) ** self.agree
        return 1.0 if self.seed.se == 0 else self.tail(margin - abs(self.difference))


def rounding(*arrays: Floats) -> float:
    """Return a spread that floating point alone can make among numbers of this size."""
    return 1e-12 * max(float(np.abs(array).max(initial=0.0)) for array in arrays)


def paired(control: Floats, treated: Floats) -> Estimate:
    r"""Student's t for paired scores, for new seeds on the same test set.

    .. math:: \bar d \pm t_{1-\alpha/2,\,n-1}\, s_d / \sqrt n

    Args:
        control, treated: (n,) scores, n >= 2, of the same seeds in the same order.

    Source: Student (1908), "The probable error of a mean", Biometrika 6.
    """
    differences = treated - control
    n = len(differences)
    # Subtraction leaves noise of some 1e-16 where all differences are alike; it must not pass for spread.
    sd, mean, noise = float(differences.std(ddof=1)), float(differences.mean()), rounding(control, treated)
    if sd <= noise:
        return Estimate(mean if abs(mean) > noise else 0.0, Part(0.0, n - 1))
    return Estimate(mean, Part(sd / math.sqrt(n), n - 1))


def welch(control: Floats, treated: Floats) -> Estimate:
    r"""Welch's t for scores that do not share seeds.

    .. math:: se^2 = s_c^2/n_c + s_t^2/n_t, \quad
              df = se^4 \Big/ \left(\frac{(s_c^2/n_c)^2}{n_c-1} + \frac{(s_t^2/n_t)^2}{n_t-1}\right)

    Source: Welch (1947), "The generalization of Student's problem", Biometrika 34.
    """
    noise, mean = rounding(control, treated), float(treated.mean() - control.mean())
    parts = [(0.0 if (sd := float(x.std(ddof=1))) <= noise else sd**2 / len(x), len(x) - 1) for x in (control, treated)]
    variance = sum(part for part, _ in parts)
    if variance == 0:
        part = Part(0.0, min(df for _, df in parts))
        return Estimate(mean if abs(mean) > noise else 0.0, part, method="Welch t, unpaired")
    df = variance**2 / sum(part**2 / df for part, df in parts)
    return Estimate(mean, Part(math.sqrt(variance), df), method="Welch t, unpaired")


def crossed(d: NDArray[np.number]) -> Estimate:
    r"""Interval of the mean of d[seed, example], for new seeds and new examples.

    The model is d = mu + a_seed + b_example + e with random a, b and e. With the mean squares of the two-way layout,

    .. math:: \mathrm{var}(D) = \underbrace{\frac{MS_{seed}}{S E}}_{df = S - 1}
              + \underbrace{\frac{\max(0,\, MS_{example} - MS_{residual})}{S E}}_{df = E - 1}

    The first part is the variance for new seeds on this test set, so the interval is never narrower than for these.

    Args:
        d: (S, E) difference of the outcomes treated - control on each example, in {-1, 0, 1}; S >= 2, E >= 2.

    Source: Searle, Casella and McCulloch (1992), "Variance Components", ch. 4.
    """
    S, E = d.shape
    mean, rows, columns = float(d.mean(dtype=float)), d.mean(1, dtype=float), d.mean(0, dtype=float)
    seed_ss = E * float(((rows - mean) ** 2).sum())
    example_ss = S * float(((columns - mean) ** 2).sum())
    residual_ss = float(np.square(d, dtype=np.float64).sum()) - S * E * mean**2 - seed_ss - example_ss
    seed_variance = seed_ss / (S - 1) / (S * E) if np.ptp(rows) > 0 else 0.0
    example_variance = (example_ss / (E - 1) - max(0.0, residual_ss) / ((S - 1) * (E - 1))) / (S * E)
    example = Part(math.sqrt(example_variance), E - 1) if example_variance > 1e-18 else None
    agree = 0 if d.any() else E
    return Estimate(mean, Part(math.sqrt(seed_variance), S - 1), example, method="crossed t", agree=agree)
