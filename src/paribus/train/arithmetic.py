"""The arithmetic of a trial: which precision the network computes in, and that a second run gives the same bits."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode


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
        return _EmulatedFloat16()
    half = torch.float16 if precision == "float16" else torch.bfloat16
    return torch.autocast(kind, half, enabled=precision != "float32")


def computed(network: Callable[[Tensor], Mapping[str, Tensor]], images: Tensor, precision: str) -> dict[str, Tensor]:
    """Return what *network* makes of *images* (B, ...), computed in *precision*, in the images' or at least in float32.

    Args:
        network: ``images -> by name (B, ...)``; fixed, for its weights get no gradients that mean anything.
        images: with a graph or without. What comes back for those with a graph is not to be changed in place.
        precision: float16 ends at 6e-8, where gradients of a mean over pixels begin. So of every image the gradient
            that goes back into the network is multiplied by the power of two that brings its largest entry to
            LARGEST_SLOPE / 2 or above, but below LARGEST_SLOPE, and what comes out at the image is divided by the same:
            exact, but for what is 2^27 times smaller. An image's scale is its own, so the others of the batch do not
            decide its gradient.
    """
    scale = _Scale() if precision == "float16" and torch.is_grad_enabled() and images.requires_grad else None
    with autocast(images.device.type, precision):
        found = network(images if scale is None else _Unscaled.apply(images, scale))
    dtype = torch.promote_types(images.dtype, torch.float32)
    values = [value.to(dtype) for value in found.values()]
    if scale is not None:
        values = _Scaled.apply(scale, *values)
    return dict(zip(found, values, strict=True))


LARGEST_SLOPE = 16.0
"""Below this is the gradient that enters a network in float16: a 4,096th of the largest number there."""

_PRODUCTS = (
    torch.conv1d, torch.conv2d, torch.conv3d, torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d,
    torch.nn.functional.linear, torch.matmul, torch.mm, torch.bmm, torch.mv, torch.addmm, torch.baddbmm, torch.einsum,
    torch.Tensor.matmul, torch.Tensor.__matmul__, torch.Tensor.mm, torch.Tensor.bmm, torch.Tensor.mv,
)  # fmt: skip
"""Of what torch's autocast runs in float16, what networks here are made of."""


class _EmulatedFloat16(TorchFunctionMode):
    """Within, the products of _PRODUCTS take and give float16; their sums are in float32."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func not in _PRODUCTS:
            return func(*args, **(kwargs or {}))
        rounded = [_rounded(value) for value in args]
        return func(*rounded, **{name: _rounded(value) for name, value in (kwargs or {}).items()}).half()


def _rounded(value: Any) -> Any:
    return value.half().float() if isinstance(value, Tensor) and value.is_floating_point() else value


class _Scale:
    """By what the gradient of each image (B,) is multiplied on its way back through a network."""

    value: Tensor

    def times(self, gradient: Tensor, sign: int) -> Tensor:
        return torch.ldexp(gradient, (sign * self.value).view(-1, *(1,) * (gradient.ndim - 1)))


class _Scaled(torch.autograd.Function):
    """The identity; gradients (B, ...) that come back are brought to just below LARGEST_SLOPE, image by image."""

    @staticmethod
    def forward(context: Any, scale: _Scale, *values: Tensor) -> tuple[Tensor, ...]:
        context.scale = scale
        return tuple(value.view_as(value) for value in values)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        largest = torch.stack([gradient.flatten(1).abs().amax(dim=1) for gradient in gradients]).amax(dim=0)
        context.scale.value = (round(math.log2(LARGEST_SLOPE)) - torch.frexp(largest).exponent).clamp(-126, 126)
        return None, *(context.scale.times(gradient, 1) for gradient in gradients)


class _Unscaled(torch.autograd.Function):
    """The identity; the gradient (B, ...) that comes back is divided by what :class:`_Scaled` has multiplied it by."""

    @staticmethod
    def forward(context: Any, images: Tensor, scale: _Scale) -> Tensor:
        context.scale = scale
        return images.view_as(images)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return context.scale.times(gradient, -1), None


def _flushes_denormals() -> bool:
    return float(torch.tensor(1e-39) * torch.tensor(1.0)) == 0.0
