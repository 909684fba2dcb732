"""One step of the length of the radius (Goodfellow, Shlens and Szegedy 2015, "Explaining and harnessing", eq. 2)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from paribus.labs.adversarial.attacks.bounds import Ball, ascent
from paribus.labs.adversarial.attacks.losses import cross_entropy
from paribus.labs.adversarial.attacks.search import Adversarial, Model, Search
from paribus.spec.seed import Streams


@dataclass(frozen=True, kw_only=True)
class FGSM:
    """x + eps * ascent(gradient of the cross-entropy); in ``linf`` the ascent is the sign.

    Args:
        norm: ``linf``, ``l2``, ``l1`` or ``l0``.
        eps: the radius, above 0, in pixels of 1; for ``l0`` how many pixels.
        precision: of the model, see :mod:`paribus.train.precision`.
    """

    norm: str = "linf"
    eps: float = 8 / 255
    precision: str = "float32"

    def __call__(
        self, model: Model, images: Tensor, labels: Tensor, *, streams: Streams, target: Tensor | None = None
    ) -> Adversarial:
        """Attack *images* (B, 3, H, W) with *labels* (B,); towards *target* (B,) where given. Nothing is drawn."""
        search = Search(model, images, labels, norm=self.norm, target=target, precision=self.precision)
        ball, which = Ball.around(images, self.eps, self.norm), search.alive
        if len(which):
            goal = labels[which] if target is None else target[which]
            _, _, slope = search.gradient(search.images[which], which, lambda logits: cross_entropy(logits, goal))
            step = ascent(slope if target is None else -slope, self.norm)
            points = ball.take(which).project(search.images[which] + ball.stride * step)
            search.offer(points, search.logits(points, which), which)
        return search.result()
