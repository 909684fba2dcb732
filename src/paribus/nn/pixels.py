"""Between pictures, (B, H, W, 3) uint8, and what networks take: (B, 3, H, W) with values in [0, 1]."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor


def to_tensor(pictures: NDArray[np.uint8]) -> Float[Tensor, "B 3 H W"]:
    """Return *pictures* as float32 in [0, 1], channels last in memory."""
    return torch.from_numpy(np.array(pictures, order="C")).permute(0, 3, 1, 2).float().div_(255)


def to_pictures(images: Float[Tensor, "B 3 H W"]) -> NDArray[np.uint8]:
    """Return *images* of values in [0, 1], others cut off, rounded to uint8, on the CPU."""
    pixels = (images.detach().float().clamp(0, 1) * 255).round().to(torch.uint8)
    return pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
