"""How far images are from a texture or style, over several layers of a fixed network, layer by layer on one scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from paribus.labs.texture.losses import TextureLoss
from paribus.nn.networks.layered import Layered
from paribus.train.arithmetic import computed

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")
"""The first of each of small_vgg's groups, as Huang & Belongie (2017) and Johnson et al. (2016) choose in VGG."""
_SMALLEST = 1e-12


@dataclass(frozen=True, eq=False)
class StyleLoss:
    """The mean over layers of a texture loss, each divided by what features of zero would lose: 0 is met, 1 is nothing.

    So layers count alike whatever the network's scale, and the weight of a style means the same for every loss.

    Args:
        loss: one of ``paribus.labs.texture.losses.LOSSES``.
        targets: by layer, what the loss made of the texture; of one image, or of as many as will be compared.
        scales: by layer, (1,) or (B,), the loss of features that are zero.
        weights: by layer, what it counts in the mean; 1 for a layer that is not named.
    """

    loss: TextureLoss
    targets: Mapping[str, Tensor]
    scales: Mapping[str, Tensor]
    weights: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    @torch.no_grad()
    def toward(
        cls,
        features: Mapping[str, Float[Tensor, "B C H W"]],
        loss: TextureLoss,
        random: np.random.Generator,
        weights: Mapping[str, float] | None = None,
    ) -> StyleLoss:
        """Return the loss whose target are the *features* of a texture; *random* is for losses that draw."""
        targets = {layer: loss.target(found) for layer, found in features.items()}
        scales = {
            layer: loss(torch.zeros_like(found), targets[layer], random).clamp_min(_SMALLEST)
            for layer, found in features.items()
        }
        return cls(loss, targets, scales, weights or {})

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that it looks at."""
        return tuple(self.targets)

    def __call__(
        self, features: Mapping[str, Float[Tensor, "B C H W"]], random: np.random.Generator
    ) -> Float[Tensor, " B"]:
        """Return the loss of each image whose *features* these are."""
        return self.mean(self.parts(features, random))

    def parts(
        self, features: Mapping[str, Float[Tensor, "B C H W"]], random: np.random.Generator
    ) -> dict[str, Float[Tensor, " B"]]:
        """Return the loss of each image by layer."""
        return {
            layer: self.loss(features[layer], target, random) / self.scales[layer]
            for layer, target in self.targets.items()
        }

    def mean(self, parts: Mapping[str, Float[Tensor, " B"]]) -> Float[Tensor, " B"]:
        """Return the weighted mean over layers."""
        weights = [self.weights.get(layer, 1.0) for layer in parts]
        return torch.stack([weight * part for weight, part in zip(weights, parts.values(), strict=True)]).sum(
            dim=0
        ) / sum(weights)


def measured(
    network: Layered, images: Float[Tensor, "B 3 H W"], layers: Sequence[str], precision: str = "bfloat16"
) -> dict[str, Tensor]:
    """Return the features of *images*, computed in *precision*, in their own or at least in float32."""
    return computed(lambda seen: network.features(seen, layers), images, precision)
