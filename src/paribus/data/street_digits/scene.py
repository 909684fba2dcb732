"""A shard of crops from its labels: draw everything that varies, then lay out, paint and photograph in slabs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paribus.data.split import Split
from paribus.data.street_digits.camera import Camera
from paribus.data.street_digits.grounds import Ground
from paribus.data.street_digits.labels import stream
from paribus.data.street_digits.layout import Layout
from paribus.data.street_digits.paint import Paint

SLAB = 32
"""Crops whose scenes are in memory together: few enough for the processor's cache."""


def make_shard(split: Split, shard: int, labels: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return the crops of *labels*, the labels of one shard: (len(labels), 32, 32, 3) RGB."""
    random = stream(f"{split}/shard={shard}")
    layout = Layout.draw(split, labels, random)
    ground = Ground.draw(split, len(labels), random)
    paint = Paint.draw(layout.height, random)
    camera = Camera.draw(len(labels), random)
    crops = np.empty((len(labels), 32, 32, 3), dtype=np.uint8)
    for start in range(0, len(labels), SLAB):
        rows = range(start, min(start + SLAB, len(labels)))
        scenes = paint.apply(slice(rows.start, rows.stop), ground.surfaces(rows), *layout.fields(rows))
        for row, scene in zip(rows, scenes, strict=True):
            crops[row] = camera.photograph(row, scene)
    return crops
