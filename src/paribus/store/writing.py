"""Writing: trials, who runs them, and the events of running ones, each batch in the caller's one transaction."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, Table, and_, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert

from paribus.errors import StoreError
from paribus.spec.context import Artifact, Outcomes, Progress, Scalars
from paribus.spec.experiment import canonical
from paribus.spec.trial import Event, Finished, Started, Trial
from paribus.store import schema
from paribus.store.records import to_json

_CHUNK = 500  # keys in one query; both databases bound how many parameters a statement takes


def chunks(keys: Iterable[str]) -> Iterator[list[str]]:
    """Yield the distinct *keys* in lists short enough for one query."""
    distinct = list(dict.fromkeys(keys))
    for start in range(0, len(distinct), _CHUNK):
        yield distinct[start : start + _CHUNK]


def claim(
    connection: Connection,
    trial: Trial,
    conductor: str,
    environment: Mapping[str, Any],
    lives: Callable[[str], bool],
) -> bool:
    """Give *trial* to *conductor*, unless it has finished or another that *lives* has it; tell whether it was given."""
    trials = schema.trials
    text = to_json(environment)
    digest = hashlib.sha256(text.encode()).hexdigest()
    _add(connection, trial, text, digest)
    row = connection.execute(select(trials).where(trials.c.key == trial.key).with_for_update()).one_or_none()
    if row is None or row.outcome is not None:
        return False
    if row.conductor not in (None, conductor) and lives(row.conductor):
        return False
    connection.execute(update(trials).where(trials.c.id == row.id).values(conductor=conductor, environment=digest))
    return True


def forget(connection: Connection, key: str, failed: datetime) -> bool:
    """Delete the trial that failed at the moment *failed*, with all that belongs to it; tell whether it was there."""
    trials = schema.trials
    this = (trials.c.key == key) & (trials.c.outcome == "failed") & (trials.c.finished == failed)
    return connection.execute(delete(trials).where(this)).rowcount > 0


def write(connection: Connection, events: Sequence[Event], kept: Mapping[int, str]) -> None:
    """Write *events* in their order; *kept* gives the SHA-256 of the artifact of an event, by its place in the list.

    What comes for a trial that has finished already is not written: the first result stays, and a note says so.

    Raises:
        StoreError: a trial was never claimed.
    """
    trials = _known(connection, [event.key for event in events])
    batch = _Batch({key: row.outcome for key, row in trials.items()})
    for place, event in enumerate(events):
        batch.add(trials[event.key].id, event, kept.get(place))
    batch.execute(connection)
    for key, outcome in batch.refused.items():
        row = trials[key]
        text = f"seed {row.seed} had finished before, and that result stays"
        if outcome is not None:
            text += f": it was reported again as {outcome.outcome}, {to_json(outcome.metrics)}"
        add_note(connection, row.name, f"{text} (trial {key})", "program")


class _Batch:
    """The rows that a list of events comes to: of values that replace each other, the last one."""

    def __init__(self, outcomes: dict[str, str | None]) -> None:
        self.finished = {key for key, outcome in outcomes.items() if outcome is not None}
        self.refused: dict[str, Finished | None] = {}
        self.starts: Counter[int] = Counter()
        self.progress: dict[int, Progress] = {}
        self.scalars: dict[tuple[int, str, int], float] = {}
        self.outcomes: dict[tuple[int, str], NDArray[np.bool_]] = {}
        self.artifacts: dict[tuple[int, str], str] = {}
        self.ends: dict[int, Finished] = {}

    def add(self, trial: int, event: Event, sha256: str | None) -> None:
        """Add one event of the trial with id *trial*."""
        what = event.what
        if event.key in self.finished:
            self.refused[event.key] = what if isinstance(what, Finished) else self.refused.get(event.key)
            return
        match what:
            case Started():
                self.starts[trial] += 1
            case Progress():
                self.progress[trial] = what
            case Scalars(step=step, values=values):
                self.scalars.update({(trial, name, int(step)): value for name, value in values.items()})
            case Outcomes(metric=metric, correct=correct):
                self.outcomes[trial, metric] = correct
            case Artifact(name=name):
                assert sha256 is not None
                self.artifacts[trial, name] = sha256
            case Finished():
                self.finished.add(event.key)
                self.ends[trial] = what

    def execute(self, connection: Connection) -> None:
        """Write the rows, one statement a table."""
        now = datetime.now(UTC)
        trials = schema.trials
        this = trials.c.id == bindparam("trial")
        if self.starts:
            connection.execute(
                update(trials)
                .where(this)
                .values(
                    attempts=trials.c.attempts + bindparam("starts"),
                    started=func.coalesce(trials.c.started, bindparam("now", type_=schema.Moment())),
                ),
                [{"trial": trial, "starts": count, "now": now} for trial, count in self.starts.items()],
            )
        if self.progress:
            connection.execute(
                update(trials).where(this).values(done=bindparam("steps"), total=bindparam("of")),
                [{"trial": trial, "steps": p.done, "of": p.total} for trial, p in self.progress.items()],
            )
        _replace(
            connection,
            schema.scalars,
            [{"trial": t, "name": n, "step": s, "value": value} for (t, n, s), value in self.scalars.items()],
        )
        _replace(
            connection,
            schema.outcomes,
            [
                {"trial": t, "metric": m, "count": correct.size, "bits": schema.pack(correct)}
                for (t, m), correct in self.outcomes.items()
            ],
        )
        _replace(
            connection,
            schema.artifacts,
            [{"trial": t, "name": n, "sha256": sha256} for (t, n), sha256 in self.artifacts.items()],
        )
        _replace(
            connection,
            schema.metrics,
            [{"trial": t, "name": n, "value": v} for t, end in self.ends.items() for n, v in end.metrics.items()],
        )
        if self.ends:
            connection.execute(
                update(trials)
                .where(this)
                .values(
                    outcome=bindparam("ended"),
                    seconds=bindparam("took", type_=schema.Real()),
                    message=bindparam("said", type_=schema.Prose()),
                    finished=bindparam("now", type_=schema.Moment()),
                ),
                [
                    {"trial": t, "ended": e.outcome, "took": e.seconds, "said": e.message, "now": now}
                    for t, e in self.ends.items()
                ],
            )


def add_note(connection: Connection, about: str, text: str, author: str) -> None:
    """Add an entry to the work log."""
    row = {"about": about, "text": text, "author": author, "written": datetime.now(UTC)}
    connection.execute(insert(schema.notes), row)


def set_alias(connection: Connection, alias: str, name: str) -> None:
    """Let *alias* stand for *name* from now on."""
    _replace(connection, schema.aliases, [{"alias": alias, "name": name}])


def _add(connection: Connection, trial: Trial, environment: str, digest: str) -> None:
    """Add *trial*, its experiment and its *environment* with that *digest*, where they are not there yet."""
    experiment = trial.experiment
    rows: dict[Table, dict[str, Any]] = {
        schema.environments: {"hash": digest, "environment": environment},
        schema.experiments: {
            "hash": experiment.hash,
            "lab": experiment.lab.name,
            "name": experiment.name,
            "changes": json.dumps(experiment.changes),
            "config": canonical(experiment.config),
        },
        schema.trials: {
            "key": trial.key,
            "experiment": experiment.hash,
            "lab": experiment.lab.name,
            "seed": trial.seed,
            "device": trial.conditions.device,
            "threads": trial.conditions.threads,
            "code": trial.conditions.code,
            "environment": digest,
            "attempts": 0,
            "done": 0,
            "total": 0,
            "message": "",
        },
    }
    for table, row in rows.items():
        connection.execute(_insert(connection, table).on_conflict_do_nothing(), row)


def _known(connection: Connection, keys: Iterable[str]) -> dict[str, Row[Any]]:
    """Return the rows of *keys*, locked in PostgreSQL until the transaction ends, as SQLite's are anyway."""
    trials, experiments = schema.trials, schema.experiments
    found: dict[str, Row[Any]] = {}
    for some in chunks(keys):
        query = (
            select(trials.c.key, trials.c.id, trials.c.seed, trials.c.outcome, experiments.c.name)
            .join(experiments, and_(experiments.c.hash == trials.c.experiment, experiments.c.lab == trials.c.lab))
            .where(trials.c.key.in_(some))
            .order_by(trials.c.id)
            .with_for_update(of=trials)
        )
        found |= {row.key: row for row in connection.execute(query)}
        for key in some:
            if key not in found:
                raise StoreError(f"trial {key} is not in the store: claim it before writing what became of it")
    return found


def _insert(connection: Connection, table: Table) -> SqliteInsert | PostgresInsert:
    return sqlite.insert(table) if connection.dialect.name == "sqlite" else postgresql.insert(table)


def _replace(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert *rows*; one whose primary key exists takes the place of the old row."""
    if not rows:
        return
    adding = _insert(connection, table)
    key = [column.name for column in table.primary_key]
    values = {column.name: adding.excluded[column.name] for column in table.columns if column.name not in key}
    connection.execute(adding.on_conflict_do_update(index_elements=key, set_=values), rows)
