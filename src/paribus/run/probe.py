"""Does a lab's function keep the rules of a controlled experiment? Three short runs of it tell.

It must give the same for the same seed, something else for another seed, finite numbers, and leave the global random
state alone: whoever draws from that shares it with everything else in the process, and no pairing holds.
"""

from __future__ import annotations

import importlib
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from paribus.errors import ParibusError, suggest
from paribus.run.execute import execute
from paribus.run.worker import use_threads
from paribus.spec import registry
from paribus.spec.context import Progress, Report, Scalars
from paribus.spec.experiment import Experiment
from paribus.spec.finding import Finding
from paribus.spec.trial import Conditions, Outcome, Trial, reason

PATIENCE = 20.0
"""Seconds after which a run is stopped at its next report; what it has measured by then is compared."""


def probe(
    experiment: Experiment, *, seed: int = 0, device: str = "cpu", patience: float = PATIENCE
) -> Iterator[Finding]:
    """Run *experiment* twice with *seed* and once with the next, in this process, and yield what that shows.

    Between the runs the global generators of Python, NumPy and torch are moved on, so a function that draws from one
    cannot repeat by luck; they are put back in the end. A run that has reported numbers is stopped after *patience*
    seconds, the later ones at the same point of their curves.
    """
    settle(experiment)
    states = {name: read() for name, (read, _, _) in _generators().items()}
    try:
        first = _run(experiment, seed, device, patience=patience)
        yield _finishes(first)
        if first.outcome == "failed":
            return
        yield from _measures(experiment, first)
        for _, _, move in _generators().values():
            move()
        before = {name: read() for name, (read, _, _) in _generators().items()}
        second = _run(experiment, seed, device, stop_at=first.stopped_at)
        touched = [name for name, (read, _, _) in _generators().items() if name in before and read() != before[name]]
        yield _global_state(touched)
        yield _repeats(first, second)
        yield _seed_counts(first, _run(experiment, seed + 1, device, stop_at=first.stopped_at))
    finally:
        for name, (_, put_back, _) in _generators().items():
            if name in states:
                put_back(states[name])


def settle(experiment: Experiment) -> None:
    """Make this process compute as a trial's own would: its modules loaded, one thread."""
    for module in experiment.lab.warm:
        importlib.import_module(module)
    use_threads(1)


@dataclass(frozen=True)
class _Run:
    """How a run went: its numbers are its final metrics, or what it had measured when it was stopped."""

    outcome: Outcome | None
    numbers: Mapping[str, float]
    seconds: float
    message: str = ""
    stopped_at: int | None = None
    """How many points of its curves it had reported when it was stopped."""
    progress: str = ""


class _Enough(BaseException):
    """Stops a run from within its report; no ``except Exception`` of the lab's holds it."""


@dataclass
class _Watch:
    """Listens to a run; stops it at point *stop_at* of its curves, or once *deadline* is past and there is a number."""

    stop_at: int | None
    deadline: float
    count: int = 0
    numbers: dict[str, float] = field(default_factory=dict)
    progress: str = ""

    def __call__(self, report: Report) -> None:
        self.count += isinstance(report, Scalars)  # the only reports whose number the clock has no part in
        if isinstance(report, Progress):
            self.progress = f" at step {report.done} of {report.total}"
        if isinstance(report, Scalars):
            self.numbers.update({f"{name} at step {report.step}": value for name, value in report.values.items()})
        late = self.stop_at is None and self.numbers and time.perf_counter() > self.deadline
        if late or self.count == self.stop_at:
            raise _Enough


def _run(
    experiment: Experiment, seed: int, device: str, *, patience: float = float("inf"), stop_at: int | None = None
) -> _Run:
    begun = time.perf_counter()
    watch = _Watch(stop_at, begun + patience)
    trial = Trial(experiment, seed, Conditions(device, 1, ""))
    with TemporaryDirectory() as scratch:
        try:
            ended = execute(trial, Path(scratch), watch)
        except _Enough:
            return _Run(None, watch.numbers, time.perf_counter() - begun, "", watch.count, watch.progress)
    return _Run(ended.outcome, ended.metrics, ended.seconds, ended.message)


