"""Starting points of the public Auto-PGD, kept while it runs and given to Paribus's: what then differs is no chance.

The public one draws for the images that still stand, from torch's generator; Paribus for all images, from named
streams. So a point is kept by the image and the run that it is for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor

from paribus.labs.adversarial.attacks import apgd
from paribus.spec.seed import Streams


class Starts:
    """Noise by the name of the run, as Paribus calls it, and the image."""

    def __init__(self) -> None:
        self._noise: dict[tuple[str, bytes], Tensor] = {}

    @contextmanager
    def kept(self, base: Any) -> Iterator[None]:
        """Keep what is drawn by *base*, the public module ``autoattack.autopgd_base``, in Linf or L2."""
        climb, perturb = base.APGDAttack.attack_single_run, base.APGDAttack_targeted.perturb

        def keeping(attack: Any, images: Tensor, labels: Tensor, x_init: Tensor | None = None) -> Any:
            state = torch.random.get_rng_state()
            noise = torch.rand(images.shape) * 2 - 1 if attack.norm == "Linf" else torch.randn(images.shape)
            torch.random.set_rng_state(state)
            name = "attack/apgd/restart=0"
            if isinstance(attack, base.APGDAttack_targeted):
                attack.runs_begun += 1
                name = f"attack/apgd_t/class={attack.runs_begun}"
            self._noise.update({(name, _known_by(image)): own for image, own in zip(images, noise, strict=True)})
            return climb(attack, images, labels, x_init)

        def counting(attack: Any, *given: Any, **named: Any) -> Any:
            attack.runs_begun = 0
            return perturb(attack, *given, **named)

        with (
            patch.object(base.APGDAttack, "attack_single_run", keeping),
            patch.object(base.APGDAttack_targeted, "perturb", counting),
        ):
            yield

    @contextmanager
    def given(self) -> Iterator[None]:
        """Let Paribus's Auto-PGD begin there; where the public one had broken an image before, anywhere."""

        def noise(streams: Streams, name: str, like: Tensor, norm: str) -> Tensor:
            return torch.stack([self._noise.get((name, _known_by(image)), torch.ones_like(image)) for image in like])

        with patch.object(apgd, "start_noise", noise):
            yield


def _known_by(image: Tensor) -> bytes:
    return image.numpy().tobytes()
