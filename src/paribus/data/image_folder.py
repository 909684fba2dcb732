"""A user's own images: one folder for each class."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from paribus.data.image_set import ImageSet
from paribus.data.split import SPLIT_SEED, SPLITS, Split
from paribus.errors import DataError
from paribus.whole import written_whole

SIDE = 32
SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm"}
SHARES = {"train": 0.70, "validation": 0.15, "test": 0.15}
CACHE_VERSION = "v1"
PREFIX = "image_folder="
_FINGERPRINT = re.compile("#([0-9a-f]{24})$")
Files = dict[Split, list[tuple[Path, int]]]


def pinned(directory: str) -> str:
    """Return the name of the data set in *directory* as it is now: ``image_folder=/WHOLE/PATH#FINGERPRINT``.

    It means the same in every working directory, and other files have another name.
    """
    path = Path(directory).expanduser().resolve()
    files, _ = find_files(path)
    return f"{PREFIX}{path}#{_fingerprint(path, files)}"


def parse(name: str) -> tuple[Path, str | None]:
    """Return the directory of ``image_folder=DIR`` and the fingerprint that its files must have, where one is named."""
    text = name.removeprefix(PREFIX)
    found = _FINGERPRINT.search(text)
    return Path(text[: found.start()] if found else text).expanduser(), found[1] if found else None


def load_image_folder(directory: Path, split: Split, *, cache: Path, fingerprint: str | None = None) -> ImageSet:
    """Return one part of the images of ``DIRECTORY/CLASS/*``, each resized to 32x32 without regard to its proportions.

    Where ``DIRECTORY/train`` and ``DIRECTORY/test`` exist they are the parts, and ``DIRECTORY/validation`` too; a
    missing validation part is 15 % of train. Otherwise each class is divided 70 / 15 / 15. Both divisions go by the
    hash of the file's name, so they depend neither on the order of the folder nor on the machine. Images of any mode
    become RGB (transparent ones on white), turned as their EXIF orientation says. The result is cached for the names,
    sizes and times of the files. Raises :class:`~paribus.errors.DataError`, also where *fingerprint* is another.
    """
    files, classes = find_files(directory)
    now = _fingerprint(directory, files)
    if fingerprint not in (None, now):
        raise DataError(f"{directory}: its files have changed since the experiment was named; start again")
    folder = cache / f"{CACHE_VERSION}-{now}"
    images_path, labels_path = folder / f"{split}_images.npy", folder / f"{split}_labels.npy"
    if not labels_path.exists():  # written last, so its presence says that the part is whole
        images = np.stack([read_image(path) for path, _ in files[split]])
        labels = np.array([label for _, label in files[split]], dtype=np.int64)
        folder.mkdir(parents=True, exist_ok=True)
        for path, array in ((images_path, images), (labels_path, labels)):
            with written_whole(path) as file:
                np.save(file, array, allow_pickle=False)
    return ImageSet(
        np.load(images_path, mmap_mode="r", allow_pickle=False),
        np.load(labels_path, allow_pickle=False),
        classes,
        f"image_folder ({directory})",
    )


def find_files(directory: Path) -> tuple[Files, tuple[str, ...]]:
    """Return the files of each part with their labels, and the names of the classes in alphabetical order."""
    if not directory.is_dir():
        raise DataError(f"{directory}: not a folder; a folder with one folder of images for each class is expected")
    divided = (directory / "train").is_dir() and (directory / "test").is_dir()
    base = directory / "train" if divided else directory
    classes = tuple(sorted(path.name for path in base.iterdir() if path.is_dir() and not path.name.startswith(".")))
    if len(classes) < 2:
        found = f"only the class {classes[0]!r}" if classes else "no class"
        raise DataError(f"{base}: has {found}; at least two folders of images, one for each class, are expected")
    files: Files = {split: [] for split in SPLITS}
    for label, name in enumerate(classes):
        ordered = sorted(_images_in(base / name), key=lambda path: _hash(base, path))
        if not divided:
            parts = _divide(ordered, ("train", "validation", "test"), base / name)
        elif (directory / "validation").is_dir():
            parts = {"train": ordered, "validation": _images_in(directory / "validation" / name)}
        else:
            parts = _divide(ordered, ("train", "validation"), base / name)
        if divided:
            parts["test"] = _images_in(directory / "test" / name)
        for split, paths in parts.items():
            files[split] += [(path, label) for path in paths]
    if divided:
        _check_parts(directory, classes, files)
    for split in SPLITS:
        files[split].sort(key=lambda item: _hash(directory, item[0]))  # classes mixed, so that the first N hold all
    return files, classes


def read_image(path: Path) -> NDArray[np.uint8]:
    """Return one image file as (32, 32, 3) RGB."""
    try:
        with Image.open(path) as opened:
            image = ImageOps.exif_transpose(opened)
            return np.asarray(_to_rgb(image).resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        reason = "unknown format" if isinstance(error, UnidentifiedImageError) else " ".join(str(error).split())[:120]
        raise DataError(f"{path}: not a readable image ({reason}); mend or remove it") from None


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):  # 16-bit, 32-bit or real grey values: Pillow would clip, not scale, them
        values = np.asarray(image, dtype=np.float64)
        top = 65535.0 if image.mode.startswith("I") else (1.0 if values.max(initial=0.0) <= 1.0 else 255.0)
        image = Image.fromarray(np.rint(np.clip(values / top, 0.0, 1.0) * 255.0).astype(np.uint8))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        image = Image.alpha_composite(white, rgba)
    return image.convert("RGB")


def _images_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())


def _hash(base: Path, path: Path) -> str:
    return hashlib.sha256(f"{SPLIT_SEED}\x00{path.relative_to(base).as_posix()}".encode()).hexdigest()


def _divide(ordered: list[Path], splits: tuple[Split, ...], folder: Path) -> dict[Split, list[Path]]:
    if len(ordered) < len(splits):
        raise DataError(
            f"{folder}: has {len(ordered)} image{'' if len(ordered) == 1 else 's'}; at least {len(splits)} are "
            f"expected, one for each of {', '.join(splits)} ({', '.join(sorted(SUFFIXES))})"
        )
    parts: dict[Split, list[Path]] = {}
    start = 0
    for split in splits[1:]:
        count = max(1, round(len(ordered) * SHARES[split]))
        parts[split] = ordered[start : start + count]
        start += count
    parts["train"] = ordered[start:]
    return parts


def _check_parts(directory: Path, classes: tuple[str, ...], files: Files) -> None:
    for split in SPLITS:
        labels = {label for _, label in files[split]}
        empty = [name for label, name in enumerate(classes) if label not in labels]
        if empty:
            raise DataError(f"{directory / split}: has no image of class {empty[0]!r}, which train has")
    if (directory / "test").is_dir():
        others = {path.name for path in (directory / "test").iterdir() if path.is_dir()} - set(classes)
        if others:
            raise DataError(f"{directory / 'test'}: has class {min(others)!r}, which train lacks")


def _fingerprint(directory: Path, files: Files) -> str:
    digest = hashlib.sha256()
    for split in SPLITS:
        for path, label in files[split]:
            state = path.stat()
            name = path.relative_to(directory).as_posix()
            digest.update(f"{split}\x00{name}\x00{label}\x00{state.st_size}\x00{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:24]
