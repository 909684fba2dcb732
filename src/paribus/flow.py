"""READ FIRST. From a study to its verdicts: which trials are missing, run them, keep what they give, judge.

    name -> experiment -> trials -> runner -> store -> analysis -> report

:func:`conduct` is the whole of it. Interrupted anywhere, by Ctrl-C or ``kill -9``, the same call goes on where it
stopped: finished trials are in the store, an unfinished one resumes from its checkpoint, and none runs twice. Called
in several processes at once on one store, they share the work: each claims a trial when it could start it, and waits at
the end for those that the others run.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from paribus.analysis import Verdict
from paribus.analysis.scores import check_margin
from paribus.conductor import Conductor, Listener, Silence, refuse_metrics
from paribus.errors import ConfigError, ParibusError, RunError
from paribus.gather import Results
from paribus.run.local import LocalRunner
from paribus.run.runner import Runner
from paribus.spec import registry
from paribus.spec.experiment import Experiment, build
from paribus.spec.lab import Lab
from paribus.spec.source import digest
from paribus.spec.study import Study, usual_direction
from paribus.spec.trial import Conditions, reason, traceback_in
from paribus.store import Store, TrialRecord


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
        conductor = Conductor(placed, store, runner, listener, name)
        conductor.complete(results.trials)
        while until_decided and (more := _undecided(results, maximum)):
            counts.update({arm: counts[arm] + 1 for arm in more})
            results = results.upto(counts)
            conductor.complete(results.trials)
    results = results.upto(counts)
    _refuse_nothing(results)
    check_margin(study.metric, study.margin, (one for arm in results.scores for one in arm.scores.values()))
    store.record_look(placed.name, base or "", _seeds_seen(results), results.summary())
    return Conducted(results, conductor.ran)


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
        refuse_metrics(record.name, record, results.study)


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
