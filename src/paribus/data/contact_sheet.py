"""A look at a data set: a few images of each class, one row a class."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from paribus.data.image_set import ImageSet


def contact_sheet(image_set: ImageSet, *, columns: int = 12, gap: int = 2) -> NDArray[np.uint8]:
    """Return the first *columns* images of each class as one RGB image, a row for each class, on white."""
    _, height, width, channels = image_set.images.shape
    count = len(image_set.classes)
    sheet = np.full((count * (height + gap) + gap, columns * (width + gap) + gap, 3), 255, dtype=np.uint8)
    for label in range(count):
        top = gap + label * (height + gap)
        for column, row in enumerate(np.flatnonzero(image_set.labels == label)[:columns]):
            left = gap + column * (width + gap)
            image = image_set.images[row]
            sheet[top : top + height, left : left + width] = image if channels == 3 else image[..., :1]
    return sheet
