"""Instances drawn over their image."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from paribus.labs.textsnake.instance import Instance

Image = NDArray[np.uint8]
REGION = (0, 158, 115)
AXIS = (230, 159, 0)
"""Bluish green and orange of Okabe and Ito (2008), which the colour-blind tell apart."""


def drawn(image: Image, instances: Sequence[Instance]) -> Image:
    """Return a copy of *image* (H, W, 3) with each polygon filled faintly and outlined, and its axis through it."""
    canvas = np.ascontiguousarray(image).copy()
    thick = max(1, round(max(canvas.shape[:2]) / 500))
    outlines = [np.rint(found.polygon * 16).astype(np.int32) for found in instances]
    tinted = canvas.copy()
    for outline in outlines:
        cv2.fillPoly(tinted, [outline], REGION, cv2.LINE_AA, shift=4)
    canvas = np.asarray(cv2.addWeighted(tinted, 0.25, canvas, 0.75, 0), dtype=np.uint8)
    for found, outline in zip(instances, outlines, strict=True):
        cv2.polylines(canvas, [outline], True, REGION, thick, cv2.LINE_AA, shift=4)
        if len(found.disks):
            axis = np.rint(found.disks[:, :2] * 16).astype(np.int32)
            cv2.polylines(canvas, [axis], False, AXIS, thick, cv2.LINE_AA, shift=4)
    return np.asarray(canvas, dtype=np.uint8)
