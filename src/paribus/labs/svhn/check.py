"""The lab's diagnostics: the data, then whether the configuration's network can learn at all."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import torch

from paribus.data.inspect import inspect
from paribus.data.split import SPLITS
from paribus.labs.svhn.data import Examples, examples, part
from paribus.labs.svhn.experiments import Config
from paribus.labs.svhn.run import Trial, accuracy
from paribus.spec.context import Context
from paribus.spec.finding import Finding
from paribus.train.arithmetic import reproducible
from paribus.train.batches import Batches
from paribus.train.diagnose import FEW, few_examples, initial_loss, layer_scales, scales_finding, shuffled_labels
from paribus.train.loop import fit

MEMORY_STEPS = 100
SHUFFLED_STEPS = 60
SHUFFLED_EXAMPLES = 4000
RATE = 0.003
"""The learning rate of the two small trainings: between the baseline's first two."""


def check(config: Config, context: Context) -> Iterator[Finding]:
    """Yield findings on the data as the configuration sees it, then on learning; some ten seconds in all."""
    yield from inspect({split: part(config, split) for split in SPLITS})
    with reproducible(context.device):
        yield from _start(config, context)
        yield _few(config, context)
        yield _shuffled(config, context)


def _start(config: Config, context: Context) -> Iterator[Finding]:
    trial = Trial(config, context)
    _, labels = trial.train.take(trial.batches.indices(0), trial.device)
    guess = trial.loss(torch.zeros(len(labels), trial.classes, device=trial.device), labels, trial.simplex)
    yield initial_loss(float(trial.step(0).shown.detach()), float(guess))
    steps = config.budget.steps
    highest = max(config.rate(step, steps) for step in range(steps))  # a warm-up's first rate would say nothing
    optimizer = config.recipe.optimizer.build(trial.model.parameters(), highest)
    yield from scales_finding(layer_scales(trial.model, lambda: trial.step(0).objective, optimizer))


def _few(config: Config, context: Context) -> Finding:
    trial = _bare(config, context)
    trial.train = Examples(trial.train.images[:FEW], trial.train.labels[:FEW], trial.train.classes)
    trial.batches = Batches(len(trial.train), FEW, context.streams)
    _train(trial, MEMORY_STEPS)
    found = trial.outputs(trial.train)
    loss = float(trial.loss(found.scores, found.labels, trial.simplex))
    return few_examples(accuracy(trial, found), loss, MEMORY_STEPS)


def _shuffled(config: Config, context: Context) -> Finding:
    trial = _bare(config, context)
    count = min(len(trial.train), SHUFFLED_EXAMPLES)
    order = context.streams.generator("check/shuffle").permutation(count)
    images, labels = trial.train.images[:count], trial.train.labels[:count][order]
    trial.train = Examples(images, labels, trial.train.classes)
    trial.batches = Batches(count, config.budget.batch_size, context.streams)
    _train(trial, SHUFFLED_STEPS)
    held_out = examples(config, "validation", context.streams)
    chance = float(np.bincount(held_out.labels).max() / len(held_out))
    return shuffled_labels(accuracy(trial, trial.outputs(held_out)), chance, len(held_out), SHUFFLED_STEPS)


def _bare(config: Config, context: Context) -> Trial:
    """Return the trial without what stands in the way of learning by heart: augmentation, mixup, dropout."""
    plain = dataclasses.replace(
        config,
        mixup=0.0,
        dropout=0.0,
        recipe=dataclasses.replace(config.recipe, augment=type(config.recipe.augment)(), label_smoothing=0.0),
    )
    return Trial(plain, context)


def _train(trial: Trial, steps: int) -> None:
    fit(
        trial.step,
        model=trial.model,
        optimizer=trial.config.recipe.optimizer.build(trial.model.parameters(), RATE),
        rate=lambda step, total: RATE,
        steps=steps,
        context=Context(seed=trial.context.seed, device=trial.context.device),
    )
