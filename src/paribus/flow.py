"""READ FIRST. From a study to its verdicts: which trials are missing, run them, keep what they give, judge.

    name -> experiment -> trials -> runner -> store -> analysis -> report

:func:`conduct` is the whole of it. Interrupted anywhere, by Ctrl-C or ``kill -9``, the same call goes on where it
stopped: finished trials are in the store, an unfinished one resumes from its checkpoint, and none runs twice. Called
in several processes at once on one store, they share the work: each claims a trial when it could start it, and waits at
the end for those that the others run.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from paribus.analysis import Verdict
from paribus.analysis.scores import check_margin
from paribus.errors import ConfigError, ParibusError, RunError, UnknownName, suggest
from paribus.gather import Results
from paribus.run.local import LocalRunner
from paribus.run.provenance import environment
from paribus.run.runner import Runner
from paribus.spec import registry
from paribus.spec.experiment import Experiment, build
from paribus.spec.lab import Lab
from paribus.spec.name import BY_HAND
from paribus.spec.source import digest
from paribus.spec.study import Study, usual_direction
from paribus.spec.trial import Conditions, Event, Finished, Started, Trial, reason, traceback_in
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


@dataclass(frozen=True)
class Conducted:
    """A study that has been run: its results, ready for a table, a page or JSON, and what this call added to them."""

    results: Results
    ran: int

    @property
    def study(self) -> Study:
        """The study as it was run."""
        return self.results.study

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict an arm, in the study's order."""
        return self.results.verdicts


def conduct(
    study: Study,
    *,
    store: Store,
    runner: Runner | None = None,
    seeds: int | None = None,
    base: str | None = None,
    until_decided: bool = False,
    max_seeds: int | None = None,
    listener: Listener | None = None,
) -> Conducted:
    """Run whatever *study* still lacks and judge it.

    Args:
        study: what to ask.
        store: where trials are kept; the same store goes on where it stopped.
        runner: how trials run; by default one process a core.
        seeds: seeds 0 .. seeds - 1 in every arm, instead of the study's own number.
        base: an experiment's name to put every arm on, instead of the lab's baseline.
        until_decided: add seeds one by one until every arm, and the one that validation chose, is decided, no seed
            could decide it, or *max_seeds* is reached; the verdicts then come from the sequential procedure, whose
            error rate holds however often one looks.
        max_seeds: the most seeds that ``until_decided`` may use; 30 where none is given.

    Raises:
        UnknownName, ChangeError: a name of the study is wrong, or a change does not apply on *base*.
        ConfigError: the margin is 1 or more, and the metric a share from 0 to 1, as its values show.
        StoreError: the store cannot be written.
        RunError: no arm has a result because every trial of it failed.
    """
    runner, listener = runner or LocalRunner(), listener or Silence()
    placed, base = registry.placed(study, base)
    experiments = resolve(placed)
    if until_decided:
        maximum = max_seeds or 30
        if maximum < 3:
            raise ConfigError(f"--max-seeds {maximum}: nothing can be concluded below 3 seeds")
    else:
        maximum = seeds or study.seeds
    labs = {experiment.lab.name: experiment.lab for experiment in experiments}
    conditions = {name: current(lab, runner) for name, lab in labs.items()}
    counts = dict.fromkeys(placed.arms, 3 if until_decided else maximum)
    planned = maximum if until_decided else None
    results = Results(store, placed, experiments, conditions, counts, base=base, max_seeds=planned)
    _refuse_unmeasured(results)
    check_margin(study.metric, study.margin, _known(study.metric, store, experiments[0].lab))
    with store.conductor() as name:
        work = _Work(placed, store, runner, listener, name)
        work.complete(results.trials)
        while until_decided and (more := _undecided(results, maximum)):
            counts.update({arm: counts[arm] + 1 for arm in more})
            results = results.upto(counts)
            work.complete(results.trials)
    results = results.upto(counts)
    _refuse_nothing(results)
    check_margin(study.metric, study.margin, (one for arm in results.scores for one in arm.scores.values()))
    store.record_look(placed.name, base or "", _seeds_seen(results), results.summary())
    return Conducted(results, work.ran)


def _known(metric: str, store: Store, lab: Lab) -> Iterator[float]:
    """Yield the values of *metric* that the store has of a lab: what its unit is shows before anything runs."""
    for record in store.trials(lab=lab.name):
        if metric in record.metrics:
            yield record.metrics[metric]


def resolve(study: Study) -> tuple[Experiment, ...]:
    """Return the experiments of *study*, the control first; two names of one experiment are refused."""
    experiments = tuple(registry.experiment(name) for name in study.names)
    seen: dict[str, Experiment] = {}
    for experiment in experiments:
        twin = seen.setdefault(experiment.hash + digest(experiment.lab), experiment)
        if twin is not experiment:
            raise ConfigError(f"study {study.name!r}: {twin} and {experiment} are the same experiment; leave one out")
    return experiments


def current(lab: Lab, runner: Runner) -> Conditions:
    """Return the conditions under which experiments of *lab* would run now."""
    return Conditions(runner.device, runner.threads, digest(lab))


