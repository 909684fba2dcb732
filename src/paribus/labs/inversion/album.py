"""Training of a network that makes the images, with snapshots that an interruption does not lose."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from paribus.labs.inversion.found import Found
from paribus.nn.pixels import to_pictures
from paribus.spec.context import Context
from paribus.train.loop import StepLoss, fit
from paribus.train.optimizer import Adam
from paribus.train.schedule import Schedule

SNAPSHOTS = 8
"""How many times the first image is kept, start and end among them."""


class Album(nn.Module):
    """A network, and in its state what it made on the way."""

    strip: Tensor
    taken: Tensor

    def __init__(self, maker: nn.Module, side: tuple[int, int]) -> None:
        super().__init__()
        self.maker = maker
        self.register_buffer("strip", torch.zeros(SNAPSHOTS, *side, 3, dtype=torch.uint8))
        self.register_buffer("taken", torch.zeros((), dtype=torch.int64))

    def add(self, image: Tensor) -> None:
        """Keep an image (3, H, W)."""
        self.strip[int(self.taken)] = torch.from_numpy(to_pictures(image[None])[0]).to(self.strip.device)
        self.taken += 1


def trained(
    maker: nn.Module,
    make: Callable[[], Tensor],
    loss: Callable[[int], StepLoss],
    *,
    steps: int,
    schedule: Schedule,
    context: Context,
    largest: float = math.inf,
) -> Found:
    """Train *maker* by Adam, and return what it makes in the end.

    Args:
        maker: the network.
        make: gives the images (B, 3, H, W), as the network makes them now.
        loss: of step k, as :func:`paribus.train.loop.fit` takes it.
        steps: how many updates.
        schedule: the learning rate.
        context: takes curves, the first image as it is, checkpoints.
        largest: the norm over all weights to which a longer gradient is shortened.
    """

    @torch.no_grad()
    def look() -> dict[str, float]:
        image = make()[0]
        album.add(image)
        context.picture("image", to_pictures(image[None])[0])
        return {}

    def shorten(*_: object) -> None:
        nn.utils.clip_grad_norm_(maker.parameters(), largest)

    with torch.no_grad():
        first = make()[0]
    album = Album(maker, (first.shape[-2], first.shape[-1])).to(first.device)
    album.add(first)
    optimizer = Adam().build(maker.parameters(), rate=0.0)
    if largest < math.inf:
        optimizer.register_step_pre_hook(shorten)
    fit(
        loss,
        model=album,
        optimizer=optimizer,
        rate=schedule.rate,
        steps=steps,
        context=context,
        measure=look,
        measurements=SNAPSHOTS - 1,
    )
    with torch.no_grad():
        images = make()
    return Found(images, album.strip[: int(album.taken)].cpu().numpy())
