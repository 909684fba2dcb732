"""The evaluation protocol: which attacks a configuration means, and the worst case over them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from paribus.errors import ConfigError
from paribus.labs.adversarial.attacks.apgd import APGD, TargetedAPGD
from paribus.labs.adversarial.attacks.autoattack import AutoAttack
from paribus.labs.adversarial.attacks.bounds import distance
from paribus.labs.adversarial.attacks.carlini_wagner import CarliniWagner
from paribus.labs.adversarial.attacks.course import CourseAttack
from paribus.labs.adversarial.attacks.deepfool import DeepFool
from paribus.labs.adversarial.attacks.elastic_net import ElasticNet
from paribus.labs.adversarial.attacks.ensemble import Attack, in_turn
from paribus.labs.adversarial.attacks.fab import TargetedFAB
from paribus.labs.adversarial.attacks.fgsm import FGSM
from paribus.labs.adversarial.attacks.pgd import PGD, bim, mi_fgsm
from paribus.labs.adversarial.attacks.search import Adversarial, Model
from paribus.labs.adversarial.attacks.square import Square
from paribus.labs.adversarial.attacks.uniform_noise import UniformNoise
from paribus.labs.adversarial.experiments import ATTACKS, Config, Course, Protocol
from paribus.labs.adversarial.watching import unheard, watched
from paribus.spec.context import Context
from paribus.spec.seed import Streams

MEASURED_IN = {"carlini_wagner": "l2", "course": "l2", "elastic_net": "l1"}
"""Attacks that know one norm only."""


def attack_named(name: str, how: Protocol, course: Course | None = None, context: Context | None = None) -> Attack:
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
        return PGD(norm=norm, eps=eps, steps=steps, restarts=how.restarts, precision=precision, context=context)
    if name == "apgd_ce":
        return APGD(norm=norm, eps=eps, steps=steps, restarts=how.restarts, precision=precision)
    if name == "apgd_t":
        return TargetedAPGD(norm=norm, eps=eps, steps=steps, precision=precision)
    if name == "fab_t":
        return TargetedFAB(norm=norm, eps=eps, steps=steps, precision=precision)
    if name == "square":
        return Square(norm=norm, eps=eps, queries=how.queries, restarts=how.restarts, precision=precision)
    if name == "autoattack":
        return AutoAttack(norm=norm, eps=eps, steps=steps, queries=how.queries, precision=precision)
    if name == "deepfool":
        return DeepFool(norm=norm, eps=eps, steps=steps, precision=precision)
    if name == "carlini_wagner":
        return CarliniWagner(eps=eps, steps=steps, searches=how.searches, first=1.0, rate=0.1, precision=precision)
    if name == "elastic_net":
        return ElasticNet(eps=eps, steps=steps, searches=how.searches, first=1.0, precision=precision)
    if name == "course":
        return CourseAttack(settings=course or Course(), eps=eps, steps=steps, context=context)
    raise ConfigError(f"no attack {name!r}; one of {', '.join(ATTACKS)} is expected")


def attacks_of(how: Protocol, course: Course | None = None, context: Context | None = None) -> dict[str, Attack]:
    """Return the attacks of *how* by name, in their order; for ``autoattack`` the four that it runs, in their place."""
    found: dict[str, Attack] = {}
    for name in how.attacks:
        attack = attack_named(name, how, course, context)
        parts = attack.attacks if isinstance(attack, AutoAttack) else {}
        found |= {f"{name}/{part}": one for part, one in parts.items()} or {name: attack}
    return found


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What the protocol found on N images.

    Args:
        found: the worst case.
        right: (N,) whether the classifier was right on the clean image.
        robust: (N,) whether it was right and stayed so (or did not give the target).
        left: how many images each attack left unbroken, in their order.
    """

    found: Adversarial
    right: Tensor
    robust: Tensor
    left: Mapping[str, int]


def evaluate(
    config: Config,
    attacked: Model,
    deployed: Callable[[], Model],
    images: Tensor,
    labels: Tensor,
    classes: int,
    context: Context,
) -> Evaluation:
    """Run the protocol's attacks on the model *attacked*; what they found is judged by a model from *deployed*.

    A random defence is judged on one draw for each image, the same before and after the attack, so that it is not
    charged for chance; what a success is within an attack, the mean over the attacker's draws says. Where *attacked* is
    a stand-in, its answers say nothing of the defence: each attack runs on all images, and each result is judged.
    The context hears which attack is running, on how many images it still works, and how far it is.
    """
    how, targeted = config.protocol, config.attacker.targeted
    attacks = watched(
        attacks_of(how, config.course, unheard(context)),
        context, classes=classes, targeted=targeted, random=bool(getattr(attacked, "random", False)),
    )  # fmt: skip
    target = targets(labels, classes, context.streams) if targeted else None

    def kept(shown: Tensor) -> Tensor:
        with torch.no_grad():
            answer = deployed()(shown).argmax(dim=1)
        return answer == labels if target is None else answer != target

    with torch.no_grad():
        right = deployed()(images).argmax(dim=1) == labels
    if not getattr(attacked, "stand_in", False):
        found, left = in_turn(attacks, attacked, images, labels, streams=context.streams, target=target)
        return Evaluation(found, right, right & kept(found.images), left)
    robust, left = right.clone(), {}
    worst, queries = images.clone(), torch.zeros(len(images), dtype=torch.int64, device=images.device)
    for name, attack in attacks.items():
        found = attack(attacked, images, labels, streams=context.streams, target=target)
        broken = robust & ~kept(found.images)
        worst[broken] = found.images[broken]
        robust, queries = robust & ~broken, queries + found.queries
        left[name] = int(robust.sum())
    broken = right & ~robust
    far = distance(worst, images, how.norm).masked_fill(~broken, torch.inf)
    return Evaluation(Adversarial(worst, broken, far, queries, torch.full_like(far, -torch.inf)), right, robust, left)


def targets(labels: Tensor, classes: int, streams: Streams) -> Tensor:
    """Return for each image a class that is not its label, from the stream ``target``."""
    drawn = streams.generator("target").integers(1, max(2, classes), len(labels))
    return (labels + torch.from_numpy(drawn).to(labels.device)) % classes
