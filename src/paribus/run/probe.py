"""Does a lab's function keep the rules of a controlled experiment? Three short runs of it tell.

It must give the same for the same seed, something else for another seed, finite numbers, and leave the global random
state alone: whoever draws from that shares it with everything else in the process, and no pairing holds.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from paribus.run.execute import execute
from paribus.spec.context import Report
from paribus.spec.experiment import Experiment
from paribus.spec.finding import Finding
from paribus.spec.trial import Conditions, Finished, Trial


def probe(experiment: Experiment, *, seed: int = 0, device: str = "cpu") -> Iterator[Finding]:
    """Run *experiment* twice with *seed* and once with the next, in this process, and yield what that shows.

    Between the runs the global generators of Python, NumPy and torch are moved on, so a function that draws from one
    cannot repeat by luck; they are put back in the end.
    """
    states = {name: read() for name, (read, _, _) in _generators().items()}
    try:
        first = _run(experiment, seed, device)
        yield _finishes(first)
        if first.outcome == "failed":
            return
        for _, _, move in _generators().values():
            move()
        before = {name: read() for name, (read, _, _) in _generators().items()}
        second = _run(experiment, seed, device)
        touched = [name for name, (read, _, _) in _generators().items() if name in before and read() != before[name]]
        yield _global_state(touched)
        yield _repeats(first, second)
        yield _seed_counts(first, _run(experiment, seed + 1, device))
    finally:
        for name, (_, put_back, _) in _generators().items():
            if name in states:
                put_back(states[name])


def _run(experiment: Experiment, seed: int, device: str) -> Finished:
    with TemporaryDirectory() as scratch:
        return execute(Trial(experiment, seed, Conditions(device, 1, "")), Path(scratch), _drop)


def _drop(report: Report) -> None:
    """Keep nothing of *report*."""


def _finishes(run: Finished) -> Finding:
    if run.outcome == "failed":
        reason = run.message.strip().rpartition("\n")[2]
        return Finding("finishes", "warning", f"failed: {reason}", "The baseline must run before anything is compared.")
    if run.outcome == "diverged":
        meaning = "Seeds that diverge have no score: lower the learning rate of the baseline, or find the cause."
        return Finding("finishes", "warning", f"diverged: {run.message}", meaning)
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in sorted(run.metrics.items())[:4])
    return Finding("finishes", "ok", f"{run.seconds:.1f} s: {metrics}", "It runs, and every metric is finite.")


def _global_state(touched: list[str]) -> Finding:
    if touched:
        meaning = "Draw from context.streams instead: what is shared with the whole process cannot be paired by seed."
        return Finding("global random state", "warning", f"touched: {', '.join(touched)}", meaning)
    return Finding("global random state", "ok", "untouched", "All randomness comes from the trial's own streams.")


def _repeats(first: Finished, second: Finished) -> Finding:
    differ = sorted(
        name
        for name in first.metrics.keys() | second.metrics.keys()
        if first.metrics.get(name) != second.metrics.get(name) and not _is_time(name)
    )
    if differ or first.outcome != second.outcome:
        name = differ[0] if differ else "outcome"
        values = (first.metrics.get(name, first.outcome), second.metrics.get(name, second.outcome))
        meaning = "The same seed must give the same numbers: look for draws without a stream, threads, or the clock."
        return Finding("repeats to the bit", "warning", f"{name}: {values[0]!r}, then {values[1]!r}", meaning)
    return Finding("repeats to the bit", "ok", f"{len(first.metrics)} metrics", "The same seed gives the same numbers.")


def _seed_counts(first: Finished, other: Finished) -> Finding:
    if first.metrics == other.metrics and first.outcome == other.outcome:
        meaning = "Several seeds are then one result counted several times: draw from context.streams."
        return Finding("seed matters", "warning", "another seed gives the same numbers", meaning)
    return Finding("seed matters", "ok", "another seed gives other numbers", "Seeds show how much luck there is.")


def _is_time(name: str) -> bool:
    """Whether a metric measures time, which no seed decides."""
    return "seconds" in name or name.endswith("_time")


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
