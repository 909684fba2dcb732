import subprocess
import sys
from pathlib import Path

import pytest

from paribus.data.catalogue import add, available, describe, editions, get, load
from paribus.errors import DataError


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PARIBUS_DATA", str(tmp_path / "root"))
    return tmp_path / "root"


def test_the_entries_say_what_is_here(root: Path) -> None:
    entries = {entry.name: entry for entry in describe()}
    assert list(entries) == ["svhn", "cifar10", "street_digits", "curved_text", "digits", "image_folder=DIR"]
    assert not entries["svhn"].present
    assert "paribus data get svhn" in entries["svhn"].where
    assert "paribus data get cifar10" in entries["cifar10"].where
    assert "synthetic" in entries["street_digits"].what
    assert entries["street_digits"].size == 0
    load("street_digits", "validation", limit=1)
    assert next(entry for entry in describe() if entry.name == "street_digits").size > 1024 * 3072
    assert all(entry.what and entry.licence and entry.where for entry in entries.values())


@pytest.mark.parametrize("call", [lambda: load("svnh", "train"), lambda: get("svnh"), lambda: available("svnh")])
def test_an_unknown_name_suggests_the_near_one(call: object) -> None:
    with pytest.raises(DataError, match="no data set 'svnh' — did you mean 'svhn'"):
        call()  # type: ignore[operator]


def test_scenes_are_no_labelled_images_and_the_error_says_what_makes_them() -> None:
    assert available("curved_text")
    get("curved_text")
    with pytest.raises(DataError, match=r"call paribus\.data\.curved_text\.scene\(split, index\)$"):
        load("curved_text", "train")


def test_an_image_folder_needs_its_folder() -> None:
    with pytest.raises(DataError, match="no data set 'image_folder='"):
        load("image_folder=", "train")


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(DataError, match="split 'valid': one of train, validation, test"):
        load("digits", "valid")  # type: ignore[arg-type]


def test_another_drawing_library_is_another_edition(monkeypatch: pytest.MonkeyPatch) -> None:
    before = editions()
    assert editions() == before
    monkeypatch.setattr("cv2.__version__", "0.0.1")
    assert editions() != before


def test_only_published_files_are_added_and_a_folder_of_ones_own_is_not_downloaded(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="only svhn and cifar10 can be added"):
        add("digits", tmp_path)
    with pytest.raises(DataError, match="not a folder"):
        add("svhn", tmp_path / "none")
    with pytest.raises(DataError, match="needs no download"):
        get("image_folder=pets")
    get("digits")


def test_the_catalogue_loads_no_heavy_library() -> None:
    program = (
        "import sys, paribus.data.catalogue; print([m for m in ('torch', 'matplotlib', 'sklearn') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
