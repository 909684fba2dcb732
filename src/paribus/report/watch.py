"""One optimisation while it runs, for a command that waits for it: how far, how long yet, the loss, the image."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
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
from paribus.report.unit import duration
from paribus.spec.context import Picture, Progress, Report, Scalars

LINE_SECONDS = 10.0
"""How often there is a line where there is no terminal."""
SHOWN = 3
"""How many values of a curve are shown."""


class Watch:
    """Shows what a context reports; it is what the context emits to.

    >>> from paribus.spec.context import Context
    >>> with Watch("inverting conv3_1") as watch:  # doctest: +SKIP
    ...     optimise(loss, start, steps=200, context=Context(seed=0, emit=watch))

    In a terminal it is a picture that refreshes itself and is gone afterwards, with the image where the terminal has
    true colours. Elsewhere it is a plain line now and then and one at the end.

    Args:
        title: what is going on, in a few words.
        console: where to show it; standard error by default, so that standard output stays for results.
        clock: seconds that only go forward.
    """

    def __init__(
        self, title: str, console: Console | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._title = title
        self._console = console or Console(stderr=True, highlight=False)
        self._clock = clock
        self._countdown = Countdown(clock)
        self._progress: Progress | None = None
        self._values: dict[str, float] = {}
        self._pictures: dict[str, NDArray[np.uint8]] = {}
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._began = self._said = clock()

    def __enter__(self) -> Watch:
        self._began = self._said = self._clock()
        self._countdown.plan({"": ""})
        self._countdown.start("")
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
        elif kind is None:
            self._say(f"done in {duration(self._clock() - self._began)}")

    def __call__(self, report: Report) -> None:
        """Take a report of the context."""
        with self._lock:
            match report:
                case Progress(done=done, total=total) if total > 0:
                    self._progress = report
                    self._countdown.progress("", done / total)
                case Scalars(values=values):
                    self._values = dict(values)
                case Picture(name=name, pixels=pixels):
                    self._pictures[name] = pixels
        if self._live is None and self._clock() - self._said >= LINE_SECONDS:
            self._said = self._clock()
            self._say(self._left())

    @property
    def progress(self) -> Progress | None:
        """How far it has come by what was reported last; ``None`` where nothing was."""
        return self._progress

    def _say(self, last: str) -> None:
        parts = [part for part in (self._steps(), self._doing(), self._losses(), last) if part]
        self._console.print(Text(f"{self._title}: {', '.join(parts)}"), soft_wrap=True)

    def _steps(self) -> str:
        return "" if self._progress is None else f"step {self._progress.done} of {self._progress.total}"

    def _doing(self) -> str:
        return "" if self._progress is None else self._progress.doing

    def _losses(self) -> str:
        return ", ".join(f"{name} {value:.4g}" for name, value in list(self._values.items())[:SHOWN])

    def _left(self) -> str:
        seconds = self._countdown.left()
        return "" if seconds is None else f"about {duration(seconds)} left"

    def _picture(self) -> RenderableType:
        with self._lock:
            done, total = (self._progress.done, self._progress.total) if self._progress else (0, 0)
            bar = Table.grid(padding=(0, 1), expand=True)
            bar.add_column(no_wrap=True)
            bar.add_column(ratio=1, min_width=10)
            bar.add_column(justify="right", no_wrap=True)
            bar.add_row(
                Text(self._steps() or "getting ready"),
                ProgressBar(total=total or 1, completed=done, pulse=not total, animation_time=self._clock()),
                Text(f"{duration(self._clock() - self._began)} gone{', ' if self._left() else ''}{self._left()}"),
            )
            told = ", ".join(part for part in (self._doing(), self._losses()) if part)
            lines: list[RenderableType] = [_one_line(self._title, "bold"), _one_line(told), bar]
            if self._pictures and can_show(self._console):
                room = self._console.height - len(lines) - 1
                shown = side_by_side(self._pictures, width=self._console.width, height=min(room, 17))
                if shown is not None:
                    lines.insert(1, shown)
            return Group(*lines)


def _one_line(text: str, style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")
