"""A texture by optimisation: noise, moved until a network sees in it what it sees in the source."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from paribus.labs.texture.coarse_to_fine import Found, Loss, Size, coarse_to_fine, resized, sizes
from paribus.labs.texture.colours import Colours
from paribus.labs.texture.experiments import Optimisation
from paribus.labs.texture.eye import Eye
from paribus.labs.texture.losses import TextureLoss
from paribus.labs.texture.losses.sliced import SlicedWasserstein
from paribus.nn.initial import normal
from paribus.spec.context import Context
from paribus.spec.seed import Streams
from paribus.train.optimise import ImageLoss

SMALLEST = 16
"""No scale has a side below it: deep layers would see nothing but the border."""
REDRAW = 25
"""For how many steps the directions of a loss that draws stay; then L-BFGS begins anew: it learns one curvature."""
OBJECTIVE = 1e4
"""What the loss is multiplied by for the optimiser: L-BFGS forgets pairs whose product is below 1e-10."""


def synthesise(
    sources: Float[Tensor, "T 3 H W"],
    eye: Eye,
    *,
    size: Size,
    count: int,
    steps: int,
    method: Optimisation,
    context: Context,
) -> Found:
    """Return *count* images of *size* for each of *sources*, in their order, each from noise in its source's colours.

    Each image has noise of its own, and none depends on another. The sources and the images shrink alike from scale to
    scale, so that a coarse scale is the same texture seen from farther away: it settles what fine layers do not see.

    Raises:
        ConfigError: *size* cannot tile, for its sides are no multiples of the network's stride.
    """
    eye.check(size)
    streams = context.streams
    fit = fitting(min(*size, *sources.shape[2:]), method.scales)
    own = sizes(size, fit, eye.multiple)
    theirs = sizes((sources.shape[2], sources.shape[3]), fit)
    colours = [Colours.of(source[None]) for source in sources]
    plan = stretches(own, steps, eye.loss)

    def painted(images: Tensor) -> Tensor:
        return torch.cat([one.nearest(part) for one, part in zip(colours, torch.split(images, count), strict=True)])

    def loss_at(now: Size) -> Loss:
        shown = resized(sources, theirs[own.index(now)]).repeat_interleave(count, dim=0)
        style = eye.toward(shown, streams)

        def loss(images: Tensor, step: int) -> ImageLoss:
            parts = style.parts(eye.features(painted(images)), directions(streams, plan, step))
            value = style.mean(parts)
            return ImageLoss(OBJECTIVE * value, {"loss": value, **parts})

        return loss

    drawn = [normal(streams, f"start/image={place}", (3, *own[0])) for place in range(count * len(colours))]
    noise = torch.split(torch.stack(drawn).to(sources), count)
    found = coarse_to_fine(
        loss_at,
        torch.cat([one.noise(part) for one, part in zip(colours, noise, strict=True)]).clamp(0, 1),
        plan,
        descent=method.descent,
        context=context,
        wraps=eye.border == "circular",
    )
    return Found(painted(found.images).clamp(0, 1), found.losses / OBJECTIVE, found.strip)


def stretches(sizes: Sequence[Size], steps: int, loss: TextureLoss) -> list[tuple[Size, int]]:
    """Return the sizes with *steps* each, in stretches of one objective: REDRAW steps at most of a loss that draws."""
    length = REDRAW if isinstance(loss, SlicedWasserstein) else steps
    return [(size, min(length, steps - start)) for size in sizes for start in range(0, steps, length)]


def directions(streams: Streams, plan: Sequence[tuple[Size, int]], step: int) -> np.random.Generator:
    """Return what a loss draws from at *step* of all steps: the same within a stretch of the *plan*."""
    ends = list(accumulate(steps for _, steps in plan))
    return streams.generator(f"directions/{bisect_right(ends, step)}")


def fitting(side: int, scales: int) -> int:
    """Return how many of *scales* halvings leave a side of at least SMALLEST; one at least."""
    while scales > 1 and side / 2 ** (scales - 1) < SMALLEST:
        scales -= 1
    return scales
