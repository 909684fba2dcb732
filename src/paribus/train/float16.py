"""float16 where its range or the processor is in the way: gradients held in its range, and its rounding emulated."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

TOP = 4
"""The gradient of an image that enters a network in float16 is below two to this: a 4,096th of the largest number."""

_PRODUCTS = (
    torch.conv1d, torch.conv2d, torch.conv3d, torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d,
    torch.nn.functional.linear, torch.matmul, torch.mm, torch.bmm, torch.mv, torch.addmm, torch.baddbmm, torch.einsum,
    torch.Tensor.matmul, torch.Tensor.__matmul__, torch.Tensor.mm, torch.Tensor.bmm, torch.Tensor.mv,
)  # fmt: skip
"""Of what torch's autocast runs in float16, what networks here are made of."""


class EmulatedFloat16(TorchFunctionMode):
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


class Scale:
    """The power of two (B,) by which the gradient of each image is multiplied on its way back through a network."""

    exponent: Tensor

    def times(self, gradient: Tensor, sign: int) -> Tensor:
        return torch.ldexp(gradient, (sign * self.exponent).view(-1, *(1,) * (gradient.ndim - 1)))


class Scaled(torch.autograd.Function):
    """The identity; the gradients (B, ...) that come back are multiplied so that an image's largest entry fits float16.

    float16 ends at 6e-8, where gradients of a mean over pixels begin. Each image has a power of two of its own, so that
    the others of the batch do not decide its gradient; it brings the largest entry over all outputs below 2^TOP, but
    not below half of that. :class:`Unscaled` divides by it again, at the image: exact, but for what is 2^27 times
    smaller.
    """

    @staticmethod
    def forward(context: Any, scale: Scale, *values: Tensor) -> tuple[Tensor, ...]:
        context.scale = scale
        return tuple(value.view_as(value) for value in values)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        largest = torch.stack([gradient.flatten(1).abs().amax(dim=1) for gradient in gradients]).amax(dim=0)
        context.scale.exponent = (TOP - torch.frexp(largest).exponent).clamp(-126, 126)
        return None, *(context.scale.times(gradient, 1) for gradient in gradients)


class Unscaled(torch.autograd.Function):
    """The identity; the gradient (B, ...) that comes back is divided by what :class:`Scaled` has multiplied it by."""

    @staticmethod
    def forward(context: Any, images: Tensor, scale: Scale) -> Tensor:
        context.scale = scale
        return images.view_as(images)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return context.scale.times(gradient, -1), None
