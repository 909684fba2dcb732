"""Handwritten digits: 1,797 real scans of 8x8 pixels that come with scikit-learn."""

from __future__ import annotations

import functools

import cv2
import numpy as np

from paribus.data.image_set import ImageSet
from paribus.data.split import Split, stratified_split

SOURCE = "digits (1,797 scanned handwritten digits of 8x8 pixels, UCI / scikit-learn, enlarged to 32x32)"
HELD_OUT = 360
"""Examples in the validation part, and again in the test part; the other 1,077 are for training."""


@functools.cache
def load_digits(split: Split) -> ImageSet:
    """Return one part of the seeded, stratified split 1,077 / 360 / 360."""
    from sklearn.datasets import load_digits as sklearn_digits

    bunch = sklearn_digits()
    labels = bunch.target.astype(np.int64)
    rows = stratified_split(labels, HELD_OUT, HELD_OUT, "digits")[split]
    grey = np.rint(bunch.images[rows] * (255.0 / 16.0)).astype(np.uint8)
    large = [cv2.resize(image, (32, 32), interpolation=cv2.INTER_CUBIC) for image in grey]
    images = np.repeat(np.stack(large)[..., None], 3, axis=-1)
    labels = labels[rows]
    images.flags.writeable = labels.flags.writeable = False  # whoever asks again gets the same arrays
    return ImageSet(images, labels, tuple("0123456789"), SOURCE)
