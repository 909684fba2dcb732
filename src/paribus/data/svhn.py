"""Street View House Numbers, cropped digits (format 2): read, checked and kept as memory-mapped arrays.

Netzer et al. 2011, "Reading Digits in Natural Images with Unsupervised Feature Learning",
http://ufldl.stanford.edu/housenumbers. The character boxes were extended to squares before the resize to 32x32, so
neighbouring digits show at the sides. ``train_32x32.mat`` and ``test_32x32.mat`` hold ``X`` (32, 32, 3, N) uint8 and
``y`` (N, 1) in 1..10, where 10 stands for the digit 0.

The published set has no validation part. Here about 6,000 of the 73,257 training crops are held out: 120 seeded
blocks of 50 consecutive crops, of 64 draws the one with class frequencies nearest to the whole (see
:func:`paribus.data.split.held_out_blocks`). Both parts keep the order of the file. The set "extra" is not used.
"""

from __future__ import annotations

import zlib
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
SOURCE = "svhn (Street View House Numbers, cropped 32x32, Netzer et al. 2011)"
HELD_OUT_SHARE = 6000 / 73257
ARRAYS = "arrays-v1"
"""The folder of the converted arrays; its number changes with the conversion or the split."""
MARK = "files.txt"
"""Beside the arrays: whether the files that they were made of are the published ones."""
PUBLISHED = "the published files"
PARTS: tuple[Split, ...] = ("train", "validation", "test")


def download_svhn(folder: Path, progress: Progress | None = None, *, url: str = URL) -> None:
    """Download both files into *folder* (about 246 MB), check them and convert them."""
    for name, md5 in MD5.items():
        hint = "with the files at hand use `paribus data add svhn DIR`"
        download(url + name, folder / name, md5=md5, hint=hint, progress=progress)
    convert_svhn(folder, folder)


def is_converted(folder: Path) -> bool:
    """Say whether the arrays of all parts are in *folder*."""
    return all((folder / ARRAYS / f"{part}_labels.npy").exists() for part in PARTS)


def has_mat_files(folder: Path) -> bool:
    """Say whether both published files are in *folder*."""
    return all((folder / name).exists() for name in MD5)


def svhn_edition(folder: Path) -> str:
    """Return nothing where the files are the published ones or absent, else in words what they are."""
    if not is_converted(folder):
        mark = _mark_of(folder) if has_mat_files(folder) else PUBLISHED
    else:
        path = folder / ARRAYS / MARK
        mark = path.read_text(encoding="utf-8") if path.exists() else "files that were not checked"
    return "" if mark == PUBLISHED else mark


def load_svhn(folder: Path, split: Split) -> ImageSet:
    """Return one part, memory-mapped; files that lie in *folder* unconverted are converted first."""
    if not is_converted(folder):
        if not has_mat_files(folder):
            raise DataError(
                f"svhn: not in {folder}; `paribus data get svhn` downloads it, "
                "`paribus data add svhn DIR` takes the files you already have"
            )
        convert_svhn(folder, folder, again=False)
    arrays = folder / ARRAYS
    images = np.load(arrays / f"{split}_images.npy", mmap_mode="r", allow_pickle=False)
    labels = np.load(arrays / f"{split}_labels.npy", allow_pickle=False)
    edition = svhn_edition(folder)
    return ImageSet(images, labels, tuple("0123456789"), f"{SOURCE}; {edition}" if edition else SOURCE)


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
            file.write(_mark_of(mat_folder).encode())
        _write_part(folder / ARRAYS, "test", test_images, test_labels, np.arange(len(test_labels)))
        _write_part(folder / ARRAYS, "validation", images, labels, np.flatnonzero(held_out))
        _write_part(folder / ARRAYS, "train", images, labels, np.flatnonzero(~held_out))


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


def _mark_of(mat_folder: Path) -> str:
    found = {name: md5_of(mat_folder / name) for name in MD5}
    if found == MD5:
        return PUBLISHED
    return "not the published files: MD5 " + ", ".join(f"{md5} ({name})" for name, md5 in found.items())


def _write_part(
    folder: Path, part: Split, images: NDArray[np.uint8], labels: NDArray[np.int64], rows: NDArray[np.int64]
) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (len(rows), 32, 32, 3)}
    with written_whole(folder / f"{part}_images.npy") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for start in range(0, len(rows), 4096):
            block = images[..., rows[start : start + 4096]]
            file.write(np.ascontiguousarray(block.transpose(3, 0, 1, 2)).data)
    with written_whole(folder / f"{part}_labels.npy") as file:  # last: its presence says that the part is whole
        np.save(file, labels[rows], allow_pickle=False)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__
