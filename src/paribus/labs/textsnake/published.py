"""The detector beside the annotations of a published data set."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from PIL import Image

from paribus.data.text_sets import AnnotatedImage, AnnotatedImages, read
from paribus.errors import DataError
from paribus.labs.textsnake.detector import Detector
from paribus.labs.textsnake.evaluation import Protocol, Scores, evaluate
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


def found_in(image: AnnotatedImage, detector: Detector) -> list[Instance]:
    """Return the text in *image* in the pixels of the annotations: as the file stores them, not turned upright.

    Raises:
        DataError: the image is broken.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd files that it reads all the same
            with Image.open(image.path) as opened:
                picture = np.array(opened.convert("RGB"))
    except Exception as error:  # a broken file brings whatever its decoder stumbles over
        raise DataError(f"{image.path}: a broken picture ({' '.join(str(error).split())[:120]})") from None
    return detector.detect(picture)


def scored(
    truths: Sequence[Any], finds: Sequence[Sequence[Instance]], protocol: str, tr: float, tp: float, iou: float
) -> Scores:
    """Return the scores under *protocol*; each reads its own thresholds."""
    return evaluate(truths, finds, protocol=cast(Protocol, protocol), tr=tr, tp=tp, iou=iou)
