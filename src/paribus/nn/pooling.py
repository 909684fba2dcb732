r"""Lp pooling, which goes from average pooling at p = 1 to max pooling as p grows.

y = (Σ_k g_k |x_k|^p / Σ_k g_k)^(1/p) over the cells k of a window, with window weights g_k: Sermanet, Chintala & LeCun
2012, "Convolutional neural networks applied to house numbers digit classification", eq. 1. The paper's values of p
are 1, 2, 4, 8, 12, 16, 32 and ∞, its window a Gaussian; a uniform window (g = 1) is the form that compares with
average and max pooling. It is meant for x >= 0, as after ReLU; elsewhere |x| is pooled.

The sum is over r_k = |x_k| / max_k |x_k|, and the gradient ∂y/∂x_k = (g_k / Σ g) (|x_k| / y)^(p-1) sign(x_k) is
computed from this formula, in which no power exceeds Σ g / g_k. So inputs whose largest magnitude in a window lies
between the smallest normal number and its reciprocal (1.2e-38 to 8.5e37 in float32) neither overflow nor vanish at any
p, as they do where x^p is taken first (torch's lp_pool2d); beyond, where numbers below the normal range are set to
zero, a window's value is lost. Where x_k = 0 the gradient is zero, also where the
whole window is zero and y has a corner. The arithmetic is float32 (float64 for float64) and the result has the input's
type.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from paribus.errors import ConfigError, DataError

_CHUNK = 1 << 17
"""Numbers worked on at a time: they stay in the processor's second-level cache."""


