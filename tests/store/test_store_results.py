"""What is written to a store comes back from it, in both databases, also after opening it again."""

import math
import uuid
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paribus.errors import StoreError
from paribus.spec.context import Artifact, Outcomes, Progress, Scalars
from paribus.spec.trial import Event, Finished, Started
from paribus.store import Store
from paribus.store.schema import pack, unpack

from .registering import register

ENVIRONMENT = {"torch": "2.9", "cores": np.int64(2), "commit": None}


def test_a_whole_trial_comes_back(url, make_trials):
    (trial,) = make_trials(1, "fast", "wide=32")
    correct = np.random.default_rng(0).random(4001) < 0.7
    before = datetime.now(UTC)
    with Store.open(url) as store:
        register(store, [trial], ENVIRONMENT)
        store.write([Event(trial.key, Started(1)), Event(trial.key, Progress(1, 3))])
        (running,) = store.trials()
        assert (running.outcome, running.seconds, running.finished, running.metrics) == (None, None, None, {})
        store.write(
            [
                Event(trial.key, Progress(2, 3)),
                Event(trial.key, Scalars(20, {"loss": 0.25})),
                Event(trial.key, Scalars(10, {"loss": 0.5, "accuracy": 0.75})),
                Event(trial.key, Outcomes("accuracy", correct)),
                Event(trial.key, Artifact("weights", np.eye(3))),
                Event(trial.key, Finished("diverged", {"accuracy": 0.5, "loss": math.nan}, 12.5, "loss is NaN")),
            ]
        )
    with Store.open(url) as store:
        (record,) = store.trials()
        curves = store.series([trial.key])
        assert store.artifact_names(trial.key) == ("weights",)
        np.testing.assert_array_equal(store.artifact(trial.key, "weights"), np.eye(3))
        assert store.artifact(trial.key, "other") is None
        np.testing.assert_array_equal(store.outcomes([trial.key], "accuracy")[trial.key], correct)
        assert store.outcomes([trial.key], "other") == {}
    assert (record.key, record.name, record.lab) == (trial.key, "toy/fast/wide=32", "toy")
    assert (record.hash, record.changes) == (trial.experiment.hash, ("fast", "wide=32"))
    assert record.config == {"type": "Config", "rate": 1.0, "width": 32}
    assert (record.seed, record.device, record.threads, record.code) == (0, "cpu", 1, "0123456789ab")
    assert (record.outcome, record.seconds, record.message, record.attempts) == ("diverged", 12.5, "loss is NaN", 1)
    assert record.metrics["accuracy"] == 0.5
    assert math.isnan(record.metrics["loss"])
    assert record.environment == {"torch": "2.9", "cores": 2, "commit": None}
    assert (record.done, record.total) == (2, 3)
    assert record.started is not None
    assert record.finished is not None
    assert before <= record.started <= record.finished <= datetime.now(UTC)
    assert record.finished.utcoffset() == timedelta(0)
    assert set(curves[trial.key]) == {"accuracy", "loss"}
    steps, values = curves[trial.key]["loss"]
    assert (steps.dtype, values.dtype) == (np.int64, np.float64)
    assert (steps.tolist(), values.tolist()) == ([10, 20], [0.5, 0.25])


def test_claiming_changes_who_and_where_of_what_has_not_finished(store, make_trials):
    first, second = make_trials(2)
    register(store, [first, second, first], {"commit": "a"})
    store.write([Event(first.key, Started(1)), Event(first.key, Finished("completed", {"accuracy": 1.0}))])
    with store.conductor() as name:
        assert [store.claim(trial, name, {"commit": "b"}) for trial in (first, second)] == [False, True]
    records = store.trials()
    assert [record.key for record in records] == [first.key, second.key]
    assert [record.environment["commit"] for record in records] == ["a", "b"]
    assert [record.conductor == name for record in records] == [False, True]
    assert [record.attempts for record in records] == [1, 0]


def test_trials_are_found_by_every_condition_together(store, make_trials):
    base, fast = make_trials(2), make_trials(3, "fast")
    register(store, [*base, *fast])
    assert len(store.trials()) == len(store.trials(lab="toy")) == 5
    assert store.trials(lab="other") == []
    assert [record.name for record in store.trials(experiment=fast[0].experiment.hash)] == ["toy/fast"] * 3
    assert [r.key for r in store.trials(keys=[fast[1].key, base[0].key, "unknown"])] == [base[0].key, fast[1].key]
    assert store.trials(keys=[base[0].key], experiment=fast[0].experiment.hash) == []
    assert store.trials(keys=[]) == []
    assert store.series([]) == store.outcomes([], "accuracy") == {}


