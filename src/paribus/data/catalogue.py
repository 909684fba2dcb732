"""The data sets by name: what there is, what is here, and how to get it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from paribus.data import cifar10
from paribus.data.cifar10 import cifar10_edition, convert_cifar10, download_cifar10, load_cifar10
from paribus.data.download import Progress
from paribus.data.folders import data_root
from paribus.data.image_folder import PREFIX as FOLDER_PREFIX
from paribus.data.image_folder import load_image_folder, parse
from paribus.data.image_set import ImageSet
from paribus.data.scanned_digits import load_digits
from paribus.data.split import SPLITS, Split
from paribus.data.street_digits.cache import edition, load_street_digits
from paribus.data.svhn import (
    EXTRA,
    WITH_EXTRA,
    convert_extra,
    convert_svhn,
    download_svhn,
    has_extra,
    has_mat_files,
    is_converted,
    load_svhn,
    svhn_edition,
)
from paribus.errors import DataError, suggest

__all__ = [
    "NAMES",
    "DataSetEntry",
    "Split",
    "add",
    "available",
    "describe",
    "editions",
    "get",
    "load",
    "not_as_published",
]

NAMES = ("svhn", "cifar10", "street_digits", "curved_text", "digits", "image_folder=DIR")
MADE_WHEN_ASKED = ("curved_text", "digits")
"""Data sets that take no room and no download."""


@dataclass(frozen=True)
class DataSetEntry:
    """One line of ``paribus data list``."""

    name: str
    what: str
    licence: str
    """The licence and who published it."""
    where: str
    """The folder where it lies, or where it comes from while it is absent."""
    present: bool
    """Whether it can be loaded now, without the network."""
    size: int
    """Bytes that it takes on this disk now."""


def load(name: str, split: Split, *, limit: int | None = None, folder: Path | None = None) -> ImageSet:
    """Return one part of a data set, or its first *limit* examples.

    *name* is one of ``svhn``, ``svhn+extra``, ``cifar10``, ``street_digits``, ``digits`` and ``image_folder=DIR``
    (which :func:`paribus.data.image_folder.pinned` ties to the files that are there now); *folder* stands in for the
    data root (see :func:`paribus.data.folders.data_root`). Example i is the same whatever the limit. Raises
    :class:`~paribus.errors.DataError` where the data is absent or broken, and for ``curved_text``, which holds scenes
    with polygons instead of images with labels: :func:`paribus.data.curved_text.scene` makes them.
    """
    if name != WITH_EXTRA:
        _check_name(name)
    if split not in SPLITS:
        raise DataError(f"split {split!r}: one of {', '.join(SPLITS)} is expected")
    root = folder if folder is not None else data_root()
    if name in ("svhn", WITH_EXTRA):
        return load_svhn(root / "svhn", split, extra=name == WITH_EXTRA).first(limit)
    if name == "cifar10":
        return load_cifar10(root / "cifar10", split).first(limit)
    if name == "street_digits":
        return load_street_digits(root / "street_digits", split, limit)
    if name == "curved_text":
        raise DataError(
            "curved_text holds scenes, not labelled images: call paribus.data.curved_text.scene(split, index)"
        )
    if name == "digits":
        return load_digits(split).first(limit)
    directory, fingerprint = parse(name)
    return load_image_folder(directory, split, cache=root / "image_folder", fingerprint=fingerprint).first(limit)


def editions() -> tuple[str, ...]:
    """Return what decides pixels beside the code: the libraries that draw, and marks of files not as published."""
    return edition(), svhn_edition(data_root() / "svhn"), cifar10_edition(data_root() / "cifar10")


def not_as_published(name: str) -> str:
    """Return in words what the files of a data set are that is here; nothing where they are the published ones."""
    found = {"svhn": svhn_edition, "cifar10": cifar10_edition}.get(name)
    return found(data_root() / name) if found is not None else ""


def available(name: str) -> bool:
    """Say whether a data set can be loaded now, without the network."""
    if name == WITH_EXTRA:
        return has_extra(data_root() / "svhn")
    _check_name(name)
    if name == "svhn":
        return is_converted(data_root() / "svhn") or has_mat_files(data_root() / "svhn")
    if name == "cifar10":
        return cifar10.is_converted(data_root() / "cifar10") or cifar10.has_archive(data_root() / "cifar10")
    return parse(name)[0].is_dir() if name.startswith(FOLDER_PREFIX) else True


def describe() -> list[DataSetEntry]:
    """Return an entry for each data set, in the order of :data:`NAMES`."""
    root = data_root()
    here, photographs_here = available("svhn"), available("cifar10")
    return [
        DataSetEntry(
            "svhn",
            _what(
                "Street View House Numbers: 73,257 training and 26,032 test crops of 32x32, 10 digits; 531,131 extra "
                "training crops, where asked for",
                "crops of 32x32, 10 digits, in the layout of Street View House Numbers",
                not_as_published("svhn"),
            ),
            "free for non-commercial use; Netzer et al. 2011, ufldl.stanford.edu/housenumbers",
            _where_svhn(root / "svhn", here),
            here,
            _size(root / "svhn"),
        ),
        DataSetEntry(
            "cifar10",
            _what(
                "CIFAR-10: 50,000 training and 10,000 test photographs of 32x32, 10 kinds of things",
                "photographs of 32x32, 10 kinds of things, in the layout of CIFAR-10",
                not_as_published("cifar10"),
            ),
            "no licence is stated; Krizhevsky 2009, www.cs.toronto.edu/~kriz/cifar.html",
            str(root / "cifar10") if photographs_here else "paribus data get cifar10 (170 MB), or data add cifar10 DIR",
            photographs_here,
            _size(root / "cifar10"),
        ),
        DataSetEntry(
            "street_digits",
            "synthetic house numbers made by Paribus: 73,257 training, 6,000 validation and 26,032 test crops of 32x32",
            "made here from typefaces (OFL, Apache 2.0, free) and photographs (CC0, CC-BY) of installed packages",
            str(root / "street_digits"),
            True,
            _size(root / "street_digits"),
        ),
        DataSetEntry(
            "curved_text",
            "synthetic scenes with words along curves and their polygons, made by Paribus: endless training, "
            "500 validation and 500 test scenes of 512x512",
            "made here from typefaces (OFL, Apache 2.0, free) and photographs of installed packages (CC0, CC-BY, "
            "public domain; those of the moon and of a motorcycle name no licence)",
            "made when asked for, nothing is kept: paribus.data.curved_text.scene",
            True,
            0,
        ),
        DataSetEntry(
            "digits",
            "1,797 scanned handwritten digits of 8x8 pixels, enlarged to 32x32",
            "CC-BY 4.0; Alpaydin and Kaynak 1998, UCI; comes with scikit-learn",
            "scikit-learn",
            True,
            0,
        ),
        DataSetEntry(
            "image_folder=DIR",
            "your own images: DIR/CLASS/*.png, or DIR/train/CLASS/*.png and DIR/test/CLASS/*.png",
            "yours",
            "any folder of yours with one folder of images for each class",
            False,
            _size(root / "image_folder"),
        ),
    ]


def get(name: str, progress: Progress | None = None, *, extra: bool = False) -> None:
    """Download a data set, with its checksum, and convert it; an interrupted call goes on where it stopped.

    With *extra*, which ``svhn`` alone has, its extra training crops too.
    """
    _check_name(name)
    if extra and name != "svhn":
        raise DataError(f"{name}: has no extra file; only svhn has one")
    if name == "svhn":
        download_svhn(data_root() / "svhn", progress, extra=extra)
    elif name == "cifar10":
        download_cifar10(data_root() / "cifar10", progress)
    elif name == "street_digits":
        for split in SPLITS:
            load_street_digits(data_root() / "street_digits", split, None, progress)
    elif name not in MADE_WHEN_ASKED:
        raise DataError(f"{name}: a folder of your own images needs no download")


def add(name: str, directory: Path | str) -> str:
    """Take a data set from a folder that already holds its published files; they are read, not moved.

    Returns the name of the file that was there beside the necessary ones and was taken along, or nothing.
    """
    _check_name(name)
    files = {"svhn": "train_32x32.mat and test_32x32.mat", "cifar10": cifar10.ARCHIVE}
    if name not in files:
        raise DataError(f"{name}: needs no files; only {' and '.join(files)} can be added from a folder")
    source = Path(directory).expanduser()
    if not source.is_dir():
        raise DataError(f"{source}: not a folder; one with {files[name]} is expected")
    if name == "cifar10":
        convert_cifar10(source, data_root() / name)
        return ""
    convert_svhn(source, data_root() / name)
    if not (source / EXTRA).exists():
        return ""
    convert_extra(source, data_root() / name)
    return EXTRA


def _check_name(name: str) -> None:
    if name not in NAMES[:-1] and not (name.startswith(FOLDER_PREFIX) and len(name) > len(FOLDER_PREFIX)):
        raise DataError(f"no data set {name!r}{suggest(name, NAMES)}")


def _what(published: str, other: str, not_published: str) -> str:
    """Return what a data set is: what was published of it says nothing of other files."""
    return f"{other}; {not_published}" if not_published else published


def _where_svhn(folder: Path, here: bool) -> str:
    if not here:
        return "paribus data get svhn (246 MB, with --extra 1.6 GB), or paribus data add svhn DIR"
    if has_extra(folder):
        return f"{folder}, with the extra crops"
    return f"{folder}, without the extra crops (paribus data get svhn --extra)"


def _size(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    states = [file.stat() for file in folder.rglob("*") if file.is_file()]
    return sum(int(getattr(state, "st_blocks", state.st_size / 512) * 512) for state in states)  # what is filled so far
