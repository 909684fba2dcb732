"""What each change of a full experiment contributes: full minus the same without it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from paribus.analysis.judge import judge_pairs
from paribus.analysis.pairs import Generalise
from paribus.analysis.scores import ArmScores
from paribus.analysis.verdict import Direction, Verdict


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """The effect of one change on top of all the others."""

    change: str
    without: str
    """The experiment that leaves the change out, the control of the verdict."""
    verdict: Verdict
    """The full experiment against the one without the change: ``better`` says that the change helps."""


def ablate(
    full: ArmScores,
    without: Mapping[str, ArmScores],
    *,
    direction: Direction,
    margin: float,
    alpha: float,
    max_n: int | None = None,
    generalise: Generalise = "auto",
) -> tuple[Contribution, ...]:
    """Return what each change contributes, largest effect in the metric's direction first, unknown ones last.

    Args:
        full: scores of the experiment with all changes.
        without: change -> scores of the experiment that leaves only this change out.

    The other arguments are those of :func:`paribus.analysis.judge.judge`; Holm's adjustment counts the changes.
    """
    verdicts = judge_pairs(
        [(arm, full) for arm in without.values()],
        direction=direction,
        margin=margin,
        alpha=alpha,
        max_n=max_n,
        generalise=generalise,
    )
    contributions = [
        Contribution(change=change, without=arm.name, verdict=dataclasses.replace(verdict, name=change))
        for (change, arm), verdict in zip(without.items(), verdicts, strict=True)
    ]
    sign = 1 if direction == "max" else -1
    known = [row for row in contributions if row.verdict.n > 0]
    unknown = [row for row in contributions if row.verdict.n == 0]
    return (*sorted(known, key=lambda row: -sign * row.verdict.difference), *unknown)
