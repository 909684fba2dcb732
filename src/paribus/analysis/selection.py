"""Choosing an arm and judging it without judging on the luck that it was chosen for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from paribus.analysis.looks import MIN_PAIRS
from paribus.analysis.scores import ArmScores
from paribus.analysis.verdict import Direction
from paribus.errors import DataError


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The candidate chosen on a part of the seeds, and the others, on which alone it may be judged."""

    name: str
    means: Mapping[str, float]
    """Candidate -> mean validation score over the seeds of the choice; NaN where a trial of them diverged."""
    chosen_on: tuple[int, ...]
    judged_on: tuple[int, ...]


def first_seeds(max_n: int) -> int:
    """Return how many seeds choose in a study of at most *max_n* that is looked at along the way: about a third.

    They leave three to judge on wherever the plan has four.
    """
    return max(1, min(math.ceil(max_n / 3), max_n - MIN_PAIRS))


def choose(candidates: Sequence[ArmScores], *, direction: Direction, first: int | None = None) -> Choice:
    """Choose the candidate with the best mean validation score on every second seed, or on the first ones.

    The best of several candidates was in part lucky, and its test scores on the same seeds share that luck, for they
    come from the same trained networks. So the seeds that all candidates ran are sorted and split: those at even
    positions (0, 2, ...) choose, those at odd positions judge. Pass ``arm.on(choice.judged_on)`` of the chosen arm and
    of the control to :func:`paribus.analysis.judge.judge`; the rate of false verdicts is then alpha, whatever was
    tried. A candidate that diverged on a seed of the choice loses to any that did not.

    A study that is looked at along the way must choose once: were the choice made anew at each look, each of the arms
    that it falls on would have a chance of a false verdict. So there the seeds below *first* choose and all others
    judge, which :func:`first_seeds` fixes before the study begins; ``EverySeed(max_n - first)`` then holds for the
    looks at the chosen arm.

    Raises:
        DataError: no candidate, fewer than two seeds that all candidates ran, none of them below *first*, or each
            candidate diverged.
    """
    if not candidates:
        raise DataError("no candidates to choose from; give one or more arms with validation scores")
    seeds = sorted(set.intersection(*({*arm.scores, *arm.diverged} for arm in candidates)))
    if len(seeds) < 2:
        raise DataError(
            f"{len(seeds)} seeds that all candidates ran; choosing on one half and judging on the other takes two"
        )
    chosen_on, judged_on = tuple(seeds[0::2]), tuple(seeds[1::2])
    if first is not None:
        chosen_on = tuple(seed for seed in seeds if seed < first)
        judged_on = tuple(seed for seed in seeds if seed >= first)
        if not chosen_on:
            raise DataError(f"no seed below {first} that all candidates ran; such seeds choose")
    means = {
        arm.name: float(np.mean([arm.scores[seed] for seed in chosen_on]))
        if all(seed in arm.scores for seed in chosen_on)
        else math.nan
        for arm in candidates
    }
    sign = 1 if direction == "max" else -1
    complete = [name for name, mean in means.items() if not math.isnan(mean)]
    if not complete:
        raise DataError("every candidate diverged on a seed of the choice; none can be chosen")
    best = max(complete, key=lambda name: sign * means[name])
    return Choice(name=best, means=means, chosen_on=chosen_on, judged_on=judged_on)
