"""The image as the variable: optimise a batch of images under a loss, with curves, snapshots and exact resumption."""

from __future__ import annotations

import contextlib
import json
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor, nn

from paribus.nn.pixels import to_pictures
from paribus.spec.context import Context, Diverged
from paribus.train.image_optimizer import LBFGS, ImageOptimizer

CHECKPOINT_SECONDS = 5.0
"""How often a state is kept: what an interruption costs at most. It has no bearing on results."""
SHOW_SECONDS = 0.5


@dataclass(frozen=True, eq=False)
class ImageLoss:
    """What the images of a batch lose, each by itself.

    Args:
        objective: (B,), what is minimised, with its graph. An image's value must not depend on the others.
        shown: by name, (B,) parts of it that the curves show.
    """

    objective: Tensor
    shown: Mapping[str, Tensor] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Optimised:
    """Images at the end of their optimisation.

    Args:
        images: (B, 3, H, W).
        losses: (B,), the objective of these images.
        snapshots: (T, B, H, W, 3) uint8, from the start to the end.
        snapshot_steps: (T,) after how many steps each was taken.
    """

    images: Tensor
    losses: NDArray[np.float64]
    snapshots: NDArray[np.uint8]
    snapshot_steps: tuple[int, ...]

    @property
    def strip(self) -> NDArray[np.uint8]:
        """The snapshots of the first image, (T, H, W, 3): what a report shows."""
        return self.snapshots[:, 0]


def optimise(
    loss: Callable[[Tensor, int], ImageLoss],
    start: Float[Tensor, "B 3 H W"],
    *,
    optimizer: ImageOptimizer,
    rate: Callable[[int, int], float],
    steps: int,
    context: Context,
    project: Callable[[Tensor], Tensor] | None = None,
    points: int = 30,
    snapshots: int = 8,
) -> Optimised:
    """Minimise *loss* over images for *steps* steps; an interrupted optimisation goes on from its last checkpoint.

    On Ctrl-C it keeps what it has, unless it is just moving the images, and reports as progress where it will go on.

    Args:
        loss: ``(images, k) -> ImageLoss`` of step k, from 0. What it draws comes from streams named by k. After the
            last step it is called once more, with k = *steps*, for the losses at the end.
        start: the images at the beginning, values in [0, 1] as a rule.
        optimizer: Adam over the batch, or L-BFGS for each image.
        rate: ``(k, steps) -> learning rate``.
        steps: how many updates.
        context: takes curves (``loss`` and the parts shown, means over the batch), the image as it is, checkpoints.
        project: applied to the images after each update: ``lambda x: x.clamp_(0, 1)``.
        points: how many points the curves get.
        snapshots: how many times the images are kept, start and end among them; they lie closer at the beginning.

    Raises:
        Diverged: where an image's loss is not finite.
    """
    state = _State.begin(start, optimizer)
    kept: list[NDArray[np.uint8]] = []
    done = _resume(context, state, kept)
    marks = {math.ceil(steps * (i + 1) / points) for i in range(points)}
    times = sorted({round(steps * (i / (snapshots - 1)) ** 2) for i in range(snapshots)}) if snapshots > 1 else [steps]
    if done == 0 and 0 in times:
        kept.append(to_pictures(state.images()))
    saved = shown = time.monotonic()
    whole, safe = True, done  # whether the state is one between two steps; the step from which another call would go on
    try:
        for step in range(done, steps):
            found = state.look(loss, step)
            whole = False
            state.move(found, rate(step, steps))
            if project is not None:
                state.project(project)
            done = step + 1
            if done in times:
                kept.append(to_pictures(state.images()))
            if done in marks:
                _point(context, found, done)
            whole = True
            now = time.monotonic()
            if now - shown >= SHOW_SECONDS or done == steps:
                context.progress(done, steps)
                context.picture("image", to_pictures(state.images()[:1])[0])
                shown = now
            if now - saved >= CHECKPOINT_SECONDS and done < steps and context.scratch is not None:
                context.save_checkpoint(state.pack(done, kept))
                saved, safe = time.monotonic(), done
    except KeyboardInterrupt:
        with contextlib.suppress(Exception):  # a full disk, say: what counts is that it was interrupted
            if whole and done > safe and context.scratch is not None:
                context.save_checkpoint(state.pack(done, kept))
                safe = done
            context.progress(safe, steps)
        raise
    images = state.images().detach()
    with torch.no_grad():
        losses = loss(images, steps).objective.detach().cpu().double().numpy()
    if not np.isfinite(losses).all():
        raise Diverged("the loss of an image is not finite", step=steps)
    return Optimised(images, losses, np.stack(kept), tuple(times))


def _point(context: Context, found: ImageLoss, done: int) -> None:
    """Add a point to the curves."""
    values = {"loss": found.objective, **found.shown}
    means = {name: float(value.detach().float().cpu().double().mean()) for name, value in values.items()}
    if not math.isfinite(means["loss"]):
        raise Diverged(f"the loss became {means['loss']}", step=done)
    context.scalars(done, **means)


