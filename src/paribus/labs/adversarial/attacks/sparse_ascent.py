"""Auto-PGD in L1: sparse steps whose sparsity and length adapt (Croce and Hein 2021, "Mind the box", section 3)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from paribus.labs.adversarial.attacks.bounds import Ball, ascent, rows
from paribus.labs.adversarial.attacks.search import Objective, Runs, Search, without_done

PHASES = ((3.0, 0.3), (2.0, 0.3), (1.0, 0.4))
"""The radius in each phase as a multiple of eps, and the phase's share of the steps."""
KEPT = 0.2
"""The share of the entries that the first steps change."""
LOOK = 0.04
"""Looks are after so large a share of a phase's steps each, at least one step."""
LESS = 1.5
"""A look divides by it: the share of changed entries for the next share, and the step where that share is steady."""
STEADY = 0.95
"""The share is steady where the best point changes at least so much of the entries that it changed at the last look."""
LEAST = 0.1
"""The shortest step as a share of the radius."""


@dataclass(eq=False)
class _Run:
    """What the climb knows of each of its rows; a row whose image is done with is taken out of every field."""

    row: Tensor
    which: Tensor
    points: Tensor
    slope: Tensor
    best: Tensor
    best_slope: Tensor
    best_loss: Tensor
    step: Tensor
    kept: Tensor
    changed: Tensor


def ascend_sparsely(
    search: Search,
    whole: Ball,
    objective: Objective,
    runs: Runs,
    noise: Tensor,
    steps: int,
) -> None:
    """Climb, each of the *runs* once from its *noise* (a row for each of theirs), until broken or *steps* are done.

    x <- P(x + step * u / ||u||_1), u the sign of the gradient at the share *kept* of its largest entries and 0
    elsewhere, P the projection on the ball within [0, 1]. At each look *kept* becomes the share of the entries in which
    the best point so far differs from the image, over 1.5. Where that share is steady, the step is divided by 1.5, to a
    tenth of the radius at least; where it has fallen, the step is the radius again and x goes back to the best point.
    The first phases, in balls of 3 eps and 2 eps, only find a start for the next; what they pass does not count.
    """
    which = runs.which
    ball = _wider(whole.take(which), PHASES[0][0])
    points, left = ball.project(ball.centre + noise), steps
    for factor, share in PHASES:
        ball = _wider(whole.take(which), factor)
        last = factor == PHASES[-1][0]
        here = left if last else round(share * steps)
        points = _climb(search, ball, objective, which, ball.project(points), here, last=last)
        left -= here


def _climb(
    search: Search,
    ball: Ball,
    objective: Objective,
    which: Tensor,
    points: Tensor,
    steps: int,
    *,
    last: bool,
) -> Tensor:
    """Return the best points of *steps* steps within *ball*; in the *last* phase what breaks an image counts."""

    row = torch.arange(len(which), device=which.device)

    def looked() -> tuple[Tensor, Tensor, Tensor]:
        return search.gradient(points, which, lambda found: objective(found, row))

    logits, loss, slope = looked()
    full = torch.full_like(loss, ball.eps)
    run = _Run(row, which, points, slope, points, slope, loss, full, torch.full_like(loss, KEPT),
               torch.full_like(loss, points[0].numel()))  # fmt: skip
    if last:
        search.offer(points, logits, which)
        ball = without_done(search, run, ball)
    every = max(1, int(LOOK * steps))
    for step in range(1, steps + 1):
        row, which = run.row, run.which
        if len(which) == 0:
            break
        points = ball.project(run.points + rows(run.step) * ascent(run.slope, "l1", kept=run.kept))
        if last and step == steps:  # nothing is climbed from here: the answer is enough
            search.offer(points, search.logits(points, which), which)
            break
        logits, loss, run.slope = looked()
        run.points, better = points, loss > run.best_loss
        run.best = torch.where(rows(better), points, run.best)
        run.best_slope = torch.where(rows(better), run.slope, run.best_slope)
        run.best_loss = torch.where(better, loss, run.best_loss)
        if last:
            search.offer(points, logits, which)
            ball = without_done(search, run, ball)
        if step % every == 0:
            _adapt(run, ball)
    return run.best


def _adapt(run: _Run, ball: Ball) -> None:
    differs = (run.best != ball.centre).flatten(1)
    changed = differs.sum(dim=1).to(run.changed.dtype)
    steady = changed >= STEADY * run.changed
    run.kept = changed / differs.shape[1] / LESS
    run.step = torch.where(steady, (run.step / LESS).clamp_min(LEAST * ball.eps), ball.eps)
    run.points = torch.where(rows(steady), run.points, run.best)
    run.slope = torch.where(rows(steady), run.slope, run.best_slope)
    run.changed = changed


def _wider(ball: Ball, factor: float) -> Ball:
    return replace(ball, eps=factor * ball.eps, radius=factor * ball.radius)
