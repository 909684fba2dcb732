"""An attack on one picture while it runs: every attack asks the model, so the model knows how far it is."""

from __future__ import annotations

import time

import torch
from torch import Tensor

from paribus.labs.adversarial.attacks.apgd import APGD, TargetedAPGD
from paribus.labs.adversarial.attacks.autoattack import AutoAttack
from paribus.labs.adversarial.attacks.carlini_wagner import CarliniWagner
from paribus.labs.adversarial.attacks.course import CourseAttack
from paribus.labs.adversarial.attacks.deepfool import DeepFool
from paribus.labs.adversarial.attacks.elastic_net import ElasticNet
from paribus.labs.adversarial.attacks.ensemble import Attack
from paribus.labs.adversarial.attacks.fab import TargetedFAB
from paribus.labs.adversarial.attacks.fgsm import FGSM
from paribus.labs.adversarial.attacks.losses import margin
from paribus.labs.adversarial.attacks.pgd import PGD
from paribus.labs.adversarial.attacks.search import Model
from paribus.labs.adversarial.attacks.sparse_ascent import PHASES
from paribus.labs.adversarial.attacks.square import Square
from paribus.labs.adversarial.attacks.uniform_noise import UniformNoise
from paribus.labs.adversarial.panel import amplified
from paribus.nn.pixels import to_pictures
from paribus.spec.context import Context

SHOW_SECONDS = 0.5
"""How often the picture is shown at most: to make it costs more than a small network's answer."""


class Watched:
    """A model that tells a context how often it has been asked, of how often at most, and what it was shown.

    Its answers are those of the model, to the bit.

    Args:
        model: what is attacked.
        original: the picture (1, 3, H, W), whose answer is the label (1,).
        label: the right answer.
        total: how often an attack asks at most, see :func:`evaluations`.
        context: where progress, the margin of a wrong answer and the picture go.
    """

    def __init__(self, model: Model, original: Tensor, label: Tensor, *, total: int, context: Context) -> None:
        self.model, self.original, self.label, self.total, self.context = model, original, label, total, context
        self.done = 0
        self._shown = -SHOW_SECONDS

    def __call__(self, images: Tensor) -> Tensor:
        """Return the model's logits (B, K) for *images* (B, 3, H, W)."""
        logits = self.model(images)
        self.done += 1
        self.context.progress(min(self.done, self.total), self.total)
        now = time.monotonic()
        if now - self._shown >= SHOW_SECONDS:
            self._shown = now
            with torch.no_grad():
                self.context.scalars(self.done, margin=float(margin(logits[:1].float(), self.label)[0]))
                seen = images[:1].detach()
                self.context.picture("result", to_pictures(seen)[0])
                self.context.picture("perturbation, amplified", amplified(self.original[0], seen[0])[0])
        return logits


def evaluations(attack: Attack, classes: int, *, targeted: bool) -> int:
    """Return how often *attack* asks a model of so many *classes* at most, for one image that is not broken sooner.

    The look at the clean image and that at the result are among them.
    """
    if isinstance(attack, AutoAttack):
        return sum(evaluations(part, classes, targeted=targeted) for part in attack.attacks.values())
    return 2 + _inner(attack, classes, targeted)


def _inner(attack: Attack, classes: int, targeted: bool) -> int:
    def goals(most: int) -> int:
        return 1 if targeted else min(most, classes - 1)

    match attack:
        case UniformNoise(draws=draws):
            return draws
        case FGSM():
            return 2
        case PGD(steps=steps, restarts=restarts):
            return restarts * (steps + 1)
        case APGD(norm=norm, steps=steps, restarts=restarts):
            return restarts * (steps + _starts(norm))
        case TargetedAPGD(norm=norm, steps=steps, classes=most):
            return goals(most) * (steps + _starts(norm))
        case TargetedFAB(steps=steps, classes=most):
            return goals(most) * (2 * steps + 1)  # after an error beyond the radius it looks twice
        case Square(queries=queries, restarts=restarts):
            return restarts * (queries + 1)
        case CarliniWagner(steps=steps, searches=searches):
            return searches * steps
        case ElasticNet(steps=steps, searches=searches):
            return searches * 2 * steps
        case DeepFool(steps=steps) | CourseAttack(steps=steps):
            return steps + 1
    raise TypeError(f"{type(attack).__name__}: how often it asks is not known")


def _starts(norm: str) -> int:
    """Return how many runs' first points Auto-PGD looks at: in ``l1`` one a phase."""
    return len(PHASES) if norm == "l1" else 1
