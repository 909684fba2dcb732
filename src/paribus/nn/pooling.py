r"""Lp pooling, which goes from average pooling at p = 1 to max pooling as p grows.

y = (Σ_k g_k |x_k|^p / Σ_k g_k)^(1/p) over the cells k of a window, with window weights g_k: Sermanet, Chintala & LeCun
2012, "Convolutional neural networks applied to house numbers digit classification", eq. 1. The paper's values of p
are 1, 2, 4, 8, 12, 16, 32 and ∞, its window a Gaussian; a uniform window (g = 1) is the form that compares with
average and max pooling. It is meant for x >= 0, as after ReLU; elsewhere |x| is pooled.

The sum is over r_k = |x_k| / max_k |x_k|, and the gradient ∂y/∂x_k = (g_k / Σ g) (|x_k| / y)^(p-1) sign(x_k) is
computed from this formula, in which no power exceeds Σ g / g_k. So neither huge nor tiny inputs overflow or vanish at
p = 32, as they do where x^p is taken first (torch's lp_pool2d). Where x_k = 0 the gradient is zero, also where the
whole window is zero and y has a corner. The arithmetic is float32 (float64 for float64) and the result has the input's
type.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from paribus.errors import ConfigError

_CHUNK = 1 << 17
"""Elements worked on at a time: they stay in the processor's second-level cache."""