def _undecided(results: Results, maximum: int) -> list[str]:
    """Return the arms that may have another seed: a decided one keeps its seeds, whatever more of them would say.

    Its word may still become another one at these seeds, for the adjustment counts what the other arms show. A study
    that chooses needs the same seeds in every arm, so there all go on while any is undecided, or the chosen one is.
    """
    counts, now = results.counts, results.upto(results.counts)
    if not results.study.choose_by:
        return [found.name for found in now.verdicts if counts[found.name] < maximum and _may_decide(found)]
    if max(counts.values()) >= maximum:
        return []
    going = any(map(_may_decide, now.verdicts)) or now.choice_waits or (now.chosen and _may_decide(now.chosen))
    return list(counts) if going else []


def _may_decide(found: Verdict) -> bool:
    return found.verdict == "undecided" and not found.futile


@dataclass
class _Work:
    """What one call does for *study* under the name of *conductor*: it runs what is missing, or waits for it."""

    study: Study
    store: Store
    runner: Runner
    listener: Listener
    conductor: str
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
        trial, runner, code = self.left[key], self.runner, self.left[key].conditions.code
        if code not in self.environments:
            self.environments[code] = environment(device=runner.device, threads=runner.threads, code=code)
        if self.store.claim(trial, self.conductor, self.environments[code], failed=self.failed.get(key)):
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
        again = record.outcome == "failed" and record.key in self.failed and record.finished == self.failed[record.key]
        return record.outcome is not None and not again

    def _end(self, key: str, ended: Finished) -> None:
        self.mine.discard(key)
        _refuse_metrics(self.left.pop(key).experiment.name, ended, self.study)


def _seeds_seen(results: Results) -> int:
    return max((verdict.n for verdict in results.verdicts), default=0)


def _refuse_nothing(results: Results) -> None:
    """Raise where every trial of every arm failed: there is no verdict to show, and the reason is the answer."""
    records = results.records
    if records and all(record.outcome == "failed" for record in records):
        raise RunError(f"every trial of {results.study.name} failed; the first, {records[0].name}: {why(records[0])}")


def why(failed: TrialRecord) -> str:
    """Return why a trial failed, in one line, and where to read the whole of it."""
    more = f"; paribus log {failed.name} shows the traceback" if traceback_in(failed.message) else ""
    return f"{reason(failed.message)}{more}"


def _refuse_unmeasured(results: Results) -> None:
    """Raise where a trial of the study that the store has did not measure what decides."""
    for record in results.records:
        _refuse_metrics(record.name, record, results.study)


def _refuse_metrics(name: str, ended: Finished | TrialRecord, study: Study) -> None:
    """Raise where a completed trial lacks a metric that *study* needs: left out, it would be a silent selection."""
    for metric in filter(None, (study.metric, study.choose_by)):
        if ended.outcome == "completed" and metric not in ended.metrics:
            near = suggest(metric, ended.metrics)
            by_hand = study.name.rpartition(".")[2] in BY_HAND and "there is" in near
            hint = "; name what decides with --metric" if by_hand else ""
            raise UnknownName(f"{name} does not measure {metric!r}{near}{hint}")


def comparison(control: str, arms: Sequence[str], **settings: Any) -> Study:
    """Return the study that compares names given by hand: metric, direction and margin from the control's lab.

    *settings* replace fields of :class:`Study`, e.g. ``metric="test_loss"``; direction, margin and what stands beside
    it are those of a study of the lab that is decided by the metric, where there is one.
    """
    experiment = registry.experiment(control)
    lab = experiment.lab
    metric = settings.get("metric") or lab.metric
    like = next((study for study in lab.studies if study.metric == metric), None)
    found = Study(
        name=f"{lab.name}.compare",
        question=f"Does what differs from {experiment.name} help?",
        control=experiment.name,
        arms=tuple(registry.experiment(arm).name for arm in arms),
        metric=metric,
        direction=like.direction if like else lab.direction if metric == lab.metric else usual_direction(metric),
        margin=like.margin if like else 0.0,
        beside=like.beside if like else (),
    )
    return replace(found, **{key: value for key, value in settings.items() if value is not None})


def ablation(name: str, **settings: Any) -> Study:
    """Return the study that drops each change of the experiment *name* in turn.

    The whole experiment is the control, each arm lacks one change: an arm that is worse shows that its change helps.
    """
    whole = registry.experiment(name)
    if not whole.edits:
        raise ConfigError(f"{whole.name} has no changes to drop: name an experiment with at least one")
    drops = droppable(whole)
    arms = tuple(found.name for found in drops.values() if isinstance(found, Experiment))
    if not arms:
        raise ConfigError(f"{whole.name} loses none of its changes alone: {next(iter(drops.values()))}")
    study = comparison(whole.name, arms, **settings)
    return replace(study, name=f"{whole.lab.name}.ablate", question=f"Which changes of {whole.name} does it need?")


def droppable(whole: Experiment) -> dict[str, Experiment | ParibusError]:
    """Return for each change of *whole* the experiment without it, or why there is none: another change rests on it."""
    drops: dict[str, Experiment | ParibusError] = {}
    for segment in whole.changes:
        try:
            drops[segment] = build(whole.lab, whole.without(segment).changes)
        except ParibusError as error:
            drops[segment] = error
    return drops
