"""A labelled set of images: what every data set of Paribus becomes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paribus.errors import DataError


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Images with one label each.

    Labels outside ``0..len(classes)-1`` are not refused here: :func:`paribus.data.inspect.inspect` reports them.
    """

    images: NDArray[np.uint8]
    """(N, H, W, C) in 0..255, channels red, green, blue; read-only, memory-mapped where it comes from disk."""
    labels: NDArray[np.int64]
    """(N,) in 0..len(classes)-1."""
    classes: tuple[str, ...]
    """The name of each class, by label."""
    source: str
    """Where the images come from, in words."""

    def __post_init__(self) -> None:
        if self.images.ndim != 4 or self.images.dtype != np.uint8:
            raise DataError(
                f"{self.source}: images are {self.images.dtype} of shape {self.images.shape}; "
                "uint8 of shape (N, H, W, C) is expected"
            )
        if self.labels.shape != (len(self.images),) or self.labels.dtype != np.int64:
            raise DataError(
                f"{self.source}: labels are {self.labels.dtype} of shape {self.labels.shape}; "
                f"int64 of shape ({len(self.images)},) is expected"
            )

    def __len__(self) -> int:
        return len(self.images)

    def first(self, count: int | None) -> ImageSet:
        """Return the first *count* examples, or all of them where *count* is None."""
        if count is None:
            return self
        if count < 1:
            raise DataError(f"limit={count}: at least one example is needed")
        return ImageSet(self.images[:count], self.labels[:count], self.classes, self.source)
