"""What a network answers to images that have changed in a window only: just what depends on the window is computed.

A convolution of side k turns a window of n pixels into one of at most (n + k - 2) // stride + 1, whatever its place. So
for a small change most of the first, large feature maps stay what they are. They are kept, the changed part of each
layer's input is written into them, and the layer is run on the part of them that decides its changed outputs. From
where the window is most of the map, layers run on the whole. The numbers are those of the whole network but for
rounding: the same sums, perhaps in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Layer = Callable[[Tensor], Tensor]

POINTWISE = (
    nn.BatchNorm2d, nn.Dropout, nn.Dropout2d, nn.ELU, nn.GELU, nn.Hardswish, nn.Identity, nn.LeakyReLU, nn.ReLU,
    nn.ReLU6, nn.SiLU, nn.Sigmoid, nn.Softplus, nn.Tanh,
)  # fmt: skip
"""Layers whose output at a position depends on the input there alone, in evaluation mode."""
WORTH = 0.5
"""The share of a map up to which its window is computed alone: gathering it costs more than a convolution a number."""


@dataclass(frozen=True)
class PerPixel:
    """A function (B, C, H, W) -> (B, D, H, W) whose value at a position depends on the input there alone."""

    function: Layer

    def __call__(self, x: Tensor) -> Tensor:
        """Return the function's value."""
        return self.function(x)


def in_sequence(network: Any) -> list[Layer]:
    """Return the layers that *network* runs one after the other.

    Those of an ``nn.Sequential`` are its parts'; those of any object with a method ``in_sequence`` what it returns;
    another network, or one with hooks, is a single layer.
    """
    if getattr(network, "_forward_hooks", None) or getattr(network, "_forward_pre_hooks", None):
        return [network]
    if hasattr(network, "in_sequence"):
        parts: Sequence[Layer] = network.in_sequence()
    elif type(network) is nn.Sequential:
        parts = list(network)
    else:
        return [network]
    return [layer for part in parts for layer in (in_sequence(part) if part is not network else [part])]


class ChangedWindow:
    """Answers of *network* to images that differ from known ones in a square window, each image in one of its own.

    Args:
        network: (B, C, H, W) -> (B, K); unless :func:`in_sequence` shows convolutions at its front, nothing is gained.
        images: (B, C, H, W), the known ones.
        side: of the windows, in pixels.
    """

    def __init__(self, network: Any, images: Tensor, side: int) -> None:
        layers = in_sequence(network)
        self._before, layers = _leading(layers)
        self._stages: list[_Stage] = []
        with torch.no_grad():
            x = self._run(self._before, images)
            window = side
            while layers and (stage := _Stage.of(layers[0], x, window)) is not None:
                after, layers = _leading(layers[1:])
                stage.after = after
                self._stages.append(stage)
                x, window = self._run(after, stage.layer(x)), stage.made
            self._rest, self._last = layers, _Known(x, 0, window)
        self._tried: list[tuple[_Known, Tensor, Tensor]] = []
        self.side = side

    @property
    def gains(self) -> bool:
        """Whether some layer has less to do than on whole images."""
        return bool(self._stages)

    def logits(self, images: Tensor, rows: Tensor, top: Tensor, left: Tensor) -> Tensor:
        """Return the answers (R, K) to *images* (R, C, H, W).

        Args:
            images: candidates for the known images *rows*, different from them in their windows only.
            rows: (R,) distinct indices of known images.
            top, left: (R,) where the windows begin, such that they lie within the images.
        """
        self._tried = []
        with torch.no_grad():
            across = torch.arange(self.side, device=images.device)
            index = (torch.arange(len(rows), device=rows.device)[:, None, None],
                     top[:, None, None] + across[:, None], left[:, None, None] + across)  # fmt: skip
            patch = self._run(self._before, images.permute(0, 2, 3, 1)[index].permute(0, 3, 1, 2))
            for stage in self._stages:
                self._write(stage.known, patch, stage.known.places(rows, top, left))
                top, left = stage.moved(top, stage.height), stage.moved(left, stage.width)
                patch = self._run(stage.after, stage.run(stage.input(rows, top, left)))
            self._write(self._last, patch, self._last.places(rows, top, left))
            return self._run(self._rest, self._last.maps[rows].permute(0, 3, 1, 2))

    def keep(self, kept: Tensor) -> None:
        """Make those of the last images that are *kept* (R,) the known ones, and forget the others."""
        back = torch.nonzero(~kept).flatten()
        for known, places, before in self._tried:
            known.write(places[back], before[back])
        self._tried = []

    def _write(self, known: _Known, patch: Tensor, places: Tensor) -> None:
        self._tried.append((known, places, known.read(places)))
        known.write(places, patch.permute(0, 2, 3, 1).reshape(*places.shape, -1))

    @staticmethod
    def _run(layers: Sequence[Layer], x: Tensor) -> Tensor:
        for layer in layers:
            x = layer(x)
        return x


