"""What a network answers to images that have changed in a window only: just what depends on the window is computed.

A convolution of side k turns a window of n pixels into one of at most (n + k - 2) // stride + 1, whatever its place. So
for a small change most of the first, large feature maps stay what they are. They are kept; each layer is run on a copy
of the part of its input that decides what changes in its output, with the changed window in it. From where the window
is most of the map, layers run on the whole. The numbers are those of the whole network but for rounding: the same sums,
perhaps in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Layer = Callable[[Tensor], Tensor]
Places = Tensor
"""Rows and columns of positions, (2, R)."""

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
                stage.after, layers = _leading(layers[1:])
                self._stages.append(stage)
                x, window = self._run(stage.after, stage.layer(x)), stage.made
            self._rest, self._last = layers, _Known(x, 0, window, (x.shape[2], x.shape[3]))
        self._tried: list[tuple[_Known, Places, Tensor]] = []
        self._rows = torch.arange(0)
        self.side = side

    @property
    def gains(self) -> bool:
        """Whether some layer has less to do than on whole images."""
        return bool(self._stages)

    def logits(self, images: Tensor, rows: Tensor, at: Places) -> Tensor:
        """Return the answers (R, K) to *images* (R, C, H, W).

        Args:
            images: candidates for the known images *rows*, different from them in their windows only.
            rows: (R,) distinct indices of known images.
            at: (2, R) rows and columns where the windows begin, such that they lie within the images.
        """
        self._tried, self._rows = [], rows
        with torch.no_grad():
            across = torch.arange(self.side, device=images.device)
            index = (torch.arange(len(rows), device=rows.device)[:, None, None],
                     at[0, :, None, None] + across[:, None], at[1, :, None, None] + across)  # fmt: skip
            patch = self._run(self._before, images.permute(0, 2, 3, 1)[index].permute(0, 3, 1, 2))
            for stage in self._stages:
                after = stage.moved(at)
                part = self._changed(stage.known, patch, at, after * stage.stride)
                patch = self._run(stage.after, stage.run(part[:, :, : stage.side, : stage.side]))
                at = after
            return self._run(self._rest, self._changed(self._last, patch, at, torch.zeros_like(at)))

    def keep(self, kept: Tensor) -> None:
        """Make those of the last images that are *kept* (R,) the known ones, and forget the others."""
        won = torch.nonzero(kept).flatten()
        for known, at, patch in self._tried if len(won) else ():
            known.write(self._rows[won], at[:, won], patch[won])
        self._tried = []

    def _changed(self, known: _Known, patch: Tensor, at: Places, around: Places) -> Tensor:
        patch = patch.permute(0, 2, 3, 1).flatten(1, 2)
        self._tried.append((known, at, patch))
        return known.changed(self._rows, patch, at, around)

    @staticmethod
    def _run(layers: Sequence[Layer], x: Tensor) -> Tensor:
        for layer in layers:
            x = layer(x)
        return x


class _Known:
    """The maps of known images, one position's numbers side by side, zeros around them.

    Args:
        maps: (B, C, H, W).
        padding: how many zeros.
        window: the side of the squares that change.
        part: height and width of what is read of a map at once, padding included.
    """

    def __init__(self, maps: Tensor, padding: int, window: int, part: tuple[int, int]) -> None:
        padded = F.pad(maps.permute(0, 2, 3, 1), (0, 0, padding, padding, padding, padding)).contiguous()
        self._height, self._width, channels = padded.shape[1:]
        self._pixels, self._padding, self._part = padded.view(-1, channels), padding, part
        self._window, self._within = (_square(window, window, width, maps) for width in (self._width, part[1]))
        self._whole = _square(*part, self._width, maps)

    def changed(self, rows: Tensor, patch: Tensor, at: Places, around: Places) -> Tensor:
        """Return the parts (R, C, h, w) of the maps *rows* with the *patch* (R, n, C) in them.

        *at* is where the patch begins, without padding, *around* where the part does, with it.
        """
        height, width = self._part
        top, left = at - around + self._padding
        begins = (rows * self._height + around[0]) * self._width + around[1]
        found = self._pixels.index_select(0, (begins[:, None] + self._whole).flatten())
        begins = (torch.arange(len(rows), device=rows.device) * height + top) * width + left
        found.index_copy_(0, (begins[:, None] + self._within).flatten(), patch.flatten(0, 1))
        return found.view(len(rows), height, width, -1).permute(0, 3, 1, 2)

    def write(self, rows: Tensor, at: Places, patch: Tensor) -> None:
        """Put the *patch* (R, n, C) into the maps *rows*, beginning at *at*."""
        top, left = at + self._padding
        begins = (rows * self._height + top) * self._width + left
        self._pixels.index_copy_(0, (begins[:, None] + self._window).flatten(), patch.flatten(0, 1))


def _square(height: int, width: int, row: int, like: Tensor) -> Tensor:
    """Return how far each position of a rectangle lies behind its first, in a map whose rows have so many."""
    down, across = (torch.arange(side, device=like.device) for side in (height, width))
    return (down[:, None] * row + across).flatten()


class _Stage:
    """A convolution or pooling, its known input, and what follows it pixel by pixel.

    Args:
        layer: the layer itself.
        run: the layer without padding.
        sizes: its kernel's side, stride and padding.
        x: (B, C, H, W), its known input.
        window: the side of the changed part of its input; *made* is that of its output, which *side* pixels decide.
    """

    def __init__(self, layer: Layer, run: Layer, sizes: tuple[int, int, int], x: Tensor, window: int) -> None:
        self.layer, self.run, self.after = layer, run, list[Layer]()
        self.kernel, self.stride, self.padding = sizes
        self.made = (window + self.kernel - 2) // self.stride + 1
        spans = [side + 2 * self.padding - self.kernel for side in x.shape[2:]]
        self.height, self.width = (span // self.stride + 1 for span in spans)
        self._last = torch.tensor([[self.height], [self.width]], device=x.device) - self.made
        self.side = (self.made - 1) * self.stride + self.kernel
        if self.fits:  # pixels at the border that no kernel reaches may change too
            down, across = (self.side + span % self.stride for span in spans)
            self.known = _Known(x, self.padding, window, (down, across))

    @property
    def fits(self) -> bool:
        """Whether the window is worth computing alone."""
        small = self.made <= min(self.height, self.width) and self.made**2 <= WORTH * self.height * self.width
        return small and self.kernel >= self.stride

    @staticmethod
    def of(layer: Layer, x: Tensor, window: int) -> _Stage | None:
        """Return the stage of *layer*, or None where it has to run on whole images."""
        found = _unpadded(layer)
        stage = None if found is None else _Stage(layer, *found, x, window)
        return stage if stage is not None and stage.fits else None

    def moved(self, at: Places) -> Places:
        """Return where in the output the changed window begins that begins at *at* in the input."""
        first = at + (self.padding - self.kernel + self.stride)  # rounded up after the division
        first = first if self.stride == 1 else first.div(self.stride, rounding_mode="floor")
        return first.clamp_min_(0).minimum(self._last)


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
