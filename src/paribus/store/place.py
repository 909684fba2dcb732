"""Which database a store's URL or path means, and which folder holds the files beside it."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_data_path
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from paribus.errors import StoreError

VARIABLE = "PARIBUS_STORE"
FOLDER = "PARIBUS_DATA"
"""The variable that names the folder of data sets: a store that is not named lies there too."""


@dataclass(frozen=True)
class Place:
    """Where a store lives: the database's URL, the folder for files, and the SQLite file where it is one."""

    url: URL
    folder: Path
    file: Path | None

    def __str__(self) -> str:
        """The place as a message shows it, without a password."""
        return f"the store {self.file or self._postgresql.render_as_string(hide_password=True)}"

    @property
    def text(self) -> str:
        """What opens the same store again; it holds the password where the URL has one."""
        return str(self.file or self._postgresql.render_as_string(hide_password=False))

    @property
    def _postgresql(self) -> URL:
        return self.url.set(drivername="postgresql")


def find(url: str | None) -> Place:
    """Return the place that *url* means: a PostgreSQL or SQLite URL, a plain path, or ``None`` for the default.

    The default is ``$PARIBUS_STORE``, or else ``store.sqlite`` in ``$PARIBUS_DATA``, or else in the user's data folder.

    Raises:
        StoreError: the URL is neither.
    """
    if url is None:
        url = os.environ.get(VARIABLE) or str(_own_folder() / "store.sqlite")
    if "://" not in url:
        return _sqlite(url)
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError):
        raise StoreError(f"{_hidden(url)!r} is no URL of a store: {_RIGHT}") from None
    if backend == "sqlite":
        return _sqlite(parsed.database or "")
    if backend in ("postgresql", "postgres"):
        parsed = parsed.set(drivername="postgresql+psycopg")
        named = f"{parsed.host}:{parsed.port or 5432}/{parsed.database}"
        digest = hashlib.sha256(named.encode()).hexdigest()[:16]
        return Place(parsed, _own_folder() / f"postgresql-{digest}", None)
    raise StoreError(f"a store cannot be a {backend!r} database: {_RIGHT}")


_RIGHT = "give a path, sqlite:///FILE or postgresql://USER@HOST/DATABASE"


def _own_folder() -> Path:
    """The data folder: ``$PARIBUS_DATA``, or Paribus's own among the user's data."""
    given = os.environ.get(FOLDER)
    return Path(given).expanduser().absolute() if given else user_data_path("paribus")


def _sqlite(path: str) -> Place:
    if not path.strip() or path == ":memory:":
        raise StoreError(f"{path!r} names no file to keep results in: {_RIGHT}")
    file = Path(path).expanduser().resolve()  # two paths to one file are one store
    if file.is_dir():
        raise StoreError(f"the store {file} is a folder: name a file in it, for instance {file / 'store.sqlite'}")
    return Place(URL.create("sqlite", database=str(file)), file.with_name(f"{file.name}.files"), file)


def _hidden(url: str) -> str:
    """Return *url* without what stands between ``://`` and ``@``: it may be a password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
