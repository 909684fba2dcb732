"""The store: what was run and what came of it, in one database, with arrays and checkpoints in a folder beside it."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, insert

from paribus.errors import StoreError
from paribus.spec.context import Artifact
from paribus.spec.trial import Event, Trial
from paribus.store import artifacts, lock, migrations, reading, schema, writing
from paribus.store.connect import WRITES, connect
from paribus.store.failures import translated
from paribus.store.place import Place, find
from paribus.store.records import Author, Look, Note, TrialRecord, to_json


class Store:
    """An open store. Any number of processes may read it and write to it; what a trial gives, one that claimed it.

    Every method raises :class:`paribus.errors.StoreError`, one line, where the database or the disk refuses.
    """

    def __init__(self, place: Place, engine: Engine) -> None:
        self._place = place
        self._engine = engine

    @classmethod
    def open(cls, url: str | None = None) -> Store:
        """Open the store at *url*, and make it where there is none.

        Args:
            url: a path, ``sqlite:///FILE`` or ``postgresql://USER@HOST/DATABASE``; ``None`` for the environment
                variable ``PARIBUS_STORE`` or else ``store.sqlite`` in the data folder: that of the variable
                ``PARIBUS_DATA``, or the user's own.

        Raises:
            StoreError: the database cannot be reached, read or written, is another program's or a newer Paribus's.
        """
        place = find(url)
        store = cls(place, connect(place))
        try:
            with translated(place):
                if place.file is not None:
                    place.file.parent.mkdir(parents=True, exist_ok=True)
            with store._reading() as connection:
                now = migrations.version(connection, str(place))
            migrations.check_known(now, str(place))
            if now < migrations.MIGRATIONS[-1].number:
                with store._writing() as connection:
                    migrations.migrate(connection, str(place))
        except BaseException:
            store.close()
            raise
        return store

    @property
    def url(self) -> str:
        """What :meth:`open` takes to open this store again; it holds the password where the URL has one."""
        return self._place.text

    @property
    def folder(self) -> Path:
        """The folder for files: beside the SQLite file, or in the user's data folder for PostgreSQL."""
        return self._place.folder

    def __str__(self) -> str:
        """The store as a message shows it, without a password."""
        return str(self._place)

    def close(self) -> None:
        """Close every connection; the store can be opened again."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def conductor(self) -> Iterator[str]:
        """Be a conductor during the block, and get the name that it claims trials by.

        What it has claimed is free again when the block, or this process, ends, however it ends.
        """
        name = lock.new_name()
        alive: AbstractContextManager[None]
        if self._place.file is not None:
            alive = lock.alive_by_file(self.folder / "locks", name)
        else:
            alive = lock.alive_by_postgres(self._engine, name)
        with translated(self._place):
            alive.__enter__()
        try:
            yield name
        finally:
            with translated(self._place):
                alive.__exit__(None, None, None)

    def lives(self, conductor: str) -> bool:
        """Tell whether the conductor of that name still runs, on whatever machine."""
        with self._reading() as connection:
            return self._lives(connection, conductor)

    def _lives(self, connection: Connection, conductor: str) -> bool:
        if self._place.file is not None:
            return lock.lives_by_file(self.folder / "locks", conductor)
        return lock.lives_by_postgres(connection, conductor)

    def claim(
        self, trial: Trial, conductor: str, environment: Mapping[str, Any], *, failed: datetime | None = None
    ) -> bool:
        """Give *trial* to *conductor*, who will run it in *environment*, and tell whether that could be.

        It cannot where the trial has finished, or where another conductor that lives has claimed it. A failure is not
        the end where *failed* is its moment: it is deleted, with all that belongs to it, and the trial begins anew.

        Raises:
            StoreError: the *conductor* itself counts as dead, for its lock is gone: others would run its trials.
        """
        with self._writing() as connection:
            if not self._lives(connection, conductor):
                raise StoreError(
                    f"{self} has lost the lock that shows that this run lives (a connection that ended, or a folder "
                    f"'locks' that was removed): run the same command again"
                )
            anew = failed is not None and writing.forget(connection, trial.key, failed)
            lives = partial(self._lives, connection)
            given = writing.claim(connection, trial, conductor, environment, lives)
        if anew:
            self.clear_scratch(trial.key)
        return given

    def write(self, events: Sequence[Event]) -> None:
        """Write *events* in order, all or none.

        A value for a step that exists takes the old one's place, for a resumed trial repeats the steps since its
        checkpoint. What comes after a trial has finished is not written: the first result stays, and a note says so.

        Raises:
            StoreError: a trial was never claimed.
        """
        if not events:
            return
        with translated(self._place):
            kept = {
                place: artifacts.keep(self.folder / "artifacts", event.what.name, event.what.array)
                for place, event in enumerate(events)
                if isinstance(event.what, Artifact)
            }
        with self._writing() as connection:
            writing.write(connection, events, kept)

    def trials(
        self, *, keys: Iterable[str] | None = None, lab: str | None = None, experiment: str | None = None
    ) -> list[TrialRecord]:
        """Return the trials that fit every condition given, in the order in which they were first claimed.

        Args:
            keys: trials' keys; those that the store does not know are left out.
            lab: a lab's name.
            experiment: an experiment's hash.
        """
        with self._reading() as connection:
            return reading.trials(connection, keys, lab, experiment)

    def series(self, keys: Iterable[str]) -> dict[str, dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]]]:
        """Return for each of *keys* its learning curves by name: steps (T,), ascending, and values (T,)."""
        with self._reading() as connection:
            return reading.series(connection, keys)

    def outcomes(self, keys: Iterable[str], metric: str) -> dict[str, NDArray[np.bool_]]:
        """Return which examples came out right, (N,) booleans, for those of *keys* that reported them for *metric*."""
        with self._reading() as connection:
            return reading.outcomes(connection, keys, metric)

    def artifact(self, key: str, name: str) -> NDArray[Any] | None:
        """Return the array that trial *key* kept as *name*, or ``None`` where it kept none.

        Raises:
            StoreError: its file is missing or damaged.
        """
        with self._reading() as connection:
            digest = reading.artifacts(connection, key).get(name)
        with translated(self._place):
            return None if digest is None else artifacts.load(self.folder / "artifacts", digest)

    def artifact_names(self, key: str) -> tuple[str, ...]:
        """Return the names of what trial *key* kept, sorted."""
        with self._reading() as connection:
            return tuple(reading.artifacts(connection, key))

    def scratch(self, key: str) -> Path:
        """Return the folder of trial *key* alone, for its checkpoints; it is made where there is none."""
        path = self.folder / "scratch" / key
        with translated(self._place):
            path.mkdir(parents=True, exist_ok=True)
        return path

    def clear_scratch(self, key: str) -> None:
        """Delete the folder of trial *key*: it has finished and needs its checkpoints no more."""
        path = self.folder / "scratch" / key
        with translated(self._place), suppress(FileNotFoundError):  # two may clear it at once
            shutil.rmtree(path)

    def add_note(self, about: str, text: str, author: Author) -> None:
        """Add *text* about a name (an experiment's, a study's) to the work log."""
        if author not in ("program", "person"):
            raise StoreError(f"a note's author is 'program' or 'person', not {author!r}")
        with self._writing() as connection:
            writing.add_note(connection, about, text, author)

    def notes(self, about: str | None = None) -> list[Note]:
        """Return the work log in the order of writing, of *about* alone where it is given."""
        with self._reading() as connection:
            return reading.notes(connection, about)

    def set_alias(self, alias: str, name: str) -> None:
        """Let *alias*, one word, stand for the experiment *name*; an older meaning of it goes."""
        if not alias.strip() or "/" in alias or "=" in alias:
            raise StoreError(f"{alias!r} cannot be an alias: use one word without '/' or '='")
        with self._writing() as connection:
            writing.set_alias(connection, alias, name)

    def aliases(self) -> dict[str, str]:
        """Return the name that each alias stands for."""
        with self._reading() as connection:
            return reading.aliases(connection)

    def record_look(self, study: str, base: str, seeds: int, summary: Mapping[str, Any]) -> None:
        """Record that verdicts of *study* on *base* were computed after *seeds* seeds, and what they were."""
        row = {"study": study, "base": base, "seeds": seeds, "summary": to_json(summary), "looked": datetime.now(UTC)}
        with self._writing() as connection:
            connection.execute(insert(schema.looks), row)

    def looks(self, study: str | None = None, base: str | None = None) -> list[Look]:
        """Return each recorded look, in order; at *study* alone and on *base* alone where they are given."""
        with self._reading() as connection:
            return reading.looks(connection, study, base)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated(self._place), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with translated(self._place), self._engine.execution_options(**{WRITES: True}).begin() as connection:
            yield connection
