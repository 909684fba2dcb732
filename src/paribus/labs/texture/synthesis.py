"""A texture by optimisation: noise, moved until a network sees in it what it sees in the source."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from paribus.labs.texture.coarse_to_fine import Found, Loss, Size, coarse_to_fine, resized, sizes
from paribus.labs.texture.colours import Colours
from paribus.labs.texture.experiments import Optimisation
from paribus.labs.texture.eye import Eye
from paribus.nn.initial import normal
from paribus.spec.context import Context
from paribus.train.optimise import ImageLoss

SMALLEST = 16
"""No scale has a side below it: deep layers would see nothing but the border."""
REDRAW = 25
"""For how many steps the directions of a loss that draws stay: L-BFGS learns the curvature of one objective."""
OBJECTIVE = 1e4
"""What the loss is multiplied by for the optimiser: L-BFGS forgets pairs whose product is below 1e-10."""


def synthesise(
    source: Float[Tensor, "1 3 H W"],
    eye: Eye,
    *,
    size: Size,
    count: int,
    steps: int,
    method: Optimisation,
    context: Context,
) -> Found:
    """Return *count* images of *size* that look like *source*, each from noise of its own in the source's colours.

    The source and the images shrink alike from scale to scale, so that a coarse scale is the same texture seen from
    farther away: it settles what fine layers do not see.

    Raises:
        ConfigError: *size* cannot tile, for its sides are no multiples of the network's stride.
    """
    eye.check(size)
    streams = context.streams
    fit = fitting(min(*size, *source.shape[2:]), method.scales)
    own = sizes(size, fit, eye.multiple)
    theirs = sizes((source.shape[2], source.shape[3]), fit)
    colours = Colours.of(source)

    def loss_at(now: Size) -> Loss:
        style = eye.toward(resized(source, theirs[own.index(now)]), streams)

        def loss(images: Tensor, step: int) -> ImageLoss:
            parts = style.parts(
                eye.features(colours.nearest(images)), streams.generator(f"directions/{step // REDRAW}")
            )
            return ImageLoss(OBJECTIVE * style.mean(parts), parts)

        return loss

    noise = torch.stack([normal(streams, f"start/image={place}", (3, *own[0])) for place in range(count)])
    start = colours.noise(noise.to(source)).clamp(0, 1)
    found = coarse_to_fine(
        loss_at,
        start,
        [(now, steps) for now in own],
        descent=method.descent,
        context=context,
        wraps=eye.border == "circular",
    )
    return Found(colours.nearest(found.images).clamp(0, 1), found.losses / OBJECTIVE, found.strip)


def fitting(side: int, scales: int) -> int:
    """Return how many of *scales* halvings leave a side of at least SMALLEST; one at least."""
    while scales > 1 and side / 2 ** (scales - 1) < SMALLEST:
        scales -= 1
    return scales
