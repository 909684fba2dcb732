"""The state of an attack on a batch: what is found for each image, and which images are still in the race.

The runs of an attack, from several starts or towards several classes, are made side by side: the rows of what the model
is shown are then candidates for images of which some occur several times.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from paribus.labs.adversarial.attacks.bounds import Ball, distance, rounded_towards
from paribus.labs.adversarial.attacks.losses import margin
from paribus.train.arithmetic import computed

Model = Callable[[Tensor], Tensor]
"""From images (B, 3, H, W) in [0, 1] to logits (B, K). One whose answers are random has an attribute ``random``; one
that stands in for another, which judges in the end, has an attribute ``stand_in``. To one with an attribute
``side_by_side`` it is told how many runs of the attack are made at once."""

Objective = Callable[[Tensor, Tensor], Tensor]
"""From logits (B, K) and which rows of the runs they are of (B,) to what is ascended, (B,)."""

ROOM = 2**17
"""Numbers of the images that runs side by side are made for, at least, as far as there are runs: 42 images of 32x32. A
network takes longer for an image where there are fewer, and hardly less where there are more."""

CONFIRMATIONS = 4
"""How many further answers of a random model must agree before a find counts: an attack that stops at the first lucky
draw would leave an image that the next draw gets right."""


@dataclass(frozen=True, eq=False)
class Adversarial:
    """What an attack found.

    Args:
        images: (B, 3, H, W) in the dtype of those given; where nothing was found, the image itself; of a random
            model or a stand-in the point with the largest loss within the bound, found or not.
        success: (B,) whether the model errs on it (or gives the target); already true of images it got wrong.
        distance: (B,) float64 in the attack's norm; infinity where nothing was found.
        queries: (B,) how often the model was evaluated on the image, a gradient counted as one, all runs together.
        loss: (B,) the margin at the image where the largest is sought, else minus infinity.
    """

    images: Tensor
    success: Tensor
    distance: Tensor
    queries: Tensor
    loss: Tensor


@dataclass(frozen=True, eq=False)
class Runs:
    """Runs of an attack that are made side by side: a block of rows each, a row an image.

    Args:
        numbers: which runs.
        images: (N,) the indices of the images that each of them is made for.
    """

    numbers: range
    images: Tensor

    @property
    def which(self) -> Tensor:
        """The image (R N,) that each row is a candidate for."""
        return self.images.repeat(len(self.numbers))

    def rows(self, of: Callable[[int], Tensor]) -> Tensor:
        """Return what ``of(run)`` (B, ...) has for each row, (R N, ...)."""
        return torch.cat([of(run)[self.images] for run in self.numbers])


class Search:
    """What an attack knows of each image of its batch.

    ``alive`` are the indices of images for which nothing is found yet; an attack works on those alone. *which* says of
    candidates which images they are for; of several for one image the nearest counts, the first of equals. A find
    beyond *limit* in the norm is kept as the nearest so far and counts as nothing found. Numbers are float32; the model
    is shown the images' own dtype. In a *precision* of 16 bits what looks like a success is believed only once float32
    agrees. With a *confidence* a success is a margin of at least so much.

    Of a random model and of a stand-in the point with the largest margin is kept for each image, of a random one the
    mean over its answers. Before a stand-in no image leaves the batch, unless the attack seeks the *nearest* error.
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
        nearest: bool = False,
        confidence: float = 0.0,
    ) -> None:
        self.model, self.labels, self.target, self.norm, self.limit = model, labels, target, norm, limit
        self.given, self.dtype, self.precision = images, images.dtype, precision
        self.confidence = confidence
        self.random = bool(getattr(model, "random", False))
        self.stand_in = bool(getattr(model, "stand_in", False)) and not nearest
        self.images = images.float().contiguous()
        self.best = self.images.clone()
        self.highest = self.images.clone()
        self.loss = torch.full((len(images),), -torch.inf, device=images.device)
        count = len(images)
        self.success = torch.zeros(count, dtype=torch.bool, device=images.device)
        self.distance = torch.full((count,), torch.inf, dtype=torch.float64, device=images.device)
        self.queries = torch.zeros(count, dtype=torch.int64, device=images.device)
        everything = torch.arange(count, device=images.device)
        self.clean_logits = self.logits(self.images, everything, exact=True)
        self.offer(self.images, self.clean_logits, everything, exact=True)

    @property
    def alive(self) -> Tensor:
        """The indices of the images for which nothing is found; of a stand-in all."""
        if self.stand_in:
            return torch.arange(len(self.images), device=self.images.device)
        return torch.nonzero(~self.success).flatten()

    def side_by_side(self, runs: int, left: Callable[[], Tensor] | None = None) -> Iterator[Runs]:
        """Yield which of so many *runs* to make next, and for which images: those that are *left*, by default alive.

        The first is made alone. Further ones are made side by side, as many as fill a batch of the size that was given,
        or of ROOM numbers: a run would have few images to itself, for which a network takes longer. With the find of
        one run all others of its image end, unless the nearest is sought or the model stands in for another. What they
        have done by then is lost, so an image's queries depend on how many others are left.
        """
        done = 0
        while done < runs:
            images = self.alive if left is None else left()
            if len(images) == 0:
                break
            together = min(runs - done, self.abreast(len(images))) if done else 1
            self._tell(together)
            yield Runs(range(done, done + together), images)
            done += together
        self._tell(1)

    def abreast(self, images: int) -> int:
        """Return how many runs of so many *images* each fill a batch, at least one."""
        most = max(len(self.images), ROOM // math.prod(self.images.shape[1:]))
        return max(1, most // images)

    def done(self, which: Tensor) -> Tensor:
        """Say of each candidate for *which* images whether its image is done with; of a stand-in none is."""
        return torch.zeros_like(which, dtype=torch.bool) if self.stand_in else self.success[which]

    @property
    def rivals(self) -> Tensor:
        """The classes to lead each image to: (B, 1) the target, or (B, K - 1) all wrong ones, the likeliest first."""
        if self.target is not None:
            return self.target[:, None]
        wrong = self.clean_logits.scatter(1, self.labels[:, None], -torch.inf)
        return wrong.argsort(dim=1, descending=True, stable=True)[:, :-1]

    def shown(self, points: Tensor, which: Tensor) -> Tensor:
        """Return *points* as numbers of the images' dtype, still float32: to nearest, or inwards where norms sum up."""
        if self.dtype == torch.float32:
            return points
        if self.norm == "linf":
            return points.to(self.dtype).float()
        return rounded_towards(points, self.images[which], self.dtype).float()

    def logits(self, points: Tensor, which: Tensor, *, exact: bool = False) -> Tensor:
        """Return the logits (B, K) float32 of *points*, candidates for the images *which*."""
        self._count(which)
        with torch.no_grad():
            return self.answers(self.shown(points, which), exact=exact)

    def answers(self, shown: Tensor, *, exact: bool = False) -> Tensor:
        """Return the model's logits (B, K) float32 of what it is *shown*, in the search's precision or in float32."""
        precision = "float32" if exact else self.precision
        return computed(lambda seen: {"logits": self.model(seen.to(self.dtype))}, shown, precision)["logits"]

    def gradient(
        self, points: Tensor, which: Tensor, loss: Callable[[Tensor], Tensor]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits (B, K), loss (B,) and its gradient (B, 3, H, W) at *points*, candidates for *which*."""
        self._count(which)
        with torch.enable_grad():
            variable = self.shown(points.detach(), which).requires_grad_()
            logits = self.answers(variable)
            value = loss(logits)
            (slope,) = torch.autograd.grad(value.sum(), variable)
        variable.requires_grad_(False)
        return logits.detach(), value.detach(), slope

    def _tell(self, runs: int) -> None:
        if hasattr(self.model, "side_by_side"):
            self.model.side_by_side = runs

    def _count(self, which: Tensor) -> None:
        self.queries.index_add_(0, which, torch.ones_like(which))

    def adversarial(self, logits: Tensor, which: Tensor) -> Tensor:
        """Say of which of the images *which* the logits (B, K) are what the attack is after."""
        if self.confidence > 0:
            return self.margin(logits, which) >= self.confidence
        answer = logits.argmax(dim=1)
        return answer != self.labels[which] if self.target is None else answer == self.target[which]

    def offer(self, points: Tensor, logits: Tensor, which: Tensor, *, exact: bool = False) -> Tensor:
        """Take the *points* that are adversarial and nearer than what was found; return which are adversarial (B,).

        Of a stand-in none is returned: the attack goes on.
        """
        found = self.adversarial(logits, which)
        if self.random or self.stand_in:
            found = self._higher(points.detach(), logits, which, found)
        for _ in range(int(not self.random and self.precision != "float32" and not exact)):
            seen = torch.nonzero(found).flatten()
            if len(seen):
                found[seen] = self.adversarial(self.logits(points[seen], which[seen], exact=True), which[seen])
        if bool(found.any()):
            won = torch.nonzero(found).flatten()
            candidates = self.shown(points.detach()[won], which[won])
            far = distance(candidates, self.images[which[won]], self.norm)
            nearer = torch.nonzero(far < self.distance[which[won]]).flatten()
            nearer = nearer[_least_of_each(which[won[nearer]], far[nearer])]
            place = which[won[nearer]]
            self.best[place] = candidates[nearer]
            self.distance[place] = far[nearer]
            self.success[place] = far[nearer] <= self.limit
        return torch.zeros_like(found) if self.stand_in else found

    def _higher(self, points: Tensor, logits: Tensor, which: Tensor, found: Tensor) -> Tensor:
        """Keep the *points* whose loss is the largest so far; return which finds are confirmed."""
        loss = self.margin(logits, which)
        if self.random:
            seen = torch.nonzero(found | (loss > self.loss[which])).flatten()
            for _ in range(CONFIRMATIONS if len(seen) else 0):
                again = self.logits(points[seen], which[seen], exact=True)
                found[seen] &= self.adversarial(again, which[seen])
                loss[seen] += self.margin(again, which[seen])
            loss[seen] /= CONFIRMATIONS + 1
        candidates = self.shown(points, which)
        within = distance(candidates, self.images[which], self.norm) <= self.limit
        better = torch.nonzero((loss > self.loss[which]) & within).flatten()
        better = better[_least_of_each(which[better], -loss[better])]
        place = which[better]
        self.highest[place], self.loss[place] = candidates[better], loss[better]
        return found

    def margin(self, logits: Tensor, which: Tensor) -> Tensor:
        """Return by how much (B,) the logits (B, K) of candidates for *which* are what the attack is after."""
        if self.target is None:
            return margin(logits, self.labels[which])
        return -margin(logits, self.target[which])

    def lack(self, logits: Tensor, which: Tensor) -> Tensor:
        """Return max(confidence - margin, 0) (B,)."""
        return (self.confidence - self.margin(logits, which)).clamp_min(0)

    def result(self) -> Adversarial:
        """Return what was found, in the images' dtype and checked on it."""
        images = (self.highest if self.stand_in else self.best).to(self.dtype).contiguous()
        won = torch.nonzero(self.success).flatten()
        if len(won) and not self.random:
            with torch.no_grad():
                logits = self.model(images[won]).float()
            self.success[won] = self.adversarial(logits, won)
        lost = ~self.success
        instead = self.highest.to(self.dtype) if self.random or self.stand_in else self.given
        images = torch.where(lost.view(-1, 1, 1, 1), instead, images)
        far = distance(images, self.given, self.norm)
        return Adversarial(images, self.success, far.masked_fill(lost, torch.inf), self.queries, self.loss)


def _least_of_each(which: Tensor, values: Tensor) -> Tensor:
    """Return the rows with the least of *values* (R,) for each image in *which* (R,), the first of equals."""
    order = values.argsort(stable=True)
    order = order[which[order].argsort(stable=True)]
    images = which[order]
    return order[torch.cat([images.new_ones(1, dtype=torch.bool), images[1:] != images[:-1]])[: len(order)]]


def merged(first: Adversarial, second: Adversarial, rows: Tensor) -> Adversarial:
    """Return *first* with what *second* found for its images *rows*, where that is a success or has the larger loss."""
    images, success = first.images.clone(), first.success.clone()
    far, queries, loss = first.distance.clone(), first.queries.clone(), first.loss.clone()
    better = second.success | (~success[rows] & (second.loss > loss[rows]))
    won = rows[better]
    images[won], success[won], far[won] = second.images[better], second.success[better], second.distance[better]
    loss[won] = second.loss[better]
    queries[rows] += second.queries
    return Adversarial(images, success, far, queries, loss)


def without_done(search: Search, run: Any, ball: Ball) -> Ball:
    """Drop the rows whose images are done with from every field of *run*, ``which`` among them, and from *ball*."""
    done = search.done(run.which)
    if not bool(done.any()):
        return ball
    kept = torch.nonzero(~done).flatten()
    for name, value in vars(run).items():
        setattr(run, name, value[kept])
    return ball.take(kept)
