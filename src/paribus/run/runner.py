"""What a runner is: it takes trials and gives back what happened to them, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Protocol

from paribus.spec.trial import Event, Trial

Claim = Callable[[str], Path | None]
"""Asked for a trial by its key at the moment it could start: the trial's own folder, or ``None`` to leave it out."""


class Runner(Protocol):
    """Runs trials somewhere: in this process, in processes beside it, on a cluster."""

    @property
    def device(self) -> str:
        """Where the trials' tensors live."""

    @property
    def threads(self) -> int:
        """How many threads each trial computes with."""

    def run(self, trials: Sequence[Trial], claim: Claim) -> Generator[Event]:
        """Run those of *trials* that *claim* gives, and yield events; each of these trials ends in ``Finished``.

        Closing the iterator stops whatever still runs; nothing of it goes on afterwards.
        """
