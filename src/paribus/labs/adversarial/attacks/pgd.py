"""Projected gradient ascent with restarts (Madry et al. 2018, "Towards deep learning models resistant", section 2.1).

Without a random start it is the basic iterative method (Kurakin, Goodfellow and Bengio 2017).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from paribus.errors import ConfigError
from paribus.labs.adversarial.attacks.bounds import Ball, ascent, norm_of
from paribus.labs.adversarial.attacks.losses import Loss, cross_entropy, difference_of_logits_ratio, margin
from paribus.labs.adversarial.attacks.noise import start_noise
from paribus.labs.adversarial.attacks.search import Adversarial, Model, Runs, Search
from paribus.spec.seed import Streams

LOSSES: dict[str, Loss] = {
    "cross_entropy": cross_entropy,
    "margin": margin,
    "ratio": difference_of_logits_ratio,
}


@dataclass(frozen=True, kw_only=True)
class PGD:
    """x <- P(x + step * ascent(gradient)), P the projection on the ball of radius eps within [0, 1].

    Args:
        norm: ``linf``, ``l2``, ``l1`` or ``l0``.
        eps: the radius, above 0, in pixels of 1; for ``l0`` how many pixels.
        steps: gradient steps in each run, at least 1.
        step: the length of a step as a share of eps; for ``l0`` the mean change of a number.
        restarts: runs; the first alone, further ones side by side for the images that none before has broken.
        random_start: whether a run starts at random in the ball; else each starts at the image, so one run is all.
        momentum: 0, or the decay of MI-FGSM: the direction is that of g <- momentum * g + gradient / ||gradient||_1
            (Dong et al. 2018, "Boosting adversarial attacks with momentum", equation 6).
        loss: ``cross_entropy``, ``margin`` or ``ratio``.
        precision: of the model, see :mod:`paribus.train.precision`.
    """

    norm: str = "linf"
    eps: float = 8 / 255
    steps: int = 50
    step: float = 0.25
    restarts: int = 1
    random_start: bool = True
    momentum: float = 0.0
    loss: str = "cross_entropy"
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.restarts < 1:
            raise ConfigError(f"PGD: steps {self.steps} and restarts {self.restarts}; at least 1 of each is expected")
        if self.loss not in LOSSES:
            raise ConfigError(f"PGD: loss {self.loss!r}; one of {', '.join(LOSSES)} is expected")

    def __call__(
        self, model: Model, images: Tensor, labels: Tensor, *, streams: Streams, target: Tensor | None = None
    ) -> Adversarial:
        """Attack *images* (B, 3, H, W) with *labels* (B,); towards *target* (B,) where given.

        Draws from ``attack/pgd/restart=R``.
        """
        search = Search(model, images, labels, norm=self.norm, target=target, precision=self.precision)
        ball = Ball.around(images, self.eps, self.norm)

        def start(restart: int) -> Tensor:
            if not self.random_start:
                return search.images
            return ball.start(start_noise(streams, f"attack/pgd/restart={restart}", search.images, self.norm))

        for runs in search.side_by_side(self.restarts):
            self._run(search, ball, runs, runs.rows(start))
        return search.result()

    def _run(self, search: Search, whole: Ball, runs: Runs, points: Tensor) -> None:
        which = runs.which
        ball = whole.take(which)
        sign = 1.0 if search.target is None else -1.0
        goals = search.labels if search.target is None else search.target
        length = sign * self.step * whole.stride
        gathered = torch.zeros_like(points)
        for _ in range(self.steps):
            goal = goals[which]
            logits, _, slope = search.gradient(points, which, lambda found, goal=goal: LOSSES[self.loss](found, goal))  # type: ignore[misc]
            search.offer(points, logits, which)
            done = search.done(which)
            if bool(done.any()):
                kept = torch.nonzero(~done).flatten()
                which, points, slope, ball, gathered = (
                    which[kept], points[kept], slope[kept], ball.take(kept), gathered[kept]
                )  # fmt: skip
                if len(which) == 0:
                    return
            if self.momentum:
                gathered = self.momentum * gathered + slope / norm_of(slope, "l1").clamp_min(1e-20)
                slope = gathered
            points = ball.project(points.add(ascent(slope, self.norm), alpha=length))
        search.offer(points, search.logits(points, which), which)


def bim(*, norm: str = "linf", eps: float = 8 / 255, steps: int = 10, precision: str = "float32") -> PGD:
    """Return the basic iterative method: steps of eps / steps from the image itself."""
    return PGD(norm=norm, eps=eps, steps=steps, step=1 / steps, random_start=False, precision=precision)


def mi_fgsm(*, norm: str = "linf", eps: float = 8 / 255, steps: int = 10, precision: str = "float32") -> PGD:
    """Return the iterative method with momentum 1: steps of eps / steps from the image itself."""
    return PGD(norm=norm, eps=eps, steps=steps, step=1 / steps, random_start=False, momentum=1.0, precision=precision)
