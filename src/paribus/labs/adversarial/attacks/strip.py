"""How a perturbation comes about: the first image of a batch at a few moments of an attack, for the report."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paribus.labs.adversarial.attacks.search import Adversarial, Search
from paribus.labs.adversarial.panel import amplified
from paribus.nn.pixels import to_pictures
from paribus.spec.context import Context

MOMENTS = 6
"""How often a run is looked at, its start and its end among them; more often at the beginning."""


class Strip:
    """Keeps the first image that an attack works on; it changes nothing and costs a copy of one image a moment.

    Args:
        originals: the batch (B, 3, H, W).
        steps: of one run.
    """

    def __init__(self, originals: Tensor, steps: int) -> None:
        self._originals, self._row = originals, -1
        self._moments = {round(steps * (place / (MOMENTS - 1)) ** 2) for place in range(MOMENTS)}
        self._kept: list[Tensor] = []

    @staticmethod
    def of(search: Search, steps: int, context: Context | None) -> Strip | None:
        """Return a strip of a *search* whose runs have so many *steps*; None where no *context* or no image asks."""
        return None if context is None or len(search.alive) == 0 else Strip(search.given, steps)

    def see(self, step: int, points: Tensor, which: Tensor) -> None:
        """Look at the *points* (B', 3, H, W) after so many steps, candidates for the images *which* (B',)."""
        if step not in self._moments:
            return
        if self._row < 0:
            self._row = int(which[0])
        place = torch.nonzero(which == self._row).flatten()
        if len(place):
            self._kept.append(points[place[0]].detach().clone())

    def frames(self, found: Adversarial) -> NDArray[np.uint8]:
        """Return frames (T, 2 H, W, 3): the image, below it its perturbation, amplified by one factor in all.

        The first is the original, with no perturbation; the last is what was found, or of an image that held where the
        run ended.
        """
        original = self._originals[self._row]
        kept = [original, *self._kept]
        if bool(found.success[self._row]):
            kept.append(found.images[self._row])
        _, factor = amplified(original, kept[-1])
        return np.stack([
            np.concatenate([to_pictures(image[None])[0], amplified(original, image, factor)[0]]) for image in kept
        ])  # fmt: skip


def told(found: Adversarial, strip: Strip | None, context: Context | None) -> Adversarial:
    """Return what was *found*, and give its *strip*, where one was kept, to the *context*."""
    if strip is not None and context is not None:
        context.artifact("strip", strip.frames(found))
    return found
