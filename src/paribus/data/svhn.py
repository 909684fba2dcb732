"""Street View House Numbers, cropped digits (format 2): read, checked and kept as memory-mapped arrays.

Netzer et al. 2011, "Reading Digits in Natural Images with Unsupervised Feature Learning",
http://ufldl.stanford.edu/housenumbers. The character boxes were extended to squares before the resize to 32x32, so
neighbouring digits show at the sides. ``train_32x32.mat`` and ``test_32x32.mat`` hold ``X`` (32, 32, 3, N) uint8 and
``y`` (N, 1) in 1..10, where 10 stands for the digit 0.

The published set has no validation part. Here about 6,000 of the 73,257 training crops are held out: 120 seeded
blocks of 50 consecutive crops, of 64 draws the one with class frequencies nearest to the whole (see
:func:`paribus.data.split.held_out_blocks`). Both parts keep the order of the file.

A third file, ``extra_32x32.mat``, holds 531,131 further crops, easier ones according to Netzer et al. Where it is asked
for, ``svhn+extra`` trains on the training part and all of it, in this order, and validates and tests as ``svhn`` does.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from scipy.io import loadmat
from scipy.io.matlab import MatReadError

from paribus.data.download import Progress, download, md5_of
from paribus.data.image_set import ImageSet
from paribus.data.split import Split, held_out_blocks
from paribus.errors import DataError
from paribus.whole import written_whole

URL = "http://ufldl.stanford.edu/housenumbers/"
MD5 = {
    "train_32x32.mat": "e26dedcc434d2e4c54c9b2d4a06d8373",
    "test_32x32.mat": "eb5a983be6a315427106f1b164d9cef3",
}
EXTRA = "extra_32x32.mat"
EXTRA_MD5 = {EXTRA: "a93ce644f1a588dc4d68dda5feec44a7"}
WITH_EXTRA = "svhn+extra"
"""The name under which the training part comes with the extra crops behind it."""
SOURCE = "svhn (Street View House Numbers, cropped 32x32, Netzer et al. 2011)"
HELD_OUT_SHARE = 6000 / 73257
ARRAYS = "arrays-v1"
"""The folder of the converted arrays; its number changes with the conversion or the split."""
MARK = "files.txt"
"""Beside the arrays: whether the files that they were made of are the published ones."""
EXTRA_MARK = "extra.txt"
"""The mark of the arrays that the extra ones lie behind, and that of the extra file; written when both are whole."""
PUBLISHED = "the published files"
BLOCK = 4096
"""Images that are rearranged at a time."""
PARTS: tuple[Split, ...] = ("train", "validation", "test")


def download_svhn(folder: Path, progress: Progress | None = None, *, extra: bool = False, url: str = URL) -> None:
    """Download both files into *folder* (246 MB), with *extra* the third too (1.3 GB), check them and convert them."""
    for name, md5 in (MD5 | EXTRA_MD5 if extra else MD5).items():
        hint = "with the files at hand use `paribus data add svhn DIR`"
        download(url + name, folder / name, md5=md5, hint=hint, progress=progress)
    convert_svhn(folder, folder)
    if extra:
        convert_extra(folder, folder)


def is_converted(folder: Path) -> bool:
    """Say whether the arrays of all parts are in *folder*."""
    return all((folder / ARRAYS / f"{part}_labels.npy").exists() for part in PARTS)


def has_mat_files(folder: Path) -> bool:
    """Say whether both published files are in *folder*."""
    return all((folder / name).exists() for name in MD5)


def has_extra(folder: Path) -> bool:
    """Say whether the extra crops are in *folder*, converted, behind the training part that is there now."""
    return _extra_mark(folder) is not None


def svhn_edition(folder: Path, *, extra: bool = True) -> str:
    """Return nothing where the files are the published ones or absent, else in words what they are."""
    if not is_converted(folder):
        marks = [_mark_of(folder, MD5) if has_mat_files(folder) else PUBLISHED]
    else:
        marks = [_kept_mark(folder), (_extra_mark(folder) if extra else None) or PUBLISHED]
    return "; ".join(mark for mark in marks if mark != PUBLISHED)


def load_svhn(folder: Path, split: Split, *, extra: bool = False) -> ImageSet:
    """Return one part, memory-mapped; the two files that lie in *folder* unconverted are converted first.

    With *extra* the training part has the extra crops behind it; the other parts stay, the extra crops must be here.
    """
    if extra and not has_extra(folder):
        raise DataError(
            f"svhn: the extra images are not in {folder}; `paribus data get svhn --extra` downloads them, "
            f"`paribus data add svhn DIR` takes them from a DIR with {EXTRA} beside the other two files"
        )
    if not is_converted(folder):
        if not has_mat_files(folder):
            raise DataError(
                f"svhn: not in {folder}; `paribus data get svhn` downloads it, "
                "`paribus data add svhn DIR` takes the files you already have"
            )
        convert_svhn(folder, folder, again=False)
    images, labels = _arrays(folder, "train_extra" if extra and split == "train" else split)
    source = f"{SOURCE}, trained on with the extra images" if extra else SOURCE
    edition = svhn_edition(folder, extra=extra)
    return ImageSet(images, labels, tuple("0123456789"), f"{source}; {edition}" if edition else source)


def convert_svhn(mat_folder: Path, folder: Path, *, again: bool = True) -> None:
    """Check the two files of *mat_folder* and convert them into the arrays of *folder*.

    Files of the right form whose MD5 is not the published one are taken too, and reports say so. Without *again*,
    arrays that another process has made in the meantime are taken as they are.
    """
    missing = [name for name in MD5 if not (mat_folder / name).exists()]
    if missing:
        raise DataError(f"svhn: {mat_folder} lacks {' and '.join(missing)} (the cropped digits, format 2)")
    (folder / ARRAYS).mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "convert.lock"):
        if not again and is_converted(folder):
            return
        test_images, test_labels = read_mat(mat_folder / "test_32x32.mat")
        images, labels = read_mat(mat_folder / "train_32x32.mat")
        held_out = held_out_blocks(labels, max(1, round(len(labels) * HELD_OUT_SHARE)), "svhn")
        with written_whole(folder / ARRAYS / MARK) as file:
            file.write(_mark_of(mat_folder, MD5).encode())
        _write_part(folder, "test", _blocks(test_images, np.arange(len(test_labels))), test_labels)
        for part, chosen in (("validation", held_out), ("train", ~held_out)):
            rows = np.flatnonzero(chosen)
            _write_part(folder, part, _blocks(images, rows), labels[rows])


def convert_extra(mat_folder: Path, folder: Path) -> None:
    """Check the extra file of *mat_folder* and write arrays of the training part of *folder* with it behind.

    The file is read whole, as the others are: with one of 531,131 random crops the process needed 2.0 GB of memory at
    most. The arrays repeat the training part, so that one map serves, and take 1.8 GB of disk. Where the training part
    is made anew of other files, the extra crops count as absent until they are converted again.
    """
    with FileLock(folder / "convert.lock"):
        images, labels = read_mat(mat_folder / EXTRA)
        (folder / ARRAYS / EXTRA_MARK).unlink(missing_ok=True)
        first, first_labels = _arrays(folder, "train")
        before = (first[start : start + BLOCK] for start in range(0, len(first), BLOCK))
        behind = _blocks(images, np.arange(len(labels)))
        _write_part(folder, "train_extra", chain(before, behind), np.concatenate([first_labels, labels]))
        with written_whole(folder / ARRAYS / EXTRA_MARK) as file:
            file.write(f"{_kept_mark(folder)}\n{_mark_of(mat_folder, EXTRA_MD5)}".encode())


def read_mat(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the images (32, 32, 3, N) as the file lays them out, and the labels (N,) with 10 turned into 0."""
    expected = "X (32, 32, 3, N) uint8 and y (N, 1) in 1..10 are expected"
    try:
        content = loadmat(path, variable_names=["X", "y"])
    except (OSError, ValueError, TypeError, KeyError, EOFError, IndexError, zlib.error, MatReadError,
            NotImplementedError, MemoryError) as error:  # fmt: skip
        raise DataError(f"{path}: not a readable .mat file ({_one_line(error)}); {expected}") from None
    if "X" not in content or "y" not in content:
        raise DataError(f"{path}: has no X or no y; {expected}")
    images, labels = content["X"], content["y"]
    if images.ndim != 4 or images.shape[:3] != (32, 32, 3) or images.dtype != np.uint8:
        raise DataError(f"{path}: X is {images.dtype} of shape {images.shape}; {expected}")
    if labels.shape != (images.shape[3], 1) or labels.dtype.kind not in "uif":
        raise DataError(f"{path}: y is {labels.dtype} of shape {labels.shape}, X holds {images.shape[3]}; {expected}")
    if len(labels) == 0:
        raise DataError(f"{path}: holds no image; {expected}")
    wrong = np.flatnonzero(~np.isin(labels[:, 0], np.arange(1, 11)))
    if len(wrong):
        raise DataError(f"{path}: y[{wrong[0]}] is {labels[wrong[0], 0]}; {expected}")
    return images, labels[:, 0].astype(np.int64) % 10


