"""How many more seeds would decide: power at the observed difference."""

from __future__ import annotations

import math

from scipy.special import nctdtr, stdtr

from paribus.analysis.intervals import Estimate, Pivot
from paribus.analysis.looks import MIN_PAIRS, Looks

POWER = 0.8
"""The chance of a decision that a planned number of seeds should give."""

HORIZON = 1000
"""More further seeds than this are called hopeless."""


def difference_power(difference: float, estimate_at_n: Estimate, level: float) -> float:
    r"""Return the chance that a two-sided test at *level* finds a true *difference*.

    .. math:: P\big(|T'_{df}(\delta / se)| > h / se\big), \quad h = \text{half-width of the interval}

    with T' the non-central t. Source: Johnson, Kotz and Balakrishnan (1995), "Continuous Univariate Distributions 2",
    ch. 31.
    """
    pivot = estimate_at_n.pivots[-1]
    if pivot.se == 0:
        return float(difference != 0)
    threshold, shift = estimate_at_n.half_width(level) / pivot.se, abs(difference) / pivot.se
    if shift > threshold + 30:  # certain, and beyond what the series for the non-central t can sum
        return 1.0
    return 1.0 - float(nctdtr(pivot.df, shift, threshold)) + float(nctdtr(pivot.df, shift, -threshold))


def equivalence_power(difference: float, estimate_at_n: Estimate, level: float, margin: float) -> float:
    r"""Return about the chance that TOST at *level* finds a true *difference* to lie within the margin.

    .. math:: F_{df}\Big(\frac{m - \delta - h}{se}\Big) + F_{df}\Big(\frac{m + \delta - h}{se}\Big) - 1

    Source: Julious (2004), "Sample sizes for clinical trials with normal data", Statist. Med. 23, eq. 17.
    """
    pivot = estimate_at_n.pivots[-1]
    h = estimate_at_n.half_width(2 * level)
    if pivot.se == 0:
        return float(abs(difference) < margin)
    ends = ((margin - difference - h) / pivot.se, (margin + difference - h) / pivot.se)
    return max(0.0, sum(float(stdtr(pivot.df, end)) for end in ends) - 1)


def projected(estimate: Estimate, n: int, later: int) -> Estimate:
    r"""Return the estimate that *later* pairs should give: more seeds shrink their own part of the error only.

    .. math:: se'^2 = s_{seed}^2\, n / n' + s_{example}^2, \qquad df' = (n' - 1)\, (se' / se'_{seed})^4
    """
    seed_sd = estimate.seed_sd * math.sqrt(n / later)
    pivots = [Pivot(seed_sd, later - 1)]
    if estimate.example_sd > 0:
        se = math.hypot(seed_sd, estimate.example_sd)
        pivots.append(Pivot(se, (later - 1) * (se / seed_sd) ** 4 if seed_sd > 0 else math.inf))
    return Estimate(estimate.difference, tuple(pivots), seed_sd, estimate.example_sd)


def more_pairs(estimate: Estimate, n: int, *, margin: float, alpha: float, looks: Looks) -> int | None:
    """Return about how many more pairs would decide with a chance of 0.8, were the observed difference the true one.

    Both decisions count: that there is a difference and, with a margin, that it is too small to matter. None where
    1000 more would not do, or where a sequential study would pass its planned maximum. A rough guide: it takes the
    observed difference and spread at their word.
    """
    for later in range(max(n + 1, MIN_PAIRS), n + HORIZON + 1):
        if looks.last is not None and later > looks.last:
            return None
        then = projected(estimate, n, later)
        if difference_power(estimate.difference, then, looks.level(alpha, later, 2)) >= POWER:
            return later - n
        if equivalence_power(estimate.difference, then, looks.level(alpha, later, 1), margin) >= POWER:
            return later - n
    return None
