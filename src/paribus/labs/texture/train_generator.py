"""Training of a texture network: noise in, a texture out, and the loss says how far that is from the one wanted."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from paribus.errors import ConfigError
from paribus.labs.texture.colours import Colours
from paribus.labs.texture.eye import Eye
from paribus.labs.texture.generator import Generator, pyramid
from paribus.nn.initial import initialise
from paribus.spec.context import Context
from paribus.train.arithmetic import autocast
from paribus.train.loop import StepLoss, fit
from paribus.train.optimizer import Adam
from paribus.train.precision import learning
from paribus.train.schedule import OneCycle

_SMALLEST = 1e-8
TEXTURE_STEPS = 5000
"""Updates of a network that makes a texture; 400 show spots on noise."""


def diversity(images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, ""]:
    """Return minus the mean log of each image's distance to its nearest neighbour in the batch.

    It estimates, but for constants, minus the entropy of the generator's distribution (Ulyanov et al. 2017, equation
    8). The distance is the root mean square over pixels and channels.
    """
    rows = images.flatten(1)
    squared = (rows[:, None] - rows[None]).square().mean(dim=2)
    squared = squared + torch.eye(len(rows), device=rows.device) * 1e6
    return -0.5 * squared.amin(dim=1).clamp_min(_SMALLEST).log().mean()


def train_texture_network(
    texture: Float[Tensor, "1 3 H W"],
    eye: Eye,
    *,
    context: Context,
    steps: int = TEXTURE_STEPS,
    batch: int = 2,
    side: int = 128,
    scales: int = 2,
    rate: float = 0.01,
    width: int = 8,
    levels: int = 5,
    diversity_weight: float = 0.0,
) -> Generator:
    """Return a network that makes the *texture* from noise, trained by Adam with one cycle of the learning rate.

    The loss is the mean of the eye's over *scales*: at each, texture and image are half the size of the one before, by
    averages, so that the eye's field of view covers patterns twice as large (the paper has one scale).

    Args:
        texture: values in [0, 1], as large as its patterns should come out.
        eye: what measures: a network, its layers and a loss.
        context: takes the curves ``train_loss`` and ``learning_rate`` and checkpoints.
        steps: updates; some hundreds show the colours, some thousands the pattern.
        batch: textures a step; at least 2 for a diversity term.
        side: of the textures in training, in pixels.
        scales: at how many sizes they are looked at.
        rate: the highest learning rate.
        width, levels: of the generator.
        diversity_weight: of :func:`diversity` beside the loss.

    Raises:
        Diverged: the loss left the numbers.
    """
    if diversity_weight and batch < 2:
        raise ConfigError(f"the diversity of one texture is undefined; a batch of at least 2 is expected, not {batch}")
    streams = context.streams
    texture = texture.to(context.device)
    styles = [eye.toward(smaller(texture, scale), streams) for scale in range(scales)]
    generator = Generator(width=width, levels=levels)
    initialise(generator, streams)
    generator.paint_with(Colours.of(texture.cpu()))
    generator.to(context.device).to(memory_format=torch.channels_last)

    def step_loss(step: int) -> StepLoss:
        noise = pyramid(streams, size=(side, side), levels=levels, count=batch, name=f"noise/step={step}")
        with autocast(context.device, learning(eye.precision)):
            images = generator([drawn.to(context.device) for drawn in noise])
        found = torch.stack(
            [
                style(eye.features(smaller(images, scale)), streams.generator(f"directions/step={step}/scale={scale}"))
                for scale, style in enumerate(styles)
            ]
        ).mean()
        objective = found + diversity_weight * diversity(images) if diversity_weight else found
        return StepLoss(objective, found)

    fit(
        step_loss,
        model=generator,
        optimizer=Adam().build(generator.parameters(), rate=0.0),
        rate=OneCycle(peak=rate).rate,
        steps=steps,
        context=context,
    )
    return generator.eval()


def smaller(images: Float[Tensor, "B 3 H W"], halvings: int) -> Float[Tensor, "B 3 h w"]:
    """Return the means of squares of ``2 ** halvings`` pixels a side; what is left over at the edges goes."""
    return F.avg_pool2d(images, 2**halvings) if halvings else images
