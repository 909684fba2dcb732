"""The training of a network: of a trial, of the weights that ship, and further, on photographs."""

from __future__ import annotations

import torch

from paribus.data.text_sets import AnnotatedImages
from paribus.labs.textsnake.data import Batches, TrainingScenes, Views
from paribus.labs.textsnake.experiments import LossWeights, Network, Training
from paribus.labs.textsnake.loss import losses
from paribus.labs.textsnake.model import TextSnake, build, scaled
from paribus.labs.textsnake.refinements import Refinements
from paribus.spec.context import Context
from paribus.train.arithmetic import autocast
from paribus.train.loop import StepLoss, fit

LOSS_LIMIT = 1e3
"""A mean loss above it is no longer about the data: one that knows nothing is near 3."""


def train(
    network: Network,
    weights: LossWeights,
    training: Training,
    context: Context,
    refinements: Refinements,
    workers: int = 0,
) -> TextSnake:
    """Return a network trained on the scenes of curved_text, in evaluation mode; it raises what :func:`learnt` does."""
    scenes = TrainingScenes(training.side, context.seed, refinements)
    return learnt(build(network, context.streams), Batches(scenes, training, workers), weights, context)


def fine_tuned(model: TextSnake, photographs: AnnotatedImages, training: Training, context: Context) -> TextSnake:
    """Return *model* trained further on random views of *photographs*, in evaluation mode.

    The second stage of Long et al. (2018), "Implementation Details". It raises what :func:`learnt` does, and
    :class:`~paribus.errors.DataError` where an annotation or a photograph is broken.
    """
    views = Views(photographs, training.side, context.seed)
    return learnt(model.requires_grad_(True), Batches(views, training), LossWeights(), context)


def learnt(model: TextSnake, batches: Batches, weights: LossWeights, context: Context) -> TextSnake:
    """Return *model* when it has learnt from *batches*, in evaluation mode.

    The learning curve shows the loss and the mean of each of its five terms at the last step of a point.

    Raises:
        Diverged: the loss is not finite, or absurd.
    """
    device, training = torch.device(context.device), batches.training
    model = model.to(device).to(memory_format=torch.channels_last)
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
