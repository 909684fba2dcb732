"""SVHN in its published format, made small with scipy.io.savemat."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import loadmat, savemat

from paribus.data import svhn
from paribus.data.catalogue import add, available, editions, load
from paribus.data.download import md5_of
from paribus.data.svhn import convert_svhn, read_mat
from paribus.errors import DataError

TRAIN, TEST, EXTRA = 200, 30, 90


def write_mat(path: Path, count: int, seed: int, **changes: object) -> None:
    random = np.random.default_rng(seed)
    content: dict[str, object] = {
        "X": random.integers(0, 256, (32, 32, 3, count), dtype=np.uint8),
        "y": (np.arange(count, dtype=np.uint8)[:, None] % 10) + 1,
    }
    savemat(path, {**content, **changes}, do_compression=True)


@pytest.fixture
def published(tmp_path: Path) -> Path:
    folder = tmp_path / "published"
    folder.mkdir()
    write_mat(folder / "train_32x32.mat", TRAIN, 1)
    write_mat(folder / "test_32x32.mat", TEST, 2)
    return folder


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PARIBUS_DATA", str(tmp_path / "root"))
    return tmp_path / "root"


def test_added_files_are_read_as_the_published_arrays(published: Path, root: Path) -> None:
    assert not available("svhn")
    add("svhn", published)
    assert available("svhn")
    original = loadmat(published / "test_32x32.mat")
    test = load("svhn", "test")
    assert isinstance(test.images, np.memmap)
    assert not test.images.flags.writeable
    for index in range(TEST):
        assert (test.images[index] == original["X"][:, :, :, index]).all()
        assert test.labels[index] == original["y"][index, 0] % 10
    assert set(test.labels.tolist()) == set(range(10))


def test_train_and_validation_divide_the_training_file_in_its_order(published: Path, root: Path) -> None:
    add("svhn", published)
    original = loadmat(published / "train_32x32.mat")["X"].transpose(3, 0, 1, 2)
    rows = {image.tobytes(): row for row, image in enumerate(original)}
    train, validation = (
        [rows[image.tobytes()] for image in load("svhn", part).images] for part in ("train", "validation")
    )
    assert sorted(train + validation) == list(range(TRAIN))
    assert train == sorted(train)
    assert validation == sorted(validation)
    assert len(validation) == round(TRAIN * 6000 / 73257)


def test_files_in_the_data_folder_are_converted_on_first_use(published: Path, root: Path) -> None:
    (root).mkdir()
    published.rename(root / "svhn")
    assert available("svhn")
    assert len(load("svhn", "train")) + len(load("svhn", "validation")) == TRAIN


def test_files_that_are_not_the_published_ones_are_named_as_such(
    published: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = editions()
    add("svhn", published)
    found = md5_of(published / "test_32x32.mat")
    assert f"not the published files: MD5 {md5_of(published / 'train_32x32.mat')}" in load("svhn", "train").source
    assert found in load("svhn", "test").source
    assert editions() != absent
    monkeypatch.setattr(svhn, "MD5", {name: md5_of(published / name) for name in svhn.MD5})
    add("svhn", published)
    assert load("svhn", "test").source == svhn.SOURCE
    assert editions() == absent
    (root / "svhn" / svhn.ARRAYS / svhn.MARK).unlink()
    assert "not checked" in load("svhn", "test").source


def test_the_edition_is_the_same_before_and_after_conversion(published: Path, root: Path) -> None:
    root.mkdir()
    published.rename(root / "svhn")
    before = editions()
    load("svhn", "train")
    assert editions() == before


def test_a_limit_takes_the_first_examples(published: Path, root: Path) -> None:
    add("svhn", published)
    assert (load("svhn", "train", limit=7).images == load("svhn", "train").images[:7]).all()


def test_absent_files_name_both_ways_to_get_them(root: Path) -> None:
    with pytest.raises(DataError, match=r"`paribus data get svhn`.*`paribus data add svhn DIR`"):
        load("svhn", "train")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": np.full((TEST, 1), 11, dtype=np.uint8)}, r"y\[0\] is 11"),
        ({"y": np.zeros((TEST, 1), dtype=np.uint8)}, r"y\[0\] is 0"),
        ({"y": np.full((TEST, 1), 1.5)}, r"y\[0\] is 1.5"),
        ({"y": np.ones((TEST - 1, 1), dtype=np.uint8)}, r"shape \(29, 1\)"),
        ({"X": np.zeros((TEST, 32, 32, 3), dtype=np.uint8)}, r"shape \(30, 32, 32, 3\)"),
        ({"X": np.zeros((32, 32, 3, TEST))}, "float64"),
        ({"X": np.zeros((32, 32, 3, 0), dtype=np.uint8), "y": np.zeros((0, 1), dtype=np.uint8)}, "expected"),
    ],
)
def test_broken_content_is_one_line_that_names_the_file_and_what_is_expected(
    published: Path, root: Path, changes: dict[str, object], message: str
) -> None:
    write_mat(published / "test_32x32.mat", TEST, 2, **changes)
    with pytest.raises(DataError, match=message) as caught:
        add("svhn", published)
    text = str(caught.value)
    assert "test_32x32.mat" in text
    assert "are expected" in text
    assert "\n" not in text
    assert not available("svhn")


def test_a_file_without_labels_is_refused(published: Path, root: Path) -> None:
    savemat(published / "train_32x32.mat", {"X": np.zeros((32, 32, 3, 4), dtype=np.uint8)})
    with pytest.raises(DataError, match="has no X or no y"):
        add("svhn", published)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 0.999), compressed=st.booleans())
def test_a_file_cut_anywhere_is_refused_in_one_line(tmp_path: Path, share: float, compressed: bool) -> None:
    path = tmp_path / "test_32x32.mat"
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (32, 32, 3, 5), dtype=np.uint8)
    savemat(path, {"X": images, "y": np.ones((5, 1), dtype=np.uint8)}, do_compression=compressed)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(DataError, match=r"test_32x32\.mat") as caught:
        read_mat(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(published: Path, tmp_path: Path) -> None:
    (published / "test_32x32.mat").unlink()
    with pytest.raises(DataError, match=r"lacks test_32x32\.mat"):
        convert_svhn(published, tmp_path / "out")


def test_the_extra_crops_lie_behind_the_training_part_and_nowhere_else(
    published: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(svhn, "BLOCK", 64)  # several blocks, of both
    write_mat(published / "extra_32x32.mat", EXTRA, 3)
    assert add("svhn", published) == "extra_32x32.mat"
    original = loadmat(published / "extra_32x32.mat")
    train, plain = load("svhn+extra", "train"), load("svhn", "train")
    assert isinstance(train.images, np.memmap)
    assert len(train) == len(plain) + EXTRA
    assert (train.images[: len(plain)] == plain.images).all()
    assert (train.labels[: len(plain)] == plain.labels).all()
    for row in range(EXTRA):
        assert (train.images[len(plain) + row] == original["X"][:, :, :, row]).all()
        assert train.labels[len(plain) + row] == original["y"][row, 0] % 10
    seen = {image.tobytes() for image in train.images}
    for part in ("validation", "test"):
        assert (load("svhn+extra", part).images == load("svhn", part).images).all()
        assert not seen & {image.tobytes() for image in load("svhn", part).images}
    assert "extra" in train.source
    assert "extra" not in plain.source


def test_without_the_extra_file_both_ways_to_get_it_are_named(published: Path, root: Path) -> None:
    assert not available("svhn+extra")
    assert add("svhn", published) == ""
    assert not available("svhn+extra")
    for part in ("train", "validation", "test"):
        with pytest.raises(DataError, match=r"get svhn --extra`.*add svhn DIR`.*extra_32x32\.mat") as caught:
            load("svhn+extra", part)  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)
    write_mat(published / "extra_32x32.mat", EXTRA, 3)
    add("svhn", published)
    assert available("svhn+extra")


def test_extra_crops_count_as_absent_behind_another_training_part(published: Path, root: Path) -> None:
    write_mat(published / "extra_32x32.mat", EXTRA, 3)
    add("svhn", published)
    (published / "extra_32x32.mat").unlink()
    add("svhn", published)
    assert available("svhn+extra")  # the same files again
    write_mat(published / "train_32x32.mat", TRAIN, 5)
    add("svhn", published)
    assert not available("svhn+extra")


def test_an_extra_file_that_is_not_the_published_one_is_named_and_a_broken_one_refused(
    published: Path, root: Path
) -> None:
    add("svhn", published)
    before, plain = editions(), load("svhn", "train").source
    write_mat(published / "extra_32x32.mat", EXTRA, 3)
    add("svhn", published)
    assert f"{md5_of(published / 'extra_32x32.mat')} (extra_32x32.mat)" in load("svhn+extra", "test").source
    assert load("svhn", "train").source == plain
    assert editions() != before
    write_mat(published / "extra_32x32.mat", EXTRA, 3, y=np.full((EXTRA, 1), 11, dtype=np.uint8))
    with pytest.raises(DataError, match=r"extra_32x32\.mat: y\[0\] is 11"):
        add("svhn", published)
    assert available("svhn")
