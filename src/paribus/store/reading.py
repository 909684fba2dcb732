"""Reading: rows to the values of ``records`` and to arrays."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Select, and_, select

from paribus.store import schema
from paribus.store.records import Look, Note, TrialRecord
from paribus.store.writing import chunks

Series = dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]


def trials(
    connection: Connection, keys: Iterable[str] | None, lab: str | None, experiment: str | None
) -> list[TrialRecord]:
    """Return the trials that fit every condition given, in the order in which they were first claimed."""
    wanted: list[ColumnElement[bool]] = []
    if lab is not None:
        wanted.append(schema.trials.c.lab == lab)
    if experiment is not None:
        wanted.append(schema.trials.c.experiment == experiment)
    if keys is None:
        found = _trials(connection, wanted)
    else:
        found = {}
        for some in chunks(keys):
            found |= _trials(connection, [*wanted, schema.trials.c.key.in_(some)])
    return [found[number] for number in sorted(found)]


def _trials(connection: Connection, wanted: list[ColumnElement[bool]]) -> dict[int, TrialRecord]:
    table, experiments, environments = schema.trials, schema.experiments, schema.environments
    read = cache(json.loads)  # a config and an environment serve many trials
    metrics: dict[int, dict[str, float]] = {}
    measured = select(schema.metrics).join(table, table.c.id == schema.metrics.c.trial).where(*wanted)
    for row in connection.execute(measured.order_by(schema.metrics.c.trial, schema.metrics.c.name)):
        metrics.setdefault(row.trial, {})[row.name] = row.value
    query = (
        select(
            table,
            experiments.c.name,
            experiments.c.changes,
            experiments.c.config,
            environments.c.environment.label("ran_in"),
        )
        .join(experiments, and_(experiments.c.hash == table.c.experiment, experiments.c.lab == table.c.lab))
        .join(environments, environments.c.hash == table.c.environment)
        .where(*wanted)
    )
    return {
        row.id: TrialRecord(
            key=row.key,
            name=row.name,
            hash=row.experiment,
            lab=row.lab,
            changes=tuple(read(row.changes)),
            config=dict(read(row.config)),
            seed=row.seed,
            device=row.device,
            threads=row.threads,
            code=row.code,
            outcome=row.outcome,
            metrics=metrics.get(row.id, {}),
            seconds=None if row.outcome is None else row.seconds,
            message=row.message,
            attempts=row.attempts,
            started=row.started,
            finished=row.finished,
            environment=dict(read(row.ran_in)),
            done=row.done,
            total=row.total,
            conductor=row.conductor,
        )
        for row in connection.execute(query)
    }


def series(connection: Connection, keys: Iterable[str]) -> dict[str, Series]:
    """Return the learning curves of *keys*: for each name the steps, ascending, and the values at them."""
    table, result = schema.scalars, {}
    for some in chunks(keys):
        result.update({key: Series() for key in some})
        query = _of(some, schema.trials.c.key, table.c.name, table.c.step, table.c.value).join(
            table, table.c.trial == schema.trials.c.id
        )
        rows = connection.execute(query.order_by(table.c.trial, table.c.name, table.c.step))
        for (key, name), points in groupby(rows, lambda row: (row[0], row[1])):
            steps, values = zip(*((row[2], row[3]) for row in points), strict=True)
            result[key][name] = (np.array(steps, dtype=np.int64), np.array(values, dtype=np.float64))
    return result


def outcomes(connection: Connection, keys: Iterable[str], metric: str) -> dict[str, NDArray[np.bool_]]:
    """Return which examples came out right, (N,) booleans, of those of *keys* that reported them for *metric*."""
    table, result = schema.outcomes, {}
    for some in chunks(keys):
        query = _of(some, schema.trials.c.key, table.c.bits, table.c.count.label("examples")).join(
            table, table.c.trial == schema.trials.c.id
        )
        for row in connection.execute(query.where(table.c.metric == metric)):
            result[row.key] = schema.unpack(row.bits, row.examples)
    return result


def artifacts(connection: Connection, key: str) -> dict[str, str]:
    """Return the SHA-256 of each artifact of the trial *key*, by name."""
    table = schema.artifacts
    query = _of([key], table.c.name, table.c.sha256).join(table, table.c.trial == schema.trials.c.id)
    return {row.name: row.sha256 for row in connection.execute(query.order_by(table.c.name))}


def notes(connection: Connection, about: str | None) -> list[Note]:
    """Return the work log in the order of writing, of *about* alone where it is given."""
    query = select(schema.notes).order_by(schema.notes.c.id)
    if about is not None:
        query = query.where(schema.notes.c.about == about)
    return [Note(row.about, row.text, row.author, row.written) for row in connection.execute(query)]


def aliases(connection: Connection) -> dict[str, str]:
    """Return the name that each alias stands for."""
    return {row.alias: row.name for row in connection.execute(select(schema.aliases).order_by(schema.aliases.c.alias))}


def looks(connection: Connection, study: str | None, base: str | None) -> list[Look]:
    """Return each look, in order; at *study* alone and on *base* alone where they are given."""
    table = schema.looks
    query = select(table).order_by(table.c.id)
    if study is not None:
        query = query.where(table.c.study == study)
    if base is not None:
        query = query.where(table.c.base == base)
    return [
        Look(row.study, row.base, row.seeds, json.loads(row.summary), row.looked) for row in connection.execute(query)
    ]


def _of(keys: list[str], *columns: ColumnElement[Any]) -> Select[Any]:
    return select(*columns).select_from(schema.trials).where(schema.trials.c.key.in_(keys))
