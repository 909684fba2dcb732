"""One trial: train the configuration's network with the seed's streams, and measure it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from paribus.labs.svhn.augment import augmented
from paribus.labs.svhn.data import Examples, examples, scaled
from paribus.labs.svhn.experiments import Config, LpPool
from paribus.labs.svhn.model import Network, build
from paribus.nn.losses import LOSSES, Loss
from paribus.nn.mixing import draw_mix, mix_inputs, mix_labels
from paribus.nn.penalty import penalised_weights, sparsity, weight_penalty, weight_scale
from paribus.nn.simplex import SIMPLEX, Simplex, distribution, stuck
from paribus.spec.context import Context, Diverged
from paribus.train.arithmetic import autocast, reproducible
from paribus.train.batches import Batches
from paribus.train.evaluate import Outputs, outputs
from paribus.train.loop import StepLoss, fit

LOSS_LIMIT = 1e4
"""A mean training loss above it is no longer about the data: no loss of the lab exceeds 100 on sane outputs."""


class Trial:
    """The parts of one trial: network, data, loss; what the run and the diagnostics share."""

    def __init__(self, config: Config, context: Context) -> None:
        self.config, self.context, self.streams = config, context, context.streams
        self.device = torch.device(context.device)
        self.train = examples(config, "train", self.streams)
        self.classes = len(self.train.classes)
        self.model: Network = build(config, self.classes, self.streams)
        self.scale_at_start = weight_scale(self.model)
        self.model.to(self.device)
        self.simplex: Simplex = SIMPLEX[config.output.probability]
        self.loss: Loss = LOSSES[config.output.loss]
        self.weights = list(penalised_weights(self.model).values())
        self.size_at_start = _size(self.weights)
        self.batches = Batches(len(self.train), config.budget.batch_size, self.streams)
        self.dtype = torch.bfloat16 if config.precision == "bfloat16" else torch.float32

    def scores(self, images: Tensor, keep: Tensor | None = None) -> Tensor:
        """Return the network's outputs (B, K) in float32 for images (B, 3, 32, 32) in 0..255."""
        with autocast(self.context.device, self.config.precision):
            found: Tensor = self.model(scaled(images, self.dtype), keep)
        return found.float()

    def step(self, step: int) -> StepLoss:
        """Return the loss of training step *step*."""
        config = self.config
        images, labels = self.train.take(self.batches.indices(step), self.device)
        images = augmented(images, config.recipe.augment, self.streams, step)
        target = labels
        if config.mixup > 0:
            weight, partner = draw_mix(config.mixup, len(labels), self.streams.generator(f"mixup/step={step}"))
            images = mix_inputs(images.float(), weight, partner.to(self.device))
            target = mix_labels(labels, weight, partner.to(self.device), self.classes)
        if config.recipe.label_smoothing > 0:
            rate = config.recipe.label_smoothing
            target = distribution(target, self.classes) * (1 - rate) + rate / self.classes
        shown = self.loss(self.scores(images, self._keep(step, len(labels))), target, self.simplex)
        if config.penalty.strength == 0:
            return StepLoss(shown, shown)
        penalty = weight_penalty(self.weights, config.penalty.p)
        return StepLoss(shown + config.penalty.strength * penalty, shown)

    def _keep(self, step: int, count: int) -> Tensor | None:
        """Return dropout's factors (B, F): 0 with the probability of the configuration, else 1 / (1 - it)."""
        rate = self.config.dropout
        if rate == 0:
            return None
        drawn = self.streams.generator(f"dropout/step={step}").random(
            (count, self.model.classifier.in_features), dtype=np.float32
        )
        return torch.from_numpy((drawn >= rate) / np.float32(1 - rate)).to(self.device)

    def outputs(self, data: Examples) -> Outputs:
        """Return the outputs on every example of *data*."""

        def inputs(rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
            images, labels = data.take(rows, self.device)
            return scaled(images, self.dtype), labels

        with autocast(self.context.device, self.config.precision):
            return outputs(self.model, inputs, len(data))


def run(config: Config, context: Context) -> Mapping[str, float]:
    """Train and measure; return the final metrics.

    ``test_accuracy``, ``validation_accuracy``: shares of right answers. ``test_loss``: the configuration's own loss.
    ``train_loss``: the same on the first training examples, as many as validation has, in evaluation mode.
    ``weight_growth``: how many times their first size the weights have.
    ``sparsity``: the share of weights below a hundredth of their layer's first size. ``dead_fraction``: the share of
    test examples on which the probabilities are 0/0; ``stuck_fraction``: on which the label's probability is below the
    smallest normal number (see :func:`paribus.nn.simplex.stuck` for the losses that have a gradient there).
    """
    with reproducible(context.device):
        trial = Trial(config, context)
        validation = examples(config, "validation", context.streams)

        def measure() -> dict[str, float]:
            return {"validation_accuracy": accuracy(trial, trial.outputs(validation))}

        fit(
            trial.step,
            model=trial.model,
            optimizer=config.recipe.optimizer.build(trial.model.parameters(), rate=0.0),
            rate=config.rate,
            steps=config.budget.steps,
            context=context,
            measure=measure,
            measurements=3,
            limit=LOSS_LIMIT,
        )
        return _final(trial, validation)


def _final(trial: Trial, validation: Examples) -> dict[str, float]:
    config, context = trial.config, trial.context
    test = examples(config, "test", context.streams)
    found = trial.outputs(test)
    probability = trial.simplex.probability(found.scores)
    if not bool(torch.isfinite(found.scores).all()):
        raise Diverged("the trained network's outputs are not finite", step=config.budget.steps)
    confidence, predicted = probability.max(dim=1)
    correct = predicted == found.labels
    context.outcomes("test_accuracy", correct.cpu().numpy())
    context.artifact("predictions", predicted.to(torch.uint8).cpu().numpy())
    context.artifact("confidence", confidence.to(torch.float16).cpu().numpy())
    seen = Examples(trial.train.images[: len(validation)], trial.train.labels[: len(validation)], test.classes)
    metrics = {
        "test_accuracy": float(correct.double().mean()),
        "test_loss": _loss(trial, found),
        "validation_accuracy": accuracy(trial, trial.outputs(validation)),
        "train_loss": _loss(trial, trial.outputs(seen)),
        "weight_growth": _size(trial.weights) / trial.size_at_start,
        "sparsity": sparsity(trial.model, scale=trial.scale_at_start),
        "dead_fraction": float(trial.simplex.dead(found.scores).double().mean()),
        "stuck_fraction": float(stuck(trial.simplex, found.scores, found.labels).double().mean()),
    }
    if isinstance(config.pool, LpPool) and config.pool.learnt:
        metrics |= {f"pool_{index + 1}_p": layer.p for index, layer in enumerate(trial.model.pools)}  # type: ignore[misc]
    return metrics


def _loss(trial: Trial, found: Outputs) -> float:
    return float(trial.loss(found.scores, found.labels, trial.simplex))


def accuracy(trial: Trial, found: Outputs) -> float:
    """Return the share of examples whose label has the largest probability."""
    predicted = trial.simplex.probability(found.scores).argmax(dim=1)
    return float((predicted == found.labels).double().mean())


def _size(weights: list[nn.Parameter]) -> float:
    """Return the root of the mean over layers of the mean squared weight, so that no layer drowns another."""
    return float(torch.stack([w.detach().double().square().mean() for w in weights]).mean().sqrt())
