"""An image optimised on one size after another, each beginning with what the one before has found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import safetensors.torch
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate

from paribus.labs.texture.experiments import Descent
from paribus.spec.context import Context, Progress, Report, Scalars
from paribus.train.optimise import ImageLoss, optimise

Size = tuple[int, int]
Loss = Callable[[Tensor, int], ImageLoss]
FRAMES = 4
"""How many snapshots a scale adds to the strip."""


@dataclass(frozen=True, eq=False)
class Found:
    """What came out.

    Args:
        images: (B, 3, H, W), values in [0, 1].
        losses: (B,), the objective of these at the last scale.
        strip: (T, H, W, 3) uint8, the first image from the start of the first scale to the end of the last.
    """

    images: Tensor
    losses: NDArray[np.float64]
    strip: NDArray[np.uint8]


def sizes(size: Size, scales: int, multiple: int = 1) -> list[Size]:
    """Return *scales* sizes that end with *size*, each half the next, sides rounded to multiples, none below one."""

    def part(side: int, halvings: int) -> int:
        return side if halvings == 0 else max(1, round(side / 2**halvings / multiple)) * multiple

    return [(part(size[0], left), part(size[1], left)) for left in reversed(range(scales))]


def coarse_to_fine(
    loss_at: Callable[[Size], Loss],
    start: Float[Tensor, "B 3 h w"],
    steps_at: Sequence[tuple[Size, int]],
    *,
    descent: Descent,
    context: Context,
    wraps: bool = False,
) -> Found:
    """Minimise a loss over images on sizes of rising order; values stay within [0, 1].

    Interrupted, it goes on where it stopped: each scale has its own place in the context's folder.

    Args:
        loss_at: ``size -> loss``; the loss is asked with the number of the step, counted over all scales.
        start: images of the first size.
        steps_at: the sizes and how many steps there are at each.
        descent: optimiser and learning rate.
        context: takes curves, progress and pictures as of one optimisation.
        wraps: whether opposite edges of the images are joined.
    """
    total, before = sum(steps for _, steps in steps_at), 0
    images, losses, strip = start, np.empty(0), []
    for place, (size, steps) in enumerate(steps_at):
        here = _within(context, place, before, total)
        ended = None if here.scratch is None else replace(here, scratch=here.scratch / "end")
        kept = ended.load_checkpoint() if ended is not None else None
        if kept is None:
            loss = loss_at(size)
            found = optimise(
                _later(loss, before),
                resized(images, size, wraps),
                optimizer=descent.optimizer,
                rate=descent.schedule.rate,
                steps=steps,
                context=here,
                project=_clamped,
                points=max(2, 30 * steps // total),
                snapshots=min(FRAMES, steps + 1),
            )
            end = {
                "images": found.images,
                "losses": torch.from_numpy(found.losses),
                "strip": torch.from_numpy(np.ascontiguousarray(found.strip)),
            }
            if ended is not None:
                ended.save_checkpoint(safetensors.torch.save({name: part.cpu() for name, part in end.items()}))
        else:
            end = safetensors.torch.load(kept)
        images, losses = end["images"].to(start.device), end["losses"].numpy()
        strip.append(end["strip"])
        before += steps
    final = steps_at[-1][0]
    frames = torch.cat([_enlarged(frames, final) for frames in strip])
    return Found(images, losses, frames.numpy())


def resized(images: Float[Tensor, "B 3 H W"], size: Size, wraps: bool = False) -> Float[Tensor, "B 3 h w"]:
    """Return *images* at *size*: averaged where that is smaller, interpolated where it is larger, within [0, 1].

    Where an image *wraps*, what lies beyond an edge is what lies inside the opposite one.
    """
    height, width = size
    if tuple(images.shape[2:]) == size:
        return images
    if wraps:
        around = resized(images.repeat(1, 1, 3, 3), (3 * height, 3 * width))
        return around[:, :, height : 2 * height, width : 2 * width].contiguous()
    smaller = height * width < images.shape[2] * images.shape[3]
    mode = "bilinear" if smaller else "bicubic"
    return interpolate(images, size=size, mode=mode, align_corners=False, antialias=smaller).clamp(0, 1)


def _within(context: Context, place: int, before: int, total: int) -> Context:
    """Return the context of one scale: its own folder, and steps counted on from those *before* it."""

    def emit(report: Report) -> None:
        match report:
            case Progress(done=done):
                report = Progress(before + done, total)
            case Scalars(step=step, values=values):
                report = Scalars(before + step, values)
        context.emit(report)

    scratch = None if context.scratch is None else context.scratch / f"scale_{place}"
    return replace(context, scratch=scratch, emit=emit)


def _later(loss: Loss, before: int) -> Loss:
    return lambda images, step: loss(images, before + step)


def _clamped(images: Tensor) -> Tensor:
    return images.clamp_(0, 1)


def _enlarged(frames: Tensor, size: Size) -> Tensor:
    """Return (T, H, W, 3) uint8 at *size*, pixels as squares."""
    if tuple(frames.shape[1:3]) == size:
        return frames
    return interpolate(frames.permute(0, 3, 1, 2), size=size, mode="nearest").permute(0, 2, 3, 1).contiguous()
