"""From results to a report's material: curves, flipped examples, mistakes, differences, notes and environment."""

from __future__ import annotations

import contextlib
import shlex
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from paribus.analysis import ArmScores, Concordance, concordances
from paribus.analysis.looks import MIN_PAIRS
from paribus.errors import ParibusError, suggest
from paribus.gather import Results
from paribus.report.gallery import Answers, find_flips, find_mistakes, illustrate
from paribus.report.material import ArmMaterial, Chosen, Curve, Images, Material, Mishap, NoteLine
from paribus.report.unit import counted
from paribus.run.provenance import COVERED, apart
from paribus.spec.difference import field_differences, source_difference
from paribus.spec.experiment import Experiment, declared_changes
from paribus.spec.lab import Pictures
from paribus.spec.name import split
from paribus.spec.study import Study
from paribus.spec.trial import path_in, reason, traceback_in
from paribus.store import Look, TrialRecord

T = TypeVar("T")

STRIP, PICTURE = "strip", "picture/"
"""Names of artifacts that are images: the course of an optimisation, and single ones with the caption that follows."""


def exhibit(results: Results, *, base_reason: str = "", command: Sequence[str] = ()) -> Material:
    """Return everything that a table or a page shows of *results*."""
    study, experiments = results.study, results.experiments
    gaps = Gaps()
    control_answers = _answers(results, experiments[0], gaps)
    materials = [
        _arm(results, experiment, scores, control_answers, gaps)
        for experiment, scores in zip(experiments, results.scores, strict=True)
    ]
    _missing_beside(study, materials, gaps)
    shown, others, fields = _environment(results.records)
    return Material(
        study=study,
        base=results.base or "",
        base_reason=base_reason,
        data="; ".join(filter(None, (_data(experiments[0], gaps), _networks(experiments, gaps)))),
        verdicts=results.verdicts,
        control=materials[0],
        arms=tuple(materials[1:]),
        environment=shown,
        other_environments=others,
        environments_differ_in=fields,
        command=shlex.join(command),
        made=datetime.now(UTC),
        seconds=sum(record.seconds or 0.0 for record in results.records),
        chosen=_chosen(results),
        agreement=_agreement(study, materials, gaps),
        notes=tuple(
            NoteLine(about=note.about, text=note.text, author=note.author, written=note.written)
            for name in dict.fromkeys((study.name, *study.names))
            for note in results.store.notes(name)
        ),
        max_seeds=results.max_seeds,
        looks=_earlier_looks(results),
        gaps=gaps.said,
    )


def _data(control: Experiment, gaps: Gaps) -> str:
    return _in_words("data_in_words", control, control.lab.data_in_words, gaps)


def _networks(experiments: Sequence[Experiment], gaps: Gaps) -> str:
    """Return which fixed network looks at the data, and in which arms it is another; nothing where no lab tells any."""
    usual, *others = [
        _in_words("network_in_words", experiment, experiment.lab.network_in_words, gaps) for experiment in experiments
    ]
    found: dict[str, list[str]] = {}
    for arm, other in zip(experiments[1:], others, strict=True):
        if other and other != usual:
            found.setdefault(other, []).append(_label(experiments[0], arm, declared_changes(experiments[0], arm)))
    told = [f"seen by {usual}"] if usual else []
    return "; ".join(told + [f"in {', '.join(labels)} seen by {network}" for network, labels in found.items()])


def _in_words(what: str, experiment: Experiment, describe: Callable[[Any], str] | None, gaps: Gaps) -> str:
    if describe is None:
        return ""
    return gaps.attempt(f"{experiment.lab.name}: {what}", lambda: str(describe(experiment.config)), "")


class Gaps:
    """What could not be shown, and why: a verdict does not wait for a picture."""

    def __init__(self) -> None:
        self._why: dict[str, str] = {}

    @property
    def said(self) -> tuple[str, ...]:
        """One line for each thing that could not be shown, however often that was the case."""
        return tuple(f"{what}: {why}" for what, why in self._why.items())

    def attempt(self, what: str, make: Callable[[], T], instead: T) -> T:
        """Return what *make* returns, or *instead* where the lab's code or a file of the store lets it down."""
        try:
            with contextlib.redirect_stdout(sys.stderr):  # standard output belongs to verdicts
                return make()
        except Exception as error:  # a lab's own code, and its own kinds of error
            reason = " ".join(str(error).split())
            self.add(what, reason if isinstance(error, ParibusError) else f"{type(error).__name__}: {reason}")
            return instead

    def add(self, what: str, why: str) -> None:
        """Say that *what* could not be shown, and why."""
        self._why.setdefault(what, why)


