"""A job of a verb on a user's own files, in view: how far it is, and what its ends that are no results say."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from paribus.cli.terminal import say
from paribus.errors import RunError
from paribus.report.watch import Watch
from paribus.spec.context import Context, Diverged


@contextmanager
def in_view(title: str, *, seed: int, scratch: Path, device: str = "cpu", remedy: str = "") -> Iterator[Context]:
    """Give the context of a job, and show what it hears until the job is done.

    On Ctrl-C it says from which step the same command goes on, by what it was told last.

    Args:
        title: what is going on, in a few words.
        seed: of the random streams.
        scratch: where it keeps what it has, for the same command to go on from. After a divergence nothing of it is
            left.
        device: where it computes.
        remedy: what may help against a divergence, with what joins it to the sentence before.

    Raises:
        RunError: the job has diverged.
        typer.Exit: with 130, after Ctrl-C.
    """
    watch = Watch(title)
    try:
        with watch:
            yield Context(seed=seed, device=device, scratch=scratch, emit=watch)
    except KeyboardInterrupt:
        done = watch.progress.done if watch.progress is not None else 0
        say(f"stopped; the same command goes on from step {done}" if done else "stopped; nothing was kept yet")
        raise typer.Exit(130) from None
    except Diverged as error:
        shutil.rmtree(scratch, ignore_errors=True)
        raise RunError(f"{title}: it diverged ({error.reason}){remedy}") from None
