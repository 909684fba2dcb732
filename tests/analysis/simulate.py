"""Simulated studies with a known truth, and the bounds that a count out of them must keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from paribus.analysis import ArmScores, Verdict, judge
from paribus.analysis.looks import MIN_PAIRS
from paribus.flow import _undecided
from paribus.spec.seed import Streams
from paribus.spec.study import Study

Floats = NDArray[np.float64]
Law = Callable[[np.random.Generator, tuple[int, ...]], Floats]

LAWS: dict[str, Law] = {
    "normal": lambda rng, shape: rng.standard_normal(shape),
    "skewed": lambda rng, shape: rng.exponential(size=shape) - 1,
    "heavy": lambda rng, shape: rng.standard_t(3, shape),
}


def pairs(name: str, law: str, studies: int, n: int, *, effect: float = 0.0) -> tuple[Floats, Floats]:
    """Return control and treated scores (studies, n): a shared part a seed, an own part an arm, and the effect."""
    rng, draw = Streams(20).generator(f"{name}/{law}/{n}/{effect}"), LAWS[law]
    shared = draw(rng, (studies, n))
    return shared + draw(rng, (studies, n)), shared + draw(rng, (studies, n)) + effect


def successes(name: str, studies: int, n: int, rates: tuple[float, float]) -> tuple[Floats, Floats]:
    """Return control and treated scores (studies, n) that are 1 for a success and 0 for none, at the two *rates*."""
    rng = Streams(28).generator(f"{name}/{n}/{rates}")
    control, treated = (rng.random((studies, n)) < rate for rate in rates)
    return control.astype(float), treated.astype(float)


class Watched:
    """A study of normal scores whose arms stop apart: what ``flow`` sees of results, without trials and a store.

    Args:
        scores: (1 + arms, seeds) scores, the control's first, as many seeds as are planned.
    """

    def __init__(self, scores: Floats, *, margin: float, alpha: float) -> None:
        self.control, *self.arms = (
            ArmScores(name=str(i), scores=dict(enumerate(map(float, row)))) for i, row in enumerate(scores)
        )
        self.margin, self.alpha, self.max_n = margin, alpha, scores.shape[1]
        self.counts = {arm.name: MIN_PAIRS for arm in self.arms}
        self.study = Study(name="watched", question="?", control="0", arms=tuple(self.counts), metric="x")
        self.words: dict[str, set[str]] = {arm.name: set() for arm in self.arms}
        """Arm -> every word said of it at any look."""

    def upto(self, counts: Mapping[str, int]) -> Watched:
        return self

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        arms = [arm.on(range(self.counts[arm.name])) for arm in self.arms]
        design = {"margin": self.margin, "alpha": self.alpha, "max_n": self.max_n}
        found = judge(self.control, arms, direction="max", **design)
        for verdict in found:
            self.words[verdict.name].add(verdict.verdict)
        return found

    def run(self) -> set[str]:
        """Look after every seed until all arms are decided or the seeds spent; return the words on all but one."""
        while more := _undecided(self, self.max_n):
            self.counts.update({name: self.counts[name] + 1 for name in more})
        return set().union(*(self.words[arm.name] for arm in self.arms[1:]))


def outcomes(
    rng: np.random.Generator, seeds: int, examples: int, *, seed_sd: float, interaction: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return (S, E) outcomes of two arms that are equally good over all seeds and examples.

    An example is right where difficulty + luck of the seed + noise > 0. With *interaction* in [0, 1] the two arms
    find different examples hard; over the population of examples they stay equal.
    """
    difficulty = rng.normal(1, 2, examples)
    other = 1 + (difficulty - 1) * np.sqrt(1 - interaction**2) + 2 * interaction * rng.standard_normal(examples)
    shared, noise = rng.standard_normal((seeds, 1)), rng.standard_normal((seeds, examples))
    arms = []
    for hard in (difficulty, other):
        luck = seed_sd * (shared + rng.standard_normal((seeds, 1))) / np.sqrt(2)
        arms.append(hard + luck + (noise + rng.standard_normal((seeds, examples))) / np.sqrt(2) > 0)
    return arms[0], arms[1]


def at_most(count: int, studies: int, rate: float) -> bool:
    """Return whether *count* could have come from a rate of *rate* or less: binomial tail above one in a thousand."""
    return float(binom.sf(count - 1, studies, rate)) > 1e-3


def at_least(count: int, studies: int, rate: float) -> bool:
    """Return whether *count* could have come from a rate of *rate* or more."""
    return float(binom.cdf(count, studies, rate)) > 1e-3
