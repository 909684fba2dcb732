"""One trial, here and now: the lab's function with its configuration and context, and the outcome in plain words."""

from __future__ import annotations

import math
import sysconfig
import time
import traceback
from collections.abc import Callable, Mapping
from numbers import Real
from pathlib import Path

from paribus.errors import ParibusError, RunError
from paribus.spec.context import Context, Diverged, Report
from paribus.spec.lab import Lab
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
        return Finished("diverged", seconds=time.perf_counter() - begun, message=_line(f"{reason.reason}{where}"))
    except ParibusError as error:
        return Finished("failed", seconds=time.perf_counter() - begun, message=_line(str(error)))
    except Exception as error:
        told = _line(f"{type(error).__name__}: {error}") + f" ({_place(error, trial.experiment.lab)})"
        message = f"{told}\n{traceback.format_exc()}"
        return Finished("failed", seconds=time.perf_counter() - begun, message=message)
    seconds = time.perf_counter() - begun
    wild = sorted(name for name, value in metrics.items() if not math.isfinite(value))
    if wild:
        finite = {name: value for name, value in metrics.items() if math.isfinite(value)}
        return Finished("diverged", finite, seconds, f"not finite: {', '.join(wild)}")
    return Finished("completed", metrics, seconds)


def _line(text: str) -> str:
    return " ".join(text.split())


def _place(error: Exception, lab: Lab) -> str:
    """Where *error* came up, ``file:line``: the last frame of the lab's or the user's own code, no library's."""
    frames = traceback.extract_tb(error.__traceback__)
    frame = next((frame for frame in reversed(frames) if _is_own(Path(frame.filename), lab)), frames[-1])
    path, here = Path(frame.filename), Path.cwd()
    return f"{path.relative_to(here) if path.is_relative_to(here) else path.name}:{frame.lineno}"


def _is_own(path: Path, lab: Lab) -> bool:
    if any(path.is_relative_to(source) for source in lab.source):
        return True
    libraries = [Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    others = (*libraries, Path(__file__).parents[1])
    return path.is_file() and not any(path.is_relative_to(folder) for folder in others)


def _checked(metrics: object) -> dict[str, float]:
    if not isinstance(metrics, Mapping) or not metrics:
        got = repr(metrics) if isinstance(metrics, Mapping) else f"a {type(metrics).__name__}"
        raise RunError(f"run() must return a dict of metrics, {{name: number}}, one or more; it returned {got}")
    checked = {}
    for name, value in metrics.items():
        item = getattr(value, "item", None)  # a NumPy scalar or a tensor of one element
        if getattr(value, "shape", None):
            raise RunError(f"run() must return {{name: number}}, but {name!r} has the shape {tuple(value.shape)}")
        number = item() if callable(item) else value
        if not isinstance(name, str) or not isinstance(number, Real):
            raise RunError(f"run() must return {{name: number}}, but {name!r} is {value!r}")
        try:
            checked[name] = float(number)
        except OverflowError:  # an integer that no float holds: as what is not finite
            checked[name] = math.inf
    return checked
