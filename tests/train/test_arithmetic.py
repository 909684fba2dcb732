"""The arithmetic of a trial: exact where it says so, and everything as before afterwards."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from paribus.train.arithmetic import reproducible

BACKENDS: Any = torch.backends


def _settings() -> tuple[bool, ...]:
    return (
        BACKENDS.cudnn.allow_tf32,
        BACKENDS.cuda.matmul.allow_tf32,
        BACKENDS.cudnn.benchmark,
        torch.are_deterministic_algorithms_enabled(),
        torch.utils.deterministic.fill_uninitialized_memory,  # type: ignore[attr-defined]
        float(torch.tensor(1e-39) * torch.tensor(1.0)) == 0.0,
    )


def _fail_within() -> None:
    with reproducible("cpu"):
        assert _settings() == (False, False, False, True, False, True)
        raise ZeroDivisionError


@pytest.mark.parametrize("rounded", [True, False])
def test_float32_is_exact_within_and_all_is_as_before_afterwards(rounded: bool) -> None:
    kept = [(part, part.allow_tf32) for part in (BACKENDS.cudnn, BACKENDS.cuda.matmul)]
    try:
        for part, _ in kept:
            part.allow_tf32 = rounded
        before = _settings()
        with pytest.raises(ZeroDivisionError):
            _fail_within()
        assert _settings() == before
        assert before[:2] == (rounded, rounded)
    finally:
        for part, value in kept:
            part.allow_tf32 = value
