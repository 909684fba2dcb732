"""Memory that is too small becomes one line; other errors stay what they are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from paribus.data.memory import enough_memory, says_no_memory
from paribus.errors import DataError

LARGE = 1 << 50
"""Bytes that no machine can give: a PiB, more than an address of 47 bits reaches."""


def test_what_libraries_really_raise_is_told_in_one_line() -> None:
    for ask in (
        lambda: np.ones((LARGE,), np.uint8),
        lambda: torch.empty(LARGE, dtype=torch.uint8),
        lambda: bytearray(LARGE),
    ):
        with pytest.raises(DataError) as caught, enough_memory(640, 480, "look at a smaller size"):
            ask()
        assert str(caught.value) == "640x480 pixels are too many for this memory; look at a smaller size"
        assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (MemoryError(), True),
        (torch.OutOfMemoryError("CUDA out of memory.\nTried"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("shapes do not fit"), False),
    ],
)
def test_other_errors_stay(error: Exception, said: bool) -> None:
    assert says_no_memory(error) is said
    with pytest.raises(DataError if said else type(error)), enough_memory(1, 1, "wait"):
        raise error
