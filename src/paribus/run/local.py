"""Trials on this machine: each in a process of its own, several side by side; or all in this process.

Processes come from a fork server that has imported the lab's heavy modules once, so a trial starts in milliseconds,
and a trial that crashes, runs out of memory or is killed takes nothing with it.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess, SpawnProcess
from pathlib import Path
from types import ModuleType

import psutil

from paribus.run.execute import execute
from paribus.run.runner import Claim
from paribus.run.worker import Request, use_threads, work
from paribus.spec.context import Report
from paribus.spec.trial import Event, Finished, Started, Trial

_FORKS = "forkserver" in multiprocessing.get_all_start_methods()
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


@dataclass(frozen=True)
class LocalRunner:
    """Runs up to *workers* trials at once on this machine, each in a process of its own with *threads* threads."""

    workers: int = 0
    device: str = "cpu"
    threads: int = 1

    def run(self, trials: Sequence[Trial], claim: Claim) -> Generator[Event]:
        """Run in order those of *trials* that *claim* gives; closing the iterator ends the running ones."""
        waiting = deque(trials)
        workers = min(self.workers or self._default_workers(), max(1, len(waiting)))
        forks = multiprocessing.get_context("forkserver") if _FORKS else None
        context = forks or multiprocessing.get_context("spawn")
        if _FORKS:
            context.set_forkserver_preload(["paribus.run.worker", *_warm(trials)])
        running: dict[Connection, tuple[Trial, ForkServerProcess | SpawnProcess]] = {}
        try:
            while waiting or running:
                while waiting and len(running) < workers:
                    trial = waiting.popleft()
                    own = claim(trial.key)
                    if own is None:
                        continue
                    ours, theirs = context.Pipe(duplex=True)
                    request = Request(trial.key, trial.experiment.name, trial.seed, trial.conditions, own, Path.cwd())
                    process = context.Process(target=work, args=(theirs, request))
                    with _uninterrupted(), _threads_in_environment(self.threads), _without_main():
                        process.start()
                        theirs.close()
                        running[ours] = (trial, process)
                for pipe in wait(list(running)) if running else ():
                    assert isinstance(pipe, Connection)
                    trial, process = running[pipe]
                    event = _receive(pipe)
                    if event is None:
                        process.join()
                        event = Event(trial.key, Finished("failed", message=_how_it_ended(process.exitcode)))
                    if isinstance(event.what, Finished):
                        event = Event(trial.key, event.what)
                        del running[pipe]
                        pipe.close()
                    yield event
        finally:
            for pipe, (_, process) in running.items():
                process.terminate()
                pipe.close()
            for _, process in running.values():
                process.join(timeout=5)
                if process.is_alive():
                    process.kill()

    def _default_workers(self) -> int:
        """One trial a physical core; on an accelerator one at a time, which has its memory to itself."""
        if self.device != "cpu":
            return 1
        usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return max(1, min(usable, psutil.cpu_count(logical=False) or usable) // self.threads)


@dataclass(frozen=True)
class InProcessRunner:
    """Runs trials one after the other in this very process: for a debugger."""

    device: str = "cpu"
    threads: int = 1

    def run(self, trials: Sequence[Trial], claim: Claim) -> Generator[Event]:
        """Run in order those of *trials* that *claim* gives; a trial's events are given out when it has ended."""
        use_threads(self.threads)
        for trial in trials:
            own = claim(trial.key)
            if own is None:
                continue
            reports: list[Report] = []
            yield Event(trial.key, Started(os.getpid()))
            finished = execute(trial, own, reports.append)
            yield from (Event(trial.key, report) for report in reports)
            yield Event(trial.key, finished)


def _warm(trials: Sequence[Trial]) -> list[str]:
    """The modules that the labs of *trials* want imported once for all."""
    return list(dict.fromkeys(module for trial in trials for module in trial.experiment.lab.warm))


def _receive(pipe: Connection) -> Event | None:
    """The next event from *pipe*, or ``None`` where its process is gone."""
    try:
        event = pipe.recv()
    except (EOFError, OSError):
        return None
    assert isinstance(event, Event)
    return event


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = ": most likely the system ran out of memory" if name == "SIGKILL" else ""
        return f"the trial's process was ended by {name}{hint}"
    return f"the trial's process ended with exit code {code} before it had a result"


@contextlib.contextmanager
def _threads_in_environment(count: int) -> Iterator[None]:
    """Give processes started in this block *count* threads from their first import on."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(count)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Let Ctrl-C wait until the block is done: half a request would make the fork server complain.

    To block the signal is not enough, for another thread may take it and Python still interrupts the main one.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)
    if came:
        raise KeyboardInterrupt


@contextlib.contextmanager
def _without_main() -> Iterator[None]:
    """Keep processes started in this block from importing the user's script again.

    A worker builds its trial from names, so it needs nothing of the script; to import it would cost each trial the
    script's imports, and would run a script that has no ``if __name__ == "__main__"`` a second time.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
