"""The two streams of a terminal: results on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def out() -> Console:
    """Return the console of standard output: results, and nothing else."""
    from rich.console import Console

    return Console(highlight=False)


def err() -> Console:
    """Return the console of standard error: progress, notes and errors."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def say(text: str) -> None:
    """Write *text* on standard error as it is, one line however narrow the terminal."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def one_line(message: str) -> str:
    """Return *message* without line breaks."""
    return " ".join(message.split())