@dataclass(frozen=True)
class _Windows:
    """The cells of all windows, gathered a few images at a time as a matrix (cells of a window, windows)."""

    kernel: int
    stride: int
    weights: tuple[float, ...] | None  # row by row; None: uniform
    totals: Tensor | float  # Σ g: one number, or one for each position (height, width) where a border cuts windows

    def outputs(self, size: int) -> int:
        return (size - self.kernel) // self.stride + 1

    def shape(self, x: Tensor) -> tuple[int, int, int, int]:
        return x.shape[0], x.shape[1], self.outputs(x.shape[2]), self.outputs(x.shape[3])

    def cells(self, x: Tensor) -> list[Tensor]:
        """Return kernel² views of shape (N, C, oh, ow): the first cell of every window, the second, ..."""
        _, _, height, width = self.shape(x)
        span_h, span_w = self.stride * (height - 1) + 1, self.stride * (width - 1) + 1
        offsets = [(i, j) for i in range(self.kernel) for j in range(self.kernel)]
        return [x[:, :, i : i + span_h : self.stride, j : j + span_w : self.stride] for i, j in offsets]

    def chunks(self, x: Tensor) -> Iterator[slice]:
        n, c, height, width = self.shape(x)
        step = max(1, _CHUNK // max(1, c * height * width * self.kernel**2))
        return (slice(start, min(start + step, n)) for start in range(0, n, step))

    def divide_by_totals(self, rows: Tensor, x: Tensor) -> None:
        """Divide *rows* (images, flat positions in memory order) by Σ g in place."""
        if isinstance(self.totals, float):
            rows.mul_(1.0 / self.totals)
            return
        _, c, height, width = self.shape(x)
        totals = self.totals.to(rows)[None].expand(c, height, width)
        rows.div_((totals.permute(1, 2, 0) if _channels_last(x) else totals).reshape(1, -1))


def _channels_last(x: Tensor) -> bool:
    return x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()


def _empty(
    lead: tuple[int, ...], image: tuple[int, int, int], like: Tensor, dtype: torch.dtype
) -> tuple[Tensor, Tensor]:
    """Return one piece of memory as (*lead, flat image) and as (*lead, C, H, W), in the memory order of *like*."""
    c, height, width = image
    flat = torch.empty((*lead, c * height * width), dtype=dtype, device=like.device)
    if not _channels_last(like):
        return flat, flat.view(*lead, c, height, width)
    dims = range(len(lead))
    d = len(lead)
    return flat, flat.view(*lead, height, width, c).permute(*dims, d + 2, d, d + 1)


def _power(t: Tensor, exponent: float) -> Tensor:
    """Return t^exponent for t >= 0, or for any t where the exponent is an integer; *t* is overwritten."""
    if exponent != int(exponent):
        # exp(p log t) is several times faster than pow. log tiny stands for log 0: t^p is then zero or as good as.
        return t.clamp_min_(torch.finfo(t.dtype).tiny).log_().mul_(exponent).exp_()
    bits, result = int(exponent), None
    if bits == 0:
        return t.fill_(1.0)
    while bits > 1:
        if bits & 1:
            result = t.clone() if result is None else result.mul_(t)
        t.mul_(t)
        bits >>= 1
    return t if result is None else result.mul_(t)


def _root(s: Tensor, p: float) -> Tensor:
    """Return s^(1/p) for s in [0, 1], in place."""
    mantissa, exponent = math.frexp(p)
    if mantissa == 0.5 and exponent >= 1:
        for _ in range(exponent - 1):
            s.sqrt_()
        return s
    return s.pow_(1.0 / p)


class _LpPool(torch.autograd.Function):
    """Lp pooling of a float tensor (N, C, H, W) with p a float, or a tensor with one element that is to be learnt."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, p: Tensor | float, windows: _Windows) -> Tensor:
        power = float(p)
        if not _channels_last(x):
            x = x.contiguous()
        dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
        n, *image = windows.shape(x)
        y_flat, y = _empty((n,), (image[0], image[1], image[2]), x, dtype)
        cells = windows.cells(x)
        for part in windows.chunks(x):
            r_flat, r = _empty((len(cells), part.stop - part.start), (image[0], image[1], image[2]), x, dtype)
            for into, cell in zip(r, cells, strict=True):
                into.copy_(cell[part])
            r_flat.abs_()
            largest = r_flat.amax(dim=0).clamp_min_(torch.finfo(dtype).tiny)
            # Multiplying by the reciprocal is faster, and right to within rounding unless the reciprocal is subnormal.
            r_flat = _power(r_flat.mul_(largest.reciprocal()), power)
            if windows.weights is not None:
                for row, weight in zip(r_flat, windows.weights, strict=True):
                    row.mul_(weight)
            s = y_flat[part]
            torch.sum(r_flat, dim=0, out=s)
            windows.divide_by_totals(s, x)
            _root(s, power).mul_(largest)
        out = y.to(x.dtype)
        ctx.save_for_backward(x, out if out is y else y)
        ctx.power, ctx.windows = power, windows
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        x, y = ctx.saved_tensors
        power: float = ctx.power
        windows: _Windows = ctx.windows
        learn = ctx.needs_input_grad[1]
        even = power == int(power) and int(power) % 2 == 0
        _, c, height, width = windows.shape(x)
        disjoint = windows.stride >= windows.kernel
        covered = (
            disjoint
            and windows.stride == windows.kernel
            and x.shape[2:]
            == (
                height * windows.stride,
                width * windows.stride,
            )
        )
        grad_x = torch.empty_like(x, dtype=x.dtype if disjoint else y.dtype)
        if not covered:
            grad_x.zero_()
        grad_p = torch.zeros((), dtype=torch.float64, device=x.device)
        cells, grad_cells = windows.cells(x), windows.cells(grad_x)
        for part in windows.chunks(x):
            images = part.stop - part.start
            t_flat, t = _empty((len(cells), images), (c, height, width), x, y.dtype)
            for into, cell in zip(t, cells, strict=True):
                into.copy_(cell[part])
            inverse_flat, inverse = _empty((images,), (c, height, width), x, y.dtype)
            inverse.copy_(y[part])
            g_flat, g = _empty((images,), (c, height, width), x, y.dtype)
            g.copy_(grad_y[part])
            windows.divide_by_totals(g_flat, x)
            inverse_flat.clamp_min_(torch.finfo(y.dtype).tiny).reciprocal_()
            t_flat.mul_(inverse_flat)
            if even and not learn:
                t_power = _power(t_flat, power - 1)
            else:
                sign = t_flat.sign()
                magnitude = t_flat.abs_()
                t_power = _power(magnitude.clone(), power - 1)
                if learn:
                    # ∂y/∂p = (y / p) Σ_k (g_k / Σ g) t_k^p log t_k with t_k = |x_k| / y.
                    entropy = torch.xlogy(magnitude, magnitude).mul_(t_power)
                    if windows.weights is not None:
                        for row, weight in zip(entropy, windows.weights, strict=True):
                            row.mul_(weight)
                    slope = entropy.sum(dim=0).mul_(g_flat).div_(inverse_flat).mul_(1.0 / power)
                    grad_p += slope.sum(dtype=torch.float64)
                t_power.mul_(sign)
            t_power.mul_(g_flat)
            if windows.weights is not None:
                for row, weight in zip(t_power, windows.weights, strict=True):
                    row.mul_(weight)
            for into, row in zip(grad_cells, _like_cells(t_power, t), strict=True):
                if disjoint:
                    into[part].copy_(row)
                else:
                    into[part].add_(row)
        return grad_x.to(x.dtype), (grad_p if learn else None), None


def _like_cells(flat: Tensor, cells: Tensor) -> Tensor:
    """Return *flat* seen in the shape and memory order of *cells*."""
    return flat.as_strided(cells.shape, cells.stride())


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
        """Return the pooled input, with h = floor((height + 2 padding - kernel_size) / stride) + 1 and w likewise."""
        if self.rho is None and self.fixed_p == math.inf:
            return F.max_pool2d(x.abs(), self.kernel_size, self.stride, self.padding)
        if self.rho is None and self.fixed_p == 1 and self.sigma is None:
            return F.avg_pool2d(x.abs(), self.kernel_size, self.stride, self.padding, count_include_pad=False)
        p = self.fixed_p if self.rho is None else 1 + F.softplus(self.rho)
        windows = self._windows(x.shape[2], x.shape[3])
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