def _finishes(run: _Run) -> Finding:
    if run.outcome == "failed":
        meaning = "The baseline must run before anything is compared."
        return Finding("finishes", "warning", f"failed: {reason(run.message)}", meaning)
    if run.outcome == "diverged":
        meaning = "Seeds that diverge have no score: lower the learning rate of the baseline, or find the cause."
        return Finding("finishes", "warning", f"diverged: {run.message}", meaning)
    if run.outcome is None:
        seen = f"stopped after {run.seconds:.0f} s{run.progress}"
        return Finding("finishes", "note", seen, "It is long, so what follows compares what it had measured by then.")
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in sorted(run.numbers.items())[:4])
    return Finding("finishes", "ok", f"{run.seconds:.1f} s: {metrics}", "It runs, and every metric is finite.")


def _measures(experiment: Experiment, run: _Run) -> Iterator[Finding]:
    """Yield a warning for each study on the baseline that looks at a metric which a whole run of it does not give."""
    if run.outcome != "completed":
        return
    lab = experiment.lab
    for study in lab.studies:
        try:
            config = registry.experiment(study.control).config
        except ParibusError:
            continue  # that is another finding
        if config not in (lab.baseline, experiment.config):
            continue  # another control may measure other things
        wanted = (study.metric, study.choose_by, *study.beside, *(one for own in study.judges.values() for one in own))
        for metric in dict.fromkeys(filter(None, wanted)):
            if metric not in run.numbers:
                seen = f"{experiment.name} does not measure {metric!r}{suggest(metric, run.numbers)}"
                yield Finding(
                    f"study {study.name.rpartition('.')[2]}", "warning", seen, "It would be missed after hours."
                )


def _global_state(touched: list[str]) -> Finding:
    if touched:
        meaning = "Draw from context.streams instead: what is shared with the whole process cannot be paired by seed."
        return Finding("global random state", "warning", f"touched: {', '.join(touched)}", meaning)
    return Finding("global random state", "ok", "untouched", "All randomness comes from the trial's own streams.")


def _repeats(first: _Run, second: _Run) -> Finding:
    before, after = _decided(first), _decided(second)
    differ = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    if differ or first.outcome != second.outcome:
        name = differ[0] if differ else "outcome"
        seen = f"{name}: {before.get(name, first.outcome)!r}, then {after.get(name, second.outcome)!r}"
        meaning = "The same seed must give the same numbers: look for draws without a stream, threads, or the clock."
        return Finding("repeats to the bit", "warning", seen, meaning)
    if not before:
        return Finding("repeats to the bit", "ok", f"{first.outcome} both times", "It measured nothing to compare.")
    seen = f"{len(before)} number{'' if len(before) == 1 else 's'}"
    return Finding("repeats to the bit", "ok", seen, "The same seed gives the same numbers.")


def _seed_counts(first: _Run, other: _Run) -> Finding:
    if not _decided(first) and not _decided(other):
        seen = "not known" if first.outcome == other.outcome else f"{first.outcome}, with another seed {other.outcome}"
        return Finding("seed matters", "note", seen, "Without a number there is nothing to compare.")
    if _decided(first) == _decided(other) and first.outcome == other.outcome:
        meaning = "Several seeds are then one result counted several times: draw from context.streams."
        return Finding("seed matters", "warning", "another seed gives the same numbers", meaning)
    return Finding("seed matters", "ok", "another seed gives other numbers", "Seeds show how much luck there is.")


def _decided(run: _Run) -> dict[str, float]:
    """The numbers that a seed decides: not those that measure time."""
    return {name: value for name, value in run.numbers.items() if "second" not in name and "time" not in name}


_Generator = tuple[Callable[[], Any], Callable[[Any], None], Callable[[], Any]]


def _generators() -> dict[str, _Generator]:
    """The global generators of the libraries that are loaded: how to read one, put it back, and move it on."""
    found: dict[str, _Generator] = {"random": (random.getstate, random.setstate, random.random)}
    found["numpy.random"] = (_numpy_state, _set_numpy_state, np.random.random)
    torch = sys.modules.get("torch")
    if torch is not None:
        found["torch"] = (
            lambda: torch.get_rng_state().numpy().tobytes(),
            lambda state: torch.set_rng_state(torch.frombuffer(bytearray(state), dtype=torch.uint8)),
            lambda: torch.rand(()),
        )
    return found


def _numpy_state() -> tuple[Any, ...]:
    name, keys, *rest = np.random.get_state(legacy=True)
    return (name, np.asarray(keys).tobytes(), *rest)


def _set_numpy_state(state: tuple[Any, ...]) -> None:
    name, keys, *rest = state
    np.random.set_state((name, np.frombuffer(keys, dtype=np.uint32), *rest))
