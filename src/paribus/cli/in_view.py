"""A job of a verb on a user's own files, in view: how far it is, and what its ends that are no results say."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paribus.cli.going_on import going_on
from paribus.errors import RunError
from paribus.report.watch import Watch
from paribus.spec.context import Context, Diverged


@contextmanager
def in_view(
    title: str, *, seed: int, device: str = "cpu", scratch: Path | None = None, remedy: str = ""
) -> Iterator[Context]:
    """Give the context of a job, and show what it hears until the job is done.

    Args:
        title: what is going on, in a few words.
        seed: of the random streams.
        device: where it computes.
        scratch: where it keeps what it has, for the same command to go on from; None where it keeps nothing. After a
            divergence nothing of it is left.
        remedy: what may help against a divergence, with what joins it to the sentence before.

    Raises:
        RunError: the job has diverged.
        typer.Exit: with 130, after Ctrl-C.
    """
    watch = Watch(title)
    with going_on(watch, kept=scratch is not None), watch:
        try:
            yield Context(seed=seed, device=device, scratch=scratch, emit=watch)
        except Diverged as error:
            if scratch is not None:
                shutil.rmtree(scratch, ignore_errors=True)
            raise RunError(f"{title}: it diverged ({error.reason}){remedy}") from None
