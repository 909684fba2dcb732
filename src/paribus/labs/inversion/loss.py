"""What an inversion minimises: how far features are from those of the original, and how unlikely the image is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from paribus.labs.inversion.experiments import Prior
from paribus.nn.image_prior import alpha_norm, total_variation
from paribus.nn.networks.layered import Layered
from paribus.spec.seed import Streams
from paribus.train.arithmetic import computed

SMALLEST = 1e-12
"""What is divided by is at least so much: features that are all 0 have no size, nor grey a distance from itself."""


class FeatureDistance:
    """The squared distance of features to those of fixed images, relative to what is usual for the layer.

    Args:
        network: whose features are compared.
        layers: which of them.
        originals: (B, 3, H, W), values in [0, 1].
        precision: that of the network, see :mod:`paribus.train.precision`.
        relative_to: ``itself``, the originals' own squared norm, or ``grey``, the squared distance of a grey image.
    """

    def __init__(
        self, network: Layered, layers: Sequence[str], originals: Tensor, precision: str, relative_to: str = "itself"
    ) -> None:
        self.network, self.layers, self.precision = network, tuple(layers), precision
        with torch.no_grad():
            self.wanted = self.features(originals)
            grey = self.features(torch.full_like(originals[:1], 0.5)) if relative_to == "grey" else {}
        usual = {name: found - grey[name] if grey else found for name, found in self.wanted.items()}
        self.norms = {name: _energy(found).clamp_min(SMALLEST) for name, found in usual.items()}

    def features(self, images: Tensor) -> dict[str, Tensor]:
        """Return the features of *images* in the images' own precision, at least in float32."""
        return computed(lambda seen: self.network.features(seen, self.layers), images, self.precision)

    def __call__(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, " B"]:
        """Return the sum over layers of ||f(x) - f(x0)||^2 / ||f(x0)||^2 for each image.

        Source: Mahendran & Vedaldi (2015), section 2. They also fix the scale of the image by a factor, where we have a
        bound on pixels. The sum over several layers is ours: each keeps the weight that it has alone. Relative to
        ``grey`` the divisor is ||f(grey) - f(x0)||^2: 1 a layer is what an image of nothing but grey (0.5) has.
        """
        found = self.features(images)
        parts = [_energy(found[name] - self.wanted[name]) / self.norms[name] for name in self.layers]
        return torch.stack(parts).sum(dim=0)


def improbability(images: Float[Tensor, "B 3 H W"], prior: Prior) -> Float[Tensor, " B"]:
    """Return bound * mean |2x - 1|^alpha + variation * mean total variation of each image, values in [0, 1].

    Source: Mahendran & Vedaldi (2015), section 2.1; means over the 3HW numbers instead of sums, so that a weight
    means the same at every size.
    """
    count = images[0].numel()
    found = images.new_zeros(len(images))
    if prior.bound > 0:
        found = found + prior.bound / count * alpha_norm(2 * images - 1, prior.alpha)
    if prior.variation > 0:
        found = found + prior.variation / count * total_variation(images, prior.beta)
    return found


def shifted(images: Float[Tensor, "B 3 H W"], most: int, streams: Streams, step: int) -> Float[Tensor, "B 3 H W"]:
    """Return each image shifted round its edges by up to *most* pixels in both directions, as stream and step say."""
    if most == 0:
        return images
    moves = streams.generator(f"jitter/step={step}").integers(-most, most + 1, (len(images), 2)).tolist()
    return torch.stack(
        [image.roll((down, right), dims=(1, 2)) for image, (down, right) in zip(images, moves, strict=True)]
    )


def _energy(values: Tensor) -> Tensor:
    return values.square().sum(dim=tuple(range(1, values.ndim)))  # flattened first, a channels-last map is copied
