"""Pictures that are too large for the memory: one line instead of what libraries raise."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from paribus.errors import DataError

_NO_MEMORY = re.compile("allocat|out of memory|insufficient memory|bad.alloc", re.IGNORECASE)
"""How libraries say it."""


def says_no_memory(error: Exception) -> bool:
    """Return whether *error*, of whatever library, says that memory is too small."""
    return isinstance(error, MemoryError) or bool(_NO_MEMORY.search(str(error)))


def too_many(width: int, height: int, remedy: str) -> DataError:
    """Return what to raise then: so many pixels, and what to do instead, such as ``look at a smaller size``."""
    return DataError(f"{width}x{height} pixels are too many for this memory; {remedy}")


@contextmanager
def enough_memory(width: int, height: int, remedy: str) -> Iterator[None]:
    """Make one line of it where memory is too small for what is done with so many pixels.

    Args:
        width, height: of the picture that is worked on.
        remedy: what to do instead: ``look at a smaller size``.

    Raises:
        DataError: NumPy, PyTorch or Python found no memory; what else they raise stays.
    """
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not says_no_memory(error):
            raise
        raise too_many(width, height, remedy) from error
