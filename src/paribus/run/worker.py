"""What runs inside a trial's own process: read one request, execute it, send every report up the pipe.

The worker never touches the store. Where its conductor dies, by ``kill -9`` even, the pipe closes and the worker ends
at once; its last checkpoint is what the next run goes on from.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from paribus.errors import ParibusError, RunError
from paribus.run.execute import execute
from paribus.spec import registry
from paribus.spec.context import Report
from paribus.spec.source import own_digest
from paribus.spec.trial import Conditions, Event, Finished, Started, Trial


@dataclass(frozen=True)
class Request:
    """A trial in plain words: enough for another process to build it."""

    key: str
    name: str
    seed: int
    conditions: Conditions
    scratch: Path
    folder: Path


def work(pipe: Connection, request: Request) -> None:
    """Execute *request*, sending :class:`Event` values through *pipe*; the last one holds ``Finished``."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the conductor decides what ends
    os.dup2(2, 1)  # what a lab prints is no result: standard output belongs to the verdicts
    threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
    os.chdir(request.folder)
    use_threads(request.conditions.threads)  # before the lab's file is imported, and what it brings
    try:
        trial = Trial(registry.experiment(request.name), request.seed, request.conditions)
        _refuse_other(trial, request.key)
    except ParibusError as error:
        _send(pipe, Event("", Finished("failed", message=str(error))))
        return
    _send(pipe, Event(trial.key, Started(os.getpid())))

    def emit(report: Report) -> None:
        _send(pipe, Event(trial.key, report))

    _send(pipe, Event(trial.key, execute(trial, request.scratch, emit)))
    pipe.close()


def _send(pipe: Connection, event: Event) -> None:
    try:
        pipe.send(event)
    except OSError:  # the conductor is gone
        os._exit(3)


def _refuse_other(trial: Trial, key: str) -> None:
    """Refuse a trial whose lab or data has been edited since the study began: its result would belong to neither."""
    lab = trial.experiment.lab
    if not trial.conditions.code.startswith(own_digest(lab)):
        raise RunError(f"{lab.name} was edited while the study ran; start again, with the new code")
    if trial.key != key:
        raise RunError(f"{trial.experiment.name} means something else than when the study began: start again")


def _end_with(pipe: Connection) -> None:
    """Wait for the other end of *pipe* to close, then end this process."""
    try:
        pipe.recv()
    except (EOFError, OSError):
        os._exit(3)


def use_threads(count: int) -> None:
    """Compute with *count* threads: in what is imported from now on, and in torch where the fork server has it."""
    os.environ.update(dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), str(count)))
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(count)
