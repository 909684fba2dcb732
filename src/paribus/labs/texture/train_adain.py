"""Training of the decoder of adaptive instance normalisation: features of any style back to an image."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from paribus.data.pictures import Picture
from paribus.labs.texture.adain import Decoder, adain
from paribus.labs.texture.content_loss import content_loss
from paribus.labs.texture.crops import Crops
from paribus.labs.texture.losses import LOSSES
from paribus.labs.texture.style_loss import STYLE_LAYERS, StyleLoss, measured
from paribus.nn.initial import initialise
from paribus.nn.networks.layered import Layered
from paribus.spec.context import Context
from paribus.train.arithmetic import autocast
from paribus.train.loop import StepLoss, fit
from paribus.train.optimizer import Adam
from paribus.train.precision import learning
from paribus.train.schedule import OneCycle

ADAIN_STEPS = 3000
"""Updates of a decoder of any style."""


def train_adain(
    photographs: Sequence[Picture],
    styles: Sequence[Picture],
    network: Layered,
    *,
    context: Context,
    group: int = 3,
    layers: tuple[str, ...] = STYLE_LAYERS,
    style_weight: float = 2.0,
    pixel_weight: float = 5.0,
    steps: int = ADAIN_STEPS,
    batch: int = 4,
    side: int = 128,
    shorter: int = 192,
    rate: float = 0.002,
    precision: str = "bfloat16",
) -> Decoder:
    """Return a decoder for *network*, a small_vgg, trained by Adam with one cycle of the learning rate.

    The first half of each batch has styles: its loss is content + style_weight style, where content compares features
    of the result with those that the decoder was given, and style the means and deviations at *layers* (Huang &
    Belongie 2017, equations 11 to 13, each part relative to features of zero). The other half keeps its own statistics:
    its loss is content + pixel_weight times the mean squared error of pixels, which the paper does not have; it makes
    alpha = 0 give the photograph back.

    Args:
        photographs: (H, W, 3) uint8, some dozens of them or more.
        styles: likewise.
        network: the encoder, which also measures.
        context: takes the curves ``train_loss`` and ``learning_rate`` and checkpoints.
        group: of the decoder.
        layers: of *network*, at which styles are compared.
        style_weight, pixel_weight: of their terms.
        steps: updates.
        batch: crops a step, even.
        side: of the crops, in pixels, a multiple of 8.
        shorter: the shorter side of photographs and styles, in pixels, before they are cropped.
        rate: the highest learning rate.
        precision: of the convolutions, see :mod:`paribus.train.precision`.

    Raises:
        Diverged: the loss left the numbers.
    """
    streams, device, half = context.streams, context.device, batch // 2
    photo_crops, style_crops = (Crops.of(kind, side=side, shorter=shorter) for kind in (photographs, styles))
    decoder = Decoder(group=group)
    initialise(decoder, streams)
    decoder.to(device).to(memory_format=torch.channels_last)
    every = tuple(dict.fromkeys((*layers, decoder.layer)))

    def step_loss(step: int) -> StepLoss:
        photos = photo_crops.draw(streams, f"photographs/step={step}", batch).to(device)
        strokes = style_crops.draw(streams, f"styles/step={step}", half).to(device)
        with torch.no_grad():
            content = measured(network, photos, (decoder.layer,), precision)[decoder.layer]
            looks = measured(network, strokes, every, precision)
            toward = StyleLoss.toward(
                {layer: looks[layer] for layer in layers}, LOSSES["mean_variance"], streams.generator("style/scale")
            )
            given = torch.cat([adain(content[:half], looks[decoder.layer]), content[half:]])
        with autocast(device, learning(precision)):
            images = decoder(given.contiguous(memory_format=torch.channels_last))
        found = measured(network, images, every, precision)
        styled = {layer: features[:half] for layer, features in found.items()}
        objective = (
            content_loss(found[decoder.layer], given).mean()
            + style_weight * toward(styled, streams.generator("style/none")).mean()
            + pixel_weight * (images[half:] - photos[half:]).square().mean()
        )
        return StepLoss(objective, objective)

    fit(
        step_loss,
        model=decoder,
        optimizer=Adam().build(decoder.parameters(), rate=0.0),
        rate=OneCycle(peak=rate).rate,
        steps=steps,
        context=context,
    )
    return decoder.eval()
