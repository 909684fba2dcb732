"""Two vectors of scores compared: the rule by which a word is chosen, and ``paribus.compare``."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from paribus.analysis import intervals, power, significance
from paribus.analysis.intervals import Estimate, Floats
from paribus.analysis.looks import MIN_PAIRS, ONCE, Looks
from paribus.analysis.pairs import NEW_SEEDS, correlation, scores_of
from paribus.analysis.verdict import Direction, Word
from paribus.errors import DataError
from paribus.spec.study import check_design


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The difference treated - control (higher is better) with its interval and verdict; NaN where there is none."""

    difference: float
    low: float
    """Lower end of the two-sided 1 - alpha interval."""
    high: float
    p_value: float
    """Two-sided p of no difference."""
    verdict: Word
    n: int
    """Pairs; where unpaired, scores of the smaller side."""
    permutation_p: float
    """Two-sided p of the permutation test; for a single look."""
    sd: float
    """Standard deviation of the differences; where unpaired, of the two sides pooled."""
    correlation: float
    method: str
    generalises: str
    more_seeds: int | None
    """About how many more seeds would decide; 0 when decided, None when 1000 more would not."""
    margin: float
    alpha: float


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What an estimate says under a rule of looking, for one arm alone."""

    low: float
    high: float
    p_value: float
    equivalence_p: float
    """p of a true difference at or beyond the margin."""

    @classmethod
    def of(cls, estimate: Estimate, n: int, *, margin: float, alpha: float, looks: Looks) -> Findings:
        half_width = estimate.half_width(looks.level(alpha, n, 2))
        return cls(
            low=estimate.difference - half_width,
            high=estimate.difference + half_width,
            p_value=looks.adjust(estimate.two_sided(), n, 2),
            equivalence_p=looks.adjust(estimate.outside(margin), n, 1),
        )


def word(difference: float, p_value: float, equivalence_p: float, *, alpha: float, direction: Direction) -> Word:
    """Choose the word: too small to matter comes first, then better or worse, else undecided."""
    if equivalence_p <= alpha:
        return "equivalent"
    if p_value <= alpha:
        return "better" if (difference > 0) == (direction == "max") else "worse"
    return "undecided"


def compare(
    control: ArrayLike, treated: ArrayLike, *, margin: float = 0.0, alpha: float = 0.05, paired: bool = True
) -> Comparison:
    """Compare two vectors of per-seed scores, higher is better, at a number of seeds fixed beforehand.

    Args:
        control, treated: (n,) scores; where *paired*, entry i of both comes from the same seed (Student's t of the
            differences), else the vectors may differ in length (Welch's t).
        margin: the smallest difference that matters; zero never says ``equivalent``.
        alpha: rate of false verdicts, in [0.0001, 0.5).

    Raises:
        DataError: a score is NaN or infinite, or paired vectors differ in length.
        ConfigError: margin or alpha is out of range.

    >>> compare([0.90, 0.91, 0.89, 0.90], [0.93, 0.95, 0.92, 0.94]).verdict
    'better'
    """
    return compare_under(ONCE, control, treated, margin=margin, alpha=alpha, paired=paired)


def compare_under(
    looks: Looks, control: ArrayLike, treated: ArrayLike, *, margin: float, alpha: float, paired: bool = True
) -> Comparison:
    """Compare under a rule of looking; the rest is as in :func:`compare`."""
    check_design(margin, alpha)
    c, t = scores_of(control, "control"), scores_of(treated, "treated")
    if paired and len(c) != len(t):
        raise DataError(
            f"{len(c)} control and {len(t)} treated scores cannot be paired by seed; give one of each a seed, "
            f"or paired=False"
        )
    n = min(len(c), len(t))
    if n == 0:
        raise DataError("no scores to compare; give one of each arm for every seed")
    if n < MIN_PAIRS:
        return Comparison(
            difference=float(t.mean() - c.mean()),
            low=math.nan,
            high=math.nan,
            p_value=math.nan,
            verdict="undecided",
            n=n,
            permutation_p=math.nan,
            sd=_sd(c, t, paired) if n > 1 else math.nan,
            correlation=math.nan,
            method=f"none below {MIN_PAIRS} seeds",
            generalises=NEW_SEEDS,
            more_seeds=MIN_PAIRS - n,
            margin=margin,
            alpha=alpha,
        )
    estimate = intervals.paired(c, t) if paired else intervals.welch(c, t)
    tests = Findings.of(estimate, n, margin=margin, alpha=alpha, looks=looks)
    verdict = word(estimate.difference, tests.p_value, tests.equivalence_p, alpha=alpha, direction="max")
    undecided = verdict == "undecided"
    return Comparison(
        difference=estimate.difference,
        low=tests.low,
        high=tests.high,
        p_value=tests.p_value,
        verdict=verdict,
        n=n,
        permutation_p=significance.sign_flip(t - c) if paired else significance.label_permutation(c, t),
        sd=_sd(c, t, paired),
        correlation=correlation(c, t) if paired else math.nan,
        method=method_name(estimate, looks),
        generalises=NEW_SEEDS,
        more_seeds=power.more_pairs(estimate, n, margin=margin, alpha=alpha, looks=looks) if undecided else 0,
        margin=margin,
        alpha=alpha,
    )


def method_name(estimate: Estimate, looks: Looks) -> str:
    """Return the method in words, with the rule of looking where there is one."""
    return estimate.method if looks.last is None else f"{estimate.method}, group-sequential up to {looks.last} seeds"


def _sd(control: Floats, treated: Floats, paired: bool) -> float:
    if paired:
        return float((treated - control).std(ddof=1))
    squares = sum(float(((x - x.mean()) ** 2).sum()) for x in (control, treated))
    return float(np.sqrt(squares / (len(control) + len(treated) - 2)))
