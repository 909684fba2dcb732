"""Which conductors live: each holds a lock that the operating system, or PostgreSQL, lets go when it dies."""

from __future__ import annotations

import hashlib
import os
import socket
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

_SETTLED = 3600.0
"""Seconds after which a file that nobody has locked is one that a killed process left."""


def new_name() -> str:
    """Return a conductor's name: who it is, in words, and what makes it unlike every other, in brackets."""
    return f"process {os.getpid()} on {socket.gethostname()} ({uuid.uuid4().hex})"


def in_words(conductor: str) -> str:
    """Return the part of a conductor's name that a person can use: its process and host."""
    return conductor.rpartition(" (")[0]


@contextmanager
def alive_by_file(folder: Path, conductor: str) -> Iterator[None]:
    """Count as living during the block, by a lock on a file of the conductor's own in *folder*."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.lock"):  # a new one may not be locked yet
        if _age(path) > _SETTLED:
            _locked(path)
    path = _file(folder, conductor)
    try:
        with _lock(path):
            yield
    finally:
        _remove(path)


def lives_by_file(folder: Path, conductor: str) -> bool:
    """Tell whether *conductor* lives; of a dead one the file goes."""
    path = _file(folder, conductor)
    return path.exists() and _locked(path)


@contextmanager
def alive_by_postgres(engine: Engine, conductor: str) -> Iterator[None]:
    """Count as living during the block, by an advisory lock of a connection that is kept open for it."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:  # no transaction stays open
        connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": _number(conductor)})
        try:
            yield
        finally:
            with suppress(DBAPIError):  # where the connection has ended, so has the lock
                connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": _number(conductor)})


def lives_by_postgres(connection: Connection, conductor: str) -> bool:
    """Tell whether *conductor* lives."""
    number = {"number": _number(conductor)}
    dead = connection.execute(text("SELECT pg_try_advisory_lock_shared(:number)"), number).scalar_one()
    if dead:
        connection.execute(text("SELECT pg_advisory_unlock_shared(:number)"), number)
    return not dead


def _lock(path: Path) -> BaseFileLock:
    """The lock on a file that whoever may write to the folder may ask for."""
    return FileLock(path, timeout=0, mode=0o666)


def _locked(path: Path) -> bool:
    """Whether another holds the lock on the file; where nobody does, the file goes."""
    try:
        with _lock(path):
            pass
    except Timeout:
        return True
    _remove(path)
    return False


def _age(path: Path) -> float:
    """Seconds since the file was made; none where it is gone."""
    with suppress(OSError):
        return time.time() - path.stat().st_mtime
    return 0.0


def _file(folder: Path, conductor: str) -> Path:
    return folder / f"{hashlib.sha256(conductor.encode()).hexdigest()[:16]}.lock"


def _remove(path: Path) -> None:
    """Delete a file that says nothing any more; where the system keeps it open for another, that is no matter."""
    with suppress(OSError):
        path.unlink()


def _number(conductor: str) -> int:
    return int.from_bytes(hashlib.sha256(f"paribus {conductor}".encode()).digest()[:8], "big", signed=True)
