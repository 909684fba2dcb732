"""Intervals of a mean difference: Student's t over seeds, Welch's t, and a crossed seeds x examples model.

Each gives an :class:`Estimate`: the difference and one or more pivots, (difference - truth) / se ~ t(df). Where there
are several, every statement is the most cautious of theirs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Pivot:
    """A standard error with its degrees of freedom.

    Without any spread (``se`` = 0, differences all alike) Student's t has nothing to say. The pivot then takes the
    p-value of the sign-flip test, 2^-(df + 1) on one side.
    """

    se: float
    df: float

    def tail(self, distance: float) -> float:
        """Return P(T >= distance / se), the one-sided p-value of a truth that lies *distance* below the estimate."""
        if self.se == 0:
            return 2.0 ** -(self.df + 1) if distance > 0 else 1.0
        return float(stdtr(self.df, -distance / self.se))

    def half_width(self, level: float) -> float:
        """Return half the width of the two-sided 1 - *level* interval: se * t(1 - level / 2, df)."""
        return 0.0 if self.se == 0 else self.se * -float(stdtrit(self.df, level / 2))


@dataclass(frozen=True)
class Estimate:
    """A difference, its pivots, and what seeds and examples contribute to its standard error."""

    difference: float
    pivots: tuple[Pivot, ...]
    seed_sd: float
    example_sd: float = math.nan
    method: str = "paired t"

    @property
    def identical(self) -> bool:
        """Whether the two sides gave the same everywhere."""
        return self.difference == 0 and all(pivot.se == 0 for pivot in self.pivots)

    def two_sided(self) -> float:
        """Return the two-sided p-value of a true difference of zero."""
        return min(1.0, 2 * max(pivot.tail(abs(self.difference)) for pivot in self.pivots))

    def outside(self, margin: float) -> float:
        """Return the p-value of |truth| >= margin: two one-sided tests, TOST.

        Source: Schuirmann (1987), "A comparison of the two one-sided tests procedure and the power approach for
        assessing the equivalence of average bioavailability", J. Pharmacokinet. Biopharm. 15.
        """
        if self.identical and margin > 0:
            return 0.0
        nearer = margin - abs(self.difference)
        return max(pivot.tail(nearer) for pivot in self.pivots)

    def half_width(self, level: float) -> float:
        """Return half the width of the two-sided 1 - *level* interval."""
        return max(pivot.half_width(level) for pivot in self.pivots)


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
    sd = float(differences.std(ddof=1))
    noise = rounding(control, treated)
    se = sd / math.sqrt(n) if sd > noise else 0.0
    mean = float(differences.mean())
    return Estimate(mean if se > 0 or abs(mean) > noise else 0.0, (Pivot(se, n - 1),), se)


def welch(control: Floats, treated: Floats) -> Estimate:
    r"""Welch's t for scores that do not share seeds.

    .. math:: se^2 = s_c^2/n_c + s_t^2/n_t, \quad
              df = se^4 \Big/ \left(\frac{(s_c^2/n_c)^2}{n_c-1} + \frac{(s_t^2/n_t)^2}{n_t-1}\right)

    Source: Welch (1947), "The generalization of Student's problem", Biometrika 34.
    """
    noise = rounding(control, treated)
    parts = [(0.0 if (sd := float(x.std(ddof=1))) <= noise else sd**2 / len(x), len(x) - 1) for x in (control, treated)]
    variance = sum(part for part, _ in parts)
    mean = float(treated.mean() - control.mean())
    if variance == 0:
        mean = mean if abs(mean) > noise else 0.0
        return Estimate(mean, (Pivot(0.0, min(df for _, df in parts)),), 0.0, method="Welch t")
    df = variance**2 / sum(part**2 / df for part, df in parts)
    return Estimate(mean, (Pivot(math.sqrt(variance), df),), math.sqrt(variance), method="Welch t")


@dataclass(frozen=True)
class MeanSquares:
    """The analysis of variance of d[seed, example], a crossed two-way layout with one observation a cell."""

    mean: float
    seeds: int
    examples: int
    seed: float
    example: float
    residual: float

    @classmethod
    def of(cls, d: NDArray[np.number]) -> MeanSquares:
        """Compute them from d of shape (S, E), S >= 2, E >= 2."""
        S, E = d.shape
        rows, columns, mean = d.mean(1, dtype=float), d.mean(0, dtype=float), float(d.mean(dtype=float))
        seed_ss = E * float(((rows - mean) ** 2).sum())
        example_ss = S * float(((columns - mean) ** 2).sum())
        total_ss = float(np.square(d, dtype=np.float64).sum()) - S * E * mean**2
        residual_ss = max(0.0, total_ss - seed_ss - example_ss)
        return cls(mean, S, E, seed_ss / (S - 1), example_ss / (E - 1), residual_ss / ((S - 1) * (E - 1)))

    @property
    def variance(self) -> float:
        """Var(D) for new seeds and new examples; may come out below that for new seeds alone."""
        return (self.seed + self.example - self.residual) / (self.seeds * self.examples)

    @property
    def satterthwaite(self) -> float:
        """Degrees of freedom of :attr:`variance`."""
        S, E = self.seeds, self.examples
        spread = self.seed**2 / (S - 1) + self.example**2 / (E - 1) + self.residual**2 / ((S - 1) * (E - 1))
        return (self.seed + self.example - self.residual) ** 2 / spread


def crossed(d: NDArray[np.number]) -> Estimate:
    r"""Interval of the mean of d[seed, example], for new seeds and new examples.

    The model is d = mu + a_seed + b_example + e with random a and b. With mean squares MS,

    .. math:: \widehat{\mathrm{var}}(D) = \frac{MS_{seed} + MS_{example} - MS_{residual}}{S E}, \quad
              df = \frac{(MS_{seed} + MS_{example} - MS_{residual})^2}
                   {\frac{MS_{seed}^2}{S-1} + \frac{MS_{example}^2}{E-1} + \frac{MS_{residual}^2}{(S-1)(E-1)}}

    The interval is never narrower than that for new seeds alone (var = MS_seed / (S E), df = S - 1), since
    the estimate of the examples' part may be negative and Satterthwaite's degrees of freedom too many.

    Args:
        d: (S, E) difference of the outcomes treated - control on each example, in {-1, 0, 1}.

    Source: Searle, Casella and McCulloch (1992), "Variance Components", ch. 4; Satterthwaite (1946), "An approximate
    distribution of estimates of variance components", Biometrics Bulletin 2.
    """
    ms = MeanSquares.of(d)
    cells = ms.seeds * ms.examples
    seed_variance = ms.seed / cells if ms.seed > 1e-20 else 0.0
    example_variance = max(0.0, ms.example - ms.residual) / cells
    pivots = [Pivot(math.sqrt(seed_variance), ms.seeds - 1)]
    if example_variance > 0:
        pivots.append(Pivot(math.sqrt(ms.variance), ms.satterthwaite))
    return Estimate(ms.mean, tuple(pivots), math.sqrt(seed_variance), math.sqrt(example_variance), "crossed t")
