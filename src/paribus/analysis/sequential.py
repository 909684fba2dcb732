"""A comparison that may be looked at after every seed."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from paribus.analysis.comparison import Comparison, compare_under
from paribus.analysis.looks import EverySeed
from paribus.analysis.pairs import scores_of
from paribus.errors import ConfigError, DataError
from paribus.spec.study import check_design


class Sequential:
    """Scores paired by seed that come in one by one; its rates of error hold however often one looks.

    Its intervals hold together over all looks and its p-values may be read at any of them (see
    :mod:`paribus.analysis.looks`). Higher scores are better.

    Args:
        margin: the smallest difference that matters; zero never says ``equivalent``.
        alpha: rate of false verdicts over all looks together, in [0.0001, 0.5).
        max_n: the planned maximum of seeds, 3 or more; further scores are refused.

    >>> sequential = Sequential(margin=0.0, alpha=0.05, max_n=30)
    >>> sequential.update([0.90, 0.91, 0.89], [0.93, 0.95, 0.91]).verdict
    'undecided'
    >>> sequential.update([0.92, 0.90], [0.95, 0.94]).n
    5
    """

    def __init__(self, margin: float = 0.0, alpha: float = 0.05, max_n: int = 30) -> None:
        check_design(margin, alpha)
        self.margin, self.alpha, self._looks = margin, alpha, EverySeed(max_n)
        self._control = self._treated = np.empty(0)

    @property
    def n(self) -> int:
        """Pairs seen so far."""
        return len(self._control)

    def update(self, control: ArrayLike, treated: ArrayLike) -> Comparison:
        """Take one more score of each arm, or vectors of several, and compare all seen so far."""
        c, t = scores_of(control, "control"), scores_of(treated, "treated")
        if len(c) != len(t):
            raise DataError(f"{len(c)} control and {len(t)} treated scores cannot be paired by seed")
        if self.n + len(c) > self._looks.max_n:
            raise ConfigError(
                f"the study was planned for at most {self._looks.max_n} seeds; plan a new one on new seeds"
            )
        self._control, self._treated = np.append(self._control, c), np.append(self._treated, t)
        return compare_under(self._looks, self._control, self._treated, margin=self.margin, alpha=self.alpha)
