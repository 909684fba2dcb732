"""The training loop: steps, learning curves, divergence, and checkpoints from which a run goes on bit for bit."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from paribus.spec.context import Context, Diverged
from paribus.train.checkpoint import pack, unpack

CHECKPOINT_SECONDS = 2.0
"""How often a state is kept: what an interruption costs at most. It has no bearing on results."""
PROGRESS_SECONDS = 0.2


@dataclass(frozen=True)
class StepLoss:
    """What one step gives.

    Args:
        objective: what is minimised, a scalar with its graph.
        shown: what the learning curve shows, e.g. the objective without penalties.
    """

    objective: Tensor
    shown: Tensor


def fit(
    loss: Callable[[int], StepLoss],
    *,
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    rate: Callable[[int, int], float],
    steps: int,
    context: Context,
    points: int = 30,
    measure: Callable[[], Mapping[str, float]] | None = None,
    measurements: int = 5,
    limit: float = math.inf,
) -> None:
    """Train *model* for *steps* steps; a run that was interrupted goes on from its last checkpoint.

    On Ctrl-C it reports as progress where it will go on.

    Args:
        loss: gives the loss of step k (from 0). All that it draws must come from streams named by k, since after an
            interruption it is called from the middle on.
        model: what a checkpoint holds beside the optimiser's state.
        optimizer: over the model's parameters.
        rate: ``(step, steps) -> learning rate``.
        steps: how many updates.
        context: takes the learning curves and checkpoints.
        points: how many points the curves get: ``train_loss``, the mean since the last point, and ``learning_rate``.
        measure: values to add to the curves, measured on the model as it is.
        measurements: how many of the points have them; the last is one.
        limit: the largest mean loss between two points that still counts as training.

    Raises:
        Diverged: where the loss of a step is not finite, or the mean loss between two points above *limit*.
    """
    start, pending = _resume(context, model, optimizer)
    at = sorted({math.ceil(steps * (i + 1) / points) for i in range(points)})
    measured_at = (
        {at[math.ceil(len(at) * (i + 1) / measurements) - 1] for i in range(measurements)} if measure else set()
    )
    marks = set(at)
    saved = told = time.monotonic()
    safe = start  # the step from which another call would go on
    try:
        for step in range(start, steps):
            learning_rate = rate(step, steps)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate
            found = loss(step)
            optimizer.zero_grad(set_to_none=True)
            found.objective.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            pending.append(torch.stack([found.objective.detach().float(), found.shown.detach().float()]))
            done = step + 1
            if done in marks:
                shown = _mean_shown(pending, done)
                pending.clear()
                if shown > limit:
                    raise Diverged(f"the training loss rose to {shown:.3g}, beyond {limit:g}", step=done)
                extra = measure() if measure is not None and done in measured_at else {}
                context.scalars(done, train_loss=shown, learning_rate=learning_rate, **extra)
            now = time.monotonic()
            if now - told >= PROGRESS_SECONDS or done == steps:
                context.progress(done, steps)
                told = now
            if now - saved >= CHECKPOINT_SECONDS and done < steps and context.scratch is not None:
                rest = {"pending": torch.stack(pending)} if pending else {}
                context.save_checkpoint(pack(done, model, optimizer, rest))
                saved, safe = time.monotonic(), done
    except KeyboardInterrupt:
        with contextlib.suppress(Exception):  # whoever listens may be gone: what counts is that it was interrupted
            context.progress(safe, steps)
        raise


def _resume(context: Context, model: nn.Module, optimizer: torch.optim.Optimizer) -> tuple[int, list[Tensor]]:
    data = context.load_checkpoint()
    if data is None:
        return 0, []
    step, extra = unpack(data, model, optimizer)
    device = next(model.parameters()).device
    return step, [row.to(device) for row in extra["pending"]] if "pending" in extra else []


def _mean_shown(pending: list[Tensor], done: int) -> float:
    """Return the mean of the shown losses; they are looked at only here, so that a GPU need not wait each step."""
    table = torch.stack(pending).cpu()
    bad = torch.nonzero(~torch.isfinite(table).all(dim=1)).flatten()
    if len(bad):
        step = done - len(pending) + int(bad[0])
        value = float(table[int(bad[0]), 0])
        raise Diverged(f"the training loss became {value}", step=step)
    return float(table[:, 1].double().mean())
