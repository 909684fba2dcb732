"""Annotated text in photographs, read as its publishers laid it out: five data sets, one kind of sequence.

========== ================================ ============================================================================
name       what lies in the folder          layout, in upper or lower case (each module names others that it knows)
========== ================================ ============================================================================
total_text polygons, curved words           ``Images/Train/img11.jpg``, ``Groundtruth/Polygon/Train/poly_gt_img11.mat``
                                            (or ``.txt``); ``Test`` likewise
ctw1500    polygons, curved lines           ``train_images/0001.jpg``, ``ctw1500_train_labels/0001.xml``;
                                            ``test_images/1001.jpg``, ``gt_ctw1500/0001001.txt``
icdar2015  quadrangles, words               ``ch4_training_images/img_1.jpg``,
                                            ``ch4_training_localization_transcription_gt/gt_img_1.txt``;
                                            ``ch4_test_images``, ``Challenge4_Test_Task1_GT``
msra_td500 turned rectangles, lines         ``train/IMG_0030.JPG``, ``train/IMG_0030.gt``; ``test`` likewise
synthtext  quadrangles, words, one split    ``gt.mat`` beside the folders of images, ``8/ballet_106_0.jpg``
========== ================================ ============================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType

from paribus.data.text_sets import ctw1500, icdar2015, layout, msra_td500, synthtext, total_text
from paribus.data.text_sets.annotation import AnnotatedImage, Annotation
from paribus.data.text_sets.sequence import AnnotatedImages
from paribus.errors import DataError, UnknownName, suggest

Reader = Callable[[Path, str, bool], AnnotatedImages]

TEXT_SETS: Mapping[str, Reader] = MappingProxyType(
    {
        "total_text": partial(layout.read, total_text.FORMAT),
        "ctw1500": partial(layout.read, ctw1500.FORMAT),
        "icdar2015": partial(layout.read, icdar2015.FORMAT),
        "msra_td500": partial(layout.read, msra_td500.FORMAT),
        "synthtext": synthtext.read,
    }
)
"""The data sets by name, each with what reads it: (directory, split, skip_broken) -> AnnotatedImages."""


def read(name: str, directory: Path | str, split: str, *, skip_broken: bool = False) -> AnnotatedImages:
    """Return the images of one *split* with their annotations, in natural order of their names.

    The folder is listed at once, and each image needs its annotation and each annotation its image; what they say is
    read when an item is asked for. A polygon partly outside its image is kept as it is, not clipped. Broken is an
    annotation with fewer than four points, half a point, a number that is none, a polygon that crosses itself, has no
    area or lies wholly outside its image.

    Args:
        name: one of TEXT_SETS.
        directory: the folder of the data set, as the table above shows it.
        split: ``train`` or ``test``; SynthText has ``train`` alone.
        skip_broken: leave out what is broken instead of raising, and say so in ``problems`` of what is returned. A
            broken annotation, so that nobody is blamed for finding its text, becomes do-not-care (``ignore`` and
            ``broken``): the smallest rectangle round its points where its polygon crosses itself or has three points,
            or its text or its mark of do-not-care cannot be read. It is gone where the points are not to be had: a
            number is none or is missing, all lie on one line, or outside the image. Where a whole file of annotations
            cannot be read, nothing is known of its image, so all of it becomes do-not-care. An image without
            annotations is left out. One whose own file cannot be read stays in its place, without texts and of the
            size (0, 0).

    Raises:
        UnknownName: no such data set or split.
        DataError: the layout is another, or something is broken; it names the file and the line, row or box.
    """
    if name not in TEXT_SETS:
        raise UnknownName(f"there is no data set of text {name!r}{suggest(name, TEXT_SETS)}")
    path = Path(directory).expanduser()
    if not path.is_dir():
        raise DataError(f"{path}: not a folder; the folder of {name} is expected")
    return TEXT_SETS[name](path, split, skip_broken)


__all__ = ["TEXT_SETS", "AnnotatedImage", "AnnotatedImages", "Annotation", "read"]
