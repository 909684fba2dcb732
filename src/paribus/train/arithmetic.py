"""The arithmetic of a trial: which precision the network computes in, and that a second run gives the same bits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def reproducible(device: str) -> Iterator[None]:
    """Within, torch uses only algorithms that repeat to the bit, and sets numbers below the normal range to zero.

    Denormal numbers cost a hundred cycles each and mean nothing in training. On a GPU float32 is float32: without this,
    convolutions would round their factors to TF32's 11 bits of significand. What was set before is set again after.
    """
    memory: Any = torch.utils.deterministic
    multipliers: tuple[Any, ...] = (torch.backends.cudnn, torch.backends.cuda.matmul)
    if device.startswith("cuda"):
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    strict, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    benchmark, flushed = torch.backends.cudnn.benchmark, _flushes_denormals()
    fills = memory.fill_uninitialized_memory
    rounded = [(part, part.allow_tf32) for part in multipliers]
    torch.use_deterministic_algorithms(True)
    memory.fill_uninitialized_memory = False  # it would write NaN into every new tensor: a fifth of the time
    torch.backends.cudnn.benchmark = False
    for part, _ in rounded:
        part.allow_tf32 = False
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(strict, warn_only=warns)
        memory.fill_uninitialized_memory = fills
        torch.backends.cudnn.benchmark = benchmark
        for part, before in rounded:
            part.allow_tf32 = before
        torch.set_flush_denormal(flushed)


def autocast(device: str, precision: str) -> torch.autocast:
    """Return the context in which convolutions and matrix products run in *precision*, ``bfloat16`` or ``float32``."""
    return torch.autocast(torch.device(device).type, torch.bfloat16, enabled=precision == "bfloat16")


def _flushes_denormals() -> bool:
    return float(torch.tensor(1e-39) * torch.tensor(1.0)) == 0.0
