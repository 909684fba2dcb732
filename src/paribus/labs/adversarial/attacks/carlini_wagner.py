"""Carlini and Wagner (2017), "Towards evaluating the robustness of neural networks", the attack for L2."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from paribus.errors import ConfigError
from paribus.labs.adversarial.attacks.bounds import rows
from paribus.labs.adversarial.attacks.hinge import hinge
from paribus.labs.adversarial.attacks.search import Adversarial, Model, Search
from paribus.labs.adversarial.attacks.tradeoff import bisected
from paribus.spec.seed import Streams

INSIDE = 1 - 1e-6
"""Pixels are drawn in by this factor around 1/2 before the arc tangent, which is infinite at 0 and 1."""
PROGRESS = 0.9999
"""An image leaves a run when its objective has not come below this share of its least for PATIENCE looks, of which
there are ten in a run."""
PATIENCE = 2


@dataclass(frozen=True, kw_only=True)
class CarliniWagner:
    """Minimise ||x' - x||_2^2 + c max(confidence - margin(x'), 0) over w, x' = (tanh w + 1) / 2, by Adam.

    margin is max over k != y of z_k - z_y, for a target t it is z_t - max over k != t of z_k. The weight c of each
    image is found by bisection (:func:`bisected`); each image leaves a run when it no longer gets on.

    Args:
        eps: finds beyond it, in L2, do not count.
        steps: steps of Adam for each weight, at most.
        searches: weights that are tried.
        first: the first weight.
        rate: Adam's learning rate in w.
        confidence: the margin that a find must have.
        precision: of the model, see :mod:`paribus.train.precision`.
    """

    eps: float = float("inf")
    steps: int = 100
    searches: int = 9
    first: float = 0.01
    rate: float = 0.01
    confidence: float = 0.0
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.searches < 1:
            raise ConfigError(f"Carlini-Wagner: steps {self.steps}, searches {self.searches}; at least 1 is expected")

    def __call__(
        self, model: Model, images: Tensor, labels: Tensor, *, streams: Streams, target: Tensor | None = None
    ) -> Adversarial:
        """Attack *images* (B, 3, H, W) with *labels* (B,); towards *target* (B,) where given. Nothing is drawn."""
        search = Search(
            model, images, labels, norm="l2", target=target, limit=self.eps, precision=self.precision, nearest=True,
            confidence=self.confidence,
        )  # fmt: skip
        return bisected(search, self._run, first=self.first, searches=self.searches)

    def _run(self, search: Search, every: Tensor, weights: Tensor) -> Tensor:
        """Minimise once with the *weights* (B,) for the images *every*; return which were broken."""
        place = torch.arange(len(every), device=every.device)
        broken = torch.zeros(len(every), dtype=torch.bool, device=every.device)
        which, centre = every, search.images[every]
        hidden = torch.atanh((2 * centre - 1) * INSIDE)
        mean, square = torch.zeros_like(hidden), torch.zeros_like(hidden)
        least, stalled, lack = torch.full_like(weights, torch.inf), torch.zeros_like(weights), torch.ones_like(weights)
        look = max(1, -(-self.steps // 10))
        for step in range(self.steps):
            turned = hidden.tanh()
            points = (turned + 1) / 2
            if step == self.steps - 1:  # nothing goes on from here: the answer is enough
                broken[place] |= search.offer(points, search.logits(points, which), which)
                break
            logits, lack, slope = hinge(search, points, which, lack == 0)
            broken[place] |= search.offer(points, logits, which)
            moved = points - centre
            slope = slope.mul_(rows(weights)).add_(moved, alpha=2).mul_((1 - turned.square()) / 2)
            if step % look == 0:
                objective = moved.square().flatten(1).sum(dim=1) + weights * lack
                stalled = torch.where(objective <= PROGRESS * least, 0.0, stalled + 1)
                least = torch.minimum(least, objective)
                kept = torch.nonzero(stalled < PATIENCE).flatten()
                if len(kept) < len(which):
                    which, centre, hidden, weights, place, least, stalled, lack, slope, mean, square = (
                        value[kept]
                        for value in (which, centre, hidden, weights, place, least, stalled, lack, slope, mean, square)
                    )
                    if len(which) == 0:
                        break
            mean.lerp_(slope, 0.1)
            square.mul_(0.999).addcmul_(slope, slope, value=0.001)
            scale = (square / (1 - 0.999 ** (step + 1))).sqrt_().add_(1e-8)
            hidden = hidden.addcdiv(mean, scale, value=-self.rate / (1 - 0.9 ** (step + 1)))
        return broken