def _earlier_looks(results: Results) -> tuple[str, ...]:
    """Earlier looks at these results that the intervals of this one do not pay for, each number or plan said once.

    For a number of seeds fixed beforehand that is a look at fewer seeds, after which one might have stopped; for a look
    after every seed up to a planned maximum, one that followed another plan.
    """
    now = max(results.counts.values())
    found = {}
    for look in results.store.looks(results.study.name, results.base or ""):
        planned = look.summary["max_seeds"]
        seeds = max(look.summary.get("counts", {}).values(), default=look.seeds)
        if results.max_seeds is None:
            further = seeds < now if planned is None else now > MIN_PAIRS
        else:
            further = planned != results.max_seeds
        if further and seeds >= MIN_PAIRS and _same_question(look, results):
            said = f"at {seeds} seeds" if planned is None else f"after every seed up to {seeds} (planned {planned})"
            found[planned, seeds if planned is None else None] = said
    return tuple(found.values())


def _same_question(look: Look, results: Results) -> bool:
    """Whether *look* was at the same arms, control, metric and code; comparisons by hand share a study's name."""
    now = results.summary()
    return bool(
        look.summary["metric"] == now["metric"]
        and look.summary["conditions"] == now["conditions"]
        and _unordered(look.summary["control"]) == _unordered(now["control"])
        and {_unordered(name) for name in look.summary["verdicts"]} == {_unordered(name) for name in now["verdicts"]}
    )


def _unordered(name: str) -> tuple[str, frozenset[str]]:
    lab, changes = split(name)
    return lab, frozenset(changes)


def _chosen(results: Results) -> Chosen | None:
    """The arm that validation chose; where it chose the control there is nothing to judge, and the words say that."""
    if results.choice is None:
        return None
    choice = results.choice
    found = dict(zip(results.study.names, results.experiments, strict=True))
    control, best = results.experiments[0], found[choice.name]
    label = _label(control, best, declared_changes(control, best))
    best_is = "highest" if results.study.choose_direction == "max" else "lowest"
    of = f"has the {best_is} mean {results.study.choose_by} over {counted(len(choice.chosen_on), 'seed')}"
    how = f"{label} {of}; it is judged on the other {len(choice.judged_on)}, which took no part in the choice"
    if results.chosen is None:
        how = f"{label}, the control, {of}"
    return Chosen(verdict=results.chosen, how=how)


def _arm(
    results: Results, experiment: Experiment, scores: ArmScores, control: Answers | None, gaps: Gaps
) -> ArmMaterial:
    first = results.experiments[0]
    records = results.of(experiment)
    answers = control if experiment is first else _answers(results, experiment, gaps)
    alike = experiment is not first and not scores.other_examples
    flips = find_flips(control, answers) if control and answers and alike else None
    errors = find_mistakes(answers) if answers else None
    plain, look = (flips, errors), _look(experiment)
    flips, errors = gaps.attempt(f"{experiment.lab.name}: pictures", lambda: illustrate(*plain, look), plain)
    changes = declared_changes(first, experiment)
    edits = {edit.segment: edit.change.doc for edit in (*first.edits, *experiment.edits)}
    return ArmMaterial(
        name=scores.name,
        label=_label(first, experiment, changes),
        scores=scores,
        docs=tuple(edits[segment] for segment in (changes or experiment.changes)),
        metrics=_metrics(records),
        curves=_curves(results, records),
        differences=() if experiment is first else field_differences(first, experiment),
        source_diff=""
        if experiment is first
        else gaps.attempt(f"{experiment.name}: source", lambda: source_difference(first, experiment), ""),
        mishaps=_mishaps(records),
        flips=flips,
        errors=errors,
        images=_images(results, experiment, gaps),
    )


def _missing_beside(study: Study, materials: Sequence[ArmMaterial], gaps: Gaps) -> None:
    for metric in study.beside:
        lacking = [arm for arm in materials if arm.metrics and metric not in arm.metrics]
        for arm in lacking[:1]:
            gaps.add(metric, f"{arm.name} does not measure it{suggest(metric, arm.metrics)}")


def _agreement(study: Study, materials: Sequence[ArmMaterial], gaps: Gaps) -> tuple[Concordance, ...]:
    scores = {arm.label: arm.metrics for arm in materials}
    found = concordances(scores, study.judges, direction=study.direction, alpha=study.alpha)
    measured = list(dict.fromkeys(name for arm in materials for name in arm.metrics))
    said = {one.measure: one.left_out for one in found}
    for measure, judges in study.judges.items():
        unknown = [judge for judge in judges if judge not in measured]
        if unknown and measured:
            gaps.add(measure, f"no arm measures {unknown[0]!r}{suggest(unknown[0], measured)}")
        elif measure not in said:
            gaps.add(measure, "fewer than three arms, or no seed, have a value by every judge")
        elif said[measure]:
            gaps.add(measure, f"{', '.join(said[measure])} left out: no value by every judge")
    return found


def _mishaps(records: Sequence[TrialRecord]) -> tuple[Mishap, ...]:
    found: list[Mishap] = []
    paths: set[tuple[str, ...]] = set()
    for record in records:
        if record.outcome in ("diverged", "failed"):
            path = path_in(record.message)
            text = traceback_in(record.message) if path not in paths else ""
            paths.add(path)
            found.append(
                Mishap(seed=record.seed, outcome=record.outcome, message=reason(record.message), traceback=text)
            )
    return tuple(found)


