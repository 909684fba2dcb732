"""A toy lab and its trials, and an empty store in each kind of database."""

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy

from paribus.spec.change import Change
from paribus.spec.experiment import build
from paribus.spec.lab import Lab
from paribus.spec.trial import Conditions, Trial
from paribus.store import Store


@dataclass(frozen=True, kw_only=True)
class Config:
    """The toy lab's configuration."""

    rate: float = 0.1
    width: int = 8


LAB = Lab(
    name="toy",
    question="Does it help?",
    baseline=Config(),
    run=lambda config, context: {},
    changes=(
        Change(name="fast", doc="A higher rate.", path="rate", before=0.1, after=1.0),
        Change(name="wide", doc="More units.", path="width", before=8, after=lambda width: width, parameter=int),
    ),
)


@pytest.fixture(scope="session")
def toy_lab() -> Lab:
    return LAB


@pytest.fixture(scope="session")
def make_trials() -> Callable[..., list[Trial]]:
    def make(count: int = 1, *changes: str, code: str = "0123456789ab") -> list[Trial]:
        experiment = build(LAB, changes)
        return [Trial(experiment, seed, Conditions("cpu", 1, code)) for seed in range(count)]

    return make


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a database made for this run on the server that PARIBUS_TEST_POSTGRES names."""
    url = os.environ.get("PARIBUS_TEST_POSTGRES")
    if not url:
        pytest.skip("PARIBUS_TEST_POSTGRES names no PostgreSQL server")
    parsed = sqlalchemy.make_url(url).set(drivername="postgresql+psycopg")
    name = f"paribus_test_{uuid.uuid4().hex[:12]}"
    server = sqlalchemy.create_engine(parsed, isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    yield parsed.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    with server.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    server.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty store."""
    monkeypatch.setattr("paribus.store.place.user_data_path", lambda name: tmp_path / "data" / name)
    monkeypatch.delenv("PARIBUS_DATA", raising=False)
    if request.param == "sqlite":
        return str(tmp_path / "store.sqlite")
    given: str = request.getfixturevalue("postgres")
    engine = sqlalchemy.create_engine(sqlalchemy.make_url(given).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA IF EXISTS paribus CASCADE")
    engine.dispose()
    return given


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as store:
        yield store
