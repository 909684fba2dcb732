"""How long a set of trials will still take, from what has finished and how far the others have come."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Mapping
from dataclasses import dataclass

SETTLED = 2.0
"""Seconds that a running trial's pace must have been watched for before it counts: the first steps load and compile."""

SEEN = 0.02
"""The share of a trial that must have been watched before its pace counts."""


@dataclass
class _Running:
    began: float
    share: float | None = None
    """The share that is done; ``None`` before the first report."""
    mark: tuple[float, float] | None = None
    """When a share was first reported, and which: a resumed trial does not start at nothing."""


class Countdown:
    """Estimates the time left.

    A trial still to come takes as long as the finished ones of its experiment took, or else as the finished or running
    ones of all. The trials to come are dealt out to as many workers as have been seen at work at once.

    Args:
        clock: seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._waiting: dict[str, str] = {}
        self._experiments: dict[str, str] = {}
        self._now: dict[str, _Running] = {}
        self._took: dict[str, list[float]] = {}
        self._workers = 1

    def plan(self, trials: Mapping[str, str]) -> None:
        """Take *trials*, key -> experiment, as those to come; what was learned about experiments stays."""
        self._waiting = dict(trials)
        self._experiments.update(trials)
        self._now.clear()

    def start(self, key: str) -> None:
        """The trial begins."""
        self._waiting.pop(key, None)
        self._now.setdefault(key, _Running(self._clock()))
        self._workers = max(self._workers, len(self._now))

    def progress(self, key: str, share: float) -> None:
        """*share*, 0 to 1, of the trial is done."""
        self.start(key)
        running = self._now[key]
        running.share = min(1.0, max(0.0, share))
        if running.mark is None:
            running.mark = (self._clock(), running.share)

    def finish(self, key: str) -> None:
        """The trial ends."""
        self._waiting.pop(key, None)
        running = self._now.pop(key, None)
        if running is None:
            return
        took = self._clock() - running.began
        self._took.setdefault(self._experiments[key], []).append(took + self._skipped(running))

    def running(self) -> dict[str, float | None]:
        """Return the running trials with the share of each that is done, ``None`` where it has not said."""
        return {key: running.share for key, running in self._now.items()}

    def left(self) -> float | None:
        """Return the seconds left, or ``None`` as long as there is nothing to judge by."""
        paces = {key: pace for key in self._now if (pace := self._pace(key)) is not None}
        every = [took for list_ in self._took.values() for took in list_] or list(paces.values())
        if not every:
            return None
        usual = sum(every) / len(every)
        now = self._clock()
        remaining = []
        for key, running in self._now.items():
            whole = paces.get(key) or self._expect(key, usual)
            if key in paces and running.share is not None:
                remaining.append(whole * (1 - running.share))
            else:
                remaining.append(max(0.1 * whole, whole - (now - running.began)))
        # The waiting trials go, in their order, each to the worker that is free first.
        free = remaining + [0.0] * (self._workers - len(remaining))
        heapq.heapify(free)
        for key in self._waiting:
            heapq.heapreplace(free, free[0] + self._expect(key, usual))
        return max(free)

    def _skipped(self, running: _Running) -> float:
        """The seconds that an ended trial was spared because it went on from a checkpoint.

        Its first report then names a share that it cannot have done in the time since it began.
        """
        if running.mark is None or not 0 < running.mark[1] < 1:
            return 0.0
        since, share = running.mark
        would = (self._clock() - since) / (1 - share) * share
        return would if since - running.began < would / 2 else 0.0

    def _pace(self, key: str) -> float | None:
        """The seconds that the running trial *key* needs for the whole, at the pace seen so far."""
        running = self._now[key]
        if running.share is None or running.mark is None:
            return None
        since, share = running.mark
        seen, watched = running.share - share, self._clock() - since
        return watched / seen if seen >= SEEN and watched >= SETTLED else None

    def _expect(self, key: str, usual: float) -> float:
        took = self._took.get(self._experiments.get(key, ""))
        return sum(took) / len(took) if took else usual
