"""What the protocol's attacks leave of a victim behind its defence: the worst case over them, image by image."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import safetensors.torch
import torch
from torch import Tensor

from paribus.labs.adversarial.attacks.bounds import distance
from paribus.labs.adversarial.attacks.ensemble import Attack
from paribus.labs.adversarial.attacks.search import Adversarial, Model
from paribus.labs.adversarial.defences import Defended
from paribus.labs.adversarial.experiments import Config
from paribus.labs.adversarial.protocol import attacks_of, targets
from paribus.labs.adversarial.watching import unheard, watched
from paribus.spec.context import Context

NAIVE = "naive "
"""What stands before the name of an attack on the bare network, where another goes through the defence."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What the protocol found on N images.

    Args:
        found: the worst case.
        right: (N,) whether the classifier was right on the clean image.
        robust: (N,) whether it was right and stayed so (or did not give the target).
        left: how many images were robust after each attack, in their order.
    """

    found: Adversarial
    right: Tensor
    robust: Tensor
    left: Mapping[str, int]


def evaluate(
    config: Config,
    attacked: Sequence[Defended],
    deployed: Callable[[], Model],
    images: Tensor,
    labels: Tensor,
    classes: int,
    context: Context,
) -> Evaluation:
    """Run the protocol's attacks on each model of *attacked* in turn; a model from *deployed* judges what they found.

    An image is robust where none of all these attacks has broken it. A random defence is judged on one draw for each
    image, the same before and after every attack, so that it is not charged for chance. An attack on the model with the
    defence goes on with the images that none before has broken. The answers of the bare network in front of which a
    defence will stand say nothing of it: each such attack runs on all images, so it finds what it finds where it is the
    only one. The context hears which attack is running, on how many images it still works, and how far it is.

    After each attack the context keeps what is broken; an interrupted evaluation goes on with the next attack.
    """
    targeted = config.attacker.targeted
    target = targets(labels, classes, context.streams) if targeted else None
    attacks, models = _attacks(config, attacked, classes, context)

    def answers(shown: Tensor) -> Tensor:
        with torch.no_grad():
            return deployed()(shown).argmax(dim=1)

    def kept(answer: Tensor) -> Tensor:
        return answer == labels if target is None else answer != target

    clean = answers(images)
    right, state = clean == labels, _State.begin(images, kept(clean))
    state.resume(context, attacked)
    for place, (name, attack) in enumerate(attacks.items()):
        if place < len(state.robust):
            continue
        model = models[name]
        everything = model.defence != config.defence or (place == 0 and not model.random)
        rows = torch.nonzero(state.unbroken | everything).flatten()
        if len(rows):
            goal = None if target is None else target[rows]
            found = attack(model, images[rows], labels[rows], streams=context.streams, target=goal)
            state.take(found, rows, lambda shown: kept(answers(shown)))
        state.robust.append(int((right & state.unbroken).sum()))
        state.keep(context, attacked)
    broken = ~state.unbroken
    far = distance(state.worst, images, config.protocol.norm).masked_fill(~broken, torch.inf)
    worst = Adversarial(state.worst, broken, far, state.queries, torch.full_like(far, -torch.inf))
    return Evaluation(worst, right, right & state.unbroken, dict(zip(attacks, state.robust, strict=True)))


def _attacks(
    config: Config, attacked: Sequence[Defended], classes: int, context: Context
) -> tuple[dict[str, Attack], dict[str, Defended]]:
    """Return all attacks by name, in their order, each watched, and which model each is on."""
    attacks: dict[str, Attack] = {}
    models: dict[str, Defended] = {}
    for index, model in enumerate(attacked):
        heard = unheard(context)
        for name, attack in attacks_of(config.protocol, config.course, heard if index == 0 else None).items():
            attacks[NAIVE * (index > 0) + name] = attack
            models[NAIVE * (index > 0) + name] = model
    random = [name for name, model in models.items() if model.random]
    targeted = config.attacker.targeted
    return watched(attacks, context, classes=classes, targeted=targeted, random=random, strip=True), models


@dataclass(eq=False)
class _State:
    """What is known between two attacks.

    Args:
        worst: (N, 3, H, W), what broke an image, or the image.
        unbroken: (N,) whether nothing has broken it.
        queries: (N,) evaluations so far.
        robust: how many were robust after each attack that is done.
    """

    worst: Tensor
    unbroken: Tensor
    queries: Tensor
    robust: list[int]

    @staticmethod
    def begin(images: Tensor, unbroken: Tensor) -> _State:
        """Return the state before the first attack."""
        return _State(images.clone(), unbroken, torch.zeros_like(unbroken, dtype=torch.int64), [])

    def take(self, found: Adversarial, rows: Tensor, kept: Callable[[Tensor], Tensor]) -> None:
        """Judge by *kept* what was *found* for the images *rows*."""
        shown = self.worst.clone()
        shown[rows] = found.images
        broken = self.unbroken & ~kept(shown)
        self.worst[broken] = shown[broken]
        self.unbroken = self.unbroken & ~broken
        self.queries[rows] += found.queries

    def keep(self, context: Context, attacked: Sequence[Defended]) -> None:
        """Keep the state, and how often each model has drawn: its next draw is named by that."""
        if context.scratch is None:
            return
        tensors = {
            "worst": self.worst,
            "unbroken": self.unbroken,
            "queries": self.queries,
            "robust": torch.tensor(self.robust),
            "calls": torch.tensor([model.calls for model in attacked]),
        }
        context.save_checkpoint(
            bytes(safetensors.torch.save({name: value.cpu().contiguous() for name, value in tensors.items()}))
        )

    def resume(self, context: Context, attacked: Sequence[Defended]) -> None:
        """Take up the state that was kept, if one was."""
        data = context.load_checkpoint()
        if data is None:
            return
        tensors, device = safetensors.torch.load(data), self.worst.device
        self.worst, self.unbroken, self.queries = (
            tensors[name].to(device) for name in ("worst", "unbroken", "queries")
        )
        self.robust = [int(count) for count in tensors["robust"]]
        for model, calls in zip(attacked, tensors["calls"], strict=True):
            model.calls = int(calls)
