"""Circular padding whose gradient is as cheap as itself."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def circular(x: Float[Tensor, "B C H W"], margin: int) -> Float[Tensor, "B C h w"]:
    """Return *x* with *margin* rows and columns of the opposite side beyond each edge, ``F.pad``'s ``circular``.

    A margin wider than the image goes round more than once. torch's own gradient fills a whole tensor for each strip;
    this one adds strips, several times as fast, and keeps channels last in memory.
    """
    if margin == 0:
        return x
    if margin > min(x.shape[-2:]):
        rows, columns = (torch.arange(-margin, side + margin, device=x.device) % side for side in x.shape[-2:])
        return x[:, :, rows][:, :, :, columns]
    return _Circular.apply(x, margin)  # type: ignore[no-any-return]


class _Circular(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, x: Tensor, margin: int) -> Tensor:
        context.margin = margin
        return F.pad(x, (margin,) * 4, mode="circular")

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        m = context.margin
        (grown,) = gradients
        found = grown[:, :, m:-m, m:-m].clone(memory_format=torch.channels_last)
        found[..., :m] += grown[:, :, m:-m, -m:]
        found[..., -m:] += grown[:, :, m:-m, :m]
        for strip, place in ((grown[:, :, -m:], slice(None, m)), (grown[:, :, :m], slice(-m, None))):
            across = strip[..., m:-m].clone()
            across[..., :m] += strip[..., -m:]
            across[..., -m:] += strip[..., :m]
            found[:, :, place] += across
        return found, None
