"""Training of a style network: keep what a photograph shows, take on how the style looks."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from paribus.data.pictures import Picture
from paribus.labs.texture.content_loss import content_loss
from paribus.labs.texture.crops import Crops
from paribus.labs.texture.fast_style import StyleNetwork
from paribus.labs.texture.losses import LOSSES, TextureLoss
from paribus.labs.texture.pixels import to_tensor
from paribus.labs.texture.style_loss import STYLE_LAYERS, StyleLoss, measured
from paribus.nn.image_prior import total_variation
from paribus.nn.initial import initialise
from paribus.nn.networks.layered import Layered
from paribus.spec.context import Context
from paribus.train.arithmetic import autocast
from paribus.train.loop import StepLoss, fit
from paribus.train.optimizer import Adam
from paribus.train.precision import learning
from paribus.train.schedule import OneCycle

CONTENT_LAYER = "relu3_1"
STYLE_STEPS = 300
"""Updates of a network that gives photographs a style."""


def train_fast_style(
    style: Picture,
    photographs: Sequence[Picture],
    network: Layered,
    *,
    context: Context,
    loss: TextureLoss = LOSSES["gram"],
    layers: tuple[str, ...] = STYLE_LAYERS,
    content_layer: str = CONTENT_LAYER,
    content_weight: float = 1.0,
    variation_weight: float = 1.0,
    steps: int = STYLE_STEPS,
    batch: int = 4,
    side: int = 128,
    shorter: int = 192,
    rate: float = 0.005,
    width: int = 16,
    blocks: int = 5,
    precision: str = "bfloat16",
) -> StyleNetwork:
    """Return a network that gives photographs the *style*, trained by Adam with one cycle of the learning rate.

    The loss is style + content_weight content + variation_weight averaged total variation, the first two relative, so
    that features of zero would lose 1 of each.

    Args:
        style: (H, W, 3) uint8, as large as its strokes should come out.
        photographs: (H, W, 3) uint8, some dozens of them or more.
        network: the fixed network that measures.
        context: takes the curves ``train_loss`` and ``learning_rate`` and checkpoints.
        loss: how features are compared with those of the style.
        layers: of *network*, at which.
        content_layer: at which the photograph is kept.
        content_weight, variation_weight: of their terms.
        steps: updates.
        batch: crops a step.
        side: of the crops, in pixels, a multiple of 8.
        shorter: the shorter side of the photographs, in pixels, before they are cropped.
        rate: the highest learning rate.
        width, blocks: of the style network.
        precision: of the convolutions, see :mod:`paribus.train.precision`.

    Raises:
        Diverged: the loss left the numbers.
    """
    streams, device = context.streams, context.device
    with torch.no_grad():
        wanted = measured(network, to_tensor(style).to(device), layers, precision)
    toward = StyleLoss.toward(wanted, loss, streams.generator("style/scale"))
    crops = Crops.of(photographs, side=side, shorter=shorter)
    model = StyleNetwork(width=width, blocks=blocks)
    initialise(model, streams)
    model.to(device).to(memory_format=torch.channels_last)
    every = tuple(dict.fromkeys((*layers, content_layer)))

    def step_loss(step: int) -> StepLoss:
        photos = crops.draw(streams, f"crops/step={step}", batch)
        photos = photos.to(device).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            kept = measured(network, photos, (content_layer,), precision)[content_layer]
        with autocast(device, learning(precision)):
            images = model(photos)
        found = measured(network, images, every, precision)
        objective = (
            toward(found, streams.generator(f"style/step={step}"))
            + content_weight * content_loss(found[content_layer], kept)
            + variation_weight * total_variation(images) / images[0].numel()
        ).mean()
        return StepLoss(objective, objective)

    fit(
        step_loss,
        model=model,
        optimizer=Adam().build(model.parameters(), rate=0.0),
        rate=OneCycle(peak=rate).rate,
        steps=steps,
        context=context,
    )
    return model.eval()
