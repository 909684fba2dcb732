"""Auto-PGD: gradient ascent that chooses its own step (Croce and Hein 2020, "Reliable evaluation", section 3)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from paribus.errors import ConfigError
from paribus.labs.adversarial.attacks.bounds import Ball, ascent, rows
from paribus.labs.adversarial.attacks.losses import cross_entropy, difference_of_logits_ratio, targeted_ratio
from paribus.labs.adversarial.attacks.noise import start_noise
from paribus.labs.adversarial.attacks.search import Adversarial, Model, Objective, Runs, Search, without_done
from paribus.labs.adversarial.attacks.sparse_ascent import ascend_sparsely
from paribus.spec.seed import Streams

ALPHA = 0.75
"""The share of the new step against the last one's direction (algorithm 1)."""
RHO = 0.75
"""A step is halved where the loss rose in at most this share of the steps since the last look (condition 1)."""


@dataclass(frozen=True, kw_only=True)
class APGD:
    """Auto-PGD on the cross-entropy (``cross_entropy``) or the difference of logits ratio (``ratio``).

    z = P(x + step * ascent(g)), x <- P(x + 0.75 (z - x) + 0.25 (x - x_before)). The step starts at 2 eps. At looks
    after 22 %, then 19 %, 16 %, ... of the steps, at least 6 %, it is halved, and x goes back to the best so far, where
    the loss rose in at most 75 % of the steps or neither step nor best loss has changed since the last look.
    ``l1`` climbs by sparse steps instead, see :func:`ascend_sparsely`.

    Args:
        norm: ``linf``, ``l2`` or ``l1``.
        eps: the radius, above 0, in pixels of 1.
        steps: gradient steps in each run.
        restarts: runs; the first alone, further ones side by side for the images that none before has broken.
        loss: ``cross_entropy`` or ``ratio``; with a target the cross-entropy of the target is descended.
        precision: of the model, see :mod:`paribus.train.precision`.
    """

    norm: str = "linf"
    eps: float = 8 / 255
    steps: int = 100
    restarts: int = 1
    loss: str = "cross_entropy"
    precision: str = "float32"

    def __post_init__(self) -> None:
        _check(self.norm, self.eps, self.steps)
        if self.loss not in ("cross_entropy", "ratio"):
            raise ConfigError(f"APGD: loss {self.loss!r}; 'cross_entropy' or 'ratio' is expected")

    def __call__(
        self, model: Model, images: Tensor, labels: Tensor, *, streams: Streams, target: Tensor | None = None
    ) -> Adversarial:
        """Attack *images* (B, 3, H, W) with *labels* (B,); draws from ``attack/apgd/restart=R``."""
        search = Search(model, images, labels, norm=self.norm, target=target, precision=self.precision)
        ball = Ball.around(images, self.eps, self.norm)
        loss = cross_entropy if self.loss == "cross_entropy" else difference_of_logits_ratio

        def noise(restart: int) -> Tensor:
            return start_noise(streams, f"attack/apgd/restart={restart}", search.images, self.norm)

        for runs in search.side_by_side(self.restarts):
            goals = (labels if target is None else target)[runs.which]

            def objective(logits: Tensor, rows: Tensor, goals: Tensor = goals) -> Tensor:
                return loss(logits, goals[rows]) if target is None else -cross_entropy(logits, goals[rows])

            ascend(search, ball, objective, runs, runs.rows(noise), self.steps)
        return search.result()


@dataclass(frozen=True, kw_only=True)
class TargetedAPGD:
    """Auto-PGD on the targeted ratio towards each of the classes that come next in turn; any error is a success.

    Args:
        norm: ``linf``, ``l2`` or ``l1``.
        eps: the radius, above 0, in pixels of 1.
        steps: gradient steps towards each class.
        classes: how many classes are tried, the likeliest on the clean image first; the others side by side.
        precision: of the model, see :mod:`paribus.train.precision`.
    """

    norm: str = "linf"
    eps: float = 8 / 255
    steps: int = 100
    classes: int = 9
    precision: str = "float32"

    def __post_init__(self) -> None:
        _check(self.norm, self.eps, self.steps)

    def __call__(
        self, model: Model, images: Tensor, labels: Tensor, *, streams: Streams, target: Tensor | None = None
    ) -> Adversarial:
        """Attack *images* (B, 3, H, W) with *labels* (B,); draws from ``attack/apgd_t/class=K``.

        With a *target* (B,) only that class is tried, and only it is a success.
        """
        search = Search(model, images, labels, norm=self.norm, target=target, precision=self.precision)
        ball = Ball.around(images, self.eps, self.norm)
        rivals = search.rivals

        def noise(run: int) -> Tensor:
            return start_noise(streams, f"attack/apgd_t/class={run + 1}", search.images, self.norm)

        for runs in search.side_by_side(min(self.classes, rivals.shape[1])):
            own, goals = labels[runs.which], runs.rows(lambda run: rivals[:, run])

            def objective(logits: Tensor, rows: Tensor, own: Tensor = own, goals: Tensor = goals) -> Tensor:
                return targeted_ratio(logits, own[rows], goals[rows])

            ascend(search, ball, objective, runs, runs.rows(noise), self.steps)
        return search.result()


