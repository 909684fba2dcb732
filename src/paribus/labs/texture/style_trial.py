"""A trial of style transfer: every photograph in every style, by one of three methods, and what that is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from paribus.errors import ConfigError
from paribus.labs.texture import adain, fast_style
from paribus.labs.texture.experiments import AdaIN, Config, FastStyle, StyleTransfer
from paribus.labs.texture.eye import Eye
from paribus.labs.texture.pairs import Pairs, pairs
from paribus.labs.texture.pixels import to_picture, to_tensor
from paribus.labs.texture.style_measure import measure_style
from paribus.labs.texture.stylisation import Balance, stylise
from paribus.labs.texture.weights_file import encoder_of, load_weights, shipped
from paribus.nn.pixels import to_pictures
from paribus.spec.context import Context
from paribus.train.arithmetic import reproducible

STYLING = (StyleTransfer, AdaIN, FastStyle)
"""The methods of a configuration with which photographs get a style."""
WHITE = 255


@dataclass(frozen=True, eq=False)
class Styled:
    """What came out.

    Args:
        images: (B, 3, S, S), values in [0, 1], of each pair.
        strip: (T, S, S, 3) uint8, the first from the start to the end.
        metrics: what the method itself knows: ``loss``, its objective at the end, where it has one.
    """

    images: Tensor
    strip: NDArray[np.uint8]
    metrics: Mapping[str, float]


def run_style(config: Config, context: Context) -> Mapping[str, float]:
    """Stylise and measure; return what :func:`paribus.labs.texture.style_measure.measure_style` does, and ``loss``.

    ``loss`` is what an optimisation minimised, at the end, the mean over the pairs. Kept are ``strip``, the first pair
    over time; ``picture/original``, the photographs; ``picture/found``, a row for each style, which stands first; and
    all images, (P + T + B, S, S, 3): photographs, styles, results, as ``images``.
    """
    with reproducible(context.device):
        shown = pairs(config, context.streams)
        match config.method:
            case StyleTransfer():
                found = _optimised(config, config.method, shown, context)
            case AdaIN():
                found = _by_decoder(config, config.method, shown)
            case FastStyle():
                found = _by_style_network(config, config.method, shown)
            case other:
                raise ConfigError(f"{type(other).__name__} gives no photograph a style")
        metrics = {**measure_style(found.images, shown), **found.metrics}
        photos, styles, images = (to_pictures(part) for part in (shown.photos, shown.styles, found.images))
        rows = [np.hstack([style, *row]) for style, row in zip(styles, np.split(images, len(styles)), strict=True)]
        context.artifact("strip", found.strip)
        context.artifact("images", np.concatenate([photos, styles, images]))
        context.artifact("picture/original", np.hstack([np.full_like(photos[0], WHITE), *photos]))
        context.artifact("picture/found", np.vstack(rows))
    return metrics


def _optimised(config: Config, method: StyleTransfer, shown: Pairs, context: Context) -> Styled:
    photos, styles = (part.to(context.device) for part in shown.each)
    found = stylise(
        photos,
        styles,
        Eye.of(config, context.streams).to(context.device),
        scales=method.scales,
        steps=config.budget.steps,
        descent=method.descent,
        context=context,
        balance=Balance(content=method.content, layer=method.layer),
        noise=method.start == "noise",
    )
    return Styled(found.images.float().cpu(), found.strip, {"loss": float(np.mean(found.losses))})


def _by_decoder(config: Config, method: AdaIN, shown: Pairs) -> Styled:
    name = shipped(adain.Decoder)[0]
    decoder, encoder = load_weights(adain.Decoder, name), encoder_of(name)
    made = [
        adain.stylize(
            decoder, encoder, to_picture(photo), to_picture(style), alpha=method.alpha, precision=config.precision
        )
        for photo, style in _one_by_one(shown)
    ]
    return _at_once(made, shown)


def _by_style_network(config: Config, method: FastStyle, shown: Pairs) -> Styled:
    if set(shown.style_names) != {method.weights}:
        raise ConfigError(
            f"the style network {method.weights} has one style; with source={method.weights} it is compared with that, "
            f"here it would be with {', '.join(shown.style_names)}"
        )
    network = load_weights(fast_style.StyleNetwork, method.weights)
    made = [
        fast_style.stylize(network, to_picture(photo), precision=config.precision) for photo, _ in _one_by_one(shown)
    ]
    return _at_once(made, shown)


def _one_by_one(shown: Pairs) -> list[tuple[Tensor, Tensor]]:
    photos, styles = shown.each
    return [(photos[place : place + 1], styles[place : place + 1]) for place in range(len(photos))]


def _at_once(made: list[NDArray[np.uint8]], shown: Pairs) -> Styled:
    strip = np.stack([to_picture(shown.photos[:1]), made[0]])
    return Styled(torch.cat([to_tensor(picture) for picture in made]), strip, {})
