"""From results to a report's material: curves, flipped examples, mistakes, differences, notes and environment."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paribus.analysis import ArmScores
from paribus.gather import Results
from paribus.report.gallery import Answers, find_flips, find_mistakes, illustrate
from paribus.report.material import ArmMaterial, Chosen, Curve, Material, Mishap, NoteLine
from paribus.spec.difference import field_differences, source_difference
from paribus.spec.experiment import Experiment, declared_changes
from paribus.spec.lab import Pictures
from paribus.store import TrialRecord


def exhibit(results: Results, *, base_reason: str = "", command: Sequence[str] = ()) -> Material:
    """Return everything that a table or a page shows of *results*."""
    study, experiments = results.study, results.experiments
    control_answers = _answers(results, experiments[0])
    materials = [
        _arm(results, experiment, scores, control_answers)
        for experiment, scores in zip(experiments, results.scores, strict=True)
    ]
    shown, others = _environment(results.records)
    describe = experiments[0].lab.data_in_words
    return Material(
        study=study,
        base=results.base or "",
        base_reason=base_reason,
        data=describe(experiments[0].config) if describe else "",
        verdicts=results.verdicts,
        control=materials[0],
        arms=tuple(materials[1:]),
        environment=shown,
        other_environments=others,
        command=shlex.join(command),
        made=datetime.now(UTC),
        seconds=sum(record.seconds or 0.0 for record in results.records),
        chosen=_chosen(results),
        notes=tuple(
            NoteLine(about=note.about, text=note.text, author=note.author, written=note.written)
            for name in dict.fromkeys((study.name, *study.names))
            for note in results.store.notes(name)
        ),
        looks=_earlier_looks(results),
    )


def _earlier_looks(results: Results) -> tuple[str, ...]:
    """Looks at fewer seeds than there are now, which make a single look's interval too narrow.

    A study that is looked at after every seed pays for that in its intervals already.
    """
    if results.max_seeds is not None:
        return ()
    now = max((verdict.n for verdict in results.verdicts), default=0)
    looks = results.store.looks(results.study.name, results.base or "")
    return tuple(f"{look.looked:%Y-%m-%d %H:%M} UTC at {look.seeds} seeds" for look in looks if look.seeds < now)


def _chosen(results: Results) -> Chosen | None:
    """The arm that validation chose; where it chose the control there is nothing to judge, and the words say that."""
    if results.choice is None:
        return None
    choice = results.choice
    label = choice.name.rpartition("/")[2]
    how = (
        f"{label} has the best mean {results.study.choose_by} over {len(choice.chosen_on)} seeds; "
        f"it is judged on the other {len(choice.judged_on)}, which took no part in the choice"
    )
    if results.chosen is None:
        how = f"{label}, the control, has the best mean {results.study.choose_by} over {len(choice.chosen_on)} seeds"
    return Chosen(verdict=results.chosen, how=how)


def _arm(results: Results, experiment: Experiment, scores: ArmScores, control: Answers | None) -> ArmMaterial:
    first = results.experiments[0]
    records = results.of(experiment)
    answers = control if experiment is first else _answers(results, experiment)
    flips = find_flips(control, answers) if control and answers and experiment is not first else None
    errors = find_mistakes(answers) if answers else None
    flips, errors = illustrate(flips, errors, _look(experiment))
    changes = declared_changes(first, experiment)
    edits = {edit.segment: edit.change.doc for edit in (*first.edits, *experiment.edits)}
    return ArmMaterial(
        name=scores.name,
        label=_label(experiment, changes),
        scores=scores,
        docs=tuple(edits[segment] for segment in (changes or experiment.changes)),
        metrics=_metrics(records),
        curves=_curves(results, records),
        differences=() if experiment is first else field_differences(first, experiment),
        source_diff="" if experiment is first else source_difference(first, experiment),
        mishaps=tuple(
            Mishap(seed=record.seed, outcome=record.outcome, message=record.message.strip().rpartition("\n")[2])
            for record in records
            if record.outcome in ("diverged", "failed")
        ),
        flips=flips,
        errors=errors,
    )


def _label(experiment: Experiment, changes: Sequence[str]) -> str:
    """The changes that set *experiment* off from the control, those that it lacks too; its last one for the control."""
    apart = "/".join(change if change in experiment.changes else f"without {change}" for change in changes)
    return apart or "/".join(experiment.changes[-1:]) or "base"


def _metrics(records: Sequence[TrialRecord]) -> dict[str, dict[int, float]]:
    found: dict[str, dict[int, float]] = {}
    for record in records:
        if record.outcome == "completed":
            for name, value in record.metrics.items():
                found.setdefault(name, {})[record.seed] = value
    return found


def _curves(results: Results, records: Sequence[TrialRecord]) -> dict[str, Curve]:
    """Put the series of all seeds on the union of their steps; a step that a seed did not measure is NaN."""
    series = results.store.series([record.key for record in records])
    present = [(record.seed, series[record.key]) for record in records if record.key in series]
    curves = {}
    for name in dict.fromkeys(name for _, own in present for name in own):
        rows = [(seed, own[name]) for seed, own in present if name in own]
        steps = np.unique(np.concatenate([points for _, (points, _) in rows]))
        values = np.full((len(rows), len(steps)), np.nan)
        for row, (_, (points, measured)) in enumerate(rows):
            values[row, np.searchsorted(steps, points)] = measured
        curves[name] = Curve(steps=steps, values=values, seeds=tuple(seed for seed, _ in rows))
    return curves


def _answers(results: Results, experiment: Experiment) -> Answers | None:
    """What *experiment* answered on the test set in the seeds whose outcomes are kept."""
    records = [record for record in results.of(experiment) if record.outcome == "completed"]
    bits = results.store.outcomes([record.key for record in records], results.study.metric)
    kept = [record for record in records if record.key in bits]
    if not kept or len({len(bits[record.key]) for record in kept}) != 1:
        return None
    seeds = tuple(record.seed for record in kept)
    predicted, confidence = (_stacked(results, kept, name) for name in ("predictions", "confidence"))
    return Answers(
        seeds,
        np.stack([bits[record.key] for record in kept]),
        None if predicted is None else predicted.astype(np.int64),
        None if confidence is None else confidence.astype(np.float64),
    )


def _stacked(results: Results, records: Sequence[TrialRecord], name: str) -> NDArray[Any] | None:
    """The artifact *name* of *records*, one row a trial; ``None`` where a trial has none."""
    arrays = [results.store.artifact(record.key, name) for record in records]
    present = [array for array in arrays if array is not None]
    return np.stack(present) if len(present) == len(records) else None


def _look(experiment: Experiment) -> Any:
    pictures = experiment.lab.pictures
    if pictures is None:
        return None

    def look(indices: Sequence[int]) -> Pictures:
        return pictures(experiment.config, indices)

    return look


def _environment(records: Sequence[TrialRecord]) -> tuple[dict[str, Any], int]:
    """Return the most frequent environment among *records*, and how many trials ran in another one."""
    if not records:
        return {}, 0
    counted = Counter(tuple(sorted(record.environment.items())) for record in records)
    usual, count = counted.most_common(1)[0]
    return dict(usual), len(records) - count
