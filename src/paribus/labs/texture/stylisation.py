"""Style transfer by optimisation: the content of one image in the texture of another."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from paribus.errors import ConfigError
from paribus.labs.texture.coarse_to_fine import Found, Loss, Size, coarse_to_fine, resized, sizes
from paribus.labs.texture.colours import Colours
from paribus.labs.texture.content_loss import content_loss
from paribus.labs.texture.experiments import Descent, Look
from paribus.labs.texture.eye import Eye
from paribus.labs.texture.synthesis import OBJECTIVE, directions, fitting, stretches
from paribus.nn.image_prior import total_variation
from paribus.nn.initial import normal
from paribus.spec.context import Context
from paribus.train.optimise import ImageLoss


@dataclass(frozen=True, kw_only=True)
class Balance:
    """What counts beside the style.

    Args:
        content: the weight of the content, whose loss is 1 for an image without features.
        smooth: the weight of the total variation, a pixel's mean.
        layer: where content is compared.
    """

    content: float = 0.05
    smooth: float = 0.0
    layer: str = "relu3_1"

    def __post_init__(self) -> None:
        if self.content < 0 or self.smooth < 0:
            raise ConfigError(f"weights are 0 or more; here they are {self.content} and {self.smooth}")


def stylise(
    content: Float[Tensor, "B 3 H W"],
    style: Float[Tensor, "B 3 h w"],
    eye: Eye,
    *,
    scales: int,
    steps: int,
    descent: Descent,
    context: Context,
    balance: Balance = Balance(),
    noise: bool = False,
) -> Found:
    """Return each *content* with the texture of its *style*, of the content's size, none depending on another.

    It begins with the content itself, or with *noise* in the style's colours, drawn for each image anew.

    Minimised is, at each scale, the style's loss at the eye's layers + c |F - F^|^2 / |F^|^2 at the content's layer
    + s TV. Gatys, Ecker & Bethge (2016), "Image Style Transfer Using Convolutional Neural Networks", equations 1 to 7,
    on the scales of a pyramid, with content and style each relative to the loss of an image without features.
    """
    streams = context.streams
    size = (content.shape[2], content.shape[3])
    fit = fitting(min(*size, *style.shape[2:]), scales)
    own, theirs = sizes(size, fit), sizes((style.shape[2], style.shape[3]), fit)
    plan = stretches(own, steps, eye.loss)
    if eye.border == "circular":
        raise ConfigError("a photo does not tile: leave out the change tile")
    layers = eye.look.layers
    seen = replace(eye, look=Look(layers=(*layers, balance.layer) if balance.layer not in layers else layers))

    def loss_at(now: Size) -> Loss:
        toward = eye.toward(resized(style, theirs[own.index(now)]), streams)
        with torch.no_grad():
            wanted = seen.features(resized(content, now))[balance.layer]
        if wanted.dim() < 4:
            raise ConfigError(f"layer {balance.layer!r} has no places; content is compared where there are: relu3_1")

        def loss(images: Tensor, step: int) -> ImageLoss:
            found = seen.features(images)
            styled = toward(found, directions(streams, plan, step))
            kept = content_loss(found[balance.layer], wanted)
            rough = total_variation(images) / images[0].numel()
            objective = styled + balance.content * kept + balance.smooth * rough
            shown = {"loss": objective, "style_loss": styled, "content_loss": kept}
            return ImageLoss(OBJECTIVE * objective, shown)

        return loss

    start = content
    if noise:
        drawn = [normal(streams, f"start/image={place}", (1, 3, *own[0])) for place in range(len(style))]
        start = torch.cat([Colours.of(one[None]).noise(part) for one, part in zip(style.cpu(), drawn, strict=True)])
        start = start.clamp(0, 1).to(content)
    found = coarse_to_fine(loss_at, start, plan, descent=descent, context=context)
    return Found(found.images.clamp(0, 1), found.losses / OBJECTIVE, found.strip)
