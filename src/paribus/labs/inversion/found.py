"""What every method of inversion gives: images, and how they came about."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Found:
    """Images found from features.

    Args:
        images: values in [0, 1], or a little outside where nothing but a prior holds them.
        strip: how the first of them came about, from start to end.
    """

    images: Float[Tensor, "B 3 H W"]
    strip: NDArray[np.uint8]