def _mark_of(mat_folder: Path, published: Mapping[str, str]) -> str:
    found = {name: md5_of(mat_folder / name) for name in published}
    if found == published:
        return PUBLISHED
    return "not the published files: MD5 " + ", ".join(f"{md5} ({name})" for name, md5 in found.items())


def _kept_mark(folder: Path) -> str:
    path = folder / ARRAYS / MARK
    return path.read_text(encoding="utf-8") if path.exists() else "files that were not checked"


def _extra_mark(folder: Path) -> str | None:
    """Return the mark of the extra file; None where its arrays are absent or lie behind another training part."""
    path = folder / ARRAYS / EXTRA_MARK
    if not path.exists():
        return None
    before, _, mark = path.read_text(encoding="utf-8").partition("\n")
    return mark if before == _kept_mark(folder) else None


def _arrays(folder: Path, part: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    images = np.load(folder / ARRAYS / f"{part}_images.npy", mmap_mode="r", allow_pickle=False)
    return images, np.load(folder / ARRAYS / f"{part}_labels.npy", allow_pickle=False)


def _blocks(images: NDArray[np.uint8], rows: NDArray[np.int64]) -> Iterator[NDArray[np.uint8]]:
    """Yield the images *rows* of (32, 32, 3, N) as (B, 32, 32, 3)."""
    for start in range(0, len(rows), BLOCK):
        yield images[..., rows[start : start + BLOCK]].transpose(3, 0, 1, 2)


def _write_part(folder: Path, part: str, blocks: Iterable[NDArray[np.uint8]], labels: NDArray[np.int64]) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(labels), 32, 32, 3)}
    with written_whole(folder / ARRAYS / f"{part}_images.npy") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(np.ascontiguousarray(block).data)
    with written_whole(folder / ARRAYS / f"{part}_labels.npy") as file:  # last: where it is, the part is whole
        np.save(file, labels, allow_pickle=False)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