@dataclass(frozen=True)
class _Windows:
    """Where the windows lie and how their cells are weighed."""

    kernel: int
    stride: int
    weights: tuple[float, ...] | None  # row by row; None: all one
    totals: Tensor | float  # Σ g: one number, or one for each position (h, w) where the border cuts windows

    def shape(self, x: Tensor) -> tuple[int, int, int]:
        """Return the pooled image's (C, h, w)."""
        height, width = ((size - self.kernel) // self.stride + 1 for size in x.shape[2:])
        return x.shape[1], height, width

    def cells(self, x: Tensor) -> list[Tensor]:
        """Return kernel² views of shape (N, C, h, w): the first cell of every window, the second, ..."""
        _, height, width = self.shape(x)
        span_h, span_w = self.stride * (height - 1) + 1, self.stride * (width - 1) + 1
        return [
            x[:, :, i : i + span_h : self.stride, j : j + span_w : self.stride]
            for i in range(self.kernel)
            for j in range(self.kernel)
        ]

    def chunk(self, x: Tensor) -> int:
        """Return how many images are worked on at a time."""
        return max(1, min(len(x), _CHUNK // max(1, self.kernel**2 * math.prod(self.shape(x)))))

    def weigh(self, rows: Tensor) -> Tensor:
        """Multiply row k by g_k in place."""
        if self.weights is not None:
            for row, weight in zip(rows, self.weights, strict=True):
                row.mul_(weight)
        return rows

    def divide_by_totals(self, flat: Tensor, x: Tensor) -> Tensor:
        """Divide (images, flat image) by Σ g in place."""
        if isinstance(self.totals, float):
            return flat.mul_(1.0 / self.totals)
        totals = self.totals.to(flat).expand(self.shape(x))
        return flat.div_((totals.permute(1, 2, 0) if _channels_last(x) else totals).reshape(-1))


def _channels_last(x: Tensor) -> bool:
    return x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()


def _room(
    lead: tuple[int, ...], image: tuple[int, int, int], like: Tensor, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Return one piece of memory as (*lead, flat image) and as (*lead, C, H, W), in the memory order of *like*.

    Arithmetic on the flat form runs over long contiguous rows.
    """
    c, height, width = image
    flat = torch.empty((*lead, c * height * width), dtype=dtype, device=like.device)
    if not _channels_last(like):
        return flat, flat.view(*lead, c, height, width)
    return flat, flat.view(*lead, height, width, c).movedim(-1, -3)


def _power(t: Tensor, exponent: float, spare: Tensor) -> Tensor:
    """Return t^exponent for t >= 0, written over *t* or *spare*.

    Where the power is below the normal range it is zero: it adds nothing, and arithmetic on such numbers is slow.
    """
    tiny = torch.finfo(t.dtype).tiny
    if not exponent.is_integer():
        # exp(p log t) is several times faster than pow, if nothing underflows: tiny stands for the power of zero.
        return t.clamp_min_(tiny ** min(1.0, 1.0 / exponent)).log_().mul_(exponent).exp_()
    bits, result = int(exponent), None
    if bits == 0:
        return t.fill_(1.0)
    if bits > 8:
        F.threshold(t, tiny ** (1.0 / exponent), 0.0, inplace=True)
    while bits > 1:
        if bits & 1:
            result = spare.copy_(t) if result is None else result.mul_(t)
        t.mul_(t)
        bits >>= 1
    return t if result is None else result.mul_(t)


def _signed_power(t: Tensor, exponent: float, spare: Tensor) -> Tensor:
    """Return |t|^exponent sign(t), written over *t*; *spare* is overwritten too."""
    if exponent % 2 != 1:
        sign = t.sign()
        return t.copy_(_power(t.abs_(), exponent, spare)).mul_(sign)
    # An odd whole power keeps the sign by itself: t · (t²)^((exponent - 1) / 2).
    bits = int(exponent) // 2
    if not bits:
        return t
    square = torch.mul(t, t, out=spare)
    if bits > 4:
        F.threshold(square, torch.finfo(t.dtype).tiny ** (1.0 / bits), 0.0, inplace=True)
    while True:
        if bits & 1:
            t.mul_(square)
        bits >>= 1
        if not bits:
            return t
        square.mul_(square)


def _split(t: Tensor, p: float, spare: Tensor) -> Tensor:
    """Write |t|^(p-1) sign(t) over *t* and t log|t| over *spare*: their product is |t|^p log|t|."""
    sign, magnitude = t.sign(), t.abs_()
    log_t = magnitude.clamp_min(torch.finfo(t.dtype).tiny ** (1.0 / p)).log_()
    torch.mul(magnitude, log_t, out=spare).mul_(sign)
    return torch.exp(log_t.mul_(p - 1), out=t).mul_(sign)


def _root(s: Tensor, p: float) -> Tensor:
    """Return s^(1/p), in place."""
    if p in (1.0, 2.0, 4.0, 8.0, 16.0, 32.0):
        for _ in range(int(math.log2(p))):
            s.sqrt_()
        return s
    return s.pow_(1.0 / p)


class _LpPool(torch.autograd.Function):
    """Lp pooling of (N, C, H, W) with a fixed p (a float) or a learnt one (a tensor with one element)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: Tensor | float, windows: _Windows) -> Tensor:
        x = x if _channels_last(x) else x.contiguous()
        dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
        image, step, power = windows.shape(x), windows.chunk(x), float(p)
        y_flat, y = _room((len(x),), image, x, dtype)
        cells = [torch.split(cell, step) for cell in windows.cells(x)]
        r_room, r_image = _room((len(cells), step), image, x, dtype)
        spare_room = torch.empty_like(r_room)
        largest_room, inverse_room = torch.empty_like(r_room[0]), torch.empty_like(r_room[0])
        for s, *parts in zip(torch.split(y_flat, step), *cells, strict=True):
            r, spare, largest, inverse = (
                r_room[:, : len(s)],
                spare_room[:, : len(s)],
                largest_room[: len(s)],
                inverse_room[: len(s)],
            )
            for into, part in zip(r_image[:, : len(s)], parts, strict=True):
                into.copy_(part)
            torch.amax(r.abs_(), dim=0, out=largest)
            torch.clamp_min(largest, torch.finfo(dtype).tiny, out=inverse).reciprocal_()
            torch.sum(windows.weigh(_power(r.mul_(inverse), power, spare)), dim=0, out=s)
            _root(windows.divide_by_totals(s, x), power).mul_(largest)
        out = y.to(x.dtype)
        # The gradient needs y to more digits than bfloat16 has: (x / y)^31 would be wrong by an eighth.
        ctx.save_for_backward(x, out if out is y else y)
        ctx.power, ctx.windows = power, windows
        ctx.p_type = p.dtype if isinstance(p, Tensor) else None
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor, Tensor | None, None]:
        x, y = ctx.saved_tensors
        power: float = ctx.power
        windows: _Windows = ctx.windows
        learn = ctx.needs_input_grad[1]
        image, step = windows.shape(x), windows.chunk(x)
        overlap = windows.stride < windows.kernel
        grad_x = torch.empty_like(x)
        if windows.stride > windows.kernel or any(size % windows.stride for size in x.shape[2:]):
            grad_x.zero_()
        grad_p = torch.zeros((), dtype=torch.float64, device=x.device)
        cells = [torch.split(cell, step) for cell in windows.cells(x)]
        t_room, t_image = _room((len(cells), step), image, x, y.dtype)
        spare_room = torch.empty_like(t_room)
        g_room, g_image = _room((step,), image, x, y.dtype)
        inverse_room, inverse_image = _room((step,), image, x, y.dtype)
        sums_room = torch.empty_like(x[:step], dtype=y.dtype) if overlap else None
        for grad, y_part, grad_y_part, *parts in zip(
            torch.split(grad_x, step), torch.split(y, step), torch.split(grad_y, step), *cells, strict=True
        ):
            n = len(grad)
            t, spare, g, inverse = t_room[:, :n], spare_room[:, :n], g_room[:n], inverse_room[:n]
            t_cells = t_image[:, :n]
            for into, part in zip(t_cells, parts, strict=True):
                into.copy_(part)
            inverse_image[:n].copy_(y_part)
            inverse.clamp_min_(torch.finfo(y.dtype).tiny).reciprocal_()
            g_image[:n].copy_(grad_y_part)
            windows.divide_by_totals(g, x)
            t.mul_(inverse)
            windows.weigh((_signed_power(t, power - 1, spare) if not learn else _split(t, power, spare)).mul_(g))
            if learn:
                # ∂y/∂p = (y / p) Σ_k (g_k / Σ g) t_k^p log t_k with t_k = |x_k| / y.
                grad_p += spare.mul_(t).sum(dim=0).div_(inverse).sum(dtype=torch.float64) / power
            if sums_room is None:
                for into, part in zip(windows.cells(grad), t_cells, strict=True):
                    into.copy_(part)
                continue
            sums = sums_room[:n].zero_()
            for into, part in zip(windows.cells(sums), t_cells, strict=True):
                into.add_(part)
            grad.copy_(sums)
        return grad_x, (grad_p.to(ctx.p_type) if learn else None), None


def gaussian_window(kernel_size: int, sigma: float) -> Float[Tensor, "kernel kernel"]:
    """Return g(i, j) ∝ exp(-(i² + j²) / 2σ²), i and j measured in cells from the centre, with sum one."""
    offset = torch.arange(kernel_size, dtype=torch.float64) - (kernel_size - 1) / 2
    profile = torch.exp(-offset.square() / (2 * sigma**2))
    window = profile[:, None] * profile[None, :]
    return window / window.sum()


class LpPool2d(nn.Module):
    """Lp pooling: y = (Σ g |x|^p / Σ g)^(1/p) over square windows of an input (N, C, H, W).

    p: 1 or more; 1 is average pooling and ``math.inf`` max pooling (of |x|). With ``learn=True`` it is the initial
    value of a learnt exponent p = 1 + softplus(ρ), one ρ for the layer, and must be finite and above 1.
    kernel_size, stride, padding: in cells. Padding is not pooled: a window cut by the border has fewer cells, and Σ g
    is over those.
    window: ``"uniform"``, or ``"gaussian"`` with standard deviation *sigma* in cells, default kernel_size / 4. The
    paper shows a 3 x 3 Gaussian at stride 2 and does not give its width. In a 2 x 2 window all cells lie equally far
    from the centre and the Gaussian *is* the uniform window; for windows on the same grid take kernel_size=3,
    stride=2, padding=1.

    Raises ConfigError for values outside these ranges. Not differentiable twice.
    """

    rho: nn.Parameter | None

    def __init__(
        self,
        p: float,
        kernel_size: int = 2,
        stride: int = 2,
        padding: int = 0,
        *,
        window: Literal["uniform", "gaussian"] = "uniform",
        sigma: float | None = None,
        learn: bool = False,
    ) -> None:
        super().__init__()
        if not p >= 1:
            raise ConfigError(f"Lp pooling has p = {p}; it must be 1 or more")
        if learn and not 1 < p < math.inf:
            raise ConfigError(f"Lp pooling learns p from the initial value {p}; it must be finite and above 1")
        if kernel_size < 1 or stride < 1 or not 0 <= padding <= kernel_size // 2:
            raise ConfigError(
                f"Lp pooling has kernel size {kernel_size}, stride {stride} and padding {padding}; the first two must "
                "be 1 or more and the padding at most half the kernel size"
            )
        if window not in ("uniform", "gaussian"):
            raise ConfigError(f"Lp pooling has the window {window!r}; it must be 'uniform' or 'gaussian'")
        if sigma is not None and (window != "gaussian" or not 0 < sigma < math.inf):
            raise ConfigError(
                f"Lp pooling has sigma = {sigma} with a {window} window; only a gaussian has one, above 0"
            )
        self.kernel_size, self.stride, self.padding, self.window = kernel_size, stride, padding, window
        self.sigma = (kernel_size / 4 if sigma is None else sigma) if window == "gaussian" else None
        self.fixed_p = float(p)
        # softplus(ρ) = p - 1, solved for ρ.
        self.rho = nn.Parameter(torch.tensor(p - 1 + math.log(-math.expm1(1 - p)))) if learn else None

    @property
    def p(self) -> float:
        """The exponent in use."""
        return self.fixed_p if self.rho is None else float(1 + F.softplus(self.rho.detach()))

    def extra_repr(self) -> str:
        """Return what ``print(module)`` shows."""
        learnt = "" if self.rho is None else ", learnt"
        sigma = "" if self.sigma is None else f", sigma={self.sigma:g}"
        return (
            f"p={self.p:g}{learnt}, kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"window={self.window}{sigma}"
        )

    def forward(self, x: Float[Tensor, "batch channels height width"]) -> Float[Tensor, "batch channels h w"]:
        """Return the pooled input, with h = floor((height + 2 padding - kernel_size) / stride) + 1 and w likewise.

        Raises DataError where the input is smaller than the window.
        """
        height, width = x.shape[2:]
        if min(height, width) + 2 * self.padding < self.kernel_size:
            raise DataError(
                f"a {height} x {width} input is smaller than the pooling window of {self.kernel_size} cells"
            )
        if self.rho is None and self.fixed_p == math.inf:
            return F.max_pool2d(x.abs(), self.kernel_size, self.stride, self.padding)
        if self.rho is None and self.fixed_p == 1 and self.sigma is None:
            return F.avg_pool2d(x.abs(), self.kernel_size, self.stride, self.padding, count_include_pad=False)
        p = self.fixed_p if self.rho is None else 1 + F.softplus(self.rho)
        windows = self._windows(height, width)
        padded = F.pad(x, (self.padding,) * 4) if self.padding else x
        pooled: Tensor = _LpPool.apply(padded, p, windows)
        return pooled

    def _windows(self, height: int, width: int) -> _Windows:
        n = self.kernel_size
        weights = None if self.sigma is None else gaussian_window(n, self.sigma)
        if not self.padding:
            flat = None if weights is None else tuple(weights.flatten().tolist())
            return _Windows(n, self.stride, flat, float(n * n) if flat is None else 1.0)
        inside = F.pad(torch.ones(1, 1, height, width, dtype=torch.float64), (self.padding,) * 4)
        kernel = torch.ones(n, n, dtype=torch.float64) if weights is None else weights
        totals = F.conv2d(inside, kernel[None, None], stride=self.stride)[0, 0]
        return _Windows(n, self.stride, None if weights is None else tuple(weights.flatten().tolist()), totals)
