"""A user's own pictures: any that Pillow opens becomes (H, W, 3); what comes out is a PNG that knows its experiment."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps, PngImagePlugin, UnidentifiedImageError

from paribus.errors import DataError
from paribus.whole import write_whole

Picture = NDArray[np.uint8]

logging.getLogger("PIL").addHandler(logging.NullHandler())  # what it has to say of a broken file, the error says


def read_picture(path: Path | str) -> Picture:
    """Return the picture in the file *path* as (H, W, 3), uint8, red, green, blue.

    It stands as its EXIF orientation says; what is transparent lies on white; of an animation it is the first frame.
    Grey values of more than 8 bits, and real ones, are scaled to 0..255.

    Raises:
        DataError: there is no such file, or it is broken, cut short, empty or too large; one line that names it.
    """
    path = Path(path).expanduser()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's remarks on odd files that it reads all the same
            with Image.open(path) as opened:
                opened.load()
                return _pixels(_upright(opened))
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file; give the path of a picture") from None
    except IsADirectoryError:
        raise DataError(f"{path}: a folder; the file of one picture is expected") from None
    except MemoryError:
        raise DataError(f"{path}: too large for this machine's memory; make it smaller") from None
    except Image.DecompressionBombError:
        most = f"{2 * (Image.MAX_IMAGE_PIXELS or 0) // 10**6} million pixels"
        raise DataError(f"{path}: larger than {most}, which no picture for Paribus needs; make it smaller") from None
    except Exception as error:  # a broken file brings whatever its decoder stumbles over
        raise DataError(f"{path}: {_reason(path, error)}") from None


def as_picture(image: NDArray[Any] | Image.Image) -> Picture:
    """Return *image* as (H, W, 3), uint8, of an array or an image of Pillow.

    An array is (H, W), (H, W, 1), (H, W, 3), or (H, W, 4) with alpha; of uint8, of uint16, whose white is 65535, of
    floating values from 0 to 1, or of bool. What is transparent lies on white; an image of Pillow stands as its EXIF
    orientation says.

    Raises:
        DataError: it is something else.
    """
    if isinstance(image, Image.Image):
        return _pixels(_upright(image))
    array = np.asarray(image)
    if array.shape[2:] == (1,):
        array = array[..., 0]
    white = {"B": 255, "H": 65535, "?": 1}.get(array.dtype.char, 1 if array.dtype.kind == "f" else 0)
    if not white or array.ndim not in (2, 3) or array.size == 0 or array.shape[2:] not in ((), (3,), (4,)):
        raise DataError(
            f"an array of {array.dtype} of {array.shape}; uint8, uint16, bool, or floating values from 0 to 1, of"
            " (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) are expected"
        )
    if array.dtype.kind == "f" and not ((array >= 0) & (array <= 1)).all():
        raise DataError(f"an array of {array.dtype} from {array.min():g} to {array.max():g}; 0 to 1 is expected")
    if array.dtype != np.uint8:
        array = _scaled(array, white)
    return np.array(array) if array.shape[2:] == (3,) else _pixels(Image.fromarray(array))


def resized(picture: Picture, *, longest: int) -> Picture:
    """Return *picture* made smaller so that neither side is longer than *longest*; one that fits stays as it is."""
    height, width = picture.shape[:2]
    scale = longest / max(height, width)
    if scale >= 1:
        return picture
    return stretched(picture, (max(1, round(width * scale)), max(1, round(height * scale))))


def stretched(picture: Picture, size: tuple[int, int]) -> Picture:
    """Return *picture* at *size*, (width, height), by Lanczos' filter."""
    return np.array(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def square(picture: Picture, side: int) -> Picture:
    """Return the largest square in the middle of *picture*, smaller or larger as *side* says: (side, side, 3)."""
    shorter = min(picture.shape[:2])
    top, left = ((length - shorter) // 2 for length in picture.shape[:2])
    middle = picture[top : top + shorter, left : left + shorter]
    return stretched(middle, (side, side))


def write_png(path: Path | str, array: Picture, *, experiment: str | None = None, **texts: object) -> Path:
    """Write *array* to *path* as PNG, whole or not at all, and return the path.

    The file's text ``paribus:experiment`` is the name *experiment*, where there is one; *texts* become
    ``paribus:KEY``. Folders that are missing are made.

    Args:
        path: where it goes.
        array: (H, W, 3), (H, W, 4) with alpha, or (H, W); uint8.
        experiment: the name of the experiment that made it; ``None`` where no experiment is configured like this.
        texts: what else a reader wants to know: ``network="small_vgg"``, ``seed=0``.

    Raises:
        DataError: *array* is no picture.
        OSError: the disk is full or the folder cannot be written.
    """
    if array.dtype != np.uint8 or array.size == 0 or array.shape[2:] not in ((), (3,), (4,)) or array.ndim < 2:
        raise DataError(f"{path}: uint8 of (H, W, 3) makes a picture, not {array.dtype} of {array.shape}")
    info = PngImagePlugin.PngInfo()
    info.add_text("Software", "Paribus")
    named = {} if experiment is None else {"experiment": experiment}
    for key, value in {**named, **texts}.items():
        info.add_text(f"paribus:{key}", str(value))
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(array)).save(file, "PNG", pnginfo=info)
    path = Path(path).expanduser()
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, file.getvalue())
    return path


def _reason(path: Path, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno is not None:
        return f"{(error.strerror or str(error)).lower()}; a picture that may be read is expected"
    if isinstance(error, UnidentifiedImageError) and path.stat().st_size == 0:
        return "the file is empty"
    if isinstance(error, UnidentifiedImageError):
        return "no picture that Pillow knows; PNG, JPEG, WebP, TIFF or the like is expected"
    said = " ".join(str(error).split())[:120] or type(error).__name__
    return f"a broken picture ({said}); the file is damaged or cut short"


def _upright(image: Image.Image) -> Image.Image:
    with contextlib.suppress(Exception):  # EXIF data that cannot be read turns nothing
        return ImageOps.exif_transpose(image)
    return image


def _pixels(image: Image.Image) -> Picture:
    if image.mode.startswith(("I", "F")):
        image = Image.fromarray(_bytes(image))
    elif image.mode == "LAB":
        rgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        image = ImageCms.applyTransform(image, ImageCms.buildTransform(lab, rgb, "LAB", "RGB")) or image
    elif image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (255, 255, 255, 255)), image)
    return np.array(image.convert("RGB"))


def _bytes(image: Image.Image) -> Picture:
    """Scale grey values of more than 8 bits, or real ones, to 0..255; Pillow would clip them.

    White is 65535 for 16 bits. Else it is the least of 1 (real values only), 255 and 65535 that no value exceeds, or
    the largest value. What is not a number is black.
    """
    values = np.nan_to_num(np.asarray(image, dtype=np.float64), nan=0.0)
    if image.mode.startswith("I;16"):
        white = 65535.0
    else:
        whites = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
        largest = values.max(initial=0.0)
        white = next((white for white in whites if largest <= white), largest)
    return _scaled(values, white)


def _scaled(values: NDArray[Any], white: float) -> Picture:
    return np.rint(np.clip(values / white, 0.0, 1.0) * 255.0).astype(np.uint8)
