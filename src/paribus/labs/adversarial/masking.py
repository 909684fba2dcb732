"""Signs of gradient masking: an evaluation that fails these tests says nothing (Carlini et al. 2019, section 5.2)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from paribus.labs.adversarial.attacks.pgd import PGD
from paribus.labs.adversarial.attacks.search import Model
from paribus.labs.adversarial.attacks.square import Square
from paribus.labs.adversarial.attacks.uniform_noise import UniformNoise
from paribus.spec.seed import Streams

SLACK = 0.02
"""A share of the images by which chance may decide between two attacks."""


@dataclass(frozen=True)
class Masking:
    """Shares of the images that attacks break; each pair stands for one test.

    Args:
        few_steps, many_steps: PGD with a few steps, and with five times as many: more must not break less.
        unbounded: PGD that may change every pixel at will: it must break all.
        black_box: Square, which sees no gradient: it must not beat PGD of many steps.
        noise: random points: they must not beat PGD of many steps.
    """

    few_steps: float
    many_steps: float
    unbounded: float
    black_box: float
    noise: float

    @property
    def alarms(self) -> tuple[str, ...]:
        """The tests that fail, in words; none where gradients seem to be of use."""
        found = []
        if self.many_steps < self.few_steps - SLACK:
            found.append(f"more steps break less: {self.many_steps:.0%} against {self.few_steps:.0%}")
        if self.unbounded < 1:
            found.append(f"an attack without a bound breaks {self.unbounded:.0%}, not all")
        if self.black_box > self.many_steps + SLACK:
            found.append(f"a black box breaks {self.black_box:.0%}, the gradient {self.many_steps:.0%}")
        if self.noise > self.many_steps + SLACK:
            found.append(f"noise breaks {self.noise:.0%}, the gradient {self.many_steps:.0%}")
        return tuple(found)


def masking(
    model: Model, images: Tensor, labels: Tensor, streams: Streams, *, eps: float, steps: int = 10, queries: int = 100
) -> Masking:
    """Test the gradients of *model* on *images* (B, 3, H, W) with *labels* (B,), in Linf with radius *eps*.

    Args:
        steps: of the brief attack; the others take five times as many.
        queries: of Square.
    """

    def share(attack: PGD | Square | UniformNoise) -> float:
        return float(attack(model, images, labels, streams=streams).success.double().mean())

    return Masking(
        few_steps=share(PGD(eps=eps, steps=steps)),
        many_steps=share(PGD(eps=eps, steps=5 * steps, step=0.1)),
        unbounded=share(PGD(eps=1.0, steps=5 * steps, step=0.1)),
        black_box=share(Square(eps=eps, queries=queries)),
        noise=share(UniformNoise(eps=eps)),
    )
