"""Random points of the ball: what an attack with a gradient must beat (Carlini et al. 2019, section 5.2)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from paribus.labs.adversarial.attacks.bounds import Ball
from paribus.labs.adversarial.attacks.noise import start_noise
from paribus.labs.adversarial.attacks.search import Adversarial, Model, Search
from paribus.spec.seed import Streams


@dataclass(frozen=True, kw_only=True)
class UniformNoise:
    """For ``linf`` uniform points of the ball; for ``l0`` uniform changes where they are largest; else points at eps.

    Args:
        norm: ``linf``, ``l2``, ``l1`` or ``l0``.
        eps: the radius, above 0, in pixels of 1; for ``l0`` how many pixels.
        draws: points tried for each image.
        precision: of the model, see :mod:`paribus.train.precision`.
    """

    norm: str = "linf"
    eps: float = 8 / 255
    draws: int = 20
    precision: str = "float32"

    def __call__(
        self, model: Model, images: Tensor, labels: Tensor, *, streams: Streams, target: Tensor | None = None
    ) -> Adversarial:
        """Try points around *images* (B, 3, H, W) with *labels* (B,); draws from ``attack/noise/draw=N``."""
        search = Search(model, images, labels, norm=self.norm, target=target, precision=self.precision)
        ball = Ball.around(images, self.eps, self.norm)
        for draw in range(self.draws):
            which = search.alive
            if len(which) == 0:
                break
            points = ball.start(start_noise(streams, f"attack/noise/draw={draw}", search.images, self.norm))[which]
            search.offer(points, search.logits(points, which), which)
        return search.result()
