"""The two streams of a terminal: results on standard output, everything else on standard error."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def out() -> Console:
    """Return the console of standard output: results, and nothing else."""
    from rich.console import Console

    class Results(Console):
        def on_broken_pipe(self) -> None:
            raise  # the error itself, not the exit with 1 that rich makes of it: the reader has what it wanted

    return Results(highlight=False)


def err() -> Console:
    """Return the console of standard error: progress, notes and errors; where nobody reads them, work goes on."""
    from rich.console import Console

    class Progress(Console):
        def on_broken_pipe(self) -> None:
            _unread()

    return Progress(stderr=True, highlight=False)


def say(text: str) -> None:
    """Write *text* on standard error as it is, one line however narrow the terminal."""
    try:
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
    except BrokenPipeError:
        _unread()


def _unread() -> None:
    """Send what else goes to standard error nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def one_line(message: str) -> str:
    """Return *message* without line breaks."""
    return " ".join(message.split())