def test_more_keys_than_a_query_takes(store, make_trials):
    trials = make_trials(1203)
    register(store, trials)
    store.write([Event(trial.key, Scalars(0, {"loss": float(trial.seed)})) for trial in trials])
    keys = [trial.key for trial in trials]
    assert [record.seed for record in store.trials(keys=reversed(keys))] == list(range(1203))
    curves = store.series(keys)
    assert [curves[key]["loss"][1].item() for key in keys] == list(range(1203))


def test_a_resumed_trial_counts_its_starts_and_replaces_the_steps_it_repeats(store, make_trials):
    (trial,) = make_trials()
    register(store, [trial])
    store.write([Event(trial.key, Started(1)), *(Event(trial.key, Scalars(s, {"loss": 1.0})) for s in (1, 2, 3))])
    first = store.trials()[0].started
    store.write([Event(trial.key, Started(2)), Event(trial.key, Started(3))])
    store.write([Event(trial.key, Scalars(s, {"loss": float(s)})) for s in (3, 4, 4)])
    steps, values = store.series([trial.key])[trial.key]["loss"]
    assert (steps.tolist(), values.tolist()) == ([1, 2, 3, 4], [1.0, 1.0, 3.0, 4.0])
    assert (store.trials()[0].attempts, store.trials()[0].started) == (3, first)


@pytest.mark.parametrize("together", [True, False])
def test_the_first_result_stays_and_the_work_log_says_so(store, make_trials, together):
    (trial,) = make_trials(1, "fast")
    register(store, [trial])
    first = [
        Event(trial.key, Scalars(1, {"loss": 0.5})),
        Event(trial.key, Finished("completed", {"accuracy": 0.5}, 1.0)),
    ]
    late = [
        Event(trial.key, Started(2)),
        Event(trial.key, Scalars(1, {"loss": 9.0})),
        Event(trial.key, Outcomes("accuracy", np.ones(3, dtype=bool))),
        Event(trial.key, Finished("failed", {"accuracy": 0.9}, 2.0, "boom")),
    ]
    for batch in [first + late] if together else [first, late]:
        store.write(batch)
    (record,) = store.trials()
    assert (record.outcome, record.metrics, record.seconds) == ("completed", {"accuracy": 0.5}, 1.0)
    assert (record.message, record.attempts) == ("", 0)
    assert store.series([trial.key])[trial.key]["loss"][1].tolist() == [0.5]
    assert store.outcomes([trial.key], "accuracy") == {}
    (note,) = store.notes("toy/fast")
    assert note.author == "program"
    assert "that result stays" in note.text
    assert '"accuracy": 0.9' in note.text


def test_events_of_an_unclaimed_trial_are_refused_and_so_is_their_batch(store, make_trials):
    known, unknown = make_trials(2)
    register(store, [known])
    with pytest.raises(StoreError, match=f"trial {unknown.key} is not in the store"):
        store.write([Event(known.key, Started(1)), Event(unknown.key, Started(1))])
    assert store.trials()[0].attempts == 0
    store.write([])


def test_only_a_failure_that_is_known_begins_anew(store, make_trials):
    failed, completed = make_trials(2)
    register(store, [failed, completed], {"commit": "a"})
    for trial, outcome in ((failed, "failed"), (completed, "completed")):
        store.write(
            [
                Event(trial.key, Started(1)),
                Event(trial.key, Scalars(1, {"loss": 1.0})),
                Event(trial.key, Outcomes("accuracy", np.ones(9, dtype=bool))),
                Event(trial.key, Artifact("weights", np.zeros(2))),
                Event(trial.key, Finished(outcome, {"accuracy": 1.0}, 1.0, "Traceback\x00 \udcff é")),
            ]
        )
    (store.scratch(failed.key) / "checkpoint").write_bytes(b"half")
    before = store.trials()
    assert before[0].message == "Traceback\ufffd \ufffd é"
    with store.conductor() as name:
        assert not store.claim(failed, name, {})
        assert not store.claim(failed, name, {}, failed=before[0].finished + timedelta(microseconds=1))
        assert not store.claim(completed, name, {}, failed=before[1].finished)
        assert store.trials() == before
        assert (store.folder / "scratch" / failed.key).exists()
        assert store.claim(failed, name, {"commit": "b"}, failed=before[0].finished)
        assert not (store.folder / "scratch" / failed.key).exists()
        (store.scratch(failed.key) / "checkpoint").write_bytes(b"new")
    with store.conductor() as heir:
        assert store.claim(failed, heir, {"commit": "b"}, failed=before[0].finished), "who knew of the failure too"
        assert (store.scratch(failed.key) / "checkpoint").read_bytes() == b"new"
    store.clear_scratch(failed.key)
    assert not (store.folder / "scratch" / failed.key).exists()
    (record,) = store.trials(keys=[failed.key])
    assert (record.outcome, record.attempts, record.metrics) == (None, 0, {})
    assert (record.conductor, record.environment) == (heir, {"commit": "b"})
    assert store.series([failed.key]) == {failed.key: {}}
    assert store.outcomes([failed.key], "accuracy") == {}
    assert store.artifact_names(failed.key) == ()
    assert store.trials(keys=[completed.key]) == [before[1]]


