"""Images whose pixels are whole values of 255, as a picture that is written has them."""

from __future__ import annotations

import torch
from torch import Tensor

from paribus.labs.adversarial.attacks.bounds import distance, rows

NEARLY = 1e-3
"""How much of 1/255 a change may lack to a whole value and still count as it: float32 has no multiples of 1/255."""


def in_whole_pixels(images: Tensor, original: Tensor, *, norm: str, eps: float) -> Tensor:
    """Return *images* with each change rounded to whole values of 255, towards the *original*: none leaves its ball.

    n = trunc(d), d = 255 (x - x_0), and where |d| lacks less than NEARLY to a whole value that value, unless then
    ||n|| / 255 > eps. As |n| <= |d| otherwise, no norm of the change grows beyond eps.

    Args:
        images: (B, 3, H, W) float32 in [0, 1], each within *eps* of its original; the gradient passes as it is.
        original: (B, 3, H, W) or (1, 3, H, W), a picture's values over 255.
        norm: ``linf``, ``l2``, ``l1`` or ``l0``.
        eps: the radius, of pixels in 0 to 1; for ``l0`` how many pixels; infinity for none.
    """
    moved = (images.detach().double() - original.double()) * 255
    nearly, inwards = (moved + NEARLY * moved.sign()).trunc(), moved.trunc()
    size = distance(nearly, torch.zeros_like(nearly), norm)  # of whole numbers: the sums are exact
    within = size <= eps if norm == "l0" else size / 255 <= eps
    whole = (original.double() * 255).round() + torch.where(rows(within), nearly, inwards)
    return (whole / 255).float() + (images - images.detach())
