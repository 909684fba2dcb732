"""What a runner is: it takes trials and gives back what happened to them, in the order in which it happened."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Protocol

from paribus.spec.trial import Event, Trial


class Runner(Protocol):
    """Runs trials somewhere: in this process, in processes beside it, on a cluster."""

    @property
    def device(self) -> str:
        """Where the trials' tensors live."""

    @property
    def threads(self) -> int:
        """How many threads each trial computes with."""

    def run(self, trials: Sequence[Trial], scratch: Callable[[str], Path]) -> Generator[Event]:
        """Run *trials*, each with the folder ``scratch(trial.key)``, and yield events; each trial ends in ``Finished``.

        Closing the iterator stops whatever still runs; nothing of it goes on afterwards.
        """