def test_scratch_is_a_folder_a_trial_that_can_be_cleared(store):
    path = store.scratch("0123")
    (path / "checkpoint").write_bytes(b"data")
    assert path.is_dir()
    assert path == store.scratch("0123")
    assert path.is_relative_to(store.folder)
    assert path != store.scratch("4567")
    store.clear_scratch("0123")
    assert not path.exists()
    store.clear_scratch("0123")


def test_notes_aliases_and_looks(store):
    store.add_note("toy/fast", "Why did it 'help'? \N{GREEK SMALL LETTER MU}\x00", "person")
    store.add_note("toy/wide=2", "ran", "program")
    assert [(n.about, n.author) for n in store.notes()] == [("toy/fast", "person"), ("toy/wide=2", "program")]
    assert [n.text for n in store.notes("toy/fast")] == ["Why did it 'help'? \N{GREEK SMALL LETTER MU}\ufffd"]
    assert abs(store.notes()[0].written - datetime.now(UTC)) < timedelta(minutes=1)
    with pytest.raises(StoreError, match="author is 'program' or 'person', not 'nobody'"):
        store.add_note("toy/fast", "?", "nobody")

    store.set_alias("best", "toy/fast")
    store.set_alias("best", "toy/fast/wide=2")
    store.set_alias("also", "toy/fast")
    assert store.aliases() == {"also": "toy/fast", "best": "toy/fast/wide=2"}
    for wrong in ("", " ", "a/b", "a=b"):
        with pytest.raises(StoreError, match="cannot be an alias"):
            store.set_alias(wrong, "toy/fast")

    store.record_look("toy.rate", "", 3, {"fast": {"verdict": "undecided", "low": np.float32(-0.5), "p": math.nan}})
    store.record_look("toy.rate", "", 5, {"fast": {"verdict": "better"}})
    store.record_look("toy.rate", "toy/wide=2", 5, {})
    looks = store.looks("toy.rate", "")
    assert [(look.study, look.base, look.seeds) for look in looks] == [("toy.rate", "", 3), ("toy.rate", "", 5)]
    assert looks[0].summary["fast"]["low"] == -0.5
    assert math.isnan(looks[0].summary["fast"]["p"])
    assert looks[0].looked <= looks[1].looked
    assert [look.seeds for look in store.looks("toy.rate")] == [3, 5, 5]
    assert [look.base for look in store.looks(base="toy/wide=2")] == ["toy/wide=2"]
    assert len(store.looks()) == 3
    assert store.looks("toy.other") == []


@given(st.lists(st.booleans(), max_size=70))
def test_packed_outcomes_are_the_same_for_any_length(values):
    correct = np.array(values, dtype=np.bool_)
    bits = pack(correct)
    assert len(bits) == math.ceil(len(values) / 8)
    assert unpack(bits, len(values)).tolist() == values
    read = "".join(f"{byte:08b}" for byte in bits)[: len(values)]
    assert read == "".join("01"[value] for value in values)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(values=st.lists(st.floats(), min_size=1, max_size=20))
def test_any_float_comes_back(store, make_trials, values):
    (trial,) = make_trials(1, code=uuid.uuid4().hex[:12])
    register(store, [trial])
    store.write([Event(trial.key, Scalars(step, {"x": value})) for step, value in enumerate(values)])
    read = store.series([trial.key])[trial.key]["x"][1]
    np.testing.assert_array_equal(read, np.array(values))


@pytest.mark.parametrize("value", [np.float32(0.5), np.int64(3), 3, np.float64("-inf"), True])
def test_numbers_of_other_types_are_stored_as_floats(store, make_trials, value):
    (trial,) = make_trials()
    register(store, [trial])
    metrics = {"x": value}
    store.write([Event(trial.key, Scalars(np.int64(7), metrics)), Event(trial.key, Finished("completed", metrics))])
    assert store.series([trial.key])[trial.key]["x"][1].tolist() == [float(value)]
    assert store.trials()[0].metrics == {"x": float(value)}
