"""What the database and the disk can refuse, said in one line for a person."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from paribus.errors import DiskFull, StoreError
from paribus.store.place import Place

_SQLITE = {
    sqlite3.SQLITE_FULL: "cannot grow, the disk is full: free some space, then run the same command again",
    sqlite3.SQLITE_READONLY: "cannot be written: choose a file in a folder that you may write to",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: choose a file in a folder that exists and that you may write to",
    sqlite3.SQLITE_PERM: "cannot be opened: choose a file that you may read and write",
    sqlite3.SQLITE_NOTADB: "is no SQLite database: name the right file, or a new one",
    sqlite3.SQLITE_CORRUPT: "is damaged: restore a copy of it, or save what can be read with `sqlite3 FILE .recover`",
    sqlite3.SQLITE_BUSY: "is locked by another program for too long: end that program, then run the same command again",
}


@contextmanager
def translated(place: Place) -> Iterator[None]:
    """Turn errors of the database and of files into a one-line :class:`StoreError` that names *place*."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        full = getattr(cause, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL or getattr(cause, "sqlstate", "") == "53100"
        raise (DiskFull if full else StoreError)(f"{place} {_reason(cause)}") from error
    except SQLAlchemyError as error:
        raise StoreError(f"{place} cannot be used: {_one_line(error)}") from error
    except OSError as error:
        raise file_error(error) from error


def file_error(error: OSError) -> StoreError:
    """Return the one line for an error of a file or folder."""
    where = error.filename or "the store's folder"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull(f"cannot write {where}, the disk is full: free some space, then run the same command again")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreError(f"cannot write {where}: choose a store in a folder that you may write to")
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return StoreError(f"cannot make the folder {where}, a file is in the way: choose another place for the store")
    return StoreError(f"cannot use {where}: {error.strerror or error}")


def _reason(cause: BaseException | None) -> str:
    if isinstance(cause, sqlite3.Error):
        code = getattr(cause, "sqlite_errorcode", None)
        if code is not None:
            known = _SQLITE.get(code & 0xFF)
            if known:
                return known
    elif getattr(cause, "sqlstate", None) in (None, "57P01", "57P03"):
        return f"cannot be reached: start PostgreSQL there, or correct the URL ({_one_line(cause)})"
    else:
        sqlstate = str(getattr(cause, "sqlstate", ""))
        if sqlstate == "53100":
            return "cannot grow, the disk is full: free some space, then run the same command again"
        if sqlstate in ("42501", "25006"):
            return f"cannot be written: ask for a role that may write there ({_one_line(cause)})"
    return f"cannot be used: {_one_line(cause)}"


def _one_line(error: BaseException | None) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
