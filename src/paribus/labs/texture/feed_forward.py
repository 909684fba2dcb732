"""The lab's method ``feed_forward``: a texture network trained in the trial, and the textures that it then makes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from paribus.labs.texture.coarse_to_fine import Found
from paribus.labs.texture.colours import Colours
from paribus.labs.texture.experiments import Config, FeedForward
from paribus.labs.texture.eye import Eye
from paribus.labs.texture.generator import Generator, pyramid
from paribus.labs.texture.pixels import to_picture
from paribus.labs.texture.sources import Sample
from paribus.labs.texture.train_generator import train_texture_network
from paribus.nn.initial import initialise
from paribus.spec.context import Context
from paribus.train.arithmetic import autocast
from paribus.train.precision import learning


def generated(config: Config, method: FeedForward, shown: Sample, context: Context) -> Found:
    """Return textures, each from a network that was trained for its source; the strip is before and after training."""
    found = [
        _generated(config, method, shown.sources[place : place + 1], _of(context, name))
        for place, name in enumerate(shown.names)
    ]
    losses = np.concatenate([one.losses for one in found])
    return Found(torch.cat([one.images for one in found]), losses, found[0].strip)


def _of(context: Context, name: str) -> Context:
    """Return the context of one texture, with a folder of its own; of curves the last one's stay."""
    return context if context.scratch is None else replace(context, scratch=context.scratch / name)


def _generated(config: Config, method: FeedForward, source: Tensor, context: Context) -> Found:
    eye = Eye.of(config, context.streams).to(context.device)
    size, count = config.budget.size, config.budget.images
    noise = pyramid(context.streams, size=(size, size), levels=method.levels, count=count, name="noise/made")
    noise = [drawn.to(context.device) for drawn in noise]

    @torch.inference_mode()
    def made(generator: Generator) -> torch.Tensor:
        with autocast(context.device, learning(config.precision)):
            return generator(noise).clamp(0, 1).contiguous()  # type: ignore[no-any-return]

    untrained = Generator(width=method.width, levels=method.levels)
    initialise(untrained, context.streams)
    untrained.paint_with(Colours.of(source))
    before = made(untrained.to(context.device).to(memory_format=torch.channels_last))
    source = source.to(context.device)
    generator = train_texture_network(
        source,
        eye,
        context=context,
        steps=method.steps,
        batch=method.batch,
        side=method.side,
        scales=method.scales,
        rate=method.rate,
        width=method.width,
        levels=method.levels,
        diversity_weight=method.diversity,
    )
    images = made(generator)
    with torch.inference_mode():
        losses = eye.toward(source, context.streams)(eye.features(images), context.streams.generator("directions/made"))
    strip = np.stack([to_picture(before[:1]), to_picture(images[:1])])
    return Found(images, losses.double().cpu().numpy(), strip)
