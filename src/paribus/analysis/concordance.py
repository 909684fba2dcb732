"""Whether several judges rank the same things alike, and how much of that is chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from paribus.analysis.significance import holm
from paribus.analysis.verdict import Direction
from paribus.spec.seed import Streams

Floats = NDArray[np.float64]
Scores = Mapping[str, Mapping[str, Mapping[int, float]]]
"""What is ranked -> metric -> seed -> value."""

LEAST = 3
"""Of fewer things an order says nothing."""
RESAMPLES = 2000
CHANCE = 20_000
"""Panels of judges that rank at random."""


@dataclass(frozen=True, kw_only=True)
class Concordance:
    """How alike the judges of one measure rank."""

    measure: str
    judges: tuple[str, ...]
    """The metrics, one a judge."""
    order: tuple[str, ...]
    """What is ranked, the best by all judges together first."""
    w: float
    """Kendall's coefficient: 1 where all judges rank alike, 0 where their ranks cancel out."""
    low: float
    high: float
    """What 1 - alpha of the resamples of the seeds have; at few seeds too narrow."""
    p_value: float
    """The chance of a coefficient at least this large where every judge ranks at random."""
    adjusted_p: float
    """The same, adjusted for the number of measures after Holm."""
    seeds: tuple[int, ...]
    """Those in which every judge has a value of all that is ranked; their means are ranked."""
    left_out: tuple[str, ...] = ()
    """What some judge has no value of in any seed, and so is not ranked."""


def concordances(
    scores: Scores, judges: Mapping[str, Sequence[str]], *, direction: Direction, alpha: float = 0.05
) -> tuple[Concordance, ...]:
    r"""Return for each measure how alike its judges rank what *scores* are of, by means over the shared seeds.

    .. math:: W = \frac{12 S}{m^2 (n^3 - n) - m \sum_j T_j}, \qquad T_j = \sum_{\text{ties of } t} (t^3 - t)

    for m judges of n things, S the sum of squared deviations of the things' sums of ranks from their mean; what ties
    has the mean of its ranks. The interval comes from resampling seeds, the p-value from m permutations drawn at
    random; it cannot go below 1 / 20,001.

    Args:
        scores: what is ranked -> metric -> seed -> value.
        judges: measure -> the metrics of *scores* that take it.
        direction: whether more or less is better, by every judge.
        alpha: 1 - alpha is the level of the intervals.

    Returns:
        One a measure, in the order of *judges*. What a judge has no value of is left out of it; a measure with fewer
        than three things left, or with no seed that all of them share, is left out of the answer.

    Source: Kendall and Babington Smith (1939), "The problem of m rankings", Ann. Math. Statist. 10.
    """
    found = [
        one for measure, own in judges.items() if (one := _concordance(measure, scores, tuple(own), direction, alpha))
    ]
    adjusted = holm([one.p_value for one in found])
    return tuple(replace(one, adjusted_p=p) for one, p in zip(found, adjusted, strict=True))


def _concordance(
    measure: str, scores: Scores, judges: tuple[str, ...], direction: Direction, alpha: float
) -> Concordance | None:
    ranked = {name: own for name, own in scores.items() if all(own.get(judge) for judge in judges)}
    if len(ranked) < LEAST:
        return None
    seeds = sorted(set.intersection(*(set(own[judge]) for own in ranked.values() for judge in judges)))
    if not seeds:
        return None
    sign = -1.0 if direction == "max" else 1.0
    values = sign * np.array([[[own[judge][seed] for seed in seeds] for own in ranked.values()] for judge in judges])
    ranks = rankdata(values.mean(axis=2), axis=1)  # (judges, things), from values (judges, things, seeds)
    drawn = Streams(len(seeds)).generator("concordance/seeds").integers(0, len(seeds), (RESAMPLES, len(seeds)))
    resampled = np.moveaxis(values[:, :, drawn].mean(axis=3), 2, 0)  # (resamples, judges, things)
    low, high = np.quantile(kendall_w(rankdata(resampled, axis=2)), (alpha / 2, 1 - alpha / 2))
    w = float(kendall_w(ranks))
    names = tuple(ranked)
    return Concordance(
        measure=measure,
        judges=judges,
        order=tuple(names[place] for place in np.argsort(ranks.mean(axis=0), kind="stable")),
        w=w,
        low=float(low),
        high=float(high),
        p_value=(p := _by_chance(w, *ranks.shape)),
        adjusted_p=p,
        seeds=tuple(seeds),
        left_out=tuple(name for name in scores if name not in ranked),
    )


def kendall_w(ranks: Floats) -> Floats:
    """Return Kendall's coefficients (...) of *ranks* (..., judges, things); ties have mean ranks, 0 where all ties."""
    judges, things = ranks.shape[-2:]
    sums = ranks.sum(axis=-2)
    alike = (ranks[..., :, None] == ranks[..., None, :]).sum(axis=-1)  # how many tie with each; t of them, t times
    tied = (np.square(alike) - 1.0).sum(axis=(-2, -1))
    largest = np.asarray(judges**2 * (things**3 - things) - judges * tied)
    found = 12 * np.square(sums - sums.mean(axis=-1, keepdims=True)).sum(axis=-1)
    w: Floats = np.divide(found, largest, out=np.zeros_like(largest), where=largest > 0)
    return w


def _by_chance(w: float, judges: int, things: int) -> float:
    generator = Streams(judges * 1000 + things).generator("concordance/chance")
    ranks = generator.random((CHANCE, judges, things)).argsort(axis=2).astype(np.float64)
    sums = ranks.sum(axis=1)
    found = 12 * np.square(sums - sums.mean(axis=1, keepdims=True)).sum(axis=1) / (judges**2 * (things**3 - things))
    return float((1 + (found >= w - 1e-9).sum()) / (1 + CHANCE))
