"""Arrays on disk by content: a file's name is the SHA-256 of its bytes, so it is kept once and can be checked.

The format is NumPy's own, without pickle.
"""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.errors import StoreError
from paribus.whole import write_whole


def keep(folder: Path, name: str, array: NDArray[Any]) -> str:
    """Write *array* below *folder*, whole or not at all, and return the SHA-256 of its file.

    Raises:
        StoreError: the array holds Python objects, which only pickle could write.
        OSError: the disk is full or the folder cannot be written.
    """
    buffer = io.BytesIO()
    try:
        np.save(buffer, array, allow_pickle=False)
    except ValueError:
        raise StoreError(
            f"artifact {name!r} holds Python objects: give an array of numbers, booleans or text"
        ) from None
    digest = hashlib.sha256(buffer.getbuffer()).hexdigest()
    path = _path(folder, digest)
    if path.exists():
        return digest
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, buffer.getvalue())
    _sync_folder(path.parent)
    return digest


def load(folder: Path, digest: str) -> NDArray[Any]:
    """Return the array whose file has the SHA-256 *digest*.

    Raises:
        StoreError: the file is gone or its content is another one.
    """
    path = _path(folder, digest)
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise StoreError(
            f"the artifact {path} is missing: restore the store's folder together with its database"
        ) from None
    if hashlib.sha256(data).hexdigest() != digest:
        raise StoreError(f"the artifact {path} is damaged: restore a copy of it, or run its trial again")
    try:
        array: NDArray[Any] = np.load(io.BytesIO(data), allow_pickle=False)
    except ValueError:
        raise StoreError(
            f"the artifact {path} is no plain array: Paribus reads no Python objects from a file"
        ) from None
    return array


def _path(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / f"{digest}.npy"


def _sync_folder(folder: Path) -> None:
    """Make the new name in *folder* outlast a power cut; Windows offers no such call, and needs none."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
