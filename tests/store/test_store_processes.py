"""Several processes and one store: killed writers, trials shared among conductors, readers beside a writer."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from paribus.errors import StoreError
from paribus.spec.experiment import build
from paribus.spec.lab import Lab
from paribus.spec.trial import Conditions, Event, Finished, Trial
from paribus.store import Store
from paribus.store.lock import in_words

from .registering import register

HEAD = """
    import os, sys, time
    from dataclasses import dataclass
    import numpy as np
    from paribus.spec.context import Artifact, Outcomes, Scalars
    from paribus.spec.experiment import build
    from paribus.spec.lab import Lab
    from paribus.spec.trial import Conditions, Event, Finished, Started, Trial
    from paribus.store import Store

    @dataclass(frozen=True)
    class Config:
        rate: float = 0.1

    url, first = sys.argv[1], int(sys.argv[2])
    import paribus.store.place
    from pathlib import Path
    paribus.store.place.user_data_path = lambda name: Path(sys.argv[3])
"""


@dataclass(frozen=True)
class Config:
    """The configuration of those processes."""

    rate: float = 0.1


def start(code: str, url: str, first: int = 0, folder: str = "") -> subprocess.Popen[str]:
    program = textwrap.dedent(HEAD) + textwrap.dedent(code)
    return subprocess.Popen([sys.executable, "-c", program, url, str(first), folder],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # fmt: skip


@pytest.fixture
def run(url, tmp_path):
    """Start code in a process of its own on the store under test; whatever still runs at the end is killed."""
    running: list[subprocess.Popen[str]] = []

    def begin(code: str, first: int = 0) -> subprocess.Popen[str]:
        process = start(code, url, first, str(tmp_path / "data" / "paribus"))
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()


def let_go(processes: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    """Let *processes*, once all have said that they are ready, go on at the same moment."""
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "paribus.go").touch()


WRITER = """
    store = Store.open(url)
    lab = Lab(name="toy", question="?", baseline=Config(), run=print)
    trials = [Trial(build(lab, ()), seed, Conditions("cpu", 1, "c")) for seed in range(first, first + 400)]
    with store.conductor() as name:
        for trial in trials:
            store.claim(trial, name, {})
    print("ready", flush=True)
    for trial in trials:
        array = np.full(500, trial.seed)
        scalars = [Scalars(step, {"loss": step * 0.5}) for step in range(30)]
        reports = [Started(1), *scalars, Outcomes("right", array % 2 == 0), Artifact("w", array)]
        store.write([Event(trial.key, what) for what in (*reports, Finished("completed", {"x": 1.0}))])
        print(trial.key, trial.seed, flush=True)
"""


def test_a_writer_killed_in_the_middle_loses_no_committed_trial(run: Callable[..., subprocess.Popen[str]], url):
    told: dict[str, int] = {}
    for turn in range(3):
        process = run(WRITER, turn * 1000)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for line in process.stdout:
            key, seed = line.split()
            told[key] = int(seed)
            if len(told) % 17 == 5 + turn:
                os.kill(process.pid, signal.SIGKILL)
                break
        told |= {key: int(seed) for key, seed in (line.split() for line in process.stdout if line.count(" ") == 1)}
        assert process.wait() == -signal.SIGKILL
    with Store.open(url) as store:
        finished = [record for record in store.trials() if record.outcome is not None]
        assert {record.key: record.seed for record in finished}.items() >= told.items()
        keys = [record.key for record in finished]
        curves, right = store.series(keys), store.outcomes(keys, "right")
        for record in finished:
            assert (record.outcome, record.attempts, record.metrics) == ("completed", 1, {"x": 1.0})
            assert curves[record.key]["loss"][1].tolist() == [step * 0.5 for step in range(30)]
            assert right[record.key].tolist() == [record.seed % 2 == 0] * 500
            np.testing.assert_array_equal(store.artifact(record.key, "w"), np.full(500, record.seed))
        unfinished = [record.key for record in store.trials() if record.outcome is None]
        assert unfinished
        assert all(not curves for curves in store.series(unfinished).values())


HOLDER = """
    store = Store.open(url)
    lab = Lab(name="toy", question="?", baseline=Config(), run=print)
    with store.conductor() as name:
        trial = Trial(build(lab, ()), 0, Conditions("cpu", 1, "c"))
        print(store.claim(trial, name, {}), name, flush=True)
        time.sleep(60)
