"""What coordinates in pixels may be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FARTHEST = 1e9
"""No picture has a pixel so far out; of larger numbers areas lose their digits, and at last overflow."""


def misplaced(points: NDArray[np.float64]) -> str:
    """Return what is wrong with coordinates of any shape, as ``a coordinate that is not finite; ...``, or nothing."""
    if not np.isfinite(points).all():
        return "a coordinate that is not finite; numbers in pixels are expected"
    worst = np.abs(points).max(initial=0.0)
    return f"a coordinate of {worst:g}; pixels, at most {FARTHEST:g}, are expected" if worst > FARTHEST else ""
