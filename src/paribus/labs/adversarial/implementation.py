"""The code that a field's value stands for, so that a difference can be shown as source."""

from __future__ import annotations

from typing import Any

from paribus.labs.adversarial.attacks.ensemble import in_turn
from paribus.labs.adversarial.attacks.search import Search
from paribus.labs.adversarial.defences import Defended, blurred, through_jpeg, transformed, turned
from paribus.labs.adversarial.experiments import Affine, Attacker, Blur, Jpeg, Protocol, Recipe, SaltAndPepper, Trained
from paribus.labs.adversarial.protocol import attack_named
from paribus.labs.adversarial.training import Learner
from paribus.labs.adversarial.victim import SmallNetwork
from paribus.nn.networks.load import load
from paribus.nn.networks.names import Fixed

_CODE: dict[type, object] = {
    Affine: turned,
    SaltAndPepper: transformed,
    Blur: blurred,
    Jpeg: through_jpeg,
    Attacker: Defended,
    Recipe: Learner,
    Trained: SmallNetwork,
    Fixed: load,
}


def implementation(path: str, value: Any) -> object | None:
    """Return the function or class that computes what the field at *path* says with *value*, or None."""
    attacks = value.attacks if isinstance(value, Protocol) else value if path == "protocol.attacks" else None
    if attacks is not None:
        if len(attacks) > 1:
            return in_turn
        return type(attack_named(attacks[0], Protocol(norm="l2") if attacks[0] in ("carlini_wagner", "course")
                                 else Protocol(norm="l1") if attacks[0] == "elastic_net" else Protocol()))  # fmt: skip
    if isinstance(value, Trained) and value.recipe.kind != "natural":
        return Learner
    return Search if path == "protocol.precision" else _CODE.get(type(value))
