"""A download that goes on where it stopped and is believed only when its checksum is right."""

from __future__ import annotations

import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from paribus.errors import DataError

Progress = Callable[[str, int, int | None], None]
"""Called with the file's name, the bytes that are here, and the bytes in all where the server tells."""

CHUNK = 1 << 20
TIMEOUT = 30.0
"""Seconds without an answer after which the server counts as unreachable."""


def md5_of(path: Path) -> str:
    """Return the MD5 digest of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def download(url: str, target: Path, *, md5: str, hint: str, progress: Progress | None = None) -> None:
    """Bring *url* to *target*; what an interrupted call left in ``TARGET.part`` is kept and continued.

    Raises :class:`DataError`, ending with *hint*, where the server cannot be reached, stops early or sends other bytes.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(target.name + ".part")
    with FileLock(target.with_name(target.name + ".lock")):
        if target.exists() and md5_of(target) == md5:
            return
        _fetch(url, part, hint, progress)
        found = md5_of(part)
        if found != md5:
            part.unlink()
            raise DataError(f"{url}: the file's MD5 is {found}, {md5} is expected; it was discarded; {hint}")
        os.replace(part, target)


def _fetch(url: str, part: Path, hint: str, progress: Progress | None) -> None:
    start = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"User-Agent": "paribus"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
            _receive(response, part, start, url, hint, progress)
    except urllib.error.HTTPError as error:
        if error.code == 416 and start:  # nothing is left to send: the part is whole, or wrong; its checksum will tell
            error.close()
            return
        error.close()
        raise DataError(f"{url}: the server answers {error.code} {error.reason}; {hint}") from None
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise DataError(f"{url}: cannot be reached ({reason}); {hint}") from None


def _receive(
    response: http.client.HTTPResponse, part: Path, start: int, url: str, hint: str, progress: Progress | None
) -> None:
    if response.status != 206 or not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        start = 0  # the server sends the whole file
    length = response.headers.get("Content-Length")
    total = start + int(length) if length and length.isdigit() else None
    here = start
    with part.open("r+b" if start else "wb") as file:
        file.seek(start)
        try:
            while chunk := response.read(CHUNK):
                file.write(chunk)
                here += len(chunk)
                if progress:
                    progress(url.rsplit("/", 1)[-1], here, total)
        except (http.client.IncompleteRead, ConnectionError, TimeoutError):
            pass
        finally:
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
    if total is not None and here < total:
        raise DataError(f"{url}: ended after {here:,} of {total:,} bytes; the same command goes on from there; {hint}")
