"""Functions that numba compiles the first time they are called and keeps on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def _digest() -> str:
    """Return what tells this version of all compiled files from another."""
    sources = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    return hashlib.sha256(b"".join(source for source in sources if b"@compiled" in source)).hexdigest()[:12]


DIGEST = _digest()


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Return *function* as machine code.

    What numba keeps of a function contains the functions that it calls, and numba would not notice that one of another
    file has changed. So the name that it is kept by tells the version of them all.
    """
    function.__qualname__ = f"{function.__qualname__}_{DIGEST}"
    return cast(Callable[P, R], njit(cache=True)(function))
