"""Ctrl-C in a verb: one line that says where the same command will go on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from paribus.cli.terminal import say

if TYPE_CHECKING:
    from paribus.report.watch import Watch


@contextmanager
def going_on(watch: Watch, *, kept: bool = True) -> Iterator[None]:
    """Say on Ctrl-C from which step the same command goes on, by what *watch* was told last.

    Where nothing is *kept* it says that it starts anew.

    Raises:
        typer.Exit: with 130, after Ctrl-C.
    """
    try:
        yield
    except KeyboardInterrupt:
        done = watch.progress.done if watch.progress is not None else 0
        yet = "nothing was kept yet" if kept else "nothing is kept, and the same command starts anew"
        say(f"stopped; the same command goes on from step {done}" if done and kept else f"stopped; {yet}")
        raise typer.Exit(130) from None
