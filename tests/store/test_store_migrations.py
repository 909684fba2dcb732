"""A store of every older schema comes up to today's with its data; a newer one and a broken step are refused."""

from datetime import UTC, datetime

import pytest
import sqlalchemy
from sqlalchemy import Connection

from paribus.errors import StoreError
from paribus.store import Store, migrations, schema
from paribus.store.connect import WRITES, connect
from paribus.store.migrations import MIGRATIONS, Migration
from paribus.store.place import find

NOW = datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC)

# What a store held by the time of each step, as that step's own Paribus wrote it.
DATA = {
    1: (
        "INSERT INTO environments VALUES ('e', '{\"torch\": \"2.4\"}')",
        "INSERT INTO experiments VALUES ('0123456789abcdef', 'toy', 'toy/fast', '[\"fast\"]', '{\"rate\": 1.0}')",
        "INSERT INTO trials (key, experiment, lab, seed, device, threads, code, environment, attempts, done, total,"
        " started, finished, outcome, seconds) VALUES ('k', '0123456789abcdef', 'toy', 7, 'cpu', 1, 'c', 'e', 2, 9, 9,"
        " '2025-01-02T03:04:05.000000+00:00', '2025-01-02T03:05:05.000000+00:00', 'completed', 60.0)",
        "INSERT INTO metrics SELECT id, 'accuracy', 0.75 FROM trials",
        "INSERT INTO metrics SELECT id, 'loss', NULL FROM trials",
        "INSERT INTO scalars SELECT id, 'loss', 3, 0.5 FROM trials",
        "INSERT INTO artifacts SELECT id, 'weights', 'abc' FROM trials",
    ),
    2: (
        "INSERT INTO notes (about, text, author, written) VALUES"
        " ('toy/fast', 'odd', 'person', '2025-01-02T03:04:05.000000+00:00')",
        "INSERT INTO aliases VALUES ('best', 'toy/fast')",
    ),
    3: (
        "INSERT INTO looks (study, base, seeds, summary, looked) VALUES"
        " ('toy.rate', '', 4, '{\"n\": 4}', '2025-01-02T03:04:05.000000+00:00')",
    ),
    4: (
        "INSERT INTO trials (key, experiment, lab, seed, device, threads, code, environment, conductor)"
        " VALUES ('l', '0123456789abcdef', 'toy', 8, 'cpu', 1, 'c', 'e', 'process 1 on a (b)')",
    ),
}


@pytest.fixture
def engine(url):
    engine = connect(find(url)).execution_options(**{WRITES: True})
    yield engine
    engine.dispose()


def numbers(connection: Connection) -> list[int]:
    return list(connection.execute(sqlalchemy.select(schema.migrations.c.number).order_by("number")).scalars())


@pytest.mark.parametrize("first", range(1, len(MIGRATIONS) + 1))
def test_data_of_each_step_outlasts_the_steps_after_it(url, engine, first):
    assert set(DATA) == {step.number for step in MIGRATIONS}, "give the new step's tables some data here"
    for end in range(first, len(MIGRATIONS) + 1):
        with engine.begin() as connection:
            migrations.migrate(connection, "the store", MIGRATIONS[:end])
            for number in range(1 if end == first else end, end + 1):
                for statement in DATA[number]:
                    connection.exec_driver_sql(statement)
    with Store.open(url) as store:
        record, later = store.trials()
        assert (record.conductor, later.conductor) == (None, "process 1 on a (b)")
        assert (record.key, record.name, record.seed, record.attempts) == ("k", "toy/fast", 7, 2)
        assert (record.outcome, record.seconds, record.started) == ("completed", 60.0, NOW)
        assert record.metrics["accuracy"] == 0.75
        assert (record.config, record.environment) == ({"rate": 1.0}, {"torch": "2.4"})
        assert store.series(["k"])["k"]["loss"][1].tolist() == [0.5]
        assert store.artifact_names("k") == ("weights",)
        assert [(note.text, note.written) for note in store.notes("toy/fast")] == [("odd", NOW)]
        assert store.aliases() == {"best": "toy/fast"}
        assert [(look.seeds, look.summary, look.looked) for look in store.looks("toy.rate", "")] == [(4, {"n": 4}, NOW)]


def test_the_steps_are_numbered_from_one_without_a_gap():
    assert [step.number for step in MIGRATIONS] == list(range(1, len(MIGRATIONS) + 1))


def test_the_steps_lead_to_the_tables_that_queries_expect(store, engine):
    inspector = sqlalchemy.inspect(engine)
    for name, table in schema.metadata.tables.items():
        columns = {column["name"]: column["nullable"] for column in inspector.get_columns(name)}
        primary = inspector.get_pk_constraint(name)["constrained_columns"]
        assert set(columns) == {column.name for column in table.columns}
        assert {n for n, null in columns.items() if null} - set(primary) == {
            c.name for c in table.columns if c.nullable
        }
        assert primary == [column.name for column in table.primary_key]
    assert set(inspector.get_table_names()) == set(schema.metadata.tables)
    with engine.begin() as connection:
        assert numbers(connection) == [step.number for step in MIGRATIONS]


def test_a_step_that_fails_leaves_the_store_as_it_was(url, engine):
    last = MIGRATIONS[-1].number
    broken = Migration(last + 1, "breaks", ("CREATE TABLE extra (x BIGINT)", "INSERT INTO nowhere VALUES (1)"))
    with Store.open(url) as store:
        store.set_alias("best", "toy/fast")
    with pytest.raises(sqlalchemy.exc.DBAPIError), engine.begin() as connection:
        migrations.migrate(connection, "the store", (*MIGRATIONS, broken))
    assert not sqlalchemy.inspect(engine).has_table("extra")
    with engine.begin() as connection:
        assert numbers(connection)[-1] == last
    mended = Migration(last + 1, "works", ("CREATE TABLE extra (x BIGINT)",))
    with engine.begin() as connection:
        migrations.migrate(connection, "the store", (*MIGRATIONS, mended))
        migrations.migrate(connection, "the store", (*MIGRATIONS, mended))
        assert numbers(connection)[-1] == last + 1
    assert sqlalchemy.inspect(engine).has_table("extra")

    with pytest.raises(StoreError) as refused:
        Store.open(url)
    message = f"was written by a newer Paribus (schema {last + 1}; this one knows up to {last}): update Paribus"
    assert message in str(refused.value)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DELETE FROM migrations WHERE number > {last}")
    with Store.open(url) as store:
        assert store.aliases() == {"best": "toy/fast"}
