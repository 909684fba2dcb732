"""A model whose answers, in float32, are kept in a file, so that an interrupted attack goes on where it stopped.

All that an attack draws comes from named streams, so what it does is decided by the answers that it gets. Given those
of the first time again, it takes the same way again, without the network, and comes to where it was to the bit,
whatever the attack. A file of answers is not part of anything else: it may be deleted at any time.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from filelock import FileLock, Timeout
from torch import Tensor

MOST = 2**30
"""Bytes; of longer attacks the beginning is kept."""
HEAD = struct.Struct("<QII")
"""Before each answer: its length in bytes, and the checksums (CRC-32) of the question and of the answer."""


class Remembered:
    """A model that answers what it is asked again from a file, and adds to it what it is asked then.

    Its answers are those of the model: logits (B, K) float32, and gradients of these with respect to the images. Where
    a question is another than the one that was answered in its place, what was kept from there on is forgotten.

    Args:
        model: (B, 3, H, W) to logits (B, K).
        path: the file; its folder is made. While another process has it, or where nothing can be written, nothing is
            remembered.
    """

    def __init__(self, model: Callable[[Tensor], Tensor], path: Path) -> None:
        self._model, self._answers = model, _Answers(path)

    def __call__(self, images: Tensor) -> Tensor:
        """Return the logits of *images*."""
        found: Tensor = _Question.apply(images, self)
        return found

    def close(self) -> None:
        """Close the file."""
        self._answers.close()

    def asked(self, images: Tensor) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Return the logits of *images* and, where they were computed and not remembered, what gradients need."""
        known = self._answers.next(images)
        if known is not None:
            return torch.from_numpy(known).reshape(len(images), -1).to(images.device), None, None
        leaf, logits = self.computed(images)
        self._answers.add(images, logits)
        return logits.detach(), leaf, logits

    def computed(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return a copy of *images* that asks for gradients, where they do, and the model's own logits of it."""
        leaf = images.detach().requires_grad_(images.requires_grad)
        with torch.set_grad_enabled(leaf.requires_grad):
            return leaf, self._model(leaf).float()

    def gradient(self, context: Any, slopes: Tensor) -> Tensor:
        """Return the gradient, as the images are shaped, of logits whose own gradient is *slopes* (B, K)."""
        known = self._answers.next(slopes)
        if known is not None:
            remembered: Tensor = torch.from_numpy(known).reshape(context.images.shape).to(context.images.device)
            return remembered
        if context.logits is None:  # what was remembered ends between an answer and its gradient
            context.leaf, context.logits = self.computed(context.images)
        slope: Tensor = torch.autograd.grad(context.logits, context.leaf, slopes, retain_graph=True)[0]
        self._answers.add(slopes, slope)
        return slope


class _Question(torch.autograd.Function):
    """The logits of images, and the way back to these, through a :class:`Remembered`."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, model: Remembered) -> Tensor:
        """Return the logits (B, K)."""
        ctx.images, ctx.model = images.detach().requires_grad_(ctx.needs_input_grad[0]), model
        logits, ctx.leaf, ctx.logits = model.asked(ctx.images)
        return logits

    @staticmethod
    def backward(ctx: Any, slopes: Tensor) -> tuple[Tensor, None]:
        """Return the gradient of the images."""
        return ctx.model.gradient(ctx, slopes), None


class _Answers:
    """A file of arrays of float32, read to its end and from there on written; what is half written is cut off."""

    def __init__(self, path: Path) -> None:
        self._file: BinaryIO | None = None
        self._reading = True
        self._lock = FileLock(path.with_suffix(".lock"), timeout=0)
        with contextlib.suppress(Timeout, OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            self._file = path.open("a+b")
            self._file.seek(0)

    def next(self, question: Tensor) -> np.ndarray[Any, np.dtype[np.float32]] | None:
        """Return the next array, flat, or None where there are no more, or it answers another *question*."""
        if not self._reading or self._file is None:
            return None
        begin = self._file.tell()
        head = self._file.read(HEAD.size)
        if len(head) == HEAD.size:
            length, asked, checksum = HEAD.unpack(head)
            data = self._file.read(length) if length <= MOST else b""
            if len(data) == length and (asked, checksum) == (zlib.crc32(_bytes(question)), zlib.crc32(data)):
                return np.frombuffer(bytearray(data), np.float32)
        self._reading = False
        try:
            self._file.truncate(begin)
            self._file.seek(begin)
        except OSError:
            self.close()
        return None

    def add(self, question: Tensor, values: Tensor) -> None:
        """Write the answer to a *question*; where there is no room, keep what there is."""
        if self._file is None:
            return
        data = _bytes(values)
        if self._file.tell() + len(data) > MOST:
            self.close()
            return
        try:
            self._file.write(HEAD.pack(len(data), zlib.crc32(_bytes(question)), zlib.crc32(data)) + data)
            self._file.flush()
        except OSError:
            self.close()

    def close(self) -> None:
        """Close the file; from then on nothing is written."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._lock.release()
        self._file = None


def _bytes(values: Tensor) -> bytes:
    return values.detach().cpu().contiguous().numpy().tobytes()
