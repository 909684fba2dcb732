"""Signs of gradient masking: an evaluation that fails these tests says nothing (Carlini et al. 2019, section 5.2)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from paribus.labs.adversarial.attacks.ensemble import Attack
from paribus.labs.adversarial.attacks.fgsm import FGSM
from paribus.labs.adversarial.attacks.pgd import PGD
from paribus.labs.adversarial.attacks.search import Model
from paribus.labs.adversarial.attacks.square import Square
from paribus.labs.adversarial.attacks.transfer import Transfer
from paribus.labs.adversarial.attacks.uniform_noise import UniformNoise
from paribus.labs.adversarial.experiments import EPS, Protocol
from paribus.labs.adversarial.watching import watched
from paribus.spec.context import Context
from paribus.spec.seed import Streams

SLACK = 0.02
"""A share of the images by which chance may decide between two attacks."""
UNDEFINED = {
    "few_steps": {"l0": "not tested: more steps against fewer, for in l0 short steps stick at the first pixels"},
    "black_box": {"l0": "not tested: a black box, for Square does not know l0"},
}
"""By test, and by the norm in which it is not defined, why it is not made there."""
ALONE = "not tested: transfer, for no other network here knows these classes"


@dataclass(frozen=True, kw_only=True)
class Masking:
    """Shares of the images that attacks break, in one norm; each but ``many_steps`` stands for one test, in the norms
    in which it is defined.

    Args:
        norm, eps: in which norm and with which radius.
        few_steps: PGD with a few steps: many must not break less.
        larger_radius: PGD with as few steps and twice the radius: it must break at least as many as within it.
        one_step: FGSM: a single step must not beat PGD of many.
        many_steps: PGD with five times as many, shorter steps.
        unbounded: PGD that may change every pixel at will: it must break all. Without a bound all norms allow the same
            images, so its steps are those of Linf in each.
        noise: random points: they must not beat PGD of many steps.
        black_box: Square, which sees no gradient: it must not beat PGD of many steps. None where it knows no such norm.
        transfer: PGD of many steps on another network: what it finds must not break more than on this one. None where
            there is no other.
    """

    norm: str
    eps: float
    few_steps: float
    larger_radius: float
    one_step: float
    many_steps: float
    unbounded: float
    noise: float
    black_box: float | None
    transfer: float | None

    @property
    def alarms(self) -> tuple[str, ...]:
        """The tests that fail, in words; none where gradients seem to be of use."""
        found, within, many = [], f" within {self.eps:g} in {self.norm}", self.many_steps
        if self.norm not in UNDEFINED["few_steps"] and self.few_steps > many + SLACK:
            found.append(f"more steps break less{within}: {many:.0%} against {self.few_steps:.0%}")
        if self.one_step > many + SLACK:
            found.append(f"a single step breaks {self.one_step:.0%}{within}, many {many:.0%}")
        if self.larger_radius < self.few_steps - SLACK:
            found.append(f"twice the radius breaks {self.larger_radius:.0%}, not the {self.few_steps:.0%}{within}")
        if self.unbounded < 1:
            found.append(f"an attack without a bound breaks {self.unbounded:.0%}, not all")
        if self.black_box is not None and self.black_box > many + SLACK:
            found.append(f"a black box breaks {self.black_box:.0%}{within}, the gradient {many:.0%}")
        if self.transfer is not None and self.transfer > many + SLACK:
            found.append(f"what breaks another network breaks {self.transfer:.0%}{within}, the gradient {many:.0%}")
        if self.noise > many + SLACK:
            found.append(f"noise breaks {self.noise:.0%}{within}, the gradient {many:.0%}")
        return tuple(found)

    @property
    def untested(self) -> tuple[str, ...]:
        """The tests that were not made, in words, with the reason."""
        undefined = tuple(reasons[self.norm] for reasons in UNDEFINED.values() if self.norm in reasons)
        return undefined if self.transfer is not None else (*undefined, ALONE)

    @property
    def metrics(self) -> dict[str, float]:
        """The same as numbers, each called ``masking_...``; a test that was not made has none of its own."""
        names = ("few_steps", "larger_radius", "one_step", "many_steps", "unbounded", "noise", "black_box", "transfer")
        found = {"alarms": len(self.alarms), "tests": len(names) - 1 - len(self.untested), "eps": self.eps}
        found |= {name: share for name in names if (share := getattr(self, name)) is not None}
        return {f"masking_{name}": float(value) for name, value in found.items()}


def radius(how: Protocol) -> float:
    """Return the radius of the tests: the protocol's own; of one that seeks the nearest error, that of its norm."""
    return how.eps if math.isfinite(how.eps) else EPS[how.norm]


def probes(
    *, norm: str, eps: float, steps: int = 10, queries: int = 100, substitute: Model | None = None
) -> dict[str, Attack]:
    """Return the attacks that the tests compare, by the names of :class:`Masking`'s fields.

    Args:
        norm: of all but the one without a bound.
        eps: the radius, finite.
        steps: of the brief attacks; the others take five times as many, shorter ones.
        queries: of Square.
        substitute: another network for the same classes, or None.
    """
    length = 0.5 if norm == "l0" else 0.1
    many_steps = PGD(norm=norm, eps=eps, steps=5 * steps, step=length)
    found: dict[str, Attack] = {
        "few_steps": PGD(norm=norm, eps=eps, steps=steps),
        "larger_radius": PGD(norm=norm, eps=2 * eps, steps=steps),
        "one_step": FGSM(norm=norm, eps=eps),
        "many_steps": many_steps,
        "unbounded": PGD(norm="linf", eps=1.0, steps=5 * steps, step=0.1),
        "noise": UniformNoise(norm=norm, eps=eps),
    }
    if norm not in UNDEFINED["black_box"]:
        found["black_box"] = Square(norm=norm, eps=eps, queries=queries)
    if substitute is not None:
        found["transfer"] = Transfer(attack=many_steps, substitute=substitute, norm=norm)
    return found


def masking(
    model: Model,
    images: Tensor,
    labels: Tensor,
    streams: Streams,
    *,
    norm: str,
    eps: float,
    steps: int = 10,
    queries: int = 100,
    substitute: Model | None = None,
    context: Context | None = None,
) -> Masking:
    """Test the gradients of *model* on *images* (B, 3, H, W) with *labels* (B,) by :func:`probes`.

    *context* hears how far the tests are.
    """
    shares: dict[str, Any] = {"black_box": None, "transfer": None}
    attacks = probes(norm=norm, eps=eps, steps=steps, queries=queries, substitute=substitute)
    if context is not None:
        random = tuple(attacks) if getattr(model, "random", False) else ()
        attacks = watched(attacks, context, classes=0, random=random, kind="masking test")
    for name, attack in attacks.items():
        shares[name] = float(attack(model, images, labels, streams=streams).success.double().mean())
    return Masking(norm=norm, eps=eps, **shares)
