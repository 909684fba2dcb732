"""Several attacks on one batch, one after the other, the worst case an image: only survivors go on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import torch
from torch import Tensor

from paribus.labs.adversarial.attacks.search import Adversarial, Model, merged
from paribus.spec.seed import Streams


class Attack(Protocol):
    """What every attack is: settings that can be called."""

    def __call__(
        self, model: Model, images: Tensor, labels: Tensor, *, streams: Streams, target: Tensor | None = None
    ) -> Adversarial:
        """Attack *images* (B, 3, H, W) with *labels* (B,); towards *target* (B,) where given."""


def in_turn(
    attacks: Mapping[str, Attack],
    model: Model,
    images: Tensor,
    labels: Tensor,
    *,
    streams: Streams,
    target: Tensor | None = None,
) -> tuple[Adversarial, dict[str, int]]:
    """Run *attacks* in their order; return the worst case, and how many images are unbroken after each.

    An attack draws a row of numbers for each image that it is given, so which numbers a survivor gets depends on which
    others survived with it: two arms whose first attacks differ meet different noise in the second. A stream for each
    image would need the image's place in the whole batch in every call of an attack, and a generator for each image in
    Square's queries, and would change the bits of every random attack.
    """
    found: Adversarial | None = None
    left: dict[str, int] = {}
    for name, attack in attacks.items():
        if found is None:
            found = attack(model, images, labels, streams=streams, target=target)
        else:
            rows = torch.nonzero(~found.success).flatten()
            if len(rows):
                goal = None if target is None else target[rows]
                found = merged(found, attack(model, images[rows], labels[rows], streams=streams, target=goal), rows)
        left[name] = int((~found.success).sum())
    if found is None:
        raise ValueError("no attack was given")
    return found, left
