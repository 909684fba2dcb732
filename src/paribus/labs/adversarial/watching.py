"""Attacks while they run: every attack asks the model, so the model knows how far it is. One way for trial and verb."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Collection, Mapping, Sequence

import torch
from torch import Tensor

from paribus.labs.adversarial.attacks.apgd import APGD, TargetedAPGD
from paribus.labs.adversarial.attacks.carlini_wagner import CarliniWagner
from paribus.labs.adversarial.attacks.course import CourseAttack
from paribus.labs.adversarial.attacks.deepfool import DeepFool
from paribus.labs.adversarial.attacks.elastic_net import ElasticNet
from paribus.labs.adversarial.attacks.ensemble import Attack
from paribus.labs.adversarial.attacks.fab import TargetedFAB
from paribus.labs.adversarial.attacks.fgsm import FGSM
from paribus.labs.adversarial.attacks.losses import margin
from paribus.labs.adversarial.attacks.pgd import PGD
from paribus.labs.adversarial.attacks.search import CONFIRMATIONS, Adversarial, Model
from paribus.labs.adversarial.attacks.sparse_ascent import PHASES
from paribus.labs.adversarial.attacks.square import Square
from paribus.labs.adversarial.attacks.transfer import Transfer
from paribus.labs.adversarial.attacks.uniform_noise import UniformNoise
from paribus.labs.adversarial.panel import amplified
from paribus.labs.adversarial.strip import Strip
from paribus.nn.pixels import to_pictures
from paribus.spec.context import Context, Picture, Progress, Report
from paribus.spec.seed import Streams

SHOW_SECONDS = 0.5
"""How often it is told at most how far an attack is: to show a picture costs more than a small network's answer."""


