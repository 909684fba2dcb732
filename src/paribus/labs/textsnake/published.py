"""The detector beside the annotations of a published data set."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from paribus.data.text_sets import AnnotatedImage, AnnotatedImages, read
from paribus.data.text_sets.sequence import UNREADABLE
from paribus.errors import ConfigError, DataError
from paribus.labs.textsnake.detector import Detector
from paribus.labs.textsnake.evaluation import PROTOCOLS, Protocol, Scores, evaluate
from paribus.labs.textsnake.instance import Instance

OWN: dict[str, Protocol] = {"ctw1500": "ctw1500", "icdar2015": "icdar2015", "msra_td500": "msra_td500"}
"""By which protocol a data set is scored where its authors published one; else DetEval."""
ALSO = {"totaltext": "total_text", "total-text": "total_text", "msra-td500": "msra_td500", "td500": "msra_td500"}
"""Other spellings of data sets."""


def published(name: str, directory: Path, split: str, *, skip_broken: bool = False) -> AnnotatedImages:
    """Return the images of a published data set; see :func:`paribus.data.text_sets.read`."""
    return read(_known(name), directory, split, skip_broken=skip_broken)


def own_protocol(name: str) -> Protocol:
    """Return the protocol that belongs to the data set *name*."""
    return OWN.get(_known(name), "deteval")


def _known(name: str) -> str:
    return ALSO.get(name.lower(), name.lower())


def finds_of(images: AnnotatedImages, detector: Detector) -> Iterator[tuple[AnnotatedImage, list[Instance] | None]]:
    """Yield each of *images* with the text found in it, in the pixels of the annotations.

    Where *images* leave out what is broken, a broken image comes with None and is among their ``problems``.

    Raises:
        DataError: an image is broken, or the detector fails on one.
    """
    for image in images:
        try:
            picture = as_stored(image.path)
        except DataError as error:
            if not images.skip_broken:
                raise
            if image.size != UNREADABLE:  # else it has been said already
                images.leave_out(str(error))
            yield image, None
            continue
        try:
            found = detector.detect(picture)
        except DataError as error:
            raise DataError(f"{image.path}: {error}") from error
        yield image, found


def as_stored(path: Path) -> NDArray[np.uint8]:
    """Return the pixels (H, W, 3) as annotations count them: as the file stores them, not turned upright.

    Raises:
        DataError: the image is broken.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd files that it reads all the same
            with Image.open(path) as opened:
                return np.array(opened.convert("RGB"))
    except Exception as error:  # a broken file brings whatever its decoder stumbles over
        raise DataError(f"{path}: a broken picture ({' '.join(str(error).split())[:120]})") from None


def scored(
    truths: Sequence[Any], finds: Sequence[Sequence[Instance]], protocol: str, thresholds: Mapping[str, float | None]
) -> Scores:
    """Return the scores under *protocol* at *thresholds*: ``tr`` and ``tp``, or ``iou``; None is the protocol's own.

    Raises:
        ConfigError: no such protocol, one that does not read a threshold given, or a threshold not in 0..1.
    """
    given: dict[str, Any] = {name: value for name, value in thresholds.items() if value is not None}
    read = ("tr", "tp") if protocol == "deteval" else ("iou",)
    for name in given:
        if protocol in PROTOCOLS and name not in read:
            raise ConfigError(f"--{name}: {protocol} does not read it; --{' and --'.join(read)} would be its own")
    return evaluate(truths, finds, protocol=cast(Protocol, protocol), **given)
