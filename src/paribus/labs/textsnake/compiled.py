"""Functions that numba compiles the first time they are called and keeps on disk."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

from numba import njit

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Return *function* as machine code; a file's code is compiled anew where that file changed, not where another did."""
    return cast(Callable[P, R], njit(cache=True)(function))
