"""Files that a command writes for the user: whole or not at all, and known to be writable before hours are spent."""

from __future__ import annotations

import os
import re
from pathlib import Path

from paribus.errors import ParibusError, RunError
from paribus.spec.study import Study


class FileError(ParibusError):
    """A file that cannot be written where the user wants it."""


def default_page(study: Study, base: str | None = None) -> Path:
    """Return where the page of *study* goes, in ``reports`` under the user's folder; on a *base* another file."""
    name = Path(study.name).name.replace(".py.", ".")
    if base is not None:
        name += f"-on-{base}"
    return Path("reports") / f"{re.sub(r'[^A-Za-z0-9._=+-]+', '_', name)}.html"


def prepare(path: Path, option: str) -> Path:
    """Return *path* after making its folder; refuse it where a file could not be written there.

    Args:
        path: the file to be.
        option: the option that names another place, for the message.
    """
    path = path.expanduser()
    try:
        if path.is_dir():
            raise FileError(f"{path} is a folder: name a file in it with {option}")
        path.parent.mkdir(parents=True, exist_ok=True)
        if not os.access(path.parent, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
            raise FileError(f"cannot write {path}: name another file with {option}")
    except OSError as error:
        raise FileError(f"cannot write {path} ({error.strerror}): name another file with {option}") from None
    return path


def write_whole(path: Path, data: bytes) -> None:
    """Write *data* to *path* under a temporary name and then put it in its place."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise RunError(f"cannot write {path}: {error.strerror}") from error
