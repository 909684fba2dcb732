"""The data sets from the command line, with the catalogue's own folder put elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

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

    def get(name: str, progress: object) -> None:
        asked.append(name)
        assert callable(progress)
        progress("train_32x32.mat", 5, None)
        progress("train_32x32.mat", 10, 10)

    monkeypatch.setattr("paribus.data.catalogue.get", get)
    done = cli("data", "get", "svhn")
    assert (done.code, asked) == (0, ["svhn"])
    assert done.out == "svhn is here.\n"
    assert "train_32x32.mat" in done.err
