"""The state of an attack on a batch: what is found for each image, and which images are still in the race."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from paribus.labs.adversarial.attacks.bounds import distance, rounded_towards
from paribus.train.arithmetic import autocast

Model = Callable[[Tensor], Tensor]
"""From images (B, 3, H, W) in [0, 1] to logits (B, K). One whose answers are random has an attribute ``random``."""

CONFIRMATIONS = 4
"""How many further answers of a random model must agree before a find counts: an attack that stops at the first lucky
draw would leave an image that the next draw gets right."""


@dataclass(frozen=True, eq=False)
class Adversarial:
    """What an attack found.

    Args:
        images: (B, 3, H, W) in the dtype of those given; where nothing was found, the image itself.
        success: (B,) whether the model errs on it (or gives the target); already true of images it got wrong.
        distance: (B,) float64 in the attack's norm; infinity where nothing was found.
        queries: (B,) how often the model was evaluated on the image, a gradient counted as one.
    """

    images: Tensor
    success: Tensor
    distance: Tensor
    queries: Tensor


class Search:
    """What an attack knows of each image of its batch.

    ``alive`` are the indices of images for which nothing is found yet; an attack works on those alone. A find beyond
    *limit* in the norm is kept as the nearest so far and counts as nothing found. Numbers are float32; the model is
    shown the images' own dtype. With ``precision="bfloat16"`` the model runs under autocast, and what looks like a
    success is believed only once float32 agrees.
    """

    def __init__(
        self,
        model: Model,
        images: Tensor,
        labels: Tensor,
        *,
        norm: str,
        target: Tensor | None = None,
        limit: float = float("inf"),
        precision: str = "float32",
    ) -> None:
        self.model, self.labels, self.target, self.norm, self.limit = model, labels, target, norm, limit
        self.given, self.dtype, self.precision = images, images.dtype, precision
        self.random = bool(getattr(model, "random", False))
        self.images = images.float().contiguous()
        self.best = self.images.clone()
        count = len(images)
        self.success = torch.zeros(count, dtype=torch.bool, device=images.device)
        self.distance = torch.full((count,), torch.inf, dtype=torch.float64, device=images.device)
        self.queries = torch.zeros(count, dtype=torch.int64, device=images.device)
        everything = torch.arange(count, device=images.device)
        self.clean_logits = self.logits(self.images, everything, exact=True)
        self.offer(self.images, self.clean_logits, everything, exact=True)

    @property
    def alive(self) -> Tensor:
        """The indices of the images for which nothing is found."""
        return torch.nonzero(~self.success).flatten()

    def shown(self, points: Tensor, which: Tensor) -> Tensor:
        """Return *points* as numbers of the images' dtype, still float32: to nearest, or inwards where norms sum up."""
        if self.dtype == torch.float32:
            return points
        if self.norm == "linf":
            return points.to(self.dtype).float()
        return rounded_towards(points, self.images[which], self.dtype).float()

    def logits(self, points: Tensor, which: Tensor, *, exact: bool = False) -> Tensor:
        """Return the logits (B, K) float32 of *points*, candidates for the images *which*."""
        self.queries[which] += 1
        with torch.no_grad(), autocast(points.device.type, "float32" if exact else self.precision):
            return self.model(self.shown(points, which).to(self.dtype)).float()

    def gradient(
        self, points: Tensor, which: Tensor, loss: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits (B, K), loss (B,) and its gradient (B, 3, H, W) at *points*, candidates for *which*."""
        self.queries[which] += 1
        with torch.enable_grad():
            variable = self.shown(points.detach(), which).requires_grad_()
            with autocast(points.device.type, self.precision):
                logits = self.model(variable.to(self.dtype)).float()
            value = loss(logits)
            (slope,) = torch.autograd.grad(value.sum(), variable)
        variable.requires_grad_(False)
        return logits.detach(), value.detach(), slope

    def adversarial(self, logits: Tensor, which: Tensor) -> Tensor:
        """Say of which of the images *which* the logits (B, K) are what the attack is after."""
        answer = logits.argmax(dim=1)
        return answer != self.labels[which] if self.target is None else answer == self.target[which]

    def offer(self, points: Tensor, logits: Tensor, which: Tensor, *, exact: bool = False) -> Tensor:
        """Take the *points* that are adversarial and nearer than what was found; return which are adversarial (B,)."""
        found = self.adversarial(logits, which)
        for _ in range(CONFIRMATIONS if self.random else int(self.precision != "float32" and not exact)):
            seen = torch.nonzero(found).flatten()
            if len(seen):
                found[seen] = self.adversarial(self.logits(points[seen], which[seen], exact=True), which[seen])
        if bool(found.any()):
            won = torch.nonzero(found).flatten()
            candidates = self.shown(points.detach()[won], which[won])
            far = distance(candidates, self.images[which[won]], self.norm)
            nearer = far < self.distance[which[won]]
            place = which[won[nearer]]
            self.best[place] = candidates[nearer]
            self.distance[place] = far[nearer]
            self.success[place] = far[nearer] <= self.limit
        return found

    def result(self) -> Adversarial:
        """Return what was found, in the images' dtype and checked on it."""
        images = self.best.to(self.dtype).contiguous()
        won = torch.nonzero(self.success).flatten()
        if len(won) and not self.random:
            with torch.no_grad():
                logits = self.model(images[won]).float()
            self.success[won] = self.adversarial(logits, won)
        lost = ~self.success
        images = torch.where(lost.view(-1, 1, 1, 1), self.given, images)
        far = distance(images, self.given, self.norm)
        return Adversarial(images, self.success, far.masked_fill(lost, torch.inf), self.queries)


def merged(first: Adversarial, second: Adversarial, rows: Tensor) -> Adversarial:
    """Return *first* with what *second* found for its images *rows*, where that is a success."""
    images, success = first.images.clone(), first.success.clone()
    far, queries = first.distance.clone(), first.queries.clone()
    won = rows[second.success]
    images[won], success[won], far[won] = second.images[second.success], True, second.distance[second.success]
    queries[rows] += second.queries
    return Adversarial(images, success, far, queries)
