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
"""Overfitting to the single step is catastrophic where accuracy under PGD is below this share of the accuracy under one
step: the network has learnt the step and not the ball (Wong, Rice and Kolter 2020, section 5). In sound training the
two lie close together."""
WATCHED = 128
"""Held-out images on which robustness is watched."""
WATCH_STEPS = 10
LOOKS = 10


@dataclass(eq=False)
class Watch:
    """What is seen of robustness while a victim learns.

    Args:
        network: the victim, as it is when looked at.
        images: (N, 3, H, W), held out.
        labels: (N,).
        eps: the radius of the training.
        streams: the trial's.
        robust: accuracy under PGD of ten steps, at each look.
        single: accuracy under one step from the image, at each look.
    """

    network: nn.Module
    images: Tensor
    labels: Tensor
    eps: float
    streams: Streams
    robust: list[float] = field(default_factory=list)
    single: list[float] = field(default_factory=list)

    def look(self) -> Mapping[str, float]:
        """Measure both accuracies."""
        for curve, steps in ((self.robust, WATCH_STEPS), (self.single, 1)):
            attack = PGD(eps=self.eps, steps=steps, step=0.25 if steps > 1 else 1.0, random_start=steps > 1)
            broken = attack(self.network, self.images, self.labels, streams=self.streams).success
            curve.append(1 - float(broken.double().mean()))
        return {"robust_validation": self.robust[-1], "single_step_validation": self.single[-1]}

    @property
    def overfitted(self) -> bool:
        """Whether robustness is lost at the last look."""
        return self.robust[-1] < LOST * self.single[-1]


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
    return {
        "overfitting": float(watch.overfitted),
        "robust_validation": watch.robust[-1],
        "single_step_validation": watch.single[-1],
    }


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
        moved = (images + recipe.eps * noise).clamp(0, 1) - images
        for _ in range(recipe.attack_steps):
            variable = (images + moved).clamp(0, 1).requires_grad_()
            (slope,) = torch.autograd.grad(objective(self.network(variable)), variable)  # type: ignore[operator]
            moved = (moved + recipe.step * recipe.eps * slope.sign()).clamp(-recipe.eps, recipe.eps)
            moved = (images + moved).clamp(0, 1) - images
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
        # The leaf lies behind the cut to [0, 1], whose derivative would be 0 for every black or white pixel.
        moved = (images + self.perturbation).clamp(0, 1).requires_grad_()

        def onward(slope: Tensor) -> None:
            self.perturbation.add_(slope.sign(), alpha=eps).clamp_(-eps, eps)

        moved.register_hook(onward)  # type: ignore[no-untyped-call]
        return F.cross_entropy(self.network(moved), labels)
