"""A text instance as it is found in an image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Instance:
    """An outline, the disks that made it, and how sure the maps were.

    ``polygon`` (K, 2): x and y in pixels, a simple polygon; where it is made of disks with straight ends, the top side
    in the order of reading and then the bottom side back. ``disks`` (D, 3): x, y and r in order along the axis; none
    (0, 3) where the representation has none. ``score``: from 0 to 1.
    """

    polygon: NDArray[np.float64]
    disks: NDArray[np.float64]
    score: float
