"""Which experiments of a lab were run, as a tree of names, and what each change did to the experiment before it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from paribus.analysis import Verdict
from paribus.errors import ParibusError
from paribus.flow import comparison, resolve
from paribus.gather import Results
from paribus.report.listing import Node
from paribus.spec import registry
from paribus.spec.experiment import Experiment, build
from paribus.spec.lab import Lab
from paribus.spec.source import digest
from paribus.spec.trial import Conditions
from paribus.store import Store, TrialRecord


@dataclass(frozen=True)
class Lineage:
    """A lab's tree.

    Args:
        nodes: its nodes, under the same conditions all.
        others: how many trials under other conditions are left out.
        older: whether the code that gave the nodes is not today's.
    """

    nodes: tuple[Node, ...]
    others: int = 0
    older: bool = False


def lineage(lab: Lab, store: Store) -> Lineage:
    """Return what was run of *lab*, under the conditions of its latest trial of today's code, or else its latest."""
    ended = [record for record in store.trials(lab=lab.name) if record.outcome in ("completed", "diverged")]
    if not ended:
        return Lineage(())
    today = [record for record in ended if record.code == digest(lab)]
    conditions = _conditions((today or ended)[-1])
    shown = [record for record in ended if _conditions(record) == conditions]
    by_hash: dict[str, list[TrialRecord]] = {}
    for record in shown:
        by_hash.setdefault(record.hash, []).append(record)
    known = frozenset(by_hash)
    metric = _metric(lab, store, shown)
    nodes = [_node(lab, metric, store, conditions, records, known) for records in by_hash.values()]
    return Lineage(tuple(nodes), len(ended) - len(shown), older=not today)


def _metric(lab: Lab, store: Store, records: Sequence[TrialRecord]) -> str:
    """The lab's metric where its trials have it, or else the one that was last looked at, or the first that they have.

    A file without studies does not say what decides; whoever compared its experiments did.
    """
    measured = {name for record in records for name in record.metrics}
    looked: list[str] = [look.summary["metric"] for look in store.looks() if look.study.startswith(f"{lab.name}.")]
    known = [name for name in (lab.metric, *reversed(looked)) if name in measured]
    return (known or sorted(measured) or [lab.metric])[0]


def _node(
    lab: Lab,
    metric: str,
    store: Store,
    conditions: Conditions,
    records: Sequence[TrialRecord],
    known: frozenset[str],
) -> Node:
    outcomes = Counter(record.outcome for record in records)
    scores = [
        record.metrics[metric] for record in records if record.outcome == "completed" and metric in record.metrics
    ]
    first = records[0]
    return Node(
        segments=(lab.name, *_nested(lab, first)),
        n=len(scores),
        mean=sum(scores) / len(scores) if scores else math.nan,
        metric=metric,
        diverged=outcomes["diverged"],
        effect=_effect(store, conditions, first, known, metric),
    )


def _effect(
    store: Store, conditions: Conditions, record: TrialRecord, known: frozenset[str], metric: str
) -> Verdict | None:
    """How the experiment of *record* compares with the one without its last change, where both were run."""
    parent = _parent(record)
    if parent is None or parent.hash not in known:
        return None
    study = comparison(parent.name, [record.name], metric=metric)
    every = 1 + max(other.seed for other in store.trials(experiment=record.hash))
    results = Results(store, study, resolve(study), {record.lab: conditions}, {record.name: every})
    (verdict,) = results.verdicts
    return verdict if verdict.n else None


def _nested(lab: Lab, record: TrialRecord) -> tuple[str, ...]:
    """The changes of *record*, those that take any text first: a folder is the ground on which others are made."""

    def follows(segment: str) -> bool:
        change = lab.change(segment.partition("=")[0])
        return change is None or not change.takes_text

    return tuple(sorted(record.changes, key=follows))


def _parent(record: TrialRecord) -> Experiment | None:
    """The experiment without the last change; ``None`` for a baseline, or where today's code knows it no more."""
    if not record.changes:
        return None
    try:
        experiment = registry.experiment(record.name)
        parent = build(experiment.lab, _nested(experiment.lab, record)[:-1])
    except ParibusError:
        return None
    return parent if experiment.hash == record.hash else None


def _conditions(record: TrialRecord) -> Conditions:
    return Conditions(record.device, record.threads, record.code)
