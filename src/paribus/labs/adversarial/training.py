"""How a victim learns: on images as they are, or on adversarial ones, with catastrophic overfitting noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from paribus.labs.adversarial.attacks.noise import start_noise
from paribus.labs.adversarial.attacks.pgd import PGD
from paribus.labs.adversarial.experiments import Trained
from paribus.spec.context import Context
from paribus.spec.seed import Streams
from paribus.train.batches import Batches
from paribus.train.loop import StepLoss, fit
from paribus.train.optimizer import Adam
from paribus.train.schedule import OneCycle

LOST = 0.5
"""Overfitting is catastrophic where accuracy under PGD falls below this share of the best so far (Wong et al. 2020,
section 5) ..."""
KEPT = 0.9
"""... while accuracy under a single step keeps this share of its best. Where both fall, training is unsteady."""
WATCHED = 128
"""Held-out images on which robustness is watched."""
WATCH_STEPS = 10
LOOKS = 10


@dataclass(eq=False)
class Watch:
    """What is seen of robustness while a victim learns.

    Args:
        best: the largest accuracy under PGD so far.
        overfitted_at: the share of the training after which it was lost, or None.
    """

    network: nn.Module
    images: Tensor
    labels: Tensor
    eps: float
    streams: Streams
    best: float = 0.0
    single_best: float = 0.0
    looks: int = 0
    overfitted_at: float | None = None
    curve: list[float] = field(default_factory=list)

    def look(self) -> Mapping[str, float]:
        """Measure accuracy under PGD of ten steps and under one step, and note whether the first is lost."""
        self.looks += 1
        found = {}
        for name, steps in (("robust_validation", WATCH_STEPS), ("single_step_validation", 1)):
            attack = PGD(eps=self.eps, steps=steps, step=0.25 if steps > 1 else 1.0, random_start=steps > 1)
            broken = attack(self.network, self.images, self.labels, streams=self.streams).success
            found[name] = 1 - float(broken.double().mean())
        robust, single = found["robust_validation"], found["single_step_validation"]
        lost = robust < LOST * self.best and single >= KEPT * self.single_best
        if lost and self.overfitted_at is None:
            self.overfitted_at = self.looks / LOOKS
        self.best, self.single_best = max(self.best, robust), max(self.single_best, single)
        self.curve.append(robust)
        return found


def train(
    network: nn.Module,
    victim: Trained,
    images: Tensor,
    labels: Tensor,
    held_out: tuple[Tensor, Tensor],
    context: Context,
) -> dict[str, float]:
    """Train *network* by the victim's recipe; return ``overfitting`` (0 or 1) and ``robust_validation``, by the watch.

    Args:
        network: whose weights are trained.
        victim: steps, batches, rate, recipe.
        images: (N, 3, H, W) in [0, 1].
        labels: (N,).
        held_out: images and labels on which robustness is watched.
        context: takes curves and checkpoints.
    """
    batches = Batches(len(labels), victim.batch_size, context.streams)
    recipe = victim.recipe
    repeats = recipe.attack_steps if recipe.kind == "free" else 1
    learner = Learner(network, victim, (batches.size, *images.shape[1:]), context.streams)
    learner.to(images.device)
    watch = Watch(network, held_out[0][:WATCHED], held_out[1][:WATCHED], recipe.eps, context.streams)

    def loss(step: int) -> StepLoss:
        rows = torch.from_numpy(batches.indices(step // repeats)).to(images.device)
        found = learner.loss(images[rows], labels[rows], step)
        return StepLoss(found, found)

    watched = recipe.kind != "natural"
    fit(
        loss,
        model=learner,
        optimizer=Adam().build(network.parameters(), rate=0.0),
        rate=OneCycle(peak=victim.rate).rate,
        steps=victim.steps,
        context=context,
        measure=watch.look if watched else None,
        measurements=LOOKS,
    )
    if not watched:
        return {"overfitting": 0.0}
    return {"overfitting": float(watch.overfitted_at is not None), "robust_validation": watch.curve[-1]}


class Learner(nn.Module):
    """The network with what its recipe keeps between steps: Free-AT's perturbation of the batch.

    Args:
        network: the victim.
        victim: its recipe.
        shape: of a batch.
        streams: the trial's.
    """

    perturbation: Tensor

    def __init__(self, network: nn.Module, victim: Trained, shape: tuple[int, ...], streams: Streams) -> None:
        super().__init__()
        self.network, self.recipe, self.streams = network, victim.recipe, streams
        self.register_buffer("perturbation", torch.zeros(shape))

    def loss(self, images: Tensor, labels: Tensor, step: int) -> Tensor:
        """Return the mean loss of step *step* on a batch.

        ``natural``: cross-entropy of the images. ``pgd`` and ``fast``: of adversarial examples from a random start, in
        the ball of radius eps. ``trades``: cross-entropy + beta KL(p(x) || p(x')), x' climbing the second term.
        ``free``: cross-entropy at x + d, where d climbs by a step of eps with the very gradient that trains the
        weights.
        """
        kind = self.recipe.kind
        if kind == "natural":
            return F.cross_entropy(self.network(images), labels)
        if kind == "trades":
            return self._trades(images, labels, step)
        if kind == "free":
            return self._free(images, labels)
        moved = self.climb(images, step, lambda logits: F.cross_entropy(logits, labels))
        return F.cross_entropy(self.network(moved), labels)

    def climb(self, images: Tensor, step: int, objective: object) -> Tensor:
        """Return images moved by the recipe's steps up the *objective*, a function of logits, within eps and [0, 1]."""
        recipe = self.recipe
        noise = start_noise(self.streams, f"training/start/step={step}", images, "linf")
        moved = recipe.eps * noise
        for _ in range(recipe.attack_steps):
            variable = (images + moved).clamp(0, 1).requires_grad_()
            (slope,) = torch.autograd.grad(objective(self.network(variable)), variable)  # type: ignore[operator]
            moved = (moved + recipe.step * recipe.eps * slope.sign()).clamp(-recipe.eps, recipe.eps)
        return (images + moved).clamp(0, 1)

    def _trades(self, images: Tensor, labels: Tensor, step: int) -> Tensor:
        with torch.no_grad():
            still = F.log_softmax(self.network(images), dim=1)

        def apart(logits: Tensor) -> Tensor:
            return F.kl_div(F.log_softmax(logits, dim=1), still, log_target=True, reduction="batchmean")

        moved = self.climb(images, step, apart)
        clean, other = self.network(torch.cat([images, moved])).chunk(2)
        gap = F.kl_div(F.log_softmax(other, dim=1), F.log_softmax(clean, dim=1), log_target=True, reduction="batchmean")
        return F.cross_entropy(clean, labels) + self.recipe.beta * gap

    def _free(self, images: Tensor, labels: Tensor) -> Tensor:
        eps = self.recipe.eps
        moved = self.perturbation.clone().requires_grad_()

        def onward(slope: Tensor) -> None:
            self.perturbation.add_(slope.sign(), alpha=eps).clamp_(-eps, eps)

        moved.register_hook(onward)  # type: ignore[no-untyped-call]
        return F.cross_entropy(self.network((images + moved).clamp(0, 1)), labels)
