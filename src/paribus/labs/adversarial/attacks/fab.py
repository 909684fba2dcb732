"""Fast adaptive boundary attack, targeted (Croce and Hein 2020, "Minimally distorted adversarial examples", alg. 1)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from paribus.errors import ConfigError
from paribus.labs.adversarial.attacks.bounds import norm_of, rows
from paribus.labs.adversarial.attacks.hyperplane import onto_hyperplane
from paribus.labs.adversarial.attacks.search import Adversarial, Model, Search
from paribus.spec.seed import Streams


@dataclass(frozen=True, kw_only=True)
class TargetedFAB:
    """Steps onto the linearised boundary towards one class after the other, drawn back towards the image.

    d1 and d2 are the least steps from x and from the image onto {z : (z_t - z_y) linearised at x = 0} within [0, 1];
    x <- (1 - a)(x + 1.05 d1) + a (image + 1.05 d2), a = min(||d1|| / (||d1|| + ||d2||), 0.1). An adversarial x is kept
    where it is the nearest so far, and the search goes on from image + 0.9 (x - image).

    The answer at x serves the check and the next gradient, so an iteration costs one evaluation where nothing is found.
    While most images have just been found, and are looked at again from nearer, the check comes first, without one.

    Args:
        norm: ``linf``, ``l2`` or ``l1``.
        eps: an image is finished within this radius; infinity: all steps are used to come nearer.
        steps: steps towards each class.
        classes: how many classes are tried, the likeliest on the clean image first; the others side by side.
        precision: of the model, see :mod:`paribus.train.precision`.
    """

    norm: str = "linf"
    eps: float = float("inf")
    steps: int = 100
    classes: int = 9
    alpha: float = 0.1
    overshoot: float = 1.05
    back: float = 0.9
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.norm not in ("linf", "l2", "l1"):
            raise ConfigError(f"FAB: norm {self.norm!r}; 'linf', 'l2' or 'l1' is expected")

    def __call__(
        self, model: Model, images: Tensor, labels: Tensor, *, streams: Streams, target: Tensor | None = None
    ) -> Adversarial:
        """Attack *images* (B, 3, H, W) with *labels* (B,). Nothing is drawn.

        With a *target* (B,) only that class is tried, and only it is a success.
        """
        search = Search(
            model, images, labels, norm=self.norm, target=target, limit=self.eps, precision=self.precision, nearest=True
        )
        rivals, finished = search.rivals, self.eps if self.eps < float("inf") else 0.0

        def left() -> Tensor:
            return torch.nonzero(search.distance > finished).flatten()

        for runs in search.side_by_side(min(self.classes, rivals.shape[1]), left):
            goals = runs.rows(lambda run: rivals[:, run])
            self._towards(search, runs.which, goals, finished)
        return search.result()

    def _towards(self, search: Search, which: Tensor, goals: Tensor, finished: float) -> None:
        centre = search.images[which]
        points, flat = centre, centre.flatten(1)
        logits, gain, slope = self._linear(search, points, which, goals)
        often = False
        for step in range(self.steps):
            normal = slope.flatten(1)
            offset = (normal * (flat - points.flatten(1))).sum(dim=1)
            both = onto_hyperplane(
                torch.cat([points.flatten(1), flat]),
                torch.cat([normal, normal]),
                torch.cat([-gain, -gain - offset]),
                self.norm,
            )
            here, there = both[: len(which)].view_as(points), both[len(which) :].view_as(points)
            near, far = (norm_of(moved, self.norm).clamp_min(1e-8) for moved in (here, there))
            share = (near / (near + far)).clamp(max=self.alpha)
            points = ((points + self.overshoot * here) * (1 - share) + (centre + self.overshoot * there) * share).clamp(
                0.0, 1.0
            )
            last = step == self.steps - 1
            if often or last:
                logits = search.logits(points, which)
            else:
                logits, gain, slope = self._linear(search, points, which, goals)
            found = search.offer(points, logits, which)
            if bool(found.any()):
                rest = torch.nonzero(search.distance[which] > finished).flatten()
                which, goals, centre, points, found = which[rest], goals[rest], centre[rest], points[rest], found[rest]
                flat, gain, slope = centre.flatten(1), gain[rest], slope[rest]
            if len(which) == 0 or last:
                return
            stale = torch.nonzero(found | often).flatten()
            if len(stale):
                points = torch.where(rows(found), centre + (points - centre) * self.back, points)
                _, gain[stale], slope[stale] = self._linear(search, points[stale], which[stale], goals[stale])
            often = int(found.sum()) * 2 > len(found)

    def _linear(self, search: Search, points: Tensor, which: Tensor, goals: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits, z_t - z_y and its gradient at *points*."""

        def gain(logits: Tensor) -> Tensor:
            own = logits.gather(1, search.labels[which][:, None])
            return (logits.gather(1, goals[:, None]) - own)[:, 0]

        return search.gradient(points, which, gain)
