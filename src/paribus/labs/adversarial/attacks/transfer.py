"""What breaks another network, tried on the model: an attack that needs no gradient of it."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from paribus.labs.adversarial.attacks.ensemble import Attack
from paribus.labs.adversarial.attacks.search import Adversarial, Model, Search
from paribus.spec.seed import Streams


@dataclass(frozen=True, eq=False, kw_only=True)
class Transfer:
    """An attack is made on a substitute, and the model is asked once about what it found (Papernot et al. 2017).

    Args:
        attack: what is made on the substitute.
        substitute: another network for the same classes. One that is marked as a stand-in is attacked until it errs by
            the most, which carries further than the first error.
        norm: that of the attack, in which distances are told.
    """

    attack: Attack
    substitute: Model
    norm: str

    def __call__(
        self, model: Model, images: Tensor, labels: Tensor, *, streams: Streams, target: Tensor | None = None
    ) -> Adversarial:
        """Attack the substitute on *images* (B, 3, H, W) with *labels* (B,), and offer the model what that gave."""
        search = Search(model, images, labels, norm=self.norm, target=target)
        which = search.alive
        if len(which):
            goal = None if target is None else target[which]
            moved = self.attack(self.substitute, images[which], labels[which], streams=streams, target=goal).images
            search.offer(moved.float(), search.logits(moved.float(), which), which)
        return search.result()