@dataclass(frozen=True, eq=False)
class _State:
    """The images as leaves of the graph, and what moves them: one optimiser for the batch, or one for each image."""

    leaves: list[nn.Parameter]
    optimizers: list[torch.optim.Optimizer]
    longest: float = 0.0

    @classmethod
    def begin(cls, start: Tensor, optimizer: ImageOptimizer) -> _State:
        start = start.detach().clone(memory_format=torch.contiguous_format)
        if isinstance(optimizer, LBFGS):
            leaves = [nn.Parameter(image.clone()) for image in torch.split(start, 1)]
            return cls(leaves, [optimizer.build(leaf) for leaf in leaves], optimizer.longest)
        leaves = [nn.Parameter(start)]
        return cls(leaves, [optimizer.build(leaves, rate=0.0)])

    def images(self) -> Tensor:
        return self.leaves[0] if len(self.leaves) == 1 else torch.cat(list(self.leaves))

    def look(self, loss: Callable[[Tensor, int], ImageLoss], step: int) -> ImageLoss:
        """Return the loss of *step*, and leave its gradients with the leaves, which stay as they are."""
        for leaf in self.leaves:
            leaf.grad = None
        found = loss(self.images(), step)
        found.objective.sum().backward()  # type: ignore[no-untyped-call]
        return found

    def move(self, found: ImageLoss, rate: float) -> None:
        """Move the leaves along the gradients that :meth:`look` has left."""
        values = found.objective.detach()
        for index, optimizer in enumerate(self.optimizers):
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step(partial(values.__getitem__, index))  # type: ignore[arg-type]  # torch takes what is a number
        if self.longest:
            self.shorten()

    @torch.no_grad()
    def shorten(self) -> None:
        """Take back what a step of L-BFGS goes beyond the longest, and tell it, as :meth:`project` does."""
        for leaf, optimizer in zip(self.leaves, self.optimizers, strict=True):
            state = optimizer.state[leaf]
            if "d" not in state:  # the gradient was 0 from the start
                continue
            step = state["t"] * state["d"]
            kept = (self.longest / step.square().mean().sqrt().clamp_min(1e-30)).clamp(max=1.0)
            leaf.sub_(((1 - kept) * step).view_as(leaf))
            state["d"] = state["d"] * kept

    @torch.no_grad()
    def project(self, project: Callable[[Tensor], Tensor]) -> None:
        """Project the images; L-BFGS is told how far they have really moved, or its curvature would be of another step.

        torch's L-BFGS takes the last step as ``t d``, so ``d`` becomes what divided by ``t`` gives the step there was.
        """
        for index, leaf in enumerate(self.leaves):
            before = leaf.clone()
            leaf.copy_(project(leaf.detach().clone()))
            state = self.optimizers[min(index, len(self.optimizers) - 1)].state.get(leaf, {})
            if "d" in state and state["t"]:
                state["d"] = state["d"] + ((leaf - before) / state["t"]).flatten()

    def pack(self, done: int, kept: Iterable[NDArray[np.uint8]]) -> bytes:
        tensors = {f"image/{index}": leaf.detach() for index, leaf in enumerate(self.leaves)}
        tensors |= {f"kept/{index}": torch.from_numpy(pictures) for index, pictures in enumerate(kept)}
        numbers: dict[str, float | int] = {"done": done}
        for index, (optimizer, leaf) in enumerate(zip(self.optimizers, self.leaves, strict=True)):
            for name, value in optimizer.state.get(leaf, {}).items():
                key = f"state/{index}/{name}"
                if isinstance(value, Tensor):
                    tensors[key] = value
                elif isinstance(value, list) and name != "al":  # which L-BFGS fills anew in each step
                    numbers[f"{key}/length"] = len(value)
                    tensors |= {f"{key}/{place}": part for place, part in enumerate(value)}
                elif isinstance(value, int | float):
                    numbers[key] = value
        packed = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
        packed["numbers"] = torch.frombuffer(bytearray(json.dumps(numbers).encode()), dtype=torch.uint8)
        return bytes(safetensors.torch.save(packed))

    @torch.no_grad()
    def unpack(self, data: bytes) -> tuple[int, list[NDArray[np.uint8]]]:
        tensors = safetensors.torch.load(data)
        numbers = json.loads(bytes(tensors.pop("numbers").numpy()).decode())
        for index, (optimizer, leaf) in enumerate(zip(self.optimizers, self.leaves, strict=True)):
            leaf.copy_(tensors[f"image/{index}"])
            prefix = f"state/{index}/"
            state: dict[str, Any] = {}
            for key, number in numbers.items():
                if key.startswith(prefix):
                    name = key.removeprefix(prefix)
                    if name.endswith("/length"):
                        name = name.removesuffix("/length")
                        state[name] = [tensors[f"{prefix}{name}/{place}"].to(leaf.device) for place in range(number)]
                    else:
                        state[name] = number
            for key, tensor in tensors.items():
                name = key.removeprefix(prefix)
                if key.startswith(prefix) and "/" not in name:
                    state[name] = tensor.to(leaf.device)
            if state:
                optimizer.state[leaf] = state
        count = sum(key.startswith("kept/") for key in tensors)
        return int(numbers["done"]), [tensors[f"kept/{place}"].numpy() for place in range(count)]


def _resume(context: Context, state: _State, kept: list[NDArray[np.uint8]]) -> int:
    data = context.load_checkpoint()
    if data is None:
        return 0
    try:
        done, before = state.unpack(data)
    except safetensors.SafetensorError:  # the disk has damaged it: what is lost is time
        return 0
    kept.extend(before)
    return done
