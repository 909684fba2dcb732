"""A study while it runs: what each worker does, how far the whole has come, how long it will take, what came out."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType

import numpy as np
from numpy.typing import NDArray
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from paribus.report.blocks import can_show, side_by_side
from paribus.report.countdown import Countdown
from paribus.report.unit import Unit, counted, duration
from paribus.spec.context import Picture, Progress
from paribus.spec.trial import Event, Finished, Started, Trial, reason

LAST = 5
"""How many results a terminal shows below the running trials."""

SHOWN = 16
"""How many running trials a terminal shows at most."""

_SYMBOLS = {"completed": ("✓", "green"), "diverged": ("∞", "magenta"), "failed": ("✗", "red")}


class LiveView:
    """Shows a study's progress: a picture that refreshes itself in a terminal, a line for each result elsewhere.

    Args:
        console: where to show it; standard error by default, so that standard output stays for results.
        metric: which final metric to show of a finished trial; all of them (up to three) where none is given.
        clock: seconds that only go forward.
    """

    def __init__(
        self, console: Console | None = None, *, metric: str | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console or Console(stderr=True)
        self._metric = metric
        self._clock = clock
        self._countdown = Countdown(clock)
        self._names: dict[str, str] = {}
        self._done = 0
        self._total = 0
        self._results: deque[Text] = deque(maxlen=LAST)
        self._doing: dict[str, str] = {}
        self._pictures: dict[str, NDArray[np.uint8]] = {}
        self._elsewhere: dict[str, str] = {}
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._began = clock()

    def __enter__(self) -> LiveView:
        self._began = self._clock()
        if self._console.is_terminal:
            self._live = Live(console=self._console, get_renderable=self._picture, refresh_per_second=4, transient=True)
            self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.__exit__(kind, error, trace)
            self._live = None

    def planned(self, trials: Sequence[Trial], done: int) -> None:
        """Hear of the *trials* that are about to run, beside *done* that were there already; may come again."""
        with self._lock:
            self._names = {trial.key: f"{trial.experiment.name}  seed {trial.seed}" for trial in trials}
            self._done, self._total = done, done + len(trials)
            self._doing.clear()
            self._pictures.clear()
            self._elsewhere = {}
            self._countdown.plan({trial.key: trial.experiment.name for trial in trials})
        if trials and self._live is None:
            already = f", {done} done already" if done else ""
            self._console.print(Text(f"{counted(len(trials), 'trial')} to run{already}"), soft_wrap=True)

    def waiting(self, conductors: Mapping[str, str]) -> None:
        """Hear that all trials that are left are run by others: by whom, in words, for each trial's key."""
        with self._lock:
            known = set(self._elsewhere.values())
            self._elsewhere = dict(conductors)
            new = set(conductors.values()) - known
        if new and self._live is None:
            self._console.print(_waiting(self._elsewhere), soft_wrap=True)

    def event(self, event: Event) -> None:
        """Hear of something that happened to a trial."""
        if event.key not in self._names:
            return
        with self._lock:
            line = self._take(event)
        if line is not None and self._live is None:
            self._console.print(line, soft_wrap=True)

    def _take(self, event: Event) -> Text | None:
        match event.what:
            case Started():
                self._elsewhere = {}
                self._countdown.start(event.key)
            case Progress(done=done, total=total, doing=doing) if total > 0:
                self._countdown.progress(event.key, done / total)
                self._doing[event.key] = doing
            case Picture(pixels=pixels):
                self._pictures[event.key] = pixels
            case Finished() as finished:
                self._countdown.finish(event.key)
                self._doing.pop(event.key, None)
                self._pictures.pop(event.key, None)
                self._elsewhere.pop(event.key, None)
                self._done += 1
                line = self._result(event.key, finished)
                self._results.append(line)
                left = self._left()
                return Text.assemble(f"[{self._done}/{self._total}] ", line, f"  {left}" if left else "")
        return None

    def _result(self, key: str, finished: Finished) -> Text:
        symbol, style = _SYMBOLS[finished.outcome]
        text = Text.assemble((symbol, style), " ", self._names[key], "  ")
        if finished.outcome == "completed":
            text.append(self._scores(finished.metrics))
        else:
            why = reason(finished.message)
            text.append(f"{finished.outcome}: {why}" if why else finished.outcome, style)
        text.append(f"  {duration(finished.seconds)}", "dim")
        return text

    def _scores(self, metrics: Mapping[str, float]) -> str:
        if self._metric is not None and self._metric in metrics:
            metrics = {self._metric: metrics[self._metric]}
        parts = []
        for name, value in list(metrics.items())[:3]:
            unit = Unit.of(name, [value])
            parts.append(f"{name} {unit.show(value)}{' %' if unit.symbol else ''}")
        return ", ".join(parts)

    def _left(self) -> str:
        seconds = self._countdown.left()
        return "" if seconds is None or self._done >= self._total else f"about {duration(seconds)} left"

    def _picture(self) -> RenderableType:
        with self._lock:
            trials = Table.grid(padding=(0, 1), expand=True)
            trials.add_column(overflow="ellipsis", no_wrap=True, ratio=3)
            trials.add_column(ratio=2, min_width=10)
            trials.add_column(justify="right", no_wrap=True, min_width=5)
            shares = self._countdown.running()
            for key, share in list(shares.items())[:SHOWN]:
                bar = ProgressBar(total=1.0, completed=share or 0.0, pulse=share is None, animation_time=self._clock())
                trials.add_row(Text(self._names.get(key, key)), bar, Text("" if share is None else f"{share:.0%}"))
                if doing := self._doing.get(key):
                    trials.add_row(Text(f"  {doing}", "dim"), "", "")
            if len(shares) > SHOWN:
                trials.add_row(Text(f"and {len(shares) - SHOWN} more", "dim"), "", "")
            whole = Table.grid(padding=(0, 1), expand=True)
            whole.add_column(no_wrap=True)
            whole.add_column(ratio=1, min_width=10)
            whole.add_column(justify="right", no_wrap=True)
            part = (self._done + sum(share or 0.0 for share in shares.values())) / max(1, self._total)
            left = self._left() or ("working out the time left" if self._total > self._done else "")
            whole.add_row(
                Text(f"{self._done} of {counted(self._total, 'trial')}" if self._total else "getting ready", "bold"),
                ProgressBar(total=1.0, completed=part),
                Text(f"{duration(self._clock() - self._began)} gone{', ' if left else ''}{left}"),
            )
            results = [_one_line(line) for line in self._results]
            elsewhere = [_one_line(_waiting(self._elsewhere))] if self._elsewhere else []
            images = self._images(self._console.height - len(results) - trials.row_count - len(elsewhere) - 2)
            return Group(*results, *([images] if images is not None else []), trials, *elsewhere, whole)

    def _images(self, room: int) -> RenderableType | None:
        """What running trials show of the image that they optimise, in *room* lines, where a terminal can."""
        if not (self._pictures and can_show(self._console)):
            return None
        named = {self._names.get(key, key): pixels for key, pixels in self._pictures.items()}
        return side_by_side(named, width=self._console.width, height=min(room, 17))


def _waiting(conductors: Mapping[str, str]) -> Text:
    """The line that tells whose trials are waited for."""
    whose = ", ".join(sorted(set(conductors.values())))
    return Text(f"waiting for {counted(len(conductors), 'trial')} of {whose}", "dim")


def _one_line(text: Text) -> Text:
    line = text.copy()
    line.no_wrap, line.overflow = True, "ellipsis"
    return line
