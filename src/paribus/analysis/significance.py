"""Findings that do not rest on a law of the scores, and the adjustment for many arms."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from paribus.spec.seed import Streams

Floats = NDArray[np.float64]

EXACT_PAIRS = 16
"""Up to 2^16 sign patterns are all visited; beyond, ``RESAMPLES`` are drawn."""

RESAMPLES = 20_000


def sign_flip(differences: Floats) -> float:
    r"""Two-sided paired permutation test: under the null hypothesis each difference could have had either sign.

    .. math:: p = \#\{\epsilon \in \{-1, 1\}^n : |\sum \epsilon_i d_i| \ge |\sum d_i|\} / 2^n

    Exact for n <= 16; beyond, p = (b + 1) / (B + 1) over B = 20,000 sign patterns from a named stream. It cannot go
    below 2^(1 - n): 0.25 at n = 3.

    Source: Fisher (1935), "The Design of Experiments", section 21.
    """
    n = len(differences)
    if n <= EXACT_PAIRS:
        # The first sign may stay: a pattern and its mirror image give the same |sum|.
        bits = np.arange(2 ** (n - 1))[:, None] >> np.arange(n)
        sums = (1.0 - 2.0 * (bits & 1)) @ differences
    else:
        signs = Streams(n).generator("sign-flip").integers(0, 2, (RESAMPLES, n), dtype=np.int8)
        sums = (1.0 - 2.0 * signs) @ differences
    return _share_as_large(sums, float(differences.sum()), exact=n <= EXACT_PAIRS)


def label_permutation(control: Floats, treated: Floats) -> float:
    """Two-sided permutation test of the difference of means for scores that share no seeds.

    p = (b + 1) / (B + 1) over B = 20,000 random relabellings from a named stream.
    """
    n = len(treated)
    pooled = np.concatenate([treated, control])
    order = Streams(len(pooled)).generator("labels").random((RESAMPLES, len(pooled))).argsort(1)
    means = pooled[order[:, :n]].mean(1) - pooled[order[:, n:]].mean(1)
    return _share_as_large(means, float(treated.mean() - control.mean()), exact=False)


def _share_as_large(null: Floats, observed: float, *, exact: bool) -> float:
    # Sums in another order differ in the last digits; equal values must still count as equal.
    tolerance = 1e-9 * max(abs(observed), float(np.abs(null).max()))
    as_large = int((np.abs(null) >= abs(observed) - tolerance).sum())
    return as_large / len(null) if exact else (as_large + 1) / (len(null) + 1)


def holm(p_values: Sequence[float]) -> list[float]:
    r"""Adjust p-values so that the chance of any false rejection is at most alpha, whatever their dependence.

    .. math:: \tilde p_{(i)} = \max_{j \le i} \min(1, (m - j + 1)\, p_{(j)})

    A missing p-value (NaN) counts as a test that cannot reject, and stays NaN.

    Source: Holm (1979), "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6.
    """
    filled = [1.0 if math.isnan(p) else p for p in p_values]
    adjusted = [math.nan] * len(filled)
    running = 0.0
    for rank, index in enumerate(sorted(range(len(filled)), key=filled.__getitem__)):
        running = max(running, min(1.0, (len(filled) - rank) * filled[index]))
        adjusted[index] = math.nan if math.isnan(p_values[index]) else running
    return adjusted


def all_against_none(seeds: int) -> float:
    r"""Bound on the chance that one side diverges on all *seeds* and the other on none, were both alike.

    .. math:: p^n (1 - p)^n \le 4^{-n}

    It does not grow with the number of looks: who diverged on all of n seeds had done so on all of the first.
    """
    return 4.0**-seeds


def more_divergences(arm_only: int, control_only: int) -> float:
    r"""One-sided exact McNemar test that the arm diverges more often than its control.

    .. math:: p = P(X \ge b), \quad X \sim \mathrm{Binomial}(b + c, 1/2)

    Args:
        arm_only, control_only: b and c, the paired seeds in which only that one diverged.

    Source: McNemar (1947), "Note on the sampling error of the difference between correlated proportions",
    Psychometrika 12.
    """
    # P(X >= b) = P(X <= c) by symmetry.
    return float(bdtr(control_only, arm_only + control_only, 0.5)) if arm_only else 1.0
