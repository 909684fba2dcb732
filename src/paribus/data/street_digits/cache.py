"""The finished crops: made once, when they are first asked for, and shared by every process of the machine.

A part is one array file of its full size, sparse at first and filled shard by shard; a marker beside it says which
shards are whole. Each shard depends on the part and its number alone, so a crop is the same whatever was asked for
before. Processes that ask at the same time divide the missing shards between them.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import cv2
import numpy as np
import PIL.features
from filelock import FileLock, Timeout
from numpy.typing import NDArray

from paribus.data.download import Progress
from paribus.data.image_set import ImageSet
from paribus.data.split import Split
from paribus.data.street_digits.labels import VERSION, split_labels
from paribus.data.street_digits.scene import make_shard
from paribus.errors import DataError
from paribus.whole import written_whole

SHARD = 1024
"""Crops that are made together; they share one random stream."""
SOURCE = f"street_digits (synthetic house numbers made by Paribus, version {VERSION})"


def load_street_digits(
    folder: Path, split: Split, limit: int | None = None, progress: Progress | None = None
) -> ImageSet:
    """Return the first *limit* crops of a part, memory-mapped; those that are not in *folder* yet are made first."""
    labels = split_labels(split)
    count = len(labels) if limit is None else min(limit, len(labels))
    if count < 1:
        raise DataError(f"limit={limit}: at least one example is needed")
    place = folder / edition()
    path = place / f"{split}.npy"
    _ensure_file(path, len(labels))
    _ensure_shards(path, split, labels, -(-count // SHARD), progress)
    images = np.load(path, mmap_mode="r", allow_pickle=False)
    return ImageSet(images[:count], labels[:count], tuple("0123456789"), SOURCE)


def edition() -> str:
    """Name the generator's version and the libraries that draw, whose changes can alter a pixel."""
    drawn_by = f"{cv2.__version__} {np.__version__} {PIL.features.version('freetype2')}"
    return f"v{VERSION}-{hashlib.sha256(drawn_by.encode()).hexdigest()[:8]}"


def _ensure_file(path: Path, count: int) -> None:
    if path.exists():  # also where the folder can only be read
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock")):
        if not path.exists():
            with written_whole(path) as file:
                header = {"descr": "|u1", "fortran_order": False, "shape": (count, 32, 32, 3)}
                np.lib.format.write_array_header_1_0(file, header)
                file.truncate(file.tell() + count * 32 * 32 * 3)


def _ensure_shards(path: Path, split: Split, labels: NDArray[np.int64], shards: int, progress: Progress | None) -> None:
    missing = [shard for shard in range(shards) if not _marker(path, shard).exists()]
    made = shards - len(missing)
    for wait in (0, -1):  # first those that no other process is making, then wait for what the others make
        for shard in missing:
            try:
                with FileLock(path.with_name(f"{split}-{shard:03d}.lock"), timeout=wait):
                    if not _marker(path, shard).exists():
                        _fill(path, split, shard, labels)
                        made += 1
            except Timeout:
                continue
            if progress and wait == 0:
                progress(f"street_digits {split}", min(made * SHARD, len(labels)), min(shards * SHARD, len(labels)))


def _fill(path: Path, split: Split, shard: int, labels: NDArray[np.int64]) -> None:
    rows = slice(shard * SHARD, min((shard + 1) * SHARD, len(labels)))
    crops = make_shard(split, shard, labels[rows])
    with path.open("r+b") as file:
        version = np.lib.format.read_magic(file)
        assert version == (1, 0)
        np.lib.format.read_array_header_1_0(file)
        file.seek(file.tell() + rows.start * 32 * 32 * 3)
        file.write(crops.data)
        file.flush()
        os.fsync(file.fileno())
    with written_whole(_marker(path, shard)):
        pass


def _marker(path: Path, shard: int) -> Path:
    return path.with_name(f"{path.stem}-{shard:03d}.done")
