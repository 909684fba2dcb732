"""CIFAR-10 in its published format, made small."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from paribus.data import cifar10
from paribus.data.catalogue import add, available, editions, get, load
from paribus.data.cifar10 import ARCHIVE, CLASSES, TEST_FILE, TRAIN_FILES, read_archive
from paribus.data.download import md5_of
from paribus.errors import DataError

PER_FILE = 40


def write_archive(folder: Path, **changed: bytes) -> dict[str, NDArray[np.uint8]]:
    """Write an archive of the published form with few records; return images (N, 32, 32, 3) and labels of its files."""
    random = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    contents: dict[str, NDArray[np.uint8]] = {}
    with tarfile.open(folder / ARCHIVE, "w:gz") as archive:
        for name in (*TRAIN_FILES, TEST_FILE):
            images = random.integers(0, 256, (PER_FILE, 32, 32, 3), dtype=np.uint8)
            labels = random.permutation(np.arange(PER_FILE) % 10).astype(np.uint8)
            contents[name], contents[f"{name}/labels"] = images, labels
            flat = b"".join(
                bytes([label]) + image.transpose(2, 0, 1).tobytes() for image, label in zip(images, labels, strict=True)
            )
            data = changed.get(name.removesuffix(".bin"), flat)
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return contents


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PARIBUS_DATA", str(tmp_path / "root"))
    return tmp_path / "root"


def test_an_added_archive_is_read_as_its_records(tmp_path: Path, root: Path) -> None:
    contents = write_archive(tmp_path / "published")
    assert not available("cifar10")
    add("cifar10", tmp_path / "published")
    assert available("cifar10")
    test = load("cifar10", "test")
    assert isinstance(test.images, np.memmap)
    assert np.array_equal(test.images, contents[TEST_FILE])
    assert np.array_equal(test.labels, contents[f"{TEST_FILE}/labels"])
    assert test.classes == CLASSES
    assert len(load("cifar10", "test", limit=7)) == 7


def test_train_and_validation_divide_the_training_files_class_by_class(tmp_path: Path, root: Path) -> None:
    contents = write_archive(tmp_path / "published")
    add("cifar10", tmp_path / "published")
    whole = np.concatenate([contents[name] for name in TRAIN_FILES])
    rows = {image.tobytes(): row for row, image in enumerate(whole)}
    train, validation = (load("cifar10", part) for part in ("train", "validation"))
    found = [[rows[image.tobytes()] for image in part.images] for part in (train, validation)]
    assert sorted(found[0] + found[1]) == list(range(len(whole)))
    assert found == [sorted(part) for part in found]
    assert np.bincount(validation.labels).tolist() == [2] * 10


def test_an_archive_in_the_data_folder_is_converted_on_first_use(tmp_path: Path, root: Path) -> None:
    root.mkdir()
    write_archive(root / "cifar10")
    assert available("cifar10")
    before = editions()
    assert len(load("cifar10", "train")) == 180
    assert editions() == before


def test_a_file_that_is_not_the_published_one_is_named_as_such(
    tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = editions()
    write_archive(tmp_path / "published")
    add("cifar10", tmp_path / "published")
    found = md5_of(tmp_path / "published" / ARCHIVE)
    assert f"not the published file: MD5 {found}" in load("cifar10", "test").source
    assert editions() != absent
    monkeypatch.setattr(cifar10, "MD5", found)
    add("cifar10", tmp_path / "published")
    assert load("cifar10", "test").source == cifar10.SOURCE
    assert editions() == absent
    (root / "cifar10" / cifar10.ARRAYS / cifar10.MARK).unlink()
    assert "not checked" in load("cifar10", "test").source


def test_a_download_goes_through_the_checksum(tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_archive(tmp_path / "published")
    url = (tmp_path / "published").as_uri() + "/"
    with pytest.raises(DataError, match="MD5"):
        cifar10.download_cifar10(root / "cifar10", url=url)
    monkeypatch.setattr(cifar10, "MD5", md5_of(tmp_path / "published" / ARCHIVE))
    monkeypatch.setattr(cifar10, "URL", url)
    monkeypatch.setattr(cifar10.download_cifar10, "__kwdefaults__", {"url": url})
    get("cifar10")
    assert len(load("cifar10", "test")) == PER_FILE


def test_absent_files_name_both_ways_to_get_them(root: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"`paribus data get cifar10`.*`paribus data add cifar10 DIR`"):
        load("cifar10", "train")
    with pytest.raises(DataError, match="lacks cifar-10-binary"):
        add("cifar10", tmp_path)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"test_batch": b"\x0a" + bytes(3072)}, "label 10 of record 0 of test_batch.bin"),
        ({"data_batch_3": bytes(3072)}, r"data_batch_3.bin holds 3,072 bytes.*3,073 bytes are expected"),
        ({"data_batch_1": b""}, "data_batch_1.bin holds 0 bytes"),
    ],
)
def test_broken_content_is_one_line(tmp_path: Path, root: Path, changed: dict[str, bytes], message: str) -> None:
    write_archive(tmp_path / "published", **changed)
    with pytest.raises(DataError, match=message) as caught:
        add("cifar10", tmp_path / "published")
    assert "\n" not in str(caught.value)
    assert not available("cifar10")


def test_an_archive_without_a_file_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / ARCHIVE, "w:gz"):
        pass
    with pytest.raises(DataError, match=r"data_batch_1\.bin.*expected"):
        read_archive(tmp_path / ARCHIVE)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0, 0.999))
def test_an_archive_cut_anywhere_is_refused_in_one_line(tmp_path: Path, share: float) -> None:
    folder = tmp_path / "cut"
    if not (tmp_path / "whole" / ARCHIVE).exists():
        write_archive(tmp_path / "whole")
    folder.mkdir(exist_ok=True)
    content = (tmp_path / "whole" / ARCHIVE).read_bytes()
    (folder / ARCHIVE).write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match="cifar-10-binary") as caught:
        read_archive(folder / ARCHIVE)
    assert "\n" not in str(caught.value)