"""


def test_what_a_conductor_has_claimed_is_its_own_until_it_is_killed(run: Callable[..., subprocess.Popen[str]], store):
    process = run(HOLDER)
    assert process.stdout is not None
    told, _, other = process.stdout.readline().strip().partition(" ")
    assert told == "True"
    assert in_words(other) == f"process {process.pid} on {socket.gethostname()}"
    (record,) = store.trials()
    assert (record.conductor, record.outcome) == (other, None)
    trial = Trial(build(Lab(name="toy", question="?", baseline=Config(), run=print), ()), 0, Conditions("cpu", 1, "c"))
    assert trial.key == record.key
    with store.conductor() as name:
        assert store.lives(other)
        assert store.lives(name)
        assert not store.claim(trial, name, {})
        store.add_note("toy/fast", "written beside the other", "person")
        process.kill()
        process.wait()
        while store.lives(other):  # a server needs a moment to see that its client is gone
            time.sleep(0.01)
        assert store.claim(trial, name, {})
        assert store.claim(trial, name, {}), "one's own claim stays"
        with store.conductor() as second:
            assert not store.claim(trial, second, {}), "two conductors of one process are two"
    assert not store.lives(name)
    assert store.trials()[0].conductor == name
    locks = store.folder / "locks"
    assert not locks.exists() or not list(locks.iterdir())


def test_a_conductor_is_gone_after_an_error_within(store):
    with pytest.raises(KeyError), store.conductor() as name:
        raise KeyError
    assert not store.lives(name)


def test_a_conductor_keeps_no_transaction_open(store):
    with store.conductor(), store._reading() as connection:
        if connection.dialect.name == "postgresql":
            asked = "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
            assert connection.exec_driver_sql(asked).scalar_one() == 0
        else:
            with store._writing() as other:
                other.exec_driver_sql("DELETE FROM notes")


def test_a_conductor_whose_lock_is_gone_is_given_nothing_more(store, make_trials, url):
    first, second = make_trials(2)
    with Store.open(url) as other, other.conductor() as name:
        assert other.claim(first, name, {})
        if store._place.file is not None:
            shutil.rmtree(store.folder / "locks")
        else:
            with store._writing() as connection:
                connection.exec_driver_sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
                )
        while store.lives(name):
            time.sleep(0.01)
        with pytest.raises(StoreError, match="has lost the lock that shows that this run lives"):
            other.claim(second, name, {})
        with store.conductor() as heir:
            assert store.claim(first, heir, {})


def test_files_of_the_dead_go_when_they_are_old_and_those_of_the_living_stay(tmp_path):
    with Store.open(str(tmp_path / "store.sqlite")) as store, store.conductor() as name:
        (mine,) = (store.folder / "locks").iterdir()
        left, new = mine.with_name("left.lock"), mine.with_name("new.lock")
        for path in (left, new):
            path.touch()
        for path in (left, mine):
            os.utime(path, (0, 0))
        with store.conductor() as other:
            assert store.lives(name)
            assert store.lives(other)
            assert not left.exists()
            assert new.exists()
            assert all(path.stat().st_mode & 0o666 == 0o666 for path in mine.parent.iterdir() if path != new)


def test_a_link_to_a_store_is_that_store(tmp_path):
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "store.sqlite")
    with Store.open(str(tmp_path / "store.sqlite")) as store, Store.open(str(tmp_path / "link.sqlite")) as link:
        assert link.folder == store.folder
        with store.conductor() as name:
            assert link.lives(name)


CLAIMER = """
    store = Store.open(url)
    lab = Lab(name="toy", question="?", baseline=Config(), run=print)
    trials = [Trial(build(lab, ()), seed, Conditions("cpu", 1, "c")) for seed in range(90)]
    failed = {record.key: record.finished for record in store.trials() if record.outcome}
    print("ready", flush=True)
    while not os.path.exists(sys.argv[3] + ".go"):
        time.sleep(0.001)
    with store.conductor() as name:
        given = [t for t in trials if store.claim(t, name, {"first": first}, failed=failed.get(t.key))]
        print(*[trial.seed for trial in given], flush=True)
        sys.stdin.readline()
"""


def test_each_trial_is_given_to_one_of_many_that_ask_at_once(run: Callable[..., subprocess.Popen[str]], url, tmp_path):
    """New ones, those of a conductor that has died and those that have failed, alike."""
    lab = Lab(name="toy", question="?", baseline=Config(), run=print)
    trials = [Trial(build(lab, ()), seed, Conditions("cpu", 1, "c")) for seed in range(90)]
    with Store.open(url) as store:
        register(store, trials[30:])
        store.write([Event(trial.key, Finished("failed")) for trial in trials[60:]])
    processes = [run(CLAIMER, number) for number in range(4)]
    let_go(processes, tmp_path)
    given = []
    for process in processes:
        assert process.stdout is not None
        given.append([int(seed) for seed in process.stdout.readline().split()])
    assert sorted(seed for seeds in given for seed in seeds) == list(range(90))
    with Store.open(url) as store:
        assert all(record.outcome is None for record in store.trials())
        who = {record.seed: record.environment["first"] for record in store.trials()}
    assert who == {seed: first for first, seeds in enumerate(given) for seed in seeds}


OPENER = """
    print("ready", flush=True)
    while not os.path.exists(sys.argv[3] + ".go"):
        time.sleep(0.001)
    with Store.open(url) as store:
        store.set_alias(f"a{first}", "toy/fast")
"""


def test_processes_that_open_a_new_store_at_once_all_succeed(run: Callable[..., subprocess.Popen[str]], url, tmp_path):
    processes = [run(OPENER, number) for number in range(4)]
    let_go(processes, tmp_path)
    assert [process.wait(timeout=60) for process in processes] == [0] * 4
    with Store.open(url) as store:
        assert set(store.aliases()) == {"a0", "a1", "a2", "a3"}


def test_a_reader_is_not_held_up_by_a_writer(url):
    with Store.open(url) as writer, Store.open(url) as reader:
        writer.set_alias("a", "b")
        with writer._writing() as connection:
            connection.exec_driver_sql("UPDATE aliases SET name = 'c'")
            assert reader.aliases() == {"a": "b"}
        assert reader.aliases() == {"a": "c"}


def test_importing_the_store_loads_neither_torch_nor_matplotlib():
    code = "import sys, paribus.store; print({'torch', 'matplotlib', 'psycopg'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_a_commit_is_on_the_disk_before_it_is_said_to_be(tmp_path):
    with Store.open(str(tmp_path / "store.sqlite")) as store, store._reading() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