class _Known:
    """The maps (B, C, H, W) of known images, one channel's numbers side by side, *padding* zeros around them."""

    def __init__(self, maps: Tensor, padding: int, window: int) -> None:
        self.maps = F.pad(maps.permute(0, 2, 3, 1), (0, 0, padding, padding, padding, padding)).contiguous()
        self.padding = padding
        self._pixels = self.maps.view(-1, self.maps.shape[3])
        self._pattern = self.pattern(window)

    def pattern(self, side: int) -> Tensor:
        """Return how far the pixels of a square lie behind its first one, (side * side,)."""
        span = torch.arange(side, device=self.maps.device)
        return (span[:, None] * self.maps.shape[2] + span).flatten()

    def places(self, rows: Tensor, top: Tensor, left: Tensor, pattern: Tensor | None = None) -> Tensor:
        """Return the pixels of a window of each of the maps *rows*, without a pattern that beginning at (top, left)."""
        _, height, width, _ = self.maps.shape
        if pattern is None:
            top, left, pattern = top + self.padding, left + self.padding, self._pattern
        return ((rows * height + top) * width + left)[:, None] + pattern

    def read(self, places: Tensor) -> Tensor:
        """Return the numbers (R, n, C) at *places* (R, n)."""
        return self._pixels.index_select(0, places.flatten()).view(*places.shape, -1)

    def write(self, places: Tensor, values: Tensor) -> None:
        """Put *values* (R, n, C) at *places* (R, n)."""
        self._pixels.index_copy_(0, places.flatten(), values.flatten(0, 1))


class _Stage:
    """A convolution or pooling, its known input, and what follows it pixel by pixel.

    Args:
        layer: the layer itself.
        run: the layer without padding.
        sizes: its kernel's side, stride and padding.
        x: (B, C, H, W), its known input.
        window: the side of the changed part of its input; *made* is that of its output.
        height, width: of its output.
    """

    def __init__(self, layer: Layer, run: Layer, sizes: tuple[int, int, int], x: Tensor, window: int) -> None:
        self.layer, self.run, self.after = layer, run, list[Layer]()
        self.kernel, self.stride, padding = sizes
        self.made = (window + self.kernel - 2) // self.stride + 1
        self.height, self.width = ((side + 2 * padding - self.kernel) // self.stride + 1 for side in x.shape[2:])
        if self.made**2 > WORTH * self.height * self.width or self.made > min(self.height, self.width):
            return
        self.known = _Known(x, padding, window)
        self._side = (self.made - 1) * self.stride + self.kernel
        self._pattern = self.known.pattern(self._side)

    @staticmethod
    def of(layer: Layer, x: Tensor, window: int) -> _Stage | None:
        """Return the stage of *layer*, or None where it has to run on whole images."""
        found = _unpadded(layer)
        if found is None:
            return None
        stage = _Stage(layer, *found, x, window)
        return stage if hasattr(stage, "known") else None

    def moved(self, start: Tensor, size: int) -> Tensor:
        """Return where in the output, of so many pixels, the changed window begins that begins at *start*."""
        first = start + self.known.padding - self.kernel + self.stride  # rounded up after the division
        return first.div(self.stride, rounding_mode="floor").clamp(0, size - self.made)

    def input(self, rows: Tensor, top: Tensor, left: Tensor) -> Tensor:
        """Return what decides the window of the output that begins at (top, left): (R, C, n, n)."""
        places = self.known.places(rows, top * self.stride, left * self.stride, self._pattern)
        return self.known.read(places).view(len(rows), self._side, self._side, -1).permute(0, 3, 1, 2)


def _leading(layers: Sequence[Layer]) -> tuple[list[Layer], list[Layer]]:
    """Return the first of *layers* that work pixel by pixel, and the others."""
    count = 0
    while count < len(layers) and _works_pixel_by_pixel(layers[count]):
        count += 1
    return list(layers[:count]), list(layers[count:])


def _works_pixel_by_pixel(layer: Any) -> bool:
    return isinstance(layer, PerPixel) or (type(layer) in POINTWISE and not layer.training and not _hooked(layer))


def _hooked(layer: Any) -> bool:
    return bool(layer._forward_hooks or layer._forward_pre_hooks)


def _unpadded(layer: Any) -> tuple[Layer, tuple[int, int, int]] | None:
    """Return *layer* without its padding, and the kernel's side, stride and padding; None for other kinds."""
    if type(layer) not in (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d) or _hooked(layer):
        return None
    sizes = []
    for value in (layer.kernel_size, layer.stride, layer.padding):
        pair = value if isinstance(value, tuple) else (value, value)
        if pair[0] != pair[1] or isinstance(pair[0], str):
            return None
        sizes.append(int(pair[0]))
    kernel, stride, padding = sizes
    if isinstance(layer, nn.Conv2d):
        if layer.padding_mode != "zeros" or layer.dilation != (1, 1):
            return None
        return lambda x: F.conv2d(x, layer.weight, layer.bias, stride, 0, 1, layer.groups), (kernel, stride, padding)
    plain = padding == 0 and not layer.ceil_mode and getattr(layer, "dilation", 1) == 1
    if not plain or getattr(layer, "return_indices", False) or getattr(layer, "divisor_override", None) is not None:
        return None
    return layer, (kernel, stride, padding)
