"""One trial, here and now: the lab's function with its configuration and context, and the outcome in plain words."""

from __future__ import annotations

import math
import time
import traceback
from collections.abc import Callable, Mapping
from numbers import Real
from pathlib import Path

from paribus.errors import ParibusError
from paribus.spec.context import Context, Diverged, Report
from paribus.spec.trial import Finished, Trial


def execute(trial: Trial, scratch: Path | None, emit: Callable[[Report], None]) -> Finished:
    """Run *trial* and return how it ended; whatever the lab raises becomes an outcome, never an exception.

    A metric that is not finite makes the trial ``diverged``: it is a finding, and the value stays out of every mean.
    """
    context = Context(seed=trial.seed, device=trial.conditions.device, scratch=scratch, emit=emit)
    begun = time.perf_counter()
    try:
        metrics = _checked(trial.experiment.lab.run(trial.experiment.config, context))
    except Diverged as reason:
        where = f" at step {reason.step}" if reason.step is not None else ""
        return Finished("diverged", seconds=time.perf_counter() - begun, message=f"{reason.reason}{where}")
    except ParibusError as error:
        return Finished("failed", seconds=time.perf_counter() - begun, message=str(error))
    except Exception:
        return Finished("failed", seconds=time.perf_counter() - begun, message=traceback.format_exc())
    seconds = time.perf_counter() - begun
    wild = sorted(name for name, value in metrics.items() if not math.isfinite(value))
    if wild:
        finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
        return Finished("diverged", finite, seconds, f"not finite: {', '.join(wild)}")
    return Finished("completed", metrics, seconds)


def _checked(metrics: object) -> dict[str, float]:
    if not isinstance(metrics, Mapping) or not metrics:
        raise TypeError(f"run() must return a non-empty dict of metrics, not {type(metrics).__name__}")
    checked = {}
    for name, value in metrics.items():
        item = getattr(value, "item", None)  # a NumPy scalar or a tensor of one element
        number = item() if callable(item) else value
        if not isinstance(name, str) or not isinstance(number, Real):
            raise TypeError(f"run() must return {{name: number}}, but {name!r} is {value!r}")
        checked[name] = float(number)
    return checked
