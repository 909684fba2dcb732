"""CIFAR-10 in its binary version: read, checked and kept as memory-mapped arrays.

Krizhevsky (2009), "Learning Multiple Layers of Features from Tiny Images", https://www.cs.toronto.edu/~kriz/cifar.html.
Each record of a file is a byte for the label and 3,072 bytes for the pixels: 1,024 red, 1,024 green, 1,024 blue, row by
row. ``data_batch_1.bin`` to ``data_batch_5.bin`` hold 10,000 records each, and so does ``test_batch.bin``.

The published set has no validation part. Here 5,000 of the 50,000 training images are held out, 10 % of each class, by
a seeded draw. Both parts keep the order of the files.
"""

from __future__ import annotations

import tarfile
import zlib
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from paribus.data.download import Progress, download, md5_of
from paribus.data.image_set import ImageSet
from paribus.data.split import Split, stratified_split
from paribus.errors import DataError
from paribus.whole import written_whole

URL = "https://www.cs.toronto.edu/~kriz/"
ARCHIVE = "cifar-10-binary.tar.gz"
MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
INSIDE = "cifar-10-batches-bin"
"""The folder within the archive."""
TRAIN_FILES = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
TEST_FILE = "test_batch.bin"
SOURCE = "cifar10 (CIFAR-10, photographs of 32x32, Krizhevsky 2009)"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
RECORD = 1 + 3 * 32 * 32
HELD_OUT_SHARE = 0.1
ARRAYS = "arrays-v1"
"""The folder of the converted arrays; its number changes with the conversion or the split."""
MARK = "files.txt"
"""Beside the arrays: whether the archive that they were made of is the published one."""
PUBLISHED = "the published file"
PARTS: tuple[Split, ...] = ("train", "validation", "test")


def download_cifar10(folder: Path, progress: Progress | None = None, *, url: str = URL) -> None:
    """Download the archive into *folder* (about 170 MB), check it and convert it."""
    hint = "with the file at hand use `paribus data add cifar10 DIR`"
    download(url + ARCHIVE, folder / ARCHIVE, md5=MD5, hint=hint, progress=progress)
    convert_cifar10(folder, folder)


def is_converted(folder: Path) -> bool:
    """Say whether the arrays of all parts are in *folder*."""
    return all((folder / ARRAYS / f"{part}_labels.npy").exists() for part in PARTS)


def has_archive(folder: Path) -> bool:
    """Say whether the published archive is in *folder*."""
    return (folder / ARCHIVE).exists()


def cifar10_edition(folder: Path) -> str:
    """Return nothing where the archive is the published one or absent, else in words what it is."""
    if not is_converted(folder):
        mark = _mark_of(folder) if has_archive(folder) else PUBLISHED
    else:
        path = folder / ARRAYS / MARK
        mark = path.read_text(encoding="utf-8") if path.exists() else "a file that was not checked"
    return "" if mark == PUBLISHED else mark


def load_cifar10(folder: Path, split: Split) -> ImageSet:
    """Return one part, memory-mapped; an archive that lies in *folder* unconverted is converted first."""
    if not is_converted(folder):
        if not has_archive(folder):
            raise DataError(
                f"cifar10: not in {folder}; `paribus data get cifar10` downloads it, "
                "`paribus data add cifar10 DIR` takes the file you already have"
            )
        convert_cifar10(folder, folder, again=False)
    arrays = folder / ARRAYS
    images = np.load(arrays / f"{split}_images.npy", mmap_mode="r", allow_pickle=False)
    labels = np.load(arrays / f"{split}_labels.npy", allow_pickle=False)
    edition = cifar10_edition(folder)
    return ImageSet(images, labels, CLASSES, f"{SOURCE}; {edition}" if edition else SOURCE)


def convert_cifar10(source: Path, folder: Path, *, again: bool = True) -> None:
    """Check the archive of the folder *source* and convert it into the arrays of *folder*.

    An archive of the right form whose MD5 is not the published one is taken too, and reports say so. Without *again*,
    arrays that another process has made in the meantime are taken as they are.
    """
    if not has_archive(source):
        raise DataError(f"cifar10: {source} lacks {ARCHIVE} (the binary version)")
    (folder / ARRAYS).mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "convert.lock"):
        if not again and is_converted(folder):
            return
        records = read_archive(source / ARCHIVE)
        train = np.concatenate([records[name] for name in TRAIN_FILES])
        labels = train[:, 0].astype(np.int64)
        held_out = stratified_split(labels, max(1, round(len(labels) * HELD_OUT_SHARE)), 0, "cifar10")["validation"]
        mask = np.zeros(len(labels), dtype=bool)
        mask[held_out] = True
        with written_whole(folder / ARRAYS / MARK) as file:
            file.write(_mark_of(source).encode())
        _write_part(folder / ARRAYS, "test", records[TEST_FILE])
        _write_part(folder / ARRAYS, "validation", train[mask])
        _write_part(folder / ARRAYS, "train", train[~mask])


def read_archive(path: Path) -> dict[str, NDArray[np.uint8]]:
    """Return the records of each file in the archive, (N, 3073) uint8, the label first."""
    expected = f"{len(TRAIN_FILES)} training files and {TEST_FILE} of records of {RECORD:,} bytes are expected"
    found: dict[str, NDArray[np.uint8]] = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for name in (*TRAIN_FILES, TEST_FILE):
                file = archive.extractfile(f"{INSIDE}/{name}")
                if file is None:
                    raise DataError(f"{path}: {name} is no file; {expected}")
                found[name] = _records(file.read(), path, name, expected)
    except KeyError as error:
        raise DataError(f"{path}: {' '.join(str(error).split())}; {expected}") from None
    except (OSError, EOFError, tarfile.TarError, zlib.error, MemoryError, ValueError) as error:
        raise DataError(f"{path}: not a readable archive ({_one_line(error)}); {expected}") from None
    return found


def _records(content: bytes, path: Path, name: str, expected: str) -> NDArray[np.uint8]:
    if not content or len(content) % RECORD:
        raise DataError(f"{path}: {name} holds {len(content):,} bytes; {expected}")
    records = np.frombuffer(content, dtype=np.uint8).reshape(-1, RECORD)
    wrong = np.flatnonzero(records[:, 0] >= len(CLASSES))
    if len(wrong):
        raise DataError(f"{path}: label {records[wrong[0], 0]} of record {wrong[0]} of {name}; 0 to 9 are expected")
    return records


def _mark_of(folder: Path) -> str:
    found = md5_of(folder / ARCHIVE)
    return PUBLISHED if found == MD5 else f"not the published file: MD5 {found} ({ARCHIVE})"


def _write_part(folder: Path, part: Split, records: NDArray[np.uint8]) -> None:
    images = np.ascontiguousarray(records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    with written_whole(folder / f"{part}_images.npy") as file:
        np.save(file, images, allow_pickle=False)
    with written_whole(folder / f"{part}_labels.npy") as file:  # last: its presence says that the part is whole
        np.save(file, records[:, 0].astype(np.int64), allow_pickle=False)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
