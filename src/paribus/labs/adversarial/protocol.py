"""The evaluation protocol: which attacks a configuration means, and towards which classes."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from paribus.errors import ConfigError
from paribus.labs.adversarial.attacks.apgd import APGD, TargetedAPGD
from paribus.labs.adversarial.attacks.autoattack import AutoAttack
from paribus.labs.adversarial.attacks.carlini_wagner import CarliniWagner
from paribus.labs.adversarial.attacks.course import CourseAttack
from paribus.labs.adversarial.attacks.deepfool import DeepFool
from paribus.labs.adversarial.attacks.elastic_net import ElasticNet
from paribus.labs.adversarial.attacks.ensemble import Attack
from paribus.labs.adversarial.attacks.fab import TargetedFAB
from paribus.labs.adversarial.attacks.fgsm import FGSM
from paribus.labs.adversarial.attacks.pgd import PGD, bim, mi_fgsm
from paribus.labs.adversarial.attacks.square import Square
from paribus.labs.adversarial.attacks.uniform_noise import UniformNoise
from paribus.labs.adversarial.experiments import ATTACKS, Course, Protocol
from paribus.spec.context import Context
from paribus.spec.seed import Streams

MEASURED_IN = {"carlini_wagner": "l2", "course": "l2", "elastic_net": "l1"}
"""Attacks that know one norm only."""


def attack_named(name: str, how: Protocol, course: Course | None = None) -> Attack:
    """Return the attack called *name* with the norm, radius and budget of *how*."""
    wanted = MEASURED_IN.get(name, how.norm)
    if wanted != how.norm:
        raise ConfigError(f"the attack {name!r} measures in {wanted}, the protocol in {how.norm}; make them one")
    norm, eps, steps, precision = how.norm, how.eps, how.steps, how.precision
    if name == "noise":
        return UniformNoise(norm=norm, eps=eps, precision=precision)
    if name == "fgsm":
        return FGSM(norm=norm, eps=eps, precision=precision)
    if name == "bim":
        return bim(norm=norm, eps=eps, steps=steps, precision=precision)
    if name == "mi_fgsm":
        return mi_fgsm(norm=norm, eps=eps, steps=steps, precision=precision)
    if name == "pgd":
        return PGD(norm=norm, eps=eps, steps=steps, restarts=how.restarts, precision=precision)
    if name == "apgd_ce":
        return APGD(norm=norm, eps=eps, steps=steps, restarts=how.restarts, precision=precision)
    if name == "apgd_t":
        return TargetedAPGD(norm=norm, eps=eps, steps=steps, precision=precision)
    if name == "fab_t":
        return TargetedFAB(norm=norm, eps=eps, steps=steps, precision=precision)
    if name == "square":
        return Square(norm=norm, eps=eps, queries=how.queries, restarts=how.restarts)
    if name == "autoattack":
        return AutoAttack(norm=norm, eps=eps, steps=steps, queries=how.queries, precision=precision)
    if name == "deepfool":
        return DeepFool(norm=norm, eps=eps, steps=steps, precision=precision)
    if name == "carlini_wagner":
        return CarliniWagner(eps=eps, steps=steps, searches=how.searches, first=1.0, rate=0.1, precision=precision)
    if name == "elastic_net":
        return ElasticNet(eps=eps, steps=steps, searches=how.searches, first=1.0, precision=precision)
    if name == "course":
        return CourseAttack(settings=course or Course(), eps=eps, steps=steps)
    raise ConfigError(f"no attack {name!r}; one of {', '.join(ATTACKS)} is expected")


def attacks_of(how: Protocol, course: Course | None = None, context: Context | None = None) -> dict[str, Attack]:
    """Return the attacks of *how* by name, in their order; for ``autoattack`` the four that it runs, in their place.

    That of the course gives *context* its curves.
    """
    found: dict[str, Attack] = {}
    for name in how.attacks:
        attack = attack_named(name, how, course)
        parts = attack.attacks if isinstance(attack, AutoAttack) else {}
        found |= {f"{name}/{part}": one for part, one in parts.items()} or {name: attack}
        if isinstance(attack, CourseAttack):
            found[name] = dataclasses.replace(attack, context=context)
    return found


def targets(labels: Tensor, classes: int, streams: Streams) -> Tensor:
    """Return for each image a class that is not its label, from the stream ``target``."""
    drawn = streams.generator("target").integers(1, max(2, classes), len(labels))
    return (labels + torch.from_numpy(drawn).to(labels.device)) % classes