def _check(norm: str, eps: float, steps: int) -> None:
    if norm not in ("linf", "l2", "l1"):
        raise ConfigError(f"APGD: norm {norm!r}; 'linf', 'l2' or 'l1' is expected")
    if math.isinf(eps):
        raise ConfigError("APGD: eps is infinite; a finite radius is expected, for steps begin at twice its length")
    if steps < 1:
        raise ConfigError(f"APGD: steps {steps}; at least 1 is expected")


@dataclass(eq=False)
class _Run:
    """What the climb knows of each of its rows; a row whose image is done with is taken out of every field."""

    row: Tensor
    which: Tensor
    points: Tensor
    before: Tensor
    slope: Tensor
    best: Tensor
    best_slope: Tensor
    best_loss: Tensor
    loss: Tensor
    step: Tensor
    rises: Tensor
    loss_at_look: Tensor
    halved: Tensor


def ascend(search: Search, whole: Ball, objective: Objective, runs: Runs, noise: Tensor, steps: int) -> None:
    """Climb, each of the *runs* once from its *noise* (a row for each of theirs), until broken or *steps* are done."""
    if whole.norm == "l1":
        ascend_sparsely(search, whole, objective, runs, noise, steps)
        return
    which = runs.which
    row, ball = torch.arange(len(which), device=which.device), whole.take(which)
    points = ball.start(_on_the_edge(noise, whole.norm))
    logits, loss, slope = search.gradient(points, which, lambda found: objective(found, row))
    run = _Run(row, which, points, points, slope, points, slope, loss, loss, torch.full_like(loss, 2 * whole.eps),
               torch.zeros_like(loss), loss, torch.ones_like(loss, dtype=torch.bool))  # fmt: skip
    search.offer(points, logits, which)
    ball = without_done(search, run, ball)
    look, least, less = max(int(0.22 * steps), 1), max(int(0.06 * steps), 1), max(int(0.03 * steps), 1)
    since = 0
    for step in range(steps):
        if len(run.which) == 0:
            return
        points = ball.project(run.points + rows(run.step) * ascent(run.slope, whole.norm))
        if step > 0:
            points = ball.project(run.points + (points - run.points) * ALPHA + (run.points - run.before) * (1 - ALPHA))
        run.before, run.points = run.points, points
        if step == steps - 1:  # nothing is climbed from here: the answer is enough
            search.offer(points, search.logits(points, run.which), run.which)
            return
        logits, loss, run.slope = search.gradient(points, run.which, lambda found: objective(found, run.row))
        run.rises = run.rises + (loss > run.loss)
        run.loss = loss
        better = loss > run.best_loss
        run.best = torch.where(rows(better), points, run.best)
        run.best_slope = torch.where(rows(better), run.slope, run.best_slope)
        run.best_loss = torch.where(better, loss, run.best_loss)
        search.offer(points, logits, run.which)
        ball = without_done(search, run, ball)
        since += 1
        if since == look:
            _halve(run, look)
            look, since = max(look - less, least), 0


def _on_the_edge(noise: Tensor, norm: str) -> Tensor:
    """Return uniform noise scaled so that its largest entry is 1, as a start for ``linf``; other noise as it is."""
    return noise / rows(noise.abs().flatten(1).amax(dim=1)) if norm == "linf" else noise


def _halve(run: _Run, look: int) -> None:
    halve = (run.rises <= RHO * look) | (~run.halved & (run.loss_at_look >= run.best_loss))
    run.step = torch.where(halve, run.step / 2, run.step)
    run.points = torch.where(rows(halve), run.best, run.points)
    run.slope = torch.where(rows(halve), run.best_slope, run.slope)
    run.halved, run.loss_at_look, run.rises = halve, run.best_loss, torch.zeros_like(run.rises)