def _label(control: Experiment, experiment: Experiment, changes: Sequence[str]) -> str:
    """The changes that set *experiment* off from *control*, those that it lacks too; all its own for the control.

    Of another lab the whole name: what it changes there says little, and both may be called base.
    """
    if experiment.lab.name != control.lab.name:
        return experiment.name
    apart = "/".join(change if change in experiment.changes else f"without {change}" for change in changes)
    return apart or "/".join(experiment.changes) or "base"


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


def _answers(results: Results, experiment: Experiment, gaps: Gaps) -> Answers | None:
    """What *experiment* answered on the test set in the seeds whose outcomes are kept."""
    records = [record for record in results.of(experiment) if record.outcome == "completed"]
    bits = results.store.outcomes([record.key for record in records], results.study.metric)
    kept = [record for record in records if record.key in bits]
    if not kept or len({len(bits[record.key]) for record in kept}) != 1:
        return None
    correct = np.stack([bits[record.key] for record in kept])
    predicted, confidence = (
        gaps.attempt(f"{experiment.name}: {name}", partial(_stacked, results, kept, name), None)
        for name in ("predictions", "confidence")
    )
    if predicted is not None and not _usable(predicted, "iu", correct.shape):
        gaps.add(f"{experiment.name}: predictions", "they are no classes: one whole number from 0 an example")
        predicted = None
    if confidence is not None and not (_usable(confidence, "f", correct.shape) and (confidence <= 1).all()):
        gaps.add(f"{experiment.name}: confidence", "it is no probability: one number from 0 to 1 an example")
        confidence = None
    return Answers(
        tuple(record.seed for record in kept),
        correct,
        None if predicted is None else predicted.astype(np.int64),
        None if confidence is None else confidence.astype(np.float64),
    )


def _stacked(results: Results, records: Sequence[TrialRecord], name: str) -> NDArray[Any] | None:
    """The artifact *name* of *records*, one row a trial; ``None`` where a trial has none.

    Rows that do not fit on each other come as an empty array, which is of no use.
    """
    arrays = [results.store.artifact(record.key, name) for record in records]
    present = [array for array in arrays if array is not None]
    if len(present) < len(records):
        return None
    alike = len({(array.shape, array.dtype.kind) for array in present}) == 1
    return np.stack(present) if alike else np.empty(0)


def _usable(values: NDArray[Any], kinds: str, shape: tuple[int, ...]) -> bool:
    return values.dtype.kind in kinds and values.shape == shape and bool((values >= 0).all())


def _images(results: Results, experiment: Experiment, gaps: Gaps) -> Images | None:
    """The images that the first completed trial of *experiment* kept, under names that mean something to a report."""
    record = next((record for record in results.of(experiment) if record.outcome == "completed"), None)
    if record is None:
        return None
    found: dict[str, NDArray[np.uint8]] = {}
    for name in results.store.artifact_names(record.key):
        if name == STRIP or name.startswith(PICTURE):
            what = f"{experiment.name}: {name}"
            array = gaps.attempt(what, partial(results.store.artifact, record.key, name), None)
            if array is not None and _is_picture(array, 4 if name == STRIP else 3):
                found[name] = array
            elif array is not None:
                shape = "(T, H, W, 3)" if name == STRIP else "(H, W, 3)"
                gaps.add(what, f"it is {array.dtype} of {array.shape}; uint8 of {shape} is expected")
    strip = found.pop(STRIP, None)
    pictures = {name.removeprefix(PICTURE): array for name, array in found.items()}
    return Images(seed=record.seed, strip=strip, pictures=pictures) if strip is not None or pictures else None


def _is_picture(array: NDArray[Any], dimensions: int) -> bool:
    return array.dtype == np.uint8 and array.ndim == dimensions and array.shape[-1] == 3 and array.size > 0


def _look(experiment: Experiment) -> Any:
    pictures = experiment.lab.pictures
    if pictures is None:
        return None

    def look(indices: Sequence[int]) -> Pictures:
        return pictures(experiment.config, indices)

    return look


def _environment(records: Sequence[TrialRecord]) -> tuple[dict[str, Any], int, tuple[str, ...]]:
    """Return the most frequent environment among *records*, how many trials ran in another, and in what those differ.

    The state of the code makes no other environment: its digest is the trial's identity.
    """
    if not records:
        return {}, 0, ()
    counted = Counter(tuple(sorted(record.environment.items())) for record in records)
    alike: Counter[tuple[tuple[str, Any], ...]] = Counter()
    for found, count in counted.items():
        alike[tuple(item for item in found if item[0] not in COVERED)] += count
    most = alike.most_common(1)[0][0]
    usual = next(dict(found) for found, _ in counted.most_common() if not apart(dict(found), dict(most)))
    others = [differing for record in records if (differing := apart(usual, record.environment))]
    return usual, len(others), tuple(dict.fromkeys(name for differing in others for name in differing))
