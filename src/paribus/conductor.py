"""The trials that a study lacks: run here, several at once, or waited for where another conductor runs them.

Any number of conductors may be at work on one store, in this process and in others. Each claims a trial when it could
start it, so none runs twice; what one claimed and did not finish is free when it is gone.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from paribus.errors import RunError, UnknownName, suggest
from paribus.run.provenance import environment
from paribus.run.runner import Runner
from paribus.spec.name import BY_HAND
from paribus.spec.study import Study
from paribus.spec.trial import Event, Finished, Started, Trial
from paribus.store import Store, TrialRecord
from paribus.store.lock import in_words

_WRITE_EVERY = 0.5
"""Seconds that a point of a curve may wait for its transaction; a trial's start and end never do."""

_LOOK_EVERY = 1.0
"""Seconds between two looks at the store where all that is left is run by others."""


class Listener(Protocol):
    """Someone who watches a study run: the live view of the terminal, a dashboard."""

    def planned(self, trials: Sequence[Trial], done: int) -> None:
        """Hear of the *trials* that are about to run, beside *done* that the store has already."""

    def event(self, event: Event) -> None:
        """Hear of something that happened."""

    def waiting(self, conductors: Mapping[str, str]) -> None:
        """Hear that all trials that are left are run by others: by whom, in words, for each trial's key."""


class Silence:
    """The listener that does not listen."""

    def planned(self, trials: Sequence[Trial], done: int) -> None:
        """Do nothing."""

    def event(self, event: Event) -> None:
        """Do nothing."""

    def waiting(self, conductors: Mapping[str, str]) -> None:
        """Do nothing."""


@dataclass
class Conductor:
    """Sees to it that a store has the trials of *study*, under the *name* that it claims them by."""

    study: Study
    store: Store
    runner: Runner
    listener: Listener
    name: str
    ran: int = 0
    failed: dict[str, datetime | None] = field(default_factory=dict)
    """When the trials failed that this call tries again: each of them once."""
    tried: set[str] = field(default_factory=set)
    left: dict[str, Trial] = field(default_factory=dict)
    mine: set[str] = field(default_factory=set)
    """What this call has claimed and has not heard the end of."""
    environments: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    """Where trials run, by the digest of their code."""

    def complete(self, plan: Sequence[Trial]) -> None:
        """See to it that the store has every trial of *plan*."""
        self._look_for_missing(plan)
        self.listener.planned(list(self.left.values()), len(plan) - len(self.left))
        while self.left:
            elsewhere = self._elsewhere()
            free = [trial for key, trial in self.left.items() if key not in elsewhere]
            if free:
                self._run(free)
            else:
                self.listener.waiting(elsewhere)
                time.sleep(_LOOK_EVERY)
            if not self.left:
                self._look_for_missing(plan)  # another may try again what had failed
                if self.left:
                    self.listener.planned(list(self.left.values()), len(plan) - len(self.left))

    def _look_for_missing(self, plan: Sequence[Trial]) -> None:
        known = {record.key: record for record in self.store.trials(keys=[trial.key for trial in plan])}
        self.failed = {
            key: record.finished
            for key, record in known.items()
            if record.outcome == "failed" and key not in self.tried
        }
        self.left = {
            trial.key: trial for trial in plan if trial.key not in known or not self._has_ended(known[trial.key])
        }
        self.tried.update(self.left)

    def _run(self, trials: Sequence[Trial]) -> None:
        """Run those of *trials* that nobody else has claimed by the time that they could start."""
        waiting: list[Event] = []
        written = time.monotonic()
        with contextlib.closing(self.runner.run(trials, self._claim)) as events:
            try:
                for event in events:
                    waiting.append(event)
                    ended = isinstance(event.what, Finished)
                    turn = ended or isinstance(event.what, Started)
                    if turn or time.monotonic() - written > _WRITE_EVERY:
                        self.store.write(waiting)
                        waiting, written = [], time.monotonic()
                    if isinstance(event.what, Finished):
                        self.store.clear_scratch(event.key)
                        self._end(event.key, event.what)
                    self.listener.event(event)
            finally:
                self.store.write(waiting)
        if self.mine:
            raise RunError(f"{self.left[min(self.mine)].experiment.name}: its runner ended, and the trial had not")

    def _claim(self, key: str) -> Path | None:
        """Claim a trial and return its folder; of one that another has, hear how it ended, where it has."""
        trial, runner = self.left[key], self.runner
        code = trial.conditions.code
        if code not in self.environments:
            self.environments[code] = environment(device=runner.device, threads=runner.threads, code=code)
        if self.store.claim(trial, self.name, self.environments[code], failed=self.failed.get(key)):
            self.ran += 1
            self.mine.add(key)
            return self.store.scratch(key)
        self._take_note(key)
        return None

    def _elsewhere(self) -> dict[str, str]:
        """Return the trials left that others run, by key, with who does."""
        lives = cache(self.store.lives)
        return {
            record.key: in_words(record.conductor)
            for record in self.store.trials(keys=self.left)
            if record.outcome is None and record.conductor is not None and lives(record.conductor)
        }

    def _take_note(self, key: str) -> None:
        """Tell of a trial that has ended elsewhere, and wait for it no more."""
        for record in self.store.trials(keys=[key]):
            if record.outcome is not None and self._has_ended(record):
                ended = Finished(record.outcome, record.metrics, record.seconds or 0.0, record.message)
                self._end(record.key, ended)
                self.listener.event(Event(record.key, ended))

    def _has_ended(self, record: TrialRecord) -> bool:
        """Whether a trial has ended; one of the failures that are tried again has not."""
        again = record.outcome == "failed" and record.finished == self.failed.get(record.key)
        return record.outcome is not None and not again

    def _end(self, key: str, ended: Finished) -> None:
        self.mine.discard(key)
        refuse_metrics(self.left.pop(key).experiment.name, ended, self.study)


def refuse_metrics(name: str, ended: Finished | TrialRecord, study: Study) -> None:
    """Raise where a completed trial lacks a metric that *study* needs: left out, it would be a silent selection."""
    for metric in filter(None, (study.metric, study.choose_by)):
        if ended.outcome == "completed" and metric not in ended.metrics:
            near = suggest(metric, ended.metrics)
            by_hand = study.name.rpartition(".")[2] in BY_HAND and "there is" in near
            hint = "; name what decides with --metric" if by_hand else ""
            raise UnknownName(f"{name} does not measure {metric!r}{near}{hint}")
