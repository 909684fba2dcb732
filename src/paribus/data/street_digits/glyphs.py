"""Digit shapes of real typefaces, as signed distance fields; no family serves two parts.

A distance field gives the outline, its weight, bevel, contour and shadow by arithmetic after any warp
(Green 2007, "Improved alpha-tested magnification for vector textures and special effects").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from paribus.data.split import Split
from paribus.errors import DataError

HEIGHT = 48
"""Pixels of a digit's height in its field."""
MARGIN = 16
"""Pixels of field around the digit."""
FAR = -MARGIN / HEIGHT
"""The distance outside every field, in digit heights."""

TYPEFACES: dict[Split, dict[str, tuple[str, ...]]] = {
    "train": {
        "font-roboto": ("Roboto-Light", "Roboto-Regular", "Roboto-Medium", "Roboto-Bold", "Roboto-Black",
                        "Roboto-BoldItalic"),
        "font-lato": ("Lato-Light", "Lato-Regular", "Lato-Bold", "Lato-Black", "Lato-BoldItalic"),
        "font-source-serif-pro": ("SourceSerifPro-Light", "SourceSerifPro-Regular", "SourceSerifPro-Semibold",
                                  "SourceSerifPro-Bold", "SourceSerifPro-Black", "SourceSerifPro-SemiboldIt"),
        "font-caladea": ("Caladea-Regular", "Caladea-Bold", "Caladea-Italic", "Caladea-BoldItalic"),
        "font-fredoka-one": ("FredokaOne-Regular",),
        "matplotlib": ("DejaVuSans", "DejaVuSans-Bold", "cmr10", "cmb10", "cmti10"),
    },
    "validation": {
        "font-source-sans-pro": ("SourceSansPro-Light", "SourceSansPro-Regular", "SourceSansPro-Semibold",
                                 "SourceSansPro-Bold", "SourceSansPro-Black", "SourceSansPro-SemiboldIt"),
        "matplotlib": ("STIXGeneral", "STIXGeneralBol", "STIXGeneralBolIta"),
    },
    "test": {
        "font-manrope": ("Manrope-Light", "Manrope-Regular", "Manrope-Medium", "Manrope-Bold", "Manrope-ExtraBold"),
        "matplotlib": ("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic", "cmss10"),
    },
}  # fmt: skip
"""Faces by the package that ships them: six families for training, two for validation, three for test."""


@dataclass(frozen=True, eq=False)
class Glyph:
    """One digit of one face."""

    field: NDArray[np.float32]
    """Distance to the outline, positive inside, in digit heights; the digit's box lies MARGIN pixels inside."""
    width: float
    """Width of the digit's box, in digit heights."""


def font_path(package: str, face: str) -> Path:
    """Return the file of a face; raises :class:`~paribus.errors.DataError` where its package is not installed."""
    if package == "matplotlib":
        import matplotlib  # heavy, and only the path of its fonts is wanted

        return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{face}.ttf"
    try:
        for file in files(package) or []:
            if file.name == f"{face}.ttf":
                return Path(str(file.locate()))
    except PackageNotFoundError:
        pass
    raise DataError(f"street_digits: the typeface {face} is missing; `pip install {package}` brings it")


@cache
def glyphs(split: Split) -> tuple[tuple[Glyph, ...], ...]:
    """Return the ten digits of each face of a part."""
    return tuple(
        tuple(_glyph(font_path(package, face), str(digit)) for digit in range(10))
        for package, faces in TYPEFACES[split].items()
        for face in faces
    )


def _glyph(path: Path, text: str) -> Glyph:
    scale = 4
    font = ImageFont.truetype(str(path), 6 * HEIGHT)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("L", (int(right - left), int(bottom - top)))
    ImageDraw.Draw(image).text((-left, -top), text, font=font, fill=255)
    ink = np.asarray(image)
    rows, columns = np.flatnonzero(ink.max(axis=1) > 127), np.flatnonzero(ink.max(axis=0) > 127)
    ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    width = ink.shape[1] / ink.shape[0]
    size = (max(1, round(width * HEIGHT)) * scale, HEIGHT * scale)
    ink = cv2.resize(ink, size, interpolation=cv2.INTER_AREA)
    ink = np.pad(ink, MARGIN * scale)
    inside = (ink > 127).astype(np.uint8)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5)
    smaller = (distance.shape[1] // scale, distance.shape[0] // scale)
    small = cv2.resize(distance, smaller, interpolation=cv2.INTER_AREA)
    return Glyph(np.maximum(small / (HEIGHT * scale), FAR).astype(np.float32), width)
