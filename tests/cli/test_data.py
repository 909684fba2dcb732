"""The data sets from the command line, with the catalogue's own folder put elsewhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from paribus.data.download import md5_of

from .conftest import Cli


@pytest.fixture(autouse=True)
def _empty(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paribus.data.catalogue.data_root", lambda: folder / "data")


def test_list_says_what_is_here_and_how_to_get_the_rest(cli: Cli) -> None:
    listed = cli("data", "list")
    assert listed.code == 0
    assert "svhn  not here" in listed.out
    assert "paribus data get svhn" in listed.out
    assert "digits  here" in listed.out
    assert max(map(len, listed.out.splitlines())) <= 80


def test_get_shows_progress_beside_the_result(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def get(name: str, progress: object, *, extra: bool) -> None:
        asked.append((name, extra))
        assert callable(progress)
        progress("train_32x32.mat", 5, None)
        progress("train_32x32.mat", 10, 10)

    monkeypatch.setattr("paribus.data.catalogue.get", get)
    done = cli("data", "get", "svhn")
    assert (done.code, asked) == (0, [("svhn", False)])
    assert done.out == "svhn is here.\n"
    assert "train_32x32.mat" in done.err
    done = cli("data", "get", "svhn", "--extra")
    assert (done.code, asked[1:]) == (0, [("svhn", True)])
    assert done.out == "svhn is here, its extra crops too.\n"


def test_extra_goes_with_svhn_alone(cli: Cli) -> None:
    done = cli("data", "get", "digits", "--extra")
    assert done.code == 2
    assert "only svhn has" in done.error


def test_add_says_that_the_extra_file_was_taken_along(cli: Cli, folder: Path) -> None:
    for name, count in (("train", 40), ("test", 20), ("extra", 30)):
        images = np.random.default_rng(count).integers(0, 256, (32, 32, 3, count), dtype=np.uint8)
        savemat(folder / f"{name}_32x32.mat", {"X": images, "y": np.arange(count)[:, None] % 10 + 1})
    assert cli("data", "add", "svhn", str(folder)).out.startswith("svhn is here, extra_32x32.mat too; ")
    assert "with the extra crops" in " ".join(cli("data", "list").out.split())
    (folder / "extra_32x32.mat").unlink()
    assert cli("data", "add", "svhn", str(folder)).out.startswith("svhn is here; ")


def test_files_that_are_not_the_published_ones_are_not_described_by_their_numbers(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "73,257 training" in cli("data", "list").out
    for name, count in (("train", 40), ("test", 20)):
        images = np.zeros((32, 32, 3, count), dtype=np.uint8)
        savemat(folder / f"{name}_32x32.mat", {"X": images, "y": np.arange(count)[:, None] % 10 + 1})
    said = "not the published files: MD5 "
    assert said in " ".join(cli("data", "add", "svhn", str(folder)).out.split())
    listed = " ".join(cli("data", "list").out.split()).partition("cifar10")[0]
    assert f"in the layout of Street View House Numbers; {said}" in listed
    assert "73,257" not in listed
    md5 = {name: md5_of(folder / name) for name in ("train_32x32.mat", "test_32x32.mat")}
    monkeypatch.setattr("paribus.data.svhn.MD5", md5)
    assert cli("data", "add", "svhn", str(folder)).out == "svhn is here.\n"
    assert "73,257 training" in cli("data", "list").out
