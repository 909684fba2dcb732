"""The training of a network: what a trial and the recipe of the shipped weights share."""

from __future__ import annotations

import torch

from paribus.labs.textsnake.data import Batches
from paribus.labs.textsnake.experiments import LossWeights, Network, Training
from paribus.labs.textsnake.loss import losses
from paribus.labs.textsnake.model import TextSnake, build, scaled
from paribus.spec.context import Context
from paribus.train.arithmetic import autocast
from paribus.train.loop import StepLoss, fit

LOSS_LIMIT = 1e3
"""A mean loss above it is no longer about the data: one that knows nothing is near 3."""


def train(network: Network, weights: LossWeights, training: Training, context: Context, workers: int = 0) -> TextSnake:
    """Return the trained network, in evaluation mode.

    The learning curve shows the loss and the mean of each of its five terms at the last step of a point.

    Raises:
        Diverged: the loss is not finite, or absurd.
    """
    device = torch.device(context.device)
    model = build(network, context.streams).to(device).to(memory_format=torch.channels_last)
    batches = Batches(training, context.seed, workers)
    terms: dict[str, torch.Tensor] = {}

    def step(number: int) -> StepLoss:
        images, target = batches.take(number, device)
        with autocast(context.device, training.precision):
            maps = model(scaled(images))
        found = losses(maps, target, weights)
        terms.update({f"{name}_loss": value.detach() for name, value in found.items()})
        total = torch.stack(list(found.values())).sum()
        return StepLoss(total, total)

    fit(
        step,
        model=model.train(),
        optimizer=training.optimizer.build(model.parameters(), rate=0.0),
        rate=training.schedule.rate,
        steps=training.steps,
        context=context,
        measure=lambda: {name: float(value) for name, value in terms.items()},
        measurements=30,
        limit=LOSS_LIMIT,
    )
    return frozen(model)


def frozen(model: TextSnake) -> TextSnake:
    """Return *model* in evaluation mode, without gradients."""
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    model.eval()
    return model
