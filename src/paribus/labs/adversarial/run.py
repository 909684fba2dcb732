"""One trial: a victim, trained or fixed, behind its defence, under the protocol's attacks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from paribus.labs.adversarial.attacks.bounds import distance
from paribus.labs.adversarial.data import part, tensors
from paribus.labs.adversarial.defences import Defended, is_random
from paribus.labs.adversarial.evaluation import Evaluation, evaluate
from paribus.labs.adversarial.experiments import Config, Defence, Protocol, Recipe, Trained
from paribus.labs.adversarial.masking import masking, probes, radius
from paribus.labs.adversarial.panel import panel
from paribus.labs.adversarial.protocol import attacks_of
from paribus.labs.adversarial.training import train
from paribus.labs.adversarial.victim import build, fixed, frozen
from paribus.labs.adversarial.watching import evaluations, stages
from paribus.nn.networks.load import CIFAR10
from paribus.nn.networks.names import embedded
from paribus.spec.context import Context, Diverged, Progress, Report
from paribus.spec.seed import Streams
from paribus.train.arithmetic import reproducible

DRAWS = 10
"""How many draws of a random defence its natural accuracy is the mean over."""
MASKING_IMAGES = 32
"""On how many images, of those that are classified right, the tests for masked gradients are made."""


def run(config: Config, context: Context) -> Mapping[str, float]:
    """Return the final metrics of a trial.

    ``natural_accuracy``: the share of the images on which the classifier, with its defence, is right, by the one draw
    of a random defence on which the attacks are judged. ``defended_accuracy``: the same as the mean over ten draws of
    each image; what it lacks to that of an arm without the defence is what the defence costs. Without a random defence
    both are one.
    ``robust_accuracy``: the share on which it is right and no attack of the protocol, in any restart, changed that; of
    an adaptive attacker neither an attack through the defence nor one on the bare network.
    ``attack_success``: of the images it got right, the share that was broken. ``median_distance``: over
    all that it got right, in the protocol's norm; one that was not broken counts as the largest distance between two
    images (1 in Linf, the root of their numbers in L2, their number in L1), so that failing never looks near.
    ``queries``: evaluations of the network an image.
    ``masking_alarms``: how many of ``masking_tests`` tests for masked gradients fail (see :class:`Masking`), on the
    model attacked, in the protocol's norm within ``masking_eps``: its radius, or the norm's usual one where it has
    none. ``masking_many_steps``, ``masking_one_step``, ``masking_larger_radius``, ``masking_unbounded``,
    ``masking_noise``, ``masking_few_steps``, ``masking_black_box`` and ``masking_transfer``: the shares that they
    broke; ``few_steps`` and ``black_box`` are not defined in L0, ``transfer`` needs another network.
    ``overfitting``: 1 where training on adversarial examples has taught the single step and not the ball, else 0.

    Raises:
        Diverged: the victim's training left the numbers: the loss, or what the network makes of a clean image.
    """
    with reproducible(context.device):
        test = part(config, "test")
        learning, attacking, comparing, testing = _stages(config, len(test.classes), context)
        network, metrics = victim_of(config, learning)
        images, labels = tensors(test, torch.device(context.device))
        with torch.no_grad():
            if not bool(network(images).isfinite().all()):  # the largest of what is no number is the first class
                raise Diverged("the victim's answers to clean images are not finite")
        attacked = attackers(config, network, context)

        def deployed() -> Defended:
            return Defended(network, config.defence, context.streams, "deployed")

        found = evaluate(config, attacked, deployed, images, labels, len(test.classes), attacking)
        defended = defended_accuracy(network, config.defence, images, labels, context.streams)
        _tell(found, images, context)
        attacked[0].stand_in = False  # the tests for masking are about this very model
        right = images[found.right], labels[found.right]
        masked = _masked(config, attacked[0], *right, comparing=comparing, testing=testing)
        measured = _measured(found, images, config.protocol.norm)
        return {**metrics, **measured, "defended_accuracy": defended, **masked}


def victim_of(config: Config, context: Context) -> tuple[nn.Module, dict[str, float]]:
    """Return the network under attack, frozen, and what its training says of itself."""
    device = torch.device(context.device)
    if not isinstance(config.victim, Trained):
        return frozen(fixed(config, part(config, "test").classes, context.streams).to(device)), {"overfitting": 0.0}
    learnt, held_out = part(config, "train"), part(config, "validation")
    network = build(config.victim, len(learnt.classes), context.streams).to(device)
    metrics = train(network, config.victim, *tensors(learnt, device), tensors(held_out, device), context)
    return frozen(network), metrics


def substitute_for(config: Config) -> Config | None:
    """Return *config* with another victim that knows the same classes, or None where there is no other.

    In place of a trained victim stands one of its architecture that learns from images as they are; in place of a fixed
    one an embedded network, one that was trained in the same way where there is another.
    """
    if isinstance(config.victim, Trained):
        return dataclasses.replace(config, victim=dataclasses.replace(config.victim, recipe=Recipe()))
    if part(config, "test").classes != CIFAR10:
        return None
    victim = config.victim
    other = min((one for one in embedded() if one != victim), key=lambda one: one.weights != victim.weights)
    return dataclasses.replace(config, victim=other)


def substitute_of(config: Config, context: Context) -> Defended | None:
    """Return the network of :func:`substitute_for`, a stand-in for the victim in an attack that is carried over.

    One that is trained learns from a seed of its own, the stream ``substitute``, and nothing is kept of its training.
    """
    other = substitute_for(config)
    if other is None:
        return None

    def emit(report: Report) -> None:
        if isinstance(report, Progress):
            context.emit(dataclasses.replace(report, doing="a substitute for the masking tests"))

    apart = dataclasses.replace(context, seed=context.streams.integer("substitute"), scratch=None, emit=emit)
    model = Defended(victim_of(other, apart)[0], None, context.streams, "substitute")
    model.stand_in = True
    return model


def attacked_by(config: Config, network: nn.Module, context: Context) -> Defended:
    """Return the model that the attacker has before its eyes: the bare network, or the network behind the defence.

    It stands in for the one that decides, where that has a defence more, or the same with other draws: then an attack
    does not end at the first error, but goes on to the point that errs by the most.
    """
    seen = config.defence if config.attacker.adaptive else None
    model = Defended(network, seen, context.streams, "attacker", config.attacker.draws)
    model.stand_in = seen != config.defence or model.random
    return model


def attackers(config: Config, network: nn.Module, context: Context) -> tuple[Defended, ...]:
    """Return all models that the protocol's attacks are made on, :func:`attacked_by` first.

    Who goes through a defence can as well leave it out, so an adaptive attacker also makes the naive attacks.
    """
    first = attacked_by(config, network, context)
    if first.defence is None:
        return (first,)
    bare = Defended(network, None, context.streams, "attacker")
    bare.stand_in = True
    return first, bare


def defended_accuracy(
    network: nn.Module, defence: Defence | None, images: Tensor, labels: Tensor, streams: Streams
) -> float:
    """Return the share of the clean *images* (N, 3, H, W) with *labels* (N,) that are classified right by *network*.

    It is behind the *defence*, of a random one the mean over DRAWS draws from ``defence/natural/call=K``.
    """
    behind = Defended(network, defence, streams, "natural")
    with torch.no_grad():
        right = [behind(images).argmax(dim=1) == labels for _ in range(DRAWS if is_random(defence) else 1)]
    return float(torch.stack(right).double().mean())


def _stages(config: Config, classes: int, context: Context) -> list[Context]:
    """Return the contexts of training, of the protocol's attacks, of a substitute's training and of the tests for
    masking: one progress over all.
    """
    how, attacker = config.protocol, config.attacker
    random = attacker.adaptive and is_random(config.defence)
    steps = config.victim.steps if isinstance(config.victim, Trained) else 0
    attacks = attacks_of(how, config.course).values()
    kinds = (random, False) if attacker.adaptive and config.defence is not None else (random,)
    asked = sum(evaluations(one, classes, targeted=attacker.targeted, random=kind) for kind in kinds for one in attacks)
    counted = None if substitute_for(config) is None else nn.Identity()  # in place of a substitute that comes later
    tests = probes(**_probing(how), substitute=counted).values()
    looks = sum(evaluations(one, classes, random=random) for one in tests)
    learning, attacking, comparing, testing = stages(context, (steps, asked, steps, looks))
    if context.scratch is not None:  # the victim's training keeps its own state there
        attacking = dataclasses.replace(attacking, scratch=context.scratch / "attacks")
    return [learning, attacking, comparing, testing]


def _probing(how: Protocol) -> dict[str, Any]:
    """Return what decides the tests for masking."""
    return {"norm": how.norm, "eps": radius(how), "steps": min(10, how.steps), "queries": how.queries}


def _measured(found: Evaluation, images: Tensor, norm: str) -> dict[str, float]:
    right, robust = found.right, found.robust
    broken = right & ~robust
    farthest = distance(torch.ones_like(images[:1]), torch.zeros_like(images[:1]), norm)
    far = torch.where(broken, distance(found.found.images, images, norm), farthest)[right]
    return {
        "natural_accuracy": float(right.double().mean()),
        "robust_accuracy": float(robust.double().mean()),
        "attack_success": float(broken.sum()) / max(1, int(right.sum())),
        "median_distance": float(far.median()) if len(far) else float(farthest),
        "queries": float(found.found.queries.double().mean()),
    }


def _masked(
    config: Config, model: Defended, images: Tensor, labels: Tensor, *, comparing: Context, testing: Context
) -> dict[str, float]:
    if len(labels) == 0:
        return {"masking_alarms": 0.0, "masking_tests": 0.0}
    some, other = (images[:MASKING_IMAGES], labels[:MASKING_IMAGES]), substitute_of(config, comparing)
    how = _probing(config.protocol)
    return masking(model, *some, testing.streams, substitute=other, context=testing, **how).metrics


def _tell(found: Evaluation, images: Tensor, context: Context) -> None:
    """Report image by image what held, and show the first image that did not."""
    context.outcomes("robust_accuracy", found.robust.cpu().numpy())
    context.outcomes("natural_accuracy", found.right.cpu().numpy())
    context.artifact("distance", found.found.distance.cpu().numpy())
    broken = torch.nonzero(found.right & ~found.robust).flatten()
    if len(broken):
        row = int(broken[0])
        shown, factor = panel(images[row], found.found.images[row])
        context.artifact(f"picture/original, perturbation ({factor:.0f} times) and result", shown)
        context.picture("result", shown)
