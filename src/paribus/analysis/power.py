"""How many more seeds would decide: power at the observed difference."""

from __future__ import annotations

import bisect
import math
from dataclasses import replace

from scipy.special import nctdtr, stdtr

from paribus.analysis.intervals import Estimate, Part
from paribus.analysis.looks import MIN_PAIRS, Looks

POWER = 0.8
"""The chance of a decision that a planned number of seeds should give."""

HORIZON = 1000
"""More further seeds than this are called hopeless."""


def difference_power(then: Estimate, level: float) -> float:
    r"""Return the chance that a two-sided test at *level* finds the difference with its sign, were it the true one.

    .. math:: P\big(T'_{df}(|\delta| / se) > h / se\big), \quad h = \text{half-width of the interval}

    with T' the non-central t. Source: Johnson, Kotz and Balakrishnan (1995), "Continuous Univariate Distributions 2",
    ch. 31.
    """
    if then.seed.se == 0:
        return float(then.two_sided() <= level)
    se, df = _whole(then)
    return 1.0 - float(nctdtr(df, abs(then.difference) / se, then.half_width(level) / se))


def equivalence_power(then: Estimate, level: float, margin: float) -> float:
    r"""Return about the chance that TOST at *level* finds the difference to lie within the margin.

    .. math:: F_{df}\Big(\frac{m - \delta - h}{se}\Big) + F_{df}\Big(\frac{m + \delta - h}{se}\Big) - 1

    with h the half-width at level 2 alpha. Source: Julious (2004), "Sample sizes for clinical trials with normal data",
    Statist. Med. 23.
    """
    if then.seed.se == 0:
        return float(then.outside(margin) <= level)
    se, df = _whole(then)
    room = margin - then.half_width(2 * level)
    return max(0.0, sum(float(stdtr(df, (room + side * then.difference) / se)) for side in (-1, 1)) - 1)


def projected(estimate: Estimate, n: int, later: int) -> Estimate:
    """Return the estimate that *later* pairs should give: more seeds shrink the seeds' part of the error only."""
    seed = Part(estimate.seed.se * math.sqrt(n / later), later - 1)
    return replace(estimate, seed=seed)


def _whole(estimate: Estimate) -> tuple[float, float]:
    """Return the standard error of both parts together and its degrees of freedom, by Welch and Satterthwaite."""
    parts = [part for part in (estimate.seed, estimate.example) if part is not None and part.se > 0]
    variance = sum(part.se**2 for part in parts)
    return math.sqrt(variance), variance**2 / sum(part.se**4 / part.df for part in parts)


def chance(estimate: Estimate, n: int, later: int, *, margin: float, alpha: float, looks: Looks) -> float:
    """Return about the chance that a look at *later* pairs decides, were the difference as observed over *n*.

    Both decisions count: that there is a difference and, with a margin, that it is too small to matter.
    """
    then = projected(estimate, n, later)
    different = difference_power(then, looks.level(alpha, later, 2))
    return max(different, equivalence_power(then, looks.level(alpha, later, 1), margin))


def more_pairs(
    estimate: Estimate, n: int, *, margin: float, alpha: float, looks: Looks, most: int | None = None
) -> int | None:
    """Return about how many more pairs would decide with a chance of 0.8, were the observed difference the true one.

    None where 1000 more would not do, or where a sequential study would pass its planned maximum. A rough guide: it
    takes the observed difference and spread at their word.

    Args:
        most: the most pairs that there can be; by default the planned maximum.
    """

    def decides(later: int) -> bool:
        return chance(estimate, n, later, margin=margin, alpha=alpha, looks=looks) >= POWER

    last = min(n + HORIZON, most or looks.last or n + HORIZON)
    candidates = range(max(n + 1, MIN_PAIRS), last + 1)
    if not candidates or not decides(last):
        return None
    return candidates[bisect.bisect_left(candidates, True, key=decides)] - n
