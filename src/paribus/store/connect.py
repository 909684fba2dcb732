"""Connections: how SQLite and PostgreSQL are set up, and transactions that begin when they say so."""

from __future__ import annotations

import importlib.util
import sqlite3
import time
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event

from paribus.errors import StoreError
from paribus.store.place import Place

BUSY_SECONDS = 30.0
WRITES = "paribus_writes"
_KEEP_ALIVE = "-c tcp_keepalives_idle=60 -c tcp_keepalives_interval=10 -c tcp_keepalives_count=6"
"""PostgreSQL is to notice within two minutes, and not within two hours, that a machine is gone and its locks free."""


def connect(place: Place) -> Engine:
    """Return an engine for *place*; it connects at its first use."""
    if place.file is not None:
        engine = create_engine(place.url, connect_args={"timeout": BUSY_SECONDS})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    if importlib.util.find_spec("psycopg") is None:
        raise StoreError(f"{place} needs psycopg: pip install 'paribus[postgres]'")
    given = {"connect_timeout": 10, "options": f"-c search_path=paribus {_KEEP_ALIVE}", "keepalives_idle": 60}
    return create_engine(place.url, connect_args=given, pool_pre_ping=True)


def _prepare_sqlite(connection: Any, record: Any) -> None:
    """Set up a SQLite connection.

    WAL: readers, such as the dashboard, and the writer do not wait for each other. FULL, not NORMAL: with NORMAL a
    power cut may take the last commits along; a sync costs milliseconds, a trial minutes, and a note thought.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:  # where two switch a new file at once, SQLite does not wait by itself
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    """Begin; one that will write takes the write lock at once, for a reader cannot wait to become a writer."""
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
