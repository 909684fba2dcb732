"""Where data lives, and how a file gets there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import platformdirs


def data_root() -> Path:
    """Return the folder of all data sets: ``$PARIBUS_DATA``, or ``data`` in the user's data folder of Paribus."""
    given = os.environ.get("PARIBUS_DATA")
    return Path(given).expanduser() if given else platformdirs.user_data_path("paribus") / "data"


@contextmanager
def written_whole(target: Path) -> Iterator[IO[bytes]]:
    """Open a temporary file that replaces *target* once it is complete and on disk; on an error nothing is left."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
