"""Training of a texture network: noise in, a texture out, and the loss says how far that is from the one wanted."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from paribus.data.pictures import Picture
from paribus.errors import ConfigError
from paribus.labs.texture.generator import Generator, pyramid
from paribus.labs.texture.losses import LOSSES, TextureLoss
from paribus.labs.texture.pixels import to_tensor
from paribus.labs.texture.style_loss import STYLE_LAYERS, StyleLoss, measured
from paribus.nn.initial import initialise
from paribus.nn.networks.layered import Layered
from paribus.spec.context import Context
from paribus.train.arithmetic import autocast
from paribus.train.loop import StepLoss, fit
from paribus.train.optimizer import Adam
from paribus.train.schedule import OneCycle

_SMALLEST = 1e-8


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
    texture: Picture,
    network: Layered,
    *,
    context: Context,
    loss: TextureLoss = LOSSES["gram"],
    layers: tuple[str, ...] = STYLE_LAYERS,
    steps: int = 1500,
    batch: int = 2,
    side: int = 128,
    rate: float = 0.01,
    width: int = 8,
    levels: int = 5,
    diversity_weight: float = 0.0,
    precision: str = "bfloat16",
) -> Generator:
    """Return a network that makes the *texture* from noise, trained by Adam with one cycle of the learning rate.

    Args:
        texture: (H, W, 3) uint8, as large as its patterns should come out.
        network: the fixed network that measures.
        context: takes the curves ``train_loss`` and ``learning_rate``, the picture ``image`` and checkpoints.
        loss: how features are compared.
        layers: of *network*, at which.
        steps: updates; some hundreds show the colours, some thousands the pattern.
        batch: textures a step; at least 2 for a diversity term.
        side: of the textures in training, in pixels, a multiple of ``2 ** (levels - 1)``.
        rate: the highest learning rate.
        width, levels: of the generator.
        diversity_weight: of :func:`diversity` beside the loss.
        precision: of the convolutions, ``bfloat16`` or ``float32``.

    Raises:
        Diverged: the loss left the numbers.
    """
    if diversity_weight and batch < 2:
        raise ConfigError(f"the diversity of one texture is undefined; a batch of at least 2 is expected, not {batch}")
    streams = context.streams
    with torch.no_grad():
        wanted = measured(network, to_tensor(texture).to(context.device), layers, precision)
    style = StyleLoss.toward(wanted, loss, streams.generator("style/scale"))
    generator = Generator(width=width, levels=levels)
    initialise(generator, streams)
    generator.to(context.device).to(memory_format=torch.channels_last)

    def step_loss(step: int) -> StepLoss:
        noise = pyramid(streams, size=(side, side), levels=levels, count=batch, name=f"noise/step={step}")
        with autocast(context.device, precision):
            images = generator([scale.to(context.device) for scale in noise])
        found = style(measured(network, images, layers, precision), streams.generator(f"style/step={step}")).mean()
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
