"""EAD: elastic-net attack, for sparse perturbations (Chen et al. 2018, "EAD: Elastic-net attacks", algorithm 1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from paribus.errors import ConfigError
from paribus.labs.adversarial.attacks.bounds import rows
from paribus.labs.adversarial.attacks.hinge import hinge
from paribus.labs.adversarial.attacks.search import Adversarial, Model, Search
from paribus.labs.adversarial.attacks.tradeoff import bisected
from paribus.spec.seed import Streams


@dataclass(frozen=True, kw_only=True)
class ElasticNet:
    """Minimise c max(confidence - margin(x'), 0) + ||x' - x||_2^2 + beta ||x' - x||_1 over x' in [0, 1], by FISTA.

    x'_(k+1) = S(y_k - rate_k grad g(y_k)) with S the shrinkage by beta around the image and the cut to [0, 1],
    y_(k+1) = x'_(k+1) + k / (k + 3) (x'_(k+1) - x'_k), cut to [0, 1] as well; the rate falls with the root of what is
    left. The nearest find in L1 is kept (decision rule "L1"). The weight c of each image is found by bisection.

    Args:
        eps: finds beyond it, in L1, do not count.
        steps: steps for each weight.
        searches: weights that are tried.
        first: the first weight.
        rate: the first rate.
        beta: the weight of the L1 distance.
        confidence: the margin that a find must have.
        precision: of the model, see :mod:`paribus.train.precision`.
    """

    eps: float = float("inf")
    steps: int = 100
    searches: int = 9
    first: float = 0.01
    rate: float = 0.01
    beta: float = 0.01
    confidence: float = 0.0
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.searches < 1:
            raise ConfigError(f"EAD: steps {self.steps}, searches {self.searches}; at least 1 is expected")

    def __call__(
        self, model: Model, images: Tensor, labels: Tensor, *, streams: Streams, target: Tensor | None = None
    ) -> Adversarial:
        """Attack *images* (B, 3, H, W) with *labels* (B,); towards *target* (B,) where given. Nothing is drawn."""
        search = Search(
            model, images, labels, norm="l1", target=target, limit=self.eps, precision=self.precision, nearest=True,
            confidence=self.confidence,
        )  # fmt: skip
        return bisected(search, self._run, first=self.first, searches=self.searches)

    def _run(self, search: Search, which: Tensor, weights: Tensor) -> Tensor:
        broken = torch.zeros(len(which), dtype=torch.bool, device=which.device)
        centre = search.images[which]
        points, ahead = centre, centre
        lack = torch.ones_like(weights)
        for step in range(self.steps):
            logits, lack, slope = hinge(search, ahead, which, lack == 0)
            broken |= search.offer(ahead, logits, which)
            rate = self.rate * math.sqrt(1 - step / self.steps)
            target = ahead - rate * (rows(weights) * slope + 2 * (ahead - centre))
            moved = target - centre
            moved = moved.sign() * (moved.abs() - self.beta).clamp_min(0)
            before, points = points, (centre + moved).clamp(0.0, 1.0)
            broken |= search.offer(points, search.logits(points, which), which)
            ahead = (points + step / (step + 3) * (points - before)).clamp(0.0, 1.0)
        return broken
