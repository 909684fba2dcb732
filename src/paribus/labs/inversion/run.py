"""One trial: keep the features of the photographs, find images that have them, and measure what came back."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from paribus.labs.inversion.data import originals
from paribus.labs.inversion.decoder import decode
from paribus.labs.inversion.deep_prior import imagine
from paribus.labs.inversion.descent import descend
from paribus.labs.inversion.experiments import Config, Decoder, Descent
from paribus.labs.inversion.found import Found
from paribus.labs.inversion.loss import FeatureDistance, improbability
from paribus.labs.inversion.measure import above_mean, agreement, looks_unlike, signal_to_noise, similarity
from paribus.nn.networks.load import load
from paribus.nn.pixels import to_pictures
from paribus.spec.context import Context, Diverged
from paribus.spec.seed import Streams
from paribus.train.arithmetic import reproducible

JUDGE_SEED = -1
"""The seed of a judge's random weights: one ruler for all trials, and no network that a trial of seed 0, 1, ... has."""


def run(config: Config, context: Context) -> Mapping[str, float]:
    """Invert and measure; return the final metrics, means over the photographs.

    ``objective``: what is minimised, at the end, without jitter (decoder and deep prior minimise something else).

    ``psnr``: signal-to-noise ratio in decibels. ``psnr_above_mean``: the same minus that of each photograph's mean
    colour; at 0 or below nothing of the image is told. ``ssim``: structural similarity, at most 1. ``judged_distance``:
    how unlike the images are to the judge, 0 for equal ones. ``feature_loss``: the relative squared distance of the
    features that were to be matched, without jitter. ``saturated``: the share of numbers outside [0, 1], which are cut
    off before anything is measured. Of several starts also ``agreement``: the signal-to-noise ratio in decibels between
    two images of one photograph, instead of between one and the photograph; it says how much the noise has decided.
    """
    with reproducible(context.device):
        images = originals(config.photographs, config.side).to(context.device).repeat(config.starts, 1, 1, 1)
        distance = kept(config, images, context)
        found = invert(config, distance, images.shape, context)
        return _final(config, context, images, found, distance)


def kept(config: Config, images: Float[Tensor, "B 3 H W"], context: Context) -> FeatureDistance:
    """Return the distance to the features of *images*: all that an inversion may know of them."""
    network = load(config.features.network, context.streams).to(context.device)
    return FeatureDistance(network, config.features.layers, images, config.precision, config.relative_to)


def invert(config: Config, distance: FeatureDistance, shape: torch.Size, context: Context) -> Found:
    """Return images of the given (B, 3, H, W) found from features, by the configuration's method."""
    method = config.method
    if isinstance(method, Descent):
        return descend(config, method, distance, shape, context)
    if isinstance(method, Decoder):
        return decode(config, method, distance, context)
    return imagine(config, method, distance, shape, context)


def _final(
    config: Config, context: Context, images: Tensor, found: Found, distance: FeatureDistance
) -> dict[str, float]:
    if not bool(torch.isfinite(found.images).all()):
        raise Diverged("an image is not finite")
    clipped = found.images.clamp(0, 1)
    with torch.no_grad():
        features = distance(clipped)
        objective = config.feature_weight * distance(found.images) + improbability(found.images, config.prior)
    judge = load(config.judge, Streams(JUDGE_SEED)).to(context.device)
    context.artifact("strip", found.strip)
    context.artifact("picture/original", row(images[: len(config.photographs)]))
    context.artifact("picture/found", np.vstack([row(some) for some in found.images.chunk(config.starts)]))
    agreed = {"agreement": float(np.mean(agreement(clipped, config.starts)))} if config.starts > 1 else {}
    return agreed | {
        "objective": float(objective.cpu().double().mean()),
        "psnr": float(np.mean(signal_to_noise(images, clipped))),
        "psnr_above_mean": float(np.mean(above_mean(images, clipped))),
        "ssim": float(np.mean(similarity(images, clipped))),
        "judged_distance": float(looks_unlike(judge, images, clipped).cpu().double().mean()),
        "feature_loss": float(features.cpu().double().mean()),
        "saturated": float((found.images != clipped).cpu().double().mean()),
    }


def row(images: Float[Tensor, "B 3 H W"]) -> NDArray[np.uint8]:
    """Return the images side by side, (H, B W, 3)."""
    return np.concatenate(list(to_pictures(images)), axis=1)
