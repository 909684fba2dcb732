"""One conductor at a time: a lock that the operating system, or PostgreSQL, lets go when its holder dies."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
from sqlalchemy import Connection, Engine, text

from paribus.errors import StoreError


@contextmanager
def file_lock(folder: Path, what: str, place: str) -> Iterator[None]:
    """Hold the lock on *what* by a file in *folder*.

    Raises:
        StoreError: another holds it; the message names the process and its host.
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(what.encode()).hexdigest()[:16]
    holder = folder / f"{name}.json"
    lock = FileLock(folder / f"{name}.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise _held(what, place, _read(holder)) from None
    try:
        temporary = holder.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps({"what": what, "pid": os.getpid(), "host": socket.gethostname()}))
        temporary.replace(holder)
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


@contextmanager
def postgres_lock(engine: Engine, what: str, place: str) -> Iterator[None]:
    """Hold the lock on *what* by an advisory lock of a connection that is kept open for it.

    Raises:
        StoreError: another holds it; the message names the process and its host.
    """
    number = int.from_bytes(hashlib.sha256(f"paribus {what}".encode()).digest()[:8], "big", signed=True)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        name = json.dumps({"pid": os.getpid(), "host": socket.gethostname()[:30]})
        connection.execute(text("SELECT set_config('application_name', :name, false)"), {"name": name})
        if not connection.execute(text("SELECT pg_try_advisory_lock(:number)"), {"number": number}).scalar_one():
            raise _held(what, place, _postgres_holder(connection, number))
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": number})
            connection.execute(text("RESET application_name"))


def _postgres_holder(connection: Connection, number: int) -> dict[str, Any]:
    found = connection.execute(
        text(
            "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE locktype = 'advisory' AND "
            "granted AND (classid::bigint << 32) | objid::bigint = :number AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database())"
        ),
        {"number": number},
    ).scalar()
    return _parse(found or "")


def _read(holder: Path) -> dict[str, Any]:
    with suppress(OSError):
        return _parse(holder.read_text())
    return {}


def _parse(written: str) -> dict[str, Any]:
    with suppress(ValueError):
        parsed = json.loads(written)
        return parsed if isinstance(parsed, dict) else {}
    return {}


def _held(what: str, place: str, holder: dict[str, Any]) -> StoreError:
    by = f"process {holder['pid']} on {holder['host']}" if {"pid", "host"} <= holder.keys() else "another process"
    return StoreError(
        f"{what!r} is being run by {by} in {place}: wait for it or end it, then run the same command again"
    )
