"""A store that is only read: where there is none, none is made."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paribus.cli.terminal import say
from paribus.store import Store, place


@contextmanager
def reading(url: str | None) -> Iterator[Store | None]:
    """Open the store at *url*; ``None`` where there is none, and a line that says so: its name may be mistyped."""
    absent = missing(url)
    if absent is not None:
        say(f"note: there is no store {absent} yet")
        yield None
        return
    with Store.open(url) as opened:
        yield opened


def missing(url: str | None) -> Path | None:
    """Return the file that *url* means where it is not there; ``None`` where there is a store, or a server to ask."""
    file = place.find(url).file
    return file if file is not None and not file.exists() else None
