"""AutoAttack, the standard ensemble (Croce and Hein 2020, "Reliable evaluation", section 5)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from paribus.errors import ConfigError
from paribus.labs.adversarial.attacks.apgd import APGD, TargetedAPGD
from paribus.labs.adversarial.attacks.ensemble import Attack, in_turn
from paribus.labs.adversarial.attacks.fab import TargetedFAB
from paribus.labs.adversarial.attacks.search import Adversarial, Model
from paribus.labs.adversarial.attacks.square import Square
from paribus.spec.seed import Streams


@dataclass(frozen=True, kw_only=True)
class AutoAttack:
    """APGD on cross-entropy, targeted APGD, targeted FAB and Square in this order; only survivors go on.

    In ``l1`` the first has five starts, and the second tries five classes instead of nine (Croce and Hein 2021, "Mind
    the box").

    Args:
        norm: ``linf``, ``l2`` or ``l1``.
        eps: the radius, above 0, in pixels of 1.
        steps: gradient steps of the first three.
        queries: evaluations of Square.
        precision: of the model, see :mod:`paribus.train.precision`; FAB and Square, which live on small differences,
            have float32.
    """

    norm: str = "linf"
    eps: float = 8 / 255
    steps: int = 100
    queries: int = 5000
    precision: str = "float32"

    def __post_init__(self) -> None:
        if self.norm not in ("linf", "l2", "l1"):
            raise ConfigError(
                f"AutoAttack: norm {self.norm!r}; 'linf', 'l2' or 'l1' is expected, which APGD, FAB and Square know"
            )

    @property
    def attacks(self) -> dict[str, Attack]:
        """The four attacks by name, in their order."""
        norm, eps, precision = self.norm, self.eps, self.precision
        restarts, classes = (5, 5) if norm == "l1" else (1, 9)
        return {
            "apgd_ce": APGD(norm=norm, eps=eps, steps=self.steps, restarts=restarts, precision=precision),
            "apgd_t": TargetedAPGD(norm=norm, eps=eps, steps=self.steps, classes=classes, precision=precision),
            "fab_t": TargetedFAB(norm=norm, eps=eps, steps=self.steps),
            "square": Square(norm=norm, eps=eps, queries=self.queries, rescale=False),
        }

    def __call__(
        self, model: Model, images: Tensor, labels: Tensor, *, streams: Streams, target: Tensor | None = None
    ) -> Adversarial:
        """Attack *images* (B, 3, H, W) with *labels* (B,); each attack draws from its own stream."""
        return in_turn(self.attacks, model, images, labels, streams=streams, target=target)[0]
