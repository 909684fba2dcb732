"""How a perturbation comes about: one image as the network is shown it at a few moments of an attack."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from paribus.labs.adversarial.attacks.search import Adversarial
from paribus.labs.adversarial.panel import amplified
from paribus.nn.pixels import to_pictures


class Strip:
    """Keeps what one image has become when the network was asked 1, 2, 4, 8, ... times, whatever the attack.

    It is the first image of the batch that an attack changes. It changes nothing, and costs one comparison of the batch
    at each of these moments.

    Args:
        originals: the batch (B, 3, H, W), before any change.
    """

    def __init__(self, originals: Tensor) -> None:
        self._originals, self._row = originals, -1
        self._asked, self._next = 0, 1
        self._kept: list[Tensor] = []

    def see(self, images: Tensor) -> None:
        """Look at *images* (B', 3, H, W), some of the batch in any order, that the network is asked about."""
        if self._row < 0:
            row = self._of(images[0])
            if bool((images[0] == self._originals[row].to(images.dtype)).all()):
                return
            self._row = row
        self._asked += 1
        if self._asked < self._next:
            return
        self._next *= 2
        near = images[(images - self._originals[self._row]).flatten(1).abs().sum(dim=1).argmin()]
        if self._of(near) == self._row:
            self._kept.append(near.detach().clone())

    def _of(self, image: Tensor) -> int:
        """Return which of the originals *image* has been made of: the nearest."""
        return int((self._originals - image).flatten(1).abs().sum(dim=1).argmin())

    def frames(self, found: Adversarial) -> NDArray[np.uint8] | None:
        """Return frames (T, 2 H, W, 3), the image and below it its perturbation, amplified by one factor in all.

        The first is the original, with no perturbation; the last is what was *found*, or of an image that held what the
        network was shown last of these moments. None where it was shown nothing.
        """
        if not self._kept:
            return None
        original = self._originals[self._row]
        kept = [original, *self._kept]
        if bool(found.success[self._row]):
            kept.append(found.images[self._row])
        _, factor = amplified(original, kept[-1])
        return np.stack([
            np.concatenate([to_pictures(image[None])[0], amplified(original, image, factor)[0]]) for image in kept
        ])  # fmt: skip
