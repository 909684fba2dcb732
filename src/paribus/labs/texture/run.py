"""One trial: make images that look like the seed's source to the configuration's network, and measure them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from paribus.labs.texture.coarse_to_fine import Found
from paribus.labs.texture.experiments import Config, FeedForward, Optimisation
from paribus.labs.texture.eye import Eye
from paribus.labs.texture.feed_forward import generated
from paribus.labs.texture.measure import measure
from paribus.labs.texture.sources import Sample, sample
from paribus.labs.texture.style_trial import STYLING, run_style
from paribus.labs.texture.synthesis import synthesise
from paribus.nn.pixels import to_pictures
from paribus.spec.context import Context
from paribus.train.arithmetic import reproducible


def optimised(config: Config, method: Optimisation, shown: Sample, context: Context) -> Found:
    """Return textures made by optimisation."""
    return synthesise(
        shown.sources.to(context.device),
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
    """Make textures, or photographs in a style, and measure them.

    Of textures, return what :func:`paribus.labs.texture.measure.measure` does and ``loss``; of
    photographs in a style, what :func:`paribus.labs.texture.style_trial.run_style` does.

    ``loss`` is the configuration's own at the end of the last scale, the mean over the images. Kept are ``strip``, the
    first image over time; ``picture/original``, the sources side by side, and ``picture/found``, the first image made
    of each; and all sources and images, (T + N, S, S, 3), as ``images``.
    """
    if isinstance(config.method, STYLING):
        return run_style(config, context)
    with reproducible(context.device):
        shown = sample(config, context.streams)
        found = METHODS[type(config.method)](config, config.method, shown, context)
        images = found.images.float().cpu()
        metrics = {**measure(images, shown, context.streams), "loss": float(np.mean(found.losses))}
        pixels = to_pictures(torch.cat([shown.sources, images]))
        originals, firsts = pixels[: len(shown.names)], pixels[len(shown.names) :: config.budget.images]
        context.artifact("strip", found.strip)
        context.artifact("images", pixels)
        context.artifact("picture/original", np.hstack(list(originals)))
        context.artifact("picture/found", np.hstack(list(firsts)))
    return metrics
