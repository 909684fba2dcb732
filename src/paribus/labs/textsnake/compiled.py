"""Functions that numba compiles the first time they are called and keeps on disk, where there is a place to."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")

KEPT = re.compile(r"_([0-9a-f]{12})-[0-9]+\..*nb[ci]$")
"""The end of the name of a file that numba keeps of one of these functions, with the digest in it."""


def _digest() -> str:
    """Return what tells this version of all compiled files from another."""
    sources = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    return hashlib.sha256(b"".join(source for source in sources if b"@compiled" in source)).hexdigest()[:12]


DIGEST = _digest()


def tidy(folder: Path, digest: str) -> None:
    """Delete what numba kept in *folder* of versions other than *digest*, if it keeps nothing of *digest* there yet."""
    with contextlib.suppress(OSError):  # it is another's, or gone: then it stays as it is
        kept = [(path, found[1]) for path in folder.iterdir() if (found := KEPT.search(path.name))]
        if digest not in {one for _, one in kept}:
            for path, _ in kept:
                path.unlink(missing_ok=True)


tidy(Path(__file__).parent / "__pycache__", DIGEST)


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Return *function* as machine code.

    What numba keeps of a function contains the functions that it calls, and numba would not notice that one of another
    file has changed. So the name that it is kept by tells the version of them all. Where neither this package nor the
    user has a folder that can be written to, nothing is kept, and each process compiles anew.
    """
    function.__qualname__ = f"{function.__qualname__}_{DIGEST}"
    try:
        return cast(Callable[P, R], njit(cache=True)(function))
    except RuntimeError:  # numba finds no place to keep it
        return cast(Callable[P, R], njit()(function))
