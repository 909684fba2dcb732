"""What the disk, the database or the user can get wrong is one line that names the place and what would be right.

Every fault here is a real one: a full file system, a folder of another user, a lock held, a server that is not there.
"""

import shutil
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy

from paribus.data.folders import data_root
from paribus.errors import DiskFull, StoreError
from paribus.spec.context import Artifact, Outcomes
from paribus.spec.trial import Event, Finished
from paribus.store import Store, connect

from .registering import register


def refused(act: Callable[[], object], *parts: str) -> None:
    """Assert that *act* raises a StoreError of one line that holds every one of *parts*."""
    with pytest.raises(StoreError) as caught:
        act()
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


def run_script(code: str, *arguments: str, before: tuple[str, ...] = (), unprivileged: bool = False) -> list[str]:
    """Run *code* in a process of its own, in which ``Store`` and ``line(act)`` are at hand, and return its lines.

    An unprivileged one gives up root after its imports, for root may write everywhere.
    """
    head = """
        import os, sys, tempfile
        from paribus.errors import StoreError
        from paribus.store import Store
        def line(act):
            try:
                act()
            except StoreError as error:
                print(repr(str(error)))
            else:
                print("done")
    """
    drop = """
        with tempfile.TemporaryDirectory() as folder, Store.open(folder + "/warm.sqlite") as warm:
            with warm.conductor():
                pass
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
    """
    program = "".join(textwrap.dedent(part) for part in (head, drop if unprivileged else "", code))
    command = [*before, sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def others_folder() -> Iterator[Path]:
    """A folder that every user may enter, to which the test then closes what it likes."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    shutil.rmtree(folder)


def test_folders_that_are_not_there_are_made(tmp_path):
    with Store.open(str(tmp_path / "a" / "b" / "store.sqlite")) as store:
        assert store.url == str(tmp_path / "a" / "b" / "store.sqlite")
        assert store.folder == tmp_path / "a" / "b" / "store.sqlite.files"
    assert (tmp_path / "a" / "b" / "store.sqlite").is_file()


def test_paths_that_cannot_be_a_file(tmp_path):
    refused(lambda: Store.open(str(tmp_path)), f"{tmp_path} is a folder", f"for instance {tmp_path / 'store.sqlite'}")
    (tmp_path / "file").write_text("x")
    refused(lambda: Store.open(str(tmp_path / "file" / "store.sqlite")), "a file is in the way", str(tmp_path / "file"))


@pytest.mark.parametrize("content", [b"hello", b"\x89PNG\r\n" + bytes(range(256)) * 64], ids=["text", "binary"])
def test_a_file_that_is_no_database(tmp_path, content):
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    refused(lambda: Store.open(str(path)), f"{path} is no SQLite database: name the right file")
    assert path.read_bytes() == content


def test_the_database_of_another_program(tmp_path):
    path = tmp_path / "bookmarks.sqlite"
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE migrations (number INTEGER)")
    other.close()
    refused(lambda: Store.open(str(path)), f"{path} is the database of another program: name a new file")


def test_a_damaged_database(tmp_path, make_trials):
    path = tmp_path / "store.sqlite"
    with Store.open(str(path)) as store:
        register(store, make_trials(300))
    data = bytearray(path.read_bytes())
    data[4096 * 2 :] = b"\xa5" * (len(data) - 4096 * 2)
    path.write_bytes(data)

    def read() -> None:
        with Store.open(str(path)) as store:
            store.trials()

    refused(read, f"{path} is damaged: restore a copy")


def test_a_folder_that_may_not_be_written(others_folder):
    folder = others_folder
    path = folder / "store.sqlite"
    with Store.open(str(path)) as store:
        store.set_alias("best", "toy/fast")
    path.chmod(0o444)
    folder.chmod(0o555)
    code = """
        line(lambda: Store.open(sys.argv[1] + "/new.sqlite"))
        line(lambda: Store.open(sys.argv[1] + "/a/b/new.sqlite"))
        line(lambda: Store.open(sys.argv[1] + "/store.sqlite").set_alias("a", "b"))
    """
    new, nested, old = run_script(code, str(folder), unprivileged=True)
    assert f"{folder}/new.sqlite cannot be opened: choose a file in a folder" in new
    assert f"cannot write {folder}/a: choose a store in a folder" in nested
    assert f"{folder}/store.sqlite cannot be" in old
    assert "that you may write to" in old
    with Store.open(str(path)) as store:
        assert store.aliases() == {"best": "toy/fast"}


def test_files_beside_the_database_that_may_not_be_written(others_folder):
    folder = others_folder
    path = folder / "store.sqlite"
    Store.open(str(path)).close()
    for name in ("locks", "scratch"):
        (folder / "store.sqlite.files" / name).mkdir(parents=True)
        (folder / "store.sqlite.files" / name).chmod(0o555)
    path.chmod(0o666)
    folder.chmod(0o777)
    code = """
        store = Store.open(sys.argv[1])
        line(lambda: store.scratch("0123"))
        line(lambda: store.conductor().__enter__())
    """
    scratch, lock = run_script(code, str(path), unprivileged=True)
    assert f"cannot write {folder}/store.sqlite.files/scratch/0123: choose" in scratch
    assert f"cannot write {folder}/store.sqlite.files/locks/" in lock


def test_a_full_disk_loses_nothing_and_can_be_freed(tmp_path):
    mount = ("unshare", "-rm", "sh", "-c", f'mount -t tmpfs -o size=1m tmpfs {tmp_path} && exec "$@"', "sh")
    if shutil.which("unshare") is None or subprocess.run([*mount, "true"], capture_output=True, check=False).returncode:
        pytest.skip("this system lets no user mount a file system")
    code = """
        import numpy as np
        from pathlib import Path
        from paribus.spec.context import Artifact
        from paribus.spec.trial import Event
        folder = Path(sys.argv[1])
        ballast = folder / "ballast"
        store = Store.open(str(folder / "store.sqlite"))
        store.add_note("toy/fast", "first", "person")
        ballast.write_bytes(bytes(400_000))
        line(lambda: store.write([Event("k", Artifact("w", np.zeros(100_000)))]))
        line(lambda: store.add_note("toy/fast", "x" * 1_000_000, "person"))
        print(len(store.notes()), len([p for p in folder.rglob("*.npy")]), len([p for p in folder.rglob("*.tmp")]))
        try:
            with ballast.open("ab") as file:
                while file.write(bytes(4096)):
                    file.flush()
        except OSError:
            pass
        line(lambda: Store.open(str(folder / "other.sqlite")))
        line(lambda: store.scratch("0" * 24) and store.conductor().__enter__())
        ballast.unlink()
        line(lambda: store.add_note("toy/fast", "x" * 10_000, "person"))
        store.close()
        print([len(note.text) for note in Store.open(str(folder / "store.sqlite")).notes()])
    """
    array, note, counts, new, lock, freed, notes = run_script(code, str(tmp_path), before=mount)
    full = "the disk is full: free some space, then run the same command again"
    assert array.startswith(f"'cannot write {tmp_path}/store.sqlite.files/artifacts/")
    assert full in array
    assert f"store.sqlite cannot grow, {full}" in note
    assert counts == "1 0 0"
    assert full in new
    assert lock == "done" or full in lock  # a tmpfs may have room for an empty folder still
    assert freed == "done"
    assert notes == "[5, 10000]"


def test_a_database_that_may_not_grow(tmp_path, make_trials):
    trials = make_trials(40)
    events = [
        event
        for trial in trials
        for event in (
            Event(trial.key, Outcomes("accuracy", np.ones(40_000, dtype=bool))),
            Event(trial.key, Finished("completed", {"accuracy": 1.0})),
        )
    ]
    with Store.open(str(tmp_path / "store.sqlite")) as store:
        register(store, trials)
        with store._engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 5}")
        refused(lambda: store.write(events), "store.sqlite cannot grow, the disk is full: free some space")
        assert {record.outcome for record in store.trials()} == {None}
        with pytest.raises(DiskFull) as full:
            store.write(events)
        assert full.value.exit_code == 1, "the machine failed, the input was right"
    with Store.open(str(tmp_path / "store.sqlite")) as store:
        store.write(events)
        assert {record.outcome for record in store.trials()} == {"completed"}


def test_a_locked_database_is_waited_for_and_then_named(tmp_path, monkeypatch):
    monkeypatch.setattr(connect, "BUSY_SECONDS", 0.1)
    path = tmp_path / "store.sqlite"
    with Store.open(str(path)) as store:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        assert store.notes() == []
        refused(
            lambda: store.set_alias("a", "b"), f"{path} is locked by another program for too long: end that program"
        )
        other.execute("COMMIT")
        other.close()
        store.set_alias("a", "b")
        assert store.aliases() == {"a": "b"}


def test_a_writer_takes_its_turn_before_it_reads(tmp_path, monkeypatch):
    monkeypatch.setattr(connect, "BUSY_SECONDS", 0.1)
    path = str(tmp_path / "store.sqlite")
    with Store.open(path) as first, Store.open(path) as second:
        with first._writing():
            refused(lambda: second.set_alias("a", "b"), "is locked by another program")
        second.set_alias("a", "b")


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("", ["names no file", "give a path, sqlite:///FILE or postgresql://"]),
        ("sqlite://", ["names no file"]),
        ("sqlite:///:memory:", ["names no file"]),
        ("mysql://root@localhost/x", ["cannot be a 'mysql' database", "give a path"]),
        ("nonsense://u:secret@h/x", ["a 'nonsense' database", "give a path"]),
        ("postgresql://u:secret@h:port/x", ["'postgresql://h:port/x' is no URL of a store", "give a path"]),
    ],
)
def test_urls_that_mean_no_store(url, parts):
    refused(lambda: Store.open(url), *parts)


def test_where_the_store_is_when_none_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr("paribus.store.place.user_data_path", lambda name: tmp_path / "data" / name)
    monkeypatch.delenv("PARIBUS_STORE", raising=False)
    monkeypatch.delenv("PARIBUS_DATA", raising=False)
    with Store.open() as store:
        assert store.url == str(tmp_path / "data" / "paribus" / "store.sqlite")
    monkeypatch.setenv("PARIBUS_DATA", str(tmp_path / "sets"))
    with Store.open() as store:
        assert store.url == str(data_root() / "store.sqlite") == str(tmp_path / "sets" / "store.sqlite")
    monkeypatch.setenv("PARIBUS_STORE", f"sqlite:///{tmp_path / 'mine.sqlite'}")
    with Store.open() as store:
        assert store.url == str(tmp_path / "mine.sqlite")
    with Store.open(str(tmp_path / "odd ?#%20name.sqlite")) as store, Store.open(store.url) as again:
        store.set_alias("a", "b")
        assert again.aliases() == {"a": "b"}
    assert (tmp_path / "odd ?#%20name.sqlite").is_file()


def test_a_postgresql_server_that_is_not_there():
    pytest.importorskip("psycopg")
    refused(
        lambda: Store.open("postgresql://me:secret@127.0.0.1:1/results"),
        "the store postgresql://me:***@127.0.0.1:1/results cannot be reached: start PostgreSQL there, or correct",
    )


def test_postgresql_without_its_driver(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    refused(lambda: Store.open("postgresql://me@h/x"), "needs psycopg: pip install 'paribus[postgres]'")


def test_postgresql_says_what_it_refuses(postgres, tmp_path, monkeypatch):
    monkeypatch.setattr("paribus.store.place.user_data_path", lambda name: tmp_path / name)
    url = sqlalchemy.make_url(postgres)
    nowhere = url.set(database="nowhere").render_as_string(hide_password=False)
    refused(lambda: Store.open(nowhere), "cannot be reached", 'database "nowhere" does not exist')
    engine = sqlalchemy.create_engine(url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("DROP SCHEMA IF EXISTS paribus CASCADE")
        connection.exec_driver_sql("CREATE ROLE paribus_reader LOGIN PASSWORD 'secret'")
        try:
            reader = url.set(username="paribus_reader", password="secret").render_as_string(hide_password=False)
            refused(lambda: Store.open(reader), "cannot be written: ask for a role that may write there", ":***@")
            with Store.open(postgres) as store:
                assert store.url == postgres
                assert "secret" not in str(store)
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
                store.set_alias("a", "b")
                assert store.aliases() == {"a": "b"}
        finally:
            connection.exec_driver_sql("DROP ROLE paribus_reader")
    engine.dispose()


def test_an_artifact_of_an_unclaimed_trial_is_refused(tmp_path):
    with Store.open(str(tmp_path / "store.sqlite")) as store:
        refused(lambda: store.write([Event("k", Artifact("w", np.zeros(3)))]), "trial k is not in the store: claim it")