class Watched:
    """A model that tells a context how often it has been asked, of how often at most, and what it was shown.

    Its answers are those of the model, to the bit. How many images it is asked about at once is how many the attack
    still works on: those that stand, where it lets broken ones go. Where an attack makes several runs at once, it says
    so in ``side_by_side``, and each time counts as so many.

    Args:
        model: what is attacked.
        originals: the images (B, 3, H, W), before any change.
        labels: the right answers (B,).
        total: how often the attack asks at most, see :func:`evaluations`.
        what: the attack, in a few words.
        context: where progress and pictures go.
        strip: looks at what the model is shown while there is one run; None for nobody.
    """

    def __init__(
        self,
        model: Model,
        originals: Tensor,
        labels: Tensor,
        *,
        total: int,
        what: str,
        context: Context,
        strip: Strip | None = None,
    ) -> None:
        self.model, self.originals, self.labels, self.total = model, originals, labels, total
        self.strip = strip
        self.what, self.context = what, context
        self.random, self.stand_in = getattr(model, "random", False), getattr(model, "stand_in", False)
        self.done = self._most = 0
        self.side_by_side = 1
        self._told = -SHOW_SECONDS

    def __call__(self, images: Tensor) -> Tensor:
        """Return the model's logits (B, K) for *images* (B, 3, H, W)."""
        if self.strip is not None and self.side_by_side == 1:
            self.strip.see(images.detach())
        return self._answered(self.model(images), images)

    def in_sequence(self) -> list[Model]:
        """Return what is run one after the other: an attack that runs the model's layers itself is watched too."""
        return [self.model, self._answered]

    def _answered(self, logits: Tensor, images: Tensor | None = None) -> Tensor:
        self.done += self.side_by_side
        self._most = max(self._most, -(-len(logits) // self.side_by_side))  # a find that is confirmed asks about fewer
        now = time.monotonic()
        if now - self._told >= SHOW_SECONDS:
            self._told = now
            with torch.no_grad():
                self._tell(logits[0].detach().float())
                if images is not None:
                    self._show(images[0].detach())
            self._most = 0
        return logits

    def _tell(self, logits: Tensor) -> None:
        count = len(self.originals)
        if count == 1:
            how_far = f"margin {float(margin(logits[None], self.labels)[0]):.3g}"
        else:
            how_far = f"on {self._most} of {count} images"
        self.context.progress(min(self.done, self.total), self.total, f"{self.what}, {how_far}")

    def _show(self, image: Tensor) -> None:
        row = int((self.originals - image).flatten(1).abs().sum(dim=1).argmin())  # others may have left the batch
        self.context.picture("perturbation, amplified", amplified(self.originals[row], image)[0])
        self.context.picture("result", to_pictures(image[None])[0])


@dataclasses.dataclass(frozen=True, eq=False)
class WatchedAttack:
    """An attack whose model is watched; it finds what the attack finds.

    Args:
        attack: what is run.
        what: its name, and which of how many it is.
        total: how often it asks at most for one draw of a model.
        context: where its progress goes, and its strip.
        strip: whether it gives one: how the first image's perturbation comes about.
    """

    attack: Attack
    what: str
    total: int
    context: Context
    strip: bool = False

    def __call__(
        self, model: Model, images: Tensor, labels: Tensor, *, streams: Streams, target: Tensor | None = None
    ) -> Adversarial:
        """Attack as the attack does, and say when it is done, however few evaluations it took."""
        strip = Strip(images) if self.strip else None
        watched = Watched(model, images, labels, total=self.total, what=self.what, context=self.context, strip=strip)
        found = self.attack(watched, images, labels, streams=streams, target=target)
        self.context.progress(self.total, self.total, self.what)
        frames = None if strip is None else strip.frames(found)
        if frames is not None:
            self.context.artifact("strip", frames)
        return found


def watched(
    attacks: Mapping[str, Attack],
    context: Context,
    *,
    classes: int,
    targeted: bool = False,
    random: Collection[str] = (),
    kind: str = "attack",
    strip: bool = False,
) -> dict[str, Attack]:
    """Return *attacks* so that each tells *context* how far it is, of all of them one after the other.

    With *strip* the first that does more than draw noise also gives a strip, see :class:`.Strip`; of Square, where it
    runs the network's layers itself, of the few looks at whole images; of an attack that makes several runs side by
    side, of the first, which is made alone.

    Args:
        attacks: by name, none of them an ensemble.
        context: takes progress and pictures.
        classes: of the model.
        targeted: whether there is a target.
        random: the names of those whose model is; each look at it may then be confirmed by others.
        kind: what is counted.
    """
    lengths = [
        evaluations(attack, classes, targeted=targeted, random=name in random) for name, attack in attacks.items()
    ]
    found: dict[str, Attack] = {}
    for place, (name, attack) in enumerate(attacks.items()):
        what = name if len(attacks) == 1 else f"{name}, {kind} {place + 1} of {len(attacks)}"
        shows = strip and not isinstance(attack, UniformNoise)
        strip = strip and not shows
        found[name] = WatchedAttack(attack, what, lengths[place], stages(context, lengths)[place], shows)
    return found


def stages(context: Context, lengths: Sequence[int]) -> list[Context]:
    """Return a context for each of several stages of so many steps, whose progress is that of all of them in turn."""

    def stage(before: int) -> Context:
        def emit(report: Report) -> None:
            if isinstance(report, Progress):
                report = dataclasses.replace(report, done=before + report.done, total=sum(lengths))
            context.emit(report)

        return dataclasses.replace(context, emit=emit)

    return [stage(sum(lengths[:place])) for place in range(len(lengths))]


def unheard(context: Context) -> Context:
    """Return *context* without ears for progress and pictures: of an attack that is watched already."""

    def emit(report: Report) -> None:
        if not isinstance(report, Progress | Picture):
            context.emit(report)

    return dataclasses.replace(context, emit=emit)


def evaluations(attack: Attack, classes: int, *, targeted: bool = False, random: bool = False) -> int:
    """Return how often *attack* asks a model of so many *classes* at most, where no image is broken sooner.

    The look at the clean image and that at the result are among them.
    """
    return (2 + _inner(attack, classes, targeted, random)) * (1 + CONFIRMATIONS if random else 1)


def _inner(attack: Attack, classes: int, targeted: bool, random: bool) -> int:
    def goals(most: int) -> int:
        return 1 if targeted else min(most, classes - 1)

    match attack:
        case UniformNoise(draws=draws):
            return draws
        case FGSM():
            return 2
        case Transfer():
            return 1  # the substitute is asked the rest
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
            return searches * (steps if random else 2 * steps)  # where nothing was lacking it looks before a gradient
        case ElasticNet(steps=steps, searches=searches):
            return searches * (2 * steps if random else 3 * steps)
        case DeepFool(steps=steps) | CourseAttack(steps=steps):
            return steps + 1
    raise TypeError(f"{type(attack).__name__}: how often it asks is not known")


def _starts(norm: str) -> int:
    """Return how many runs' first points Auto-PGD looks at: in ``l1`` one a phase."""
    return len(PHASES) if norm == "l1" else 1
