"""A file that a user made or will read is written whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """Open a file of a temporary name that takes the place of *path* once it is complete and safe on the disk.

    On an error nothing is left of it, and what was at *path* stays.

    Raises:
        OSError: the disk is full or the folder cannot be written; it names the file.
    """
    temporary = path.with_name(f".{path.name[:200]}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        if error.filename in (None, str(temporary)):
            error.filename = str(path)
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, data: bytes) -> None:
    """Write *data* to *path* as :func:`written_whole` does."""
    with written_whole(path) as file:
        file.write(data)
