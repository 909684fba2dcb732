"""The weight of the model's loss against the distance, for each image: found by bisection."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from paribus.labs.adversarial.attacks.search import Adversarial, Search


class Tradeoff:
    """The weight c of ||d|| + c f: halved between the least that worked and the largest that failed, tenfold before.

    Carlini and Wagner (2017), section 5.A; the factor ten is that of their program.

    Args:
        count: images.
        first: c to begin with.
        device: where tensors live.
    """

    def __init__(self, count: int, first: float, device: torch.device) -> None:
        self.weight = torch.full((count,), first, device=device)
        self.failed = torch.zeros(count, device=device)
        self.worked = torch.full((count,), torch.inf, device=device)

    def learn(self, which: Tensor, found: Tensor) -> None:
        """Take note of which of the images *which* the present weight has broken, and set the next."""
        weight = self.weight[which]
        self.worked[which] = torch.where(found, torch.minimum(weight, self.worked[which]), self.worked[which])
        self.failed[which] = torch.where(found, self.failed[which], torch.maximum(weight, self.failed[which]))
        known = torch.isfinite(self.worked[which])
        middle = (self.failed[which] + self.worked[which]) / 2
        self.weight[which] = torch.where(known, middle, weight * 10).clamp(max=1e10)


def bisected(
    search: Search, run: Callable[[Search, Tensor, Tensor], Tensor], *, first: float, searches: int
) -> Adversarial:
    """Return what *search* has found after *searches* weights for each image that was not broken from the start.

    Args:
        search: what keeps the nearest error of each image.
        run: ``(search, which, weights) -> broken``: minimises once for the images *which*.
        first: the first weight.
        searches: how many are tried.
    """
    which = torch.nonzero(search.distance > 0).flatten()
    tradeoff = Tradeoff(len(search.images), first, search.images.device)
    for _ in range(searches if len(which) else 0):
        tradeoff.learn(which, run(search, which, tradeoff.weight[which]))
    return search.result()
