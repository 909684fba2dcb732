"""Arrays are kept by content, checked when read, and never pickled."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest

import paribus.store
from paribus.errors import StoreError
from paribus.spec.context import Artifact, Picture
from paribus.spec.trial import Event
from paribus.store import Store, artifacts

from .registering import register


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=np.uint8).reshape(2, 3),
        np.array(1.5, dtype=np.float16),
        np.zeros((0, 4)),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.array([True, False]),
        np.array(["one", "zwölf"]),
        np.array([np.nan, np.inf, -0.0, 5e-324]),
    ],
    ids=lambda array: f"{array.dtype}-{array.ndim}",
)
def test_an_array_comes_back_with_its_type_and_shape(tmp_path, array):
    read = artifacts.load(tmp_path, artifacts.keep(tmp_path, "x", array))
    assert (read.dtype, read.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(read, array)


def test_equal_arrays_are_one_file_named_by_its_content(store, make_trials):
    first, second = make_trials(2)
    register(store, [first, second])
    ones, zeros = np.ones((50, 50)), np.zeros(3)
    store.write([Event(first.key, Artifact("w", ones)), Event(second.key, Artifact("v", ones))])
    store.write([Event(first.key, Artifact("w", zeros)), Event(first.key, Artifact("a", zeros))])
    assert store.artifact_names(first.key) == ("a", "w")
    np.testing.assert_array_equal(store.artifact(first.key, "w"), zeros)
    np.testing.assert_array_equal(store.artifact(second.key, "v"), ones)
    files = [path for path in (store.folder / "artifacts").rglob("*") if path.is_file()]
    assert len(files) == 2
    assert all(path.name == f"{hashlib.sha256(path.read_bytes()).hexdigest()}.npy" for path in files)


def test_a_picture_for_those_who_watch_is_not_kept(store, make_trials):
    (trial,) = make_trials()
    register(store, [trial])
    store.write([Event(trial.key, Picture("image", np.zeros((4, 4, 3), np.uint8)))])
    assert store.artifact_names(trial.key) == ()
    assert not [path for path in (store.folder / "artifacts").rglob("*") if path.is_file()]


def test_python_objects_are_refused_both_ways(store, make_trials, tmp_path):
    (trial,) = make_trials()
    register(store, [trial])
    with pytest.raises(StoreError, match="'w' holds Python objects: give an array of numbers"):
        store.write([Event(trial.key, Artifact("w", np.array([{}], dtype=object)))])
    assert store.artifact_names(trial.key) == ()

    buffer = io.BytesIO()
    np.save(buffer, np.array([{}], dtype=object), allow_pickle=True)
    digest = hashlib.sha256(buffer.getvalue()).hexdigest()
    (tmp_path / digest[:2]).mkdir()
    (tmp_path / digest[:2] / f"{digest}.npy").write_bytes(buffer.getvalue())
    with pytest.raises(StoreError, match="is no plain array"):
        artifacts.load(tmp_path, digest)


def test_a_damaged_and_a_missing_file_are_named(store: Store, make_trials):
    (trial,) = make_trials()
    register(store, [trial])
    store.write([Event(trial.key, Artifact("w", np.arange(100)))])
    (path,) = (store.folder / "artifacts").rglob("*.npy")
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(StoreError, match=f"{path} is damaged: restore a copy"):
        store.artifact(trial.key, "w")
    path.unlink()
    with pytest.raises(StoreError, match=f"{path} is missing: restore"):
        store.artifact(trial.key, "w")


def test_nothing_in_the_store_reads_or_writes_pickles():
    for path in Path(paribus.store.__file__).parent.glob("*.py"):
        source = path.read_text()
        assert "import pickle" not in source
        assert "allow_pickle=True" not in source
