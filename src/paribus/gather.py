"""From the store to values: what the trials of a study gave, as the analysis and a report want it.

Scores are read out of a store here, pictures and curves in ``exhibit.py``: neither the analysis nor a report knows of
databases.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from paribus.analysis import ArmScores, Choice, Verdict, choose, judge
from paribus.analysis.looks import MIN_PAIRS
from paribus.analysis.selection import first_seeds
from paribus.errors import DataError
from paribus.spec.experiment import Experiment, declared_changes
from paribus.spec.same_examples import same_examples
from paribus.spec.study import Study
from paribus.spec.trial import Conditions, Trial
from paribus.store import Store, TrialRecord


@dataclass(frozen=True)
class Results:
    """The results of a study under given conditions, read from a store when they are first asked for.

    Args:
        study: the study, already on its base.
        experiments: its experiments, the control first.
        conditions: lab -> what is equal in all arms.
        counts: arm -> how many seeds it is judged on, the first so many; the control has as many as any arm.
        base: the name that the study was put on; ``None`` for the lab's baseline.
        max_seeds: the planned maximum where one looks after every seed; ``None`` for a number of seeds fixed before.
    """

    store: Store
    study: Study
    experiments: tuple[Experiment, ...]
    conditions: Mapping[str, Conditions]
    counts: Mapping[str, int]
    base: str | None = None
    max_seeds: int | None = None

    def upto(self, counts: Mapping[str, int]) -> Results:
        """Return the same results, read afresh, with other numbers of seeds."""
        return replace(self, counts=dict(counts))

    @property
    def trials(self) -> list[Trial]:
        """Every trial that the results rest on, seed by seed so that pairs are complete early."""
        return [
            Trial(experiment, seed, self.conditions[experiment.lab.name])
            for seed in range(max(self.counts.values()))
            for name, experiment in zip(self.study.names, self.experiments, strict=True)
            if seed < self._count(name)
        ]

    def _count(self, name: str) -> int:
        return max(self.counts.values()) if name == self.study.control else self.counts[name]

    @cached_property
    def records(self) -> list[TrialRecord]:
        """Every ended trial of the study, in the order of seeds."""
        found = []
        for experiment in self.experiments:
            found += [record for record in self.of(experiment) if record.outcome is not None]
        return sorted(found, key=lambda record: record.seed)

    def of(self, experiment: Experiment) -> list[TrialRecord]:
        """Return the trials of *experiment* under the study's conditions, by seed."""
        conditions = self.conditions[experiment.lab.name]
        return [record for record in self._by_hash.get(experiment.hash, []) if _same(record, conditions)]

    @cached_property
    def _by_hash(self) -> dict[str, list[TrialRecord]]:
        found = {}
        for name, experiment in zip(self.study.names, self.experiments, strict=True):
            records = [r for r in self.store.trials(experiment=experiment.hash) if r.seed < self._count(name)]
            found[experiment.hash] = sorted(records, key=lambda record: record.seed)
        return found

    @cached_property
    def scores(self) -> tuple[ArmScores, ...]:
        """The scores by the study's metric: the control's, then the arms'."""
        return tuple(
            self._score(name, experiment, self.study.metric)
            for name, experiment in zip(self.study.names, self.experiments, strict=True)
        )

    def _score(self, name: str, experiment: Experiment, metric: str) -> ArmScores:
        records = self.of(experiment)
        completed = [record for record in records if record.outcome == "completed"]
        scored = {record.seed: record.metrics[metric] for record in completed if metric in record.metrics}
        bits = self.store.outcomes([record.key for record in completed], metric)
        correct = {record.seed: bits[record.key] for record in completed if record.key in bits}
        seconds = [record.seconds for record in completed if record.seconds is not None]
        first = self.experiments[0]
        changes = len(declared_changes(first, experiment))
        confounded = (changes > 1 and not self.study.factorial) or experiment.lab.name != first.lab.name
        return ArmScores(
            name=name,
            scores=scored,
            diverged=tuple(record.seed for record in records if record.outcome == "diverged"),
            failed=tuple(record.seed for record in records if record.outcome == "failed"),
            correct=correct if scored and set(correct) == set(scored) else None,
            seconds=sum(seconds) / len(seconds) if seconds else None,
            confounded=confounded,
            other_examples=bool(correct) and experiment is not first and not same_examples(first, experiment),
        )

    @cached_property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One verdict an arm, in the study's order."""
        control, *arms = self.scores
        return self._judged(control, arms, self.max_seeds)

    @cached_property
    def choice(self) -> Choice | None:
        """The experiment that is best by the study's validation metric, where there is one.

        That is on every second seed, or on the first third of a planned maximum: there one choice, made once and never
        again, is what the looks that follow are at.
        """
        metric, direction = self.study.choose_by, self.study.choose_direction
        if metric is None or direction is None:
            return None
        if self.choice_waits:
            return None
        first = first_seeds(self.max_seeds) if self.max_seeds else None
        pairs = zip(self.study.names, self.experiments, strict=True)
        try:
            return choose([self._score(*pair, metric) for pair in pairs], direction=direction, first=first)
        except DataError:  # too few seeds as yet, or none that did not diverge
            return None

    @property
    def choice_waits(self) -> bool:
        """Whether seeds on which a study with a planned maximum chooses are still to run."""
        planned, chooses = self.max_seeds, self.study.choose_by is not None
        return chooses and planned is not None and min(self.counts.values()) < first_seeds(planned)

    @cached_property
    def chosen(self) -> Verdict | None:
        """The verdict on the chosen arm, on seeds that took no part in the choice; ``None`` where it is the control."""
        if self.choice is None or self.choice.name == self.study.control:
            return None
        control, *arms = (scores.on(self.choice.judged_on) for scores in self.scores)
        arm = next(arm for arm in arms if arm.name == self.choice.name)
        planned = max(MIN_PAIRS, self.max_seeds - first_seeds(self.max_seeds)) if self.max_seeds else None
        (verdict,) = self._judged(control, [arm], planned)
        return verdict

    def _judged(self, control: ArmScores, arms: Sequence[ArmScores], max_n: int | None) -> tuple[Verdict, ...]:
        study = self.study
        return judge(
            control,
            arms,
            direction=study.direction,
            margin=study.margin,
            alpha=study.alpha,
            max_n=max_n,
            metric=study.metric,
        )

    def summary(self) -> dict[str, Any]:
        """Return what a look at these results is remembered by."""
        conditions = {
            lab: {"device": value.device, "threads": value.threads, "code": value.code}
            for lab, value in self.conditions.items()
        }
        return {
            "control": self.study.control,
            "labs": sorted({experiment.lab.whole_name for experiment in self.experiments}),
            "metric": self.study.metric,
            "max_seeds": self.max_seeds,
            "counts": dict(self.counts),
            "conditions": conditions,
            "verdicts": {verdict.name: verdict.verdict for verdict in self.verdicts},
        }


def _same(record: TrialRecord, conditions: Conditions) -> bool:
    return (record.device, record.threads, record.code) == (conditions.device, conditions.threads, conditions.code)
