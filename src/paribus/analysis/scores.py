"""The scores of one arm over its seeds: what the analysis takes in."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paribus.errors import ConfigError, DataError


def is_percentage(metric: str) -> bool:
    """Return whether people read *metric* in percent, and its differences in points: an accuracy."""
    return "accuracy" in metric.lower()


def is_share(metric: str, values: Iterable[float]) -> bool:
    """Return whether *metric* is a share from 0 to 1 that people read in percent: an accuracy not in percent yet."""
    return is_percentage(metric) and max((abs(value) for value in values), default=0.0) <= 1.5


def check_margin(metric: str, margin: float, values: Iterable[float]) -> None:
    """Refuse a *margin* that every difference of *metric* is under, for its *values* are shares from 0 to 1.

    Raises:
        ConfigError: the margin is 1 or more; it says what one point is.
    """
    finite = [value for value in values if math.isfinite(value)] if margin >= 1 else []
    if finite and is_share(metric, finite):
        raise ConfigError(
            f"the margin {margin:g} is {100 * margin:g} points, for {metric} is a share: 0.01 is one point"
        )


@dataclass(frozen=True, kw_only=True)
class ArmScores:
    """The final metric of one arm, seed by seed, with the trials that gave none.

    A diverged trial is a finding and a failed one an error; neither has a score, and each is counted. Refuses with
    :class:`DataError` a score that is not finite, a seed with two outcomes and per-example outcomes that are not a
    vector of booleans.
    """

    name: str
    scores: Mapping[int, float]
    """Seed -> final metric, completed trials only."""
    diverged: tuple[int, ...] = ()
    """Seeds whose trial diverged."""
    failed: tuple[int, ...] = ()
    """Seeds whose trial stopped with an error."""
    correct: Mapping[int, NDArray[np.bool_]] | None = None
    """Seed -> (E,) outcome on each test example; the mean of a seed's outcomes is its metric."""
    seconds: float | None = None
    """Mean cost of one trial in seconds."""
    confounded: bool = False
    """Whether the arm differs from its control in more than one declared change."""
    other_examples: bool = False
    """Whether the arm is tested on other examples than its control, whatever their number."""

    def __post_init__(self) -> None:
        for seed, score in self.scores.items():
            if not math.isfinite(score):
                raise DataError(f"arm {self.name!r}, seed {seed}: the score is {score}; a diverged trial has no score")
        outcomes = [*self.scores, *self.diverged, *self.failed]
        if len(set(outcomes)) < len(outcomes):
            twice = next(seed for seed in outcomes if outcomes.count(seed) > 1)
            raise DataError(f"arm {self.name!r}: seed {twice} has more than one outcome; give each seed one trial")
        for seed, correct in (self.correct or {}).items():
            if correct.ndim != 1 or correct.dtype != np.bool_:
                raise DataError(
                    f"arm {self.name!r}, seed {seed}: per-example outcomes are a vector of booleans, "
                    f"not {correct.dtype} of shape {correct.shape}"
                )

    @property
    def seeds(self) -> set[int]:
        """The seeds that were tried, whatever came of them."""
        return {*self.scores, *self.diverged, *self.failed}

    def on(self, seeds: Iterable[int]) -> ArmScores:
        """Return the same arm with only the trials of *seeds*."""
        keep = set(seeds)
        return dataclasses.replace(
            self,
            scores={seed: score for seed, score in self.scores.items() if seed in keep},
            diverged=tuple(seed for seed in self.diverged if seed in keep),
            failed=tuple(seed for seed in self.failed if seed in keep),
            correct=None
            if self.correct is None
            else {seed: outcome for seed, outcome in self.correct.items() if seed in keep},
        )
