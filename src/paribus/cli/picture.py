"""A picture as a PNG file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from paribus.cli.files import prepare
from paribus.whole import write_whole


def save_picture(pixels: NDArray[np.uint8], path: Path) -> Path:
    """Write *pixels*, (H, W, 3), as PNG to *path*, and return where that is."""
    where = prepare(path, "--sheet", suffix=".png")
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    write_whole(where, buffer.getvalue())
    return where
