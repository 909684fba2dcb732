"""How much of an original is in its reconstruction: for pixels, for structure, and for another network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor

from paribus.nn.networks.layered import Layered

MOST_DECIBELS = 100.0
"""The signal-to-noise ratio of images that are alike, or nearer than float32 tells."""
EPSILON = 1e-10
_ratio: Callable[..., float] = peak_signal_noise_ratio
_structure: Callable[..., float] = structural_similarity


def signal_to_noise(originals: Float[Tensor, "B 3 H W"], found: Float[Tensor, "B 3 H W"]) -> NDArray[np.float64]:
    """Return 10 log10(1 / mean squared error) of each image in decibels, at most 100; values in [0, 1]."""
    with np.errstate(divide="ignore"):
        ratios = [_ratio(a, b, data_range=1.0) for a, b in _pairs(originals, found)]
    return np.minimum(np.array(ratios, dtype=np.float64), MOST_DECIBELS)


def above_mean(originals: Float[Tensor, "B 3 H W"], found: Float[Tensor, "B 3 H W"]) -> NDArray[np.float64]:
    """Return by how many decibels each image is nearer to its original than the original's own mean colour is.

    The mean colour is the best that one can say of an image without knowing where anything is. At 0 or below, the ratio
    tells nothing of the image.
    """
    flat = originals.double().mean(dim=(2, 3), keepdim=True).expand(originals.shape)
    return signal_to_noise(originals, found) - signal_to_noise(originals, flat)


def agreement(found: Float[Tensor, "B 3 H W"], starts: int) -> NDArray[np.float64]:
    """Return 10 log10(1 / d) of each of the B / starts photographs in decibels, at most 100; values in [0, 1].

    d is the mean over all pairs of its *starts* images, and over their numbers, of the squared difference: twice the
    variance over starts. The squared error against the photograph is that variance plus the square of what all starts
    have in common: where the signal-to-noise ratio is 3 dB above the agreement there is nothing else.

    Args:
        found: the first starts of all photographs, then the second ones, and so on.
        starts: of each photograph, at least 2.
    """
    apart = 2 * found.detach().double().view(starts, -1, *found.shape[1:]).var(dim=0)
    with np.errstate(divide="ignore"):
        decibels: NDArray[np.float64] = -10 * np.log10(apart.flatten(1).mean(dim=1).cpu().numpy())
    return np.minimum(decibels, MOST_DECIBELS)


def similarity(originals: Float[Tensor, "B 3 H W"], found: Float[Tensor, "B 3 H W"]) -> NDArray[np.float64]:
    """Return the structural similarity of each image, mean over channels and windows of 7x7 (Wang et al. 2004)."""
    return np.array(
        [_structure(a, b, data_range=1.0, channel_axis=-1) for a, b in _pairs(originals, found)],
        dtype=np.float64,
    )


def judged_layers(judge: Layered, image: Float[Tensor, "1 3 H W"]) -> tuple[str, ...]:
    """Return the last layer of *judge* at each resolution that is a map: what :func:`looks_unlike` compares."""
    last: dict[torch.Size, str] = {}
    for name, values in judge.features(image, judge.layers).items():
        if values.ndim == 4 and name != "average":
            last[values.shape[2:]] = name
    return tuple(last.values())


@torch.no_grad()
def looks_unlike(
    judge: Layered, originals: Float[Tensor, "B 3 H W"], found: Float[Tensor, "B 3 H W"]
) -> Float[Tensor, " B"]:
    """Return how unlike two images are to a network: 0 for equal ones, about 1 for unrelated ones, at most 4.

    The mean over layers and places of |a / ||a|| - b / ||b|| |^2, where a and b are the channels' values at one place.

    Source: Zhang et al. (2018), "The Unreasonable Effectiveness of Deep Features as a Perceptual Metric", equation 1,
    with all weights 1 and the mean over layers instead of the sum.
    """
    layers = judged_layers(judge, originals[:1])
    ours, theirs = judge.features(originals, layers), judge.features(found, layers)
    parts = []
    for name in layers:
        a, b = _unit(ours[name]), _unit(theirs[name])
        parts.append((a - b).square().sum(dim=1).mean(dim=(1, 2)))
    return torch.stack(parts).mean(dim=0)


def _unit(values: Tensor) -> Tensor:
    return values / (values.square().sum(dim=1, keepdim=True).sqrt() + EPSILON)


def _pairs(originals: Tensor, found: Tensor) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    ours, theirs = (x.detach().double().clamp(0, 1).permute(0, 2, 3, 1).cpu().numpy() for x in (originals, found))
    return list(zip(ours, theirs, strict=True))
