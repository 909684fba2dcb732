"""One trial: make images that look like the seed's source to the configuration's network, and measure them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from paribus.labs.texture.coarse_to_fine import Found
from paribus.labs.texture.experiments import Config, FeedForward, Optimisation
from paribus.labs.texture.eye import Eye
from paribus.labs.texture.feed_forward import generated
from paribus.labs.texture.measure import measure
from paribus.labs.texture.sources import Sample, sample
from paribus.labs.texture.synthesis import synthesise
from paribus.spec.context import Context
from paribus.train.arithmetic import reproducible


def optimised(config: Config, method: Optimisation, shown: Sample, context: Context) -> Found:
    """Return textures made by optimisation."""
    return synthesise(
        shown.source.to(context.device),
        Eye.of(config, context.streams).to(context.device),
        size=(config.budget.size, config.budget.size),
        count=config.budget.images,
        steps=config.budget.steps,
        method=method,
        context=context,
    )


METHODS: dict[type, Callable[[Config, Any, Sample, Context], Found]] = {
    Optimisation: optimised,
    FeedForward: generated,
}
"""How images are made, by the type of a configuration's method."""


def run(config: Config, context: Context) -> Mapping[str, float]:
    """Make textures and measure them; return what :func:`paribus.labs.texture.measure.measure` does and ``loss``.

    ``loss`` is the configuration's own at the end of the last scale, the mean over the images. Kept are ``strip``, the
    first image over time, then the images and the source side by side as ``images``, (B + 1, S, S, 3).
    """
    with reproducible(context.device):
        shown = sample(config, context.streams)
        found = METHODS[type(config.method)](config, config.method, shown, context)
        images = found.images.float().cpu()
        metrics = {**measure(images, shown, context.streams), "loss": float(np.mean(found.losses))}
        pixels = np.concatenate([shown.source.numpy(), images.numpy()]).clip(0, 1)
        context.artifact("strip", found.strip)
        context.artifact("images", np.rint(pixels * 255).astype(np.uint8).transpose(0, 2, 3, 1))
    return metrics
