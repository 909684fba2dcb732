"""Which conductors live: each holds a lock that the operating system, or PostgreSQL, lets go when it dies."""

from __future__ import annotations

import hashlib
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, text


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
    path = _file(folder, conductor)
    try:
        with FileLock(path, timeout=0):
            yield
    finally:
        _remove(path)


def lives_by_file(folder: Path, conductor: str) -> bool:
    """Tell whether *conductor* lives; of a dead one the file goes."""
    path = _file(folder, conductor)
    if not path.exists():
        return False
    try:
        with FileLock(path, timeout=0):
            pass
    except Timeout:
        return True
    _remove(path)
    return False


@contextmanager
def alive_by_postgres(engine: Engine, conductor: str) -> Iterator[None]:
    """Count as living during the block, by an advisory lock of a connection that is kept open for it."""
    with _own_connection(engine) as connection:
        connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": _number(conductor)})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": _number(conductor)})


def lives_by_postgres(engine: Engine, conductor: str) -> bool:
    """Tell whether *conductor* lives."""
    number = {"number": _number(conductor)}
    with _own_connection(engine) as connection:
        dead = connection.execute(text("SELECT pg_try_advisory_lock_shared(:number)"), number).scalar_one()
        if dead:
            connection.execute(text("SELECT pg_advisory_unlock_shared(:number)"), number)
        return not dead


@contextmanager
def _own_connection(engine: Engine) -> Iterator[Connection]:
    """A connection without a transaction: a lock of the session outlasts each."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        yield connection


def _file(folder: Path, conductor: str) -> Path:
    return folder / f"{hashlib.sha256(conductor.encode()).hexdigest()[:16]}.lock"


def _remove(path: Path) -> None:
    """Delete a file that says nothing any more; where the system keeps it open for another, that is no matter."""
    with suppress(OSError):
        path.unlink()


def _number(conductor: str) -> int:
    return int.from_bytes(hashlib.sha256(f"paribus {conductor}".encode()).digest()[:8], "big", signed=True)
