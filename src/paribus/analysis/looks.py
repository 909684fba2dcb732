"""What looking early costs: from the p-value of one look to one that holds however often one looks.

A fixed study looks once, and its p-values stand as they are (:data:`ONCE`). A sequential study may look after every
seed up to a planned maximum N. It is a group-sequential design (Jennison and Turnbull 1999, "Group Sequential Methods
with Applications to Clinical Trials", ch. 9, repeated confidence intervals) with bounds on the scale of nominal
p-values that rise in proportion to the share of the seeds in hand: look n rejects where

.. math:: p_n \\le \\pi\\, n / N, \\qquad P_0\\Big(\\min_{3 \\le n \\le N} p_n N / n \\le \\pi\\Big) = \\alpha

The law of the minimum under the null hypothesis does not depend on the variance, for Student's t does not, so it is
simulated once for each N with Gaussian differences, from a named stream. Nominal p-values, not t statistics, carry the
bounds: they mean the same at each n, whatever the degrees of freedom.

The shape was chosen by simulated power (``bench/power.py``): it decides sooner than the anytime-valid t confidence
sequence of Wang and Ramdas (2023, "Anytime-valid t-tests and confidence sequences for Gaussian means with unknown
variance", arXiv:2310.03722), which needs no N, and has more power than equal nominal levels (Pocock 1977).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from paribus.errors import ConfigError
from paribus.spec.seed import Streams

MIN_PAIRS = 3
"""Below three pairs nothing is concluded: two differences leave one degree of freedom."""

PATHS = 200_000
"""Simulated null studies; the standard error of a rate of 0.05 is then 0.0005."""

Sides = Literal[1, 2]


class Looks(Protocol):
    """A rule that relates the nominal p-value of look n to one that holds for the whole study."""

    @property
    def last(self) -> int | None:
        """The number of pairs of the last look that the rule allows for; None where there is no such bound."""
        ...

    def adjust(self, p: float, n: int, sides: Sides) -> float:
        """Return the p-value that holds for the whole study, of nominal *p* on one or two *sides* after *n* pairs."""
        ...

    def level(self, alpha: float, n: int, sides: Sides) -> float:
        """Return the nominal level of look *n* that keeps the whole study at *alpha*; the inverse of ``adjust``."""
        ...


@dataclass(frozen=True)
class Once:
    """One look at a number of seeds fixed beforehand."""

    @property
    def last(self) -> None:
        return None

    def adjust(self, p: float, n: int, sides: Sides) -> float:
        return p

    def level(self, alpha: float, n: int, sides: Sides) -> float:
        return alpha


ONCE = Once()


@dataclass(frozen=True)
class EverySeed:
    """A look after every seed from the third to the planned ``max_n``, or after any of them."""

    max_n: int

    def __post_init__(self) -> None:
        if self.max_n < MIN_PAIRS:
            raise ConfigError(f"a sequential study needs a maximum of at least {MIN_PAIRS} seeds, not {self.max_n}")

    @property
    def last(self) -> int:
        return self.max_n

    def adjust(self, p: float, n: int, sides: Sides) -> float:
        minima = _null_minima(self.max_n)[sides]
        rank = int(np.searchsorted(minima, p / self._share(n), side="left"))
        return min(1.0, (rank + 1) / (len(minima) + 1))

    def level(self, alpha: float, n: int, sides: Sides) -> float:
        minima = _null_minima(self.max_n)[sides]
        rank = int(alpha * (len(minima) + 1)) - 1
        return float(minima[rank]) * self._share(n) if rank >= 0 else 0.0

    def _share(self, n: int) -> float:
        if n > self.max_n:
            raise ConfigError(
                f"{n} pairs, but the study was planned for at most {self.max_n}: its error rate is not known beyond; "
                f"plan a new study on new seeds"
            )
        return n / self.max_n


@lru_cache(maxsize=8)
def _null_minima(max_n: int) -> dict[Sides, NDArray[np.float64]]:
    """Return the sorted minima over looks of p_n N / n under the null hypothesis, for one and for two sides."""
    generator = Streams(0).generator(f"looks/{max_n}")
    n = np.arange(1, max_n + 1)
    late = n >= MIN_PAIRS
    upward, downward = [], []
    for _ in range(0, PATHS, size := 2_000):
        x = generator.standard_normal((size, max_n))
        mean = x.cumsum(1) / n
        variance = (np.square(x).cumsum(1) / n - mean**2)[:, late] / (n[late] - 1)
        t = mean[:, late] / np.sqrt(np.maximum(variance, 1e-300))
        p = stdtr(n[late] - 1, -t)
        upward.append((p * max_n / n[late]).min(1))
        downward.append(((1 - p) * max_n / n[late]).min(1))
    up, down = np.concatenate(upward), np.concatenate(downward)
    # Both directions have the same law: either is a sample of the one-sided minimum.
    return {1: np.sort(np.concatenate([up, down])), 2: np.sort(2 * np.minimum(up, down))}
