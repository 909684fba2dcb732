"""What a lab's ``run`` is given beside its configuration: its random streams, and where its findings go.

The context is the only door between a trial and the rest of Paribus. A lab calls it; nothing of it needs torch. Made
by hand, ``Context(seed=0)``, it lets one run a lab in a notebook: whatever is reported goes nowhere.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.spec.seed import Streams
from paribus.whole import write_whole


class Diverged(Exception):  # noqa: N818 - a finding, not an error
    """Raised by a lab where training has left the numbers: the trial's outcome is ``diverged``, which is a finding."""

    def __init__(self, reason: str, *, step: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.step = step


@dataclass(frozen=True)
class Progress:
    """How far a trial has come: *done* of *total* steps, and what it is at, in a few words, where it says so."""

    done: int
    total: int
    doing: str = ""


@dataclass(frozen=True)
class Scalars:
    """Values measured at a step: a point on each of the trial's learning curves."""

    step: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class Outcomes:
    """For each example of a split, whether the trained model got it right; their mean is the metric *metric*."""

    metric: str
    correct: NDArray[np.bool_]


@dataclass(frozen=True)
class Artifact:
    """An array worth keeping, by name: predictions, confidences, an image, a trained weight."""

    name: str
    array: NDArray[Any]


@dataclass(frozen=True, eq=False)
class Picture:
    """How an image that is being optimised looks now: uint8 (H, W, 3), small. Live views show it; nothing keeps it."""

    name: str
    pixels: NDArray[np.uint8]


Report = Progress | Scalars | Outcomes | Artifact | Picture

PICTURE_SIDE = 96
"""The longest side of a picture that is reported, in pixels."""

PICTURE_SECONDS = 0.5
"""How often a picture of one name is reported at most."""


def _discard(report: Report) -> None:
    """Drop a report: what a context does that nobody listens to."""


@dataclass(frozen=True)
class Context:
    """One trial's surroundings.

    Args:
        seed: the trial's seed; all randomness comes from :attr:`streams`.
        device: where tensors live: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
        scratch: a folder of this trial's own that outlives an interruption, or ``None`` where nothing is kept.
        emit: where reports go.
    """

    seed: int
    device: str = "cpu"
    scratch: Path | None = None
    emit: Callable[[Report], None] = field(default=_discard, repr=False)
    _shown: dict[str, float] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def streams(self) -> Streams:
        """The named random streams of this trial's seed."""
        return Streams(self.seed)

    def progress(self, done: int, total: int, doing: str = "") -> None:
        """Say how far the trial has come, and what it is at: ``context.progress(3, 20, "on 41 of 100 images")``."""
        self.emit(Progress(int(done), int(total), str(doing)))

    def scalars(self, step: int, **values: float) -> None:
        """Add a point to the learning curves: ``context.scalars(200, train_loss=0.31, accuracy=0.9)``."""
        self.emit(Scalars(int(step), {name: float(value) for name, value in values.items()}))

    def outcomes(self, metric: str, correct: NDArray[np.bool_]) -> None:
        """Report which examples came out right, (N,) booleans whose mean is the final metric called *metric*."""
        self.emit(Outcomes(str(metric), np.asarray(correct, dtype=np.bool_).ravel()))

    def artifact(self, name: str, array: NDArray[Any]) -> None:
        """Keep *array*, numbers or booleans, with the trial.

        Some names mean something to a report: ``predictions``, (E,) predicted classes, and ``confidence``, (E,)
        probabilities of these, both in the order of the outcomes; ``strip``, uint8 (T, H, W, 3), an image from the
        start to the end of its optimisation; ``picture/CAPTION``, uint8 (H, W, 3), an image to show with it.
        """
        kept = np.ascontiguousarray(array)
        if kept.dtype.kind not in "biufc":
            raise TypeError(f"artifact {name!r} is an array of {kept.dtype}; keep numbers or booleans")
        self.emit(Artifact(str(name), kept))

    def picture(self, name: str, pixels: NDArray[np.uint8]) -> None:
        """Show how the image called *name* looks now, uint8 (H, W, 3), to whoever watches; nothing keeps it.

        It may be called at every step: what comes too soon after the last one goes nowhere, and a large one is made
        smaller by averages.
        """
        if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
            raise TypeError(f"picture {name!r} is {pixels.dtype} of {pixels.shape}; show uint8 of (H, W, 3)")
        now = time.monotonic()
        if self.emit is not _discard and now - self._shown.get(name, -math.inf) >= PICTURE_SECONDS:
            self._shown[name] = now
            self.emit(Picture(str(name), _reduced(pixels)))

    def save_checkpoint(self, data: bytes) -> None:
        """Keep *data* (safetensors bytes, say) so that an interrupted trial goes on from here; whole or not at all."""
        if self.scratch is None:
            return
        self.scratch.mkdir(parents=True, exist_ok=True)
        write_whole(self.scratch / "checkpoint", data)

    def load_checkpoint(self) -> bytes | None:
        """Return the last checkpoint of this trial, or ``None`` where it starts afresh."""
        if self.scratch is None:
            return None
        path = self.scratch / "checkpoint"
        return path.read_bytes() if path.exists() else None


def _reduced(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the means of square blocks, the least that leave no side longer than PICTURE_SIDE; the last may be cut."""
    side = -(-max(pixels.shape[:2]) // PICTURE_SIDE)
    if side == 1:
        return np.array(pixels)
    starts = [np.arange(0, length, side) for length in pixels.shape[:2]]
    sums = np.add.reduceat(np.add.reduceat(pixels, starts[0], axis=0, dtype=np.uint32), starts[1], axis=1)
    down, across = (np.diff(np.append(start, length)) for start, length in zip(starts, pixels.shape[:2], strict=True))
    means: NDArray[np.uint8] = np.rint(sums / np.outer(down, across)[..., None]).astype(np.uint8)
    return means
