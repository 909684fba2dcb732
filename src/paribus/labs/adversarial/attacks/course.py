"""The course's attack: the pixels as variables of a loss, by Adam, with no bound but [0, 1]."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

import torch
from torch import Tensor

from paribus.labs.adversarial.attacks.losses import cross_entropy
from paribus.labs.adversarial.attacks.search import Adversarial, Model, Search
from paribus.labs.adversarial.experiments import Course
from paribus.spec.context import Context
from paribus.spec.seed import Streams
from paribus.train.optimise import ImageLoss, optimise
from paribus.train.optimizer import Adam


def averaged_total_variation(images: Tensor) -> Tensor:
    """Return for images (B, C, H, W) the mean of |x_(i+1,j) - x_(i,j)| plus the mean of |x_(i,j+1) - x_(i,j)|, (B,)."""
    down = (images[..., 1:, :] - images[..., :-1, :]).abs().flatten(1).mean(dim=1)
    across = (images[..., :, 1:] - images[..., :, :-1]).abs().flatten(1).mean(dim=1)
    return down + across


@dataclass(frozen=True, kw_only=True)
class CourseAttack:
    """Minimise w CE(f(x'), t) + tv TV(x') + c ||x' - x||_2^2 over x' in [0, 1], by Adam.

    t is the target; untargeted it is the likeliest wrong class of the clean image. The nearest x' on the way that
    does what is wanted is the find.

    Args:
        settings: the weights and the learning rate.
        eps: finds beyond it, in L2, do not count.
        steps: steps of Adam.
        context: where curves go; None for nowhere.
    """

    settings: Course = field(default_factory=Course)
    eps: float = float("inf")
    steps: int = 100
    context: Context | None = field(default=None, compare=False)

    def __call__(
        self, model: Model, images: Tensor, labels: Tensor, *, streams: Streams, target: Tensor | None = None
    ) -> Adversarial:
        """Attack *images* (B, 3, H, W) with *labels* (B,); towards *target* (B,) where given. Nothing is drawn."""
        search = Search(model, images, labels, norm="l2", target=target, limit=self.eps, nearest=True)
        which = torch.nonzero(search.distance > 0).flatten()
        if len(which) == 0:
            return search.result()
        goal = search.rivals[:, 0]
        centre, goal, how = search.images[which], goal[which], self.settings

        def loss(points: Tensor, step: int) -> ImageLoss:
            search.queries[which] += 1
            logits = model(points.to(search.dtype)).float()
            search.offer(points.detach(), logits.detach(), which)
            parts = {
                "cross_entropy": cross_entropy(logits, goal),
                "total_variation": averaged_total_variation(points),
                "squared_distance": (points - centre).square().flatten(1).sum(dim=1),
            }
            objective = (
                how.cross_entropy * parts["cross_entropy"]
                + how.tv * parts["total_variation"]
                + how.c * parts["squared_distance"]
            )
            return ImageLoss(objective, parts)

        context = self.context or Context(seed=streams.seed)
        optimise(
            loss,
            centre,
            optimizer=Adam(),
            rate=lambda step, steps: how.rate,
            steps=self.steps,
            context=dataclasses.replace(context, scratch=None),  # the finds so far would be lost: it starts anew
            project=lambda points: points.clamp_(0, 1),
        )
        return search.result()
