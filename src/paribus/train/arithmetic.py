"""The arithmetic of a trial: which precision the network computes in, and that a second run gives the same bits."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor

from paribus.train.float16 import EmulatedFloat16, Scale, Scaled, Unscaled


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


def autocast(device: str, precision: str) -> AbstractContextManager[object]:
    """Return the context in which convolutions and matrix products run in *precision*, see ``train/precision.py``.

    Few processors multiply float16, and torch takes ten times as long as in float32 where they do not. So on a
    processor float16 is emulated: factors, results and the gradients of both are rounded to it, sums are in float32, as
    in a GPU's matrix units. That takes about as long as float32 does, and longer where weights are many and rounded for
    few images.
    """
    kind = torch.device(device).type
    if precision == "float16" and kind == "cpu":
        return EmulatedFloat16()
    half = torch.float16 if precision == "float16" else torch.bfloat16
    return torch.autocast(kind, half, enabled=precision != "float32")


def computed(network: Callable[[Tensor], Mapping[str, Tensor]], images: Tensor, precision: str) -> dict[str, Tensor]:
    """Return what *network* makes of *images* (B, ...), computed in *precision*, in the images' or at least in float32.

    Args:
        network: ``images -> by name (B, ...)``; fixed, for its weights get no gradients that mean anything.
        images: with a graph or without. What comes back for those with a graph is not to be changed in place.
        precision: see ``train/precision.py``. In float16 the gradient of each image goes back through the network on a
            scale of its own, see :class:`.float16.Scaled`, and arrives at the image on that of the loss.
    """
    scale = Scale() if precision == "float16" and torch.is_grad_enabled() and images.requires_grad else None
    with autocast(images.device.type, precision):
        found = network(images if scale is None else Unscaled.apply(images, scale))
    dtype = torch.promote_types(images.dtype, torch.float32)
    values = [value.to(dtype) for value in found.values()]
    if scale is not None:
        values = Scaled.apply(scale, *values)
    return dict(zip(found, values, strict=True))


def _flushes_denormals() -> bool:
    return float(torch.tensor(1e-39) * torch.tensor(1.0)) == 0.0
