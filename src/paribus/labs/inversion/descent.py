"""Inversion by moving the pixels: Mahendran & Vedaldi (2015), "Understanding Deep Image Representations"."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from paribus.labs.inversion.experiments import Config, Descent
from paribus.labs.inversion.found import Found
from paribus.labs.inversion.loss import FeatureDistance, improbability, shifted
from paribus.nn.initial import normal
from paribus.spec.context import Context
from paribus.spec.seed import Streams
from paribus.train.optimise import ImageLoss, optimise


def descend(config: Config, method: Descent, distance: FeatureDistance, shape: torch.Size, context: Context) -> Found:
    """Return images of the given (B, 3, H, W) whose features are near the wanted ones and which are likely."""
    streams = context.streams

    def loss(images: Tensor, step: int) -> ImageLoss:
        most = method.jitter if step < config.steps else 0
        features = distance(shifted(images, most, streams, step))
        objective = config.feature_weight * features + improbability(images, config.prior)
        return ImageLoss(objective, {"feature_loss": features})

    found = optimise(
        loss,
        start(shape, method.noise, streams).to(context.device),
        optimizer=method.optimizer,
        rate=method.schedule.rate,
        steps=config.steps,
        context=context,
    )
    return Found(found.images, found.strip)


def start(shape: torch.Size, noise: float, streams: Streams) -> Float[Tensor, "B 3 H W"]:
    """Return grey images with normal noise of the given standard deviation, each from a stream of its own."""
    return 0.5 + torch.stack([normal(streams, f"start/image={place}", shape[1:], noise) for place in range(shape[0])])
